//! What works: every kind of call and result, with a token that nobody sees.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde_json::json;
use sinew_tests::canary::files_below;
use sinew_tests::log_rules::{self, of_kind};

use sinew_tests::mcp::McpServer;
use sinew_tests::mcp_setup::{CONFIGURATION, Setup, result, script, text};
use sinew_tests::python;
use sinew_tests::world::World;

use crate::PROGRAM;
use crate::secrets::{CANARY, holds_canary};

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_uses_a_server_with_a_token_that_nobody_sees() -> Result<()> {
    let mut setup = Setup::new(PROGRAM, CANARY, "always_allow", false).await?;
    // From here on everything that is logged can be looked at.
    setup.world.stop()?;
    let log = setup.world.folder().join("daemon.log");
    setup.world.options.log = Some(log.clone());
    setup.world.restart()?;

    let events = setup.turn("please add", "end_turn").await?;
    let calls = of_kind(&events, "agent.mcp_tool_use");
    let call = calls[0];
    assert_eq!(call["mcp_server_name"], "things");
    assert_eq!(
        (&call["name"], &call["input"]),
        (&json!("add"), &json!({"a": 2, "b": 3}))
    );
    assert_eq!(call["evaluated_permission"], "allow");
    let added = result(&events);
    assert_eq!(added["mcp_tool_use_id"], call["id"]);
    assert_eq!((text(added), &added["is_error"]), ("5", &json!(false)));
    let offered = setup.offered();
    assert!(
        offered.contains(&"mcp__things__add".to_owned()),
        "{offered:?}"
    );
    assert!(offered.contains(&"bash".to_owned()), "{offered:?}");
    assert!(
        !offered.contains(&"mcp__things__later".to_owned()),
        "{offered:?}"
    );

    let events = setup.turn("please picture", "end_turn").await?;
    let picture = &result(&events)["content"][0];
    assert_eq!(
        (&picture["type"], &picture["source"]["media_type"]),
        (&json!("image"), &json!("image/png"))
    );
    let requests = setup.world.model.requests();
    let sent = requests.last().expect("a request").body.to_string();
    assert!(sent.contains("image/png"), "the model sees it");

    let events = setup.turn("please broken", "end_turn").await?;
    let broken = result(&events);
    assert_eq!(broken["is_error"], true);
    assert!(text(broken).contains("it is broken"), "{broken}");

    let events = setup.turn("please long", "end_turn").await?;
    let long = text(result(&events));
    assert!(
        long.starts_with("begin 0123") && long.ends_with(" end"),
        "{long:.50}"
    );
    assert!(
        long.len() < 12_000 && long.contains("/tmp/tool-output/"),
        "{}",
        long.len()
    );
    let events = setup.turn("count it", "end_turn").await?;
    let counted = of_kind(&events, "agent.tool_result");
    assert_eq!(counted[0]["content"][0]["text"], "150010\n");

    let events = setup.turn("please echo_token", "end_turn").await?;
    assert_eq!(text(result(&events)), "you sent Bearer [redacted]");

    let events = setup.turn("please grow", "end_turn").await?;
    assert_eq!(text(result(&events)), "grown");
    let events = setup.turn("please later", "end_turn").await?;
    assert_eq!(
        text(result(&events)),
        "here now",
        "a tool that came later is known"
    );

    let all = setup.world.client.events(&setup.session).await?;
    log_rules::check(&all)?;
    assert!(of_kind(&all, "session.error").is_empty());
    setup.world.stop()?;
    let found = files_below(&setup.world.folder())?;
    assert!(found.contains(&log) && found.len() > 5, "{found:?}");
    for file in found {
        assert!(!holds_canary(&std::fs::read(&file)?), "{}", file.display());
    }
    for request in setup.world.model.requests() {
        assert!(!holds_canary(request.body.to_string().as_bytes()));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_ask_unless_the_agent_says_otherwise() -> Result<()> {
    let setup = Setup::new(PROGRAM, "", "always_ask", true).await?;
    let client = &setup.world.client;
    let confirm = |id: &serde_json::Value, answer: &str| {
        json!([{"type": "user.tool_confirmation", "tool_use_id": id, "result": answer,
                "deny_message": (answer == "deny").then_some("not today")}])
    };
    let events = setup.turn("please charge", "requires_action").await?;
    let call = of_kind(&events, "agent.mcp_tool_use")[0].clone();
    assert_eq!(call["evaluated_permission"], "ask");
    assert_eq!(call["evaluation"], json!({"type": "always_ask"}));
    let last = events.last().expect("an event");
    assert_eq!(last["stop_reason"]["event_ids"], json!([call["id"]]));
    assert!(setup.server.notes().is_empty());
    client
        .send_events(&setup.session, confirm(&call["id"], "allow"))
        .await?;
    let events = setup.newest("end_turn").await?;
    assert_eq!(text(result(&events)), "took 7");
    let notes = setup.server.until_notes(1).await?;
    let key = notes[0].rsplit(' ').next().unwrap_or_default();
    assert_eq!(
        key.len(),
        32,
        "a call carries an idempotency key: {notes:?}"
    );

    let events = setup.turn("please charge", "requires_action").await?;
    let call = of_kind(&events, "agent.mcp_tool_use")[0].clone();
    client
        .send_events(&setup.session, confirm(&call["id"], "deny"))
        .await?;
    let events = setup.newest("end_turn").await?;
    let denied = result(&events);
    assert_eq!(denied["is_error"], true);
    assert_eq!(
        text(denied),
        "The user rejected this call of charge: not today"
    );
    assert_eq!(setup.server.notes().len(), 1);
    log_rules::check(&client.events(&setup.session).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_reaches_the_server_and_progress_is_shown() -> Result<()> {
    let setup = Setup::new(PROGRAM, "", "always_allow", false).await?;
    let client = &setup.world.client;
    let path = format!("/sinew/v1/sessions/{}/stream", setup.session);
    let mut stream = client.stream_at(&path).await?;
    client.message(&setup.session, "please slow").await?;
    let shown = stream.until("sinew.tool_output").await?;
    let output = shown.last().expect("an event");
    assert_eq!(output["text"], "[1/2] half of it\n");
    let interrupt = json!([{"type": "user.interrupt"}]);
    client.send_events(&setup.session, interrupt).await?;
    let events = setup.newest("end_turn").await?;
    let cut = result(&events);
    assert_eq!(cut["is_error"], true);
    assert!(
        text(cut).starts_with("Tool execution was interrupted"),
        "{cut}"
    );
    assert!(text(cut).contains("It may have taken effect"), "{cut}");
    let notes = setup.server.until_notes(2).await?;
    assert_eq!(notes, ["slow began", "slow was cancelled"]);
    // The connection serves on, once the model has heard of the call that was cut.
    setup.turn("hello", "end_turn").await?;
    let events = setup.turn("please add", "end_turn").await?;
    assert_eq!(text(result(&events)), "5");
    log_rules::check(&client.events(&setup.session).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_leads_an_agent_with_a_server() -> Result<()> {
    let token = "a-token-of-the-user";
    let server = McpServer::start(token, false)?;
    let world = World::start_with(PROGRAM, &script(), CONFIGURATION).await?;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/mcp/agent.py");
    let mut command = Command::new(python::interpreter()?);
    command
        .arg("-B")
        .arg(program)
        .env("SINEW_TEST_URL", &world.client.url)
        .env("SINEW_TEST_MCP_URL", &server.url)
        .env("SINEW_TEST_MCP_TOKEN", token)
        .env_remove("ANTHROPIC_BASE_URL")
        .env_remove("ANTHROPIC_API_KEY");
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(
        output.status.success() && said.contains("ok scenario"),
        "{said}"
    );
    Ok(())
}
