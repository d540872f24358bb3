//! Delegation beyond one level: an agent that was started starts others, and none of them gets past what the one above may,
//! whatever it tries.

use anyhow::{Context, Result, ensure};
use axum::http::Method;
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

use crate::PROGRAM;

const MODEL: &str = "claude-sonnet-4-6";

/// The boss starts a lead, the lead a worker, the worker tries everything.
const SCRIPT: &str = r#"
conversations:
  - when: {system_contains: You are the boss.}
    turns:
      - tools:
          - {name: start_agent, input: {agent: lead, message: have it done, limits: {depth: 4}}}
          - {name: start_agent, input: {agent: lead, message: have it done, limits: {tools: bash}}}
          - {name: start_agent, input: {agent: lead, message: have it done}}
      - tools: [{name: wait_for_agents, input: {}}]
      - text: "The lead said: ${last_user_text}"
  - when: {system_contains: You are the lead.}
    turns:
      - tools:
          - {name: start_agent, input: {agent: worker, message: do it, limits: {tools: [bash, read, web_fetch]}}}
          - {name: start_agent, input: {agent: worker, message: do it, limits: {seconds: 100000}}}
          - {name: start_agent, input: {agent: worker, message: do it}}
      - tools: [{name: start_agent, input: {agent: worker, message: do it too}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - text: "The worker said: ${last_user_text}"
  - when: {system_contains: You are the worker.}
    turns:
      - tools:
          - {name: write, input: {file_path: /workspace/w, content: w}}
          - {name: bash, input: {command: "echo b > /workspace/b"}}
          - {name: edit, input: {file_path: /workspace/b, old_string: b, new_string: e}}
          - {name: lookup, input: {}}
          - {name: start_agent, input: {agent: worker, message: deeper}}
      - text: "1 ${tool_result.0} 2 ${tool_result.1} 3 ${tool_result.2} 4 ${tool_result.3} 5 ${tool_result.4}"
otherwise: {text: Noted.}
"#;

fn toolset(disabled: &[&str], asks: &[&str]) -> Value {
    let off = disabled
        .iter()
        .map(|name| json!({"name": name, "enabled": false}));
    let ask = asks
        .iter()
        .map(|name| json!({"name": name, "permission_policy": {"type": "always_ask"}}));
    let configs: Vec<Value> = off.chain(ask).collect();
    json!({"type": "agent_toolset_20260401", "configs": configs})
}

fn coordinator(ids: &[&Value]) -> Value {
    json!({"type": "coordinator", "agents": ids})
}

async fn agent(world: &World, agent: Value) -> Result<Value> {
    Ok(world.client.post("/v1/agents", &agent).await?["id"].clone())
}

async fn session(world: &World, agent: &Value) -> Result<String> {
    let client = &world.client;
    let environment = client
        .post("/v1/environments", &json!({"name": agent}))
        .await?;
    let body = json!({"agent": agent, "environment_id": environment["id"]});
    let session = client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

async fn threads(world: &World, session: &str) -> Result<Vec<Value>> {
    let path = format!("/v1/sessions/{session}/threads?limit=100");
    world.client.list(&path).await
}

fn thread_of<'a>(threads: &'a [Value], name: &str) -> Result<&'a Value> {
    let mut threads = threads.iter();
    threads
        .find(|thread| thread["agent"]["name"] == name)
        .with_context(|| format!("{name} has no thread"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_more_than_the_one_above() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    // The worker has more than the lead, and the lead more than the boss.
    let lookup = json!({"type": "custom", "name": "lookup", "description": "d", "input_schema": {"type": "object"}});
    let worker = json!({
        "name": "worker", "model": MODEL, "system": "You are the worker.",
        "tools": [toolset(&[], &[]), lookup],
    });
    let worker = agent(&world, worker).await?;
    let lead = json!({
        "name": "lead", "model": MODEL, "system": "You are the lead.",
        "tools": [toolset(&["edit"], &["bash"])],
        "multiagent": coordinator(&[&worker]),
    });
    let plain = agent(&world, lead.clone()).await?;
    let plain = json!({"name": "boss", "model": MODEL, "multiagent": coordinator(&[&plain])});
    let refused = client.post("/v1/agents", &plain).await;
    let refused = refused.unwrap_err().to_string();
    ensure!(
        refused.contains("only one level is possible, unless sinew.delegation.depth"),
        "{refused}"
    );
    let lead = agent(&world, {
        let mut lead = lead;
        lead["sinew"] = json!({"delegation": {"breadth": 1, "seconds": 1000}});
        lead
    });
    let lead = lead.await?;
    let boss = json!({
        "name": "boss", "model": MODEL, "system": "You are the boss.",
        "tools": [toolset(&["write"], &[])],
        "multiagent": coordinator(&[&lead]),
        "sinew": {"delegation": {"depth": 2, "breadth": 2}},
    });
    let boss = agent(&world, boss).await?;
    let id = session(&world, &boss).await?;
    client.message(&id, "have it done").await?;

    // What the lead has to ask for, the worker has to ask for.
    let events = client.until_idle(&id, "requires_action").await?;
    let asked = of_kind(&events, "agent.tool_use");
    ensure!(asked.len() == 1 && asked[0]["name"] == "bash", "{asked:#?}");
    let allow = json!([{"type": "user.tool_confirmation", "tool_use_id": asked[0]["id"], "result": "allow"}]);
    client.send_events(&id, allow).await?;
    let events = client.until_idle(&id, "end_turn").await?;
    log_rules::check(&events)?;

    let all = threads(&world, &id).await?;
    ensure!(all.len() == 3, "{all:#?}");
    let [boss, lead, worker] = ["boss", "lead", "worker"].map(|name| thread_of(&all, name));
    let (boss, lead, worker) = (boss?, lead?, worker?);
    ensure!(lead["parent_thread_id"] == boss["id"] && worker["parent_thread_id"] == lead["id"]);
    let said = of_kind(&events, "agent.message");
    let said = text_of(said.last().context("nothing was said")?);
    for (number, word) in [
        (1, "Permission to use write"),
        (3, "Permission to use edit"),
        (4, "Permission to use lookup"),
    ] {
        ensure!(said.contains(&format!("{number} {word}")), "{said}");
    }
    ensure!(
        said.contains("5 Permission to use start_agent has been denied"),
        "{said}"
    );
    ensure!(!world.workspace(&id).join("w").exists());
    ensure!(std::fs::read_to_string(world.workspace(&id).join("b"))? == "b\n");

    // Whoever asks for more than there is, or for another agent, is told why.
    let of = async |thread: &Value| -> Result<Vec<Value>> {
        let thread = thread["id"].as_str().context("no id")?;
        client
            .list(&format!(
                "/v1/sessions/{id}/threads/{thread}/events?limit=100"
            ))
            .await
    };
    let folder = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, &client.url, folder.path());
    let plan = cli.ok(&["session", "plan", &id])?;
    ensure!(
        plan.contains("boss  may start 2 at a time, 25 in all, 2 level(s) deep"),
        "{plan}"
    );
    ensure!(
        plan.contains("lead  may start 1 at a time, 25 in all, 1 level(s) deep"),
        "{plan}"
    );
    ensure!(
        plan.contains("worker  may start 1 at a time, 25 in all, 0 level(s) deep; at most 1000 s"),
        "{plan}"
    );
    let shown = cli.ok(&["session", "threads", &id])?;
    ensure!(
        shown.contains("    worker") && shown.contains("  lead"),
        "{shown}"
    );
    let received = of_kind(&of(lead).await?, "agent.thread_message_received").len();
    ensure!(received == 2, "{received}");

    // With an agent go those that it started.
    let path = format!(
        "/v1/sessions/{id}/threads/{}/archive",
        lead["id"].as_str().unwrap_or_default()
    );
    client.post(&path, &json!({})).await?;
    let all = threads(&world, &id).await?;
    let ended: Vec<bool> = all
        .iter()
        .map(|thread| thread["status"] == "terminated")
        .collect();
    ensure!(ended == [false, true, true], "{all:#?}");
    log_rules::check(&client.events(&id).await?)?;
    Ok(())
}

/// Everybody asks the model for ever; the lead and the worker have a cent or a second to do so.
const SPENDERS: &str = r#"
conversations:
  - when: {system_contains: You are the boss.}
    turns:
      - tools: [{name: start_agent, input: {agent: lead, message: spend}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - text: "It came to: ${last_user_text}"
  - when: {system_contains: You are the lead.}
    turns:
      - tools: [{name: start_agent, input: {agent: worker, message: spend, limits: {spend_cents: 20}}}]
      # It has not so much itself.
      - branches:
          - when: {tool_result_is_error: true}
            tools: [{name: start_agent, input: {agent: worker, message: spend}}]
          - tools: [{name: wait_for_agents, input: {}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - text: "It came to: ${last_user_text}"
otherwise:
  tools: [{name: glob, input: {pattern: "*"}}]
  usage: {input_tokens: 1000, output_tokens: 4000}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_may_cost_is_a_limit_of_all_below_it() -> Result<()> {
    let world = World::start(PROGRAM, SPENDERS).await?;
    let client = &world.client;
    let worker = json!({"name": "worker", "model": MODEL, "system": "You are the worker.", "tools": [toolset(&[], &[])]});
    let worker = agent(&world, worker).await?;
    let lead = json!({
        "name": "lead", "model": MODEL, "system": "You are the lead.", "tools": [toolset(&[], &[])],
        "multiagent": coordinator(&[&worker]),
        "sinew": {"delegation": {}},
    });
    let lead = agent(&world, lead).await?;
    let boss = |spend: &str| {
        json!({
            "name": format!("boss {spend}"), "model": MODEL, "system": "You are the boss.", "tools": [toolset(&[], &[])],
            "multiagent": coordinator(&[&lead]),
            "sinew": {"delegation": {"depth": 2, "spend": {"amount": spend, "currency": "USD"}}},
        })
    };
    // A request costs 6.3 cents. The worker may cost 20, or what the lead may cost, if that is less.
    for (spend, requests) in [("100", 4), ("10", 2)] {
        let id = session(&world, &agent(&world, boss(spend)).await?).await?;
        client.message(&id, "spend").await?;
        let events = client.until_idle(&id, "end_turn").await?;
        log_rules::check(&events)?;
        let all = threads(&world, &id).await?;
        let worker = thread_of(&all, "worker")?["id"].as_str().context("no id")?;
        let path = format!("/v1/sessions/{id}/threads/{worker}/events?limit=100");
        let asked = of_kind(&client.list(&path).await?, "span.model_request_end").len();
        ensure!(asked == requests, "{asked} requests with {spend} cents");
        let errors = of_kind(&events, "session.error");
        let told = errors.iter().any(|error| {
            let message = error["error"]["message"].as_str().unwrap_or_default();
            message.contains("used up what it may cost")
        });
        ensure!(told, "{errors:#?}");
    }
    // What cannot be counted cannot be limited.
    let unpriced = json!({
        "name": "unpriced", "model": "some-model", "tools": [],
        "multiagent": coordinator(&[&worker]),
        "sinew": {"delegation": {"spend": {"amount": "5", "currency": "USD"}}},
    });
    let unpriced = agent(&world, unpriced).await?;
    let refused = session(&world, &unpriced).await.unwrap_err().to_string();
    ensure!(refused.contains("model_not_budgetable"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rosters_unfold_as_deep_as_allowed() -> Result<()> {
    let world = World::start(PROGRAM, "turns: [{text: x}]").await?;
    let client = &world.client;
    // Each agent lists itself and twelve others, so three levels are more than a snapshot may have.
    let mut others = Vec::new();
    for number in 0..12 {
        let other = json!({"name": format!("other {number}"), "model": MODEL});
        others.push(agent(&world, other).await?);
    }
    let mut list: Vec<Value> = others.clone();
    list.push(json!({"type": "self"}));
    let wide = |depth: u64| {
        json!({
            "name": format!("wide {depth}"), "model": MODEL,
            "multiagent": {"type": "coordinator", "agents": list},
            "sinew": {"delegation": {"depth": depth}},
        })
    };
    let depth_of = |mut agent: Value| {
        let mut depth = 0;
        loop {
            let listed = agent["multiagent"]["agents"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let Some(own) = listed
                .into_iter()
                .find(|entry| entry["name"] == agent["name"])
            else {
                return depth;
            };
            depth += 1;
            agent = own;
        }
    };
    for depth in [1, 3] {
        let id = session(&world, &agent(&world, wide(depth)).await?).await?;
        let session = client.get(&format!("/v1/sessions/{id}")).await?;
        ensure!(depth_of(session["agent"].clone()) == depth, "{session}");
    }
    let many = json!({
        "name": "many", "model": MODEL,
        "multiagent": {"type": "coordinator", "agents": [agent(&world, wide(5)).await?, agent(&world, wide(4)).await?]},
        "sinew": {"delegation": {"depth": 5}},
    });
    let many = agent(&world, many).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": "many"}))
        .await?;
    let body = json!({"agent": many, "environment_id": environment["id"]});
    let answer = client
        .send(Method::POST, "/v1/sessions", Some(body.to_string()))
        .await?;
    ensure!(
        answer.status == 400 && answer.body.to_string().contains("more than 100 agents"),
        "{answer:?}"
    );
    Ok(())
}
