//! Sessions on a self-hosted environment: the official SDK's worker and its tool runner, unmodified, do what
//! the hands would do elsewhere, and a worker that dies is replaced.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::client::idle_reason;
use sinew_tests::log_rules::{check, check_stored, kinds, of_kind, text_of};
use sinew_tests::python;
use sinew_tests::world::World;

use crate::PROGRAM;

/// A worker that is not heard of for this long is replaced.
const CONFIGURATION: &str = "work_lease_ms: 4000";

const SCRIPT: &str = r#"
conversations:
  - when: {first_user_text_contains: use the tools}
    turns:
      - tools: [{name: bash, input: {command: "printf 'one\ntwo\n' > a.txt; pwd"}}]
      - tools:
          - {name: edit, input: {file_path: a.txt, old_string: two, new_string: TWO}}
          - {name: write, input: {file_path: sub/b.txt, content: "three"}}
          - {name: glob, input: {pattern: "**/*.txt"}}
          - {name: grep, input: {pattern: TWO}}
      - tools: [{name: read, input: {file_path: a.txt}}]
      - text: "It holds: ${last_tool_result}"
      - text: "Again."
  - when: {first_user_text_contains: hold on}
    turns:
      - tools: [{name: bash, input: {command: "if mkdir first 2>/dev/null; then echo here > pipe; cat gate; else echo again; fi"}}]
      - tools: [{name: write, input: {file_path: end.txt, content: "the end"}}]
      - text: "Then: ${last_tool_result}"
  - when: {first_user_text_contains: run it}
    turns:
      - tools: [{name: bash, input: {command: "echo run > r.txt"}}]
      - tools: [{name: read, input: {file_path: r.txt}}]
      - text: "Ran: ${last_tool_result}"
  - when: {first_user_text_contains: ask me}
    turns:
      - tools:
          - {name: write, input: {file_path: yes.txt, content: "yes"}}
          - {name: write, input: {file_path: no.txt, content: "no"}}
      - text: "Asked."
  - when: {first_user_text_contains: remember}
    turns:
      - tools:
          - {name: read, input: {file_path: skills/house-rules/SKILL.md}}
          - {name: bash, input: {command: "skills/house-rules/sign.sh < /mnt/memory/worker-test/greeting.md"}}
      - tools:
          - {name: write, input: {file_path: /mnt/memory/worker-test/learned/answer.md, content: "It is 42."}}
          - {name: edit, input: {file_path: /mnt/memory/worker-test/greeting.md, old_string: day, new_string: evening}}
          - {name: bash, input: {command: "rm /mnt/memory/worker-test/old.md"}}
          - {name: write, input: {file_path: /mnt/memory/worker-test-facts/mine.md, content: "Mine."}}
      - text: "Learned."
  - when: {first_user_text_contains: nobody}
    turns:
      - tools: [{name: bash, input: {command: "true"}}, {name: read, input: {file_path: x}}]
      - text: "Interrupted."
      - text: "Never."
"#;

/// A world with a self-hosted environment and a key of its workers.
struct Hosted {
    world: World,
    environment: String,
    key: String,
    /// The folder of the workers.
    folder: PathBuf,
}

/// A worker's process; dropping it kills it.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Hosted {
    async fn start() -> Result<Self> {
        let world = World::start_with(PROGRAM, SCRIPT, CONFIGURATION).await?;
        let body = json!({"name": "ours", "config": {"type": "self_hosted"}});
        let environment = world.client.post("/v1/environments", &body).await?;
        let environment = environment["id"].as_str().context("no id")?.to_owned();
        let made = sinew(
            &world,
            &["environment", "key", "create", &environment, "--json"],
        )?;
        let made: Value = serde_json::from_str(&made)?;
        let folder = world.folder().join("work");
        std::fs::create_dir(&folder)?;
        Ok(Self {
            key: made["key"].as_str().context("no key")?.to_owned(),
            environment,
            folder,
            world,
        })
    }

    async fn session(&self, tools: Value) -> Result<String> {
        self.session_with(tools, json!([]), json!([])).await
    }

    async fn session_with(&self, tools: Value, skills: Value, resources: Value) -> Result<String> {
        let agent = json!({
            "name": "tester", "model": "claude-sonnet-4-6", "tools": tools, "skills": skills,
        });
        let agent = self.world.client.post("/v1/agents", &agent).await?;
        let session = json!({
            "agent": agent["id"], "environment_id": self.environment, "resources": resources,
        });
        let session = self.world.client.post("/v1/sessions", &session).await?;
        Ok(session["id"].as_str().context("no id")?.to_owned())
    }

    fn python(&self, program: &str) -> Result<Command> {
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/python/worker");
        let mut command = Command::new(python::interpreter()?);
        command
            .arg("-B")
            .arg(programs.join(program))
            .env("SINEW_TEST_URL", &self.world.client.url)
            .env("SINEW_TEST_ENVIRONMENT", &self.environment)
            .env("SINEW_TEST_KEY", &self.key)
            .env("SINEW_TEST_FOLDER", &self.folder)
            .env_remove("ANTHROPIC_BASE_URL")
            .env_remove("ANTHROPIC_API_KEY");
        Ok(command)
    }

    fn worker(&self) -> Result<Worker> {
        Ok(Worker(self.python("serve.py")?.spawn()?))
    }

    /// Starts a worker that may write below `/mnt`: the SDK puts a memory store at the very path that the server
    /// names. Where the system lets it, that is a `/mnt` of its own, and nothing of the machine's is touched.
    fn worker_with_mounts(&self) -> Result<Worker> {
        let own_mnt = "mount -t tmpfs tmpfs /mnt && exec \"$@\"";
        let in_own = |command: &[&std::ffi::OsStr]| {
            let mut own = Command::new("unshare");
            own.args([
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                own_mnt,
                "sh",
            ]);
            own.args(command);
            own
        };
        let is_let = in_own(&["true".as_ref()]).output();
        if !is_let.is_ok_and(|output| output.status.success()) {
            return self.worker();
        }
        let python = self.python("serve.py")?;
        let mut words = vec![python.get_program()];
        words.extend(python.get_args());
        let mut own = in_own(&words);
        for (name, value) in python.get_envs() {
            match value {
                Some(value) => own.env(name, value),
                None => own.env_remove(name),
            };
        }
        Ok(Worker(own.spawn()?))
    }

    /// Waits until the worker has ended the newest item.
    async fn until_item_ends(&self) -> Result<()> {
        let list = format!("/v1/environments/{}/work?limit=10", self.environment);
        let as_worker = self.world.client.with_key(&self.key);
        let is_over = async {
            while as_worker.get(&list).await?["data"][0]["state"] != "stopped" {
                tokio::task::yield_now().await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), is_over).await?
    }

    fn read(&self, file: &str) -> Result<String> {
        std::fs::read_to_string(self.folder.join(file)).with_context(|| file.to_owned())
    }

    /// Returns what an operator sees of the queue.
    async fn stats(&self) -> Result<Value> {
        let path = format!("/v1/environments/{}/work/stats", self.environment);
        self.world.client.get(&path).await
    }
}

/// Runs a command of the program on the world's data and returns what it prints.
fn sinew(world: &World, arguments: &[&str]) -> Result<String> {
    let output = Command::new(PROGRAM)
        .args(arguments)
        .arg("--data")
        .arg(&world.options.data)
        .output()?;
    ensure!(output.status.success(), "{arguments:?}: {output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

fn toolset() -> Value {
    json!([{"type": "agent_toolset_20260401"}])
}

fn last_text(events: &[Value]) -> String {
    let messages = of_kind(events, "agent.message");
    messages
        .last()
        .map(|event| text_of(event))
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_worker_serves_a_session_to_its_end() -> Result<()> {
    let mut hosted = Hosted::start().await?;
    let client = hosted.world.client.clone();
    let session = hosted.session(toolset()).await?;
    ensure!(
        hosted.stats().await?["depth"] == 1,
        "queued with the session"
    );
    let worker = hosted.worker()?;
    client.message(&session, "use the tools").await?;
    let events = client.until_idle(&session, "end_turn").await?;
    check(&events)?;
    let text = last_text(&events);
    ensure!(text.contains("one") && text.contains("TWO"), "{text}");
    ensure!(hosted.read("a.txt")? == "one\nTWO\n");
    ensure!(hosted.read("sub/b.txt")? == "three");
    let results = of_kind(&events, "user.tool_result");
    ensure!(results.len() == 6, "{:?}", kinds(&events));
    for result in &results {
        ensure!(result["is_error"] == false, "{result}");
    }
    ensure!(
        of_kind(&events, "agent.tool_result").is_empty(),
        "no hand of ours ran"
    );
    let pwd = text_of(results[0]);
    ensure!(
        Path::new(pwd.trim()).canonicalize()? == hosted.folder.canonicalize()?,
        "{pwd}"
    );

    // Quiet for a second: the worker ends its item. The next input is served again.
    let list = format!("/v1/environments/{}/work?limit=10", hosted.environment);
    let as_worker = client.with_key(&hosted.key);
    hosted.until_item_ends().await?;
    client.message(&session, "once more").await?;
    ensure!(as_worker.get(&list).await?["data"].as_array().map(Vec::len) == Some(2));
    client.until_idle(&session, "end_turn").await?;
    drop(worker);

    // What the key opens, it opens no longer.
    let keys = sinew(
        &hosted.world,
        &["environment", "key", "list", &hosted.environment, "--json"],
    )?;
    let keys: Value = serde_json::from_str(&keys)?;
    let id = keys["id"].as_str().context("no id")?;
    sinew(&hosted.world, &["environment", "key", "revoke", id])?;
    let refused = as_worker.send(reqwest::Method::GET, &list, None).await?;
    ensure!(refused.status == 401, "{refused:?}");
    ensure!(hosted.world.stop()?.success());
    check_stored(&hosted.world.options.data, &session).await?;
    Ok(())
}

/// Makes a skill with a program, and returns its id.
fn house_rules(world: &World) -> Result<String> {
    let folder = world.folder().join("house-rules");
    std::fs::create_dir(&folder)?;
    let about =
        "---\nname: house-rules\ndescription: How we sign.\n---\nPipe the text through sign.sh.\n";
    std::fs::write(folder.join("SKILL.md"), about)?;
    let program = folder.join("sign.sh");
    std::fs::write(&program, "#!/bin/sh\nsed 's/$/ -- the house/'\n")?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    let cli = Cli::new(PROGRAM, &world.client.url, &world.folder());
    cli.id(&["skill", "create", "house-rules"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workers_session_has_its_skill_and_its_memory() -> Result<()> {
    let mut hosted = Hosted::start().await?;
    let client = hosted.world.client.clone();
    let skill = house_rules(&hosted.world)?;
    let mut stores = Vec::new();
    for name in ["worker-test", "worker-test-facts"] {
        let body = json!({"name": name, "description": format!("about {name}")});
        let store = client.post("/v1/memory_stores", &body).await?;
        stores.push(store["id"].as_str().context("no id")?.to_owned());
    }
    let memories = |store: &str| format!("/v1/memory_stores/{store}/memories");
    for (path, content) in [("/greeting.md", "Good day."), ("/old.md", "Old.")] {
        let body = json!({"path": path, "content": content});
        client.post(&memories(&stores[0]), &body).await?;
    }
    let session = hosted
        .session_with(
            toolset(),
            json!([{"type": "custom", "skill_id": skill}]),
            json!([
                {"type": "memory_store", "memory_store_id": stores[0]},
                {"type": "memory_store", "memory_store_id": stores[1], "access": "read_only"},
            ]),
        )
        .await?;
    let worker = hosted.worker_with_mounts()?;
    client.message(&session, "remember").await?;
    let events = client.until_idle(&session, "end_turn").await?;
    check(&events)?;
    let results = of_kind(&events, "user.tool_result");
    let texts: Vec<String> = results.iter().map(|result| text_of(result)).collect();
    ensure!(texts[0].contains("Pipe the text"), "{texts:#?}");
    ensure!(texts[1].trim() == "Good day. -- the house", "{texts:#?}");
    let failed: Vec<bool> = results.iter().map(|one| one["is_error"] == true).collect();
    ensure!(
        failed == [false, false, false, false, false, true],
        "only the write into what is mounted read-only is refused: {texts:#?}"
    );
    // The model was told where the worker has them.
    let asked = hosted.world.model.requests();
    let system = asked[0].body["system"].to_string();
    for part in ["(skills/house-rules/SKILL.md)", "/mnt/memory/worker-test"] {
        ensure!(system.contains(part), "{part}: {system}");
    }
    ensure!(!system.contains("/workspace") && !system.contains("/mnt/skills"));

    // The worker brings the memory back when it has served the session.
    hosted.until_item_ends().await?;
    let of_session =
        |store: &str| format!("/v1/memory_stores/{store}/memory_versions?session_id={session}");
    let versions = client.list(&of_session(&stores[0])).await?;
    let mut changes: Vec<String> = Vec::new();
    for version in &versions {
        let actor = json!({"type": "session_actor", "session_id": session});
        ensure!(version["created_by"] == actor, "{version}");
        changes.push(format!("{} {}", version["operation"], version["path"]).replace('"', ""));
    }
    changes.sort();
    ensure!(
        changes
            == [
                "created /learned/answer.md",
                "deleted /old.md",
                "modified /greeting.md"
            ],
        "{changes:?}"
    );
    let list = format!("{}?view=full", memories(&stores[0]));
    let kept = client.list(&list).await?;
    let kept: Vec<&Value> = kept.iter().map(|memory| &memory["content"]).collect();
    ensure!(kept == ["Good evening.", "It is 42."], "{kept:?}");
    ensure!(client.list(&of_session(&stores[1])).await?.is_empty());
    ensure!(client.get(&memories(&stores[1])).await?["data"] == json!([]));
    drop(worker);
    ensure!(hosted.world.stop()?.success());
    check_stored(&hosted.world.options.data, &session).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_worker_takes_over_from_one_that_was_killed_in_a_call() -> Result<()> {
    let mut hosted = Hosted::start().await?;
    let client = hosted.world.client.clone();
    for fifo in ["pipe", "gate"] {
        let made = Command::new("mkfifo")
            .arg(hosted.folder.join(fifo))
            .status()?;
        ensure!(made.success());
    }
    let session = hosted.session(toolset()).await?;
    let mut first = hosted.worker()?;
    client.message(&session, "hold on").await?;
    let pipe = hosted.folder.join("pipe");
    // Returns once the call runs.
    let heard = tokio::task::spawn_blocking(move || std::fs::read_to_string(pipe)).await??;
    ensure!(heard == "here\n");
    first.0.kill()?;
    first.0.wait()?;
    // The daemon dies too: the queue and its leases are stored.
    hosted.world.kill()?;
    hosted.world.restart()?;
    let second = hosted.worker()?;
    let events = client.until_idle(&session, "end_turn").await?;
    check(&events)?;
    let results = of_kind(&events, "user.tool_result");
    ensure!(text_of(results[0]).trim() == "again", "{}", results[0]);
    ensure!(results.len() == 2 && hosted.read("end.txt")? == "the end");
    ensure!(
        last_text(&events).contains("Then: wrote 7 bytes"),
        "{}",
        last_text(&events)
    );
    drop(second);
    // The first worker's shell has outlived it and ends here.
    let gate = hosted.folder.join("gate");
    tokio::task::spawn_blocking(move || std::fs::write(gate, "")).await??;
    ensure!(hosted.world.stop()?.success());
    check_stored(&hosted.world.options.data, &session).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_tool_runner_serves_a_session_with_an_api_key() -> Result<()> {
    let hosted = Hosted::start().await?;
    let client = &hosted.world.client;
    let session = hosted.session(toolset()).await?;
    client.message(&session, "run it").await?;
    let mut command = hosted.python("runner.py")?;
    command.env("SINEW_TEST_SESSION", &session);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{errors}");
    let events = client.until_idle(&session, "end_turn").await?;
    check(&events)?;
    ensure!(
        last_text(&events).contains("Ran: run"),
        "{}",
        last_text(&events)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_ask_run_at_the_worker_once_they_are_allowed() -> Result<()> {
    let hosted = Hosted::start().await?;
    let client = &hosted.world.client;
    let ask = json!({"permission_policy": {"type": "always_ask"}});
    let tools = json!([{"type": "agent_toolset_20260401", "default_config": ask}]);
    let session = hosted.session(tools).await?;
    client.message(&session, "ask me").await?;
    let events = client.until_idle(&session, "requires_action").await?;
    let calls = of_kind(&events, "agent.tool_use");
    let result = json!([{"type": "user.tool_result", "tool_use_id": calls[0]["id"]}]);
    let path = format!("/v1/sessions/{session}/events");
    let body = json!({ "events": result }).to_string();
    let early = client
        .send(reqwest::Method::POST, &path, Some(body))
        .await?;
    ensure!(early.status == 400, "not before it is confirmed: {early:?}");
    let worker = hosted.worker()?;
    let confirm = |call: &Value, result: &str| json!({"type": "user.tool_confirmation", "tool_use_id": call["id"], "result": result});
    let confirmations = json!([confirm(calls[0], "allow"), confirm(calls[1], "deny")]);
    client.send_events(&session, confirmations).await?;
    let events = client.until_idle(&session, "end_turn").await?;
    check(&events)?;
    ensure!(hosted.read("yes.txt")? == "yes" && hosted.read("no.txt").is_err());
    ensure!(of_kind(&events, "user.tool_result").len() == 1);
    ensure!(text_of(of_kind(&events, "agent.tool_result")[0]).contains("rejected"));
    drop(worker);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_no_worker_serves_waits_and_can_be_interrupted() -> Result<()> {
    let mut hosted = Hosted::start().await?;
    let client = hosted.world.client.clone();
    let session = hosted.session(toolset()).await?;
    client.message(&session, "nobody is there").await?;
    let events = client.until_idle(&session, "requires_action").await?;
    let calls = of_kind(&events, "agent.tool_use");
    let waiting = events.last().context("no events")?["stop_reason"]["event_ids"].clone();
    ensure!(
        waiting == json!([calls[0]["id"], calls[1]["id"]]),
        "{waiting}"
    );
    let path = format!("/v1/sessions/{session}/events");
    for bad in [
        json!({"type": "user.message", "content": [{"type": "text", "text": "hello?"}]}),
        json!({"type": "user.tool_result", "tool_use_id": "sevt_nothing"}),
        json!({"type": "user.custom_tool_result", "custom_tool_use_id": calls[0]["id"]}),
        json!({"type": "user.tool_confirmation", "tool_use_id": calls[0]["id"], "result": "allow"}),
    ] {
        let body = json!({ "events": [bad] }).to_string();
        let answer = client
            .send(reqwest::Method::POST, &path, Some(body))
            .await?;
        ensure!(answer.status == 400, "{bad}: {answer:?}");
    }
    // One result alone leaves the other one waited for.
    let content = json!([{"type": "text", "text": "ok"}]);
    let result =
        json!({"type": "user.tool_result", "tool_use_id": calls[0]["id"], "content": content});
    let sent = client.send_events(&session, json!([result])).await?;
    ensure!(sent["data"][0]["processed_at"].is_string(), "{sent}");
    let body = json!({ "events": [result] }).to_string();
    let again = client
        .send(reqwest::Method::POST, &path, Some(body))
        .await?;
    ensure!(again.status == 400, "only once: {again:?}");
    client
        .send_events(&session, json!([{"type": "user.interrupt"}]))
        .await?;
    let events = client.until_idle(&session, "end_turn").await?;
    check(&events)?;
    // Of the kind that workers look for, so that none runs it later.
    let results = of_kind(&events, "user.tool_result");
    ensure!(results[1]["tool_use_id"] == calls[1]["id"] && results[1]["is_error"] == true);
    ensure!(idle_reason(&events) == Some("end_turn"));
    // Elsewhere there are no workers to send results.
    let cloud = client.new_session("claude-sonnet-4-6").await?;
    let path = format!("/v1/sessions/{cloud}/events");
    let body =
        json!({"events": [{"type": "user.tool_result", "tool_use_id": "sevt_1"}]}).to_string();
    let refused = client
        .send(reqwest::Method::POST, &path, Some(body))
        .await?;
    ensure!(
        refused.body.to_string().contains("self-hosted"),
        "{refused:?}"
    );
    // Nobody's files are mounted there.
    let resources = json!([{"type": "file", "file_id": "file_1"}]);
    let agent = json!({"name": "a", "model": "claude-sonnet-4-6"});
    let agent = client.post("/v1/agents", &agent).await?;
    let body = json!({
        "agent": agent["id"],
        "environment_id": hosted.environment,
        "resources": resources,
    });
    let refused = client
        .send(
            reqwest::Method::POST,
            "/v1/sessions",
            Some(body.to_string()),
        )
        .await?;
    ensure!(refused.status == 400, "{refused:?}");
    ensure!(hosted.world.stop()?.success());
    check_stored(&hosted.world.options.data, &session).await?;
    Ok(())
}
