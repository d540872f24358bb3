//! Agents from files that name other files: a coordinator's team is made before it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::client::Client;
use super::yaml::read_object;
use crate::json::Fields as _;

/// Lists of a `multiagent` block that may name files.
const LISTS: [&str; 3] = [
    "/multiagent/agents",
    "/multiagent/subagents/predefined_agents",
    "/multiagent/workflows/predefined_agents",
];

/// Levels of teams below the first file.
const LEVELS_MAX: usize = 5;

/// Reads an agent's file. Agents of its team that are given as `{file: PATH}`, seen from the file's folder, are created
/// first and stand there by their ids afterwards; so are those of their teams.
pub(super) async fn read_agent(client: &Client, path: &Path) -> Result<Value> {
    read_level(client, path, LEVELS_MAX).await
}

/// Creates the agent of a file, and its team before it.
pub(super) async fn create_agent(client: &Client, path: &Path) -> Result<Value> {
    create_level(client, path, LEVELS_MAX).await
}

async fn create_level(client: &Client, path: &Path, levels: usize) -> Result<Value> {
    let agent = Box::pin(read_level(client, path, levels)).await?;
    client
        .post("/v1/agents", &agent)
        .await
        .with_context(|| format!("cannot create the agent of {}", path.display()))
}

async fn read_level(client: &Client, path: &Path, levels: usize) -> Result<Value> {
    let mut agent = read_object(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    for list in LISTS {
        let Some(entries) = agent.pointer_mut(list).and_then(Value::as_array_mut) else {
            continue;
        };
        for entry in entries {
            let Some(file) = entry.at("file").as_str() else {
                continue;
            };
            if entry.as_object().is_some_and(|entry| entry.len() > 1) {
                bail!("{}: {entry} says more than its file does", path.display());
            }
            let Some(below) = levels.checked_sub(1) else {
                bail!(
                    "{}: teams go {LEVELS_MAX} levels deep at the most; does a file name one above it?",
                    path.display()
                );
            };
            let file = folder.join(file);
            let made = create_level(client, &file, below).await?;
            *entry = json!({"type": "agent", "id": made.at("id"), "version": made.at("version")});
        }
    }
    Ok(agent)
}
