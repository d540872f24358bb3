//! Long logs: a wake from the last checkpoint beside the fold of the whole log.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sinew::agent::fold;
use sinew::clock::Timestamp;
use sinew::ids::{EventId, SessionId, ThreadId, WorkspaceId};
use sinew::session::{State, checkpoint};
use sinew::store::{
    Append, Key, Kind, NewEvent, NewResource, SharedStore, SqliteOptions, SqliteStore,
};
use tokio::runtime::Runtime;

use super::measure::{Contest, Group, Options};

/// Turns between two compactions.
const TURNS_PER_COMPACTION: usize = 400;
/// Events in one append.
const APPEND: usize = 500;
/// Events that came since the last checkpoint, as a session at rest has them at most.
const BEHIND: u64 = 499;

/// Wakes sessions with so many events.
pub fn wakes(options: Options, tokio: &Runtime, count: usize) -> Result<Group> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sinew.db");
    let store: SharedStore = Arc::new(SqliteStore::open(SqliteOptions::new(path))?);
    let kept = tokio.block_on(log(&store, count))?;
    let whole = tokio.block_on(log(&store, count))?;
    let upto = (count as u64).saturating_sub(BEHIND).max(1);
    let state = tokio.block_on(fold(&*store, &kept, &[], upto))?;
    let body = checkpoint(&state).unwrap_or_default();
    tokio.block_on(store.files().put_checkpoint(&kept, upto, body))?;
    let wake = |session_id: &SessionId| -> Result<State> {
        Ok(tokio.block_on(fold(&*store, session_id, &[], u64::MAX))?)
    };
    let (ours, theirs) = (wake(&kept)?, wake(&whole)?);
    ensure!(ours.last == theirs.last && ours.threads == theirs.threads);
    Contest::new(format!("wake of a session with {count} events"))
        .subject("from its checkpoint", || wake(&kept).map(|_| ()))
        .subject("fold of the whole log", || wake(&whole).map(|_| ()))
        .run(options.pick(1, 5), options.pick(1, 5))
}

async fn log(store: &SharedStore, count: usize) -> Result<SessionId> {
    let session_id = SessionId::fresh(Timestamp::now());
    let mut events = vec![event(
        "sinew.created",
        json!({"agent": {"name": "bench"}}),
        None,
    )];
    let mut turn = 0;
    while events.len() < count {
        turn += 1;
        events.extend(turn_events(turn));
        if turn % TURNS_PER_COMPACTION == 0 {
            let summary = json!({"content": [{"type": "text", "text": "A summary. ".repeat(50)}]});
            events.push(event(
                "agent.thread_context_compacted",
                json!({}),
                Some(summary),
            ));
        }
    }
    events.truncate(count);
    let mut events = events.into_iter();
    store
        .create(NewResource {
            key: Key {
                workspace: WorkspaceId::from_text("wrkspc_bench"),
                kind: Kind::Session,
                id: session_id.as_str().to_owned(),
            },
            body: json!({}),
            unique_name: None,
            status: None,
            labels: Vec::new(),
            at: Timestamp::now(),
            events: events.by_ref().take(1).collect(),
            needs_wake: false,
            history: None,
        })
        .await?;
    let mut expected = 1;
    loop {
        let page: Vec<NewEvent> = events.by_ref().take(APPEND).collect();
        if page.is_empty() {
            return Ok(session_id);
        }
        let length = page.len() as u64;
        store
            .append(Append {
                session_id: session_id.clone(),
                expected,
                lease: None,
                events: page,
                projection: None,
                files: None,
            })
            .await?;
        expected += length;
    }
}

fn turn_events(turn: usize) -> Vec<NewEvent> {
    let text = |text: String| json!({"content": [{"type": "text", "text": text}]});
    let message = event(
        "user.message",
        text(format!("Message {turn}. ").repeat(10)),
        None,
    );
    let taken = json!({"event_id": message.id.as_str(), "number": 0});
    let message = NewEvent {
        is_queued: true,
        ..message
    };
    let mut answer = text(format!("Answer {turn}. ").repeat(20));
    answer["usage"] = json!({"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 0,
        "cache_5m_input_tokens": 0, "cache_1h_input_tokens": 0});
    answer["cost_nanocents"] = json!("1000");
    let idle = json!({"stop_reason": {"type": "end_turn"}, "stop_details": null});
    vec![
        message,
        event("sinew.processed", taken, None),
        event("session.status_running", json!({}), None),
        event("span.model_request_start", json!({}), None),
        event(
            "agent.message",
            text(format!("Answer {turn}. ").repeat(20)),
            None,
        ),
        event(
            "span.model_request_end",
            json!({"is_error": false}),
            Some(answer),
        ),
        event("session.status_idle", idle, None),
    ]
}

fn event(kind: &str, body: Value, private: Option<Value>) -> NewEvent {
    NewEvent {
        id: EventId::fresh(Timestamp::now()),
        thread_id: Some(ThreadId::from_text("sthr_bench")),
        is_thread_only: false,
        kind: kind.to_owned(),
        at: Timestamp::now(),
        is_queued: false,
        body,
        private,
    }
}
