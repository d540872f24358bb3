//! Supervision: what the model is told of its rules, what its calls come to under them, and the calls of their tools. The
//! rules themselves are `session`'s.

mod offer;
mod run;
mod watch;

use serde_json::Value;

pub(super) use self::offer::{definitions, prompt, told_plan};
pub(super) use self::run::{validated, validation_of};
pub(super) use self::watch::{Remark, Watch};
use crate::session::{PlanStep, Thread, step_in};

/// The tool as which a validation runs.
const COMMAND: &str = "bash";

/// Returns the step that a call ends.
fn step_of<'a>(thread: &'a Thread, input: &Value) -> Option<&'a PlanStep> {
    let place = step_in(input)?.checked_sub(1)?;
    thread.supervised.plan.get(place)
}
