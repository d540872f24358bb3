//! The threads of a session. A single-agent session has its primary thread.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::events::list_page;
use super::{STATUSES, SessionState, id_of, private};
use crate::api::ApiError;
use crate::api::Caller;
use crate::api::page;
use crate::api::query::Query;
use crate::ids::ThreadId;
use crate::json::Fields as _;
use crate::session::thread_wire;
use crate::store::{EventQuery, Order, Resource, TimeRange};

const LIMIT_DEFAULT: usize = 1_000;

/// Lists a session's threads.
pub(super) async fn list(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    query.limit(LIMIT_DEFAULT, LIMIT_DEFAULT)?;
    let statuses = query.list_of("statuses", &STATUSES)?;
    // One thread, one page: no cursor was ever given out.
    page::cursor(&query, &format!("threads/{session_id}"), Order::Ascending)?;
    let thread = thread_wire(&row, state.api.clock.now());
    let is_wanted = statuses.is_empty()
        || statuses
            .iter()
            .any(|status| *thread.at("status") == **status);
    let data = if is_wanted { vec![thread] } else { Vec::new() };
    Ok(Json(page::cursor_page(data, None)))
}

/// Returns one thread.
pub(super) async fn retrieve(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, thread_id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    check(&row, &thread_id)?;
    Ok(Json(thread_wire(&row, state.api.clock.now())))
}

/// Refuses to archive the primary thread: it lives as long as its session.
pub(super) async fn archive(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, thread_id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    check(&row, &thread_id)?;
    Err(ApiError::invalid(
        "the primary thread cannot be archived by itself; archive the session",
    ))
}

/// Lists one thread's events.
pub(super) async fn events(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, thread_id)): Path<(String, String)>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    check(&row, &thread_id)?;
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

/// Answers 404 for a thread that the session does not have.
pub(super) fn check(row: &Resource, thread_id: &str) -> Result<(), ApiError> {
    if private(row).at("thread_id") == thread_id {
        return Ok(());
    }
    Err(ApiError::not_found("thread", thread_id))
}
