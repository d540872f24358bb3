//! Kills at named points of a turn.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use sinew_tests::log_rules::{self, kinds, of_kind, text_of};
use sinew_tests::world::World;

use crate::{PROGRAM, Seen};

/// Two files, one after the other, then a look at both. The second attempt of a request hears the same.
const SCRIPT: &str = r#"
turns:
  - text: I write.
    tools:
      - {name: write, input: {file_path: one.txt, content: "one"}}
      - {name: write, input: {file_path: two.txt, content: "two"}}
  - tools: [{name: grep, input: {pattern: "one|two"}}]
  - text: "Found ${last_tool_result}"
"#;

/// The end of every turn of [`SCRIPT`].
const FOUND: &str = "Found /workspace/one.txt:1:one\n/workspace/two.txt:1:two";

/// Holds a finished session to everything that must be true after crashes.
async fn check_finished(
    world: &mut World,
    session: &str,
    seen: &Seen,
    last_words: &str,
) -> Result<Vec<Value>> {
    let events = world.client.until_idle(session, "end_turn").await?;
    log_rules::check(&events)?;
    seen.check(&events);
    let messages = of_kind(&events, "agent.message");
    assert_eq!(
        messages.last().map(|event| text_of(event)).as_deref(),
        Some(last_words)
    );
    let row = world.client.get(&format!("/v1/sessions/{session}")).await?;
    assert_eq!(row["status"], "idle");
    assert!(world.stop()?.success());
    let stored = log_rules::check_stored(&world.options.data, session).await?;
    assert!(stored >= events.len() as u64);
    Ok(events)
}

/// Kills right when the stream shows the nth event of a type, once for each such point of a turn.
#[tokio::test(flavor = "multi_thread")]
async fn after_each_event_of_a_turn() -> Result<()> {
    for (kind, nth) in [
        ("user.message", 1),
        ("session.status_running", 1),
        ("span.model_request_start", 1),
        ("agent.message", 1),
        ("agent.tool_use", 1),
        ("agent.tool_use", 2),
        ("agent.tool_result", 1),
        ("agent.tool_result", 2),
        ("span.model_request_start", 2),
        ("agent.tool_use", 3),
        ("agent.tool_result", 3),
        ("span.model_request_start", 3),
        ("session.thread_status_idle", 1),
        ("session.status_idle", 1),
    ] {
        let mut world = World::start(PROGRAM, SCRIPT).await?;
        let client = world.client.clone();
        let session = client.new_session("claude-sonnet-4-6").await?;
        let seen = Seen::default();
        let mut stream = client.stream(&session, "").await?;
        client.message(&session, "go").await?;
        for _ in 0..nth {
            for event in stream.until(kind).await? {
                seen.add(&event);
            }
        }
        world.kill()?;
        world.restart()?;
        let events = check_finished(&mut world, &session, &seen, FOUND).await?;
        assert_eq!(of_kind(&events, "user.message").len(), 1, "{kind} {nth}");
        assert_eq!(
            of_kind(&events, "agent.tool_use").len(),
            3,
            "{kind} {nth}: {:?}",
            kinds(&events)
        );
        for (name, content) in [("one.txt", "one"), ("two.txt", "two")] {
            let file = world.workspace(&session).join(name);
            assert_eq!(std::fs::read_to_string(file)?, content);
        }
    }
    Ok(())
}

/// Between the answer to the client and any work on it, there is nothing that could be lost.
#[tokio::test(flavor = "multi_thread")]
async fn right_after_a_message_was_taken() -> Result<()> {
    for _ in 0..5 {
        let mut world = World::start(PROGRAM, SCRIPT).await?;
        let client = world.client.clone();
        let session = client.new_session("claude-sonnet-4-6").await?;
        let sent = client.message(&session, "go").await?;
        world.kill()?;
        let seen = Seen::default();
        seen.add(&sent["data"][0]);
        world.restart()?;
        check_finished(&mut world, &session, &seen, FOUND).await?;
    }
    Ok(())
}

/// The model has said half of its answer; the request is closed as failed and asked once more.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_an_answer() -> Result<()> {
    let script = r#"
chunk_chars: 4
rules:
  - when: {request: 1}
    text: This half is lost.
    hang_after: 2
turns: [{text: This is whole.}]
"#;
    let mut world = World::start(PROGRAM, script).await?;
    let client = world.client.clone();
    let session = client.new_session("claude-sonnet-4-6").await?;
    let seen = Seen::default();
    let mut stream = client
        .stream(&session, "?event_deltas[]=agent.message")
        .await?;
    client.message(&session, "go").await?;
    for event in stream.until("event_delta").await? {
        seen.add(&event);
    }
    world.model.wait_hanging(1).await;
    world.kill()?;
    world.restart()?;
    let events = check_finished(&mut world, &session, &seen, "This is whole.").await?;
    let ends: Vec<&Value> = of_kind(&events, "span.model_request_end")
        .iter()
        .map(|end| &end["is_error"])
        .collect();
    assert_eq!(ends, [true, false]);
    assert_eq!(of_kind(&events, "agent.message").len(), 1);
    assert_eq!(world.model.request_count(), 2);
    Ok(())
}

/// The guest searches a tree that is large enough to be met in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_a_tool_call() -> Result<()> {
    let script = r#"
rules: [{when: {tool_result_contains: needle}, text: "Found ${last_tool_result}"}]
otherwise: {tools: [{name: grep, input: {pattern: "need.e", path: big}}]}
"#;
    let mut world = World::start(PROGRAM, script).await?;
    let client = world.client.clone();
    let session = client.new_session("claude-sonnet-4-6").await?;
    make_big_tree(&world.workspace(&session).join("big"))?;
    let seen = Seen::default();
    let (mut calls, mut met) = (0, 0);
    while met < 3 {
        let mut stream = client.stream(&session, "").await?;
        client.message(&session, "go").await?;
        for event in stream.until("span.model_request_end").await? {
            seen.add(&event);
        }
        world.kill()?;
        // A slow machine may be done with the call before the kill; then it is tried again.
        let was_met = stream.rest().await?.is_empty();
        met += usize::from(was_met);
        calls += 1;
        assert!(calls < 20, "the call was never met in the middle");
        world.restart()?;
        client.until_idle(&session, "end_turn").await?;
    }
    let found = "Found /workspace/big/30/file.txt:1:the needle";
    let events = check_finished(&mut world, &session, &seen, found).await?;
    assert_eq!(
        of_kind(&events, "agent.tool_use").len(),
        calls,
        "no call is made twice"
    );
    Ok(())
}

fn make_big_tree(folder: &Path) -> Result<()> {
    let filler = "hay and straw and chaff, and hay again\n".repeat(50_000);
    for number in 0..60 {
        let folder = folder.join(number.to_string());
        std::fs::create_dir_all(&folder)?;
        let text = if number == 30 {
            "the needle\n"
        } else {
            &filler
        };
        std::fs::write(folder.join("file.txt"), text)?;
    }
    Ok(())
}

/// What waits for the client still waits after a crash, and is answered there.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_client_is_asked() -> Result<()> {
    let script = r#"
turns:
  - tools:
      - {name: write, input: {file_path: asked.txt, content: "yes"}}
      - {name: lookup, input: {}}
  - text: "${tool_result.0}; ${tool_result.1}"
"#;
    let mut world = World::start(PROGRAM, script).await?;
    let client = world.client.clone();
    let tools = json!([
        {"type": "agent_toolset_20260401",
         "default_config": {"permission_policy": {"type": "always_ask"}}},
        {"type": "custom", "name": "lookup", "description": "d", "input_schema": {"type": "object"}},
    ]);
    let session = client.new_session_with("claude-sonnet-4-6", &tools).await?;
    client.message(&session, "go").await?;
    let asked = client.until_idle(&session, "requires_action").await?;
    let waiting = asked.last().unwrap()["stop_reason"]["event_ids"].clone();
    let seen = Seen::default();
    asked.iter().for_each(|event| seen.add(event));
    world.kill()?;
    world.restart()?;
    assert_eq!(
        client.events(&session).await?,
        asked,
        "nothing happens without an answer"
    );
    let answers = json!([
        {"type": "user.custom_tool_result", "custom_tool_use_id": waiting[1],
         "content": [{"type": "text", "text": "found"}]},
        {"type": "user.tool_confirmation", "tool_use_id": waiting[0], "result": "allow"},
    ]);
    let answered = client.send_events(&session, answers).await?;
    world.kill()?;
    answered["data"]
        .as_array()
        .unwrap()
        .iter()
        .for_each(|event| seen.add(event));
    world.restart()?;
    check_finished(
        &mut world,
        &session,
        &seen,
        "wrote 3 bytes to asked.txt; found",
    )
    .await?;
    Ok(())
}
