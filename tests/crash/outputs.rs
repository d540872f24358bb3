//! Outputs of a session become files, each once, however often the daemon dies on the way.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sinew_tests::world::World;

use crate::PROGRAM;

/// Longest wait for the files; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn outputs_are_collected_once() -> Result<()> {
    let command = "cd /mnt/session/outputs && for n in 1 2 3; do mkdir d$n; head -c 3000000 /dev/zero > d$n/$n; done";
    let script = json!({
        "rules": [{"when": {"tool_result_contains": ""}, "text": "Made."}],
        "otherwise": {"tools": [{"name": "bash", "input": {"command": command}}]},
    });
    let mut world = World::start(PROGRAM, &script.to_string()).await?;
    let session = world.client.new_session("claude-sonnet-4-6").await?;
    world.client.message(&session, "go").await?;
    world.client.until_idle(&session, "end_turn").await?;
    // At once: somewhere in the middle of collecting, or before it.
    world.kill()?;
    world.restart()?;
    let files = collected(&world, &session, 3).await?;
    let mut names: Vec<&str> = files
        .iter()
        .filter_map(|f| f["filename"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["1", "2", "3"]);
    world.kill()?;
    world.restart()?;
    let again = collected(&world, &session, 3).await?;
    assert_eq!(again, files, "nothing is made twice");

    // A deletion takes them along.
    let path = format!("/v1/sessions/{session}");
    let deleted = world
        .client
        .send(reqwest::Method::DELETE, &path, None)
        .await?;
    assert_eq!(deleted.status, 200);
    world.kill()?;
    world.restart()?;
    collected(&world, &session, 0).await?;
    Ok(())
}

/// Returns the session's files once there are so many, and no content without its record.
async fn collected(world: &World, session: &str, count: usize) -> Result<Vec<Value>> {
    let path = format!("/v1/files?scope_id={session}");
    let blobs = world.options.data.join("blobs");
    let waiting = async {
        loop {
            let files = world.client.list(&path).await?;
            if files.len() == count && std::fs::read_dir(&blobs)?.count() == count {
                return anyhow::Ok(files);
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.context("the files did not become what is expected")?
}
