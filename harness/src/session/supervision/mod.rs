//! Supervision: what an agent has to do before it may act, and how its steps are held against its plan.
//!
//! The rules stand in the block `sinew` of the agent, and of the session for its primary thread. They are kept by the
//! harness: a call that a rule forbids is not made, whatever the model says. A rule of an agent holds for those that it
//! starts too: while it may not act, neither may they.

mod plan;
mod rules;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::plan::{
    PlanStep, StepStatus, Supervised, questions_in, read_plan, score_in, step_in,
};
pub use self::rules::{Below, Supervision};
use super::call::{Call, CallKind};
use super::state::State;
use super::thread::Thread;
use crate::json::Fields as _;

/// Makes the plan.
pub const MAKE_PLAN: &str = "make_plan";
/// Ends a step of it.
pub const FINISH_STEP: &str = "finish_step";
/// Asks the user.
pub const ASK_USER: &str = "ask_user";

/// Tells whether the harness itself makes calls of a tool of this name.
pub fn is_own_tool(name: &str) -> bool {
    name == MAKE_PLAN || name == FINISH_STEP
}

/// Times in a row that an agent is told of open steps when it ends its turn.
pub const REMINDERS_MAX: u32 = 2;

/// Tools that change nothing, and may be used before there is a plan.
const LOOKS: [&str; 5] = ["read", "glob", "grep", "web_fetch", "web_search"];

/// Tells whether a tool changes nothing: a built-in one of these names, for others may do anything.
pub fn is_look(kind: &CallKind, name: &str) -> bool {
    matches!(kind, CallKind::BuiltIn | CallKind::Worker) && LOOKS.contains(&name)
}

/// What keeps an agent from acting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Barrier {
    /// So many questions have to be asked and answered first.
    Questions(u32),
    /// No step of a plan is open.
    Plan,
    /// A step's validation failed too often, or the agent gave a step up.
    Stopped,
}

impl Barrier {
    /// Returns the word that stands for it in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Barrier::Questions(_) => "questions",
            Barrier::Plan => "plan",
            Barrier::Stopped => "stopped",
        }
    }
}

/// Returns what keeps the agent of a thread from calling a tool, and whether that is a rule of an agent above it.
/// `tool` is the name by which the model knows it.
pub fn barrier(
    state: &State,
    thread: &Thread,
    kind: &CallKind,
    tool: &str,
) -> Option<(Barrier, bool)> {
    // Whoever holds the work against a rubric acts for nobody, and what it changes is undone.
    if thread.is_grader() || is_look(kind, tool) {
        return None;
    }
    let mut of = Some(thread);
    let mut is_above = false;
    // A log cannot have circles, but a damaged one must not hang.
    for _ in 0..=state.threads.len() {
        let Some(one) = of else { break };
        let rules = Supervision::of(state, one);
        if let Some(barrier) = rules.barrier(&one.supervised, tool) {
            return Some((barrier, is_above));
        }
        let parent = one.parent.as_ref();
        of = parent.and_then(|parent| state.thread(parent.as_str()));
        is_above = true;
    }
    None
}

/// Returns what is told to an agent that ends its turn while steps of its plan are open; none where it may.
pub fn reminder(state: &State, thread: &Thread) -> Option<String> {
    let supervised = &thread.supervised;
    if !Supervision::of(state, thread).plan || supervised.is_stopped {
        return None;
    }
    let open = supervised.open_step()?;
    Some(format!(
        "Your plan is not done: step {} ({:?}) is open. Go on with it and end it with {FINISH_STEP}; if it cannot be \
         done, end it with the outcome \"given_up\" and say why.",
        open.0, open.1.title
    ))
}

/// Tells whether a call of a supervision tool waits for a stronger model.
pub(super) fn is_pending(state: &State, call: &Call) -> bool {
    let mut others = state.live_threads();
    others.any(|thread| thread.for_call.as_ref() == Some(&call.event_id))
}

impl Thread {
    /// Takes up what a call of a supervision tool, or of questions to the user, came to. `ours` is what the event of the
    /// result says beside it.
    pub(super) fn take_supervised(
        &mut self,
        call: &Call,
        is_error: bool,
        ours: &Value,
        retries: u32,
    ) {
        let supervised = &mut self.supervised;
        match (&call.kind, call.name.as_str()) {
            (CallKind::Custom, ASK_USER) if !is_error => {
                let asked = questions_in(&call.input).map_or(0, |questions| questions.len());
                let asked = u32::try_from(asked).unwrap_or(u32::MAX);
                supervised.answered = supervised.answered.saturating_add(asked);
            }
            (CallKind::Supervision, MAKE_PLAN) if !is_error => {
                if let Ok(steps) = read_plan(&call.input) {
                    supervised.plan = steps;
                    supervised.advices = 0;
                }
            }
            (CallKind::Supervision, FINISH_STEP) if !is_error => supervised.finish(&call.input),
            (CallKind::Supervision, _) if *ours.at("advice") == true => {
                supervised.advices = supervised.advices.saturating_add(1);
            }
            (CallKind::Supervision, FINISH_STEP) if *ours.at("validation") == "failed" => {
                supervised.failures = supervised.failures.saturating_add(1);
                supervised.is_stopped |= supervised.failures > retries;
            }
            _ => {}
        }
    }
}
