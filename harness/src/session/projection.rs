//! The session's resource row, and the wire objects made from it.
//!
//! The row is a projection: everything in it follows from the log, so handlers answer without folding.

use serde_json::{Value, json};

use super::call::{Call, CallKind, Confirmation, Permission};
use super::decide::{Limits, has_work};
use super::history::rewinds_json;
use super::kind::EventKind;
use super::outcome::Outcome;
use super::review::files_json;
use super::state::State;
use super::thread::{AgentOf, Thread};
use super::usage::{Usage, micros, seconds};
use crate::clock::{Timestamp, rfc3339};
use crate::ids::ThreadId;
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
/// The field of a session's configuration that tells which components its agents have: `name`, `version`, `version_id`,
/// `digest` and `tools`, the definitions, of each. Not on the wire.
pub const TOOLS_FIELD: &str = "_tools";

/// Returns the row that follows from `state`.
pub fn project(state: &State, limits: &Limits) -> Projection {
    let mut body = (*state.config).clone();
    let needs_wake = has_work(state, limits);
    let queued_answer = |thread: &Thread, call: &Call| {
        let inputs = thread.queue.iter();
        let mut confirmations =
            inputs.filter(|input| input.kind == EventKind::UserToolConfirmation);
        let answer =
            confirmations.find(|input| *input.body.at("tool_use_id") == *call.event_id.as_str());
        answer.map(|input| *input.body.at("result") == "allow")
    };
    // Whether the client allowed a call; none before it said.
    let allowed = |thread: &Thread, call: &Call| match &call.confirmation {
        Some(confirmation) => Some(*confirmation == Confirmation::Allowed),
        None => queued_answer(thread, call),
    };
    let open_call = |(thread, call): (&Thread, &Call)| {
        let mut open = json!({
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
            "is_custom": call.kind == CallKind::Custom,
            "is_worker": call.kind == CallKind::Worker,
            "is_confirmed": allowed(thread, call).is_some(),
            "is_allowed": allowed(thread, call) == Some(true),
        });
        if !thread.is_primary() {
            open.set("thread_id", json!(thread.id.as_str()));
        }
        open
    };
    let open_calls = state.live_threads().flat_map(|thread| {
        let is_open = |call: &&Call| call.answer.is_none() && !call.is_of_threads();
        thread
            .calls
            .iter()
            .filter(is_open)
            .map(move |call| (thread, call))
    });
    let queued: usize = state.live_threads().map(|thread| thread.queue.len()).sum();
    // What holds the work against a rubric is nobody's thread.
    let shown = || state.threads.iter().filter(|thread| !thread.is_grader());
    let has_many = state.threads.len() > 1;
    body.set(
        PROJECTION_PRIVATE,
        json!({
            "last": state.last,
            "thread_id": state.primary().id.as_str(),
            "stop_reason": state.stop_reason,
            "open_calls": open_calls.map(open_call).collect::<Vec<_>>(),
            "queued": queued,
            "needs_wake": needs_wake,
            "usage": state.usage.to_json(),
            "rewinds": rewinds_json(&state.rewinds),
            "running_since": state.running_since.map(rfc3339),
            "first_ran_at": state.first_ran_at.map(rfc3339),
            "ended_at": state.ended_at.map(rfc3339),
            "was_idle": state.was_idle,
        }),
    );
    if !state.outcomes.is_empty() {
        let outcomes = state.outcomes.iter().map(Outcome::wire);
        body.at_mut(PROJECTION_PRIVATE)
            .set("outcomes", outcomes.collect());
    }
    if has_many {
        let private = body.at_mut(PROJECTION_PRIVATE);
        let live = shown().filter(|thread| thread.is_live());
        private.set("threads", live.map(|thread| summary(thread)).collect());
        let ended = shown().filter(|thread| !thread.is_live());
        private.set("threads_ended", json!(ended.clone().count()));
        let micros: u64 = ended.map(|thread| thread.usage.active_micros).sum();
        private.set("ended_active_micros", json!(micros));
    }
    Projection {
        body,
        status: state.status.as_str().to_owned(),
        archived_at: state.archived_at,
        needs_wake,
    }
}

/// Returns the running time of all threads of a row's session; what overlaps counts as often as it does.
fn active_micros(row: &Resource, now: Timestamp) -> u64 {
    let of = |thread: &Value| Clocks::read(thread, row.created_at, now).active_micros();
    let live: u64 = live_summaries(row).iter().map(of).sum();
    let private = row.body.at(PROJECTION_PRIVATE);
    live.saturating_add(private.at("ended_active_micros").as_u64().unwrap_or(0))
}

/// Returns what a session's row keeps of a live thread. The agent's snapshot is named, not repeated: the row is written
/// with every append.
pub fn summary(thread: &Thread) -> Value {
    json!({
        "id": thread.id.as_str(),
        "parent_thread_id": thread.parent.as_ref().map(ThreadId::as_str),
        "agent": match &thread.agent {
            AgentOf::Inline(agent) => json!({"type": "inline", "name": agent.at("name")}),
            named => named.to_json(),
        },
        "status": thread.status.as_str(),
        "stop_reason": thread.stop_reason,
        "created_at": rfc3339(thread.created_at),
        "updated_at": rfc3339(thread.updated_at),
        "ended_at": thread.ended_at.map(rfc3339),
        "usage": thread.usage.to_json(),
        "running_since": thread.running_since.map(rfc3339),
        "first_ran_at": thread.first_ran_at.map(rfc3339),
        "was_idle": thread.was_idle,
    })
}

/// As [`summary`], with the agent of a thread that was made up for it, which is in no row.
pub fn whole_summary(thread: &Thread) -> Value {
    let mut summary = summary(thread);
    summary.set("agent", thread.agent.to_json());
    summary
}

/// Tells whether a row's summaries lack something that the wire has.
pub fn is_short(summaries: &[Value]) -> bool {
    let lacks = |summary: &Value| {
        let agent = summary.at("agent");
        *agent.at("type") == "inline" && agent.at("agent").is_null()
    };
    summaries.iter().any(lacks)
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
    let outcomes = row.body.at(PROJECTION_PRIVATE).at("outcomes");
    let outcomes = outcomes.as_array().cloned().unwrap_or_default();
    body.set("outcome_evaluations", json!(outcomes));
    body.set("usage", clock.usage.wire(clock.extra_micros));
    body.set(
        "stats",
        json!({
            "active_seconds": seconds(active_micros(row, now)),
            "duration_seconds": seconds(clock.duration_micros),
        }),
    );
    body
}

/// Returns the summaries of a row's live threads, the primary one first.
pub fn live_summaries(row: &Resource) -> Vec<Value> {
    let private = row.body.at(PROJECTION_PRIVATE);
    if let Some(threads) = private.at("threads").as_array() {
        return threads.clone();
    }
    // A session with one thread: all that is true of it is true of the session.
    vec![json!({
        "id": private.at("thread_id"),
        "parent_thread_id": null,
        "agent": AgentOf::Session.to_json(),
        "status": row.status,
        "stop_reason": private.at("stop_reason"),
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
        "ended_at": row.archived_at.map(rfc3339),
        "usage": private.at("usage"),
        "running_since": private.at("running_since"),
        "first_ran_at": private.at("first_ran_at"),
        "was_idle": private.at("was_idle"),
    })]
}

/// Returns how many threads of a row's session have ended.
pub fn ended_threads(row: &Resource) -> u64 {
    row.body
        .at(PROJECTION_PRIVATE)
        .at("threads_ended")
        .as_u64()
        .unwrap_or(0)
}

/// Returns the wire's SessionThread object of a thread of a row's session, from its summary, as of `now`.
pub fn thread_wire(row: &Resource, thread: &Value, now: Timestamp) -> Value {
    let time = |name: &str| {
        thread
            .at(name)
            .as_str()
            .and_then(|at| at.parse::<Timestamp>().ok())
    };
    let created_at = time("created_at").unwrap_or(row.created_at);
    let clock = Clocks::read(thread, created_at, now);
    let is_primary = thread.at("parent_thread_id").is_null();
    let startup = match (is_primary, time("first_ran_at")) {
        (true, Some(at)) => micros(created_at, at),
        _ => 0,
    };
    json!({
        "id": thread.at("id"),
        "type": "session_thread",
        "agent": agent_wire(row.body.at("agent"), thread.at("agent")),
        "archived_at": thread.at("ended_at"),
        "created_at": thread.at("created_at"),
        "updated_at": thread.at("updated_at"),
        "parent_thread_id": thread.at("parent_thread_id"),
        "session_id": row.key.id,
        "status": thread.at("status"),
        "workflow_run_id": null,
        "usage": match *thread.at("was_idle") == true {
            true => clock.usage.wire(clock.extra_micros),
            false => Value::Null,
        },
        "stats": match thread.at("first_ran_at").is_string() {
            true => json!({
                "active_seconds": seconds(clock.active_micros()),
                "duration_seconds": seconds(clock.duration_micros),
                "startup_seconds": seconds(startup),
            }),
            false => Value::Null,
        },
    })
}

/// Returns the wire's agent of a thread.
fn agent_wire(session_agent: &Value, kept: &Value) -> Value {
    let of = AgentOf::from_json(kept).unwrap_or(AgentOf::Session);
    let mut agent = of.snapshot(session_agent).clone();
    if let AgentOf::Advisor(_) = of {
        return json!({"type": "advisor", "model": agent.at("model").at("id")});
    }
    if let Some(fields) = agent.as_object_mut() {
        fields.remove("multiagent");
    }
    agent
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
