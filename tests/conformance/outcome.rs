//! Outcomes: the agent works until somebody else finds that its work meets the rubric, who sees the files and changes
//! nothing.

use anyhow::{Context, Result, ensure};
use axum::http::Method;
use serde_json::{Value, json};
use sinew_tests::log_rules::{self, kinds, of_kind, text_of};
use sinew_tests::world::World;

use crate::PROGRAM;

/// The agent's second attempt is right. The grader tries what it finds, and writes what is to be undone.
const SCRIPT: &str = r#"
conversations:
  - when: {system_contains: You hold the work}
    turns:
      - tools: [{name: bash, input: {command: "sh /workspace/add.sh 2 3; echo graded > /workspace/grade"}}, {name: write, input: {file_path: /workspace/x, content: x}}]
      - branches:
          - when: {tool_result_contains: "5"}
            text: '{"result": "satisfied", "explanation": "It adds."}'
          - text: '{"result": "needs_revision", "explanation": "2 and 3 do not make 5"}'
  - when: {first_user_text_contains: never right}
    turns: []
  - when: {first_user_text_contains: wait for me}
    turns: [{text: A long text., hang_after: 1}]
  - when: {first_user_text_contains: add two numbers}
    turns:
      - tools: [{name: write, input: {file_path: /workspace/add.sh, content: "echo $(($1 - $2))\n"}}]
      - text: It adds.
      - tools: [{name: write, input: {file_path: /workspace/add.sh, content: "echo $(($1 + $2))\n"}}]
      - text: Now it adds.
otherwise: {text: "Nothing.", usage: {input_tokens: 7, output_tokens: 5}}
"#;

fn outcome(task: &str, most: u64) -> Value {
    json!([{
        "type": "user.define_outcome",
        "description": task,
        "rubric": {"type": "text", "content": "add.sh adds its two arguments."},
        "max_iterations": most,
    }])
}

async fn evaluations(world: &World, session: &str) -> Result<Vec<Value>> {
    let session = world.client.get(&format!("/v1/sessions/{session}")).await?;
    Ok(session["outcome_evaluations"]
        .as_array()
        .context("no list")?
        .clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_revised_until_it_meets_the_rubric() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let session = client.new_session("claude-sonnet-4-6").await?;
    let sent = client
        .send_events(&session, outcome("add two numbers", 3))
        .await?;
    let defined = &sent["data"][0];
    let id = defined["outcome_id"].as_str().context("no outcome_id")?;
    ensure!(
        id.starts_with("outc_") && defined["processed_at"].is_string(),
        "{defined}"
    );
    let events = client.until_idle(&session, "end_turn").await?;
    log_rules::check(&events)?;
    let ends = of_kind(&events, "span.outcome_evaluation_end");
    let results: Vec<&Value> = ends.iter().map(|end| &end["result"]).collect();
    ensure!(results == ["needs_revision", "satisfied"], "{ends:?}");
    let starts = of_kind(&events, "span.outcome_evaluation_start");
    for (start, end) in starts.iter().zip(&ends) {
        ensure!(
            end["outcome_evaluation_start_id"] == start["id"]
                && end["iteration"] == start["iteration"]
        );
        ensure!(
            end["outcome_id"] == id && end["usage"]["output_tokens"].as_u64() > Some(0),
            "{end}"
        );
    }
    ensure!(
        ends[0]["explanation"] == "2 and 3 do not make 5",
        "{}",
        ends[0]
    );
    ensure!(of_kind(&events, "span.outcome_evaluation_ongoing").len() == 2);
    // The agent heard what was missing.
    let asked = world.model.requests().iter().any(|request| {
        let body = request.body.to_string();
        body.contains("does not meet the rubric yet") && body.contains("2 and 3 do not make 5")
    });
    ensure!(asked);
    // Nobody sees the grader, and what it changed is undone; what it may not do it did not.
    let said: Vec<String> = of_kind(&events, "agent.message")
        .into_iter()
        .map(text_of)
        .collect();
    ensure!(said == ["It adds.", "Now it adds."], "{said:?}");
    ensure!(of_kind(&events, "session.thread_created").is_empty());
    let threads = client
        .get(&format!("/v1/sessions/{session}/threads"))
        .await?;
    ensure!(
        threads["data"]
            .as_array()
            .is_some_and(|threads| threads.len() == 1),
        "{threads}"
    );
    let workspace = world.workspace(&session);
    ensure!(!workspace.join("grade").exists() && !workspace.join("x").exists());
    let listed = evaluations(&world, &session).await?;
    ensure!(
        listed.len() == 1 && listed[0]["result"] == "satisfied" && listed[0]["iteration"] == 1,
        "{listed:?}"
    );
    ensure!(listed[0]["completed_at"].is_string() && listed[0]["explanation"] == "It adds.");

    // A new one after the last has ended; with one attempt there is one last turn.
    client
        .send_events(&session, outcome("never right", 1))
        .await?;
    let events = client.until_idle(&session, "end_turn").await?;
    let last = of_kind(&events, "span.outcome_evaluation_end");
    ensure!(last.len() == 3, "{:?}", kinds(&events));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_ends_with_its_attempts_or_an_interrupt() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let client = world.client.clone();
    let session = client.new_session("claude-sonnet-4-6").await?;
    client
        .send_events(&session, outcome("never right", 2))
        .await?;
    let events = client.until_idle(&session, "end_turn").await?;
    log_rules::check(&events)?;
    let results: Vec<&Value> = of_kind(&events, "span.outcome_evaluation_end")
        .iter()
        .map(|end| &end["result"])
        .collect();
    ensure!(
        results == ["needs_revision", "max_iterations_reached"],
        "{results:?}"
    );
    ensure!(
        of_kind(&events, "agent.message").len() == 3,
        "one last turn"
    );

    let session = client.new_session("claude-sonnet-4-6").await?;
    client
        .send_events(&session, outcome("wait for me", 2))
        .await?;
    world.model.wait_hanging(1).await;
    let body = json!({"events": outcome("add two numbers", 1)}).to_string();
    let refused = client
        .send(
            Method::POST,
            &format!("/v1/sessions/{session}/events"),
            Some(body),
        )
        .await?;
    ensure!(
        refused.status == 400 && refused.body.to_string().contains("one at a time"),
        "{}",
        refused.body
    );
    ensure!(evaluations(&world, &session).await?[0]["result"] == "running");
    // It is still under way after a crash.
    world.kill()?;
    world.model.release();
    world.restart()?;
    world.model.wait_hanging(1).await;
    client
        .send_events(&session, json!([{"type": "user.interrupt"}]))
        .await?;
    let events = client.until_idle(&session, "end_turn").await?;
    world.model.release();
    let ends = of_kind(&events, "span.outcome_evaluation_end");
    ensure!(
        ends.len() == 1 && ends[0]["result"] == "interrupted",
        "{ends:?}"
    );
    ensure!(ends[0]["outcome_evaluation_start_id"] == "");
    ensure!(evaluations(&world, &session).await?[0]["result"] == "interrupted");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_starts_with_an_outcome_and_a_rubric_may_be_a_file() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let agent = json!({"name": "worker", "model": "claude-sonnet-4-6", "tools": [{"type": "agent_toolset_20260401"}]});
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": "outcomes"}))
        .await?;
    let mut body = json!({
        "agent": agent["id"], "environment_id": environment["id"],
        "initial_events": outcome("add two numbers", 3),
    });
    let session = client.post("/v1/sessions", &body).await?;
    ensure!(
        session["status"] == "running"
            && session["outcome_evaluations"]
                .as_array()
                .is_some_and(|o| o.len() == 1)
    );
    let id = session["id"].as_str().context("no id")?;
    client.until_idle(id, "end_turn").await?;
    ensure!(evaluations(&world, id).await?[0]["result"] == "satisfied");
    for (change, fragment) in [
        (
            json!({"rubric": {"type": "file", "file_id": "file_nothing"}}),
            "file_nothing",
        ),
        (json!({"rubric": {"type": "text", "content": ""}}), "rubric"),
        (json!({"max_iterations": 21}), "max_iterations"),
        (json!({"description": ""}), "description"),
    ] {
        let mut event = outcome("x", 1)[0].clone();
        for (name, value) in change.as_object().context("no object")? {
            event[name] = value.clone();
        }
        body["initial_events"] = json!([event]);
        let answer = client
            .send(Method::POST, "/v1/sessions", Some(body.to_string()))
            .await?;
        let message = answer.body.to_string();
        ensure!(
            matches!(answer.status, 400 | 404) && message.contains(fragment),
            "{fragment}: {message}"
        );
    }
    Ok(())
}
