//! `GET /sinew/v1/sessions/{id}/reviews`: what calls would change that wait for somebody to look at them, in full.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::diff::wire;
use super::{SessionState, private};
use crate::api::{ApiError, Caller};
use crate::json::Fields as _;
use crate::session::files_of;
use crate::tree::{CONTEXT_LINES, FileDiff, compare_roots};

/// Returns what waits, in the order of the calls.
pub(super) async fn list(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let mut reviews = Vec::new();
    let calls = private(&row).at("open_calls").as_array();
    for call in calls.into_iter().flatten() {
        let Some(new) = files_of(call.at("review").at("files")) else {
            continue;
        };
        if *call.at("is_confirmed") == true {
            continue;
        }
        let old = files_of(call.at("review").at("base"));
        let old = old.map(|files| files.root);
        let content = &state.brain.content;
        let compared = compare_roots(content, old, Some(new.root), CONTEXT_LINES).await;
        let compared = compared.map_err(ApiError::internal)?;
        let patch: String = compared.files.iter().map(FileDiff::patch).collect();
        reviews.push(json!({
            "tool_use_id": call.at("event_id"),
            "files": compared.files.iter().map(wire).collect::<Vec<_>>(),
            "patch": patch,
            "is_truncated": compared.is_cut,
        }));
    }
    Ok(Json(json!({ "data": reviews })))
}
