//! One thread of a session: an agent's own conversation, its calls, and what it is doing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, CallKind, Confirmation, Permission, WEB_SEARCH};
use super::grant::Grant;
use super::guards::Repeated;
use super::kind::EventKind;
use super::review::Review;
use super::shared;
use super::state::{Status, roster_list};
use super::supervision::Supervised;
use super::usage::{Usage, micros};
use crate::clock::Timestamp;
use crate::ids::{EventId, ThreadId};
use crate::json::Fields as _;
use crate::model::TokenUsage;
use crate::store::StoredEvent;

/// One turn of the conversation, in the terms of the Messages API.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Turn {
    /// Content blocks from the user, or from another agent.
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
    /// Another thread has it too and takes it from the queue: an interrupt of all.
    pub is_copy: bool,
}

/// A message that waits until the conversation can take it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Incoming {
    /// Content blocks.
    pub content: Vec<Value>,
    /// It is what the agent is to do.
    pub is_work: bool,
}

/// Who a message is from.
#[derive(Clone, Copy)]
pub(super) enum From<'a> {
    /// Whoever gives the agent work.
    Above,
    /// An agent that this one started; the text says which.
    Below(&'a str),
    /// Whoever holds its work against a rubric.
    Verdict,
}

/// Where the snapshot of a thread's agent is to be found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum AgentOf {
    /// It is the session's agent.
    Session,
    /// It stands in the roster of the agent above it, which stands in the roster of the one above that: which list
    /// of each, and which place in it.
    Listed(Vec<(String, usize)>),
    /// It was made up for this thread: the wire's InlineAgent.
    Inline(#[serde(with = "shared")] Arc<Value>),
    /// A model that is asked once.
    Advisor(#[serde(with = "shared")] Arc<Value>),
    /// Holds the session's work against an outcome's rubric; nobody sees its thread.
    Grader(#[serde(with = "shared")] Arc<Value>),
}

impl AgentOf {
    /// Returns the snapshot, where `session` is that of the session's agent; null of one that is listed nowhere.
    pub fn snapshot<'a>(&'a self, session: &'a Value) -> &'a Value {
        match self {
            AgentOf::Session => session,
            AgentOf::Listed(path) => path.iter().fold(session, |agent, (list, at)| {
                let listed = roster_list(agent, list).and_then(|list| list.get(*at));
                listed.unwrap_or(&Value::Null)
            }),
            AgentOf::Inline(agent) | AgentOf::Advisor(agent) | AgentOf::Grader(agent) => agent,
        }
    }

    /// Returns it as the event that begins the thread keeps it.
    pub fn to_json(&self) -> Value {
        match self {
            AgentOf::Session => json!({"type": "session"}),
            AgentOf::Listed(path) => json!({"type": "listed", "path": path}),
            AgentOf::Inline(agent) => json!({"type": "inline", "agent": agent}),
            AgentOf::Advisor(agent) => json!({"type": "advisor", "agent": agent}),
            AgentOf::Grader(agent) => json!({"type": "grader", "agent": agent}),
        }
    }

    /// Reads what [`AgentOf::to_json`] made; none of what it did not make.
    pub fn from_json(kept: &Value) -> Option<Self> {
        let agent = || {
            kept.at("agent")
                .is_object()
                .then(|| Arc::new(kept.at("agent").clone()))
        };
        Some(match kept.at("type").as_str()? {
            "session" => AgentOf::Session,
            "listed" => AgentOf::Listed(serde_json::from_value(kept.at("path").clone()).ok()?),
            "inline" => AgentOf::Inline(agent()?),
            "advisor" => AgentOf::Advisor(agent()?),
            "grader" => AgentOf::Grader(agent()?),
            _ => return None,
        })
    }
}

/// A thread as the log describes it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Thread {
    /// Its id.
    pub id: ThreadId,
    /// The thread that started it; none of the primary one.
    pub parent: Option<ThreadId>,
    /// Who works in it.
    pub agent: AgentOf,
    /// What its agent may do at the most.
    pub grant: Grant,
    /// The call of its parent that waits for its answer, if it was made for one.
    pub for_call: Option<EventId>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of its last event.
    pub updated_at: Timestamp,
    /// Time of its end.
    pub ended_at: Option<Timestamp>,
    /// What it is doing.
    pub status: Status,
    /// Why it is idle: the wire's stop reason.
    pub stop_reason: Value,
    /// The wire's stop details, null but for refusals.
    pub stop_details: Value,
    /// Input that waits, oldest first.
    pub queue: Vec<Queued>,
    /// Messages that wait until the conversation can take them.
    pub inbox: Vec<Incoming>,
    /// The conversation so far, as the model will see it.
    #[serde(with = "shared::each")]
    pub conversation: Vec<Arc<Turn>>,
    /// The newest input of whoever gives it work, word for word: summaries must keep it.
    #[serde(with = "shared")]
    pub newest_input: Arc<Vec<Value>>,
    /// Calls of the newest assistant turn that are not all answered; empty otherwise.
    pub calls: Vec<Call>,
    /// The start event of a model request without its end: one that is under way, or was lost in a crash.
    pub open_request: Option<EventId>,
    /// What that request may cost at most, in nano-cents, where there is a budget.
    pub reserved_nanocents: u64,
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
    /// Model requests since the last input.
    pub requests_in_turn: u32,
    /// The call that was made last, and how often in a row.
    pub repeated: Repeated,
    /// Messages of whoever started it since the user's last input.
    pub messages_in_turn: u32,
    /// Its plan, and how it stands to the rules of its supervision.
    pub supervised: Supervised,
    /// Usage of its own.
    pub usage: Usage,
    /// Start of the running time that has not ended.
    pub running_since: Option<Timestamp>,
    /// First time it ran.
    pub first_ran_at: Option<Timestamp>,
    /// It was idle at least once after running (usage is null before).
    pub was_idle: bool,
}

impl Thread {
    /// Returns a thread in which nothing happened yet.
    pub fn new(id: ThreadId, parent: Option<ThreadId>, agent: AgentOf, at: Timestamp) -> Self {
        Self {
            id,
            parent,
            agent,
            grant: Grant::nothing(),
            for_call: None,
            created_at: at,
            updated_at: at,
            ended_at: None,
            status: Status::Idle,
            stop_reason: json!({"type": "end_turn"}),
            stop_details: Value::Null,
            queue: Vec::new(),
            inbox: Vec::new(),
            conversation: Vec::new(),
            newest_input: Arc::default(),
            calls: Vec::new(),
            open_request: None,
            reserved_nanocents: 0,
            needs_model: false,
            failures: 0,
            retry_at: None,
            needs_compaction: false,
            compactions: 0,
            cut_answers: 0,
            requests_in_turn: 0,
            repeated: Repeated::default(),
            messages_in_turn: 0,
            supervised: Supervised::default(),
            usage: Usage::default(),
            running_since: None,
            first_ran_at: None,
            was_idle: false,
        }
    }

    /// Tells whether it is the thread that the session began with.
    pub fn is_primary(&self) -> bool {
        self.parent.is_none()
    }

    /// Tells whether it has not ended.
    pub fn is_live(&self) -> bool {
        self.status != Status::Terminated
    }

    /// Tells whether its agent is a model that is asked once.
    pub fn is_advisor(&self) -> bool {
        matches!(self.agent, AgentOf::Advisor(_))
    }

    /// Tells whether its agent holds the session's work against a rubric.
    pub fn is_grader(&self) -> bool {
        matches!(self.agent, AgentOf::Grader(_))
    }

    /// Tells whether its agent was started by another one, which can speak with it.
    pub fn is_started(&self) -> bool {
        !self.is_primary() && !self.is_advisor() && !self.is_grader()
    }

    /// Returns the open call that this event recorded.
    pub fn call(&self, event_id: &str) -> Option<&Call> {
        let mut calls = self.calls.iter();
        calls.find(|call| call.event_id.as_str() == event_id)
    }

    /// Returns microseconds of running time that has not ended at `now`.
    pub fn running_micros(&self, now: Timestamp) -> u64 {
        self.running_since.map_or(0, |since| micros(since, now))
    }

    /// Tells whether an interrupt waits.
    pub fn is_interrupted(&self) -> bool {
        let mut queue = self.queue.iter();
        queue.any(|input| input.kind == EventKind::UserInterrupt)
    }

    /// Returns the text of the model's answer to the newest input; empty if there is none.
    pub fn newest_text(&self) -> String {
        let blocks = match self.conversation.last().map(AsRef::as_ref) {
            Some(Turn::Assistant(blocks)) => blocks.as_slice(),
            _ => &[],
        };
        let texts = blocks.iter().filter(|block| *block.at("type") == "text");
        let texts: Vec<&str> = texts
            .filter_map(|block| block.at("text").as_str())
            .collect();
        texts.join("\n").trim().to_owned()
    }

    pub(super) fn enqueue(&mut self, kind: EventKind, event: &StoredEvent, is_copy: bool) {
        self.queue.push(Queued {
            event_id: event.id.clone(),
            number: event.number,
            kind,
            body: Arc::new(event.body.clone()),
            is_copy,
        });
    }

    /// Takes an input from the queue and returns it.
    pub(super) fn take_from_queue(&mut self, event_id: &str) -> Option<Queued> {
        let at = self
            .queue
            .iter()
            .position(|queued| queued.event_id.as_str() == event_id && !queued.is_copy)?;
        let input = self.queue.remove(at);
        match input.kind {
            EventKind::UserMessage => {
                let content = blocks(input.body.at("content"));
                self.begin_turn(content);
                self.requests_in_turn = 0;
                self.repeated = Repeated::default();
                self.supervised.begin_turn();
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
        Some(input)
    }

    /// Gives the agent work.
    pub(super) fn begin_turn(&mut self, content: Vec<Value>) {
        self.newest_input = Arc::new(content.clone());
        self.conversation.push(Arc::new(Turn::User(content)));
        self.needs_model = true;
    }

    /// Takes a message that nobody waits for in a queue.
    pub(super) fn receive(&mut self, content: Vec<Value>, from: From<'_>) {
        if matches!(from, From::Above) {
            self.messages_in_turn = self.messages_in_turn.saturating_add(1);
            self.supervised.begin_turn();
        }
        if self.status == Status::Idle || matches!(from, From::Above) {
            self.requests_in_turn = 0;
            self.repeated = Repeated::default();
            self.failures = 0;
            self.cut_answers = 0;
        }
        let is_work = matches!(from, From::Above);
        let content = match from {
            From::Below(intro) => {
                let mut told = vec![json!({"type": "text", "text": intro})];
                told.extend(content);
                told
            }
            From::Above | From::Verdict => content,
        };
        self.inbox.push(Incoming { content, is_work });
        self.settle();
    }

    /// Tells the agent, which ended its turn, what is left to do.
    pub(super) fn remind(&mut self, text: &str) {
        let block = json!({"type": "text", "text": text});
        self.conversation.push(Arc::new(Turn::User(vec![block])));
        self.needs_model = true;
        self.supervised.reminders = self.supervised.reminders.saturating_add(1);
    }

    /// Moves what waits in the inbox into the conversation, where that has no open end.
    fn settle(&mut self) {
        if self.inbox.is_empty() || !self.calls.is_empty() || self.open_request.is_some() {
            return;
        }
        for message in std::mem::take(&mut self.inbox) {
            if message.is_work {
                self.newest_input = Arc::new(message.content.clone());
            }
            self.conversation
                .push(Arc::new(Turn::User(message.content)));
        }
        self.needs_model = true;
    }

    fn confirm(&mut self, body: &Value) {
        let id = body.at("tool_use_id").as_str().unwrap_or_default();
        let confirmation = if body.at("result") == "allow" {
            Confirmation::Allowed
        } else {
            Confirmation::Denied(body.at("deny_message").as_str().map(str::to_owned))
        };
        if let Some(call) = self.call_mut(id)
            && call.confirmation.is_none()
        {
            call.confirmation = Some(confirmation);
            call.landing = body.at("sinew").at("files").as_array().map(|files| {
                let text = |file: &Value| file.as_str().map(str::to_owned);
                files.iter().filter_map(text).collect()
            });
        }
    }

    pub(super) fn call_mut(&mut self, event_id: &str) -> Option<&mut Call> {
        let mut calls = self.calls.iter_mut();
        calls.find(|call| call.event_id.as_str() == event_id)
    }

    pub(super) fn request_review(&mut self, event: &StoredEvent) {
        let id = event.body.at("tool_use_id").as_str().unwrap_or_default();
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        if let Some(call) = self.call_mut(id) {
            call.review = Review::of_event(&event.body, private).map(Arc::new);
            call.confirmation = None;
        }
    }

    pub(super) fn open_call(&mut self, kind: CallKind, event: &StoredEvent) {
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        // To wait again for others is no circle.
        if kind != CallKind::Delegation {
            self.repeated = self.repeated.behind(&event.body);
        }
        self.calls.push(Call {
            event_id: event.id.clone(),
            model_id: text(private.at("model_id")),
            name: text(event.body.at("name")),
            input: event.body.at("input").clone(),
            kind,
            permission: Permission::parse(event.body.at("evaluated_permission").as_str()),
            confirmation: None,
            review: None,
            landing: None,
            has_left: false,
            answer: None,
        });
    }

    /// Gives a call its result, and tells whether that was a search of the web. `ours` is what the event says beside it,
    /// and `retries` how often a step's validation is tried again.
    pub(super) fn answer(
        &mut self,
        event_id: &str,
        answer: Answer,
        ours: &Value,
        retries: u32,
    ) -> bool {
        let mut is_search = false;
        let open = self.call(event_id).filter(|call| call.answer.is_none());
        if let Some(call) = open.cloned() {
            self.take_supervised(&call, answer.is_error, ours, retries);
        }
        if let Some(call) = self.call_mut(event_id) {
            is_search = call.kind == CallKind::BuiltIn
                && call.name == WEB_SEARCH
                && call.answer.is_none()
                && !answer.is_error;
            call.answer.get_or_insert(answer);
        }
        if is_search {
            self.usage.web_searches = self.usage.web_searches.saturating_add(1);
        }
        self.close_calls_if_answered();
        is_search
    }

    /// Once the request has ended and every call has its answer, the results become the next turn.
    fn close_calls_if_answered(&mut self) {
        if self.open_request.is_none()
            && !self.calls.is_empty()
            && self.calls.iter().all(|call| call.answer.is_some())
        {
            let results = self.calls.iter().map(Call::tool_result_block).collect();
            self.conversation.push(Arc::new(Turn::ToolResults(results)));
            self.calls.clear();
            self.needs_model = true;
        }
        self.settle();
    }

    pub(super) fn start_request(&mut self, event: &StoredEvent) {
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        self.open_request = Some(event.id.clone());
        self.reserved_nanocents = private.at("reserved_nanocents").as_u64().unwrap_or(0);
        self.requests_in_turn = self.requests_in_turn.saturating_add(1);
    }

    /// Ends a request, and returns what it used and cost.
    pub(super) fn end_request(&mut self, event: &StoredEvent) -> Option<(TokenUsage, u128)> {
        self.open_request = None;
        self.reserved_nanocents = 0;
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let used = used(private);
        if let Some((tokens, cost)) = &used {
            self.usage.add(tokens, *cost);
        }
        if *event.body.at("is_error") == true {
            self.fail_request(private);
        } else if *private.at("is_summary") == true {
            self.failures = 0;
            self.retry_at = None;
            // The event that puts the summary in place follows; what is in the inbox comes behind that.
            return used;
        } else {
            self.take_answer(private);
        }
        self.close_calls_if_answered();
        used
    }

    fn fail_request(&mut self, private: &Value) {
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
    }

    fn take_answer(&mut self, private: &Value) {
        self.failures = 0;
        self.retry_at = None;
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
    }

    pub(super) fn compact(&mut self, event: &StoredEvent) {
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        // What was said as the system stays for good.
        let is_system = |turn: &Arc<Turn>| matches!(**turn, Turn::System(_));
        self.conversation.retain(is_system);
        let summary = Turn::User(blocks(private.at("content")));
        self.conversation.insert(0, Arc::new(summary));
        self.needs_compaction = false;
        self.compactions = self.compactions.saturating_add(1);
        self.settle();
    }

    pub(super) fn run(&mut self, at: Timestamp) {
        self.status = Status::Running;
        self.stop_reason = json!({"type": "end_turn"});
        self.stop_details = Value::Null;
        self.running_since.get_or_insert(at);
        self.first_ran_at.get_or_insert(at);
    }

    pub(super) fn go_idle(&mut self, event: &StoredEvent) {
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
            // Whoever stops all threads has what he wants of this one.
            self.queue.retain(|input| !input.is_copy);
            // A refused request needs no model, so what does came meanwhile.
            self.needs_model &= *self.stop_reason.at("type") == "refusal";
            self.failures = 0;
            self.retry_at = None;
        }
    }

    /// Ends the thread; nothing of what it said is needed any more.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.stop_clock(at);
        self.status = Status::Terminated;
        self.ended_at = Some(at);
        if !self.is_primary() {
            self.queue.clear();
            self.inbox.clear();
            self.conversation.clear();
            self.newest_input = Arc::default();
            self.calls.clear();
            self.open_request = None;
            self.reserved_nanocents = 0;
            self.needs_model = false;
        }
    }

    /// Ends the turn here and now: what was under way counts as cut off, what waited is dropped.
    pub(super) fn cut(&mut self, at: Timestamp, why: &str) {
        self.queue.clear();
        if self.open_request.take().is_some() {
            // They belong to an answer that has not ended.
            self.calls.clear();
        }
        for call in &mut self.calls {
            call.answer.get_or_insert_with(|| Answer {
                content: vec![super::draft::text_block(why)],
                is_error: true,
            });
        }
        self.close_calls_if_answered();
        self.reserved_nanocents = 0;
        self.needs_model = false;
        self.failures = 0;
        self.retry_at = None;
        self.cut_answers = 0;
        self.requests_in_turn = 0;
        self.running_since = None;
        if self.is_live() {
            self.status = Status::Idle;
        }
        self.stop_reason = json!({"type": "end_turn"});
        self.stop_details = Value::Null;
        self.updated_at = at;
    }

    fn stop_clock(&mut self, at: Timestamp) {
        if let Some(since) = self.running_since.take() {
            let passed = micros(since, at);
            self.usage.active_micros = self.usage.active_micros.saturating_add(passed);
        }
    }
}

/// Returns what a request used and cost, as the event that ends it says.
pub(super) fn used(private: &Value) -> Option<(TokenUsage, u128)> {
    let tokens = serde_json::from_value::<TokenUsage>(private.at("usage").clone()).ok()?;
    let cost = private.at("cost_nanocents").as_str();
    Some((tokens, cost.and_then(|cost| cost.parse().ok()).unwrap_or(0)))
}

/// Returns the blocks of a JSON array.
pub(super) fn blocks(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}
