//! Kills at random instants while an agent works through a plan: every validation counts once, and no step is done twice or
//! without one.

use anyhow::{Context, Result, ensure};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use sinew_tests::log_rules::{self, of_kind};
use sinew_tests::world::World;

use crate::threads::kill_often;
use crate::{PROGRAM, seed};

/// Each validation leaves a line; the third step's fails once.
const SCRIPT: &str = r#"
chunk_chars: 4
delay_ms: 2
turns:
  - text: I plan.
    tools:
      - name: make_plan
        input:
          steps:
            - {title: One., validation: "echo one >> lines"}
            - {title: Two., validation: "echo two >> lines"}
            - {title: Three., validation: "echo three >> lines; test -e ok"}
            - {title: Four., validation: "echo four >> lines"}
  - tools: [{name: finish_step, input: {step: 1, summary: I am done with the first one.}}]
  - tools: [{name: finish_step, input: {step: 2, summary: I am done with the second one.}}]
  - tools: [{name: finish_step, input: {step: 3, summary: I am done with the third one.}}]
  - tools: [{name: bash, input: {command: "echo ok >> ok"}}]
  - tools: [{name: finish_step, input: {step: 3, summary: Now I am done with the third one.}}]
  - tools: [{name: finish_step, input: {step: 4, summary: I am done with the last one.}}]
  - text: All is done.
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_validation_counts_once() -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed()?.wrapping_add(2));
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let client = world.client.clone();
    let agent = json!({
        "name": "doer",
        "model": "claude-sonnet-4-6",
        "tools": [{"type": "agent_toolset_20260401"}],
        "sinew": {"validation": {"retries": 1}},
    });
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": "crash"}))
        .await?;
    let body = json!({"agent": agent["id"], "environment_id": environment["id"]});
    let session = client.post("/v1/sessions", &body).await?;
    let session = session["id"].as_str().context("no id")?;
    client.message(session, "go").await?;
    let kills = kill_often(&mut world, session, &mut random).await?;
    let events = client.until_idle(session, "end_turn").await?;
    println!("{kills} kills");
    ensure!(kills > 0, "the session was never killed");
    log_rules::check(&events)?;
    let lines = std::fs::read_to_string(world.workspace(session).join("lines"))?;
    ensure!(lines == "one\ntwo\nthree\nthree\nfour\n", "{lines}");
    let results = of_kind(&events, "agent.tool_result");
    let said: Vec<&str> = results
        .iter()
        .filter_map(|result| result["sinew"]["validation"].as_str())
        .collect();
    ensure!(
        said == ["passed", "passed", "failed", "passed", "passed"],
        "{said:?}"
    );
    let path = format!("/sinew/v1/sessions/{session}/supervision");
    let told = client.get(&path).await?;
    let steps = told["agents"][0]["steps"].as_array().context("no plan")?;
    ensure!(steps.iter().all(|step| step["status"] == "done"), "{told}");
    ensure!(told["agents"][0]["is_stopped"] == false, "{told}");
    ensure!(world.stop()?.success());
    log_rules::check_stored(&world.options.data, session).await?;
    Ok(())
}
