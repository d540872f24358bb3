//! Nothing of one workspace is visible to another: an id of another workspace is answered, everywhere, as an
//! id that does not exist.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use sinew_tests::client::Client;
use sinew_tests::wire::Wire;
use sinew_tests::world::World;

use crate::PROGRAM;

const SCRIPT: &str = "turns: [{text: hello}]";

/// Fields of an answer that differ from request to request.
const VOLATILE: [&str; 1] = ["request_id"];

/// Things of theirs, by the name that the paths have for their ids: where they are made and from what.
const MADE: [(&str, &str, &str); 7] = [
    (
        "agent_id",
        "/v1/agents",
        r#"{"name": "a", "model": "claude-sonnet-4-6"}"#,
    ),
    (
        "environment_id",
        "/v1/environments",
        r#"{"name": "e", "config": {"type": "self_hosted"}}"#,
    ),
    (
        "session_id",
        "/v1/sessions",
        r#"{"agent": "AGENT", "environment_id": "ENVIRONMENT"}"#,
    ),
    ("vault_id", "/v1/vaults", r#"{"display_name": "v"}"#),
    ("memory_store_id", "/v1/memory_stores", r#"{"name": "m"}"#),
    (
        "memory_id",
        "/v1/memory_stores/STORE/memories",
        r#"{"path": "/p", "content": "c"}"#,
    ),
    (
        "deployment_id",
        "/v1/deployments",
        r#"{"name": "d", "agent": "AGENT", "environment_id": "ENVIRONMENT",
        "initial_events": [{"type": "user.message", "content": [{"type": "text", "text": "hi"}]}]}"#,
    ),
];

/// Makes an API key.
fn key(world: &World, workspace: &str, role: &str) -> Result<String> {
    let output = Command::new(PROGRAM)
        .args([
            "key",
            "create",
            "--json",
            "--workspace",
            workspace,
            "--role",
            role,
            "--data",
        ])
        .arg(&world.options.data)
        .output()?;
    ensure!(output.status.success(), "{output:?}");
    let made: Value = serde_json::from_slice(&output.stdout)?;
    Ok(made["key"].as_str().context("no key")?.to_owned())
}

/// Makes what this server serves of [`MADE`], and returns the ids under the names that paths have for them.
async fn make_all(theirs: &Client) -> Result<Vec<(String, String)>> {
    let mut ids: Vec<(String, String)> = Vec::new();
    let of = |ids: &[(String, String)], name: &str| {
        let found = ids.iter().find(|(own, _)| own == name);
        found.map(|(_, id)| id.clone()).unwrap_or_default()
    };
    for (name, path, body) in MADE {
        let path = path.replace("STORE", &of(&ids, "memory_store_id"));
        let body = body
            .replace("AGENT", &of(&ids, "agent_id"))
            .replace("ENVIRONMENT", &of(&ids, "environment_id"));
        let made = theirs.send(Method::POST, &path, Some(body)).await?;
        if made.status == 404 {
            // Not served by this version.
            continue;
        }
        ensure!(made.status == 200, "{path}: {made:?}");
        ids.push((
            name.to_owned(),
            made.body["id"].as_str().context("no id")?.to_owned(),
        ));
    }
    let session = of(&ids, "session_id");
    let threads = theirs
        .get(&format!("/v1/sessions/{session}/threads"))
        .await?;
    let thread = threads["data"][0]["id"].as_str().context("no thread")?;
    ids.push(("thread_id".to_owned(), thread.to_owned()));
    Ok(ids)
}

/// Returns the answer without its ids and what else differs by itself.
async fn answer(client: &Client, method: &str, path: &str, ids: &[&str]) -> Result<(u16, String)> {
    let method = Method::from_bytes(method.as_bytes())?;
    let body = (method == Method::POST).then(|| "{}".to_owned());
    let mut answer = client.send(method, path, body).await?;
    if let Some(fields) = answer.body.as_object_mut() {
        fields.retain(|name, _| !VOLATILE.contains(&name.as_str()));
    }
    let mut text = answer.body.to_string();
    for id in ids {
        text = text.replace(id, "ID");
    }
    Ok((answer.status, text))
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_workspace_are_ids_that_do_not_exist() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let theirs = world
        .client
        .with_key(&key(&world, "wrkspc_theirs", "admin")?);
    let ours = world.client.with_key(&key(&world, "wrkspc_ours", "admin")?);
    ensure!(world.stop()?.success());
    // Keys are asked for from the next start on.
    world.restart()?;
    let ids = make_all(&theirs).await?;
    let mut compared = 0;
    for endpoint in Wire::contract().endpoints() {
        let (method, pattern) = (endpoint.method.clone(), endpoint.path());
        if !pattern.contains('{') {
            continue;
        }
        let (mut foreign, mut nothing) = (pattern.clone(), pattern.clone());
        let mut used: Vec<String> = Vec::new();
        for part in pattern.split('/').filter(|part| part.starts_with('{')) {
            let name = part.trim_matches(['{', '}']);
            let id = ids
                .iter()
                .find(|(own, _)| own == name)
                .map(|(_, id)| id.clone());
            let id = id.unwrap_or_else(|| format!("other_{name}"));
            // As long as the id, with the same start.
            let absent: String = id
                .chars()
                .take(id.len() - 4)
                .chain("0000".chars())
                .collect();
            foreign = foreign.replace(part, &id);
            nothing = nothing.replace(part, &absent);
            used.extend([id, absent]);
        }
        let used: Vec<&str> = used.iter().map(String::as_str).collect();
        let (status, text) = answer(&ours, &method, &foreign, &used).await?;
        let expected = answer(&ours, &method, &nothing, &used).await?;
        ensure!(
            (status, &text) == (expected.0, &expected.1),
            "{method} {pattern}: {text} {expected:?}"
        );
        ensure!(
            status >= 400,
            "{method} {pattern} answered {status}: {text}"
        );
        compared += 1;
    }
    ensure!(compared > 60, "only {compared} endpoints were compared");
    // All of it is still there for its own workspace, and none of it is in a list of ours.
    for (_, path, _) in MADE.iter().filter(|(_, path, _)| !path.contains("STORE")) {
        let own = theirs.send(Method::GET, path, None).await?;
        if own.status != 200 {
            continue;
        }
        ensure!(
            own.body["data"]
                .as_array()
                .is_some_and(|data| !data.is_empty()),
            "{path}"
        );
        let list = ours.get(path).await?;
        ensure!(
            list["data"] == json!([]) && list["next_page"].is_null(),
            "{path}: {list}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_key_reads() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let reader = world
        .client
        .with_key(&key(&world, "wrkspc_a", "read-only")?);
    let member = world.client.with_key(&key(&world, "wrkspc_a", "member")?);
    ensure!(world.stop()?.success());
    world.restart()?;
    let session = member.new_session("claude-sonnet-4-6").await?;
    reader.get(&format!("/v1/sessions/{session}")).await?;
    reader.stream(&session, "").await?;
    for (method, path) in [
        (Method::POST, format!("/v1/sessions/{session}/events")),
        (Method::POST, format!("/v1/sessions/{session}/archive")),
        (Method::DELETE, format!("/v1/sessions/{session}")),
        (Method::POST, "/v1/agents".to_owned()),
    ] {
        let refused = reader
            .send(method.clone(), &path, Some("{}".to_owned()))
            .await?;
        ensure!(refused.status == 403, "{method} {path}: {refused:?}");
    }
    member.message(&session, "hi").await?;
    member.until_idle(&session, "end_turn").await?;
    Ok(())
}
