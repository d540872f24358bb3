//! What fails: a server that is gone, that wants another token, that the environment does not allow.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use sinew_tests::log_rules::{self, of_kind};

use sinew_tests::mcp_setup::{Setup, agent, result, text};

use crate::PROGRAM;

/// Returns the one error among events.
fn error(events: &[Value]) -> &Value {
    let errors = of_kind(events, "session.error");
    assert_eq!(errors.len(), 1, "{events:#?}");
    &errors[0]["error"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_without_a_server_and_finds_it_again() -> Result<()> {
    let mut setup = Setup::new(PROGRAM, "", "always_allow", false).await?;
    let events = setup.turn("please add", "end_turn").await?;
    assert_eq!(text(result(&events)), "5");

    // Gone between two turns, and noticed by the call.
    setup.server.kill()?;
    let events = setup.turn("please add", "end_turn").await?;
    let failed = error(&events);
    assert_eq!(failed["type"], "mcp_connection_failed_error");
    assert_eq!(failed["mcp_server_name"], "things");
    assert_eq!(failed["retry_status"], json!({"type": "retrying"}));

    // The next turn has no such tools, and the one after the server came back has.
    let events = setup.turn("hello", "end_turn").await?;
    assert_eq!(error(&events)["type"], "mcp_connection_failed_error");
    let is_of_server = |name: &String| name.starts_with("mcp__");
    assert!(
        !setup.offered().iter().any(is_of_server),
        "{:?}",
        setup.offered()
    );
    assert!(setup.offered().contains(&"bash".to_owned()));
    setup.server.restart()?;
    let events = setup.turn("please add", "end_turn").await?;
    assert_eq!(text(result(&events)), "5");

    // A server that began anew knows the old conversation no more; it is begun anew too.
    setup.server.kill()?;
    setup.server.restart()?;
    let events = setup.turn("please add", "end_turn").await?;
    assert_eq!(text(result(&events)), "5");
    log_rules::check(&setup.world.client.events(&setup.session).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_told_and_a_rotated_one_is_picked_up() -> Result<()> {
    let setup = Setup::new(PROGRAM, "the-first-token", "always_allow", false).await?;
    let events = setup.turn("please add", "end_turn").await?;
    assert_eq!(text(result(&events)), "5");
    setup.server.want("the-second-token")?;
    let events = setup.turn("please add", "end_turn").await?;
    let failed = error(&events);
    assert_eq!(failed["type"], "mcp_authentication_failed_error");
    assert_eq!(failed["mcp_server_name"], "things");
    let told = events.iter().map(Value::to_string).collect::<String>();
    assert!(!told.contains("the-first-token"), "{told}");

    let client = &setup.world.client;
    let credentials = client
        .list(&format!("{}/credentials?limit=20", setup.vault))
        .await?;
    let id = credentials[0]["id"].as_str().context("no id")?;
    let body = json!({"auth": {"type": "static_bearer", "token": "the-second-token"}});
    client
        .post(&format!("{}/credentials/{id}", setup.vault), &body)
        .await?;
    let events = setup.turn("please add", "end_turn").await?;
    assert_eq!(text(result(&events)), "5", "running sessions pick it up");

    // Without a credential the server refuses too.
    let archive = format!("{}/credentials/{id}/archive", setup.vault);
    assert_eq!(client.send(Method::POST, &archive, None).await?.status, 200);
    let events = setup.turn("please add", "end_turn").await?;
    let failed = error(&events);
    assert_eq!(failed["type"], "mcp_authentication_failed_error");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_environment_decides_which_servers_there_are() -> Result<()> {
    let setup = Setup::new(PROGRAM, "", "always_allow", false).await?;
    let client = &setup.world.client;
    let made = client
        .post("/v1/agents", &agent(&setup.server.url, "always_allow"))
        .await?;
    let session = async |networking: Value| {
        let config = json!({"type": "cloud", "networking": networking});
        let body = json!({"name": networking.to_string(), "config": config});
        let environment = client.post("/v1/environments", &body).await?;
        let body = json!({"agent": made["id"], "environment_id": environment["id"]});
        client
            .send(Method::POST, "/v1/sessions", Some(body.to_string()))
            .await
    };
    let closed = json!({"type": "limited", "allowed_hosts": ["api.example.com"]});
    let refused = session(closed).await?;
    assert_eq!(refused.status, 400, "{refused:?}");
    let message = refused.body["error"]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(message.contains("allow_mcp_servers"), "{message}");
    for open in [
        json!({"type": "limited", "allowed_hosts": ["127.0.0.1"]}),
        json!({"type": "limited", "allowed_hosts": [], "allow_mcp_servers": true}),
    ] {
        assert_eq!(session(open).await?.status, 200);
    }
    Ok(())
}
