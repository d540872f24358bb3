//! The session's resource row, and the wire objects made from it.
//!
//! The row is a projection: everything in it follows from the log, so handlers answer without folding.

use serde_json::{Value, json};

use super::call::{Call, Confirmation, Permission};
use super::decide::{Limits, Step, decide};
use super::history::rewinds_json;
use super::kind::EventKind;
use super::review::files_json;
use super::state::State;
use super::usage::{Usage, micros, seconds};
use crate::clock::{Timestamp, rfc3339};
use crate::json::Fields as _;
use crate::store::{Projection, Resource};

/// The field of the row's body that holds what is not on the wire.
pub const PROJECTION_PRIVATE: &str = "_sinew";

/// The field of the configuration that is true where the environment is self-hosted: its workers run the
/// tools that work on files. Not on the wire.
pub const SELF_HOSTED: &str = "_self_hosted";

/// Tells whether the session of a row needs a worker: it is at work, is about to be, or waits for a result.
pub fn needs_worker(row: &Resource) -> bool {
    let private = row.body.at(PROJECTION_PRIVATE);
    let mut open_calls = private.at("open_calls").as_array().into_iter().flatten();
    row.archived_at.is_none()
        && (matches!(row.status.as_deref(), Some("running" | "rescheduling"))
            || *private.at("needs_wake") == true
            || open_calls.any(|call| *call.at("is_worker") == true))
}
/// The field of a session's configuration that tells which skills it has: `skill_id`, `version`, `folder`,
/// `name`, `description` of each. Not on the wire.
pub const SKILLS_FIELD: &str = "_skills";

/// Returns the row that follows from `state`.
pub fn project(state: &State, limits: &Limits) -> Projection {
    let mut body = (*state.config).clone();
    let needs_wake = decide(state, limits) != Step::Sleep;
    let queued_answer = |call: &Call| {
        let inputs = state.queue.iter();
        let mut confirmations =
            inputs.filter(|input| input.kind == EventKind::UserToolConfirmation);
        let answer =
            confirmations.find(|input| *input.body.at("tool_use_id") == *call.event_id.as_str());
        answer.map(|input| *input.body.at("result") == "allow")
    };
    // Whether the client allowed a call; none before it said.
    let allowed = |call: &Call| match &call.confirmation {
        Some(confirmation) => Some(*confirmation == Confirmation::Allowed),
        None => queued_answer(call),
    };
    body.set(
        PROJECTION_PRIVATE,
        json!({
            "last": state.last,
            "thread_id": state.thread_id.as_str(),
            "stop_reason": state.stop_reason,
            "open_calls": state.calls.iter().filter(|call| call.answer.is_none()).map(|call| json!({
                "event_id": call.event_id.as_str(),
                // Whoever is to look at it is asked as for any other call.
                "permission": match call.review {
                    Some(_) => Permission::Ask.as_str(),
                    None => call.permission.as_str(),
                },
                "review": call.review.as_ref().map(|review| json!({
                    "base": review.base.as_ref().map(files_json),
                    "files": files_json(&review.files),
                })),
                "is_custom": call.kind == super::CallKind::Custom,
                "is_worker": call.kind == super::CallKind::Worker,
                "is_confirmed": allowed(call).is_some(),
                "is_allowed": allowed(call) == Some(true),
            })).collect::<Vec<_>>(),
            "queued": state.queue.len(),
            "needs_wake": needs_wake,
            "usage": state.usage.to_json(),
            "rewinds": rewinds_json(&state.rewinds),
            "running_since": state.running_since.map(rfc3339),
            "first_ran_at": state.first_ran_at.map(rfc3339),
            "ended_at": state.ended_at.map(rfc3339),
            "was_idle": state.was_idle,
        }),
    );
    Projection {
        body,
        status: state.status.as_str().to_owned(),
        archived_at: state.archived_at,
        needs_wake,
    }
}

/// Returns what the session of a row has cost, in nano-cents, as budgets count it.
pub fn consumed_nanocents(row: &Resource) -> u128 {
    let now = row.created_at;
    Clocks::read(row.body.at(PROJECTION_PRIVATE), now, now)
        .usage
        .total_nanocents()
}

/// Returns the wire's Session object for a row, as of `now`.
pub fn session_wire(row: &Resource, now: Timestamp) -> Value {
    let mut body = row.body.clone();
    let clock = Clocks::read(body.at(PROJECTION_PRIVATE), row.created_at, now);
    if let Some(fields) = body.as_object_mut() {
        fields.remove(PROJECTION_PRIVATE);
        fields.retain(|name, _| !name.starts_with('_'));
    }
    body.set("id", json!(row.key.id));
    body.set("type", json!("session"));
    body.set("status", json!(row.status));
    body.set("created_at", json!(rfc3339(row.created_at)));
    body.set("updated_at", json!(rfc3339(row.updated_at)));
    body.set("archived_at", json!(row.archived_at.map(rfc3339)));
    body.set("outcome_evaluations", json!([]));
    body.set("usage", clock.usage.wire(clock.extra_micros));
    body.set(
        "stats",
        json!({
            "active_seconds": seconds(clock.active_micros()),
            "duration_seconds": seconds(clock.duration_micros),
        }),
    );
    body
}

/// Returns the wire's SessionThread object of a row's primary thread, as of `now`.
pub fn thread_wire(row: &Resource, now: Timestamp) -> Value {
    let private = &row.body.at(PROJECTION_PRIVATE);
    let clock = Clocks::read(private, row.created_at, now);
    let mut agent = row.body.at("agent").clone();
    if let Some(fields) = agent.as_object_mut() {
        fields.remove("multiagent");
    }
    let has_run = private.at("first_ran_at").is_string();
    let startup = private
        .at("first_ran_at")
        .as_str()
        .and_then(|at| at.parse::<Timestamp>().ok())
        .map_or(0, |at| micros(row.created_at, at));
    json!({
        "id": private.at("thread_id"),
        "type": "session_thread",
        "agent": agent,
        "archived_at": row.archived_at.map(rfc3339),
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
        "parent_thread_id": null,
        "session_id": row.key.id,
        "status": row.status,
        "workflow_run_id": null,
        "usage": if private.at("was_idle") == true { clock.usage.wire(clock.extra_micros) } else { Value::Null },
        "stats": if has_run { json!({
            "active_seconds": seconds(clock.active_micros()),
            "duration_seconds": seconds(clock.duration_micros),
            "startup_seconds": seconds(startup),
        }) } else { Value::Null },
    })
}

struct Clocks {
    usage: Usage,
    extra_micros: u64,
    duration_micros: u64,
}

impl Clocks {
    fn read(private: &Value, created_at: Timestamp, now: Timestamp) -> Self {
        let time = |name: &str| {
            private
                .at(name)
                .as_str()
                .and_then(|at| at.parse::<Timestamp>().ok())
        };
        let usage = Usage::from_json(private.at("usage")).unwrap_or_default();
        Self {
            usage,
            extra_micros: time("running_since").map_or(0, |since| micros(since, now)),
            duration_micros: micros(created_at, time("ended_at").unwrap_or(now)),
        }
    }

    fn active_micros(&self) -> u64 {
        self.usage.active_micros.saturating_add(self.extra_micros)
    }
}
