//! A daemon inside a program of one's own: the same HTTP API, started and stopped with it.
//!
//! `cargo run --example embedded`. The model is a scripted one, so that it needs neither a key nor a network; with the
//! field `providers` of [`Config`] left as it is, the daemon asks the providers of its environment's keys.

#![allow(clippy::indexing_slicing, reason = "of JSON, which yields null")]

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sinew::config::Config;
use sinew::daemon::Daemon;
use sinew::mock_model::{Script, serve};
use sinew::model::keys::ApiKey;
use sinew::model::{ProviderConfig, ProviderKind};
use tokio::net::TcpListener;

/// What clients of the API say that they know; the official ones do it by themselves.
const BETA: &str = "managed-agents-2026-04-01";

fn main() -> Result<ExitCode> {
    // Components are compiled by a second copy of this program, under limits.
    if std::env::args()
        .nth(1)
        .is_some_and(|first| first == "compile-worker")
    {
        return Ok(sinew::compile_worker_main());
    }
    tokio::runtime::Runtime::new()?.block_on(run())?;
    Ok(ExitCode::SUCCESS)
}

async fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = Script::parse(
        "turns:\n  - tools: [{name: bash, input: {command: echo $((6 * 7))}}]\n  - text: \"It is ${last_tool_result}\"",
    )?;
    let model = serve(TcpListener::bind("127.0.0.1:0").await?, script)?;
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data: folder.path().join("data"),
        cache: std::env::var_os("SINEW_CACHE").map(Into::into),
        providers: vec![ProviderConfig {
            base_url: Some(model.url()),
            api_keys: ApiKey::new("scripted").into_iter().collect(),
            ..ProviderConfig::new(ProviderKind::Anthropic)
        }],
        ..Config::default()
    };
    let daemon = Daemon::start(config, |step| {
        eprintln!("{} of {}: {}", step.done, step.total, step.name);
    })
    .await?;
    let said = ask(&format!("http://{}", daemon.address())).await?;
    daemon.stop().await;
    println!("{said}");
    Ok(())
}

/// Has an agent answer, with the requests that any client of the API makes.
async fn ask(url: &str) -> Result<String> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let post = async |path: &str, body: Value| -> Result<Value> {
        let answer = client
            .post(format!("{url}{path}"))
            .header("anthropic-beta", BETA)
            .json(&body)
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    };
    let agent = json!({"name": "calculator", "model": "claude-sonnet-4-6", "tools": [{"type": "agent_toolset_20260401"}]});
    let agent = post("/v1/agents", agent).await?;
    let environment = post("/v1/environments", json!({"name": "local"})).await?;
    let session = json!({"agent": agent["id"], "environment_id": environment["id"]});
    let session = post("/v1/sessions", session).await?;
    let events = format!(
        "/v1/sessions/{}/events",
        session["id"].as_str().context("no id")?
    );
    let message = json!({"type": "user.message", "content": [{"type": "text", "text": "What is 6 times 7?"}]});
    post(&events, json!({"events": [message]})).await?;
    // The stream tells the end of the turn; a program that only waits may as well ask.
    loop {
        let listed = client
            .get(format!("{url}{events}?limit=100"))
            .header("anthropic-beta", BETA)
            .send()
            .await?;
        let listed: Value = listed.error_for_status()?.json().await?;
        let found = listed["data"].as_array().into_iter().flatten();
        let mut said = found.filter(|event| event["type"] == "agent.message");
        if let Some(text) = said
            .next()
            .and_then(|event| event["content"][0]["text"].as_str())
        {
            return Ok(text.to_owned());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
