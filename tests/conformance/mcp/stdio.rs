//! Servers that are programs of this machine: in a sandbox, and only where the operator named them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::packages::bubblewrap;
use sinew_tests::python;
use sinew_tests::world::World;
use tokio::net::TcpListener;

use crate::PROGRAM;

const SECRET: &str = "stdio-canary-77ac1e";
/// Longest wait for something that must come, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// The agent calls what the user writes: the tool's name and its input as JSON.
fn script(calls: &[(&str, Value)]) -> String {
    let mut rules =
        vec![json!({"when": {"tool_result_contains": ""}, "text": "${last_tool_result}"})];
    for (number, (name, input)) in calls.iter().enumerate() {
        rules.push(json!({
            "when": {"last_user_text_contains": format!("[call {number}]")},
            "tools": [{"name": format!("mcp__walls__{name}"), "input": input}],
        }));
    }
    json!({"rules": rules, "otherwise": {"text": "Nothing."}}).to_string()
}

/// Returns what a server made with the official SDK needs to be read.
fn readable(interpreter: &Path, server: &Path) -> Result<Vec<String>> {
    let asked = Command::new(interpreter)
        .args([
            "-c",
            "import sys; print(sys.prefix); print(sys.base_prefix)",
        ])
        .output()?;
    let prefixes = String::from_utf8(asked.stdout)?;
    let prefixes = prefixes
        .lines()
        .map(str::to_owned)
        .filter(|path| path != "/usr");
    Ok(prefixes.chain([server.display().to_string()]).collect())
}

async fn session(world: &World, url: &str, networking: Value) -> Result<String> {
    let agent = json!({
        "name": "user of walls",
        "model": "claude-sonnet-4-6",
        "tools": [{"type": "mcp_toolset", "mcp_server_name": "walls",
                   "default_config": {"permission_policy": {"type": "always_allow"}}}],
        "mcp_servers": [{"type": "url", "name": "walls", "url": url}],
    });
    let client = &world.client;
    let agent = client.post("/v1/agents", &agent).await?;
    let environment =
        json!({"name": agent["id"], "config": {"type": "cloud", "networking": networking}});
    let environment = client.post("/v1/environments", &environment).await?;
    let body = json!({"agent": agent["id"], "environment_id": environment["id"]});
    let session = client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

/// Makes the Nth call and returns what the agent says of it.
async fn call(world: &World, session: &str, number: usize) -> Result<String> {
    world
        .client
        .message(session, &format!("[call {number}]"))
        .await?;
    let events = world.client.until_idle(session, "end_turn").await?;
    let said = of_kind(&events, "agent.message");
    Ok(text_of(said.last().context("nothing said")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_a_server_within_walls() -> Result<()> {
    bubblewrap()?;
    let interpreter = python::mcp_server()?;
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stdio_server.py");
    let folder = tempfile::tempdir()?;
    let (own, foreign) = (folder.path().join("own"), folder.path().join("foreign"));
    std::fs::create_dir(&own)?;
    std::fs::write(&foreign, "nothing for it")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let calls = [
        ("read", json!({"path": foreign})),
        (
            "write",
            json!({"path": own.join("made"), "text": "by the program"}),
        ),
        ("write", json!({"path": server, "text": ""})),
        ("connect", json!({"port": port})),
        ("variable", json!({"name": "TOKEN_OF_SERVER"})),
        ("variable", json!({"name": "ANTHROPIC_API_KEY"})),
        ("processes", json!({})),
        ("read", json!({"path": "/var"})),
        ("end", json!({})),
    ];
    let configuration = json!({"mcp": {"stdio": {"walls": {
        "command": [interpreter, "-B", server],
        "env_from": ["TOKEN_OF_SERVER"],
        "readable": readable(&interpreter, &server)?,
        "writable": [own],
    }}}});
    let variables = [("TOKEN_OF_SERVER", SECRET)];
    let world = World::start_as(
        PROGRAM,
        &script(&calls),
        &configuration.to_string(),
        &variables,
    )
    .await?;
    let session = session(&world, "stdio://walls", json!({"type": "unrestricted"})).await?;
    let mut said = Vec::new();
    for number in 0..8 {
        said.push(call(&world, &session, number).await?);
    }
    ensure!(said[0].contains("refused: No such file"), "{said:?}");
    ensure!(said[1].contains("written"), "{said:?}");
    ensure!(std::fs::read_to_string(own.join("made"))? == "by the program");
    ensure!(
        said[2].contains("refused: Read-only file system"),
        "{said:?}"
    );
    ensure!(said[3].contains("refused"), "{said:?}");
    // It has its secret, and nobody hears it.
    ensure!(
        said[4].contains("[redacted]") && !said[4].contains(SECRET),
        "{said:?}"
    );
    ensure!(said[5].contains("not set"), "{said:?}");
    let processes: u32 = said[6].trim().parse().with_context(|| said[6].clone())?;
    ensure!(processes <= 3, "{said:?}");
    ensure!(said[7].contains("refused"), "{said:?}");
    // One that ends in the middle is told of, and the next call has another one.
    let ended = call(&world, &session, 8).await?;
    ensure!(
        ended.contains("lost") || ended.contains("unknown"),
        "{ended}"
    );
    let again = call(&world, &session, 5).await?;
    ensure!(again.contains("not set"), "{again}");
    log_rules::check(&world.client.events(&session).await?)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_operator_named_is_run() -> Result<()> {
    let configuration =
        json!({"mcp": {"stdio": {"no-server": {"command": ["/bin/true"], "sandbox": "none"}}}});
    let world = World::start_with(PROGRAM, &script(&[]), &configuration.to_string()).await?;
    for (name, fragment) in [
        ("other", "has set up no server"),
        ("no-server", "does not answer as an MCP server"),
    ] {
        let session = session(
            &world,
            &format!("stdio://{name}"),
            json!({"type": "unrestricted"}),
        )
        .await?;
        world.client.message(&session, "hello").await?;
        let events = world.client.until_idle(&session, "end_turn").await?;
        let errors = of_kind(&events, "session.error");
        let text = errors.last().context("no error")?.to_string();
        ensure!(
            text.contains(fragment) && text.contains("mcp_connection_failed_error"),
            "{text}"
        );
    }
    for url in [
        "stdio://",
        "stdio://a/b",
        "stdio://a?b",
        "stdio://A b",
        "file:///bin/sh",
    ] {
        let agent = json!({"name": "x", "model": "claude-sonnet-4-6",
            "tools": [{"type": "mcp_toolset", "mcp_server_name": "walls"}],
            "mcp_servers": [{"type": "url", "name": "walls", "url": url}]});
        let answer = world
            .client
            .send(
                axum::http::Method::POST,
                "/v1/agents",
                Some(agent.to_string()),
            )
            .await?;
        ensure!(answer.status == 400, "{url}: {}", answer.body);
    }
    Ok(())
}

/// A server that reads nothing any more once it has told its tools, but for one byte.
const DEAF: &str = r#"
import json, os, sys, time

folder = sys.argv[1]
def line():
    bytes = b""
    while not bytes.endswith(b"\n"):
        bytes += os.read(0, 1)
    return json.loads(bytes)

while True:
    message = line()
    if "id" not in message:
        continue
    if message["method"] == "initialize":
        result = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
                  "serverInfo": {"name": "deaf", "version": "1"}}
    else:
        result = {"tools": [{"name": "say", "inputSchema": {"type": "object"}}]}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
    if message["method"] == "tools/list":
        os.read(0, 1)
        with open(os.path.join(folder, "pid"), "w") as file:
            file.write(str(os.getpid()))
        os.rename(os.path.join(folder, "pid"), os.path.join(folder, "begun"))
        time.sleep(1000000)
"#;

/// Why: whoever writes to it waits, and must not keep its process and its place for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_reads_nothing_is_ended() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("deaf.py");
    std::fs::write(&program, DEAF)?;
    let configuration = json!({"mcp": {"stdio": {"walls": {
        "command": [python::mcp_server()?, "-B", program, folder.path()],
        "sandbox": "none",
        "processes_max": 1,
    }}}});
    let calls = [("say", json!({"text": "x".repeat(300_000)}))];
    let world = World::start_with(PROGRAM, &script(&calls), &configuration.to_string()).await?;
    let client = &world.client;
    let one = session(&world, "stdio://walls", json!({"type": "unrestricted"})).await?;
    client.message(&one, "[call 0]").await?;
    let begun = folder.path().join("begun");
    let began = tokio::time::timeout(PATIENCE, async {
        while !begun.exists() {
            tokio::time::sleep(LOOK).await;
        }
    });
    began.await.context("the call did not begin")?;
    let pid = std::fs::read_to_string(&begun)?;
    client
        .send_events(&one, json!([{"type": "user.interrupt"}]))
        .await?;
    client.until_idle(&one, "end_turn").await?;
    // Another session gets its place.
    let other = session(&world, "stdio://walls", json!({"type": "unrestricted"})).await?;
    let served = tokio::time::timeout(PATIENCE, async {
        loop {
            let known = client.events(&other).await?.len();
            client.message(&other, "hello").await?;
            client.until_idle(&other, "end_turn").await?;
            let events = client.events(&other).await?;
            if of_kind(&events[known..], "session.error").is_empty() {
                return anyhow::Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    });
    served.await.context("its place was never free again")??;
    ensure!(
        !Path::new("/proc").join(pid.trim()).exists(),
        "{pid} lives on"
    );
    Ok(())
}
