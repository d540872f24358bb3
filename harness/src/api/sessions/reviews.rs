//! `GET /sinew/v1/sessions/{id}/reviews`: what calls would change that wait for somebody to look at them, in full.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::diff::wire;
use super::{SessionState, private};
use crate::api::{ApiError, Caller};
use crate::json::Fields as _;
use crate::session::files_of;
use crate::tree::{FileDiff, Folders, TreeError, compare, folders};

/// Lines around each change.
const CONTEXT_LINES: usize = 3;

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
        let content = state.brain.content.clone();
        let compared = tokio::task::spawn_blocking(move || {
            let reader = content.blocking();
            let before = match old {
                Some(old) => folders(&reader, old.root)?,
                None => Folders::new(),
            };
            let after = folders(&reader, new.root)?;
            compare(&reader, &before, &after, CONTEXT_LINES)
        });
        let compared: Result<_, TreeError> = compared.await.map_err(ApiError::internal)?;
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
