//! The pure decision: what a session does next.

use serde_json::{Value, json};

use super::call::CallState;
use super::kind::EventKind;
use super::state::{State, Status};
use super::usage::budget_nanocents;
use crate::ids::EventId;
use crate::json::Fields as _;

/// Bounds on what a driver does for one turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Attempts of one model request before the turn fails.
    pub attempts_max: u32,
    /// Model requests for one user input before the turn fails: an agent that loops is stopped.
    pub requests_per_turn_max: u32,
    /// Compactions in a row without an answer in between.
    pub compactions_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts_max: 8,
            requests_per_turn_max: 1_000,
            compactions_max: 2,
        }
    }
}

/// The next step of a session.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Nothing to do until the log grows.
    Sleep,
    /// Stop the turn: the queued interrupts with these ids.
    Interrupt(Vec<EventId>),
    /// A model request has no end: it was lost in a crash. Close it.
    CloseLostRequest(EventId),
    /// Take these inputs from the queue, in order.
    TakeInput(Vec<EventId>),
    /// Ask the model.
    CallModel,
    /// Summarise the conversation so that it fits.
    Compact,
    /// Run the call recorded by this event.
    RunTool(EventId),
    /// Answer that this call was rejected.
    RejectCall(EventId),
    /// Stop working; the wire's stop reason and stop details. The third is a `session.error` that goes
    /// before it.
    GoIdle(Value, Value, Option<TurnFailure>),
}

/// Why a turn ends without an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TurnFailure {
    /// The wire's error type.
    pub kind: &'static str,
    /// What happened and what to do.
    pub message: String,
}

/// Decides what the session does next.
pub fn decide(state: &State, limits: &Limits) -> Step {
    if state.status == Status::Terminated {
        return Step::Sleep;
    }
    let interrupts = queued(state, |kind| kind == EventKind::UserInterrupt);
    if !interrupts.is_empty() {
        return Step::Interrupt(interrupts);
    }
    if let Some(start) = &state.open_request {
        return Step::CloseLostRequest(start.clone());
    }
    let confirmations = queued(state, |kind| kind == EventKind::UserToolConfirmation);
    if !confirmations.is_empty() {
        return Step::TakeInput(confirmations);
    }
    if !state.calls.is_empty() {
        return decide_calls(state);
    }
    // What is said as the system counts from the next request on; behind a user's message it waits with that.
    let heads = state.queue.iter();
    let heads = heads.take_while(|input| input.kind == EventKind::SystemMessage);
    let system: Vec<EventId> = heads.map(|input| input.event_id.clone()).collect();
    if state.needs_model && !system.is_empty() {
        return Step::TakeInput(system);
    }
    if state.needs_model {
        return decide_model(state, limits);
    }
    let messages = queued(state, |kind| {
        matches!(kind, EventKind::UserMessage | EventKind::SystemMessage)
    });
    if !messages.is_empty() {
        return Step::TakeInput(messages);
    }
    match state.status {
        Status::Running | Status::Rescheduling => {
            Step::GoIdle(json!({"type": "end_turn"}), Value::Null, None)
        }
        Status::Idle | Status::Terminated => Step::Sleep,
    }
}

fn queued(state: &State, wanted: impl Fn(EventKind) -> bool) -> Vec<EventId> {
    state
        .queue
        .iter()
        .filter(|input| wanted(input.kind))
        .map(|input| input.event_id.clone())
        .collect()
}

fn decide_calls(state: &State) -> Step {
    let is_waiting = state
        .calls
        .iter()
        .any(|call| call.state() == CallState::Waiting);
    for call in &state.calls {
        // What the client confirmed goes on once it has answered everything that waits.
        if is_waiting && call.confirmation.is_some() {
            continue;
        }
        match call.state() {
            CallState::Rejected => return Step::RejectCall(call.event_id.clone()),
            CallState::Runnable => return Step::RunTool(call.event_id.clone()),
            // What comes behind may build on what it changes.
            CallState::Waiting if call.review.is_some() => break,
            CallState::Waiting | CallState::Answered => {}
        }
    }
    let waiting: Vec<&str> = state
        .calls
        .iter()
        .filter(|call| call.state() == CallState::Waiting)
        .map(|call| call.event_id.as_str())
        .collect();
    let mut reason = json!({"type": "requires_action", "event_ids": waiting});
    let reviews: Vec<&Value> = state
        .calls
        .iter()
        .filter(|call| call.state() == CallState::Waiting)
        .filter_map(|call| call.review.as_ref())
        .map(|review| &review.shown)
        .collect();
    if !reviews.is_empty() {
        reason.set("sinew", json!({ "reviews": reviews }));
    }
    if state.status == Status::Idle && state.stop_reason == reason {
        return Step::Sleep;
    }
    Step::GoIdle(reason, Value::Null, None)
}

fn decide_model(state: &State, limits: &Limits) -> Step {
    let fails = |kind, message| {
        Step::GoIdle(
            json!({"type": "retries_exhausted"}),
            Value::Null,
            Some(TurnFailure { kind, message }),
        )
    };
    if is_budget_reached(state) {
        let reason = json!({"type": "budget_reached"});
        if state.status == Status::Idle && state.stop_reason == reason {
            return Step::Sleep;
        }
        return Step::GoIdle(reason, Value::Null, None);
    }
    if state.failures >= limits.attempts_max {
        // The driver told the last error when it happened.
        return Step::GoIdle(json!({"type": "retries_exhausted"}), Value::Null, None);
    }
    if state.requests_in_turn >= limits.requests_per_turn_max {
        return fails(
            "tool_use_limit_reached_error",
            format!(
                "the agent made {} model requests without ending its turn; send a message to let it go on",
                state.requests_in_turn
            ),
        );
    }
    if state.needs_compaction {
        if state.compactions >= limits.compactions_max {
            return fails(
                "compaction_limit_reached_error",
                "the conversation does not fit the model's context even after it was summarised; \
                 start a new session with a shorter input"
                    .to_owned(),
            );
        }
        return Step::Compact;
    }
    Step::CallModel
}

fn is_budget_reached(state: &State) -> bool {
    budget_nanocents(state.config.at("budget"))
        .is_some_and(|allowed| state.usage.total_nanocents() >= allowed)
}
