//! Making events: ids, times and threads in one place.

use serde_json::{Value, json};

use super::kind::EventKind;
use crate::clock::Timestamp;
use crate::ids::{EventId, ThreadId};
use crate::json::Fields as _;
use crate::store::NewEvent;

/// Makes the events of one append, all of one instant.
pub struct Draft {
    at: Timestamp,
    thread_id: ThreadId,
    agent_name: String,
    events: Vec<NewEvent>,
}

impl Draft {
    /// Starts a list of events made at `at` for the thread of the agent with this name.
    pub fn new(at: Timestamp, thread_id: ThreadId, agent_name: String) -> Self {
        Self {
            at,
            thread_id,
            agent_name,
            events: Vec::new(),
        }
    }

    /// Returns the instant of all events of this draft.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Tells whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Returns the events.
    pub fn into_events(self) -> Vec<NewEvent> {
        self.events
    }

    /// Returns the events so far.
    pub fn events(&self) -> &[NewEvent] {
        &self.events
    }

    /// Adds an event of the thread with a fresh id, and returns that id.
    pub fn thread(&mut self, kind: EventKind, body: Value) -> EventId {
        let id = EventId::fresh(self.at);
        self.push(id.clone(), kind, true, body, None);
        id
    }

    /// Adds an event of the session as a whole.
    pub fn session(&mut self, kind: EventKind, body: Value) {
        self.push(EventId::fresh(self.at), kind, false, body, None);
    }

    /// Adds an event of the thread with an id announced earlier and a part that only the harness sees.
    pub fn with_private(
        &mut self,
        id: EventId,
        kind: EventKind,
        body: Value,
        private: Option<Value>,
    ) {
        self.push(id, kind, true, body, private);
    }

    /// Marks a queued event as processed.
    pub fn processed(&mut self, event_id: &EventId, number: u64) {
        self.session(
            EventKind::Processed,
            json!({"event_id": event_id.as_str(), "number": number}),
        );
    }

    /// Adds the two events that open a turn.
    pub fn running(&mut self) {
        self.thread_status(EventKind::SessionThreadStatusRunning, json!({}));
        self.session(EventKind::SessionStatusRunning, json!({}));
    }

    /// Adds the two events that announce a retry.
    pub fn rescheduled(&mut self) {
        self.thread_status(EventKind::SessionThreadStatusRescheduled, json!({}));
        self.session(EventKind::SessionStatusRescheduled, json!({}));
    }

    /// Adds the three events that end a turn: `usage` and `budget` are the wire objects of that moment.
    pub fn idle(&mut self, stop_reason: &Value, stop_details: &Value, usage: Value, budget: Value) {
        let stop = json!({"stop_reason": stop_reason, "stop_details": stop_details});
        self.thread_status(EventKind::SessionThreadStatusIdle, stop.clone());
        self.session(
            EventKind::SessionUsage,
            json!({"usage": usage, "budget": budget}),
        );
        self.session(EventKind::SessionStatusIdle, stop);
    }

    /// Adds the two events that end the session.
    pub fn terminated(&mut self) {
        self.thread_status(EventKind::SessionThreadStatusTerminated, json!({}));
        self.session(EventKind::SessionStatusTerminated, json!({}));
    }

    /// Adds a `session.error` of this wire type; `retry` is `retrying`, `exhausted` or `terminal`.
    pub fn error(&mut self, kind: &str, message: &str, retry: &str) {
        self.session(
            EventKind::SessionError,
            json!({"error": {"type": kind, "message": message, "retry_status": {"type": retry}}}),
        );
    }

    /// As [`Draft::error`], of an MCP server that cannot be used; the session goes on without it.
    pub fn server_error(&mut self, kind: &str, message: &str, server: &str) {
        self.session(
            EventKind::SessionError,
            json!({"error": {
                "type": kind,
                "message": message,
                "retry_status": {"type": "retrying"},
                "mcp_server_name": server,
            }}),
        );
    }

    fn thread_status(&mut self, kind: EventKind, mut body: Value) {
        body.set("session_thread_id", json!(self.thread_id.as_str()));
        body.set("agent_name", json!(self.agent_name));
        // Thread lifecycle events belong to the session's stream and the thread's alike.
        self.push(EventId::fresh(self.at), kind, true, body, None);
    }

    fn push(
        &mut self,
        id: EventId,
        kind: EventKind,
        in_thread: bool,
        body: Value,
        private: Option<Value>,
    ) {
        self.events.push(NewEvent {
            id,
            thread_id: in_thread.then(|| self.thread_id.clone()),
            kind: kind.name().to_owned(),
            at: self.at,
            is_queued: false,
            body,
            private,
        });
    }
}

/// Returns a text content block; the wire allows no empty text.
pub fn text_block(text: &str) -> Value {
    let text = if text.is_empty() { "(no output)" } else { text };
    json!({"type": "text", "text": text})
}
