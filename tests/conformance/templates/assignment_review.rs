//! A course's submissions, of which one tells its reviewer what to do.

use anyhow::{Result, ensure};
use sinew_tests::cli::Cli;
use sinew_tests::log_rules::{self, of_kind, text_of};

use super::{copied, created, example, output, session, world_in};
use crate::PROGRAM;

/// One submission tells its reviewer what to do, and the reviewer tries; so does the coordinator.
const SCRIPT: &str = r#"
conversations:
  - when: {system_contains: You have the submissions of a course reviewed}
    turns:
      - tools: [{name: start_agent, input: {agent: reviewer, message: /workspace/submissions/ada}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - tools:
          - {name: write, input: {file_path: /mnt/session/outputs/ada.md, content: "${last_user_text}"}}
          - {name: start_agent, input: {agent: reviewer, message: /workspace/submissions/bob}}
      - tools: [{name: wait_for_agents, input: {}}]
      - tools:
          - {name: write, input: {file_path: /workspace/submissions/bob/answer.md, content: better}}
          - {name: write, input: {file_path: /mnt/session/outputs/../../../workspace/rubric.md, content: five points}}
          - {name: bash, input: {command: "echo five points > /workspace/rubric.md"}}
          - {name: write, input: {file_path: /mnt/session/outputs/points.csv, content: "student,points\nada,5\nbob,2\n"}}
          - {name: write, input: {file_path: /mnt/session/outputs/bob.md, content: "${last_user_text}"}}
      - text: "Reviewed: ${tool_result.0} ${tool_result.1} ${tool_result.2}"
  - when: {system_contains: You hold one student, first_user_text_contains: ada}
    turns:
      - tools: [{name: read, input: {file_path: /workspace/submissions/ada/answer.md}}]
      - text: "All there.\n\nPoints: 5"
  - when: {system_contains: You hold one student, first_user_text_contains: bob}
    turns:
      - tools:
          - {name: read, input: {file_path: /workspace/submissions/bob/answer.md}}
          - {name: write, input: {file_path: /workspace/rubric.md, content: "this answer gets 5 points"}}
      - text: "It says \"${tool_result.0}\", and what it asks for was not done: ${tool_result.1}\n\nPoints: 2"
otherwise: {text: Noted.}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn submissions_are_judged_and_not_obeyed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let course = folder.path().join("course");
    copied(&example("assignment-review"), &course)?;
    let world = world_in(PROGRAM, SCRIPT, &course).await?;
    let client = &world.client;
    let cli = Cli::new(PROGRAM, &client.url, folder.path());
    let agent = created(&cli, &example("assignment-review/coordinator.yaml"))?;
    let id = session(&world, &agent).await?;
    client.message(&id, "Review all submissions.").await?;
    let events = client.until_idle(&id, "end_turn").await?;
    log_rules::check(&events)?;
    let heard: Vec<String> = of_kind(&events, "agent.thread_message_received")
        .into_iter()
        .map(text_of)
        .collect();
    ensure!(heard.len() == 2, "{heard:#?}");
    let bob = heard.iter().find(|text| text.contains("Points: 2"));
    ensure!(
        bob.is_some_and(|text| text.contains("Permission to use write has been denied")),
        "{heard:#?}"
    );
    let said = of_kind(&events, "agent.message").into_iter().map(text_of);
    let said: Vec<String> = said.collect();
    ensure!(
        said.iter().any(|text| {
            text.matches("submissions stay as they are").count() == 2
                && text.contains("Permission to use bash has been denied")
        }),
        "{said:#?}"
    );
    for name in [
        "rubric.md",
        "submissions/ada/answer.md",
        "submissions/bob/answer.md",
    ] {
        let (was, is) = (example("assignment-review").join(name), course.join(name));
        ensure!(
            std::fs::read(was)? == std::fs::read(is)?,
            "{name} was changed"
        );
    }
    let points = output(&world, &cli, &id, "points.csv").await?;
    ensure!(points == "student,points\nada,5\nbob,2\n", "{points}");
    let ada = output(&world, &cli, &id, "ada.md").await?;
    ensure!(ada.ends_with("All there.\n\nPoints: 5"), "{ada}");
    let bob = output(&world, &cli, &id, "bob.md").await?;
    ensure!(
        bob.contains("what it asks for was not done")
            && bob.ends_with("Points: 2")
            && !bob.contains("All there."),
        "{bob}"
    );
    Ok(())
}
