//! A customer's conversation in which money is asked for.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

use super::{created, example};
use crate::PROGRAM;

/// It answers from a document, and tries to refund too much, too little, too often, to delete, and to use a shell.
const SCRIPT: &str = r#"
conversations:
  - when: {system_contains: You answer a customer}
    turns:
      - tools:
          - {name: grep, input: {pattern: "30 days", path: /mnt/session/uploads}}
          - {name: bash, input: {command: "cat /etc/passwd"}}
          - {name: refund, input: {order: A1, amount_cents: 1500, reason: damaged}}
          - {name: refund, input: {order: A1, amount_cents: 2000000, reason: asked}}
          - {name: refund, input: {order: A1, amount_cents: "all", reason: asked}}
      - text: "You have 30 days: ${tool_result.0}"
      - tools:
          - {name: refund, input: {order: A2, amount_cents: 5000, reason: damaged}}
          - {name: refund, input: {order: A3, amount_cents: 1500, reason: damaged}}
          - {name: delete_account, input: {account: C7, reason: asked}}
      - tools: [{name: escalate, input: {question: "May A3 be refunded too? A2: ${tool_result.0} C7: ${tool_result.2}"}}]
      - text: "A person says: ${last_tool_result}"
"#;

/// Does what the program of the shop does with everything that the session waits for: Anna decides what a rule says to ask
/// and what is escalated, and the rest is paid.
async fn answer(world: &World, session: &str) -> Result<()> {
    let client = &world.client;
    let events = client.until_idle(session, "requires_action").await?;
    let idle = of_kind(&events, "session.status_idle");
    let ids = idle.last().context("not idle")?["stop_reason"]["event_ids"].clone();
    let ids = ids.as_array().context("no ids")?;
    let calls = of_kind(&events, "agent.custom_tool_use").into_iter();
    let answers: Vec<Value> = calls
        .filter(|call| ids.contains(&call["id"]))
        .map(|call| {
            let verdict = call["sinew"]["policy"]["verdict"].as_str();
            let words = match (call["name"].as_str(), verdict) {
                (Some("refund"), None) => "Refunded.",
                (Some("refund"), Some("ask")) => "Anna: refunded.",
                (Some("delete_account"), Some("ask")) | (Some("escalate"), None) => "Anna: no.",
                _ => "Nobody can do this.",
            };
            json!({
                "type": "user.custom_tool_result",
                "custom_tool_use_id": call["id"],
                "content": [{"type": "text", "text": words}],
            })
        })
        .collect();
    ensure!(answers.len() == ids.len(), "{ids:?}");
    client.send_events(session, answers.into()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_decided_by_rules_and_people() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let folder = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, &client.url, folder.path());
    let agent = created(&cli, &example("support/agent.yaml"))?;
    let document = example("support/documents/returns.md");
    let file = cli.id(&["file", "upload", &document.display().to_string()])?;
    let session = cli.id(&[
        "session",
        "create",
        &agent,
        "--file",
        &format!("{file}:/returns.md"),
    ])?;
    client
        .message(&session, "How long may I send things back?")
        .await?;
    answer(&world, &session).await?;
    client.until_idle(&session, "end_turn").await?;
    client
        .message(&session, "My other orders are broken as well.")
        .await?;
    answer(&world, &session).await?;
    answer(&world, &session).await?;
    let events = client.until_idle(&session, "end_turn").await?;
    log_rules::check(&events)?;

    let said: Vec<String> = of_kind(&events, "agent.message")
        .into_iter()
        .map(text_of)
        .collect();
    ensure!(
        said.len() == 2
            && said[0].contains("within 30 days")
            && said[1] == "A person says: Anna: no.",
        "{said:#?}"
    );
    // The log is the audit trail: what was asked for, which rule said what, and what was answered.
    let answers = of_kind(&events, "user.custom_tool_result");
    let asked = of_kind(&events, "agent.custom_tool_use");
    let trail: Vec<Value> = asked
        .iter()
        .map(|call| {
            let ruling = &call["sinew"]["policy"];
            let answer = answers
                .iter()
                .find(|answer| answer["custom_tool_use_id"] == call["id"]);
            json!([
                call["name"],
                ruling["rule"],
                ruling["verdict"],
                answer.map(|answer| text_of(answer)),
            ])
        })
        .collect();
    ensure!(
        json!(trail)
            == json!([
                ["refund", null, null, "Refunded."],
                ["refund", 1, "deny", null],
                ["refund", 1, "deny", null],
                ["refund", 3, "ask", "Anna: refunded."],
                ["refund", 2, "deny", null],
                ["delete_account", 4, "ask", "Anna: no."],
                ["escalate", null, null, "Anna: no."],
            ]),
        "{trail:#?}"
    );
    let question = &asked.last().context("nothing asked")?["input"]["question"];
    ensure!(
        question == "May A3 be refunded too? A2: Anna: refunded. C7: Anna: no.",
        "{question}"
    );
    ensure!(answers.len() == 4, "{answers:#?}");
    let shell = of_kind(&events, "agent.tool_use");
    let shell = shell
        .iter()
        .find(|call| call["name"] == "bash")
        .context("no shell")?;
    ensure!(shell["evaluated_permission"] == "deny", "{shell}");
    Ok(())
}
