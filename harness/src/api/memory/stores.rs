//! Memory stores.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{failed, home};
use crate::api::body::{Field, JsonBody};
use crate::api::collection::{Answer, Collection, UPDATE_ATTEMPTS_MAX};
use crate::api::metadata::{self, EmptyValue};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::rfc3339;
use crate::ids::{MemoryStoreId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{Key, Kind, NewResource, Resource, ResourceChange, StoreError};

/// Longest name in characters.
const NAME_CHARACTERS_MAX: usize = 255;
/// Longest description in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 1_024;

const STORES: Collection = Collection {
    kind: Kind::MemoryStore,
    list: "memory_stores",
    noun: "memory store",
    wire,
    missing_code: None,
};

/// Creates a store.
pub(super) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let name = fields.required("name")?.text(1, NAME_CHARACTERS_MAX)?;
    let description = match fields.take("description").given() {
        Some(spot) => spot.text(0, DESCRIPTION_CHARACTERS_MAX)?,
        None => String::new(),
    };
    let metadata = metadata::create(fields.take("metadata"))?;
    fields.finish()?;
    let now = api.clock.now();
    let created = api
        .store
        .create(NewResource {
            key: key(&caller.workspace, MemoryStoreId::fresh(now).as_str()),
            body: json!({"name": name, "description": description, "metadata": metadata}),
            unique_name: None,
            status: None,
            labels: Vec::new(),
            at: now,
            events: Vec::new(),
            needs_wake: false,
            history: None,
        })
        .await?;
    Ok(Json(wire(&created)))
}

/// Returns a store.
pub(super) async fn get(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    Ok(Json(wire(&find(&api, &caller.workspace, &id).await?)))
}

/// Changes a store's name, description or metadata. Sessions keep what they were made with.
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let name = match fields.take("name").given() {
        Some(spot) => Some(spot.text(1, NAME_CHARACTERS_MAX)?),
        None => None,
    };
    let description = match fields.take("description") {
        Field::Absent => None,
        Field::Null => Some(String::new()),
        Field::Given(spot) => Some(spot.text(0, DESCRIPTION_CHARACTERS_MAX)?),
    };
    let patch = fields.take("metadata");
    fields.finish()?;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = live_store(&api, &caller.workspace, &id).await?;
        let mut body = stored.body.clone();
        if let Some(name) = &name {
            body.set("name", json!(name));
        }
        if let Some(description) = &description {
            body.set("description", json!(description));
        }
        let old = body.at("metadata").as_object().cloned().unwrap_or_default();
        let patched = metadata::patch(&old, patch.clone(), EmptyValue::Stored)?;
        body.set("metadata", Value::Object(patched));
        if body == stored.body {
            return Ok(Json(wire(&stored)));
        }
        let change = ResourceChange {
            body,
            new_version: false,
            unique_name: None,
            status: None,
            archived_at: None,
            at: api.clock.now(),
        };
        match api.store.update(&stored.key, stored.revision, change).await {
            Ok(updated) => return Ok(Json(wire(&updated))),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(STORES.missing(error, &id)),
        }
    }
    Err(STORES.too_busy())
}

/// Returns the workspace's stores, newest first.
pub(super) async fn list(State(api): State<ApiState>, caller: Caller, query: Query) -> Answer {
    let created_at = query.time_range("created_at")?;
    STORES.list(&api, caller, &query, created_at).await
}

/// Removes a store with its memories and their versions.
pub(super) async fn delete(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    // A task of its own: a client that goes away must not leave versions behind.
    let store_id = id.clone();
    let removing = tokio::spawn(async move { home(&api, &caller, &store_id).remove().await });
    let removed = removing.await.map_err(ApiError::internal)?;
    removed.map_err(|error| failed(error, &id, &id))?;
    Ok(Json(json!({"id": id, "type": "memory_store_deleted"})))
}

/// Archives a store: it is read-only from then on; again changes nothing.
pub(super) async fn archive(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    STORES.archive(&api, &key(&caller.workspace, &id)).await
}

/// Returns the row of a store that may be changed and mounted. Errors: 404; 400 for an archived one.
pub async fn live_store(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
) -> Result<Resource, ApiError> {
    let stored = find(api, workspace, id).await?;
    match stored.archived_at {
        Some(_) => Err(archived(id)),
        None => Ok(stored),
    }
}

async fn find(api: &ApiState, workspace: &WorkspaceId, id: &str) -> Result<Resource, ApiError> {
    let found = api.store.get(&key(workspace, id), None).await;
    found.map_err(|error| STORES.missing(error, id))
}

pub(super) fn archived(id: &str) -> ApiError {
    ApiError::invalid(format!(
        "the memory store {id} is archived, so it is read-only"
    ))
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::MemoryStore,
        id: id.to_owned(),
    }
}

/// Returns the wire's `MemoryStore`.
fn wire(stored: &Resource) -> Value {
    json!({
        "id": stored.key.id,
        "type": "memory_store",
        "name": stored.body.at("name"),
        "description": stored.body.at("description"),
        "metadata": stored.body.at("metadata"),
        "created_at": rfc3339(stored.created_at),
        "updated_at": rfc3339(stored.updated_at),
        "archived_at": stored.archived_at.map(rfc3339),
    })
}
