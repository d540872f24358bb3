//! Registered components as tools of agents: versions, what is granted and what is not, permissions, crashes.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::http::Method;
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::turn::run;
use sinew_tests::world::World;
use tokio::net::TcpListener;

use crate::PROGRAM;

/// The agent makes the call that the user names, and says what came of it.
const SCRIPT: &str = r#"
rules:
  - when: {tool_result_contains: ""}
    text: "${last_tool_result}"
  - when: {last_user_text_contains: "read it"}
    tools: [{name: doc_read, input: {file_path: /workspace/in/a.txt}}]
  - when: {last_user_text_contains: "read the other"}
    tools: [{name: doc_read, input: {file_path: /workspace/other.txt}}]
  - when: {last_user_text_contains: "write beside it"}
    tools: [{name: doc_write, input: {file_path: /workspace/in/b.txt, content: "no"}}]
  - when: {last_user_text_contains: "write a report"}
    tools: [{name: doc_write, input: {file_path: /mnt/session/outputs/report.txt, content: "two\n"}}]
  - when: {last_user_text_contains: "look for it"}
    tools: [{name: doc_grep, input: {pattern: one, path: /workspace/in}}]
  - when: {last_user_text_contains: "http://"}
    tools: [{name: net_web_fetch, input: {url: "${last_user_text}"}}]
  - when: {last_user_text_contains: "add up"}
    tools: [{name: add, input: {one: 40, other: 2}}]
otherwise:
  tools: [{name: bash, input: {command: "${last_user_text}"}}]
"#;

/// A component that answers with a number, whatever it is given.
fn adder(answer: i32) -> Result<Vec<u8>> {
    let text = format!(
        r#"(component
  (core module $code (func (export "add") (param i32 i32) (result i32) i32.const {answer}))
  (core instance $made (instantiate $code))
  (func (export "add") (param "one" u32) (param "other" u32) (result u32) (canon lift (core func $made "add"))))"#
    );
    Ok(wat::parse_str(text)?)
}

/// Writes a built-in component and its interfaces into a folder, as an author would have them.
fn lay(folder: &Path, name: &str) -> Result<()> {
    let mut guests = sinew_guest_tools::tools();
    let guest = guests
        .find(|guest| guest.name == name)
        .context("no such guest")?;
    std::fs::write(folder.join(format!("{name}.wasm")), guest.wasm)?;
    for (path, text) in guest.wit {
        let (package, file) = path.split_once('/').context("no package")?;
        let to = match package == name {
            true => folder.join(format!("{name}-wit")),
            false => folder.join(format!("{name}-wit/deps/{package}")),
        };
        std::fs::create_dir_all(&to)?;
        std::fs::write(to.join(file), text)?;
    }
    Ok(())
}

struct Setting {
    world: World,
    cli: Cli,
    folder: tempfile::TempDir,
    environment: Value,
}

impl Setting {
    async fn start(configuration: &str) -> Result<Self> {
        Self::of(World::start_with(PROGRAM, SCRIPT, configuration).await?).await
    }

    async fn of(world: World) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let cli = Cli::new(
            PROGRAM,
            &format!("http://{}", world.options.listen),
            folder.path(),
        );
        let environment = json!({"name": "e", "config": {"type": "cloud", "networking": {"type": "unrestricted"}}});
        let environment = world.client.post("/v1/environments", &environment).await?;
        Ok(Self {
            world,
            cli,
            folder,
            environment,
        })
    }

    fn agent(&self, tools: Value) -> Value {
        json!({
            "name": "with components",
            "model": "claude-sonnet-4-6",
            "tools": [{"type": "agent_toolset_20260401", "default_config":
                {"enabled": true, "permission_policy": {"type": "always_allow"}}}],
            "sinew": {"tools": tools, "deterministic": true},
        })
    }

    async fn session(&self, tools: Value) -> Result<String> {
        let client = &self.world.client;
        let agent = client.post("/v1/agents", &self.agent(tools)).await?;
        let body = json!({"agent": agent["id"], "environment_id": self.environment["id"]});
        let session = client.post("/v1/sessions", &body).await?;
        Ok(session["id"].as_str().context("no id")?.to_owned())
    }

    /// Says something, and returns what the agent says at the end of its turn.
    async fn say(&self, session: &str, text: &str) -> Result<String> {
        self.world.client.message(session, text).await?;
        let events = self.world.client.until_idle(session, "end_turn").await?;
        let said = of_kind(&events, "agent.message");
        Ok(text_of(said.last().context("nothing said")?))
    }

    /// Returns why an agent with these tools is refused.
    async fn refusal(&self, tools: Value) -> Result<String> {
        let body = self.agent(tools).to_string();
        let answer = self
            .world
            .client
            .send(Method::POST, "/v1/agents", Some(body))
            .await?;
        ensure!(answer.status == 400, "{answer:?}");
        Ok(answer.body.to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_reaches_what_the_agent_grants_it() -> Result<()> {
    let mut setting = Setting::start("").await?;
    lay(setting.folder.path(), "files")?;
    let added = ["tool", "add", "docs", "files.wasm", "--wit", "files-wit"];
    let said = setting.cli.ok(&added)?;
    ensure!(
        said.starts_with("docs version 1: edit, glob, grep, read, write"),
        "{said}"
    );
    ensure!(said.contains("it asks to: read and write files"), "{said}");
    let grants = json!({"mounts": ["/workspace/in", {"path": "/mnt/session/outputs", "access": "read_write"}]});
    let tools = json!([{"name": "docs", "prefix": "doc_", "grants": grants}]);
    let id = setting.session(tools.clone()).await?;

    // What is granted has to be there.
    let told = setting.say(&id, "read it").await?;
    ensure!(
        told.contains("/workspace/in") && told.contains("cannot have"),
        "{told}"
    );
    run(
        &setting.world,
        &id,
        "mkdir in; echo one > in/a.txt; echo hidden > other.txt",
    )
    .await?;
    assert_eq!(setting.say(&id, "read it").await?, "one\n");
    let told = setting.say(&id, "look for it").await?;
    ensure!(told.contains("in/a.txt"), "{told}");
    for refused in ["read the other", "write beside it"] {
        let events_before = setting.world.client.events(&id).await?.len();
        let told = setting.say(&id, refused).await?;
        let events = setting.world.client.events(&id).await?;
        let result = of_kind(&events[events_before..], "agent.tool_result");
        ensure!(result[0]["is_error"] == true, "{refused}: {told}");
        ensure!(!told.contains("hidden"), "{told}");
    }
    assert_eq!(run(&setting.world, &id, "ls in").await?, "a.txt\n");

    // The model is told what the author wrote, and the call is a call like any other.
    let requests = setting.world.model.requests();
    let offered = requests.last().context("no request")?.body["tools"].clone();
    let offered = offered.as_array().context("no tools")?.clone();
    let read = offered
        .iter()
        .find(|tool| tool["name"] == "doc_read")
        .context("not offered")?;
    ensure!(
        read["description"]
            .as_str()
            .unwrap_or_default()
            .starts_with("Reads a file."),
        "{read}"
    );
    ensure!(
        read["input_schema"]["required"] == json!(["file_path"]),
        "{read}"
    );
    let events = setting.world.client.events(&id).await?;
    let call = of_kind(&events, "agent.tool_use");
    let call = call
        .iter()
        .find(|call| call["name"] == "doc_read")
        .context("no call")?;
    ensure!(call["evaluated_permission"] == "allow", "{call}");

    // What it changes is one commit with its result, and is there after a crash.
    let told = setting.say(&id, "write a report").await?;
    ensure!(told.contains("report.txt"), "{told}");
    setting.world.kill()?;
    setting.world.restart()?;
    assert_eq!(
        run(&setting.world, &id, "cat /mnt/session/outputs/report.txt").await?,
        "two\n"
    );
    assert_eq!(setting.say(&id, "read it").await?, "one\n");
    let diff = setting
        .world
        .client
        .get(&format!("/sinew/v1/sessions/{id}/diff?from=1"))
        .await?;
    let paths: Vec<&str> = diff["files"]
        .as_array()
        .context("no files")?
        .iter()
        .filter_map(|file| file["path"].as_str())
        .collect();
    ensure!(
        paths.contains(&"/mnt/session/outputs/report.txt"),
        "{paths:?}"
    );
    log_rules::check(&setting.world.client.events(&id).await?)?;

    // A fork has the same tools.
    let fork = setting
        .world
        .client
        .post(&format!("/sinew/v1/sessions/{id}/fork"), &json!({}))
        .await?;
    let fork = fork["id"].as_str().context("no fork")?.to_owned();
    assert_eq!(setting.say(&fork, "read it").await?, "one\n");

    // As a file it finds the same component where it comes to, by its digest.
    let moved = setting.folder.path().join("moved.sinew");
    let moved = moved.to_str().context("no name")?.to_owned();
    setting.cli.ok(&["session", "export", &id, "-o", &moved])?;
    let environment = setting.environment["id"].as_str().context("no id")?;
    let import = ["session", "import", &moved, "--environment", environment];
    let imported = setting.cli.json(&import)?;
    let here = imported[0]["session"]["id"]
        .as_str()
        .context("no id")?
        .to_owned();
    assert_eq!(setting.say(&here, "read it").await?, "one\n");
    setting.cli.ok(&["session", "replay", &moved, "--verify"])?;

    // What nothing is granted sees nothing.
    let bare = setting
        .session(json!([{"name": "docs", "prefix": "doc_"}]))
        .await?;
    run(&setting.world, &bare, "mkdir in; echo one > in/a.txt").await?;
    let told = setting.say(&bare, "read it").await?;
    ensure!(!told.contains("one"), "{told}");

    // A person is asked where the agent says so.
    let asks = json!([{"name": "docs", "prefix": "doc_", "grants": grants, "configs": [
        {"name": "write", "permission_policy": {"type": "always_ask"}}, {"name": "grep", "enabled": false}]}]);
    let asked = setting.session(asks).await?;
    run(&setting.world, &asked, "mkdir in").await?;
    setting
        .world
        .client
        .message(&asked, "write a report")
        .await?;
    let events = setting
        .world
        .client
        .until_idle(&asked, "requires_action")
        .await?;
    let waits = &events.last().context("no events")?["stop_reason"]["event_ids"][0];
    let answer =
        json!([{"type": "user.tool_confirmation", "tool_use_id": waits, "result": "allow"}]);
    setting.world.client.send_events(&asked, answer).await?;
    setting.world.client.until_idle(&asked, "end_turn").await?;
    assert_eq!(
        run(
            &setting.world,
            &asked,
            "cat /mnt/session/outputs/report.txt"
        )
        .await?,
        "two\n"
    );
    let told = setting.say(&asked, "look for it").await?;
    ensure!(told.contains("denied"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_keeps_the_versions_that_it_began_with() -> Result<()> {
    let setting = Setting::start("").await?;
    let file = setting.folder.path().join("sums.wasm");
    let add = ["tool", "add", "sums", "sums.wasm"];
    std::fs::write(&file, adder(1)?)?;
    let first = setting.cli.json(&add)?;
    ensure!(
        first[0]["version"] == 1 && first[0]["tools"][0]["name"] == "add",
        "{first:?}"
    );
    ensure!(
        setting.cli.ok(&add)?.contains("version 1"),
        "the same is no new version"
    );
    let old = setting.session(json!([{"name": "sums"}])).await?;
    assert_eq!(setting.say(&old, "add up").await?, "1");

    std::fs::write(&file, adder(2)?)?;
    let said = setting.cli.ok(&add)?;
    ensure!(
        said.contains("sums version 2: add") && said.contains("says nothing about itself"),
        "{said}"
    );
    let new = setting.session(json!([{"name": "sums"}])).await?;
    let by_number = setting
        .session(json!([{"name": "sums", "version": 1}]))
        .await?;
    let by_digest = setting
        .session(json!([{"name": "sums", "version": first[0]["digest"]}]))
        .await?;
    for (session, expected) in [
        (&old, "1"),
        (&new, "2"),
        (&by_number, "1"),
        (&by_digest, "1"),
    ] {
        assert_eq!(setting.say(session, "add up").await?, expected);
    }
    let shown = setting
        .world
        .client
        .get(&format!("/v1/sessions/{new}"))
        .await?;
    ensure!(
        shown["agent"]["sinew"]["tools"][0]["version"] == 2,
        "{shown}"
    );
    ensure!(
        shown
            .as_object()
            .context("no object")?
            .keys()
            .all(|key| !key.starts_with('_')),
        "{shown}"
    );

    let versions = setting.cli.ok(&["tool", "versions", "sums"])?;
    ensure!(
        versions.lines().count() == 2 && versions.starts_with("2  sha256:"),
        "{versions}"
    );
    let shown: Value =
        serde_json::from_str(
            &setting
                .cli
                .ok(&["tool", "show", "sums", "--version", "1"])?,
        )?;
    ensure!(shown["digest"] == first[0]["digest"], "{shown}");
    setting.cli.ok(&[
        "tool",
        "download",
        "sums",
        "--version",
        "1",
        "-o",
        "back.wasm",
    ])?;
    ensure!(std::fs::read(setting.folder.path().join("back.wasm"))? == adder(1)?);
    ensure!(
        setting
            .cli
            .ok(&["tool", "list"])?
            .contains("sums  version 2")
    );

    let refused = setting.cli.fails(
        &["tool", "delete", "sums", "--version", "2"],
        "newest version",
    )?;
    ensure!(refused.status == 1, "{refused:?}");
    setting
        .cli
        .ok(&["tool", "delete", "sums", "--version", "1"])?;
    setting.cli.fails(
        &["tool", "show", "sums", "--version", "1"],
        "version \"1\" of tool \"sums\"",
    )?;
    setting.cli.ok(&["tool", "delete", "sums"])?;
    setting
        .cli
        .fails(&["tool", "show", "sums"], "tool \"sums\"")?;
    // What began with it still has it, as long as this daemon has it loaded.
    assert_eq!(setting.say(&new, "add up").await?, "2");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_tool_is_refused_with_its_reason() -> Result<()> {
    let setting = Setting::start("").await?;
    lay(setting.folder.path(), "files")?;
    setting.cli.ok(&["tool", "add", "docs", "files.wasm"])?;
    for (tools, fragment) in [
        (json!([{"name": "nothing"}]), "sinew.tools.0: "),
        (
            json!([{"name": "docs"}]),
            "is the name of two tools of this agent; choose a prefix",
        ),
        (
            json!([{"name": "docs", "prefix": "mcp__"}]),
            "is the name of a tool of this server",
        ),
        (
            json!([{"name": "docs", "prefix": "d_", "version": 7}]),
            "version \\\"7\\\" of tool",
        ),
        (
            json!([{"name": "docs", "prefix": "d_", "configs": [{"name": "reed"}]}]),
            "it has: edit, glob, grep, read, write",
        ),
    ] {
        let said = setting.refusal(tools.clone()).await?;
        ensure!(said.contains(fragment), "{tools}: {said}");
    }
    let session = json!({"agent": "agent_x", "environment_id": setting.environment["id"], "sinew": {"tools": []}});
    let answer = setting
        .world
        .client
        .send(Method::POST, "/v1/sessions", Some(session.to_string()))
        .await?;
    ensure!(
        answer.status == 400 && answer.body.to_string().contains("tools are an agent's"),
        "{answer:?}"
    );

    let folder = setting.folder.path();
    std::fs::write(folder.join("text.wasm"), "no component")?;
    std::fs::write(folder.join("empty.wasm"), wat::parse_str("(component)")?)?;
    std::fs::write(folder.join("cut.wasm"), &adder(1)?[..60])?;
    std::fs::write(folder.join("core.wasm"), wat::parse_str("(module)")?)?;
    std::fs::write(
        folder.join("asks.wasm"),
        wat::parse_str(
            r#"(component (import "acme:nowhere/x@1.0.0" (instance (export "f" (func)))))"#,
        )?,
    )?;
    for (file, fragment) in [
        ("text.wasm", "do not start as a component does"),
        ("core.wasm", "do not start as a component does"),
        ("empty.wasm", "exports no function that can be a tool"),
        ("cut.wasm", "component: "),
        ("asks.wasm", "acme:nowhere/x"),
        ("gone.wasm", "cannot read gone.wasm"),
    ] {
        setting.cli.fails(&["tool", "add", "bad", file], fragment)?;
    }
    setting
        .cli
        .fails(&["tool", "add", "7", "empty.wasm"], "expected a letter")?;
    setting
        .cli
        .fails(&["tool", "show", "bad"], "tool \"bad\"")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_is_what_agent_and_environment_grant_both() -> Result<()> {
    let router = Router::new().fallback(|| async { "hello from the server" });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let host = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    let setting = Setting::start(&format!("egress: {{private_hosts: [\"{host}\"]}}")).await?;
    lay(setting.folder.path(), "web")?;
    setting
        .cli
        .ok(&["tool", "add", "net", "web.wasm", "--wit", "web-wit"])?;
    let of = |hosts: Value| {
        json!([{"name": "net", "prefix": "net_", "configs": [{"name": "web_search", "enabled": false}],
            "grants": {"hosts": hosts, "environment": {"SINEW_WEB_MAX_TOKENS": "1000"}}}])
    };
    let granted = setting.session(of(json!(["127.0.0.1"]))).await?;
    let url = format!("http://{host}/page");
    let told = setting.say(&granted, &url).await?;
    ensure!(told.contains("hello from the server"), "{told}");
    let path = format!("/sinew/v1/sessions/{granted}/requests");
    let requests = setting.world.client.get(&path).await?;
    ensure!(requests["data"][0]["status"] == 200, "{requests}");
    let not = setting.session(of(json!(["example.com"]))).await?;
    let told = setting.say(&not, &url).await?;
    ensure!(told.contains("the network policy denies"), "{told}");
    Ok(())
}

/// What the server of a webhook was asked: headers and body.
type Asked = std::sync::Arc<std::sync::Mutex<Vec<(axum::http::HeaderMap, Value)>>>;

/// Starts a server that answers calls of tools; those of `hang` it never answers.
async fn server() -> Result<(std::net::SocketAddr, Asked)> {
    let asked = Asked::default();
    let answer = |axum::extract::State(asked): axum::extract::State<Asked>,
                  headers: axum::http::HeaderMap,
                  axum::Json(body): axum::Json<Value>| async move {
        let text = body["input"]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        asked.lock().unwrap().push((headers, body));
        match text.as_str() {
            "hang" => std::future::pending().await,
            "fail" => (
                axum::http::StatusCode::IM_A_TEAPOT,
                axum::Json(json!("no coffee")),
            ),
            _ => (
                axum::http::StatusCode::OK,
                axum::Json(json!({"content": format!("noted {text}"), "is_error": text == "bad"})),
            ),
        }
    };
    let router = Router::new()
        .fallback(axum::routing::post(answer))
        .with_state(asked.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((address, asked))
}

const BOUND_SCRIPT: &str = r#"
rules:
  - when: {tool_result_contains: ""}
    text: "${last_tool_result}"
  - when: {last_user_text_contains: "sum"}
    tools: [{name: sum_up, input: {one: 40, other: 2}}]
otherwise:
  tools: [{name: notify, input: {text: "${last_user_text}"}}]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn custom_tools_run_without_a_client() -> Result<()> {
    let (address, asked) = server().await?;
    let configuration = format!("egress: {{private_hosts: [\"{address}\"]}}");
    let world = World::start_with(PROGRAM, BOUND_SCRIPT, &configuration).await?;
    let mut setting = Setting::of(world).await?;
    std::fs::write(setting.folder.path().join("sums.wasm"), adder(42)?)?;
    setting.cli.ok(&["tool", "add", "sums", "sums.wasm"])?;
    let client = setting.world.client.clone();
    let vault = client
        .post("/v1/vaults", &json!({"display_name": "v"}))
        .await?;
    let vault_id = vault["id"].as_str().context("no id")?.to_owned();
    let secret = "webhook-canary-55d1";
    let credential = json!({"auth": {"type": "environment_variable", "secret_name": "HOOK_TOKEN",
        "secret_value": secret, "networking": {"type": "unrestricted"}}});
    client
        .post(&format!("/v1/vaults/{vault_id}/credentials"), &credential)
        .await?;
    let custom = |name: &str| json!({"type": "custom", "name": name, "description": "Does it.", "input_schema": {"type": "object"}});
    let agent = |bindings: Value| {
        json!({"name": "bound", "model": "claude-sonnet-4-6", "tools": [custom("sum_up"), custom("notify")],
            "sinew": {"bindings": bindings}})
    };
    let bindings = json!([
        {"tool": "sum_up", "type": "component", "name": "sums", "function": "add"},
        {"tool": "notify", "type": "webhook", "url": format!("http://{address}/calls"),
            "headers": {"Authorization": "Bearer ${HOOK_TOKEN}"}},
    ]);
    let made = client.post("/v1/agents", &agent(bindings.clone())).await?;
    let body = json!({"agent": made["id"], "environment_id": setting.environment["id"], "vault_ids": [vault_id]});
    let session = client.post("/v1/sessions", &body).await?;
    let id = session["id"].as_str().context("no id")?.to_owned();

    assert_eq!(setting.say(&id, "sum").await?, "42");
    assert_eq!(setting.say(&id, "hello").await?, "noted hello");
    let events = client.events(&id).await?;
    let calls = of_kind(&events, "agent.tool_use");
    let last = calls.last().context("no call")?;
    ensure!(
        last["name"] == "notify" && last["evaluated_permission"] == "allow",
        "{last}"
    );
    let (headers, sent) = asked.lock().unwrap().pop().context("nobody asked")?;
    ensure!(
        headers["authorization"] == format!("Bearer {secret}"),
        "{headers:?}"
    );
    ensure!(
        headers["idempotency-key"] == last["id"].as_str().unwrap_or_default(),
        "{headers:?}"
    );
    assert_eq!(
        sent,
        json!({"type": "tool_call", "session_id": id, "tool_use_id": last["id"], "name": "notify",
            "input": {"text": "hello"}})
    );
    ensure!(
        !serde_json::to_string(&events)?.contains(secret),
        "the secret is in the log"
    );
    for (text, expected) in [("bad", "noted bad"), ("fail", "418")] {
        let before = client.events(&id).await?.len();
        let told = setting.say(&id, text).await?;
        let events = client.events(&id).await?;
        let result = of_kind(&events[before..], "agent.tool_result");
        ensure!(
            told.contains(expected) && result[0]["is_error"] == true,
            "{told}: {result:?}"
        );
    }

    // A call that had left when the daemon died is told, and not made again.
    client.message(&id, "hang").await?;
    while asked
        .lock()
        .unwrap()
        .iter()
        .all(|(_, body)| body["input"]["text"] != "hang")
    {
        tokio::task::yield_now().await;
    }
    setting.world.kill()?;
    setting.world.restart()?;
    let events = setting.world.client.until_idle(&id, "end_turn").await?;
    let said = of_kind(&events, "agent.message");
    let told = text_of(said.last().context("nothing said")?);
    ensure!(told.contains("outcome of this call is unknown"), "{told}");
    let hung = asked
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, body)| body["input"]["text"] == "hang")
        .count();
    ensure!(hung == 1, "asked {hung} times");
    log_rules::check(&setting.world.client.events(&id).await?)?;

    // Without its credential nothing is sent.
    let body = json!({"agent": made["id"], "environment_id": setting.environment["id"]});
    let session = setting.world.client.post("/v1/sessions", &body).await?;
    let bare = session["id"].as_str().context("no id")?.to_owned();
    let told = setting.say(&bare, "hello").await?;
    ensure!(told.contains("has no credential HOOK_TOKEN"), "{told}");

    for (bindings, fragment) in [
        (
            json!([{"tool": "other", "type": "webhook", "url": "http://a.test"}]),
            "has no custom tool",
        ),
        (
            json!([{"tool": "sum_up", "type": "component", "name": "none"}]),
            "sinew.bindings.0: ",
        ),
        (
            json!([{"tool": "sum_up", "type": "component", "name": "sums"}]),
            "no function",
        ),
    ] {
        let body = agent(bindings).to_string();
        let answer = setting
            .world
            .client
            .send(Method::POST, "/v1/agents", Some(body))
            .await?;
        ensure!(
            answer.status == 400 && answer.body.to_string().contains(fragment),
            "{answer:?}"
        );
    }
    Ok(())
}

/// An agent that another one started has no more of a component than that one.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_delegated_reaches_no_more() -> Result<()> {
    let script = r#"
conversations:
  - when: {system_contains: You are the writer.}
    turns:
      - tools: [{name: w_write, input: {file_path: /workspace/x.txt, content: "x"}}]
      - text: Done.
  - when: {system_contains: You are the coordinator.}
    turns:
      - tools: [{name: start_agent, input: {agent: writer, message: Write.}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - text: Done.
otherwise: {text: Noted.}
"#;
    let world = World::start(PROGRAM, script).await?;
    let setting = Setting::of(world).await?;
    lay(setting.folder.path(), "files")?;
    setting.cli.ok(&["tool", "add", "docs", "files.wasm"])?;
    let client = &setting.world.client;
    let tools = |prefix: &str, access: &str| json!([{"name": "docs", "prefix": prefix, "grants": {"mounts": [{"path": "/workspace", "access": access}]}}]);
    for (access, is_free, expected) in [
        ("read_only", false, false),
        ("read_write", false, true),
        ("read_only", true, true),
    ] {
        let writer = json!({"name": "writer", "model": "claude-sonnet-4-6", "system": "You are the writer.", "sinew": {"tools": tools("w_", "read_write")}});
        let writer = client.post("/v1/agents", &writer).await?;
        let mut ours = json!({"tools": tools("c_", access)});
        if !is_free {
            ours["delegation"] = json!({"depth": 1});
        }
        let coordinator = json!({"name": "coordinator", "model": "claude-sonnet-4-6", "system": "You are the coordinator.", "sinew": ours,
            "multiagent": {"type": "coordinator", "agents": [writer["id"]]}});
        let coordinator = client.post("/v1/agents", &coordinator).await?;
        let body = json!({"agent": coordinator["id"], "environment_id": setting.environment["id"]});
        let session = client.post("/v1/sessions", &body).await?;
        let id = session["id"].as_str().context("no id")?.to_owned();
        client.message(&id, "go").await?;
        client.until_idle(&id, "end_turn").await?;
        let threads = client.list(&format!("/v1/sessions/{id}/threads")).await?;
        let child = threads
            .iter()
            .find(|thread| !thread["parent_thread_id"].is_null())
            .context("no child")?;
        let path = format!(
            "/v1/sessions/{id}/threads/{}/events?limit=1000",
            child["id"].as_str().unwrap_or_default()
        );
        let events = client.list(&path).await?;
        let results = of_kind(&events, "agent.tool_result");
        let result = results.first().context("no result")?;
        ensure!(
            (result["is_error"] != true) == expected,
            "{access} {is_free}: {result}"
        );
    }
    Ok(())
}
