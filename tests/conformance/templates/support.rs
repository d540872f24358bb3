//! A customer's conversation in which money is asked for.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

use super::{created, example};
use crate::PROGRAM;

/// It answers from a document, and tries to refund too much, too little, too often, and to use a shell.
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
      - tools: [{name: refund, input: {order: A2, amount_cents: 1500, reason: damaged}}, {name: refund, input: {order: A3, amount_cents: 1500, reason: damaged}}]
      - tools: [{name: escalate, input: {question: "May A3 be refunded too?"}}]
      - text: "A person says: ${last_tool_result}"
"#;

/// Answers everything that the session waits for with the same words.
async fn answer(world: &World, session: &str, words: &str) -> Result<()> {
    let client = &world.client;
    let events = client.until_idle(session, "requires_action").await?;
    let idle = of_kind(&events, "session.status_idle");
    let ids = idle.last().context("not idle")?["stop_reason"]["event_ids"].clone();
    let ids = ids.as_array().context("no ids")?.iter();
    let answers = ids.map(|id| {
        json!({
            "type": "user.custom_tool_result",
            "custom_tool_use_id": id,
            "content": [{"type": "text", "text": words}],
        })
    });
    client
        .send_events(session, answers.collect::<Vec<_>>().into())
        .await?;
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
    answer(&world, &session, "Refunded.").await?;
    client.until_idle(&session, "end_turn").await?;
    client
        .message(&session, "My other orders are broken as well.")
        .await?;
    answer(&world, &session, "Refunded.").await?;
    answer(&world, &session, "No.").await?;
    let events = client.until_idle(&session, "end_turn").await?;
    log_rules::check(&events)?;

    let said: Vec<String> = of_kind(&events, "agent.message")
        .into_iter()
        .map(text_of)
        .collect();
    ensure!(
        said.len() == 2 && said[0].contains("within 30 days") && said[1] == "A person says: No.",
        "{said:#?}"
    );
    // The log is the audit trail: what was asked for, and who decided.
    let asked = of_kind(&events, "agent.custom_tool_use");
    let decided: Vec<(Value, Value)> = asked
        .iter()
        .map(|call| {
            let of = if call["name"] == "refund" {
                "amount_cents"
            } else {
                "question"
            };
            (
                call["input"][of].clone(),
                call["sinew"]["policy"]["rule"].clone(),
            )
        })
        .collect();
    ensure!(
        decided
            == [
                (json!(1_500), Value::Null),
                (json!(2_000_000), json!(1)),
                (json!("all"), json!(1)),
                (json!(1_500), Value::Null),
                (json!(1_500), json!(2)),
                (json!("May A3 be refunded too?"), Value::Null),
            ],
        "{decided:#?}"
    );
    let answered = of_kind(&events, "user.custom_tool_result").len();
    ensure!(answered == 3, "{answered}");
    let shell = of_kind(&events, "agent.tool_use");
    let shell = shell
        .iter()
        .find(|call| call["name"] == "bash")
        .context("no shell")?;
    ensure!(shell["evaluated_permission"] == "deny", "{shell}");
    Ok(())
}
