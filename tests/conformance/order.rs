//! The order of a turn's events, and that every way of reading a log shows the same.

use anyhow::Result;
use serde_json::Value;
use sinew_tests::log_rules::{self, kind, kinds};
use sinew_tests::world::World;

use crate::PROGRAM;

const SCRIPT: &str = r#"
chunk_chars: 5
turns:
  - thinking: Two files are needed.
    text: I write two files.
    hang_after: 7
    tools:
      - {name: write, input: {file_path: a.txt, content: "alpha"}}
      - {name: write, input: {file_path: b/c.txt, content: "beta"}}
  - tools: [{name: grep, input: {pattern: "alpha|beta", path: .}}]
  - text: "Found: ${last_tool_result}"
"#;

/// A turn with thinking, text, two calls at once, one call alone, and a last word.
const TURN: [&str; 21] = [
    "user.message",
    "session.thread_status_running",
    "session.status_running",
    "span.model_request_start",
    "agent.thinking",
    "agent.message",
    "agent.tool_use",
    "agent.tool_use",
    "span.model_request_end",
    "agent.tool_result",
    "agent.tool_result",
    "span.model_request_start",
    "agent.tool_use",
    "span.model_request_end",
    "agent.tool_result",
    "span.model_request_start",
    "agent.message",
    "span.model_request_end",
    "session.thread_status_idle",
    "session.usage",
    "session.status_idle",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_has_one_order_wherever_it_is_read() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let session = client.new_session("claude-sonnet-4-6").await?;
    let threads = client
        .list(&format!("/v1/sessions/{session}/threads?limit=10"))
        .await?;
    let thread = format!(
        "/v1/sessions/{session}/threads/{}",
        threads[0]["id"].as_str().unwrap()
    );
    let previews = "?event_deltas[]=agent.message&event_deltas[]=agent.thinking";
    let mut plain = client.stream(&session, "").await?;
    let mut with_previews = client.stream(&session, previews).await?;
    let mut of_thread = client.stream_at(&format!("{thread}/stream")).await?;
    let sent = client.message(&session, "go").await?;
    assert!(
        sent["data"][0]["processed_at"].is_null(),
        "it waits: {sent}"
    );

    // The model stops in the middle of its text until the preview was seen.
    let mut live_with_previews = with_previews.until("event_delta").await?;
    world.model.wait_hanging(1).await;
    world.model.release();
    let live = plain.until("session.status_idle").await?;
    let listed = client.events(&session).await?;
    assert_eq!(kinds(&listed), TURN);
    log_rules::check(&listed)?;
    assert_eq!(
        settled(&live),
        listed,
        "the stream and the list show the same"
    );

    live_with_previews.extend(with_previews.until("session.status_idle").await?);
    check_previews(&live_with_previews, &listed);
    let stored: Vec<Value> = live_with_previews
        .into_iter()
        .filter(|event| !is_preview(event))
        .collect();
    assert_eq!(settled(&stored), listed, "previews change nothing else");

    // A thread has no events of the session as a whole.
    let is_of_thread = |event: &&Value| {
        !kind(event).starts_with("session.status") && kind(event) != "session.usage"
    };
    let expected: Vec<Value> = listed.iter().filter(is_of_thread).cloned().collect();
    let live = of_thread.until("session.thread_status_idle").await?;
    assert_eq!(settled(&live), expected);
    assert_eq!(
        client.list(&format!("{thread}/events?limit=1000")).await?,
        expected
    );

    let mut backwards = client
        .list(&format!("/v1/sessions/{session}/events?limit=4&order=desc"))
        .await?;
    backwards.reverse();
    assert_eq!(backwards, listed, "read backwards in pages of four");
    let forwards = client
        .list(&format!("/v1/sessions/{session}/events?limit=1"))
        .await?;
    assert_eq!(forwards, listed, "read in pages of one");
    Ok(())
}

fn is_preview(event: &Value) -> bool {
    matches!(kind(event), "event_start" | "event_delta")
}

/// Returns a stream's events as a list shows them afterwards: an input that was seen waiting and then taken
/// counts once, with its time and in the place where it was taken.
fn settled(live: &[Value]) -> Vec<Value> {
    live.iter()
        .filter(|event| !event["processed_at"].is_null())
        .cloned()
        .collect()
}

/// A preview starts inside the request, at most once for each event; its pieces are the beginning of the
/// event's text, which comes after all of them.
fn check_previews(live: &[Value], listed: &[Value]) {
    let place = |wanted: &dyn Fn(&Value) -> bool| live.iter().position(wanted);
    let mut shown = Vec::new();
    for event in listed
        .iter()
        .filter(|event| matches!(kind(event), "agent.message" | "agent.thinking"))
    {
        let id = &event["id"];
        let is_start =
            |preview: &Value| kind(preview) == "event_start" && preview["event"]["id"] == *id;
        let pieces: Vec<(usize, &Value)> = live
            .iter()
            .enumerate()
            .filter(|(_, delta)| delta["event_id"] == *id)
            .collect();
        let text: String = pieces
            .iter()
            .filter_map(|(_, d)| d["delta"]["content"]["text"].as_str())
            .collect();
        let Some(started) = place(&is_start) else {
            assert!(pieces.is_empty(), "pieces of {id} without a start");
            continue;
        };
        assert_eq!(
            live.iter().filter(|preview| is_start(preview)).count(),
            1,
            "{event}"
        );
        assert_eq!(live[started]["event"]["type"], event["type"]);
        let finished = place(&|stored| stored["id"] == *id).unwrap();
        let request = live[..started]
            .iter()
            .rposition(|event| kind(event) == "span.model_request_start");
        let ended = live[..started]
            .iter()
            .rposition(|event| kind(event) == "span.model_request_end");
        assert!(
            request > ended,
            "the preview of {id} lies outside its request"
        );
        assert!(started < finished, "{id}");
        assert!(
            pieces
                .iter()
                .all(|(at, _)| (started..finished).contains(at)),
            "{id}"
        );
        if kind(event) == "agent.thinking" {
            assert!(pieces.is_empty(), "thoughts are not told");
        }
        assert!(
            log_rules::text_of(event).starts_with(&text),
            "{text:?} of {event}"
        );
        shown.push(kind(event));
    }
    assert!(
        shown.starts_with(&["agent.thinking", "agent.message"]),
        "{shown:?}"
    );
}
