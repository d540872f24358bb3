//! The fold: a session's state from its events.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, CallKind, Permission};
use super::corrections::texts;
use super::counts::CallCounts;
use super::grant::Grant;
use super::history::Rewind;
use super::kind::EventKind;
use super::outcome::{self, Outcome, Progress};
use super::projection::SELF_HOSTED;
use super::resources::{add_resource, remove_resource};
use super::shared;
use super::supervision::{ASK_USER, Supervision, questions_in};
use super::thread::{AgentOf, From, Thread, blocks, used};
use super::usage::{Usage, micros};
use crate::clock::Timestamp;
use crate::ids::{EventId, SessionId, ThreadId};
use crate::json::Fields as _;
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
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last event.
    pub updated_at: Timestamp,
    /// Configuration: the body of event 1, with later updates laid over it. Fields `agent` (the wire's
    /// SessionAgent), `environment_id`, `title`, `metadata`, `budget`, `vault_ids`, `resources`, and
    /// [`SELF_HOSTED`] where it applies.
    #[serde(with = "shared")]
    pub config: Arc<Value>,
    /// What it is doing, all threads together.
    pub status: Status,
    /// Why it is idle: the wire's stop reason.
    pub stop_reason: Value,
    /// The wire's stop details, null but for refusals.
    pub stop_details: Value,
    /// Archive time.
    pub archived_at: Option<Timestamp>,
    /// The rewinds of the log, in order, also those that were gone back behind since.
    pub rewinds: Vec<Rewind>,
    /// Its threads in order of their creation, the primary one first, also those that have ended.
    #[serde(with = "shared::each")]
    pub threads: Vec<Arc<Thread>>,
    /// What the user said, oldest first, at most [`USER_WORDS_MAX`] messages: summaries leave it as it is.
    #[serde(with = "shared::each")]
    pub user_words: Vec<Arc<Vec<Value>>>,
    /// What was corrected and is not yet distilled into preferences, oldest first.
    #[serde(with = "shared::each")]
    pub corrections: Vec<Arc<String>>,
    /// Calls that were made so far, in all threads.
    pub calls_made: CallCounts,
    /// What the MCP servers told of their tools last: fields `mcp_server_name`, `url` and `tools`.
    #[serde(with = "shared::each")]
    pub mcp_lists: Vec<Arc<Value>>,
    /// What was to come out, oldest first; at most the last is not final.
    pub outcomes: Vec<Outcome>,
    /// Cumulative usage of all threads; running time that overlaps counts once.
    pub usage: Usage,
    /// Start of the running time that has not ended.
    pub running_since: Option<Timestamp>,
    /// First time it ran.
    pub first_ran_at: Option<Timestamp>,
    /// Time of termination.
    pub ended_at: Option<Timestamp>,
    /// It was idle at least once after running.
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
        let mut primary = Thread::new(thread_id, None, AgentOf::Session, first.at);
        primary.grant = Grant::of_session(&first.body);
        Ok(Self {
            last: 1,
            session_id: session_id.clone(),
            created_at: first.at,
            updated_at: first.at,
            config: Arc::new(first.body.clone()),
            status: Status::Idle,
            stop_reason: json!({"type": "end_turn"}),
            stop_details: Value::Null,
            archived_at: None,
            rewinds: Vec::new(),
            threads: vec![Arc::new(primary)],
            user_words: Vec::new(),
            corrections: Vec::new(),
            calls_made: CallCounts::default(),
            mcp_lists: Vec::new(),
            outcomes: Vec::new(),
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

    /// Returns the snapshot of the session's own agent, the wire's SessionAgent.
    pub fn agent(&self) -> &Value {
        self.config.at("agent")
    }

    /// Returns the snapshot of the agent that works in a thread.
    pub fn agent_of<'a>(&'a self, thread: &'a Thread) -> &'a Value {
        thread.agent.snapshot(self.agent())
    }

    /// Returns the snapshots of the session's agent, of those between, and of a thread's own: who may start it is bound
    /// by the same as who was started.
    pub fn agents_above<'a>(&'a self, thread: &'a Thread) -> Vec<&'a Value> {
        let chain = self.chain(thread).into_iter();
        chain.map(|thread| self.agent_of(thread)).collect()
    }

    /// Returns the name of the agent that works in a thread.
    pub fn name_of<'a>(&'a self, thread: &'a Thread) -> &'a str {
        self.agent_of(thread)
            .at("name")
            .as_str()
            .unwrap_or_default()
    }

    /// Returns the thread that the session began with.
    pub fn primary(&self) -> &Thread {
        // There is one from the first event on.
        static NONE: std::sync::LazyLock<Thread> = std::sync::LazyLock::new(|| {
            let id = ThreadId::from_text(String::new());
            Thread::new(id, None, AgentOf::Session, Timestamp::UNIX_EPOCH)
        });
        self.threads.first().map_or(&NONE, AsRef::as_ref)
    }

    /// Returns a thread by its id.
    pub fn thread(&self, id: &str) -> Option<&Thread> {
        let mut threads = self.threads.iter();
        threads
            .find(|thread| thread.id.as_str() == id)
            .map(AsRef::as_ref)
    }

    /// Returns the threads that have not ended, the primary one first.
    pub fn live_threads(&self) -> impl Iterator<Item = &Thread> {
        self.threads
            .iter()
            .map(AsRef::as_ref)
            .filter(|thread| thread.is_live())
    }

    /// Returns the live threads of agents that this one started.
    pub fn children<'a>(&'a self, of: &'a ThreadId) -> impl Iterator<Item = &'a Thread> {
        self.live_threads()
            .filter(move |thread| thread.parent.as_ref() == Some(of) && thread.is_started())
    }

    /// Returns the outcome that is not final.
    pub fn active_outcome(&self) -> Option<&Outcome> {
        self.outcomes.last().filter(|outcome| outcome.is_active())
    }

    /// Returns the open call that this event recorded, and whose it is.
    pub fn call(&self, event_id: &str) -> Option<(&Thread, &Call)> {
        self.live_threads()
            .find_map(|thread| Some((thread, thread.call(event_id)?)))
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
        let text = |name: &str| event.body.at(name).as_str().unwrap_or_default();
        match kind {
            EventKind::UserMessage | EventKind::SystemMessage => {
                self.primary_mut(event).enqueue(kind, event, false);
            }
            EventKind::UserInterrupt => self.interrupt(event),
            EventKind::UserToolConfirmation => {
                let thread = self.with_call(text("tool_use_id"), event);
                thread.enqueue(kind, event, false);
            }
            EventKind::UserCustomToolResult => self.answer(text("custom_tool_use_id"), event),
            EventKind::UserToolResult | EventKind::AgentToolResult | EventKind::CallClosed => {
                self.answer(text("tool_use_id"), event);
            }
            EventKind::AgentMcpToolResult => self.answer(text("mcp_tool_use_id"), event),
            EventKind::Processed => self.take_from_queue(event),
            EventKind::AgentToolUse => {
                let kind = CallKind::of_tool_use(text("name"), self.is_self_hosted());
                self.open_call(kind, event);
            }
            EventKind::AgentCustomToolUse => self.open_call(CallKind::Custom, event),
            EventKind::AgentMcpToolUse => {
                self.open_call(CallKind::Mcp(text("mcp_server_name").to_owned()), event);
            }
            EventKind::Delegated => self.open_call(CallKind::Delegation, event),
            EventKind::AgentThreadContextCompacted => self.thread_mut(event).compact(event),
            EventKind::AgentThreadMessageReceived => self.receive(event),
            EventKind::SessionThreadCreated => self.add_thread(event),
            EventKind::SessionStatusRunning => {
                self.status = Status::Running;
                self.stop_reason = json!({"type": "end_turn"});
                self.stop_details = Value::Null;
                self.running_since.get_or_insert(event.at);
                self.first_ran_at.get_or_insert(event.at);
            }
            EventKind::SessionStatusIdle => {
                self.stop_clock(event.at);
                self.status = Status::Idle;
                self.was_idle = true;
                self.stop_reason = event.body.at("stop_reason").clone();
                self.stop_details = event.body.at("stop_details").clone();
            }
            EventKind::SessionStatusRescheduled => self.status = Status::Rescheduling,
            EventKind::SessionStatusTerminated => {
                self.stop_clock(event.at);
                self.status = Status::Terminated;
                self.ended_at = Some(event.at);
                self.archived_at.get_or_insert(event.at);
            }
            EventKind::SessionThreadStatusRunning
            | EventKind::SessionThreadStatusIdle
            | EventKind::SessionThreadStatusRescheduled
            | EventKind::SessionThreadStatusTerminated => self.tell_status(kind, event),
            EventKind::SessionUpdated => self.update(&event.body),
            EventKind::ResourceAdded => {
                add_resource(Arc::make_mut(&mut self.config), event.body.clone());
            }
            EventKind::ResourceRemoved => {
                remove_resource(Arc::make_mut(&mut self.config), text("resource_id"));
            }
            EventKind::SpanModelRequestStart => {
                let is_primary = {
                    let thread = self.thread_mut(event);
                    thread.start_request(event);
                    thread.is_primary()
                };
                if let Some(outcome) = self.outcomes.last_mut().filter(|_| is_primary)
                    && outcome.progress == Progress::Pending
                {
                    outcome.progress = Progress::Running;
                }
            }
            EventKind::UserDefineOutcome => self.define_outcome(event),
            EventKind::SpanOutcomeEvaluationStart => self.begin_evaluation(event),
            EventKind::SpanOutcomeEvaluationEnd => self.end_evaluation(event),
            EventKind::SpanModelRequestEnd => {
                if let Some((tokens, cost)) = self.thread_mut(event).end_request(event) {
                    self.usage.add(&tokens, cost);
                }
            }
            EventKind::PreferencesDistilled => {
                self.distilled(&event.body);
                let private = event.private.as_ref().unwrap_or(&Value::Null);
                if let Some((tokens, cost)) = used(private) {
                    self.usage.add(&tokens, cost);
                    self.primary_mut(event).usage.add(&tokens, cost);
                }
            }
            EventKind::Forked => self.fork(event),
            EventKind::Imported => self.import(event),
            EventKind::ReviewRequested => {
                self.with_call(text("tool_use_id"), event)
                    .request_review(event);
            }
            EventKind::McpListed => self.list_mcp_tools(&event.body),
            EventKind::Reminded => self.thread_mut(event).remind(text("text")),
            EventKind::CallStarted => {
                let id = text("tool_use_id");
                if let Some(call) = self.with_call(id, event).call_mut(id) {
                    call.has_left = true;
                }
            }
            // Told for people and programs; nothing follows from them.
            EventKind::AgentMessage
            | EventKind::AgentThinking
            | EventKind::AgentThreadMessageSent
            | EventKind::SpanOutcomeEvaluationOngoing
            | EventKind::SessionError
            | EventKind::SessionUsage
            | EventKind::SessionDeleted
            | EventKind::FilesSaved
            | EventKind::HttpRequests
            | EventKind::Rewound
            | EventKind::Created => {}
            // Not made by this version: workflow runs.
            EventKind::WorkflowRunCreated
            | EventKind::WorkflowRunStatusRunning
            | EventKind::WorkflowRunStatusIdle
            | EventKind::WorkflowRunPhaseStarted
            | EventKind::WorkflowRunPhaseEnded
            | EventKind::WorkflowRunError
            | EventKind::WorkflowRunStatusEnded => {}
        }
    }

    /// Returns the thread at a place, or the primary one.
    fn at_place(&mut self, place: usize, event: &StoredEvent) -> &mut Thread {
        let place = if place < self.threads.len() { place } else { 0 };
        if self.threads.is_empty() {
            // A damaged checkpoint; a log has its primary thread in its first event.
            let id = ThreadId::from_text(String::new());
            let made = Thread::new(id, None, AgentOf::Session, event.at);
            self.threads.push(Arc::new(made));
        }
        #[expect(clippy::indexing_slicing, reason = "it was just made sure of")]
        let thread = Arc::make_mut(&mut self.threads[place]);
        thread.updated_at = event.at;
        thread
    }

    fn place_of(&self, wanted: impl Fn(&Thread) -> bool) -> usize {
        self.threads
            .iter()
            .position(|thread| wanted(thread))
            .unwrap_or(0)
    }

    fn primary_mut(&mut self, event: &StoredEvent) -> &mut Thread {
        self.at_place(0, event)
    }

    /// Returns the thread that an event is of; the primary one of an event of the session as a whole.
    fn thread_mut(&mut self, event: &StoredEvent) -> &mut Thread {
        let place = self.place_of(|thread| Some(&thread.id) == event.thread_id.as_ref());
        self.at_place(place, event)
    }

    /// Takes up what an event says of a thread's status. One that is gone has none.
    fn tell_status(&mut self, kind: EventKind, event: &StoredEvent) {
        let id = event.body.at("session_thread_id").as_str();
        let id = id.map_or_else(|| self.primary().id.clone(), ThreadId::from_text);
        let Some(place) = self.threads.iter().position(|thread| thread.id == id) else {
            return;
        };
        let is_pending = self
            .active_outcome()
            .is_some_and(|outcome| outcome.progress == Progress::Pending);
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let is_interrupt = *private.at("is_interrupt") == true;
        let thread = self.at_place(place, event);
        match kind {
            EventKind::SessionThreadStatusRunning => thread.run(event.at),
            EventKind::SessionThreadStatusIdle => {
                thread.go_idle(event);
                // One that came behind the interrupt is what the agent does next.
                thread.needs_model |= thread.is_primary() && is_pending && is_interrupt;
            }
            EventKind::SessionThreadStatusRescheduled => thread.status = Status::Rescheduling,
            _ => thread.end(event.at),
        }
    }

    /// Returns the thread with this open call.
    fn with_call(&mut self, id: &str, event: &StoredEvent) -> &mut Thread {
        let place = self.place_of(|thread| thread.call(id).is_some());
        self.at_place(place, event)
    }

    fn answer(&mut self, call_id: &str, event: &StoredEvent) {
        let answer = Answer {
            content: blocks(event.body.at("content")),
            is_error: event.body.at("is_error") == true,
        };
        let asked = self.call(call_id).map(|(_, call)| call);
        if let Some(call) =
            asked.filter(|call| call.kind == CallKind::Custom && call.name == ASK_USER)
        {
            let questions = questions_in(&call.input).unwrap_or_default().join(" ");
            let said = texts(&answer.content);
            self.correct(&format!("The user, asked {questions:?}"), &said);
        }
        let ours = event.body.at("sinew");
        let retries = self
            .call(call_id)
            .map_or(0, |(thread, _)| Supervision::of(self, thread).retries());
        if self
            .with_call(call_id, event)
            .answer(call_id, answer, ours, retries)
        {
            self.usage.web_searches = self.usage.web_searches.saturating_add(1);
        }
    }

    fn open_call(&mut self, kind: CallKind, event: &StoredEvent) {
        let permission = Permission::parse(event.body.at("evaluated_permission").as_str());
        // Those of graders, which nobody sees, are not the agent's.
        let is_graders = self.thread_mut(event).is_grader();
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let is_denied = permission == Permission::Deny || *private.at("is_denied") == true;
        if !is_denied && !is_graders {
            let tool = event.body.at("name").as_str().unwrap_or_default();
            let server = event.body.at("mcp_server_name").as_str();
            self.calls_made.add(server.unwrap_or_default(), tool);
        }
        self.thread_mut(event).open_call(kind, event);
    }

    /// An interrupt is of one thread or of all that have something to stop; the primary one takes it from the queue
    /// then.
    fn interrupt(&mut self, event: &StoredEvent) {
        let kind = EventKind::UserInterrupt;
        if let Some(id) = event.body.at("session_thread_id").as_str() {
            let place = self.place_of(|thread| thread.id.as_str() == id);
            let thread = self.at_place(place, event);
            thread.enqueue(kind, event, false);
            // Whoever holds the work against a rubric has nothing to hold any more.
            if thread.is_primary() {
                let graders = self.threads.iter_mut().filter(|thread| thread.is_grader());
                for grader in graders.filter(|grader| grader.is_live()) {
                    Arc::make_mut(grader).enqueue(kind, event, true);
                }
            }
            return;
        }
        self.primary_mut(event).enqueue(kind, event, false);
        for thread in self.threads.iter_mut().skip(1) {
            let is_stopped = thread.status == Status::Idle && thread.calls.is_empty();
            if thread.is_live() && !is_stopped {
                Arc::make_mut(thread).enqueue(kind, event, true);
            }
        }
    }

    fn take_from_queue(&mut self, event: &StoredEvent) {
        let id = event.body.at("event_id").as_str().unwrap_or_default();
        let is_in = |thread: &Thread| {
            let mut queue = thread.queue.iter();
            queue.any(|input| input.event_id.as_str() == id && !input.is_copy)
        };
        let place = self.place_of(is_in);
        let taken = self.at_place(place, event).take_from_queue(id);
        let Some(input) = taken else { return };
        match input.kind {
            EventKind::UserMessage => {
                let words = blocks(input.body.at("content"));
                if self.was_idle {
                    self.correct("The user, after the agent's turn", &texts(&words));
                }
                self.hear(words);
            }
            EventKind::UserToolConfirmation => {
                let said = input.body.at("deny_message").as_str().unwrap_or_default();
                let call = input.body.at("tool_use_id").as_str().unwrap_or_default();
                let name = self.call(call).map(|(_, call)| call.name.clone());
                let name = name.unwrap_or_default();
                self.correct(&format!("The user, rejecting a call of {name}"), said);
            }
            _ => {}
        }
    }

    /// Keeps what the user said.
    fn hear(&mut self, words: Vec<Value>) {
        if self.user_words.len() == USER_WORDS_MAX {
            self.user_words.remove(0);
        }
        self.user_words.push(Arc::new(words));
        for thread in &mut self.threads {
            if thread.messages_in_turn > 0 {
                Arc::make_mut(thread).messages_in_turn = 0;
            }
        }
    }

    fn define_outcome(&mut self, event: &StoredEvent) {
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let outcome = Outcome::of_event(event.number, &event.body, private);
        self.hear(outcome.task());
        self.primary_mut(event).receive(outcome.task(), From::Above);
        outcome::add(&mut self.outcomes, outcome);
    }

    /// Begins the grader's thread, which is at work from its first moment.
    fn begin_evaluation(&mut self, event: &StoredEvent) {
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let grader = private.at("grader");
        let Some(outcome) = self.outcomes.last_mut() else {
            return;
        };
        let id = ThreadId::from_text(grader.at("thread_id").as_str().unwrap_or_default());
        outcome.progress = Progress::Evaluating;
        outcome.evaluation = Some(event.id.as_str().to_owned());
        outcome.grader = Some(id.clone());
        let agent = AgentOf::Grader(Arc::new(grader.at("agent").clone()));
        let parent = self.primary().id.clone();
        let mut thread = Thread::new(id, Some(parent), agent, event.at);
        thread.run(event.at);
        thread.begin_turn(blocks(grader.at("prompt")));
        self.threads.push(Arc::new(thread));
    }

    fn end_evaluation(&mut self, event: &StoredEvent) {
        let Some(outcome) = self.outcomes.last_mut() else {
            return;
        };
        let grader = outcome.grader.clone();
        if let Some(told) = outcome.evaluated(&event.body, event.at) {
            self.correct_as_reviewer("A reviewer, of the agent's work", &texts(&told));
            self.primary_mut(event).receive(told, From::Verdict);
        }
        // Graders that have ended are no part of the session any more; that this one ends is still to be told.
        let is_other = |thread: &Arc<Thread>| {
            !thread.is_grader() || thread.is_live() || Some(&thread.id) == grader.as_ref()
        };
        self.threads.retain(is_other);
    }

    fn add_thread(&mut self, event: &StoredEvent) {
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (Some(id), Some(agent)) = (
            text(event.body.at("session_thread_id")),
            AgentOf::from_json(private.at("agent")),
        ) else {
            return;
        };
        if self.thread(&id).is_some() {
            return;
        }
        // In a log of ours whoever starts an agent is there before.
        let parent = self.thread(private.at("parent_thread_id").as_str().unwrap_or_default());
        let parent = parent.unwrap_or_else(|| self.primary()).id.clone();
        let mut thread = Thread::new(ThreadId::from_text(id), Some(parent), agent, event.at);
        thread.for_call = text(private.at("for_call")).map(EventId::from_text);
        // Made here and not kept in the event: a log that somebody changed cannot widen it.
        let above = thread
            .parent
            .as_ref()
            .and_then(|id| self.thread(id.as_str()));
        if let Some(above) = above.filter(|_| thread.is_started()) {
            let (starter, started) = (self.agent_of(above), self.agent_of(&thread));
            thread.grant = above.grant.below(starter, started, private.at("limits"));
        }
        let prompt = blocks(private.at("prompt"));
        if !prompt.is_empty() {
            thread.begin_turn(prompt);
        }
        self.threads.push(Arc::new(thread));
    }

    fn receive(&mut self, event: &StoredEvent) {
        let from = event.body.at("from_session_thread_id").as_str();
        let Some(sender) = self.thread(from.unwrap_or_default()) else {
            return;
        };
        // What an advisor says is the result of the call that asked.
        if sender.is_advisor() {
            return;
        }
        let intro = format!(
            "Message of the agent {:?} (thread {}):",
            self.name_of(sender),
            sender.id
        );
        let sender = sender.id.clone();
        let content = blocks(event.body.at("content"));
        let thread = self.thread_mut(event);
        let is_from_above = thread.parent.as_ref() == Some(&sender);
        let from = match is_from_above {
            true => From::Above,
            false => From::Below(&intro),
        };
        // The first one is its task.
        let is_sent_back = is_from_above && thread.first_ran_at.is_some();
        let said = texts(&content);
        thread.receive(content, from);
        if is_sent_back {
            self.correct_as_reviewer("An agent, sending another one back to its work", &said);
        }
    }

    fn list_mcp_tools(&mut self, body: &Value) {
        // Several agents may call servers by the same name.
        let is_other = |list: &Arc<Value>| {
            list.at("mcp_server_name") != body.at("mcp_server_name")
                || list.at("url") != body.at("url")
        };
        self.mcp_lists.retain(is_other);
        self.mcp_lists.push(Arc::new(body.clone()));
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

/// Returns the snapshots of all agents of a session's configuration: its own, and those of the rosters.
pub fn agents_of(config: &Value) -> Vec<&Value> {
    let mut agents = vec![config.at("agent")];
    let mut next = 0;
    while let Some(agent) = agents.get(next).copied() {
        next += 1;
        let lists = ["agents", "subagents", "workflows"];
        let listed = lists
            .into_iter()
            .filter_map(|list| roster_list(agent, list));
        agents.extend(
            listed
                .flatten()
                .filter(|entry| *entry.at("type") == "agent"),
        );
    }
    agents
}

/// Returns the list of this name in the roster of an agent's snapshot.
pub(super) fn roster_list<'a>(agent: &'a Value, list: &str) -> Option<&'a Vec<Value>> {
    let block = agent.at("multiagent");
    match list {
        "agents" => block.at("agents").as_array(),
        member => block.at(member).at("predefined_agents").as_array(),
    }
}
