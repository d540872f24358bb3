//! The pure decision: what a thread of a session does next.

use serde_json::{Value, json};

use super::call::{Call, CallState};
use super::delegation;
use super::grant::{Left, UsedUp};
use super::kind::EventKind;
use super::outcome::Progress;
use super::state::{State, Status};
use super::supervision::{self, REMINDERS_MAX};
use super::thread::Thread;
use super::usage::budget_nanocents;
use crate::ids::EventId;
use crate::json::Fields as _;

/// Bounds on what a driver does for one turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Attempts of one model request before the turn fails.
    pub attempts_max: u32,
    /// Model requests for one input before the turn fails: an agent that loops is stopped.
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

/// The next step of a thread.
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
    /// Have what was done held against the outcome's rubric.
    Evaluate,
    /// Distil what was corrected into preferences.
    Distil,
    /// Tell the agent, which ended its turn, that steps of its plan are open.
    Remind(String),
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

/// Whether a session's budget lets a thread ask its model now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// It does.
    Free,
    /// What other threads have under way may use it up: one of them has to end first.
    Taken,
    /// It is used up.
    None,
    /// A limit of the agent, or of one above it, is used up.
    Over(UsedUp),
}

/// Tells whether any thread of the session has something to do.
pub fn has_work(state: &State, limits: &Limits) -> bool {
    let mut threads = state.live_threads();
    threads.any(|thread| decide(state, thread, limits) != Step::Sleep)
}

/// Decides what a thread does next.
pub fn decide(state: &State, thread: &Thread, limits: &Limits) -> Step {
    if state.status == Status::Terminated || !thread.is_live() {
        return Step::Sleep;
    }
    let interrupts = queued(thread, |kind| kind == EventKind::UserInterrupt);
    if !interrupts.is_empty() {
        return Step::Interrupt(interrupts);
    }
    if let Some(start) = &thread.open_request {
        return Step::CloseLostRequest(start.clone());
    }
    let confirmations = queued(thread, |kind| kind == EventKind::UserToolConfirmation);
    if !confirmations.is_empty() {
        return Step::TakeInput(confirmations);
    }
    if !thread.calls.is_empty() {
        return decide_calls(state, thread);
    }
    // What is said as the system counts from the next request on; behind a user's message it waits with that.
    let heads = thread.queue.iter();
    let heads = heads.take_while(|input| input.kind == EventKind::SystemMessage);
    let system: Vec<EventId> = heads.map(|input| input.event_id.clone()).collect();
    if thread.needs_model && !system.is_empty() {
        return Step::TakeInput(system);
    }
    if thread.needs_model {
        return decide_model(state, thread, limits);
    }
    let evaluated = state.active_outcome().filter(|_| thread.is_primary());
    if evaluated.is_some_and(|outcome| outcome.progress == Progress::Evaluating) {
        return Step::Sleep;
    }
    let messages = queued(thread, |kind| {
        matches!(kind, EventKind::UserMessage | EventKind::SystemMessage)
    });
    if !messages.is_empty() {
        return Step::TakeInput(messages);
    }
    // Not while agents that it started are at work: they wake it.
    let is_done = evaluated.is_some_and(|outcome| outcome.progress == Progress::Running)
        && !state
            .children(&thread.id)
            .any(|child| delegation::is_busy(state, child));
    match thread.status {
        Status::Running if is_left_open(state, thread) => remind(state, thread),
        Status::Running if is_done => Step::Evaluate,
        // It ended its turn while others were at work, and they stopped without a word.
        Status::Idle if is_done && *thread.stop_reason.at("type") == "end_turn" => Step::Evaluate,
        Status::Running | Status::Rescheduling => {
            Step::GoIdle(json!({"type": "end_turn"}), Value::Null, None)
        }
        Status::Idle if thread.is_primary() && state.can_distil() => match room(state, thread) {
            Room::Free => Step::Distil,
            Room::Taken | Room::None | Room::Over(_) => Step::Sleep,
        },
        Status::Idle | Status::Terminated => Step::Sleep,
    }
}

/// Tells whether an agent that is about to end its turn left steps of its plan open, and nobody at work on them.
fn is_left_open(state: &State, thread: &Thread) -> bool {
    supervision::reminder(state, thread).is_some()
        && !state
            .children(&thread.id)
            .any(|child| delegation::is_busy(state, child))
}

fn remind(state: &State, thread: &Thread) -> Step {
    let text = supervision::reminder(state, thread).unwrap_or_default();
    if thread.supervised.reminders < REMINDERS_MAX {
        return Step::Remind(text);
    }
    fails(
        "unknown_error",
        format!(
            "the agent ended its turn with a step of its plan open, though it was told so {REMINDERS_MAX} times; send \
             a message to let it go on"
        ),
    )
}

/// Ends a turn that came to nothing.
fn fails(kind: &'static str, message: String) -> Step {
    Step::GoIdle(
        json!({"type": "retries_exhausted"}),
        Value::Null,
        Some(TurnFailure { kind, message }),
    )
}

fn queued(thread: &Thread, wanted: impl Fn(EventKind) -> bool) -> Vec<EventId> {
    let inputs = thread.queue.iter().filter(|input| wanted(input.kind));
    inputs.map(|input| input.event_id.clone()).collect()
}

fn decide_calls(state: &State, thread: &Thread) -> Step {
    let is_waiting = |call: &&Call| call.state() == CallState::Waiting;
    let waits = thread.calls.iter().any(|call| is_waiting(&call));
    let mut waits_for_agents = false;
    for call in &thread.calls {
        // What the client confirmed goes on once it has answered everything that waits.
        if waits && call.confirmation.is_some() {
            continue;
        }
        match call.state() {
            CallState::Rejected => return Step::RejectCall(call.event_id.clone()),
            CallState::Runnable if delegation::is_pending(state, thread, call) => {
                waits_for_agents = true;
            }
            CallState::Runnable => return Step::RunTool(call.event_id.clone()),
            // What comes behind may build on what it changes.
            CallState::Waiting if call.review.is_some() => break,
            CallState::Waiting | CallState::Answered => {}
        }
    }
    let waiting: Vec<&Call> = thread.calls.iter().filter(is_waiting).collect();
    if waiting.is_empty() && waits_for_agents {
        return Step::Sleep;
    }
    let ids: Vec<&str> = waiting.iter().map(|call| call.event_id.as_str()).collect();
    let mut reason = json!({"type": "requires_action", "event_ids": ids});
    let reviews = waiting.iter().filter_map(|call| call.review.as_ref());
    let reviews: Vec<&Value> = reviews.map(|review| &review.shown).collect();
    if !reviews.is_empty() {
        reason.set("sinew", json!({ "reviews": reviews }));
    }
    if thread.status == Status::Idle && thread.stop_reason == reason {
        return Step::Sleep;
    }
    Step::GoIdle(reason, Value::Null, None)
}

/// Tells whether all that a thread does is to wait for other threads.
pub(super) fn is_blocked(state: &State, thread: &Thread) -> bool {
    if thread.is_interrupted() {
        return false;
    }
    let is_evaluated = thread.is_primary()
        && state
            .active_outcome()
            .is_some_and(|outcome| outcome.progress == Progress::Evaluating);
    if is_evaluated && thread.calls.is_empty() && !thread.needs_model {
        return true;
    }
    let is_open = |call: &&Call| call.answer.is_none();
    let mut open = thread.calls.iter().filter(is_open).peekable();
    thread.open_request.is_none()
        && open.peek().is_some()
        && open.all(|call| delegation::is_pending(state, thread, call))
}

fn decide_model(state: &State, thread: &Thread, limits: &Limits) -> Step {
    match room(state, thread) {
        Room::Free => {}
        Room::Taken => return Step::Sleep,
        Room::Over(limit) => return fails("unknown_error", limit.message().to_owned()),
        Room::None => {
            let reason = json!({"type": "budget_reached"});
            if thread.status == Status::Idle && thread.stop_reason == reason {
                return Step::Sleep;
            }
            return Step::GoIdle(reason, Value::Null, None);
        }
    }
    if thread.failures >= limits.attempts_max {
        // The driver told the last error when it happened.
        return Step::GoIdle(json!({"type": "retries_exhausted"}), Value::Null, None);
    }
    if thread.requests_in_turn >= limits.requests_per_turn_max {
        return fails(
            "tool_use_limit_reached_error",
            format!(
                "the agent made {} model requests without ending its turn; send a message to let it go on",
                thread.requests_in_turn
            ),
        );
    }
    if thread.needs_compaction {
        if thread.compactions >= limits.compactions_max {
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

/// Tells whether the session's budget lets a thread ask its model. The one request that crosses the budget ends: so
/// a request may begin while less than all is used, but never beside others that may use up the rest.
pub fn room(state: &State, thread: &Thread) -> Room {
    let room = match state.left(thread) {
        Left::Enough => Room::Free,
        Left::Taken => Room::Taken,
        Left::Nothing(limit) => return Room::Over(limit),
    };
    let Some(allowed) = budget_nanocents(state.config.at("budget")) else {
        return room;
    };
    let used = state.usage.total_nanocents();
    if used >= allowed {
        return Room::None;
    }
    let others = state.live_threads().filter(|other| other.id != thread.id);
    let reserved: u128 = others
        .map(|other| u128::from(other.reserved_nanocents))
        .sum();
    match reserved > 0 && used.saturating_add(reserved) >= allowed {
        true => Room::Taken,
        false => room,
    }
}
