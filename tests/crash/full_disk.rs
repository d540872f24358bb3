//! A disk without space: what cannot be kept is refused in so many words, what was acknowledged stays, reads are
//! served, and with space again the sessions go on to their ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use sinew::data_dir::database;
use sinew_tests::client::{Answer, Client};
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;
use tempfile::TempDir;

use crate::PROGRAM;

/// Size of the disk, and what is left on it when the session begins.
const DISK: &str = "48m";
const LEFT_BYTES: usize = 1 << 20;
/// Calls of the session; each has a result of some kilobytes, so that not all fit into what is left.
const CALLS: usize = 150;
/// Requests until one must be refused.
const REQUESTS_MAX: usize = 2_000;
/// Bytes of such a request: in no case is there space for many of them.
const REQUEST_BYTES: usize = 30_000;

/// How long leases last: a daemon that starts without space cannot take them from the dead one before.
const LEASE_MS: u64 = 3_000;

/// A small disk in a mount namespace of its own, which goes with the process that holds it.
struct Disk {
    holder: Child,
    /// Where the namespace has it.
    mount: PathBuf,
    folder: TempDir,
}

impl Disk {
    /// Mounts one; none where the system does not let us.
    fn mount() -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let mount = folder.path().join("disk");
        std::fs::create_dir(&mount)?;
        let script = "mount -t tmpfs -o size=$1 tmpfs \"$0\" && echo ready && exec cat";
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .args([mount.as_os_str(), DISK.as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().context("piped")?).read_line(&mut line)?;
        let disk = Self {
            holder,
            mount,
            folder,
        };
        Ok((line == "ready\n").then_some(disk))
    }

    /// Returns a program that is `program` where the disk is.
    fn program(&self, program: &str) -> Result<PathBuf> {
        let path = self.folder.path().join("program");
        let target = self.holder.id();
        let enter = "nsenter --user --mount --preserve-credentials";
        let text = format!("#!/bin/sh\nexec {enter} --target {target} -- {program} \"$@\"\n");
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
        Ok(path)
    }

    /// Returns the path under which this process has a path of the disk.
    fn here(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(path.strip_prefix("/").unwrap())
    }

    fn filler(&self) -> PathBuf {
        self.here(&self.mount.join("filler"))
    }

    /// Uses up all space, but for so many bytes.
    fn fill(&self, left: usize) -> Result<()> {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.filler())?;
        let page = [b'x'; 4096];
        while file.write_all(&page).is_ok() {}
        let bytes = file.metadata()?.len();
        file.set_len(bytes.saturating_sub(left as u64))?;
        Ok(())
    }

    /// Gives back what was filled.
    fn clear(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A session that changes no file: a hand's own writes fail in the hand, as the guest's business.
fn script() -> String {
    let command = "n=$((n+1)); echo value $n; head -c 6000 /dev/zero | tr '\\0' x";
    let mut turns =
        vec![json!({"tools": [{"name": "bash", "input": {"command": command}}]}); CALLS];
    turns.push(json!({"text": "All done."}));
    json!({ "turns": turns }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_all_goes_on() -> Result<()> {
    let Some(disk) = Disk::mount()? else {
        println!("skipped: this system does not let us mount a small disk");
        return Ok(());
    };
    let program = disk.program(PROGRAM)?;
    let program = program.to_str().context("no UTF-8")?;
    let configuration = format!("lease_ms: {LEASE_MS}");
    let mut world = World::start_prepared(program, &script(), &configuration, |options| {
        options.data = disk.mount.join("data");
        Ok(())
    })
    .await?;
    let client = world.client.clone();
    let session = client.new_session("claude-sonnet-4-6").await?;
    disk.fill(LEFT_BYTES)?;
    let sent = client.message(&session, "go").await?;

    let acknowledged = agents_until_full(&client).await?;
    disk.fill(0)?;
    check_refused(&client, &acknowledged).await?;
    let before = client.events(&session).await?;
    ensure!(
        before
            .iter()
            .any(|event| event["id"] == sent["data"][0]["id"])
    );
    ensure!(
        of_kind(&before, "agent.tool_result").len() < CALLS,
        "the session had space for all of it"
    );

    // A daemon that starts without space serves what there is.
    world.kill()?;
    world.restart()?;
    check_refused(&client, &acknowledged).await?;

    disk.clear()?;
    let events = client.until_idle(&session, "end_turn").await?;
    log_rules::check(&events)?;
    ensure!(
        events.len() > before.len()
            && events[..before.len()]
                .iter()
                .map(id)
                .eq(before.iter().map(id))
    );
    let results = of_kind(&events, "agent.tool_result");
    ensure!(results.len() == CALLS, "{} results", results.len());
    for (n, result) in (1..).zip(results) {
        let value = text_of(result);
        let value = value.lines().next().unwrap_or_default();
        ensure!(value == format!("value {n}"), "call {n} answers {value}");
    }
    agents(&client, &acknowledged).await?;
    ensure!(world.stop()?.success());
    // Read from a copy: the database resolves its path, and that of another namespace leads nowhere here.
    let copy = tempfile::tempdir()?;
    let data = disk.here(&world.options.data);
    std::fs::copy(database(&data), database(copy.path()))?;
    log_rules::check_stored(copy.path(), &session).await?;
    Ok(())
}

fn id(event: &Value) -> &Value {
    &event["id"]
}

/// Makes agents until one is refused, and returns the ids of those that were made.
async fn agents_until_full(client: &Client) -> Result<Vec<Value>> {
    let mut made = Vec::new();
    while made.len() < REQUESTS_MAX {
        let answer = new_agent(client).await?;
        if answer.status != 200 {
            check_full(&answer)?;
            return Ok(made);
        }
        made.push(answer.body["id"].clone());
    }
    anyhow::bail!("the disk does not become full")
}

async fn new_agent(client: &Client) -> Result<Answer> {
    let body =
        json!({"name": "many", "model": "claude-sonnet-4-6", "system": "x".repeat(REQUEST_BYTES)});
    client
        .send(Method::POST, "/v1/agents", Some(body.to_string()))
        .await
}

/// Writes of every kind are refused, each leaves nothing, and reads are served.
async fn check_refused(client: &Client, acknowledged: &[Value]) -> Result<()> {
    check_full(&new_agent(client).await?)?;
    let form = reqwest::multipart::Form::new().part(
        "file",
        reqwest::multipart::Part::bytes(vec![b'x'; 1 << 20]).file_name("large"),
    );
    let upload = client.request(Method::POST, "/v1/files").multipart(form);
    check_full(&client.answer(upload).await?)?;
    ensure!(client.list("/v1/files?limit=10").await?.is_empty());
    agents(client, acknowledged).await
}

fn check_full(answer: &Answer) -> Result<()> {
    let message = answer.body["error"]["message"].as_str().unwrap_or_default();
    ensure!(
        answer.status == 507 && message.contains("disk is full"),
        "a full disk is told as {answer:?}"
    );
    Ok(())
}

/// Exactly the agents that were acknowledged are there.
async fn agents(client: &Client, acknowledged: &[Value]) -> Result<()> {
    let listed = client.list("/v1/agents?limit=100").await?;
    let many: Vec<&Value> = listed
        .iter()
        .filter(|agent| agent["name"] == "many")
        .collect();
    ensure!(many.len() == acknowledged.len(), "{} agents", many.len());
    for made in acknowledged {
        ensure!(
            many.iter().any(|agent| agent["id"] == *made),
            "{made} is lost"
        );
    }
    Ok(())
}
