//! Review before write: a call runs on a copy, somebody looks at what it would change, and all, some or none of it
//! lands.

use anyhow::{Context, Result, ensure};
use axum::http::Method;
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::turn::run;
use sinew_tests::world::World;

use crate::PROGRAM;

/// The agent runs what the user writes, and says what came of it.
const SCRIPT: &str = r#"
rules:
  - when: {tool_result_contains: ""}
    text: "${last_tool_result}"
  - when: {last_user_text_contains: "write a file"}
    tools: [{name: write, input: {file_path: tool.txt, content: "by the tool\n"}}]
  - when: {last_user_text_contains: "two calls"}
    tools:
      - {name: bash, input: {command: "echo first > order.txt"}}
      - {name: bash, input: {command: "cat order.txt; echo second >> order.txt"}}
otherwise:
  tools: [{name: bash, input: {command: "${last_user_text}"}}]
"#;

/// Creates a session whose agent has this block.
async fn session(world: &World, ours: Value) -> Result<String> {
    let client = &world.client;
    let agent = json!({
        "name": "reviewed",
        "model": "claude-sonnet-4-6",
        "tools": [{"type": "agent_toolset_20260401", "default_config":
            {"enabled": true, "permission_policy": {"type": "always_allow"}}}],
        "sinew": ours,
    });
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": format!("e {ours}")}))
        .await?;
    let body = json!({"agent": agent["id"], "environment_id": environment["id"]});
    let session = client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

/// Sends a message and returns what the session then asks for.
async fn ask(world: &World, session: &str, text: &str) -> Result<Value> {
    world.client.message(session, text).await?;
    let events = world.client.until_idle(session, "requires_action").await?;
    let reason = events.last().context("no events")?["stop_reason"].clone();
    Ok(reason["sinew"]["reviews"][0].clone())
}

/// Answers and returns what the agent says of the result.
async fn answer(world: &World, session: &str, answer: Value) -> Result<String> {
    world.client.send_events(session, json!([answer])).await?;
    let events = world.client.until_idle(session, "end_turn").await?;
    Ok(text_of(
        of_kind(&events, "agent.message")
            .last()
            .context("nothing said")?,
    ))
}

fn confirm(review: &Value, result: &str) -> Value {
    json!({"type": "user.tool_confirmation", "tool_use_id": review["tool_use_id"], "result": result})
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_lands_before_it_was_allowed() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let id = session(&world, json!({"review": "writes"})).await?;
    let review = ask(
        &world,
        &id,
        "x=new; mkdir d; echo one > d/a.txt; echo two > b.txt; echo done",
    )
    .await?;
    let paths: Vec<&str> = review["files"]
        .as_array()
        .context("no files")?
        .iter()
        .filter_map(|file| file["path"].as_str())
        .collect();
    assert_eq!(
        paths,
        ["/workspace/b.txt", "/workspace/d", "/workspace/d/a.txt"]
    );
    ensure!(
        review["patch"]
            .as_str()
            .unwrap_or_default()
            .contains("+++ b/workspace/d/a.txt"),
        "{review}"
    );
    // Nothing of it is the session's yet: not in its files, and not after a crash.
    let diff = format!("/sinew/v1/sessions/{id}/diff");
    assert_eq!(world.client.get(&diff).await?["files"], json!([]));
    world.kill()?;
    world.restart()?;
    let waiting = world
        .client
        .get(&format!("/sinew/v1/sessions/{id}/reviews"))
        .await?;
    assert_eq!(waiting["data"][0]["tool_use_id"], review["tool_use_id"]);
    assert_eq!(waiting["data"][0]["files"][2]["additions"], 1);
    // The official confirmation lets it land: the files, the shell's state, and the result.
    assert_eq!(
        answer(&world, &id, confirm(&review, "allow")).await?,
        "done\n"
    );
    assert_eq!(
        run(&world, &id, "cat d/a.txt b.txt; echo $x").await?,
        "one\ntwo\nnew\n"
    );

    // Discarded: the model hears why.
    let review = ask(&world, &id, "x=worse; rm -r d; echo three > b.txt").await?;
    let mut deny = confirm(&review, "deny");
    deny["deny_message"] = json!("Keep d.");
    let said = answer(&world, &id, deny).await?;
    ensure!(
        said.contains("Keep d.") && said.contains("Nothing was changed"),
        "{said}"
    );
    assert_eq!(
        run(&world, &id, "cat d/a.txt b.txt; echo $x").await?,
        "one\ntwo\nnew\n"
    );

    // Some of it.
    let review = ask(
        &world,
        &id,
        "echo four > d/a.txt; echo four > b.txt; mkdir -p e/f; echo four > e/f/g; rm -f none",
    )
    .await?;
    let mut some = confirm(&review, "allow");
    some["sinew"] = json!({"files": ["/workspace/b.txt", "/workspace/e"]});
    let said = answer(&world, &id, some).await?;
    ensure!(
        said.contains("/workspace/d/a.txt") && !said.contains("/workspace/b.txt"),
        "{said}"
    );
    assert_eq!(
        run(&world, &id, "cat d/a.txt b.txt e/f/g").await?,
        "one\nfour\nfour\n"
    );
    // An interrupt discards it too.
    ask(&world, &id, "echo five > b.txt").await?;
    world
        .client
        .send_events(&id, json!([{"type": "user.interrupt"}]))
        .await?;
    world.client.until_idle(&id, "end_turn").await?;
    // The model is told so with the next message, which the script takes for a result.
    run(&world, &id, "go on").await?;
    assert_eq!(run(&world, &id, "cat b.txt").await?, "four\n");
    // A file tool is looked at as bash is; scratch is nobody's business.
    let review = ask(&world, &id, "write a file").await?;
    assert_eq!(review["files"][0]["path"], "/workspace/tool.txt");
    answer(&world, &id, confirm(&review, "allow")).await?;
    assert_eq!(
        run(&world, &id, "cat tool.txt; echo x > /tmp/scratch").await?,
        "by the tool\n"
    );
    log_rules::check(&world.client.events(&id).await?)?;
    assert!(world.stop()?.success());
    log_rules::check_stored(&world.options.data, &id).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_behind_a_reviewed_one_wait_for_it() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let id = session(&world, json!({"review": "writes"})).await?;
    let first = ask(&world, &id, "two calls").await?;
    let events = world.client.events(&id).await?;
    assert_eq!(
        events.last().context("no events")?["stop_reason"]["event_ids"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    world
        .client
        .send_events(&id, json!([confirm(&first, "allow")]))
        .await?;
    let second = loop {
        let events = world.client.until_idle(&id, "requires_action").await?;
        let review =
            events.last().context("no events")?["stop_reason"]["sinew"]["reviews"][0].clone();
        if review["tool_use_id"] != first["tool_use_id"] {
            break review;
        }
    };
    ensure!(
        second["patch"]
            .as_str()
            .unwrap_or_default()
            .contains(" first\n+second"),
        "{second}"
    );
    world
        .client
        .send_events(&id, json!([confirm(&second, "allow")]))
        .await?;
    world.client.until_idle(&id, "end_turn").await?;
    assert_eq!(run(&world, &id, "cat order.txt").await?, "first\nsecond\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_say_what_is_looked_at() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let ours =
        json!({"review": {"type": "writes", "paths": ["/workspace/src/**", "/workspace/*.toml"]}});
    let id = session(&world, ours.clone()).await?;
    run(
        &world,
        &id,
        "echo free > notes.txt; mkdir other; echo free > other/a.toml",
    )
    .await?;
    for command in ["mkdir src; echo x > src/a", "echo x > a.toml"] {
        let review = ask(&world, &id, command).await?;
        answer(&world, &id, confirm(&review, "deny")).await?;
    }
    assert_eq!(run(&world, &id, "ls").await?, "notes.txt\nother\n");
    // A session may say otherwise than its agent.
    let told = world.client.get(&format!("/v1/sessions/{id}")).await?;
    assert_eq!(told["agent"]["sinew"], ours);
    let body = json!({"agent": told["agent"]["id"], "environment_id": told["environment_id"],
        "sinew": {"review": "none"}});
    let free = world.client.post("/v1/sessions", &body).await?;
    let free = free["id"].as_str().context("no id")?.to_owned();
    run(&world, &free, "echo x > a.toml").await?;
    assert_eq!(run(&world, &free, "cat a.toml").await?, "x\n");

    // What is wrong is refused.
    for (ours, fragment) in [
        (json!({"review": "everything"}), "sinew.review"),
        (json!({"reviews": "writes"}), "reviews"),
        (
            json!({"review": {"type": "writes", "paths": ["src"]}}),
            "sinew.review.paths.0",
        ),
    ] {
        let body = json!({"name": "a", "model": "claude-sonnet-4-6", "sinew": ours}).to_string();
        let refused = world
            .client
            .send(Method::POST, "/v1/agents", Some(body))
            .await?;
        ensure!(
            refused.status == 400 && refused.body.to_string().contains(fragment),
            "{}",
            refused.body
        );
    }
    let review = ask(&world, &id, "echo x > b.toml").await?;
    let mut wrong = confirm(&review, "deny");
    wrong["sinew"] = json!({"files": ["/workspace/b.toml"]});
    let path = format!("/v1/sessions/{id}/events");
    let refused = world
        .client
        .send(
            Method::POST,
            &path,
            Some(json!({"events": [wrong]}).to_string()),
        )
        .await?;
    assert_eq!(refused.status, 400);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_and_answers() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let folder = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, &world.client.url, folder.path());
    let id = session(&world, json!({"review": "writes"})).await?;
    cli.fails(&["session", "approve", &id], "waits for a review")?;
    ask(&world, &id, "echo a > a; echo b > b").await?;
    let shown = cli.ok(&["session", "review", &id])?;
    ensure!(
        shown.contains("+++ b/workspace/a") && shown.contains("# call sevt_"),
        "{shown}"
    );
    cli.ok(&["session", "approve", &id, "--file", "/workspace/b"])?;
    world.client.until_idle(&id, "end_turn").await?;
    assert_eq!(run(&world, &id, "ls").await?, "b\n");
    ask(&world, &id, "rm b").await?;
    cli.ok(&["session", "deny", &id, "-m", "no"])?;
    world.client.until_idle(&id, "end_turn").await?;
    assert_eq!(run(&world, &id, "ls").await?, "b\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_in_place_cannot_be_reviewed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let shown = folder.path().display().to_string();
    let world = World::start_prepared(PROGRAM, "turns: [{text: x}]", "", |options| {
        options.arguments.extend(["--workspace".to_owned(), shown]);
        Ok(())
    })
    .await?;
    let client = &world.client;
    let agent = json!({"name": "a", "model": "claude-sonnet-4-6", "sinew": {"review": "writes"}});
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": "in place"}))
        .await?;
    let body = json!({"agent": agent["id"], "environment_id": environment["id"]});
    let refused = client.post("/v1/sessions", &body).await.unwrap_err();
    let refused = refused.to_string();
    ensure!(
        refused.contains("sinew.review") && refused.contains("in place"),
        "{refused}"
    );
    Ok(())
}
