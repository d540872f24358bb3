//! The fold: a session's state from its events.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, CallKind, Confirmation, Permission, WEB_SEARCH};
use super::counts::CallCounts;
use super::history::Rewind;
use super::kind::EventKind;
use super::projection::SELF_HOSTED;
use super::resources::{add_resource, remove_resource};
use super::review::Review;
use super::shared;
use super::usage::{Usage, micros};
use crate::clock::Timestamp;
use crate::ids::{EventId, SessionId, ThreadId};
use crate::json::Fields as _;
use crate::model::TokenUsage;
use crate::store::StoredEvent;

/// Messages of the user that are kept word for word beside the conversation.
pub const USER_WORDS_MAX: usize = 20;

/// What a session is doing, as the wire says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Status {
    /// Waits for input.
    Idle,
    /// A thread works.
    Running,
    /// A transient error; it will be tried again.
    Rescheduling,
    /// Ended for good.
    Terminated,
}

impl Status {
    /// Returns the wire word.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Idle => "idle",
            Status::Running => "running",
            Status::Rescheduling => "rescheduling",
            Status::Terminated => "terminated",
        }
    }
}

/// One turn of the conversation, in the terms of the Messages API.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Turn {
    /// Content blocks from the user.
    User(Vec<Value>),
    /// The model's own blocks, verbatim.
    Assistant(Vec<Value>),
    /// `tool_result` blocks, in the order of the calls.
    ToolResults(Vec<Value>),
    /// Text from the client that speaks as the system prompt does.
    System(Vec<Value>),
}

/// A client's input that waits for its turn.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Queued {
    /// Its id.
    pub event_id: EventId,
    /// Its number in the log.
    pub number: u64,
    /// Its type.
    pub kind: EventKind,
    /// Its wire fields.
    #[serde(with = "shared")]
    pub body: Arc<Value>,
}

/// A log that no writer of ours can have made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FoldError {
    /// The numbers have a gap or a repeat.
    #[error("event {got} follows event {last}: the log has a gap")]
    Gap {
        /// The last number applied.
        last: u64,
        /// The number that came.
        got: u64,
    },
    /// A type that this version does not know; a newer version wrote the log.
    #[error(
        "event {number} has the unknown type {kind:?}: run the version that wrote it, or newer"
    )]
    UnknownKind {
        /// Its number.
        number: u64,
        /// Its type.
        kind: String,
    },
    /// The first event is not the session's configuration, or it lacks a field.
    #[error("event {number} is damaged: {what}")]
    Damaged {
        /// Its number.
        number: u64,
        /// What is wrong.
        what: &'static str,
    },
}

/// A session as its log describes it. Its serial form is what checkpoints hold; it is read again only by the
/// release that wrote it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Number of the last event applied.
    pub last: u64,
    /// The session.
    pub session_id: SessionId,
    /// Its primary thread.
    pub thread_id: ThreadId,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last event.
    pub updated_at: Timestamp,
    /// Configuration: the body of event 1, with later updates laid over it. Fields `agent` (the wire's
    /// SessionAgent), `environment_id`, `title`, `metadata`, `budget`, `vault_ids`, `resources`, and
    /// [`SELF_HOSTED`] where it applies.
    #[serde(with = "shared")]
    pub config: Arc<Value>,
    /// What it is doing.
    pub status: Status,
    /// Why it is idle: the wire's stop reason.
    pub stop_reason: Value,
    /// The wire's stop details, null but for refusals.
    pub stop_details: Value,
    /// Archive time.
    pub archived_at: Option<Timestamp>,
    /// The rewinds of the log, in order, also those that were gone back behind since.
    pub rewinds: Vec<Rewind>,
    /// Input that waits, oldest first.
    pub queue: Vec<Queued>,
    /// The conversation so far, as the model will see it.
    #[serde(with = "shared::each")]
    pub conversation: Vec<Arc<Turn>>,
    /// The newest input of the user, word for word: summaries must keep it.
    #[serde(with = "shared")]
    pub newest_input: Arc<Vec<Value>>,
    /// What the user said, oldest first, at most [`USER_WORDS_MAX`] messages: summaries leave it as it is.
    #[serde(with = "shared::each")]
    pub user_words: Vec<Arc<Vec<Value>>>,
    /// Calls of the newest assistant turn that are not all answered; empty otherwise.
    pub calls: Vec<Call>,
    /// Calls that were made so far.
    pub calls_made: CallCounts,
    /// What the MCP servers told of their tools last: fields `mcp_server_name`, `url` and `tools`.
    #[serde(with = "shared::each")]
    pub mcp_lists: Vec<Arc<Value>>,
    /// The start event of a model request without its end: one that is under way, or was lost in a crash.
    pub open_request: Option<EventId>,
    /// The model has something to answer.
    pub needs_model: bool,
    /// Failed model requests in a row.
    pub failures: u32,
    /// When the next attempt is due.
    pub retry_at: Option<Timestamp>,
    /// The last request did not fit the model's context, or came near to not fitting.
    pub needs_compaction: bool,
    /// Compactions since the model last answered.
    pub compactions: u32,
    /// Answers in a row that were cut at the output limit.
    pub cut_answers: u32,
    /// Model requests since the user's last input.
    pub requests_in_turn: u32,
    /// Cumulative usage.
    pub usage: Usage,
    /// Start of the running time that has not ended.
    pub running_since: Option<Timestamp>,
    /// First time it ran.
    pub first_ran_at: Option<Timestamp>,
    /// Time of termination.
    pub ended_at: Option<Timestamp>,
    /// It was idle at least once after running (thread usage is null before).
    pub was_idle: bool,
}

impl State {
    /// Folds a whole log. Errors: see [`FoldError`].
    pub fn fold(session_id: &SessionId, events: &[StoredEvent]) -> Result<Self, FoldError> {
        let (first, rest) = events.split_first().ok_or(FoldError::Damaged {
            number: 1,
            what: "the log is empty",
        })?;
        let mut state = Self::start(session_id, first)?;
        for event in rest {
            state.apply(event)?;
        }
        Ok(state)
    }

    /// Starts from event 1, the configuration.
    pub fn start(session_id: &SessionId, first: &StoredEvent) -> Result<Self, FoldError> {
        let damaged = |what| FoldError::Damaged {
            number: first.number,
            what,
        };
        if first.number != 1 || EventKind::parse(&first.kind) != Some(EventKind::Created) {
            return Err(damaged("the first event is not the configuration"));
        }
        let thread_id = first
            .thread_id
            .clone()
            .ok_or(damaged("the primary thread is missing"))?;
        if !first.body.at("agent").is_object() {
            return Err(damaged("the agent is missing"));
        }
        Ok(Self {
            last: 1,
            session_id: session_id.clone(),
            thread_id,
            created_at: first.at,
            updated_at: first.at,
            config: Arc::new(first.body.clone()),
            status: Status::Idle,
            stop_reason: json!({"type": "end_turn"}),
            stop_details: Value::Null,
            archived_at: None,
            rewinds: Vec::new(),
            queue: Vec::new(),
            conversation: Vec::new(),
            newest_input: Arc::default(),
            user_words: Vec::new(),
            calls_made: CallCounts::default(),
            calls: Vec::new(),
            mcp_lists: Vec::new(),
            open_request: None,
            needs_model: false,
            failures: 0,
            retry_at: None,
            needs_compaction: false,
            compactions: 0,
            cut_answers: 0,
            requests_in_turn: 0,
            usage: Usage::default(),
            running_since: None,
            first_ran_at: None,
            ended_at: None,
            was_idle: false,
        })
    }

    /// Returns whether workers of the user's own run the tools.
    pub fn is_self_hosted(&self) -> bool {
        *self.config.at(SELF_HOSTED) == true
    }

    /// Returns the agent's snapshot, the wire's SessionAgent.
    pub fn agent(&self) -> &Value {
        self.config.at("agent")
    }

    /// Returns the agent's name.
    pub fn agent_name(&self) -> &str {
        self.agent().at("name").as_str().unwrap_or_default()
    }

    /// Returns the open call that this event recorded.
    pub fn call(&self, event_id: &str) -> Option<&Call> {
        self.calls
            .iter()
            .find(|call| call.event_id.as_str() == event_id)
    }

    /// Returns microseconds of running time that has not ended at `now`.
    pub fn running_micros(&self, now: Timestamp) -> u64 {
        self.running_since.map_or(0, |since| micros(since, now))
    }

    /// Applies the next event that counts: the one with the next number, or a rewind to the last one applied.
    /// Errors leave the state as it was: see [`FoldError`].
    pub fn apply(&mut self, event: &StoredEvent) -> Result<(), FoldError> {
        let kind = EventKind::parse(&event.kind).ok_or_else(|| FoldError::UnknownKind {
            number: event.number,
            kind: event.kind.clone(),
        })?;
        let follows = match kind {
            EventKind::Rewound => *event.body.at("to") == self.last && event.number > self.last,
            _ => event.number == self.last + 1,
        };
        if !follows {
            return Err(FoldError::Gap {
                last: self.last,
                got: event.number,
            });
        }
        if kind == EventKind::Rewound {
            self.rewind(event);
        }
        self.last = event.number;
        self.updated_at = event.at;
        self.apply_kind(kind, event);
        Ok(())
    }

    fn apply_kind(&mut self, kind: EventKind, event: &StoredEvent) {
        match kind {
            EventKind::UserMessage
            | EventKind::UserInterrupt
            | EventKind::UserToolConfirmation
            | EventKind::SystemMessage => self.enqueue(kind, event),
            EventKind::UserCustomToolResult => self.answer(
                event.body.at("custom_tool_use_id").as_str(),
                answer_of(&event.body),
            ),
            EventKind::UserToolResult | EventKind::AgentToolResult | EventKind::CallClosed => {
                self.answer(
                    event.body.at("tool_use_id").as_str(),
                    answer_of(&event.body),
                );
            }
            EventKind::AgentMcpToolResult => self.answer(
                event.body.at("mcp_tool_use_id").as_str(),
                answer_of(&event.body),
            ),
            EventKind::Processed => self.take_from_queue(event),
            EventKind::AgentToolUse => {
                let name = event.body.at("name").as_str().unwrap_or_default();
                self.open_call(CallKind::of_built_in(name, self.is_self_hosted()), event);
            }
            EventKind::AgentCustomToolUse => self.open_call(CallKind::Custom, event),
            EventKind::AgentMcpToolUse => {
                let server = event
                    .body
                    .at("mcp_server_name")
                    .as_str()
                    .unwrap_or_default();
                self.open_call(CallKind::Mcp(server.to_owned()), event);
            }
            EventKind::AgentThreadContextCompacted => self.compact(event),
            EventKind::SessionStatusRunning => {
                self.status = Status::Running;
                self.stop_reason = json!({"type": "end_turn"});
                self.stop_details = Value::Null;
                self.running_since.get_or_insert(event.at);
                self.first_ran_at.get_or_insert(event.at);
            }
            EventKind::SessionStatusIdle => self.go_idle(event),
            EventKind::SessionStatusRescheduled => self.status = Status::Rescheduling,
            EventKind::SessionStatusTerminated => {
                self.stop_clock(event.at);
                self.status = Status::Terminated;
                self.ended_at = Some(event.at);
                self.archived_at.get_or_insert(event.at);
            }
            EventKind::SessionUpdated => self.update(&event.body),
            EventKind::ResourceAdded => {
                add_resource(Arc::make_mut(&mut self.config), event.body.clone());
            }
            EventKind::ResourceRemoved => {
                let id = event.body.at("resource_id").as_str().unwrap_or_default();
                remove_resource(Arc::make_mut(&mut self.config), id);
            }
            EventKind::SpanModelRequestStart => {
                self.open_request = Some(event.id.clone());
                self.requests_in_turn = self.requests_in_turn.saturating_add(1);
            }
            EventKind::SpanModelRequestEnd => self.end_request(event),
            EventKind::Forked => self.fork(event),
            EventKind::Imported => self.import(event),
            EventKind::ReviewRequested => self.request_review(event),
            EventKind::McpListed => self.list_mcp_tools(&event.body),
            EventKind::CallStarted => {
                let id = event.body.at("tool_use_id").as_str().unwrap_or_default();
                let mut calls = self.calls.iter_mut();
                if let Some(call) = calls.find(|call| call.event_id.as_str() == id) {
                    call.has_left = true;
                }
            }
            // Told for people and programs; nothing follows from them.
            EventKind::AgentMessage
            | EventKind::AgentThinking
            | EventKind::SessionError
            | EventKind::SessionUsage
            | EventKind::SessionDeleted
            | EventKind::SessionThreadStatusRunning
            | EventKind::SessionThreadStatusIdle
            | EventKind::SessionThreadStatusRescheduled
            | EventKind::SessionThreadStatusTerminated
            | EventKind::FilesSaved
            | EventKind::HttpRequests
            | EventKind::Rewound
            | EventKind::Created => {}
            // Not made by this version: threads beside the primary one, outcomes, workflow runs.
            EventKind::UserDefineOutcome
            | EventKind::AgentThreadMessageSent
            | EventKind::AgentThreadMessageReceived
            | EventKind::SessionThreadCreated
            | EventKind::SpanOutcomeEvaluationStart
            | EventKind::SpanOutcomeEvaluationOngoing
            | EventKind::SpanOutcomeEvaluationEnd
            | EventKind::WorkflowRunCreated
            | EventKind::WorkflowRunStatusRunning
            | EventKind::WorkflowRunStatusIdle
            | EventKind::WorkflowRunPhaseStarted
            | EventKind::WorkflowRunPhaseEnded
            | EventKind::WorkflowRunError
            | EventKind::WorkflowRunStatusEnded => {}
        }
    }

    fn enqueue(&mut self, kind: EventKind, event: &StoredEvent) {
        self.queue.push(Queued {
            event_id: event.id.clone(),
            number: event.number,
            kind,
            body: Arc::new(event.body.clone()),
        });
    }

    fn take_from_queue(&mut self, event: &StoredEvent) {
        let id = event.body.at("event_id").as_str().unwrap_or_default();
        let Some(at) = self.queue.iter().position(|q| q.event_id.as_str() == id) else {
            return;
        };
        let input = self.queue.remove(at);
        match input.kind {
            EventKind::UserMessage => {
                let content = blocks(input.body.at("content"));
                self.newest_input = Arc::new(content.clone());
                if self.user_words.len() == USER_WORDS_MAX {
                    self.user_words.remove(0);
                }
                self.user_words.push(self.newest_input.clone());
                self.conversation.push(Arc::new(Turn::User(content)));
                self.needs_model = true;
                self.requests_in_turn = 0;
                self.failures = 0;
                self.cut_answers = 0;
            }
            EventKind::SystemMessage => {
                let content = blocks(input.body.at("content"));
                self.conversation.push(Arc::new(Turn::System(content)));
            }
            EventKind::UserToolConfirmation => self.confirm(&input.body),
            // An interrupt's effect is the events appended with it; other kinds are never queued.
            _ => {}
        }
    }

    fn confirm(&mut self, body: &Value) {
        let id = body.at("tool_use_id").as_str().unwrap_or_default();
        let confirmation = if body.at("result") == "allow" {
            Confirmation::Allowed
        } else {
            Confirmation::Denied(body.at("deny_message").as_str().map(str::to_owned))
        };
        let call = self.calls.iter_mut();
        let mut call = call.filter(|call| call.event_id.as_str() == id);
        if let Some(call) = call.next()
            && call.confirmation.is_none()
        {
            call.confirmation = Some(confirmation);
            call.landing = body.at("sinew").at("files").as_array().map(|files| {
                let text = |file: &Value| file.as_str().map(str::to_owned);
                files.iter().filter_map(text).collect()
            });
        }
    }

    fn request_review(&mut self, event: &StoredEvent) {
        let id = event.body.at("tool_use_id").as_str().unwrap_or_default();
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let call = self
            .calls
            .iter_mut()
            .find(|call| call.event_id.as_str() == id);
        if let Some(call) = call {
            call.review = Review::of_event(&event.body, private).map(Arc::new);
            call.confirmation = None;
        }
    }

    fn list_mcp_tools(&mut self, body: &Value) {
        let name = body.at("mcp_server_name");
        self.mcp_lists
            .retain(|list| list.at("mcp_server_name") != name);
        self.mcp_lists.push(Arc::new(body.clone()));
    }

    fn open_call(&mut self, kind: CallKind, event: &StoredEvent) {
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let permission = Permission::parse(event.body.at("evaluated_permission").as_str());
        if permission != Permission::Deny {
            let tool = event.body.at("name").as_str().unwrap_or_default();
            let server = event.body.at("mcp_server_name").as_str();
            self.calls_made.add(server.unwrap_or_default(), tool);
        }
        self.calls.push(Call {
            event_id: event.id.clone(),
            model_id: private
                .at("model_id")
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            name: event
                .body
                .at("name")
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            input: event.body.at("input").clone(),
            kind,
            permission,
            confirmation: None,
            review: None,
            landing: None,
            has_left: false,
            answer: None,
        });
    }

    fn answer(&mut self, event_id: Option<&str>, answer: Answer) {
        let id = event_id.unwrap_or_default();
        if let Some(call) = self
            .calls
            .iter_mut()
            .find(|call| call.event_id.as_str() == id)
        {
            let is_search = call.kind == CallKind::BuiltIn && call.name == WEB_SEARCH;
            if is_search && call.answer.is_none() && !answer.is_error {
                self.usage.web_searches = self.usage.web_searches.saturating_add(1);
            }
            call.answer.get_or_insert(answer);
        }
        self.close_calls_if_answered();
    }

    /// Once the request has ended and every call has its answer, the results become the next turn.
    fn close_calls_if_answered(&mut self) {
        if self.calls.is_empty()
            || self.open_request.is_some()
            || self.calls.iter().any(|call| call.answer.is_none())
        {
            return;
        }
        let results = self.calls.iter().map(Call::tool_result_block).collect();
        self.conversation.push(Arc::new(Turn::ToolResults(results)));
        self.calls.clear();
        self.needs_model = true;
    }

    fn end_request(&mut self, event: &StoredEvent) {
        self.open_request = None;
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        if let Ok(tokens) = serde_json::from_value::<TokenUsage>(private.at("usage").clone()) {
            let cost = private
                .at("cost_nanocents")
                .as_str()
                .and_then(|cost| cost.parse().ok())
                .unwrap_or(0);
            self.usage.add(&tokens, cost);
        }
        if event.body.at("is_error") == true {
            self.failures = self.failures.saturating_add(1);
            self.retry_at = private
                .at("retry_at")
                .as_str()
                .and_then(|at| at.parse().ok());
            if private.at("context_too_long") == true {
                self.needs_compaction = true;
                self.failures = self.failures.saturating_sub(1);
                if *private.at("is_summary") == true {
                    // The next summary shows less of the conversation, and there is not a third.
                    self.compactions = self.compactions.saturating_add(1);
                }
            }
            if private.at("is_interrupt") == true || private.at("is_lost") == true {
                self.failures = self.failures.saturating_sub(1);
            }
            return;
        }
        self.failures = 0;
        self.retry_at = None;
        if private.at("is_summary") == true {
            return;
        }
        self.compactions = 0;
        self.needs_compaction = private.at("context_is_nearly_full") == true;
        let content = blocks(private.at("content"));
        if !content.is_empty() {
            self.conversation.push(Arc::new(Turn::Assistant(content)));
        }
        match private.at("goes_on").as_str() {
            Some("output_limit") => {
                self.cut_answers = self.cut_answers.saturating_add(1);
                let text = "Your answer was cut at the output limit. Go on where it stopped.";
                let block = json!({"type": "text", "text": text});
                self.conversation.push(Arc::new(Turn::User(vec![block])));
                self.needs_model = true;
            }
            Some(_) => self.needs_model = true,
            None => {
                self.cut_answers = 0;
                self.needs_model = false;
            }
        }
        self.close_calls_if_answered();
    }

    fn compact(&mut self, event: &StoredEvent) {
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        // What was said as the system stays for good.
        let is_system = |turn: &Arc<Turn>| matches!(**turn, Turn::System(_));
        self.conversation.retain(is_system);
        let summary = Turn::User(blocks(private.at("content")));
        self.conversation.insert(0, Arc::new(summary));
        self.needs_compaction = false;
        self.compactions = self.compactions.saturating_add(1);
    }

    fn go_idle(&mut self, event: &StoredEvent) {
        self.stop_clock(event.at);
        self.status = Status::Idle;
        self.was_idle = true;
        self.stop_reason = event.body.at("stop_reason").clone();
        self.stop_details = event.body.at("stop_details").clone();
        let keeps_work = matches!(
            self.stop_reason.at("type").as_str(),
            Some("requires_action" | "budget_reached")
        );
        if !keeps_work {
            self.needs_model = false;
            self.failures = 0;
            self.retry_at = None;
        }
    }

    fn update(&mut self, body: &Value) {
        let config = Arc::make_mut(&mut self.config);
        for field in ["title", "metadata", "agent", "budget"] {
            if let Some(value) = body.get(field) {
                config.set(field, value.clone());
            }
        }
    }

    fn stop_clock(&mut self, at: Timestamp) {
        if let Some(since) = self.running_since.take() {
            let passed = micros(since, at);
            self.usage.active_micros = self.usage.active_micros.saturating_add(passed);
        }
    }
}

fn blocks(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn answer_of(body: &Value) -> Answer {
    Answer {
        content: blocks(body.at("content")),
        is_error: body.at("is_error") == true,
    }
}
