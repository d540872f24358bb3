//! Fork, rewind and diff of whole sessions: conversation, files and shell together, through HTTP and the command line.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use axum::http::Method;
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::turn::{newest, run};
use sinew_tests::world::World;

use crate::PROGRAM;

/// The agent runs what the user writes, and says what came of it.
const SCRIPT: &str = r#"
rules:
  - when: {tool_result_contains: ""}
    text: "${last_tool_result}"
otherwise:
  tools: [{name: bash, input: {command: "${last_user_text}"}}]
"#;

async fn fork(world: &World, session: &str, body: Value) -> Result<String> {
    let path = format!("/sinew/v1/sessions/{session}/fork");
    let made = world.client.post(&path, &body).await?;
    Ok(made["id"].as_str().context("no id")?.to_owned())
}

async fn rewind(world: &World, session: &str, body: Value) -> Result<Value> {
    let path = format!("/sinew/v1/sessions/{session}/rewind");
    world.client.post(&path, &body).await
}

/// Returns the texts of the newest request that the model got, in order.
fn last_request(world: &World) -> Vec<String> {
    let requests = world.model.requests();
    let messages = requests
        .last()
        .map(|request| request.body["messages"].clone());
    let messages = messages.unwrap_or_default();
    let mut texts = Vec::new();
    for message in messages.as_array().into_iter().flatten() {
        for block in message["content"].as_array().into_iter().flatten() {
            if block["type"] == "text" {
                texts.push(block["text"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_goes_its_own_way() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let session = world.client.new_session("claude-sonnet-4-6").await?;
    run(
        &world,
        &session,
        "n=1; echo one > a.txt; mkdir d; echo kept > d/kept.txt",
    )
    .await?;
    let early = newest(&world, &session, "session.status_idle").await?;
    run(
        &world,
        &session,
        "n=2; echo two >> a.txt; rm d/kept.txt; cd d",
    )
    .await?;

    // As it was then, and as it is now.
    let then = fork(
        &world,
        &session,
        json!({"event_id": early, "title": "then"}),
    )
    .await?;
    let now = fork(&world, &session, json!({})).await?;
    let show = "echo $n; pwd; cat /workspace/a.txt; ls /workspace/d";
    assert_eq!(
        run(&world, &then, show).await?,
        "1\n/workspace\none\nkept.txt\n"
    );
    assert_eq!(last_request(&world).len(), 3, "{:?}", last_request(&world));
    assert_eq!(
        run(&world, &now, show).await?,
        "2\n/workspace/d\none\ntwo\n"
    );

    // Each has its own future, and the others do not see it.
    run(&world, &then, "echo fork >> /workspace/a.txt").await?;
    assert_eq!(
        run(&world, &session, "cat /workspace/a.txt").await?,
        "one\ntwo\n"
    );
    let all = world.client.events(&session).await?;
    let forked = world.client.events(&then).await?;
    let shared = forked
        .iter()
        .take_while(|event| all.contains(event))
        .count();
    ensure!(shared > 8, "only {shared} events are shared");
    let ours = forked.len() - shared;
    ensure!(
        forked.iter().skip(shared).all(|event| !all.contains(event)),
        "{ours} of its own"
    );
    for id in [&session, &then, &now] {
        log_rules::check(&world.client.events(id).await?)?;
    }

    // What it costs is its own; where it comes from is told.
    let told = world
        .client
        .get(&format!("/sinew/v1/sessions/{then}"))
        .await?;
    assert_eq!(told["title"], "then");
    assert_eq!(told["forked_from"]["session_id"], session.as_str());
    assert_eq!(told["forked_from"]["event_id"], early.as_str());

    // It outlives the session that it comes from, and the daemon.
    let gone = world
        .client
        .send(Method::DELETE, &format!("/v1/sessions/{session}"), None)
        .await?;
    assert_eq!(gone.status, 200);
    world.kill()?;
    world.restart()?;
    assert_eq!(
        run(&world, &then, "cat a.txt d/kept.txt").await?,
        "one\nfork\nkept\n"
    );
    // A fork of a fork; and folders that are gone from this machine.
    let third = fork(&world, &then, json!({})).await?;
    world.kill()?;
    std::fs::remove_dir_all(world.options.data.join("sessions").join(&then))?;
    world.restart()?;
    assert_eq!(run(&world, &third, "cat a.txt").await?, "one\nfork\n");
    assert_eq!(
        run(&world, &then, "cat a.txt; echo $n").await?,
        "one\nfork\n1\n"
    );
    assert!(world.stop()?.success());
    for id in [&then, &now, &third] {
        log_rules::check_stored(&world.options.data, id).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewind_takes_conversation_files_and_shell_back() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let session = world.client.new_session("claude-sonnet-4-6").await?;
    run(
        &world,
        &session,
        "x=before; echo first > a.txt; ln -s a.txt link; chmod 600 a.txt",
    )
    .await?;
    let point = newest(&world, &session, "session.status_idle").await?;
    run(
        &world,
        &session,
        "x=after; echo SECRETWORD > a.txt; rm link; mkdir e; mv a.txt e; touch b",
    )
    .await?;
    let regretted = newest(&world, &session, "user.message").await?;
    let before = world.client.events(&session).await?;
    let cost = world.client.get(&format!("/v1/sessions/{session}")).await?["usage"].clone();

    let told = rewind(&world, &session, json!({"event_id": point})).await?;
    assert_eq!(told["rewinds"].as_array().map(Vec::len), Some(1));
    assert_eq!(told["status"], "idle");
    // Nothing is erased, and nothing is refunded.
    assert_eq!(world.client.events(&session).await?, before);
    assert_eq!(told["usage"]["input_tokens"], cost["input_tokens"]);
    let show = "echo $x; cat a.txt link; stat -c '%a %F' a.txt link; ls";
    let expected = "before\nfirst\nfirst\n600 regular file\n777 symbolic link\na.txt\nlink\n";
    assert_eq!(run(&world, &session, show).await?, expected);
    let asked = last_request(&world).join("\n");
    ensure!(
        !asked.contains("SECRETWORD") && asked.contains("first > a.txt"),
        "{asked}"
    );
    // Also after a restart, and a second time to a point that had been given up.
    world.kill()?;
    world.restart()?;
    assert_eq!(
        run(&world, &session, "cat a.txt; echo $x").await?,
        "first\nbefore\n"
    );
    let given_up = before
        .iter()
        .rev()
        .find(|event| event["type"] == "session.status_idle");
    let given_up = given_up
        .and_then(|event| event["id"].as_str())
        .context("no end")?;
    rewind(&world, &session, json!({"event_id": given_up})).await?;
    assert_eq!(
        run(&world, &session, "cat e/a.txt; echo $x; ls").await?,
        "SECRETWORD\nafter\nb\ne\n"
    );
    ensure!(
        last_request(&world)
            .join("\n")
            .contains("SECRETWORD > a.txt")
    );
    // Just before a message: as if it had never been sent.
    rewind(&world, &session, json!({"before_event_id": regretted})).await?;
    assert_eq!(
        run(&world, &session, "cat a.txt; echo $x").await?,
        "first\nbefore\n"
    );
    // To the very beginning.
    let first = before[0]["id"].as_str().context("no id")?;
    rewind(&world, &session, json!({"before_event_id": first})).await?;
    assert_eq!(
        run(&world, &session, "ls -A /workspace; echo \"<$x>\"").await?,
        "<>\n"
    );
    assert_eq!(last_request(&world).len(), 1);
    assert!(world.stop()?.success());
    log_rules::check_stored(&world.options.data, &session).await?;
    Ok(())
}

/// Applies a patch with git to a folder.
fn apply(folder: &Path, patch: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let file = folder.join(".patch");
    std::fs::write(&file, patch)?;
    let ran = Command::new("git")
        .arg("apply")
        .arg("--whitespace=nowarn")
        .arg(&file)
        .current_dir(folder)
        .output()?;
    ensure!(
        ran.status.success(),
        "{}\n{patch}",
        String::from_utf8_lossy(&ran.stderr)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_is_a_patch_that_git_takes() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let session = world.client.new_session("claude-sonnet-4-6").await?;
    run(&world, &session, "seq 1 30 > lines; printf 'no end' > end; echo old > gone; : > empty; mkdir 'a b'; echo x > 'a b/c'").await?;
    let first = newest(&world, &session, "session.status_idle").await?;
    run(&world, &session, "sed -i 's/^7$/seven/; s/^20$/twenty/' lines; printf 'still no end' > end; rm gone empty; \
         echo '#!/bin/sh' > run; chmod +x run; ln -s run link; head -c 3000 /dev/zero > zeros; mv 'a b' d; : > new").await?;
    let folder = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, &world.client.url, folder.path());
    let whole = cli.ok(&["session", "diff", &session, "--to", &first])?;
    let tree = folder.path().join("tree");
    apply(&tree, &whole)?;
    assert_eq!(
        std::fs::read_to_string(tree.join("workspace/end"))?,
        "no end"
    );
    assert_eq!(std::fs::read(tree.join("workspace/empty"))?, b"");
    let change = cli.ok(&["session", "diff", &session, "--from", &first])?;
    ensure!(
        change.contains("Binary files /dev/null and b/workspace/zeros differ"),
        "{change}"
    );
    ensure!(change.contains("@@ -4,7 +4,7 @@"), "{change}");
    let text: String = change
        .split_inclusive("diff --git ")
        .collect::<Vec<_>>()
        .join("")
        .split("diff --git ")
        .filter(|part| !part.contains("zeros") && !part.is_empty())
        .map(|part| format!("diff --git {part}"))
        .collect();
    apply(&tree, &text)?;
    let work = tree.join("workspace");
    assert_eq!(std::fs::read_to_string(work.join("end"))?, "still no end");
    ensure!(std::fs::read_to_string(work.join("lines"))?.contains("seven\n8\n"));
    ensure!(
        !work.join("gone").exists() && !work.join("a b").exists() && !work.join("empty").exists()
    );
    assert_eq!(std::fs::read_link(work.join("link"))?, Path::new("run"));
    assert_eq!(std::fs::read_to_string(work.join("d/c"))?, "x\n");

    let stat = cli.ok(&["session", "diff", &session, "--from", &first, "--stat"])?;
    for line in [
        "M /workspace/lines  +2 -2",
        "D /workspace/gone  +0 -1",
        "A /workspace/zeros  (3000 bytes)",
    ] {
        ensure!(
            stat.lines().any(|shown| shown == line),
            "{line:?} is not in\n{stat}"
        );
    }
    let json = cli.json(&["session", "diff", &session, "--from", &first])?;
    let files = json[0]["files"].as_array().context("no files")?;
    let run = files
        .iter()
        .find(|file| file["path"] == "/workspace/run")
        .context("no run")?;
    assert_eq!(
        (&run["change"], &run["new"]["mode"]),
        (&json!("added"), &json!("755"))
    );
    // The same point twice differs in nothing.
    let same = cli.ok(&[
        "session", "diff", &session, "--from", &first, "--to", &first,
    ])?;
    assert_eq!(same, "");
    // A fork is compared with what it began with.
    let forked = cli.ok(&["session", "fork", &session, "--at", &first])?;
    assert_eq!(cli.ok(&["session", "diff", forked.trim()])?, "");
    let ids = cli.ok(&["session", "events", &session, "--ids"])?;
    ensure!(ids.lines().any(|line| line.starts_with(&first)), "{ids}");
    let back = cli.ok(&["session", "rewind", &session, "--at", &first])?;
    ensure!(back.contains("is as it was"), "{back}");
    assert_eq!(
        cli.ok(&["session", "diff", &session, "--from", &first])?,
        ""
    );
    cli.fails(&["session", "rewind", &session], "event_id")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_gone_back_to_is_refused() -> Result<()> {
    let script = r#"
rules:
  - when: {last_user_text_contains: wait}
    tools: [{name: bash, input: {command: "until [ -e /workspace/go ]; do sleep 0.02; done"}}]
otherwise: {text: Done.}
"#;
    let world = World::start(PROGRAM, script).await?;
    let client = &world.client;
    let session = client.new_session("claude-sonnet-4-6").await?;
    client.message(&session, "hello").await?;
    let events = client.until_idle(&session, "end_turn").await?;
    let known = events[0]["id"].as_str().context("no id")?;
    let refused = async |verb: &str, body: Value, status: u16, fragment: &str| {
        let path = format!("/sinew/v1/sessions/{session}/{verb}");
        let answer = client
            .send(Method::POST, &path, Some(body.to_string()))
            .await?;
        let message = answer.body["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        ensure!(
            answer.status == status && message.contains(fragment),
            "{verb} {body}: {}",
            answer.body
        );
        Ok(())
    };
    refused("rewind", json!({}), 400, "event_id").await?;
    refused("rewind", json!({"event_id": "sevt_none"}), 404, "sevt_none").await?;
    refused(
        "rewind",
        json!({"event_id": known, "before_event_id": known}),
        400,
        "not both",
    )
    .await?;
    refused("rewind", json!({"event_id": 7}), 400, "expected a string").await?;
    refused(
        "fork",
        json!({"event_id": known, "colour": "red"}),
        400,
        "colour",
    )
    .await?;
    refused(
        "fork",
        json!({"event_id": "x".repeat(1_000)}),
        400,
        "event_id",
    )
    .await?;
    refused("fork", json!({"metadata": {"a": 1}}), 400, "metadata").await?;
    for path in [
        "diff?from_event_id=sevt_none",
        "patch?to_event_id=sevt_none",
        "diff?context=-1",
    ] {
        let answer = client
            .send(
                Method::GET,
                &format!("/sinew/v1/sessions/{session}/{path}"),
                None,
            )
            .await?;
        ensure!(
            matches!(answer.status, 400 | 404),
            "{path}: {}",
            answer.body
        );
    }
    // A session at work cannot go back, but be forked: the copy is cut off where it was.
    let mut stream = client.stream(&session, "").await?;
    client.message(&session, "wait").await?;
    stream.until("agent.tool_use").await?;
    refused("rewind", json!({"event_id": known}), 400, "user.interrupt").await?;
    let copy = fork(&world, &session, json!({})).await?;
    let told = client.get(&format!("/v1/sessions/{copy}")).await?;
    assert_eq!(told["status"], "idle");
    client.message(&copy, "and now").await?;
    let events = client.until_idle(&copy, "end_turn").await?;
    assert_eq!(
        text_of(
            of_kind(&events, "agent.message")
                .last()
                .context("nothing")?
        ),
        "Done."
    );
    let asked = world
        .model
        .requests()
        .last()
        .map(|request| request.body.to_string())
        .unwrap_or_default();
    ensure!(asked.contains("This call was cut off"), "{asked}");
    client
        .send_events(&session, json!([{"type": "user.interrupt"}]))
        .await?;
    client.until_idle(&session, "end_turn").await?;
    let path = format!("/v1/sessions/{session}/archive");
    client.post(&path, &json!({})).await?;
    refused("rewind", json!({"event_id": known}), 400, "archived").await?;
    fork(&world, &session, json!({"event_id": known})).await?;
    Ok(())
}

/// What runs on behind a call's back is the session's too, once the hand is let go.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_background_process_wrote_is_kept() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let session = world.client.new_session("claude-sonnet-4-6").await?;
    let background = "(until [ -e go ]; do sleep 0.01; done; echo late > late.txt; echo ready > ready) > /dev/null 2>&1 &";
    run(&world, &session, background).await?;
    let workspace = world.workspace(&session);
    std::fs::write(workspace.join("go"), "")?;
    let waiting = async {
        while !workspace.join("ready").exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await?;
    assert!(world.stop()?.success());
    world.restart()?;
    assert_eq!(run(&world, &session, "cat late.txt").await?, "late\n");
    Ok(())
}
