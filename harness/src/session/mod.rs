//! The session as a fold over its log, and the pure decision what comes next.
//!
//! Invariants: [`State`] depends on nothing but the events applied to it; [`decide`] depends on nothing but
//! the state and the limits given to it. Performing a step and appending its events is the driver's work,
//! in `agent`.

mod call;
mod checkpoint;
mod complete;
mod corrections;
mod counts;
mod decide;
mod delegation;
mod draft;
mod grant;
#[cfg(test)]
mod grant_tests;
mod guards;
mod history;
mod kind;
mod outcome;
mod projection;
mod resources;
mod review;
mod shared;
mod state;
mod supervision;
#[cfg(test)]
mod tests;
mod thread;
#[cfg(test)]
mod threads_tests;
mod usage;

pub use call::{Answer, Call, CallKind, CallState, Confirmation, Permission, WEB_SEARCH};
pub use checkpoint::{checkpoint, from_checkpoint};
pub use complete::complete;
pub use corrections::{PREFERENCES_FIELD, PREFERENCES_PATH, preferences_store};
pub use counts::CallCounts;
pub use decide::{Limits, Room, Step, TurnFailure, decide, has_work, room};
pub use delegation::{Delegation, Member, Roster, is_busy, roster, targets};
pub use draft::{Draft, Speaker, text_block};
pub use grant::{Bounds, DEPTH_MAX, Grant, LIVE_MAX, Left, UsedUp};
pub use guards::{Guards, Repeated};
pub use history::{Range, Rewind, counting, rewinds_of};
pub use kind::EventKind;
pub use outcome::{ITERATIONS_DEFAULT, ITERATIONS_MAX, Outcome, Progress};
pub use projection::{
    PROJECTION_PRIVATE, SELF_HOSTED, SKILLS_FIELD, TOOLS_FIELD, consumed_nanocents, ended_threads,
    is_short, live_summaries, needs_worker, project, session_wire, thread_wire, whole_summary,
};
pub use resources::{add_resource, remove_resource};
pub use review::{Review, files_json, files_of, is_deterministic, review_policy};
pub use state::{FoldError, State, Status, agents_of};
pub use supervision::{
    ASK_USER, Barrier, Below, FINISH_STEP, MAKE_PLAN, PlanStep, StepStatus, Supervised,
    Supervision, barrier, is_look, is_own_tool, questions_in, read_plan, reminder, score_in,
    step_in,
};
pub use thread::{AgentOf, Queued, Thread, Turn};
pub use usage::{Usage, budget_nanocents};
