//! `GET /sinew/v1/sessions/{id}/diff` and `.../patch`: what changed of a session's files between two of its events.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::history::{FORKED_FROM, Wanted, find_point};
use super::{SessionState, id_of};
use crate::api::query::Query;
use crate::api::{ApiError, Caller};
use crate::json::Fields as _;
use crate::store::{Files, Resource};
use crate::tree::{CONTEXT_LINES, Comparison, Entry, FileDiff, Kind, compare_roots};

/// Most lines around a change.
const CONTEXT_MAX: u64 = 1_000;

/// Compares the files after two events: by default those at the beginning, for a fork those that it began with,
/// and those of now.
pub(super) async fn diff(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let (compared, old, new) = compared(&state, &row, &query).await?;
    let digest = |files: Option<Files>| files.map(|files| files.digest.to_string());
    Ok(Json(json!({
        "type": "session_diff",
        "session_id": session_id,
        "from_digest": digest(old),
        "to_digest": digest(new),
        "files": compared.files.iter().map(wire).collect::<Vec<_>>(),
        "is_truncated": compared.is_cut,
    })))
}

/// As [`diff`], as a patch.
pub(super) async fn patch(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let (compared, _, _) = compared(&state, &row, &query).await?;
    let patch: String = compared.files.iter().map(FileDiff::patch).collect();
    let kind = HeaderValue::from_static("text/x-diff; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], patch).into_response())
}

async fn compared(
    state: &SessionState,
    row: &Resource,
    query: &Query,
) -> Result<(Comparison, Option<Files>, Option<Files>), ApiError> {
    let lines = query.integer("context", 0, CONTEXT_MAX)?;
    let lines = lines.map_or(CONTEXT_LINES, |lines| {
        usize::try_from(lines).unwrap_or(usize::MAX)
    });
    let old = files_at(state, row, query.text("from_event_id")?, true).await?;
    let new = files_at(state, row, query.text("to_event_id")?, false).await?;
    let root = |files: Option<Files>| files.map(|files| files.root);
    let compared = compare_roots(&state.brain.content, root(old), root(new), lines).await;
    Ok((compared.map_err(ApiError::internal)?, old, new))
}

/// Returns the files after an event; without one those at the beginning, or at the end.
async fn files_at(
    state: &SessionState,
    row: &Resource,
    event_id: Option<&str>,
    is_beginning: bool,
) -> Result<Option<Files>, ApiError> {
    let number = match event_id {
        Some(id) => {
            find_point(state, row, &Wanted::At(id.to_owned()))
                .await?
                .number
        }
        None if is_beginning => row.body.at(FORKED_FROM).at("number").as_u64().unwrap_or(0),
        None => u64::MAX,
    };
    Ok(state
        .api
        .store
        .files()
        .files_at(&id_of(row), number)
        .await?)
}

/// Returns one difference as the wire has it.
pub(super) fn wire(diff: &FileDiff) -> Value {
    json!({
        "path": diff.path,
        "change": diff.change(),
        "old": diff.old.as_ref().map(side),
        "new": diff.new.as_ref().map(side),
        "additions": diff.additions,
        "deletions": diff.deletions,
        "patch": diff.hunks,
    })
}

fn side(entry: &Entry) -> Value {
    let mode = format!("{:03o}", entry.mode & 0o777);
    match &entry.kind {
        Kind::File { bytes, content, .. } => {
            json!({"kind": "file", "mode": mode, "bytes": bytes, "blake3": content.to_string()})
        }
        Kind::Link(target) => {
            json!({"kind": "link", "mode": mode, "target": String::from_utf8_lossy(target)})
        }
        Kind::Folder(_) => json!({"kind": "folder", "mode": mode}),
        Kind::Fifo => json!({"kind": "pipe", "mode": mode}),
    }
}
