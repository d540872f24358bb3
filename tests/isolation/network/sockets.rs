//! TCP connections of a guest's own: none, unless the environment grants an address and the operator lets it be reached.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::world::World;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::id;
use crate::{Outcome, PROGRAM, call, script};

/// A program that connects to what it is called with, says hello and tells what comes back.
const PROBE: &str = r#"
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
fn main() {
    let target = std::env::args().nth(1).unwrap_or_default();
    let outcome = match target.as_str() {
        "listen" => TcpListener::bind(("0.0.0.0", 0)).map(|_| "listening".to_owned()),
        "udp" => UdpSocket::bind("127.0.0.1:0").map(|_| "bound".to_owned()),
        target => TcpStream::connect(target).and_then(|mut stream| {
            stream.write_all(b"hello\n")?;
            let mut said = String::new();
            stream.read_to_string(&mut said)?;
            Ok(format!("it said {said}"))
        }),
    };
    match outcome {
        Ok(said) => println!("{said}"),
        Err(error) => println!("failed: {error}"),
    }
}
"#;

/// Compiles the program as a guest.
fn probe(folder: &Path) -> Result<Vec<u8>> {
    let (source, program) = (folder.join("probe.rs"), folder.join("probe.wasm"));
    std::fs::write(&source, PROBE)?;
    let status = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()))
        .args(["--edition", "2024", "--target", "wasm32-wasip2", "-O", "-o"])
        .args([&program, &source])
        .status()
        .context("cannot run rustc")?;
    ensure!(
        status.success(),
        "the probe does not compile: rustup target add wasm32-wasip2"
    );
    Ok(std::fs::read(program)?)
}

struct Listening {
    address: String,
    count: Arc<AtomicUsize>,
}

impl Listening {
    /// Answers everybody, and counts them.
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let count = Arc::<AtomicUsize>::default();
        let counted = count.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut line = [0; 6];
                let _ = stream.read_exact(&mut line).await;
                let _ = stream.write_all(b"welcome").await;
            }
        });
        Ok(Self { address, count })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_granted_addresses_are_connected_to() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let program = probe(folder.path())?;
    // Granted and reachable; granted, but of a private network; reachable, but not granted.
    let (both, private, foreign) = (
        Listening::start().await?,
        Listening::start().await?,
        Listening::start().await?,
    );
    let port_of = |listening: &Listening| listening.address.rsplit(':').next().map(str::to_owned);
    let by_name = format!("localhost:{}", port_of(&both).context("no port")?);
    let targets = [&both.address, &private.address, &foreign.address, &by_name];
    let mut lines: Vec<String> =
        vec!["cp /mnt/session/uploads/probe . && chmod +x probe".to_owned()];
    lines.extend(targets.iter().map(|target| format!("./probe {target}")));
    lines.extend(["listen", "udp"].map(|what| format!("./probe {what}")));
    let calls: Vec<Value> = lines
        .iter()
        .map(|line| json!({"name": "bash", "input": {"command": line}}))
        .collect();
    let configuration = json!({"egress": {"private_hosts": [both.address, foreign.address]}});
    let world = World::start_with(PROGRAM, &script(&calls), &configuration.to_string()).await?;
    let client = &world.client;
    let part = reqwest::multipart::Part::bytes(program).file_name("probe");
    let form = reqwest::multipart::Form::new().part("file", part);
    let uploaded = client
        .request(reqwest::Method::POST, "/v1/files")
        .multipart(form)
        .send()
        .await?;
    let uploaded: Value = serde_json::from_str(&uploaded.error_for_status()?.text().await?)?;
    let agent = json!({"name": "t", "model": "claude-sonnet-4-6", "tools": [{"type": "agent_toolset_20260401"}]});
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = json!({"name": "e", "sinew": {"sockets": [both.address, private.address]}});
    let environment = client.post("/v1/environments", &environment).await?;
    ensure!(
        environment["sinew"]["sockets"][0] == both.address,
        "{environment}"
    );
    let session = client
        .post("/v1/sessions", &json!({
            "agent": agent["id"], "environment_id": environment["id"],
            "resources": [{"type": "file", "file_id": uploaded["id"], "mount_path": "/mnt/session/uploads/probe"}],
        }))
        .await?;
    let session = id(&session)?;
    let mut said: Vec<Outcome> = Vec::new();
    for number in 0..lines.len() {
        said.push(call(client, &session, number).await?);
    }
    let text = |place: usize| said[place].text.trim();
    ensure!(text(1) == "it said welcome", "{}", text(1));
    for place in 2..7 {
        ensure!(
            text(place).starts_with("failed: "),
            "{place}: {}",
            text(place)
        );
    }
    let counts = [&both, &private, &foreign].map(|one| one.count.load(Ordering::SeqCst));
    ensure!(counts == [1, 0, 0], "{counts:?}");
    // The journal has what was allowed, and what would allow the rest.
    let requests = client
        .get(&format!("/sinew/v1/sessions/{session}/requests"))
        .await?;
    let settings: Vec<&Value> = requests["data"]
        .as_array()
        .context("no requests")?
        .iter()
        .map(|request| &request["setting"])
        .collect();
    ensure!(settings.len() == 3 && settings[0].is_null(), "{requests}");
    ensure!(
        settings[1]
            .as_str()
            .is_some_and(|text| text.starts_with("egress.private_hosts")),
        "{requests}"
    );
    ensure!(
        *settings[2] == "sinew.sockets of the session's environment",
        "{requests}"
    );
    // What is taken back is closed to the next connection.
    let path = format!("/v1/environments/{}", id(&environment)?);
    client.post(&path, &json!({"sinew": null})).await?;
    let outcome = call(client, &session, 1).await?;
    ensure!(
        outcome.text.trim().starts_with("failed: "),
        "{}",
        outcome.text
    );
    Ok(())
}
