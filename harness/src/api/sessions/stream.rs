//! `GET .../events/stream`: what happens in a session from now on, as server-sent events.
//!
//! Reads only the log; previews go in between. A slow reader holds up nobody: its task waits at its own
//! channel and goes on from the log.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::{SessionState, last_of, private, threads, wire};
use crate::agent::{Preview, PreviewPart, Watcher};
use crate::api::ApiError;
use crate::api::Caller;
use crate::api::query::Query;
use crate::clock::rfc3339;
use crate::ids::{EventId, SessionId, ThreadId};
use crate::json::Fields as _;
use crate::session::EventKind;
use crate::store::{StoreError, StoredEvent};

/// Time between heartbeats on a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Frames that one connection's task makes ahead of its client.
const FRAMES_AHEAD_MAX: usize = 64;
/// Events read at once.
const PAGE: usize = 256;
/// Ids of finished events whose late previews are dropped.
const FINISHED_MAX: usize = 64;

const PREVIEWABLE: [&str; 2] = ["agent.message", "agent.thinking"];

/// Streams a session.
pub(super) async fn session_stream(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    open(state, caller, session_id, query, Scope::Session).await
}

/// Streams a session with what its tools write, which the wire of the official clients does not have.
pub(super) async fn session_stream_with_output(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    open(state, caller, session_id, query, Scope::SessionWithOutput).await
}

/// Streams one thread.
pub(super) async fn thread_stream(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, thread_id)): Path<(String, String)>,
    query: Query,
) -> Result<Response, ApiError> {
    open(state, caller, session_id, query, Scope::Thread(thread_id)).await
}

/// What a stream shows.
#[derive(Clone, PartialEq, Eq)]
enum Scope {
    Session,
    SessionWithOutput,
    /// One thread alone: no events of the session as a whole.
    Thread(String),
}

async fn open(
    state: SessionState,
    caller: Caller,
    session_id: String,
    query: Query,
    scope: Scope,
) -> Result<Response, ApiError> {
    let previews = query.list_of("event_deltas", &PREVIEWABLE)?;
    let session_id = SessionId::from_text(session_id);
    // Watched before the log's end is taken, so that nothing falls in between; a refusal frees it again.
    let watcher = state.brain.live.watch(&session_id);
    let row = state.row(&caller, session_id.as_str()).await?;
    let mut is_over = row.status.as_deref() == Some("terminated");
    let previewed = match &scope {
        Scope::Thread(thread_id) => {
            let thread = threads::find(&state, &row, thread_id).await?;
            is_over |= *thread.at("status") == "terminated";
            thread_id.clone()
        }
        _ => private(&row)
            .at("thread_id")
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    };
    let cursor = last_of(&row);
    let (frames, received) = mpsc::channel(FRAMES_AHEAD_MAX);
    let reader = Reader {
        is_over,
        previewed,
        state,
        session_id,
        scope,
        cursor,
        wanted: previews,
        finished: VecDeque::new(),
        ended_at: 0,
        // Whoever joins in the middle of an event has missed its beginning.
        broken: true,
        frames,
    };
    tokio::spawn(reader.run(watcher));
    let body = ReceiverStream::new(received).map(Ok::<Bytes, Infallible>);
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// One connection.
struct Reader {
    state: SessionState,
    session_id: SessionId,
    scope: Scope,
    /// The thread whose previews are shown.
    previewed: String,
    /// Number of the last event shown.
    cursor: u64,
    /// Types whose previews the client asked for.
    wanted: Vec<String>,
    /// Events shown in full: late previews of them are dropped.
    finished: VecDeque<EventId>,
    /// Number of the last end of a model request: previews of earlier requests are dropped.
    ended_at: u64,
    /// The previews of the event being made have a hole, or its start was not shown: no more is shown of it.
    broken: bool,
    is_over: bool,
    frames: mpsc::Sender<Bytes>,
}

/// The client went away, or the stream is at its end.
struct Closed;

impl Reader {
    async fn run(mut self, mut watcher: Watcher) {
        // A first comment, so that every proxy passes the headers on at once.
        if self
            .frames
            .send(Bytes::from_static(b": open\n\n"))
            .await
            .is_err()
        {
            return;
        }
        while !self.is_over {
            let turn = tokio::select! {
                changed = watcher.grew.changed() => match changed {
                    Ok(()) => {
                        let last = *watcher.grew.borrow_and_update();
                        self.follow(last).await
                    }
                    Err(_) => Err(Closed),
                },
                preview = watcher.previews.recv(), if self.wants_previews() => {
                    self.preview(preview).await
                }
                () = tokio::time::sleep(HEARTBEAT) => {
                    self.send("ping", &json!({"type": "ping"})).await
                }
                () = self.frames.closed() => Err(Closed),
            };
            if turn.is_err() {
                return;
            }
        }
    }

    fn is_of_thread(&self) -> bool {
        matches!(self.scope, Scope::Thread(_))
    }

    fn is_in(&self, event: &StoredEvent) -> bool {
        match &self.scope {
            Scope::Thread(id) => event
                .thread_id
                .as_ref()
                .is_some_and(|own| own.as_str() == id),
            Scope::Session | Scope::SessionWithOutput => !event.is_thread_only,
        }
    }

    /// Tells whether previews of a thread are shown: those of the one that is read.
    fn is_previewed(&self, thread: Option<&ThreadId>) -> bool {
        thread.is_none_or(|thread| thread.as_str() == self.previewed)
    }

    fn shown(&self, wire: Value) -> Value {
        match self.is_of_thread() {
            true => wire::in_thread(wire),
            false => wire,
        }
    }

    fn wants_previews(&self) -> bool {
        !self.wanted.is_empty() || self.scope == Scope::SessionWithOutput
    }

    /// Shows the log up to its end, or the deletion.
    async fn follow(&mut self, last: u64) -> Result<(), Closed> {
        if last == u64::MAX {
            return self.deleted().await;
        }
        loop {
            let read = self
                .state
                .api
                .store
                .read(&self.session_id, self.cursor, PAGE)
                .await;
            let events = match read {
                Ok(events) => events,
                Err(StoreError::NotFound) => return self.deleted().await,
                Err(error) => return self.fail(error).await,
            };
            for event in &events {
                self.show(event).await?;
                self.cursor = event.number;
            }
            if events.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn show(&mut self, event: &StoredEvent) -> Result<(), Closed> {
        let kind = EventKind::parse(&event.kind);
        if kind == Some(EventKind::Processed) {
            return self.show_processed(event).await;
        }
        if event.kind.starts_with("sinew.") {
            return Ok(());
        }
        if !self.is_in(event) {
            return Ok(());
        }
        match kind {
            Some(EventKind::AgentMessage | EventKind::AgentThinking) => {
                self.finish(event.id.clone());
            }
            Some(EventKind::AgentToolResult) => {
                let call = event.body.at("tool_use_id").as_str().unwrap_or_default();
                self.finish(EventId::from_text(call.to_owned()));
            }
            Some(EventKind::SpanModelRequestEnd) if self.is_previewed(event.thread_id.as_ref()) => {
                self.ended_at = event.number;
            }
            Some(EventKind::SessionStatusTerminated) => self.is_over = true,
            Some(EventKind::SessionThreadStatusTerminated) if self.is_of_thread() => {
                self.is_over = true;
            }
            _ => {}
        }
        let shown = self.shown(wire::event_on_arrival(event));
        self.send(&event.kind, &shown).await
    }

    fn finish(&mut self, id: EventId) {
        self.finished.push_back(id);
        if self.finished.len() > FINISHED_MAX {
            self.finished.pop_front();
        }
    }

    /// Shows the input that was taken from the queue, now with its time.
    async fn show_processed(&mut self, marker: &StoredEvent) -> Result<(), Closed> {
        let number = marker.body.at("number").as_u64().unwrap_or(0);
        let store = &self.state.api.store;
        let read = store
            .read(&self.session_id, number.saturating_sub(1), 1)
            .await;
        match read.map(|events| events.into_iter().next()) {
            Ok(Some(input)) if !self.is_in(&input) => Ok(()),
            Ok(Some(input)) => {
                let shown = self.shown(wire::event(&input));
                self.send(&input.kind, &shown).await
            }
            Ok(None) => Ok(()),
            Err(StoreError::NotFound) => self.deleted().await,
            Err(error) => self.fail(error).await,
        }
    }

    async fn preview(
        &mut self,
        preview: Result<Arc<Preview>, broadcast::error::RecvError>,
    ) -> Result<(), Closed> {
        let preview = match preview {
            Ok(preview) => preview,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                // What was shown of the current event stays a prefix: nothing more is shown of it.
                self.broken = true;
                return Ok(());
            }
            Err(broadcast::error::RecvError::Closed) => return Err(Closed),
        };
        let is_output = matches!(preview.part, PreviewPart::Output { .. });
        if !is_output && !self.is_previewed(Some(&preview.thread_id)) {
            return Ok(());
        }
        if preview.after > self.cursor {
            self.follow(preview.after).await?;
        }
        if preview.after < self.ended_at || self.finished.contains(&preview.event_id) {
            return Ok(());
        }
        match &preview.part {
            PreviewPart::Output { .. } if self.scope != Scope::SessionWithOutput => Ok(()),
            PreviewPart::Output { text } => {
                let frame = json!({
                    "type": "sinew.tool_output",
                    "tool_use_id": preview.event_id.as_str(),
                    "text": text,
                });
                self.send("sinew.tool_output", &frame).await
            }
            PreviewPart::Start(kind) => {
                if !self.wanted.iter().any(|wanted| wanted == kind) {
                    self.broken = true;
                    return Ok(());
                }
                self.broken = false;
                let event = json!({"type": kind, "id": preview.event_id.as_str()});
                let frame = json!({"type": "event_start", "event": event});
                self.send("event_start", &frame).await
            }
            PreviewPart::Delta { index, text } => {
                if self.broken {
                    return Ok(());
                }
                let delta = json!({
                    "type": "content_delta",
                    "index": index,
                    "content": {"type": "text", "text": text},
                });
                let frame = json!({
                    "type": "event_delta",
                    "event_id": preview.event_id.as_str(),
                    "delta": delta,
                });
                self.send("event_delta", &frame).await
            }
        }
    }

    async fn deleted(&mut self) -> Result<(), Closed> {
        let now = self.state.api.clock.now();
        let frame = json!({
            "id": EventId::fresh(now).as_str(),
            "type": "session.deleted",
            "processed_at": rfc3339(now),
        });
        let _ = self.send("session.deleted", &frame).await;
        Err(Closed)
    }

    async fn fail(&mut self, error: StoreError) -> Result<(), Closed> {
        tracing::error!(session = %self.session_id, %error, "a stream cannot read its log");
        let error = ApiError::from(error);
        let _ = self.send("error", &error.envelope("")).await;
        Err(Closed)
    }

    async fn send(&mut self, name: &str, data: &Value) -> Result<(), Closed> {
        let frame = Bytes::from(format!("event: {name}\ndata: {data}\n\n"));
        self.frames.send(frame).await.map_err(|_| Closed)
    }
}
