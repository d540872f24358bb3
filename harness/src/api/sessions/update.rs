//! `POST /v1/sessions/{id}`: title, metadata, budget, and the session's own tools.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

use super::create::{TITLE_CHARACTERS_MAX, budget, check_budgetable};
use super::{APPEND_ATTEMPTS_MAX, SessionState, id_of, is_at_work, last_of, private, too_busy};
use crate::api::agent_config::replace_tools;
use crate::api::body::{Field, Fields, Invalid, JsonBody};
use crate::api::metadata::{self, EmptyValue, Metadata};
use crate::api::{ApiError, Caller};
use crate::clock::Timestamp;
use crate::ids::ThreadId;
use crate::json::Fields as _;
use crate::session::{
    Draft, EventKind, PROJECTION_PRIVATE, Speaker, budget_nanocents, consumed_nanocents,
    session_wire,
};
use crate::store::{Append, Projection, Resource, StoreError};

/// Changes a session. One refused field refuses the whole request.
pub(super) async fn update(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    JsonBody(fields): JsonBody,
) -> Result<Json<Value>, ApiError> {
    for _ in 0..APPEND_ATTEMPTS_MAX {
        let row = state.row(&caller, &session_id).await?;
        let now = state.time_in(&row);
        let changes = changes(&state, &row, fields.clone())?;
        if changes.is_empty() {
            return Ok(Json(session_wire(&row, now)));
        }
        match state.api.store.append(append(&row, changes, now)).await {
            Ok(_) => {
                // A raised or removed budget gives work to a session that had stopped at it.
                state.drivers.wake(&id_of(&row));
                let row = state.row(&caller, &session_id).await?;
                return Ok(Json(session_wire(&row, now)));
            }
            Err(StoreError::LogMoved { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_busy())
}

/// Returns the fields that really change, as `session.updated` tells them.
fn changes(
    state: &SessionState,
    row: &Resource,
    mut fields: Fields,
) -> Result<Map<String, Value>, ApiError> {
    let mut changes = Map::new();
    let mut change = |name: &str, value: Value| {
        if *row.body.at(name) != value {
            changes.insert(name.to_owned(), value);
        }
    };
    match fields.take("title") {
        Field::Absent => {}
        Field::Null => change("title", Value::Null),
        Field::Given(spot) => change("title", json!(spot.text(0, TITLE_CHARACTERS_MAX)?)),
    }
    let stored: Metadata = row
        .body
        .at("metadata")
        .as_object()
        .cloned()
        .unwrap_or_default();
    let patched = metadata::patch(&stored, fields.take("metadata"), EmptyValue::Stored)?;
    change("metadata", Value::Object(patched));
    if let Some(spot) = fields.take("agent").given() {
        if is_at_work(row) {
            return Err(spot
                .refuse("the session's agent can be changed only while the session is idle")
                .into());
        }
        let mut inner = spot.object()?;
        let agent = replace_tools(row.body.at("agent"), &mut inner)?;
        inner.finish()?;
        change("agent", agent);
    }
    match fields.take("budget") {
        Field::Absent => {}
        field => change("budget", new_budget(state, row, field)?),
    }
    if !matches!(fields.take("vault_ids"), Field::Absent) {
        let message = "vault_ids are fixed when a session is created";
        return Err(Invalid::at("vault_ids", message).into());
    }
    fields.finish()?;
    if row.archived_at.is_some() && !changes.is_empty() {
        return Err(ApiError::invalid(
            "the session is archived and cannot be changed",
        ));
    }
    Ok(changes)
}

fn new_budget(state: &SessionState, row: &Resource, field: Field) -> Result<Value, ApiError> {
    let refuse = |message: &str| Err(Invalid::at("budget", message).into());
    let wanted = budget(field)?;
    if wanted.is_null() {
        return Ok(wanted);
    }
    if row.body.at("budget").is_null() {
        return refuse("budget_create_only: a budget is set when the session is created");
    }
    check_budgetable(state, row.body.at("agent"))?;
    if budget_nanocents(&wanted).is_none_or(|allowed| allowed <= consumed_nanocents(row)) {
        return refuse("the new budget must be above what the session has cost already");
    }
    Ok(wanted)
}

fn append(row: &Resource, changes: Map<String, Value>, now: Timestamp) -> Append {
    let thread_id = private(row).at("thread_id").as_str().unwrap_or_default();
    let speaker = Speaker::primary(ThreadId::from_text(thread_id), String::new());
    let mut draft = Draft::new(now, speaker);
    let resumes = changes.contains_key("budget");
    let mut body = row.body.clone();
    for (name, value) in &changes {
        body.set(name.as_str(), value.clone());
    }
    draft.session(EventKind::SessionUpdated, Value::Object(changes));
    let events = draft.into_events();
    body.at_mut(PROJECTION_PRIVATE)
        .set("last", json!(last_of(row) + events.len() as u64));
    let threads = private(row).at("threads").as_array().into_iter().flatten();
    let mut stopped = threads.map(|thread| thread.at("stop_reason").at("type"));
    let is_anyones = stopped.any(|reason| *reason == "budget_reached");
    let has_work = resumes && is_anyones;
    let resumes = resumes && private(row).at("stop_reason").at("type") == "budget_reached";
    let needs_wake = resumes || has_work || *private(row).at("needs_wake") == true;
    if resumes {
        // What stopped the session is gone; the driver says what comes next.
        let private = body.at_mut(PROJECTION_PRIVATE);
        private.set("stop_reason", json!({"type": "end_turn"}));
        private.set("needs_wake", json!(true));
    }
    Append {
        session_id: id_of(row),
        expected: last_of(row),
        lease: None,
        events,
        projection: Some(Projection {
            body,
            status: row.status.clone().unwrap_or_default(),
            archived_at: row.archived_at,
            needs_wake,
        }),
        files: None,
    }
}
