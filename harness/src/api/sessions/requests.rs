//! `GET /sinew/v1/sessions/{id}/requests`: what left a session's hand over the network, and what was denied.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{SessionState, id_of};
use crate::api::query::Query;
use crate::api::{ApiError, Caller};
use crate::json::Fields as _;
use crate::session::EventKind;

/// Events of the log that one answer looks at, and how many at once: a log may be long and have few requests.
const EVENTS_MAX: usize = 20_000;
const PAGE: usize = 500;
/// Requests after which an answer ends with the event that it is in.
const REQUESTS_MAX: usize = 1_000;

/// Returns the requests in the order in which they became durable. `after` is where an earlier answer ended.
pub(super) async fn list(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let mut after = query.integer("after", 0, u64::MAX)?.unwrap_or(0);
    let (mut requests, mut looked_at) = (Vec::new(), 0);
    let kind = EventKind::HttpRequests.name();
    loop {
        let events = state.api.store.read(&id_of(&row), after, PAGE).await?;
        looked_at += events.len();
        let mut is_end = events.len() < PAGE;
        let last = events.last().map_or(after, |event| event.number);
        for event in events {
            after = event.number;
            if event.kind == kind {
                let told = event.body.at("requests").as_array();
                requests.extend(told.into_iter().flatten().cloned());
            }
            if requests.len() >= REQUESTS_MAX {
                is_end &= after == last;
                break;
            }
        }
        let is_full = requests.len() >= REQUESTS_MAX || looked_at >= EVENTS_MAX;
        if is_end || is_full {
            let next_after = (!is_end).then_some(after);
            return Ok(Json(json!({"data": requests, "next_after": next_after})));
        }
    }
}
