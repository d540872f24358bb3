//! The largest file there may be, up and down: a daemon that holds none of it in memory.

use std::convert::Infallible;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};
use serde_json::json;
use sha2::{Digest, Sha256};
use sinew_tests::client::Answer;
use sinew_tests::world::World;

use crate::PROGRAM;

/// The largest file.
const BYTES: u64 = 500 * 1024 * 1024;
/// How much larger a daemon may become at any time of a transfer.
const GROWTH_BYTES_MAX: u64 = 64 << 20;
const BLOCK_BYTES: usize = 1 << 20;
/// Longest wait for the session's output to become a file.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

const SCRIPT: &str = r#"
rules:
  - {when: {tool_result_contains: ""}, text: Done.}
otherwise:
  tools: [{name: bash, input: {command: "cp /mnt/session/uploads/large /mnt/session/outputs/large"}}]
"#;

/// So many bytes that differ from block to block, made as they are asked for.
struct Content {
    block: Vec<u8>,
    number: u64,
    left: u64,
}

impl Content {
    fn new(bytes: u64) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let block = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        Self {
            block: block.take(BLOCK_BYTES / 8).flatten().collect(),
            number: 0,
            left: bytes,
        }
    }
}

impl Iterator for Content {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let bytes = self.left.min(BLOCK_BYTES as u64) as usize;
        if bytes == 0 {
            return None;
        }
        self.number += 1;
        self.left -= bytes as u64;
        self.block[..8].copy_from_slice(&self.number.to_le_bytes());
        Some(self.block[..bytes].to_vec())
    }
}

async fn upload(world: &World, bytes: u64) -> Result<Answer> {
    let content = Content::new(bytes).map(Ok::<_, Infallible>);
    let body = Body::wrap_stream(futures::stream::iter(content));
    let part = Part::stream_with_length(body, bytes).file_name("large.bin");
    let request = world.client.request(Method::POST, "/v1/files");
    let form = Form::new().part("file", part);
    world.client.answer(request.multipart(form)).await
}

/// Fails if the daemon's memory grew by more than it may since `before`.
fn check_growth(world: &World, before: u64, what: &str) -> Result<()> {
    let grown = world.peak_memory_bytes()?.saturating_sub(before);
    eprintln!("{what}: the daemon grew by {} KiB at most", grown / 1024);
    ensure!(grown < GROWTH_BYTES_MAX, "{what}: grew by {grown} bytes");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_file_goes_up_and_down_and_is_never_in_memory() -> Result<()> {
    let configuration = "hand: {written_bytes_max: 1000000000, call_ms_max: 60000}";
    let world = World::start_with(PROGRAM, SCRIPT, configuration).await?;
    let client = &world.client;
    world.forget_peak()?;
    let before = world.memory_bytes()?;
    let made = upload(&world, BYTES).await?;
    ensure!(made.status == 200, "{made:?}");
    ensure!(made.body["size_bytes"] == BYTES, "{made:?}");
    check_growth(&world, before, "upload")?;
    let refused = upload(&world, BYTES + 1).await?;
    ensure!(refused.status == 413, "{refused:?}");
    check_growth(&world, before, "refused upload")?;
    let listed = client.get("/v1/files").await?;
    ensure!(listed["data"].as_array().map(Vec::len) == Some(1));

    // What was uploaded is not given back; what a session makes of it is.
    let tools = json!([{"type": "agent_toolset_20260401"}]);
    let agent = json!({"name": "copier", "model": "claude-sonnet-4-6", "tools": tools});
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": "e"}))
        .await?;
    let session = json!({
        "agent": agent["id"],
        "environment_id": environment["id"],
        "resources": [{"type": "file", "file_id": made.body["id"], "mount_path": "/large"}],
    });
    let session = client.post("/v1/sessions", &session).await?;
    let session = session["id"].as_str().context("no id")?;
    client.message(session, "copy it").await?;
    client.until_idle(session, "end_turn").await?;
    let list = format!("/v1/files?scope_id={session}");
    let output = async {
        loop {
            let files = client.list(&list).await?;
            if let Some(file) = files.into_iter().find(|file| file["filename"] == "large") {
                return anyhow::Ok(file);
            }
            tokio::task::yield_now().await;
        }
    };
    let output = tokio::time::timeout(PATIENCE, output).await??;
    ensure!(output["size_bytes"] == BYTES, "{output}");

    world.forget_peak()?;
    let before = world.memory_bytes()?;
    let id = output["id"].as_str().context("no id")?;
    let response = client
        .request(Method::GET, &format!("/v1/files/{id}/content"))
        .send()
        .await?;
    ensure!(response.content_length() == Some(BYTES));
    let mut hash = Sha256::new();
    let mut content = response.bytes_stream();
    while let Some(part) = content.next().await {
        hash.update(&part?);
    }
    let mut expected = Sha256::new();
    Content::new(BYTES).for_each(|block| expected.update(&block));
    ensure!(hash.finalize() == expected.finalize(), "other bytes came");
    check_growth(&world, before, "download")
}
