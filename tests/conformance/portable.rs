//! Sessions as files: exported from one daemon, taken up by another one, and refused when a single byte is wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Body, Method};
use serde_json::{Value, json};
use sinew::data_dir::database;
use sinew::ids::WorkspaceId;
use sinew::store::{
    Kind, Order, ResourceQuery, STAGING_WORKSPACE, SqliteOptions, SqliteStore, Store, TimeRange,
};
use sinew_tests::cli::Cli;
use sinew_tests::client::Answer;
use sinew_tests::daemon::cache;
use sinew_tests::log_rules::{self, of_kind};
use sinew_tests::turn::{newest, run};
use sinew_tests::world::World;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::PROGRAM;

/// The agent runs what the user writes, and says what came of it. A message that begins with "write" writes a file,
/// and one that begins with "edit" changes it.
const SCRIPT: &str = r#"
rules:
  - when: {tool_result_contains: ""}
    text: "${last_tool_result}"
  - when: {last_user_text_contains: "write"}
    tools: [{name: write, input: {file_path: /workspace/notes.md, content: "one line\nanother\n"}}]
  - when: {last_user_text_contains: "edit"}
    tools: [{name: edit, input: {file_path: /workspace/notes.md, old_string: another, new_string: other}}]
otherwise:
  tools: [{name: bash, input: {command: "${last_user_text}"}}]
"#;

const BYTES_100_MB: u64 = 100 << 20;
/// How much larger a daemon may become while such a session goes through it.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

/// A session with a history that branches; returns it and a fork of it.
async fn worked(world: &World) -> Result<(String, String)> {
    let session = world.client.new_session("claude-sonnet-4-6").await?;
    run(world, &session, "write a file").await?;
    run(world, &session, "edit it").await?;
    run(
        world,
        &session,
        "n=1; mkdir -p d; cd d; seq 2000 > many; ln -s many link; chmod 600 many; date; echo $RANDOM; \
         head -c 8 /dev/urandom | od -An -tx1",
    )
    .await?;
    let point = newest(world, &session, "session.status_idle").await?;
    run(
        world,
        &session,
        "n=2; rm many; echo regretted > ../regretted",
    )
    .await?;
    let path = format!("/sinew/v1/sessions/{session}");
    let back = json!({"event_id": point});
    world.client.post(&format!("{path}/rewind"), &back).await?;
    run(
        world,
        &session,
        "m=after; head -c 700000 /dev/zero | tr '\\0' x > large",
    )
    .await?;
    let titled = json!({"title": "fork"});
    let fork = world.client.post(&format!("{path}/fork"), &titled).await?;
    let fork = fork["id"].as_str().context("no id")?.to_owned();
    run(world, &fork, "echo fork > ../fork.txt").await?;
    Ok((session, fork))
}

async fn import(world: &World, file: Vec<u8>) -> Result<Answer> {
    let environment = environment(world).await?;
    let path = format!("/sinew/v1/sessions/import?environment_id={environment}");
    let request = world.client.request(Method::POST, &path).body(file);
    world.client.answer(request).await
}

async fn environment(world: &World) -> Result<String> {
    let known = world.client.list("/v1/environments?limit=100").await?;
    if let Some(id) = known.first().and_then(|found| found["id"].as_str()) {
        return Ok(id.to_owned());
    }
    let named = json!({"name": "here"});
    let made = world.client.post("/v1/environments", &named).await?;
    Ok(made["id"].as_str().context("no id")?.to_owned())
}

async fn export(world: &World, session: &str) -> Result<Vec<u8>> {
    let path = format!("/sinew/v1/sessions/{session}/export");
    let response = world.client.request(Method::GET, &path).send().await?;
    ensure!(response.status() == 200, "{}", response.status());
    Ok(response.bytes().await?.to_vec())
}

/// Returns how many logs are staged in the data folder of a daemon that has ended, and how many sessions there are.
async fn stored(data: &Path) -> Result<(usize, usize)> {
    let store = SqliteStore::open(SqliteOptions::new(database(data)))?;
    let query = ResourceQuery {
        workspace: WorkspaceId::from_text(STAGING_WORKSPACE),
        kind: Kind::Session,
        include_archived: true,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels: Vec::new(),
        order: Order::Ascending,
        after: None,
        limit: 100,
    };
    let staged = store.list(&query).await?.len();
    Ok((staged, store.scan(Kind::Session, None, 100).await?.len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_in_another_daemon() -> Result<()> {
    let here = World::start(PROGRAM, SCRIPT).await?;
    let (session, fork) = worked(&here).await?;
    let folder = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, &here.client.url, folder.path());
    cli.ok(&["session", "export", &session, "-o", "a.sinew"])?;
    cli.ok(&["session", "export", &fork])?;
    cli.fails(&["session", "export", &session, "-o", "a.sinew"], "--force")?;
    cli.fails(&["session", "export", "sesn_none"], "sesn_none")?;
    // The same log makes the same bytes.
    assert_eq!(
        std::fs::read(folder.path().join("a.sinew"))?,
        export(&here, &session).await?
    );

    let mut there = World::start(PROGRAM, SCRIPT).await?;
    let other = Cli::new(PROGRAM, &there.client.url, folder.path());
    let made = other.json(&["session", "import", "a.sinew"])?.remove(0);
    let id = made["session"]["id"].as_str().context("no id")?.to_owned();
    assert_ne!(id, session);
    assert_eq!(made["session"]["status"], "idle");
    assert_eq!(
        made["session"]["imported_from"]["session_id"],
        session.as_str()
    );
    assert_eq!(made["session"]["rewinds"].as_array().map(Vec::len), Some(1));
    assert_eq!(made["dropped"][0]["type"], "environment");
    let files = async |world: &World, id: &str| {
        let found = world
            .client
            .get(&format!("/sinew/v1/sessions/{id}"))
            .await?;
        anyhow::Ok(found["files"]["digest"].clone())
    };
    assert_eq!(files(&there, &id).await?, files(&here, &session).await?);
    assert_eq!(
        there.client.events(&id).await?,
        here.client.events(&session).await?
    );
    let row = async |world: &World, id: &str| world.client.get(&format!("/v1/sessions/{id}")).await;
    let agents = (
        row(&there, &id).await?["agent"].clone(),
        row(&here, &session).await?["agent"].clone(),
    );
    assert_eq!(agents.0, agents.1);

    // Conversation, files and shell go on.
    let show = "echo $n $m; pwd; cat ../notes.md; stat -c '%a %s' many; readlink link; ls ..; wc -c < large";
    let expected = "1 after\n/workspace/d\none line\nother\n600 8893\nmany\nd\nnotes.md\n700000\n";
    assert_eq!(run(&there, &id, show).await?, expected);
    let asked = there
        .model
        .requests()
        .last()
        .context("no request")?
        .body
        .to_string();
    ensure!(
        asked.contains("write a file") && !asked.contains("regretted"),
        "{asked}"
    );
    // What it went back behind is still there to go back to.
    let events = there.client.events(&id).await?;
    let ends = of_kind(&events, "session.status_idle");
    let given_up = ends
        .iter()
        .rev()
        .nth(2)
        .and_then(|end| end["id"].as_str())
        .context("no end")?;
    let path = format!("/sinew/v1/sessions/{id}/rewind");
    there
        .client
        .post(&path, &json!({"event_id": given_up}))
        .await?;
    assert_eq!(
        run(&there, &id, "cat ../regretted; echo $n").await?,
        "regretted\n2\n"
    );

    // The fork, into the environment that is named, through a restart; and on from there, back to where it came from.
    let place = environment(&there).await?;
    let imported = other.ok(&[
        "session",
        "import",
        &format!("{fork}.sinew"),
        "--environment",
        &place,
    ])?;
    let second = imported.trim();
    there.kill()?;
    there.restart()?;
    assert_eq!(
        run(&there, second, "cat ../fork.txt; echo $n $m").await?,
        "fork\n1 after\n"
    );
    let back = import(&here, export(&there, second).await?).await?;
    ensure!(back.status == 200, "{back:?}");
    let third = back.body["session"]["id"].as_str().context("no id")?;
    assert_eq!(
        run(&here, third, "cat ../fork.txt; ls .. | wc -l").await?,
        "fork\n3\n"
    );
    other.fails(
        &["session", "import", "a.sinew", "--environment", "env_none"],
        "env_none",
    )?;
    there.stop()?;
    for session in [&id, second] {
        log_rules::check_stored(&there.options.data, session).await?;
    }
    assert_eq!(stored(&there.options.data).await?, (0, 2));
    Ok(())
}

/// A source of numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_byte_is_found_wherever_it_is() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let (session, _) = worked(&world).await?;
    let good = export(&world, &session).await?;
    let mut dice = Dice(7);
    let header = 0..100;
    let end = good.len() - 300..good.len();
    let sample: Vec<usize> = (0..1_500).map(|_| dice.below(good.len())).collect();
    let mut wrong: Vec<Vec<u8>> = Vec::new();
    for at in header.chain(end).chain(sample) {
        let mut file = good.clone();
        file[at] ^= 1 << dice.below(8);
        wrong.push(file);
    }
    let places: Vec<usize> = (0..60).map(|_| dice.below(good.len())).collect();
    for at in (0..40).chain(places) {
        wrong.push(good[..at].to_vec());
        let mut longer = good.clone();
        longer.insert(at, 0);
        wrong.push(longer);
        let mut shorter = good.clone();
        shorter.drain(at..(at + 1 + dice.below(50)).min(good.len()));
        wrong.push(shorter);
    }
    wrong.push([&*good, b"\n"].concat());
    wrong.push(Vec::new());
    for (number, file) in wrong.into_iter().enumerate() {
        let answer = import(&world, file).await?;
        let message = answer.body["error"]["message"].as_str().unwrap_or_default();
        let is_placed = message.contains("in frame ") || message.contains("has version ");
        ensure!(answer.status == 400 && is_placed, "{number}: {answer:?}");
    }
    // Only the sessions that were here before, and the file that is as it was.
    assert_eq!(world.client.list("/v1/sessions?limit=100").await?.len(), 2);
    assert_eq!(import(&world, good).await?.status, 200);
    let bad = world
        .client
        .request(Method::POST, "/sinew/v1/sessions/import")
        .body("x");
    let bad = world.client.answer(bad).await?;
    ensure!(
        bad.status == 400 && bad.body.to_string().contains("environment_id"),
        "{bad:?}"
    );
    world.stop()?;
    assert_eq!(stored(&world.options.data).await?, (0, 3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_cut_off_leaves_nothing() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let (session, _) = worked(&world).await?;
    let good = export(&world, &session).await?;
    let place = environment(&world).await?;
    let path = format!("/sinew/v1/sessions/import?environment_id={place}");
    // All but the end is there, and the rest never comes.
    let (sent, wait) = tokio::sync::oneshot::channel();
    let part = good[..good.len() - 20].to_vec();
    let parts = futures::stream::once(async move { Ok::<_, std::io::Error>(part) });
    let never = futures::stream::once(async move {
        let _ = sent.send(());
        std::future::pending().await
    });
    let body = Body::wrap_stream(futures::StreamExt::chain(parts, never));
    let request = world.client.request(Method::POST, &path).body(body);
    let sending = tokio::spawn(request.send());
    wait.await?;
    until_staged(&world).await?;
    let seen = world.client.list("/v1/sessions?limit=100").await?;
    assert_eq!(seen.len(), 2, "half of a session is none");
    world.kill()?;
    sending.abort();
    assert_eq!(stored(&world.options.data).await?, (1, 3));
    world.restart()?;
    assert_eq!(world.client.list("/v1/sessions?limit=100").await?.len(), 2);
    world.stop()?;
    assert_eq!(stored(&world.options.data).await?, (0, 2));
    Ok(())
}

/// Waits until the database holds a staged log; a reader beside the daemon sees what is committed.
async fn until_staged(world: &World) -> Result<()> {
    let file = database(&world.options.data);
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let content = [
            std::fs::read(&file)?,
            std::fs::read(wal(&file)).unwrap_or_default(),
        ]
        .concat();
        let name = STAGING_WORKSPACE.as_bytes();
        if content.windows(name.len()).any(|window| window == name) {
            return Ok(());
        }
        ensure!(tokio::time::Instant::now() < patience, "nothing was staged");
        tokio::task::yield_now().await;
    }
}

fn wal(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_session_is_never_in_memory() -> Result<()> {
    let configuration = "hand: {written_bytes_max: 1000000000, call_ms_max: 120000}";
    let here = World::start_with(PROGRAM, SCRIPT, configuration).await?;
    let there = World::start_with(PROGRAM, SCRIPT, configuration).await?;
    let session = here.client.new_session("claude-sonnet-4-6").await?;
    let fill =
        format!("head -c {BYTES_100_MB} /dev/urandom > large; b3sum large || sha256sum large");
    run(&here, &session, "echo ready").await?;
    let sum = run(&here, &session, &fill).await?;
    let environment = environment(&there).await?;
    for world in [&here, &there] {
        world.forget_peak()?;
    }
    let before = (here.memory_bytes()?, there.memory_bytes()?);
    let path = format!("/sinew/v1/sessions/{session}/export");
    let response = here.client.request(Method::GET, &path).send().await?;
    let path = format!("/sinew/v1/sessions/import?environment_id={environment}");
    let body = Body::wrap_stream(response.bytes_stream());
    let started = std::time::Instant::now();
    let request = there.client.request(Method::POST, &path).body(body);
    let made = there.client.answer(request).await?;
    ensure!(made.status == 200, "{made:?}");
    let grown = (
        here.peak_memory_bytes()?.saturating_sub(before.0),
        there.peak_memory_bytes()?.saturating_sub(before.1),
    );
    eprintln!(
        "100 MiB through both in {:?}; the exporter grew by {} KiB, the importer by {} KiB at most",
        started.elapsed(),
        grown.0 / 1024,
        grown.1 / 1024
    );
    ensure!(
        grown.0 < GROWTH_BYTES_MAX && grown.1 < GROWTH_BYTES_MAX,
        "{grown:?}"
    );
    let id = made.body["session"]["id"].as_str().context("no id")?;
    assert_eq!(
        run(&there, id, "b3sum large || sha256sum large").await?,
        sum
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_file() -> Result<()> {
    const CANARY: &str = "canary-8d1f4b60-never-to-be-seen";
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let vault = client
        .post("/v1/vaults", &json!({"display_name": "v"}))
        .await?;
    let path = format!(
        "/v1/vaults/{}/credentials",
        vault["id"].as_str().context("no id")?
    );
    let credential = json!({"auth": {"type": "static_bearer", "token": CANARY, "mcp_server_url": "https://b.example.com"}});
    client.post(&path, &credential).await?;
    let tools = json!([{"type": "agent_toolset_20260401"}]);
    let agent = json!({"name": "keeper", "model": "claude-sonnet-4-6", "tools": tools});
    let agent = client.post("/v1/agents", &agent).await?;
    let store = client
        .post("/v1/memory_stores", &json!({"name": "m"}))
        .await?;
    let session = json!({
        "agent": agent["id"],
        "environment_id": environment(&world).await?,
        "vault_ids": [vault["id"]],
        "resources": [{"type": "memory_store", "memory_store_id": store["id"]}],
    });
    let session = client.post("/v1/sessions", &session).await?;
    let session = session["id"].as_str().context("no id")?;
    run(
        &world,
        session,
        "env; set; find / -type f 2> /dev/null | head -100",
    )
    .await?;
    let file = export(&world, session).await?;
    let opened = unpacked(&file);
    ensure!(
        opened.windows(7).any(|window| window == b"/mnt/me"),
        "the file is opened"
    );
    let holds = |bytes: &[u8]| {
        bytes
            .windows(CANARY.len())
            .any(|window| window == CANARY.as_bytes())
    };
    ensure!(!holds(&file) && !holds(&opened));
    // What is not the session's own is left out, and told.
    let made = import(&world, file).await?.body;
    let kinds: Vec<&Value> = made["dropped"]
        .as_array()
        .context("none")?
        .iter()
        .map(|d| &d["type"])
        .collect();
    assert_eq!(kinds, ["memory_store", "vault"]);
    assert_eq!(
        (&made["session"]["vault_ids"], &made["session"]["resources"]),
        (&json!([]), &json!([]))
    );
    Ok(())
}

/// Returns the payloads of a file, opened, one behind the other.
fn unpacked(file: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = &file[16..];
    while let [_, a, b, c, d, frame @ ..] = rest {
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let payload = bytes::Bytes::copy_from_slice(&frame[..length]);
        found.extend(sinew::content::open(&payload, 1 << 27).unwrap());
        rest = &frame[length + 32..];
    }
    found
}

/// Returns a session of an agent whose time and chance can be had again.
async fn deterministic(world: &World) -> Result<String> {
    let tools = json!([{"type": "agent_toolset_20260401"}]);
    let agent = json!({
        "name": "again",
        "model": "claude-sonnet-4-6",
        "tools": tools,
        "sinew": {"deterministic": true},
    });
    let agent = world.client.post("/v1/agents", &agent).await?;
    ensure!(agent["sinew"]["deterministic"] == true, "{agent}");
    let session = json!({"agent": agent["id"], "environment_id": environment(world).await?});
    let session = world.client.post("/v1/sessions", &session).await?;
    ensure!(
        session["agent"]["sinew"]["deterministic"] == true,
        "{session}"
    );
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deterministic_session_is_the_same_again() -> Result<()> {
    let here = World::start(PROGRAM, SCRIPT).await?;
    let session = deterministic(&here).await?;
    let chance = "date +%s.%N; echo $RANDOM $SRANDOM $$; head -c 8 /dev/urandom | od -An -tx1; \
                  mktemp -u; date +%s.%N > when; head -c 100 /dev/urandom > noise";
    let first = run(&here, &session, chance).await?;
    let second = run(&here, &session, chance).await?;
    assert_ne!(first, second, "each call has its own");
    let point = newest(&here, &session, "session.status_idle").await?;
    run(&here, &session, "write a file").await?;
    run(
        &here,
        &session,
        "n=$RANDOM; sleep 0.2; cd /tmp; echo $n > n; false",
    )
    .await?;
    let path = format!("/sinew/v1/sessions/{session}");
    let back = json!({"event_id": point});
    here.client.post(&format!("{path}/rewind"), &back).await?;
    run(&here, &session, "edit what is not there").await?;
    run(
        &here,
        &session,
        "echo $n; ls; for i in 1 2 3; do echo $RANDOM; done | sort",
    )
    .await?;
    let folder = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, &here.client.url, folder.path());
    let cli = cli.with_variable("SINEW_CACHE", &cache().display().to_string());
    cli.ok(&["session", "export", &session, "-o", "a.sinew"])?;
    let told = cli.ok(&["session", "replay", "a.sinew", "--verify"])?;
    ensure!(
        told.contains("4 tool calls, 8 model requests: the same"),
        "{told}"
    );
    let told = cli
        .json(&["session", "replay", &session, "--verify"])?
        .remove(0);
    assert_eq!(
        (&told["is_same"], &told["not_deterministic"]),
        (&json!(true), &json!(0))
    );

    // Also where it went on elsewhere.
    let there = World::start(PROGRAM, SCRIPT).await?;
    let made = import(&there, export(&here, &session).await?).await?;
    let id = made.body["session"]["id"].as_str().context("no id")?;
    run(&there, id, chance).await?;
    let cli = cli.with_variable("SINEW_URL", &there.client.url);
    let told = cli.ok(&["session", "replay", id, "--verify"])?;
    ensure!(
        told.contains("5 tool calls, 10 model requests: the same"),
        "{told}"
    );

    // A session that sees the real time is not the same, and it is said where and why.
    let real = there.client.new_session("claude-sonnet-4-6").await?;
    run(&there, &real, "echo same").await?;
    let told = cli.ok(&["session", "replay", &real, "--verify"])?;
    ensure!(told.contains("may differ by time or chance"), "{told}");
    run(&there, &real, "date +%s.%N").await?;
    let ran = cli.run(&["session", "replay", &real, "--verify"])?;
    let at = newest(&there, &real, "agent.tool_result").await?;
    ensure!(
        ran.status == 1 && ran.shows(&at) && ran.shows("another result"),
        "{ran:?}"
    );
    let ran = cli.run(&["session", "replay", &real, "--verify", "--json"])?;
    let told: Value = serde_json::from_str(&ran.text())?;
    assert_eq!(
        (
            &told["difference"]["what"],
            &told["difference"]["may_be_chance"]
        ),
        (&json!("result"), &json!(true))
    );
    let bad = json!({"name": "x", "model": "claude-sonnet-4-6", "sinew": {"deterministic": 1}});
    let bad = there
        .client
        .send(Method::POST, "/v1/agents", Some(bad.to_string()))
        .await?;
    ensure!(
        bad.status == 400 && bad.body.to_string().contains("sinew.deterministic"),
        "{bad:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn not_more_imports_at_a_time_than_the_daemon_has_room_for() -> Result<()> {
    let world = World::start(PROGRAM, "turns: [{text: x}]").await?;
    let client = &world.client;
    let environment = client
        .post("/v1/environments", &json!({"name": "imports"}))
        .await?;
    let environment = environment["id"].as_str().context("no id")?;
    let path = format!("/sinew/v1/sessions/import?environment_id={environment}");
    let address = client.url.trim_start_matches("http://");
    // They begin and go on for as long as they are connected. A daemon that asks for the body has made room for it.
    let mut begun = Vec::new();
    for _ in 0..8 {
        let mut connection = tokio::net::TcpStream::connect(address).await?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await?;
        let mut asked = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        connection.read_exact(&mut asked).await?;
        let asked = String::from_utf8_lossy(&asked);
        ensure!(asked.starts_with("HTTP/1.1 100"), "{asked}");
        begun.push(connection);
    }
    let import = || client.send(Method::POST, &path, Some("no file".to_owned()));
    let refused = import().await?;
    ensure!(refused.status == 529, "{refused:?}");
    ensure!(
        refused.body.to_string().contains("try again"),
        "{refused:?}"
    );
    drop(begun);
    let room = async {
        while import().await?.status != 400 {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(60), room).await?
}
