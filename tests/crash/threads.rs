//! Kills at random instants while a coordinator and its agents work at the same time: every thread goes on, no delegation
//! is lost or doubled, and the budget holds.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use sinew_tests::client::{Client, idle_reason};
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

use crate::{PROGRAM, seed};

/// Agents at work at the same time.
const AGENTS: usize = 5;
/// Longest time that a daemon lives before it is killed.
const LIFE_MS_MAX: u64 = 400;
/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// Kills before the session is left alone.
const KILLS: usize = 25;

/// The coordinator gives each agent two pieces of work. Each appends a line to a file that all share.
const SCRIPT: &str = r#"
chunk_chars: 4
delay_ms: 2
conversations:
  - when: {system_contains: You lead.}
    turns:
      - text: I start five agents.
        tools:
          - {name: start_agent, input: {agent: worker, message: "piece 0 first"}}
          - {name: start_agent, input: {agent: worker, message: "piece 1 first"}}
          - {name: start_agent, input: {agent: worker, message: "piece 2 first"}}
          - {name: start_agent, input: {agent: worker, message: "piece 3 first"}}
          - {name: start_agent, input: {agent: worker, message: "piece 4 first"}}
      - tools: [{name: wait_for_agents, input: {}}]
      - text: I send them on.
        tools:
          - {name: send_to_agent, input: {thread_id: "${field.0.thread_id}", message: "piece 0 second"}}
          - {name: send_to_agent, input: {thread_id: "${field.1.thread_id}", message: "piece 1 second"}}
          - {name: send_to_agent, input: {thread_id: "${field.2.thread_id}", message: "piece 2 second"}}
          - {name: send_to_agent, input: {thread_id: "${field.3.thread_id}", message: "piece 3 second"}}
          - {name: send_to_agent, input: {thread_id: "${field.4.thread_id}", message: "piece 4 second"}}
      - tools: [{name: wait_for_agents, input: {}}]
      - text: All is done.
    # Messages that come late, one by one, are answered one by one.
  - when: {system_contains: You work.}
    turns:
      - text: I append a line.
        tools: [{name: bash, input: {command: "echo ${last_user_text} >> /workspace/shared"}}]
      - text: "Done: ${last_user_text}"
      - text: I append another.
        tools: [{name: bash, input: {command: "echo ${last_user_text} >> /workspace/shared"}}]
      - text: "Done: ${last_user_text}"
otherwise: {text: Noted.}
"#;

/// Every agent asks its model without end.
const SPENDING: &str = r#"
chunk_chars: 4
delay_ms: 1
conversations:
  - when: {system_contains: You lead.}
    turns:
      - tools:
          - {name: start_agent, input: {agent: worker, message: "spend"}}
          - {name: start_agent, input: {agent: worker, message: "spend"}}
          - {name: start_agent, input: {agent: worker, message: "spend"}}
otherwise:
  tools: [{name: glob, input: {pattern: "*"}}]
  usage: {input_tokens: 1000, output_tokens: 4000}
"#;
/// What one request of that script costs: 1,000 tokens in at 3 dollars a million, 4,000 out at 15.
const REQUEST_CENTS: f64 = 6.3;
const BUDGET_CENTS: u64 = 100;

/// The lead starts two agents, each of which starts two, and each of these appends a line.
const LEVELS: &str = r#"
chunk_chars: 4
delay_ms: 2
conversations:
  - when: {system_contains: You lead.}
    turns:
      - text: I start two.
        tools:
          - {name: start_agent, input: {agent: middle, message: "left"}}
          - {name: start_agent, input: {agent: middle, message: "right"}}
      - tools: [{name: wait_for_agents, input: {}}]
      - text: All is done.
  - when: {system_contains: You are between.}
    turns:
      - text: I start two more.
        tools:
          - {name: start_agent, input: {agent: worker, message: "${last_user_text} one"}}
          - {name: start_agent, input: {agent: worker, message: "${last_user_text} two"}}
      - tools: [{name: wait_for_agents, input: {}}]
      - text: "Both below ${first_user_text} are done."
  - when: {system_contains: You work.}
    turns:
      - text: I append a line.
        tools: [{name: bash, input: {command: "echo ${last_user_text} >> /workspace/shared"}}]
      - text: "Done: ${last_user_text}"
otherwise: {text: Noted.}
"#;

const MODEL: &str = "claude-sonnet-4-6";

/// Makes a session of a coordinator with a roster of one agent.
async fn session(client: &Client, budget: Value) -> Result<String> {
    let tools = json!([{"type": "agent_toolset_20260401"}]);
    let worker = json!({"name": "worker", "model": MODEL, "system": "You work.", "tools": tools});
    let worker = client.post("/v1/agents", &worker).await?;
    let lead = json!({
        "name": "lead", "model": MODEL, "system": "You lead.", "tools": tools,
        "multiagent": {"type": "coordinator", "agents": [worker["id"]]},
    });
    let lead = client.post("/v1/agents", &lead).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": lead["id"]}))
        .await?;
    let body = json!({
        "agent": lead["id"], "environment_id": environment["id"], "budget": budget,
    });
    let session = client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

/// Kills and restarts the daemon at random instants, until the session has come to rest or was killed often enough.
pub async fn kill_often(world: &mut World, session: &str, random: &mut StdRng) -> Result<usize> {
    let client = world.client.clone();
    for kills in 0..KILLS {
        if idle_reason(&client.events(session).await?).is_some() {
            return Ok(kills);
        }
        // The instant of the kill, not a wait for something.
        tokio::time::sleep(Duration::from_millis(random.random_range(0..LIFE_MS_MAX))).await;
        world.kill()?;
        world.restart()?;
    }
    Ok(KILLS)
}

async fn threads(client: &Client, session: &str) -> Result<Vec<Value>> {
    let listed = client
        .get(&format!("/v1/sessions/{session}/threads"))
        .await?;
    Ok(listed["data"].as_array().context("no list")?.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_delegation_is_lost_or_doubled() -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed()?);
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let client = world.client.clone();
    let session = session(&client, Value::Null).await?;
    client.message(&session, "go").await?;
    let kills = kill_often(&mut world, &session, &mut random).await?;
    let events = client.until_idle(&session, "end_turn").await?;
    println!(
        "{kills} kills, {} model requests",
        world.model.request_count()
    );
    ensure!(kills > 0, "the session was never killed");
    log_rules::check(&events)?;

    let threads = threads(&client, &session).await?;
    ensure!(threads.len() == AGENTS + 1, "{threads:?}");
    ensure!(
        threads.iter().all(|thread| thread["status"] == "idle"),
        "{threads:?}"
    );
    ensure!(of_kind(&events, "session.thread_created").len() == AGENTS);
    let texts = |kind: &str| -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for event in of_kind(&events, kind) {
            *counts.entry(text_of(event)).or_default() += 1;
        }
        counts
    };
    let each = |prefix: &str| -> BTreeMap<String, usize> {
        let pieces = (0..AGENTS).flat_map(|piece| ["first", "second"].map(|time| (piece, time)));
        pieces
            .map(|(piece, time)| (format!("{prefix}piece {piece} {time}"), 1))
            .collect()
    };
    ensure!(
        texts("agent.thread_message_sent") == each(""),
        "{:?}",
        texts("agent.thread_message_sent")
    );
    ensure!(
        texts("agent.thread_message_received") == each("Done: "),
        "{:?}",
        texts("agent.thread_message_received")
    );
    // What was cut off and ran again happened once.
    let shared = std::fs::read_to_string(world.workspace(&session).join("shared"))?;
    let mut lines: Vec<&str> = shared.lines().collect();
    lines.sort_unstable();
    let each = each("");
    let expected: Vec<&str> = each.keys().map(String::as_str).collect();
    ensure!(lines == expected, "{lines:?}");
    ensure!(world.stop()?.success());
    log_rules::check_stored(&world.options.data, &session).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_of_all_threads_is_passed_by_one_request_at_most() -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed()?.wrapping_add(1));
    let mut world = World::start(PROGRAM, SPENDING).await?;
    let client = world.client.clone();
    let budget = json!({
        "type": "limit",
        "max_list_cost": {"amount": BUDGET_CENTS.to_string(), "currency": "USD"},
    });
    let session = session(&client, budget).await?;
    client.message(&session, "go").await?;
    kill_often(&mut world, &session, &mut random).await?;
    let events = client.until_idle(&session, "budget_reached").await?;
    log_rules::check(&events)?;
    let usage = client.get(&format!("/v1/sessions/{session}")).await?["usage"].clone();
    let tokens = |name: &str| usage[name].as_f64().unwrap_or_default();
    let cents = tokens("input_tokens") * 0.000_3 + tokens("output_tokens") * 0.001_5;
    println!("{cents:.1} cents of {BUDGET_CENTS} were used");
    // Running time costs a little too, so a bit less than all may be tokens.
    ensure!(cents > BUDGET_CENTS as f64 - 1.0, "{cents} cents, {usage}");
    ensure!(
        cents < BUDGET_CENTS as f64 + REQUEST_CENTS,
        "{cents} cents, {usage}"
    );
    // A raised budget lets every thread go on.
    let raised =
        json!({"budget": {"type": "limit", "max_list_cost": {"amount": "150", "currency": "USD"}}});
    client
        .post(&format!("/v1/sessions/{session}"), &raised)
        .await?;
    let resumed = async {
        loop {
            let events = client.until_idle(&session, "budget_reached").await?;
            let usage = client.get(&format!("/v1/sessions/{session}")).await?["usage"].clone();
            if usage["output_tokens"].as_u64() > Some(80_000) {
                return log_rules::check(&events);
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, resumed)
        .await
        .context("the threads do not go on")?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_agents_is_whole_afterwards() -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed()?.wrapping_add(3));
    let mut world = World::start(PROGRAM, LEVELS).await?;
    let client = world.client.clone();
    let tools = json!([{"type": "agent_toolset_20260401"}]);
    let agent = |name: &str, system: &str| json!({"name": name, "model": MODEL, "system": system, "tools": tools});
    let worker = client
        .post("/v1/agents", &agent("worker", "You work."))
        .await?;
    let mut middle = agent("middle", "You are between.");
    middle["multiagent"] = json!({"type": "coordinator", "agents": [worker["id"]]});
    middle["sinew"] = json!({"delegation": {"breadth": 2}});
    // It may list others only where they are allowed levels of their own.
    let middle = client.post("/v1/agents", &middle).await?;
    let mut lead = agent("lead", "You lead.");
    lead["multiagent"] = json!({"type": "coordinator", "agents": [middle["id"]]});
    lead["sinew"] = json!({"delegation": {"depth": 2, "agents": 6}});
    let lead = client.post("/v1/agents", &lead).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": lead["id"]}))
        .await?;
    let body = json!({"agent": lead["id"], "environment_id": environment["id"]});
    let session = client.post("/v1/sessions", &body).await?;
    let session = session["id"].as_str().context("no id")?;
    client.message(session, "go").await?;
    let kills = kill_often(&mut world, session, &mut random).await?;
    let events = client.until_idle(session, "end_turn").await?;
    println!("{kills} kills");
    ensure!(kills > 0, "the session was never killed");
    log_rules::check(&events)?;
    let threads = threads(&client, session).await?;
    ensure!(threads.len() == 7, "{threads:?}");
    ensure!(
        threads.iter().all(|thread| thread["status"] == "idle"),
        "{threads:?}"
    );
    let shared = std::fs::read_to_string(world.workspace(session).join("shared"))?;
    let mut lines: Vec<&str> = shared.lines().collect();
    lines.sort_unstable();
    ensure!(
        lines == ["left one", "left two", "right one", "right two"],
        "{lines:?}"
    );
    ensure!(of_kind(&events, "session.thread_created").len() == 6);
    ensure!(world.stop()?.success());
    log_rules::check_stored(&world.options.data, session).await?;
    Ok(())
}
