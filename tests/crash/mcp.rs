//! A daemon that dies while a call is with an MCP server: what takes money is never done twice, and the model is told
//! that nobody knows; what changes nothing is done again.

use anyhow::Result;
use sinew_tests::log_rules::{self, of_kind};
use sinew_tests::mcp_setup::{Setup, result, text};

use crate::PROGRAM;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_may_have_happened_is_not_repeated() -> Result<()> {
    let mut setup = Setup::new(PROGRAM, "", "always_allow", false).await?;
    setup.server.hold(true)?;
    let client = setup.world.client.clone();
    client.message(&setup.session, "please charge").await?;
    setup.server.until_notes(1).await?;
    setup.world.kill()?;
    setup.server.hold(false)?;
    setup.world.restart()?;
    let events = setup.newest("end_turn").await?;
    let unknown = result(&events);
    assert_eq!(unknown["is_error"], true);
    assert!(
        text(unknown).starts_with("The outcome of this call is unknown"),
        "{unknown}"
    );
    assert_eq!(setup.server.notes().len(), 1, "{:?}", setup.server.notes());
    // The model may decide to do it again, which is another call.
    let events = setup.turn("please charge", "end_turn").await?;
    assert_eq!(text(result(&events)), "took 7");
    let notes = setup.server.until_notes(2).await?;
    assert!(notes.len() == 2 && notes[0] != notes[1], "{notes:?}");
    log_rules::check(&client.events(&setup.session).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_changes_nothing_is_made_again_with_the_same_key() -> Result<()> {
    let mut setup = Setup::new(PROGRAM, "", "always_allow", false).await?;
    setup.server.hold(true)?;
    let client = setup.world.client.clone();
    client.message(&setup.session, "please look").await?;
    setup.server.until_notes(1).await?;
    setup.world.kill()?;
    setup.server.hold(false)?;
    setup.world.restart()?;
    let events = setup.newest("end_turn").await?;
    assert_eq!(text(result(&events)), "seen");
    assert_eq!(of_kind(&events, "agent.mcp_tool_use").len(), 1);
    let notes = setup.server.until_notes(2).await?;
    assert!(notes.len() == 2 && notes[0] == notes[1], "{notes:?}");
    log_rules::check(&client.events(&setup.session).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waited_for_a_person_when_the_daemon_died_is_made_once() -> Result<()> {
    let mut setup = Setup::new(PROGRAM, "", "always_ask", false).await?;
    let events = setup.turn("please charge", "requires_action").await?;
    let call = of_kind(&events, "agent.mcp_tool_use")[0]["id"].clone();
    setup.world.kill()?;
    setup.world.restart()?;
    let allow = serde_json::json!([{
        "type": "user.tool_confirmation", "tool_use_id": call, "result": "allow",
    }]);
    setup
        .world
        .client
        .send_events(&setup.session, allow)
        .await?;
    let events = setup.newest("end_turn").await?;
    assert_eq!(text(result(&events)), "took 7");
    assert_eq!(setup.server.until_notes(1).await?.len(), 1);
    Ok(())
}
