//! What follows from a thread's events for others: the session's own status, the report of an agent to the one that
//! started it, the answer of an advisor.
//!
//! Threads run at the same time and know nothing of one another; what their events mean together is said here, once, and
//! goes into the same commit. It follows from the state and the events alone.

use serde_json::{Value, json};

use super::call::{Call, CallKind};
use super::decide::is_blocked;
use super::draft::{Draft, Speaker, text_block};
use super::kind::EventKind;
use super::state::{FoldError, State, Status};
use super::thread::Thread;
use crate::clock::Timestamp;
use crate::ids::ThreadId;
use crate::json::Fields as _;
use crate::store::NewEvent;

/// Returns the events with those that follow from them, and the state that all of them lead to.
pub fn complete(state: &State, events: Vec<NewEvent>) -> Result<(State, Vec<NewEvent>), FoldError> {
    let mut making = Making {
        state: state.clone(),
        events: Vec::with_capacity(events.len() + 4),
        is_idle_told: false,
    };
    let Some(at) = events.last().map(|event| event.at) else {
        return Ok((making.state, making.events));
    };
    for event in events {
        if making.is_overtaken(&event) {
            continue;
        }
        let is_idle = event.kind == EventKind::SessionThreadStatusIdle.name();
        let is_end = event.kind == EventKind::SessionThreadStatusTerminated.name();
        if is_end {
            let id = event.body.at("session_thread_id").as_str();
            let id = id.unwrap_or_default();
            making.end_below(id, at)?;
            making.give_up_advice(id, at)?;
            making.empty_queue(id, at)?;
        }
        if is_idle {
            making.report(&event)?;
            making.end_outcome(&event)?;
        }
        let is_graders_request = event.kind == EventKind::SpanModelRequestEnd.name();
        let thread = event.thread_id.clone().filter(|_| is_graders_request);
        let id = event
            .body
            .at("session_thread_id")
            .as_str()
            .map(str::to_owned);
        making.push(event)?;
        if let Some(thread) = thread {
            making.tell_evaluation(thread.as_str(), at)?;
        }
        if is_idle {
            making.is_idle_told = true;
            making.end_once(id.as_deref().unwrap_or_default(), at)?;
        }
        // What the session waits for may have been that thread's.
        making.is_idle_told |= is_end && making.state.status == Status::Idle;
        making.tell_running(at)?;
    }
    making.tell_rest(at)?;
    Ok((making.state, making.events))
}

struct Making {
    state: State,
    events: Vec<NewEvent>,
    /// A thread said that it is idle: so says the session, though it did so before.
    is_idle_told: bool,
}

impl Making {
    fn push(&mut self, event: NewEvent) -> Result<(), FoldError> {
        self.state.apply(&event.at_number(self.state.last + 1))?;
        self.events.push(event);
        Ok(())
    }

    fn push_all(&mut self, draft: Draft) -> Result<(), FoldError> {
        draft
            .into_events()
            .into_iter()
            .try_for_each(|event| self.push(event))
    }

    /// Has an agent tell the one that started it what its turn came to, before it says that it is idle.
    fn report(&mut self, idle: &NewEvent) -> Result<(), FoldError> {
        let state = &self.state;
        let id = idle
            .body
            .at("session_thread_id")
            .as_str()
            .unwrap_or_default();
        let Some(thread) = state.thread(id) else {
            return Ok(());
        };
        let parent = thread
            .parent
            .as_ref()
            .and_then(|parent| state.thread(parent.as_str()));
        let Some(parent) = parent.filter(|parent| parent.is_live()) else {
            return Ok(());
        };
        let private = idle.private.as_ref().unwrap_or(&Value::Null);
        let is_interrupt = *private.at("is_interrupt") == true || thread.is_interrupted();
        let was_at_work = matches!(thread.status, Status::Running | Status::Rescheduling);
        let (text, is_error) = match idle.body.at("stop_reason").at("type").as_str() {
            Some("end_turn") => (thread.newest_text(), false),
            Some("refusal") => ("The model refused to go on with this.".to_owned(), true),
            Some("retries_exhausted") => (
                "The agent could not go on: its model failed, or a limit was reached.".to_owned(),
                true,
            ),
            // It goes on once somebody did something.
            _ => return Ok(()),
        };
        if is_interrupt {
            return self.give_up_advice(id, idle.at);
        }
        if !was_at_work {
            return Ok(());
        }
        if thread.is_grader() {
            let said = if is_error { None } else { Some(text.as_str()) };
            let draft = evaluated(state, thread, said, idle.at);
            return draft.map_or(Ok(()), |draft| self.push_all(draft));
        }
        let text = match text.is_empty() {
            true => "(The agent ended its turn without a message.)",
            false => text.as_str(),
        };
        let content = json!([text_block(text)]);
        let (from, to) = (Speaker::of(state, thread), Speaker::of(state, parent));
        let mut draft = Draft::new(idle.at, from.clone());
        if !thread.is_advisor() {
            draft.thread(EventKind::AgentThreadMessageSent, to.as_receiver(&content));
        }
        draft.speak_as(to);
        draft.thread(
            EventKind::AgentThreadMessageReceived,
            from.as_sender(&content),
        );
        let asked = thread.for_call.as_ref();
        if let Some(call) = asked.and_then(|call| parent.call(call.as_str())) {
            advised(&mut draft, call, text, is_error);
        }
        let parent = parent.id.clone();
        self.push_all(draft)?;
        self.begin(parent.as_str(), idle.at)
    }

    /// Opens the turn of a thread that has got something to do from another one: the session is never idle between.
    fn begin(&mut self, id: &str, at: Timestamp) -> Result<(), FoldError> {
        let Some(thread) = self.state.thread(id) else {
            return Ok(());
        };
        if thread.status != Status::Idle || !thread.needs_model {
            return Ok(());
        }
        let mut draft = Draft::new(at, Speaker::of(&self.state, thread));
        draft.running();
        self.push_all(draft)?;
        self.tell_running(at)
    }

    /// Tells whether an event was drafted before something came that makes it untrue: a thread that has got something to do
    /// does not end its turn, one that runs does not begin to, one that has ended does not end, and a call has one result.
    fn is_overtaken(&self, event: &NewEvent) -> bool {
        let kind = EventKind::parse(&event.kind);
        let result_of = match kind {
            Some(EventKind::AgentToolResult | EventKind::CallClosed) => "tool_use_id",
            Some(EventKind::AgentMcpToolResult) => "mcp_tool_use_id",
            _ => "",
        };
        // A stronger model that stops gives the call its result, and so does an interrupt of the agent that asked.
        if let Some(call) = event.body.at(result_of).as_str() {
            let open = self.state.call(call);
            return open.is_none_or(|(_, call)| call.answer.is_some());
        }
        let id = event
            .body
            .at("session_thread_id")
            .as_str()
            .unwrap_or_default();
        let Some(thread) = self.state.thread(id) else {
            return false;
        };
        match kind {
            Some(EventKind::SessionThreadStatusRunning) => thread.status == Status::Running,
            // With an agent go those below it, whoever else says so.
            Some(EventKind::SessionThreadStatusTerminated) => !thread.is_live(),
            Some(EventKind::SessionThreadStatusIdle) => {
                let private = event.private.as_ref().unwrap_or(&Value::Null);
                thread.needs_model
                    && *event.body.at("stop_reason").at("type") == "end_turn"
                    && *private.at("is_interrupt") != true
            }
            _ => false,
        }
    }

    /// Ends the threads of the agents below one that ends: nobody could speak with them any more.
    fn end_below(&mut self, id: &str, at: Timestamp) -> Result<(), FoldError> {
        let Some(thread) = self.state.thread(id) else {
            return Ok(());
        };
        let below = self.state.subtree(&thread.id).into_iter().skip(1);
        let live = below.filter(|thread| thread.is_live());
        let ids: Vec<ThreadId> = live.map(|thread| thread.id.clone()).collect();
        for id in ids.into_iter().rev() {
            self.give_up_advice(id.as_str(), at)?;
            self.empty_queue(id.as_str(), at)?;
            let Some(thread) = self.state.thread(id.as_str()) else {
                continue;
            };
            let mut draft = Draft::new(at, Speaker::of(&self.state, thread));
            draft.thread_terminated();
            self.push_all(draft)?;
        }
        Ok(())
    }

    /// Takes what waits for a thread that ends: nobody does later.
    fn empty_queue(&mut self, id: &str, at: Timestamp) -> Result<(), FoldError> {
        let state = &self.state;
        let Some(thread) = state.thread(id).filter(|thread| !thread.is_primary()) else {
            return Ok(());
        };
        let mut draft = Draft::new(at, Speaker::of(state, thread));
        for input in thread.queue.iter().filter(|input| !input.is_copy) {
            draft.processed(&input.event_id, input.number);
        }
        self.push_all(draft)
    }

    /// Answers the call that asked an advisor which was stopped.
    fn give_up_advice(&mut self, id: &str, at: Timestamp) -> Result<(), FoldError> {
        let state = &self.state;
        let advisor = state.thread(id);
        let call = advisor.and_then(|advisor| advisor.for_call.as_ref());
        let Some((asker, call)) = call.and_then(|call| state.call(call.as_str())) else {
            return Ok(());
        };
        if call.answer.is_some() {
            return Ok(());
        }
        let mut draft = Draft::new(at, Speaker::of(state, asker));
        let text = "The advisor was stopped before it answered.";
        advised(&mut draft, call, text, true);
        self.push_all(draft)
    }

    /// An interrupt of the primary thread ends its outcome too.
    fn end_outcome(&mut self, idle: &NewEvent) -> Result<(), FoldError> {
        let state = &self.state;
        let primary = state.primary();
        let private = idle.private.as_ref().unwrap_or(&Value::Null);
        let is_of_primary = *idle.body.at("session_thread_id") == *primary.id.as_str();
        let Some(outcome) = state.active_outcome() else {
            return Ok(());
        };
        if !is_of_primary || *private.at("ends_outcome") != true {
            return Ok(());
        }
        let body = json!({
            "outcome_id": outcome.id,
            "iteration": outcome.iteration,
            "outcome_evaluation_start_id": outcome.evaluation.clone().unwrap_or_default(),
            "result": "interrupted",
            "explanation": "",
            "usage": usage_wire(outcome.grader.as_ref().and_then(|id| state.thread(id.as_str()))),
        });
        let mut draft = Draft::new(idle.at, Speaker::of(state, primary));
        draft.thread(EventKind::SpanOutcomeEvaluationEnd, body);
        self.push_all(draft)
    }

    /// Says that the grader is still at work.
    fn tell_evaluation(&mut self, thread: &str, at: Timestamp) -> Result<(), FoldError> {
        let state = &self.state;
        let is_at_work = |thread: &&Thread| thread.is_grader() && !thread.calls.is_empty();
        let (Some(grader), Some(outcome)) = (
            state.thread(thread).filter(is_at_work),
            state.active_outcome(),
        ) else {
            return Ok(());
        };
        if outcome.grader.as_ref() != Some(&grader.id) {
            return Ok(());
        }
        let body = json!({"outcome_id": outcome.id, "iteration": outcome.iteration});
        let mut draft = Draft::new(at, Speaker::of(state, state.primary()));
        draft.thread(EventKind::SpanOutcomeEvaluationOngoing, body);
        self.push_all(draft)
    }

    /// An advisor is asked once, and so is a grader.
    fn end_once(&mut self, id: &str, at: Timestamp) -> Result<(), FoldError> {
        let Some(thread) = self
            .state
            .thread(id)
            .filter(|thread| thread.is_advisor() || thread.is_grader())
        else {
            return Ok(());
        };
        let is_over = !matches!(
            thread.stop_reason.at("type").as_str(),
            Some("requires_action" | "budget_reached")
        );
        if !is_over {
            return Ok(());
        }
        let mut draft = Draft::new(at, Speaker::of(&self.state, thread));
        draft.thread_terminated();
        self.empty_queue(id, at)?;
        self.push_all(draft)
    }

    /// Says that the session runs, once one of its threads does.
    fn tell_running(&mut self, at: Timestamp) -> Result<(), FoldError> {
        let is_new =
            self.state.status != Status::Running && self.state.status != Status::Terminated;
        if !is_new || status_of(&self.state) != Status::Running {
            return Ok(());
        }
        let mut draft = Draft::new(at, Speaker::of(&self.state, self.state.primary()));
        draft.session(EventKind::SessionStatusRunning, json!({}));
        self.push_all(draft)
    }

    /// Says what the session does after all this, if it runs no more.
    fn tell_rest(&mut self, at: Timestamp) -> Result<(), FoldError> {
        let state = &self.state;
        let was = state.status;
        if was == Status::Terminated {
            return Ok(());
        }
        let mut draft = Draft::new(at, Speaker::of(state, state.primary()));
        match status_of(state) {
            Status::Rescheduling if was == Status::Running => {
                draft.session(EventKind::SessionStatusRescheduled, json!({}));
            }
            Status::Idle if was != Status::Idle || self.is_idle_told => {
                let (reason, details) = stop_of(state);
                let usage = state.usage.wire(state.running_micros(at));
                let budget = state.config.at("budget");
                draft.session(
                    EventKind::SessionUsage,
                    json!({"usage": usage, "budget": budget}),
                );
                let stop = json!({"stop_reason": reason, "stop_details": details});
                draft.session(EventKind::SessionStatusIdle, stop);
            }
            _ => {}
        }
        self.push_all(draft)
    }
}

/// Adds the result of a call for which a stronger model was asked.
fn advised(draft: &mut Draft, call: &Call, text: &str, is_error: bool) {
    let mut body = json!({
        "tool_use_id": call.event_id.as_str(),
        "content": [text_block(text)],
        "is_error": is_error,
    });
    if call.kind != CallKind::Supervision {
        draft.thread(EventKind::CallClosed, body);
        return;
    }
    let text = format!(
        "Not accepted: you are less sure than you have to be, so a stronger model was asked. It says:\n\n{text}\n\n\
         Act on that, and call {} again.",
        call.name
    );
    body.set("content", json!([text_block(&text)]));
    body.set("is_error", json!(true));
    body.set("sinew", json!({"advice": true}));
    draft.thread(EventKind::AgentToolResult, body);
}

/// Returns the events with which an evaluation ends; none of an outcome that is final by now. `said` is the grader's last
/// text; none if it could not be asked.
fn evaluated(state: &State, grader: &Thread, said: Option<&str>, at: Timestamp) -> Option<Draft> {
    let outcome = state.active_outcome()?;
    if outcome.grader.as_ref() != Some(&grader.id) {
        return None;
    }
    let (result, explanation) = match said {
        Some(said) => outcome.result_of(said),
        None => ("failed", "The grader could not be asked.".to_owned()),
    };
    let body = json!({
        "outcome_id": outcome.id,
        "iteration": outcome.iteration,
        "outcome_evaluation_start_id": outcome.evaluation,
        "result": result,
        "explanation": explanation,
        "usage": usage_wire(Some(grader)),
    });
    let mut draft = Draft::new(at, Speaker::of(state, state.primary()));
    draft.thread(EventKind::SpanOutcomeEvaluationEnd, body);
    Some(draft)
}

/// Returns the wire's SpanModelUsage of all that a thread used.
fn usage_wire(thread: Option<&Thread>) -> Value {
    let tokens = thread.map(|thread| thread.usage.tokens).unwrap_or_default();
    json!({
        "input_tokens": tokens.input_tokens,
        "output_tokens": tokens.output_tokens,
        "cache_read_input_tokens": tokens.cache_read_input_tokens,
        "cache_creation_input_tokens":
            tokens.cache_5m_input_tokens.saturating_add(tokens.cache_1h_input_tokens),
    })
}

/// Returns what the threads do together. One that only waits for others does nothing.
fn status_of(state: &State) -> Status {
    let works = |thread: &&Thread| thread.status == Status::Running && !is_blocked(state, thread);
    if state.live_threads().any(|thread| works(&thread)) {
        return Status::Running;
    }
    match state
        .live_threads()
        .any(|thread| thread.status == Status::Rescheduling)
    {
        true => Status::Rescheduling,
        false => Status::Idle,
    }
}

/// Returns the session's stop reason and stop details: what needs the client comes first, then what needs money, then
/// what the primary thread says.
fn stop_of(state: &State) -> (Value, Value) {
    let is = |thread: &&Thread, reason: &str| {
        thread.status == Status::Idle && *thread.stop_reason.at("type") == reason
    };
    let waiting: Vec<&Thread> = state
        .live_threads()
        .filter(|thread| is(thread, "requires_action"))
        .collect();
    if let Some((first, rest)) = waiting.split_first() {
        let mut reason = first.stop_reason.clone();
        for thread in rest {
            join(&mut reason, "event_ids", thread.stop_reason.at("event_ids"));
            let reviews = thread.stop_reason.at("sinew").at("reviews");
            if reviews.is_array() {
                let mut ours = reason.at("sinew").clone();
                join(&mut ours, "reviews", reviews);
                reason.set("sinew", ours);
            }
        }
        return (reason, Value::Null);
    }
    if state
        .live_threads()
        .any(|thread| is(&thread, "budget_reached"))
    {
        return (json!({"type": "budget_reached"}), Value::Null);
    }
    let primary = state.primary();
    (primary.stop_reason.clone(), primary.stop_details.clone())
}

/// Adds the items of a list to one of an object's, which is made if there is none.
fn join(object: &mut Value, name: &str, more: &Value) {
    let mut list = object.at(name).as_array().cloned().unwrap_or_default();
    list.extend(more.as_array().into_iter().flatten().cloned());
    if !object.is_object() {
        *object = json!({});
    }
    object.set(name, Value::Array(list));
}
