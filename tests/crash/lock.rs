//! One daemon for one data folder, and an end in good order.

use std::process::Stdio;

use anyhow::Result;
use sinew_tests::client::idle_reason;
use sinew_tests::daemon::Daemon;
use sinew_tests::log_rules;
use sinew_tests::world::World;

use crate::PROGRAM;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_data_names_the_first() -> Result<()> {
    let world = World::start(PROGRAM, "otherwise: {text: ok}").await?;
    let mut options = world.options.clone();
    options.listen = "127.0.0.1:0".to_owned();
    let output = options
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()?;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    for part in [
        "is held by another daemon",
        "process ",
        &format!("listening on {}", world.options.listen),
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    assert!(output.stdout.is_empty(), "it must not say that it listens");
    // The first one did not notice.
    let session = world.client.new_session("claude-sonnet-4-6").await?;
    world.client.message(&session, "hello").await?;
    world.client.until_idle(&session, "end_turn").await?;
    Ok(())
}

/// SIGTERM in the middle of a model's answer: streams end, the process ends with success, and the next one
/// asks again.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_in_order_and_loses_nothing() -> Result<()> {
    let script =
        "turns: [{text: a long word, hang_after: 0}]\nrules: [{when: {request: 2}, text: done}]";
    let mut world = World::start(PROGRAM, script).await?;
    let client = world.client.clone();
    let session = client.new_session("claude-sonnet-4-6").await?;
    let mut stream = client.stream(&session, "").await?;
    client.message(&session, "hello").await?;
    let seen = stream.until("span.model_request_start").await?;
    world.model.wait_hanging(1).await;
    assert!(world.stop()?.success());
    assert!(
        stream.rest().await?.is_empty(),
        "the stream ends without further events"
    );
    world.restart()?;
    let events = client.until_idle(&session, "end_turn").await?;
    log_rules::check(&events)?;
    assert!(
        seen.iter()
            .all(|seen| events.iter().any(|event| event["id"] == seen["id"]))
    );
    assert_eq!(idle_reason(&events), Some("end_turn"));
    assert_eq!(
        log_rules::text_of(log_rules::of_kind(&events, "agent.message")[0]),
        "done"
    );
    // The folder is free at once after an end in order.
    assert!(world.stop()?.success());
    drop(Daemon::start(&world.options)?);
    log_rules::check_stored(&world.options.data, &session).await?;
    Ok(())
}
