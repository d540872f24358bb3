//! Agents that were started: what of theirs needs the client, what an interrupt stops, agents made up on the spot, advice,
//! and whose rules hold.

use anyhow::{Context, Result, ensure};
use axum::http::Method;
use serde_json::{Value, json};
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

use crate::PROGRAM;

const SCRIPT: &str = r#"
conversations:
  - when: {system_contains: You lead., first_user_text_contains: ask the client}
    turns:
      - tools: [{name: start_agent, input: {agent: asker, message: ask}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - text: "It said: ${last_user_text}"
  - when: {system_contains: You ask.}
    turns:
      - tools: [{name: lookup, input: {word: sinew}}, {name: bash, input: {command: "echo asked >> /workspace/asked"}}]
      - text: "Found: ${tool_result.0}"
  - when: {system_contains: You lead., first_user_text_contains: stop them}
    turns:
      - tools: [{name: start_agent, input: {agent: slow, message: go}}, {name: start_agent, input: {agent: slow, message: go}}]
      - text: Both are at work.
      - text: "One said: ${last_user_text}"
  - when: {system_contains: You are slow.}
    turns:
      - tools: [{name: bash, input: {command: "echo kept >> /workspace/kept; echo begun > /workspace/begun; while :; do sleep 1; done"}}]
      - text: never
  - when: {system_contains: You make agents up.}
    turns:
      - tools:
          - {name: start_agent, input: {message: look, inline: {name: looker, system: You look., tools: [read, bash]}}}
          - {name: start_agent, input: {message: look, inline: {name: anthropic.advisor, system: You look.}}}
          - {name: start_agent, input: {message: look, agent: nobody}}
          - {name: send_to_agent, input: {thread_id: sthr_none, message: look}}
          - {name: start_agent, input: {message: ""}}
      - tools: [{name: wait_for_agents, input: {}}]
      - tools: [{name: ask_advisor, input: {question: "What next?"}}]
      - text: "Advised: ${last_tool_result}"
  - when: {system_contains: You look.}
    turns:
      - tools: [{name: write, input: {file_path: /workspace/x, content: x}}, {name: bash, input: {command: "echo no"}}]
      - text: "Looked: ${tool_result.0} ${tool_result.1}"
  - when: {system_contains: You advise an AI agent}
    turns: [{text: Verify it., usage: {input_tokens: 11, output_tokens: 3}}]
  - when: {system_contains: You go round.}
    turns:
      - branches:
          - {when: {tool_result_contains: made this same call}, text: I stop.}
          - tools: [{name: bash, input: {command: "echo again >> /workspace/again"}}]
      - &again
        branches:
          - {when: {tool_result_contains: made this same call}, text: "I stop: ${last_tool_result}"}
          - tools: [{name: bash, input: {command: "echo again >> /workspace/again"}}]
      - *again
      - *again
      - *again
      - *again
      - text: Still going.
  - when: {system_contains: You play ping-pong.}
    turns:
      - tools: [{name: start_agent, input: {agent: pong, message: ping}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - tools: [{name: send_to_agent, input: {thread_id: "${field.thread_id}", message: ping}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - tools: [{name: send_to_agent, input: {thread_id: "${field.thread_id}", message: ping}}]
      - text: "It came to: ${last_tool_result}"
otherwise: {text: Noted.}
"#;
const MODEL: &str = "claude-sonnet-4-6";

fn agent(name: &str, system: &str, tools: Value) -> Value {
    json!({"name": name, "model": MODEL, "system": system, "tools": tools})
}

fn toolset() -> Value {
    json!([{"type": "agent_toolset_20260401"}])
}

async fn session(world: &World, lead: Value) -> Result<String> {
    let client = &world.client;
    let lead = client.post("/v1/agents", &lead).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": lead["id"]}))
        .await?;
    let body = json!({"agent": lead["id"], "environment_id": environment["id"]});
    let session = client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

async fn threads(world: &World, session: &str) -> Result<Vec<Value>> {
    world
        .client
        .list(&format!("/v1/sessions/{session}/threads?limit=100"))
        .await
}

async fn events_of(world: &World, session: &str, thread: &Value) -> Result<Vec<Value>> {
    let id = thread["id"].as_str().context("no id")?;
    world
        .client
        .list(&format!(
            "/v1/sessions/{session}/threads/{id}/events?limit=1000"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_asks_for_is_answered_on_the_session() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let asker = json!([
        {"type": "agent_toolset_20260401", "default_config":
            {"enabled": true, "permission_policy": {"type": "always_ask"}}},
        {"type": "custom", "name": "lookup", "description": "Looks up.", "input_schema": {"type": "object"}},
    ]);
    let asker = client
        .post("/v1/agents", &agent("asker", "You ask.", asker))
        .await?;
    let mut lead = agent("lead", "You lead.", toolset());
    lead["multiagent"] = json!({"type": "coordinator", "agents": [asker["id"]]});
    let session = session(&world, lead).await?;
    client.message(&session, "ask the client").await?;
    let events = client.until_idle(&session, "requires_action").await?;
    let thread = of_kind(&events, "session.thread_created")[0]["session_thread_id"].clone();
    let custom = of_kind(&events, "agent.custom_tool_use");
    let bash = of_kind(&events, "agent.tool_use");
    ensure!(custom.len() == 1 && bash.len() == 1, "{events:#?}");
    ensure!(custom[0]["session_thread_id"] == thread && bash[0]["session_thread_id"] == thread);
    let last = events.last().context("no event")?;
    ensure!(
        last["stop_reason"]["event_ids"] == json!([custom[0]["id"], bash[0]["id"]]),
        "{last}"
    );
    // The coordinator waits for the agent, and does not work.
    let listed = threads(&world, &session).await?;
    ensure!(
        listed[0]["status"] == "running" && listed[1]["status"] == "idle",
        "{listed:?}"
    );
    ensure!(client.get(&format!("/v1/sessions/{session}")).await?["status"] == "idle");
    // In the thread's own list nothing needs to say whose the calls are.
    let own = events_of(&world, &session, &listed[1]).await?;
    ensure!(
        of_kind(&own, "agent.tool_use")
            .iter()
            .all(|call| call["session_thread_id"].is_null())
    );

    let sent = client
        .send_events(
            &session,
            json!([
                {"type": "user.custom_tool_result", "custom_tool_use_id": custom[0]["id"],
                 "content": [{"type": "text", "text": "a tendon"}]},
                {"type": "user.tool_confirmation", "tool_use_id": bash[0]["id"], "result": "allow"},
            ]),
        )
        .await?;
    let routed = sent["data"].as_array().context("no data")?;
    ensure!(
        routed
            .iter()
            .all(|event| event["session_thread_id"] == thread),
        "{sent}"
    );
    let events = client.until_idle(&session, "end_turn").await?;
    log_rules::check(&events)?;
    let said = of_kind(&events, "agent.message")
        .last()
        .map(|event| text_of(event));
    ensure!(
        said.as_deref()
            .is_some_and(|said| said.contains("Found: a tendon")),
        "{said:?}"
    );
    ensure!(std::fs::read_to_string(world.workspace(&session).join("asked"))? == "asked\n");
    let own = events_of(&world, &session, &listed[1]).await?;
    ensure!(
        of_kind(&own, "user.tool_confirmation").len() == 1
            && of_kind(&own, "agent.tool_result").len() == 1
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_stops_all_and_keeps_what_was_written() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let client = world.client.clone();
    let slow = client
        .post("/v1/agents", &agent("slow", "You are slow.", toolset()))
        .await?;
    let mut lead = agent("lead", "You lead.", toolset());
    lead["multiagent"] = json!({"type": "coordinator", "agents": [slow["id"]]});
    let session = session(&world, lead).await?;
    let mut stream = client.stream(&session, "").await?;
    client.message(&session, "stop them").await?;
    stream.until("agent.message").await?;
    // One has the hand, the other waits for it.
    let begun = world.workspace(&session).join("begun");
    let waiting = async {
        while !begun.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await?;
    client
        .send_events(&session, json!([{"type": "user.interrupt"}]))
        .await?;
    let events = client.until_idle(&session, "end_turn").await?;
    ensure!(
        of_kind(&events, "agent.thread_message_received").is_empty(),
        "nobody reports"
    );
    let listed = threads(&world, &session).await?;
    ensure!(
        listed.iter().all(|thread| thread["status"] == "idle"),
        "{listed:?}"
    );
    for thread in &listed[1..] {
        let own = events_of(&world, &session, thread).await?;
        let results = of_kind(&own, "agent.tool_result");
        ensure!(
            results.len() == 1 && text_of(results[0]).contains("interrupted"),
            "{results:?}"
        );
    }
    // What the one that ran had written went with its interrupt: a new daemon has it.
    world.kill()?;
    world.restart()?;
    let root = client
        .get(&format!("/sinew/v1/sessions/{session}/diff"))
        .await?;
    let kept = root.to_string();
    ensure!(kept.contains("/workspace/kept"), "{kept}");
    // One thread alone is interrupted without a word to the others; one that has ended takes none.
    let id = listed[1]["id"].clone();
    let one = json!([{"type": "user.interrupt", "session_thread_id": id}]);
    client.send_events(&session, one.clone()).await?;
    let taken = async {
        loop {
            let events = client.events(&session).await?;
            if events.iter().all(|event| event["processed_at"].is_string()) {
                return anyhow::Ok(events);
            }
            tokio::task::yield_now().await;
        }
    };
    let events = tokio::time::timeout(std::time::Duration::from_secs(60), taken).await??;
    ensure!(
        events
            .last()
            .is_some_and(|last| last["type"] == "user.interrupt"),
        "nothing else happens"
    );
    let archive = format!(
        "/v1/sessions/{session}/threads/{}/archive",
        id.as_str().context("no id")?
    );
    client.post(&archive, &json!({})).await?;
    let body = json!({"events": one}).to_string();
    let refused = client
        .send(
            Method::POST,
            &format!("/v1/sessions/{session}/events"),
            Some(body),
        )
        .await?;
    ensure!(refused.status == 400, "{}", refused.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_made_up_with_no_more_rights_and_advice_is_asked_once() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let mut lead = agent("lead", "You make agents up.", toolset());
    lead["multiagent"] = json!({
        "type": "multiagent_20261001",
        "advisor": {"type": "enabled", "model": "claude-opus-4-8"},
    });
    lead["sinew"] = json!({"policy": [
        {"when": "tool == 'bash'", "then": "deny", "reason": "No shell."},
        {"when": "kind == 'delegation' && tool == 'list_agents'", "then": "deny"},
    ]});
    let session = session(&world, lead).await?;
    client.message(&session, "go").await?;
    let events = client.until_idle(&session, "end_turn").await?;
    log_rules::check(&events)?;
    let created: Vec<&Value> = of_kind(&events, "session.thread_created")
        .iter()
        .map(|event| &event["agent_name"])
        .collect();
    ensure!(created == ["looker", "anthropic.advisor"], "{created:?}");
    let heard: Vec<String> = of_kind(&events, "agent.thread_message_received")
        .into_iter()
        .map(text_of)
        .collect();
    // What it has no tool for, and what the rules of whoever made it up forbid, it could not.
    ensure!(
        heard[0].contains("write has been denied") && heard[0].contains("No shell."),
        "{heard:?}"
    );
    ensure!(heard[1] == "Verify it.", "{heard:?}");
    let said = of_kind(&events, "agent.message")
        .last()
        .map(|event| text_of(event));
    ensure!(said.as_deref() == Some("Advised: Verify it."), "{said:?}");
    let asked = world.model.requests();
    let told = |fragment: &str| {
        asked
            .iter()
            .any(|request| request.body.to_string().contains(fragment))
    };
    for fragment in [
        "another agent's",
        "There is no agent",
        "You have started no agent",
        "must be a text",
    ] {
        ensure!(told(fragment), "{fragment}");
    }
    let listed = threads(&world, &session).await?;
    ensure!(listed.len() == 3, "{listed:?}");
    ensure!(
        listed[1]["agent"]["type"] == "inline" && listed[1]["agent"]["system"] == "You look.",
        "{}",
        listed[1]
    );
    ensure!(
        listed[2]["agent"] == json!({"type": "advisor", "model": "claude-opus-4-8"}),
        "{}",
        listed[2]
    );
    ensure!(listed[2]["status"] == "terminated" && listed[2]["usage"]["output_tokens"] == 3);
    ensure!(
        client
            .list(&format!(
                "/v1/sessions/{session}/threads?statuses[]=terminated"
            ))
            .await?
            .len()
            == 1
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_that_go_round_in_circles_are_stopped() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let mut circler = agent("circler", "You go round.", toolset());
    circler["sinew"] = json!({"loops": {"same_call": 3}});
    let session_id = session(&world, circler).await?;
    client.message(&session_id, "go").await?;
    let events = client.until_idle(&session_id, "end_turn").await?;
    log_rules::check(&events)?;
    let calls = of_kind(&events, "agent.tool_use");
    let permissions: Vec<&Value> = calls
        .iter()
        .map(|call| &call["evaluated_permission"])
        .collect();
    ensure!(
        permissions == ["allow", "allow", "allow", "deny"],
        "{permissions:?}"
    );
    ensure!(
        calls[3]["sinew"] == json!({"loop": {"same_call": 3}}),
        "{}",
        calls[3]
    );
    let again = std::fs::read_to_string(world.workspace(&session_id).join("again"))?;
    ensure!(again.lines().count() == 3, "{again}");

    // What the user says begins anew.
    client.message(&session_id, "and again").await?;
    client.until_idle(&session_id, "end_turn").await?;

    let pong = client
        .post("/v1/agents", &agent("pong", "You answer.", json!([])))
        .await?;
    let mut ping = agent("ping", "You play ping-pong.", toolset());
    ping["multiagent"] = json!({"type": "coordinator", "agents": [pong["id"]]});
    ping["sinew"] = json!({"loops": {"messages": 2}});
    let session_id = session(&world, ping).await?;
    client.message(&session_id, "go").await?;
    let events = client.until_idle(&session_id, "end_turn").await?;
    ensure!(
        of_kind(&events, "agent.thread_message_sent").len() == 2,
        "{events:#?}"
    );
    let said = of_kind(&events, "agent.message")
        .last()
        .map(|event| text_of(event));
    ensure!(
        said.as_deref()
            .is_some_and(|said| said.contains("You have sent this agent 2 messages")),
        "{said:?}"
    );
    Ok(())
}
