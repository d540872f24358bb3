//! Policy as code: rules of an agent and of a session say which calls run, which ask, which are denied, and which
//! requests of the hand leave.

use anyhow::{Context, Result, ensure};
use axum::Router;
use serde_json::{Value, json};
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;
use tokio::net::TcpListener;

use crate::PROGRAM;

/// The agent runs what the user writes, and says what came of it.
const SCRIPT: &str = r#"
rules:
  - when: {tool_result_contains: ""}
    text: "${last_tool_result}"
  - when: {last_user_text_contains: "three at once"}
    tools:
      - {name: bash, input: {command: "echo 1 >> runs"}}
      - {name: bash, input: {command: "echo 2 >> runs"}}
      - {name: bash, input: {command: "echo 3 >> runs"}}
  - when: {last_user_text_contains: "look it up"}
    tools: [{name: lookup, input: {amount: 12.5}}]
  - when: {last_user_text_contains: "write outside"}
    tools: [{name: write, input: {file_path: "src/../../tmp/x", content: "x"}}]
otherwise:
  tools: [{name: bash, input: {command: "${last_user_text}"}}]
"#;

async fn session(world: &World, of_agent: Value, own: Value) -> Result<String> {
    let client = &world.client;
    let agent = json!({
        "name": "ruled",
        "model": "claude-sonnet-4-6",
        "tools": [
            {"type": "agent_toolset_20260401", "default_config":
                {"enabled": true, "permission_policy": {"type": "always_ask"}}},
            {"type": "custom", "name": "lookup", "description": "Looks up.", "input_schema": {"type": "object"}},
        ],
        "sinew": {"policy": of_agent},
    });
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": agent["id"]}))
        .await?;
    let body = json!({
        "agent": agent["id"], "environment_id": environment["id"], "sinew": {"policy": own},
    });
    let session = client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

/// Sends a message, and returns the session's events once it waits for somebody.
async fn say(world: &World, session: &str, text: &str, end: &str) -> Result<Vec<Value>> {
    world.client.message(session, text).await?;
    world.client.until_idle(session, end).await
}

/// Returns the last event of a kind.
fn last(events: &[Value], kind: &str) -> Result<Value> {
    let event = of_kind(events, kind).last().cloned().cloned();
    event.with_context(|| format!("no {kind}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_decide_before_toolsets_do() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let of_agent = json!([
        {"when": "tool == 'bash' && input.command.matches('(^|[;&| ])rm ')", "then": "deny", "reason": "Nothing is removed."},
        {"when": "tool == 'write' && !path.startsWith('/workspace/')", "then": "deny"},
        {"when": "tool == 'lookup' && input.amount > 10", "then": "deny", "reason": "Too much."},
        {"when": "tool == 'bash' && input.command.startsWith('sudo ')", "then": "ask", "reason": "A person looks at it."},
        {"when": "tool == 'bash' && count >= 6", "then": "deny", "reason": "Six are enough."},
        {"when": "tool == 'bash'", "then": "allow"},
    ]);
    let own = json!([{"when": "tool == 'bash' && input.command.contains('curl')", "then": "ask"}]);
    let session = session(&world, of_agent, own).await?;

    // Allowed although the toolset asks.
    let events = say(&world, &session, "echo one > f; cat f", "end_turn").await?;
    ensure!(
        text_of(&last(&events, "agent.message")?).contains("one"),
        "{events:?}"
    );
    let call = last(&events, "agent.tool_use")?;
    ensure!(call["evaluated_permission"] == "allow", "{call}");
    ensure!(
        call["sinew"]["policy"]
            == json!({"verdict": "allow", "owner": "agent", "rule": 6, "reason": ""}),
        "{call}"
    );
    // Denied: it does not run, and the model is told why.
    let events = say(&world, &session, "cat f; rm f", "end_turn").await?;
    let told = text_of(&last(&events, "agent.message")?);
    ensure!(
        told == "Permission to use bash has been denied by the policy of this agent: Nothing is removed.",
        "{told}"
    );
    let call = last(&events, "agent.tool_use")?;
    ensure!(
        call["evaluated_permission"] == "deny" && call["sinew"]["policy"]["rule"] == 1,
        "{call}"
    );
    let events = say(&world, &session, "cat f", "end_turn").await?;
    ensure!(
        text_of(&last(&events, "agent.message")?).contains("one"),
        "{events:?}"
    );
    // Paths are what they mean.
    let events = say(&world, &session, "write outside", "end_turn").await?;
    ensure!(last(&events, "agent.tool_use")?["evaluated_permission"] == "deny");
    // A custom tool's call that is denied never asks its client.
    let events = say(&world, &session, "look it up", "end_turn").await?;
    let told = text_of(&last(&events, "agent.message")?);
    ensure!(told.ends_with("policy of this agent: Too much."), "{told}");

    // Asked, by the agent's rule and by the session's own.
    for (text, owner) in [("sudo echo yes", "agent"), ("echo curl", "session")] {
        let events = say(&world, &session, text, "requires_action").await?;
        let call = last(&events, "agent.tool_use")?;
        ensure!(
            call["evaluated_permission"] == "ask" && call["sinew"]["policy"]["owner"] == owner,
            "{call}"
        );
        let word =
            json!({"type": "user.tool_confirmation", "tool_use_id": call["id"], "result": "allow"});
        world.client.send_events(&session, json!([word])).await?;
        world.client.until_idle(&session, "end_turn").await?;
    }
    // Four calls of bash were made so far; of three more in one answer two are within the rule's bound.
    let events = say(&world, &session, "three at once", "end_turn").await?;
    let calls = of_kind(&events, "agent.tool_use");
    let words: Vec<&Value> = calls
        .iter()
        .rev()
        .take(3)
        .map(|call| &call["evaluated_permission"])
        .collect();
    ensure!(words == ["deny", "allow", "allow"], "{words:?}");
    // The count outlives the daemon.
    let mut world = world;
    world.stop()?;
    world.restart()?;
    let events = say(&world, &session, "cat runs", "end_turn").await?;
    ensure!(
        text_of(&last(&events, "agent.message")?).ends_with("Six are enough."),
        "{events:?}"
    );
    log_rules::check(&world.client.events(&session).await?)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_be_evaluated_denies() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let rules = json!([{"when": "input.timeout_ms < 1000", "then": "deny", "reason": "Slow."}]);
    let session = session(&world, rules, json!([])).await?;
    let events = say(&world, &session, "echo x", "end_turn").await?;
    let told = text_of(&last(&events, "agent.message")?);
    ensure!(
        told.ends_with("it could not be evaluated: there is no field \"timeout_ms\""),
        "{told}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_on_requests_hold_in_the_hand() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().fallback(|| async { "served" });
    let _server = tokio::spawn(async move { axum::serve(listener, router).await });
    let configuration = json!({"egress": {"private_hosts": [address.to_string()]}}).to_string();
    let world = World::start_with(PROGRAM, SCRIPT, &configuration).await?;
    let rules = json!([
        {"when": "true", "then": "allow"},
        {"on": "request", "when": "method in ['GET', 'HEAD'] && !path.startsWith('/admin')", "then": "allow"},
        {"on": "request", "when": "true", "then": "deny", "reason": "Only reading, and not there."},
    ]);
    let session = session(&world, rules, json!([])).await?;
    for (options, is_served) in [("/a", true), ("/admin/x", false), ("/a -d pay", false)] {
        let text = format!("curl -sS http://{address}{options}; echo status $?");
        let events = say(&world, &session, &text, "end_turn").await?;
        let told = text_of(&last(&events, "agent.message")?);
        ensure!(told.contains("served") == is_served, "{options}: {told}");
        let reason = "the policy of this agent denies the request: Only reading, and not there.";
        ensure!(told.contains(reason) != is_served, "{options}: {told}");
    }
    let path = format!("/sinew/v1/sessions/{session}/requests");
    let requests = world.client.get(&path).await?;
    ensure!(
        requests["data"][1]["setting"] == "sinew.policy of the agent, rule 3",
        "{requests}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_rules_are_refused_with_their_place() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let agent = json!({
        "name": "x", "model": "claude-sonnet-4-6",
        "sinew": {"policy": [{"when": "true", "then": "allow"}, {"when": "tool = 'bash'", "then": "deny"}]},
    });
    let answer = world
        .client
        .send(
            axum::http::Method::POST,
            "/v1/agents",
            Some(agent.to_string()),
        )
        .await?;
    ensure!(answer.status == 400, "{}", answer.body);
    let text = answer.body.to_string();
    ensure!(
        text.contains("sinew.policy.1.when")
            && text.contains("not an expression of CEL: character"),
        "{text}"
    );
    Ok(())
}
