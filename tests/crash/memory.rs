//! Memory mounts and kills: a change that was on the disk becomes a version, once.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use sinew_tests::world::World;

use crate::PROGRAM;

/// Writes memories, says so, and waits for a file that only the test makes. What is appended shows a second run
/// that sees the first one's work.
const COMMAND: &str = "cd /mnt/memory/notes; echo two >> changed.md; echo new >> new.md; rm gone.md; echo written; \
                       until [ -e /workspace/go ]; do sleep 0.05; done";

async fn memory(world: &World, store: &str, path: &str) -> Result<()> {
    let body = json!({"path": path, "content": "one"});
    world
        .client
        .post(&format!("{store}/memories"), &body)
        .await?;
    Ok(())
}

async fn columns(world: &World, path: &str, fields: &[&str]) -> Result<Vec<Value>> {
    let items = world.client.list(path).await?;
    let row = |item: &Value| fields.iter().map(|field| item[*field].clone()).collect();
    Ok(items.iter().map(row).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn between_a_change_of_a_file_and_its_version() -> Result<()> {
    let script = json!({
        "rules": [{"when": {"tool_result_contains": ""}, "text": "Done."}],
        "otherwise": {"tools": [{"name": "bash", "input": {"command": COMMAND}}]},
    });
    let mut world = World::start(PROGRAM, &script.to_string()).await?;
    let client = world.client.clone();
    let store = client
        .post("/v1/memory_stores", &json!({"name": "Notes"}))
        .await?;
    let store_id = store["id"].as_str().context("no id")?.to_owned();
    let store = format!("/v1/memory_stores/{store_id}");
    memory(&world, &store, "/changed.md").await?;
    memory(&world, &store, "/gone.md").await?;
    let tools = json!([{"type": "agent_toolset_20260401"}]);
    let agent = json!({"name": "a", "model": "claude-sonnet-4-6", "tools": tools});
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": "e"}))
        .await?;
    let session = json!({
        "agent": agent["id"],
        "environment_id": environment["id"],
        "resources": [{"type": "memory_store", "memory_store_id": store_id}],
    });
    let session = client.post("/v1/sessions", &session).await?;
    let session = session["id"].as_str().context("no id")?.to_owned();

    let mut stream = client
        .stream_at(&format!("/sinew/v1/sessions/{session}/stream"))
        .await?;
    client.message(&session, "go").await?;
    stream.until("sinew.tool_output").await?;
    world.kill()?;
    world.restart()?;
    let mut stream = client
        .stream_at(&format!("/sinew/v1/sessions/{session}/stream"))
        .await?;
    stream.until("sinew.tool_output").await?;
    std::fs::write(world.workspace(&session).join("go"), "")?;
    client.until_idle(&session, "end_turn").await?;

    let memories = format!("{store}/memories?view=full");
    assert_eq!(
        columns(&world, &memories, &["path", "content"]).await?,
        [
            json!(["/changed.md", "onetwo\n"]),
            json!(["/new.md", "new\n"])
        ]
    );
    let versions = format!("{store}/memory_versions?session_id={session}");
    let mut versions = columns(&world, &versions, &["operation", "path"]).await?;
    versions.sort_by_key(Value::to_string);
    assert_eq!(
        versions,
        [
            json!(["created", "/new.md"]),
            json!(["deleted", "/gone.md"]),
            json!(["modified", "/changed.md"]),
        ]
    );
    let gone = client
        .send(Method::DELETE, &format!("/v1/sessions/{session}"), None)
        .await?;
    assert_eq!(gone.status, 200);
    assert_eq!(
        columns(&world, &memories, &["path"]).await?.len(),
        2,
        "the store outlives the session"
    );
    Ok(())
}
