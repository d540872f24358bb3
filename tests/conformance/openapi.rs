//! The served OpenAPI document: it is the one in the repository, and what Schemathesis makes of it neither breaks the
//! server nor gets an answer that the document does not foresee.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use axum::http::Method;
use serde_json::{Value, json};
use sinew_tests::python;
use sinew_tests::world::World;

use crate::PROGRAM;

/// Set to write the document instead of comparing it.
const WRITE: &str = "SINEW_WRITE_OPENAPI";
const SCRIPT: &str = "turns: [{text: Hello.}]";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Answers that end when the client says so, and calls that end what the others need.
const LEFT_OUT: &str = "(stream|archive|poll)$";

#[tokio::test(flavor = "multi_thread")]
async fn the_served_document_is_the_one_in_the_repository() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let served = world
        .client
        .send(Method::GET, "/openapi.json", None)
        .await?;
    ensure!(served.status == 200, "it answered {}", served.status);
    let text = serde_json::to_string_pretty(&served.body)? + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/openapi.json");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, text)?;
        return Ok(());
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    ensure!(
        kept == text,
        "{} is not what is served; run this test with {WRITE}=1 to write it anew",
        path.display()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_made_from_the_document_break_nothing() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let program = python::schemathesis()?;
    let ids = make_all(&world).await?;
    let configuration = world.folder().join("schemathesis.toml");
    let lines = ids
        .iter()
        .map(|(name, id)| format!("\"path.{name}\" = \"{id}\"\n"));
    std::fs::write(
        &configuration,
        format!("[parameters]\n{}", lines.collect::<String>()),
    )?;
    let known = [
        "--phases",
        "coverage,fuzzing",
        "--max-examples",
        "5",
        "--exclude-method",
        "DELETE",
    ];
    let known = [&known[..], &["--exclude-path-regex", LEFT_OUT]].concat();
    let any = ["--phases", "fuzzing", "--max-examples", "15"];
    // With ids of what there is, so that requests come far; and with any ids, every endpoint.
    for (configuration, arguments) in [(Some(&configuration), &known[..]), (None, &any[..])] {
        let url = &world.client.url;
        let mut command = Command::new(&program);
        if let Some(configuration) = configuration {
            command.arg("--config-file").arg(configuration);
        }
        command
            .args(["run", "--url", url, &format!("{url}/openapi.json")])
            .args([
                "--checks",
                CHECKS,
                "--seed",
                "1",
                "--request-timeout",
                "30",
                "--no-color",
            ])
            // A slow machine is no fault of what is tried.
            .args(["--workers", "2", "--suppress-health-check", "all"])
            .args(arguments)
            .current_dir(world.folder())
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success() && text.contains(" passed"),
            "{text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        for line in text.lines().filter(|line| line.contains(" generated, ")) {
            println!("{}", line.trim());
        }
    }
    // It still works.
    world.client.new_session("claude-sonnet-4-6").await?;
    Ok(())
}

/// Makes one of each resource, and returns the ids by their names in paths.
async fn make_all(world: &World) -> Result<Vec<(&'static str, String)>> {
    let make = async |path: String, body: Value| {
        let answer = world
            .client
            .send(Method::POST, &path, Some(body.to_string()))
            .await?;
        let id = answer.body["id"]
            .as_str()
            .context(format!("{path}: {}", answer.body))?;
        anyhow::Ok(id.to_owned())
    };
    let first = async |path: String| {
        let answer = world.client.send(Method::GET, &path, None).await?;
        let id = answer.body["data"][0]["id"]
            .as_str()
            .context("an empty list")?;
        anyhow::Ok(id.to_owned())
    };
    let agent = make(
        "/v1/agents".into(),
        json!({"name": "f", "model": "claude-sonnet-4-6"}),
    )
    .await?;
    let environment = make("/v1/environments".into(), json!({"name": "f"})).await?;
    let vault = make("/v1/vaults".into(), json!({"display_name": "f"})).await?;
    let bearer = json!({"auth": {
        "type": "static_bearer", "mcp_server_url": "https://mcp.example.com", "token": "t",
    }});
    let credential = make(format!("/v1/vaults/{vault}/credentials"), bearer).await?;
    let store = make("/v1/memory_stores".into(), json!({"name": "f"})).await?;
    let memories = format!("/v1/memory_stores/{store}/memories");
    let memory = make(memories, json!({"path": "/a.md", "content": "x"})).await?;
    let version = first(format!("/v1/memory_stores/{store}/memory_versions")).await?;
    let events = json!([{"type": "user.message", "content": [{"type": "text", "text": "hi"}]}]);
    let of_agent = |mut body: Value| {
        body["agent"] = json!(agent);
        body["environment_id"] = json!(environment);
        body["initial_events"] = events.clone();
        body
    };
    let session = make("/v1/sessions".into(), of_agent(json!({}))).await?;
    let thread = first(format!("/v1/sessions/{session}/threads")).await?;
    let deployment = make("/v1/deployments".into(), of_agent(json!({"name": "f"}))).await?;
    let hook =
        json!({"url": "https://hooks.example.com/f", "enabled_events": ["session.status_idled"]});
    let hook = make("/v1/organizations/webhooks".into(), hook).await?;
    Ok(vec![
        ("agent_id", agent),
        ("environment_id", environment),
        ("vault_id", vault),
        ("credential_id", credential),
        ("memory_store_id", store),
        ("memory_id", memory),
        ("memory_version_id", version),
        ("session_id", session),
        ("thread_id", thread),
        ("deployment_id", deployment),
        ("webhook_endpoint_id", hook),
        ("model_id", "claude-sonnet-4-6".to_owned()),
    ])
}
