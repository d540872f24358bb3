//! One turn of a session, as a test wants it: a message in, what the agent says out.

use anyhow::{Context, Result};

use crate::log_rules::{of_kind, text_of};
use crate::world::World;

/// Sends a message and returns what the agent says last, once its turn has ended.
pub async fn run(world: &World, session: &str, text: &str) -> Result<String> {
    world.client.message(session, text).await?;
    let events = world.client.until_idle(session, "end_turn").await?;
    let said = of_kind(&events, "agent.message");
    Ok(text_of(said.last().context("nothing said")?))
}

/// Returns the id of the newest event of a kind.
pub async fn newest(world: &World, session: &str, kind: &str) -> Result<String> {
    let events = world.client.events(session).await?;
    let found = of_kind(&events, kind);
    let id = found.last().and_then(|event| event["id"].as_str());
    Ok(id.context("no such event")?.to_owned())
}
