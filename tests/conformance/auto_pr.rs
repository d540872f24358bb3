//! The shipped pipeline on the shipped sample: an issue goes in, the tests fail before and pass after, a rejection goes back
//! to the same coder, and the change comes out as a patch. Agents, tools and repository are real; the model is scripted.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

use crate::PROGRAM;

/// The planner tries to write, the coder forgets half of the issue, and the reviewer finds out by the tests.
const SCRIPT: &str = r#"
conversations:
  - when: {system_contains: You coordinate a team}
    turns:
      - tools: [{name: bash, input: {command: "rm -rf /tmp/pr && mkdir /tmp/pr && cp -R /workspace /tmp/pr/a"}}]
      - tools: [{name: start_agent, input: {agent: planner, message: "${first_user_text}"}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - tools: [{name: start_agent, input: {agent: coder, message: "The issue:\n${first_user_text}\nThe plan:\n${last_user_text}"}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - tools: [{name: start_agent, input: {agent: reviewer, message: "The coder reports:\n${last_user_text}"}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - branches:
          - when: {last_user_text_contains: "\nREJECT"}
            tools: [{name: send_to_agent, input: {thread_id: "${field.1.thread_id}", message: "${last_user_text}"}}]
          - text: It was approved too soon.
      - tools: [{name: wait_for_agents, input: {}}]
      - tools: [{name: send_to_agent, input: {thread_id: "${field.2.thread_id}", message: "${last_user_text}"}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - branches:
          - when: {last_user_text_contains: "\nAPPROVE"}
            tools: [{name: bash, input: {command: "mkdir -p /mnt/session/outputs && cd /tmp/pr && rm -rf b && cp -R /workspace b && diff -ruN a b > /mnt/session/outputs/change.patch; test -s /mnt/session/outputs/change.patch"}}]
          - text: "It is rejected: ${last_user_text}"
      - text: "Count the most frequent words first, whatever their case. Verified by the tests."
  - when: {system_contains: You are the planner}
    turns:
      - tools:
          - {name: bash, input: {command: "echo mine > /workspace/plan.md"}}
          - {name: bash, input: {command: "sh tests/run.sh"}}
          - {name: grep, input: {pattern: sort, path: /workspace/src}}
      - text: '[{"do": "sort by count, descending, in src/words.sh", "validate": "sh tests/run.sh"}]'
  - when: {system_contains: You are the coder}
    turns:
      - tools:
          - {name: edit, input: {file_path: /workspace/src/words.sh, old_string: "-k1,1n -k2", new_string: "-k1,1nr -k2"}}
          - {name: bash, input: {command: "sh tests/run.sh | head -n 2"}}
      - text: "The most frequent words come first now: ${tool_result.1}"
      - tools:
          - {name: edit, input: {file_path: /workspace/src/words.sh, old_string: "tr -cs", new_string: "tr '[:upper:]' '[:lower:]' | tr -cs"}}
          - {name: bash, input: {command: "sh tests/run.sh"}}
      - text: "Mended: ${tool_result.1}"
  - when: {system_contains: You are the reviewer}
    turns:
      - tools: [{name: bash, input: {command: "diff -ru /tmp/pr/a /workspace; sh tests/run.sh"}}, {name: write, input: {file_path: /workspace/mine, content: x}}]
      - branches:
          - when: {tool_result_contains: FAIL}
            text: "REJECT\n1. A test fails: ${tool_result.0}"
          - text: APPROVE
      - tools: [{name: bash, input: {command: "diff -ru /tmp/pr/a /workspace; sh tests/run.sh"}}]
      - branches:
          - when: {tool_result_contains: FAIL}
            text: "REJECT\n1. A test fails: ${tool_result.0}"
          - text: "APPROVE\nEvery test passes."
"#;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/auto-pr")
}

fn copied(to: &Path) -> Result<()> {
    let status = Command::new("cp")
        .arg("-R")
        .arg(examples().join("sample"))
        .arg(to)
        .status()?;
    ensure!(status.success(), "cp failed");
    Ok(())
}

/// Runs the sample's own tests with the machine's shell.
fn tests_of(folder: &Path) -> Result<(bool, String)> {
    let output = Command::new("sh")
        .arg("tests/run.sh")
        .current_dir(folder)
        .output()?;
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_becomes_a_reviewed_patch() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repository = folder.path().join("repository");
    copied(&repository)?;
    let (passes, told) = tests_of(&repository)?;
    ensure!(!passes && told.matches("FAIL").count() == 2, "{told}");
    let shown = repository.display().to_string();
    let world = World::start_prepared(PROGRAM, SCRIPT, "", |options| {
        options.arguments.extend(["--workspace".to_owned(), shown]);
        Ok(())
    })
    .await?;
    let client = &world.client;

    // As the README says it: one file names the team.
    let cli = Cli::new(PROGRAM, &client.url, folder.path());
    let file = examples().join("coordinator.yaml");
    let made = cli.run_with(
        &["agent", "create", &file.display().to_string(), "--json"],
        b"",
    )?;
    ensure!(made.status == 0, "{}", made.stderr);
    let lead: Value = serde_json::from_slice(&made.stdout)?;
    let team = lead["multiagent"]["agents"].as_array().context("no team")?;
    ensure!(team.len() == 3, "{lead}");

    let environment = client
        .post("/v1/environments", &json!({"name": "pipeline"}))
        .await?;
    let body = json!({"agent": lead["id"], "environment_id": environment["id"]});
    let session = client.post("/v1/sessions", &body).await?;
    let id = session["id"].as_str().context("no id")?;
    let issue = std::fs::read_to_string(examples().join("sample/issue.md"))?;
    // As GitHub's webhook sends it.
    let payload =
        json!({"action": "opened", "issue": {"number": 7, "title": "words.sh", "body": issue}});
    client.message(id, &payload.to_string()).await?;
    let events = client.until_idle(id, "end_turn").await?;
    log_rules::check(&events)?;
    let said = of_kind(&events, "agent.message")
        .last()
        .map(|event| text_of(event));
    ensure!(
        said.as_deref()
            .is_some_and(|said| said.contains("Verified by the tests")),
        "{said:?}"
    );
    let heard: Vec<String> = of_kind(&events, "agent.thread_message_received")
        .into_iter()
        .map(text_of)
        .collect();
    ensure!(
        heard.len() == 5 && heard[2].contains("REJECT") && heard[4].contains("APPROVE"),
        "{heard:#?}"
    );

    // Who may not write did not, whatever its model tried.
    ensure!(!repository.join("plan.md").exists() && !repository.join("mine").exists());
    let (passes, told) = tests_of(&repository)?;
    ensure!(passes, "{told}");

    // The patch is among the session's files, and makes the same change elsewhere.
    let patch = loop {
        let listed = client
            .get(&format!("/v1/files?scope_id={id}&limit=100"))
            .await?;
        let mut files = listed["data"].as_array().into_iter().flatten();
        // It is among them some time after the session is idle.
        if let Some(file) = files.find(|file| file["filename"] == "change.patch") {
            break file["id"].as_str().context("no id")?.to_owned();
        }
        tokio::task::yield_now().await;
    };
    let saved = folder.path().join("change.patch");
    let saved_as = saved.display().to_string();
    let downloaded = cli.run_with(&["file", "download", &patch, "--output", &saved_as], b"")?;
    ensure!(downloaded.status == 0, "{}", downloaded.stderr);
    let fresh = folder.path().join("fresh");
    copied(&fresh)?;
    let applied = Command::new("git")
        .arg("apply")
        .arg(&saved)
        .current_dir(&fresh)
        .output()?;
    ensure!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    let (passes, told) = tests_of(&fresh)?;
    ensure!(passes, "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_cannot_be_is_told_with_its_file() -> Result<()> {
    let world = World::start(PROGRAM, "turns: [{text: x}]").await?;
    let folder = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, &world.client.url, folder.path());
    let lead = |entry: &str| {
        format!(
            "name: lead\nmodel: claude-sonnet-4-6\nmultiagent: {{type: coordinator, agents: [{entry}]}}\n"
        )
    };
    let plain = "name: x\nmodel: claude-sonnet-4-6\n";
    std::fs::write(folder.path().join("plain.yaml"), plain)?;
    let team = lead("{file: plain.yaml}");
    std::fs::write(folder.path().join("team.yaml"), team)?;
    std::fs::write(folder.path().join("wrong.yaml"), "name: x\n")?;
    for (entry, fragment) in [
        ("{file: gone.yaml}", "gone.yaml"),
        ("{file: wrong.yaml}", "wrong.yaml"),
        ("{file: team.yaml}", "only one level"),
        ("{file: lead.yaml}", "levels deep"),
        ("{file: wrong.yaml, version: 2}", "says more"),
        ("{files: wrong.yaml}", "type"),
    ] {
        std::fs::write(folder.path().join("lead.yaml"), lead(entry))?;
        let ran = cli.run_with(&["agent", "create", "lead.yaml"], b"")?;
        ensure!(
            ran.status != 0 && ran.shows(fragment),
            "{entry}: {} {}",
            ran.status,
            ran.stderr
        );
    }
    Ok(())
}
