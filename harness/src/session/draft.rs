//! Making events: ids, times and threads in one place.

use serde_json::{Value, json};

use super::kind::EventKind;
use super::state::State;
use super::thread::Thread;
use crate::clock::Timestamp;
use crate::ids::{EventId, ThreadId};
use crate::json::Fields as _;
use crate::store::NewEvent;

/// Whose events are made: a thread and the agent in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Speaker {
    /// The thread.
    pub thread_id: ThreadId,
    /// The agent's name.
    pub agent_name: String,
    /// It is the thread that the session began with.
    pub is_primary: bool,
    /// Nobody is to see the thread.
    pub is_hidden: bool,
}

impl Speaker {
    /// Returns the speaker of a thread.
    pub fn of(state: &State, thread: &Thread) -> Self {
        Self {
            thread_id: thread.id.clone(),
            agent_name: state.name_of(thread).to_owned(),
            is_primary: thread.is_primary(),
            is_hidden: thread.is_grader(),
        }
    }

    /// Returns the speaker of the thread that a session begins with.
    pub fn primary(thread_id: ThreadId, agent_name: String) -> Self {
        Self {
            thread_id,
            agent_name,
            is_primary: true,
            is_hidden: false,
        }
    }

    /// Returns the body of the event that a thread has of a message it got from this one.
    pub fn as_sender(&self, content: &Value) -> Value {
        let mut body = json!({
            "from_session_thread_id": self.thread_id.as_str(),
            "content": content,
        });
        if !self.is_primary {
            body.set("from_agent_name", json!(self.agent_name));
        }
        body
    }

    /// Returns the body of the event that a thread has of a message it sent to this one.
    pub fn as_receiver(&self, content: &Value) -> Value {
        let mut body = json!({
            "to_session_thread_id": self.thread_id.as_str(),
            "content": content,
        });
        if !self.is_primary {
            body.set("to_agent_name", json!(self.agent_name));
        }
        body
    }
}

/// Makes the events of one append, all of one instant.
pub struct Draft {
    at: Timestamp,
    speaker: Speaker,
    events: Vec<NewEvent>,
}

/// In whose lists an event is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the session's alone.
    Session,
    /// In those of its thread; in the session's too if that is the primary one.
    Thread,
    /// In those of its thread and in the session's.
    Both,
}

impl Draft {
    /// Starts a list of events made at `at` for this thread.
    pub fn new(at: Timestamp, speaker: Speaker) -> Self {
        Self {
            at,
            speaker,
            events: Vec::new(),
        }
    }

    /// Goes on with the events of another thread.
    pub fn speak_as(&mut self, speaker: Speaker) {
        self.speaker = speaker;
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
        self.push(id.clone(), kind, Place::Thread, body, None);
        id
    }

    /// As [`Draft::thread`], of what is in the session's lists too, whichever thread it is of.
    pub fn shared(&mut self, kind: EventKind, body: Value, private: Option<Value>) -> EventId {
        let id = EventId::fresh(self.at);
        self.push(id.clone(), kind, Place::Both, body, private);
        id
    }

    /// Tells whether nobody sees the thread whose events are made.
    pub fn is_hidden(&self) -> bool {
        self.speaker.is_hidden
    }

    /// Returns the id of the thread whose events are made if its calls are to be told apart in the session's lists.
    pub fn told_thread(&self) -> Option<&ThreadId> {
        let is_told = !self.speaker.is_primary && !self.speaker.is_hidden;
        is_told.then_some(&self.speaker.thread_id)
    }

    /// Adds an event of the session as a whole.
    pub fn session(&mut self, kind: EventKind, body: Value) {
        self.push(EventId::fresh(self.at), kind, Place::Session, body, None);
    }

    /// Adds an event of the thread with an id announced earlier and a part that only the harness sees.
    pub fn with_private(
        &mut self,
        id: EventId,
        kind: EventKind,
        body: Value,
        private: Option<Value>,
    ) {
        self.push(id, kind, Place::Thread, body, private);
    }

    /// Marks a queued event as processed.
    pub fn processed(&mut self, event_id: &EventId, number: u64) {
        self.session(
            EventKind::Processed,
            json!({"event_id": event_id.as_str(), "number": number}),
        );
    }

    /// Adds the event that opens a turn of the thread.
    pub fn running(&mut self) {
        self.thread_status(EventKind::SessionThreadStatusRunning, json!({}), None);
    }

    /// Adds the event that announces a retry.
    pub fn rescheduled(&mut self) {
        self.thread_status(EventKind::SessionThreadStatusRescheduled, json!({}), None);
    }

    /// Adds the event that ends a turn of the thread.
    pub fn idle(&mut self, stop_reason: &Value, stop_details: &Value) {
        let stop = json!({"stop_reason": stop_reason, "stop_details": stop_details});
        self.thread_status(EventKind::SessionThreadStatusIdle, stop, None);
    }

    /// As [`Draft::idle`], of a turn that an interrupt ended.
    /// The interrupt came behind the outcome that is under way, and ends it, if it `ends_outcome`.
    pub fn interrupted(&mut self, ends_outcome: bool) {
        let stop = json!({"stop_reason": {"type": "end_turn"}, "stop_details": null});
        let private = json!({"is_interrupt": true, "ends_outcome": ends_outcome});
        self.thread_status(EventKind::SessionThreadStatusIdle, stop, Some(private));
    }

    /// Adds the event that ends the thread.
    pub fn thread_terminated(&mut self) {
        self.thread_status(EventKind::SessionThreadStatusTerminated, json!({}), None);
    }

    /// Adds the event that ends the session.
    pub fn terminated(&mut self) {
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

    fn thread_status(&mut self, kind: EventKind, mut body: Value, private: Option<Value>) {
        body.set("session_thread_id", json!(self.speaker.thread_id.as_str()));
        body.set("agent_name", json!(self.speaker.agent_name));
        self.push(EventId::fresh(self.at), kind, Place::Both, body, private);
    }

    fn push(
        &mut self,
        id: EventId,
        kind: EventKind,
        place: Place,
        body: Value,
        private: Option<Value>,
    ) {
        let in_thread = place != Place::Session;
        self.events.push(NewEvent {
            id,
            thread_id: in_thread.then(|| self.speaker.thread_id.clone()),
            is_thread_only: match place {
                Place::Session => false,
                Place::Thread => !self.speaker.is_primary,
                Place::Both => self.speaker.is_hidden,
            },
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
