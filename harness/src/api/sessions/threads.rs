//! The threads of a session: the primary one, and those of the agents that were started in it.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::events::list_page;
use super::history::fold_at;
use super::{APPEND_ATTEMPTS_MAX, STATUSES, SessionState, id_of, last_of, too_busy};
use crate::api::ApiError;
use crate::api::Caller;
use crate::api::body::Invalid;
use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::ids::ThreadId;
use crate::json::Fields as _;
use crate::session::{
    Draft, Speaker, State as Folded, Status, complete, ended_threads, is_short, live_summaries,
    project, thread_wire, whole_summary,
};
use crate::store::{Append, EventQuery, Order, Resource, StoreError, TimeRange};

const LIMIT_DEFAULT: usize = 1_000;

/// Lists a session's threads in order of their creation.
pub(super) async fn list(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_DEFAULT)?;
    let statuses = query.list_of("statuses", &STATUSES)?;
    let list = format!("threads/{session_id}");
    let cursor = page::cursor(&query, &list, Order::Ascending)?;
    let after = match cursor.map(|cursor| cursor.position) {
        None => 0,
        Some(Position::Number(number)) => number,
        Some(_) => return Err(Invalid::at("page", "the cursor is malformed or expired").into()),
    };
    let now = state.api.clock.now();
    // A thread's place never changes: others only come behind it.
    let places = (1u64..).zip(summaries(&state, &row, Ended::Wanted).await?);
    let wires = places.map(|(place, thread)| (place, thread_wire(&row, &thread, now)));
    let is_wanted = |(place, thread): &(u64, Value)| {
        *place > after
            && (statuses.is_empty()
                || statuses
                    .iter()
                    .any(|status| *thread.at("status") == **status))
    };
    let mut found: Vec<(u64, Value)> = wires
        .filter(is_wanted)
        .take(page::rows_to_fetch(limit))
        .collect();
    let is_more = page::cut(&mut found, limit);
    let next = found
        .last()
        .filter(|_| is_more)
        .map(|(place, _)| Cursor::next(&list, Order::Ascending, Position::Number(*place)));
    let data = found.into_iter().map(|(_, thread)| thread).collect();
    Ok(Json(page::cursor_page(data, next)))
}

/// Returns one thread.
pub(super) async fn retrieve(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, thread_id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let thread = find(&state, &row, &thread_id).await?;
    Ok(Json(thread_wire(&row, &thread, state.api.clock.now())))
}

/// Ends a thread that is idle; its history stays readable. The primary thread lives as long as its session.
pub(super) async fn archive(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, thread_id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    for _ in 0..APPEND_ATTEMPTS_MAX {
        let row = state.row(&caller, &session_id).await?;
        let thread = find(&state, &row, &thread_id).await?;
        if thread.at("parent_thread_id").is_null() {
            return Err(ApiError::invalid(
                "the primary thread cannot be archived by itself; archive the session",
            ));
        }
        match thread.at("status").as_str() {
            Some("terminated") => {
                return Ok(Json(thread_wire(&row, &thread, state.api.clock.now())));
            }
            Some("idle") => {}
            _ => {
                return Err(ApiError::invalid(
                    "the thread is at work and cannot be archived; send a user.interrupt with its \
                     session_thread_id, and wait for session.thread_status_idle first",
                ));
            }
        }
        let folded = fold_at(&state, &row, last_of(&row)).await?;
        let own = ThreadId::from_text(thread_id.as_str());
        let below = folded.subtree(&own);
        if below
            .iter()
            .any(|thread| thread.is_live() && thread.status != Status::Idle)
        {
            return Err(ApiError::invalid(
                "agents that this thread's agent started are at work, so it cannot be archived; send each a \
                 user.interrupt with its session_thread_id first",
            ));
        }
        let Some(append) = archive_append(&state, &row, &folded, &thread_id)? else {
            continue;
        };
        match state.api.store.append(append).await {
            Ok(_) => {
                // Somebody may have waited for it.
                state.drivers.wake(&id_of(&row));
                let row = state.row(&caller, &session_id).await?;
                let thread = find(&state, &row, &thread_id).await?;
                return Ok(Json(thread_wire(&row, &thread, state.api.clock.now())));
            }
            Err(StoreError::LogMoved { .. }) => {}
            Err(StoreError::NotFound) => return Err(ApiError::not_found("session", &session_id)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_busy())
}

/// Returns the append that ends a thread; none if the log has grown since the row was read.
fn archive_append(
    state: &SessionState,
    row: &Resource,
    folded: &Folded,
    thread_id: &str,
) -> Result<Option<Append>, ApiError> {
    let Some(thread) = folded
        .thread(thread_id)
        .filter(|_| folded.last == last_of(row))
    else {
        return Ok(None);
    };
    let mut draft = Draft::new(state.time_in(row), Speaker::of(folded, thread));
    // The model is not asked again: what it waited for stays as it was.
    draft.thread_terminated();
    let (ahead, events) = complete(folded, draft.into_events()).map_err(ApiError::internal)?;
    Ok(Some(Append {
        session_id: id_of(row),
        expected: folded.last,
        lease: None,
        events,
        projection: Some(project(&ahead, &state.brain.limits)),
        files: None,
    }))
}

/// Lists one thread's events.
pub(super) async fn events(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, thread_id)): Path<(String, String)>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    find(&state, &row, &thread_id).await?;
    let selected = EventQuery {
        session_id: id_of(&row),
        thread_id: Some(ThreadId::from_text(thread_id.clone())),
        kinds: Vec::new(),
        processed_at: TimeRange::default(),
        order: Order::Ascending,
        after: None,
        limit: 0,
    };
    list_page(&state, &query, selected, &format!("events/{thread_id}")).await
}

/// Whether threads that have ended are looked up, which the row does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Wanted,
    Left,
}

/// Returns the summaries of a session's threads.
async fn summaries(
    state: &SessionState,
    row: &Resource,
    ended: Ended,
) -> Result<Vec<Value>, ApiError> {
    let live = live_summaries(row);
    let is_all = ended == Ended::Left || ended_threads(row) == 0;
    if is_all && !is_short(&live) {
        return Ok(live);
    }
    let folded = fold_at(state, row, last_of(row)).await?;
    let shown = folded.threads.iter().filter(|thread| !thread.is_grader());
    Ok(shown.map(|thread| whole_summary(thread)).collect())
}

/// Returns the summary of a thread, or 404 for one that the session does not have.
pub(super) async fn find(
    state: &SessionState,
    row: &Resource,
    thread_id: &str,
) -> Result<Value, ApiError> {
    for ended in [Ended::Left, Ended::Wanted] {
        let mut threads = summaries(state, row, ended).await?.into_iter();
        if let Some(thread) = threads.find(|thread| *thread.at("id") == *thread_id) {
            return Ok(thread);
        }
    }
    Err(ApiError::not_found("thread", thread_id))
}
