//! Looking at the queue, and the metadata of its items.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::item::{Item, WorkState};
use super::lease::too_busy;
use super::queue::{all, live};
use crate::api::body::JsonBody;
use crate::api::collection::{Answer, Collection, Selection, UPDATE_ATTEMPTS_MAX};
use crate::api::metadata::{self, EmptyValue};
use crate::api::query::Query;
use crate::api::{ApiState, Caller, environments};
use crate::clock::rfc3339;
use crate::store::{Kind, Resource};

/// Returns an item.
pub(super) async fn get(
    State(api): State<ApiState>,
    caller: Caller,
    Path((environment_id, work_id)): Path<(String, String)>,
) -> Answer {
    let item = Item::find(&api, &caller.workspace, &environment_id, &work_id).await?;
    Ok(Json(item.wire()))
}

/// Changes an item's metadata.
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    Path((environment_id, work_id)): Path<(String, String)>,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let patch = fields.required("metadata")?;
    fields.finish()?;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let mut item = Item::find(&api, &caller.workspace, &environment_id, &work_id).await?;
        let patch = crate::api::body::Field::Given(patch.clone());
        let patched = metadata::patch(&item.content.metadata, patch, EmptyValue::Stored)?;
        if patched == item.content.metadata {
            return Ok(Json(item.wire()));
        }
        item.content.metadata = patched;
        if let Some(stored) = item.save(&api, api.clock.now()).await? {
            return Ok(Json(stored.wire()));
        }
    }
    Err(too_busy())
}

/// Returns an environment's items, newest first.
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    Path(environment_id): Path<String>,
    query: Query,
) -> Answer {
    environments::find(&api, &caller.workspace, &environment_id).await?;
    let collection = Collection {
        kind: Kind::Work,
        list: "work",
        noun: "work item",
        wire: wire_of_stored,
        missing_code: None,
    };
    let selection = Selection {
        include_archived: true,
        labels: vec![("environment_id".to_owned(), environment_id)],
        ..Selection::default()
    };
    collection
        .list_selected(&api, caller, &query, selection)
        .await
}

/// Returns how long the queue is and who serves it.
pub(super) async fn stats(
    State(api): State<ApiState>,
    caller: Caller,
    Path(environment_id): Path<String>,
) -> Answer {
    environments::find(&api, &caller.workspace, &environment_id).await?;
    let label = ("environment_id", environment_id.as_str());
    let states = [WorkState::Queued, WorkState::Claimed];
    let waiting = all(&api, live(&caller.workspace, label, &states)).await?;
    let count = |state| waiting.iter().filter(|item| item.state == state).count();
    let oldest = waiting.iter().map(|item| item.content.queued_at).min();
    Ok(Json(json!({
        "type": "work_queue_stats",
        "depth": count(WorkState::Queued),
        "pending": count(WorkState::Claimed),
        "oldest_queued_at": oldest.map(rfc3339),
        "workers_polling": api.work.workers_polling(&environment_id, api.clock.now()),
    })))
}

fn wire_of_stored(stored: &Resource) -> Value {
    // Unreadable ones are told by the calls that name them; a list shows the rest.
    Item::read(stored).map_or(Value::Null, |item| item.wire())
}
