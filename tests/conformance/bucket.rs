//! A daemon whose contents lie in a bucket: a session goes on without anything on this machine but the database, and
//! what it leaves is collected.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use sinew_tests::cli::Cli;
use sinew_tests::python;
use sinew_tests::world::World;

use crate::PROGRAM;

const BUCKET: &str = "contents";
/// What must never be told.
const SECRET: &str = "key-that-opens-the-bucket";
/// Longest wait for a collection.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes a large file, and later shows that it is the same.
const SCRIPT: &str = r#"
rules:
  - {when: {last_user_text_contains: again, tool_result_contains: "OK"}, text: Same.}
  - {when: {last_user_text_contains: again}, tools: [{name: bash, input: {command: "sha256sum -c sum"}}]}
  - {when: {tool_result_contains: ""}, text: Done.}
otherwise:
  tools: [{name: bash, input: {command: "head -c 3000000 /dev/urandom > large; sha256sum large > sum"}}]
"#;

/// A server that speaks S3, with a bucket; dropping it ends it.
struct Server {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    fn start() -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/bucket.py");
        let mut process = Command::new(python::bucket_server()?)
            .arg(script)
            .arg(BUCKET)
            .stderr(Stdio::null())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = process.stdin.take().context("piped")?;
        let stdout = BufReader::new(process.stdout.take().context("piped")?);
        let mut server = Self {
            process,
            stdin,
            stdout,
            address: String::new(),
        };
        server.address = server.line()?;
        Ok(server)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line)?;
        ensure!(read > 0, "the server ended");
        Ok(line.trim().to_owned())
    }

    /// Returns the names of all objects.
    fn names(&mut self) -> Result<Vec<String>> {
        self.stdin.write_all(b"\n")?;
        let line = self.line()?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_from_a_bucket_and_leaves_it_empty() -> Result<()> {
    let mut server = Server::start()?;
    let configuration =
        "content: {url: 's3://contents/some/prefix'}\ncollection: {period_ms: 200, grace_ms: 0}";
    let address = server.address.clone();
    let variables = [
        ("AWS_ENDPOINT", address.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ];
    let mut world = World::start_as(PROGRAM, SCRIPT, configuration, &variables).await?;
    let log = world.folder().join("log");
    world.options.log = Some(log.clone());
    let client = &world.client;
    let session = client.new_session("claude-sonnet-4-6").await?;
    client.message(&session, "write").await?;
    client.until_idle(&session, "end_turn").await?;
    let names = server.names()?;
    ensure!(!names.is_empty(), "nothing lies in the bucket");
    ensure!(
        names.iter().all(|name| name.starts_with("some/prefix/")),
        "{names:?}"
    );

    world.kill()?;
    let data = &world.options.data;
    for name in ["packs", "sessions"] {
        let folder = data.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
    }
    let mut cli = Cli::new(PROGRAM, "http://127.0.0.1:1", &world.folder());
    for (name, value) in &variables {
        cli = cli.with_variable(name, value);
    }
    let data = data.display().to_string();
    let config = world.folder().join("sinew.yaml").display().to_string();
    let verify = ["doctor", "--verify", "--data", &data];
    let from_bucket = [&verify[..], &["--config", &config]].concat();
    cli.ok(&from_bucket)?;
    let ran = cli.run(&verify)?;
    ensure!(ran.status == 1, "packs were found where none are: {ran:?}");
    // Nor does a daemon start that would look elsewhere.
    let elsewhere = ["serve", "--data", &data, "--listen", "127.0.0.1:0"];
    cli.fails(&elsewhere, "none of the packs")?;
    let printed = cli.ok(&["serve", "--print-config", "--config", &config])?;
    ensure!(printed.contains("s3://contents/some/prefix"), "{printed}");
    ensure!(!printed.contains(SECRET), "{printed}");

    world.restart()?;
    let client = &world.client;
    client.message(&session, "again").await?;
    client.until_idle(&session, "end_turn").await?;
    let events = client
        .list(&format!("/v1/sessions/{session}/events"))
        .await?;
    let is_same = |event: &serde_json::Value| event["content"][0]["text"] == "Same.";
    ensure!(events.iter().any(is_same), "{events:#?}");

    let path = format!("/v1/sessions/{session}");
    let deleted = client.request(Method::DELETE, &path).send().await?;
    ensure!(deleted.status() == 200, "{deleted:?}");
    let until_empty = async {
        loop {
            let names = server.names()?;
            if names.is_empty() {
                return anyhow::Ok(());
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, until_empty).await??;
    ensure!(world.stop()?.success());
    let log = std::fs::read_to_string(log)?;
    ensure!(!log.contains(SECRET), "the log holds the key of the bucket");
    Ok(())
}
