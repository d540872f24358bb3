//! Vaults.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::credentials;
use crate::api::body::JsonBody;
use crate::api::collection::{Answer, Collection, UPDATE_ATTEMPTS_MAX};
use crate::api::metadata::{self, EmptyValue};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::{Timestamp, rfc3339};
use crate::ids::{VaultId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{
    Key, Kind, NewResource, Resource, ResourceChange, StoreError, TimeRange, Write,
};

/// Longest name in characters.
const NAME_CHARACTERS_MAX: usize = 255;

const VAULTS: Collection = Collection {
    kind: Kind::Vault,
    list: "vaults",
    noun: "vault",
    wire,
    missing_code: None,
};

/// Creates a vault.
pub(super) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let name = fields
        .required("display_name")?
        .text(1, NAME_CHARACTERS_MAX)?;
    let metadata = metadata::create(fields.take("metadata"))?;
    fields.finish()?;
    let now = api.clock.now();
    let created = api
        .store
        .create(NewResource {
            key: key(&caller.workspace, VaultId::fresh(now).as_str()),
            body: json!({"display_name": name, "metadata": metadata}),
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

/// Returns a vault.
pub(super) async fn get(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    Ok(Json(wire(&find(&api, &caller.workspace, &id).await?)))
}

/// Changes a vault's name or metadata.
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let name = match fields.take("display_name").given() {
        Some(spot) => Some(spot.text(1, NAME_CHARACTERS_MAX)?),
        None => None,
    };
    let patch = fields.take("metadata");
    fields.finish()?;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find_live(&api, &caller.workspace, &id).await?;
        let mut body = stored.body.clone();
        if let Some(name) = &name {
            body.set("display_name", json!(name));
        }
        let old = body.at("metadata").as_object().cloned().unwrap_or_default();
        let patched = metadata::patch(&old, patch.clone(), EmptyValue::Stored)?;
        body.set("metadata", Value::Object(patched));
        if body == stored.body {
            return Ok(Json(wire(&stored)));
        }
        let change = change(&stored, body, None, api.clock.now());
        match api.store.update(&stored.key, stored.revision, change).await {
            Ok(updated) => return Ok(Json(wire(&updated))),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(VAULTS.missing(error, &id)),
        }
    }
    Err(too_busy())
}

/// Returns the workspace's vaults, newest first.
pub(super) async fn list(State(api): State<ApiState>, caller: Caller, query: Query) -> Answer {
    let always = TimeRange::default();
    VAULTS.list(&api, caller, &query, always).await
}

/// Archives a vault with all its credentials, whose secrets are purged; again changes nothing.
pub(super) async fn archive(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(&api, &caller.workspace, &id).await?;
        if stored.archived_at.is_some() {
            return Ok(Json(wire(&stored)));
        }
        let now = api.clock.now();
        let mut writes = vec![Write::Update {
            key: stored.key.clone(),
            revision: stored.revision,
            change: change(&stored, stored.body.clone(), Some(now), now),
        }];
        for credential in credentials::of_vault(&api, &stored, false).await? {
            writes.push(Write::Update {
                key: credential.key.clone(),
                revision: credential.revision,
                change: credentials::archival(&credential, now),
            });
        }
        match api.store.write(writes).await {
            Ok(_) => return Ok(Json(wire(&find(&api, &caller.workspace, &id).await?))),
            // Others changed the vault or a credential.
            Err(StoreError::RevisionConflict { .. } | StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_busy())
}

/// Removes a vault with all its credentials. Sessions that use it go on without them.
pub(super) async fn delete(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(&api, &caller.workspace, &id).await?;
        // Written before it is deleted: a credential added since it was read fails this.
        let mut writes = vec![touch(&stored)];
        for credential in credentials::of_vault(&api, &stored, true).await? {
            writes.push(Write::Delete(credential.key));
        }
        writes.push(Write::Delete(stored.key.clone()));
        match api.store.write(writes).await {
            Ok(_) => return Ok(Json(json!({"id": id, "type": "vault_deleted"}))),
            Err(StoreError::RevisionConflict { .. } | StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_busy())
}

/// Returns a vault. Errors: 404.
pub(super) async fn find(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
) -> Result<Resource, ApiError> {
    let found = api.store.get(&key(workspace, id), None).await;
    found.map_err(|error| VAULTS.missing(error, id))
}

/// Returns a vault that may be changed. Errors: 404; 400 for an archived one.
pub(super) async fn find_live(
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

/// A write that changes nothing but the revision: beside it stands what must not happen twice.
pub(super) fn touch(stored: &Resource) -> Write {
    Write::Update {
        key: stored.key.clone(),
        revision: stored.revision,
        change: change(
            stored,
            stored.body.clone(),
            stored.archived_at,
            stored.updated_at,
        ),
    }
}

fn change(
    stored: &Resource,
    body: Value,
    archived_at: Option<Timestamp>,
    at: Timestamp,
) -> ResourceChange {
    ResourceChange {
        body,
        new_version: false,
        unique_name: None,
        status: stored.status.clone(),
        archived_at,
        at,
    }
}

pub(super) fn archived(id: &str) -> ApiError {
    ApiError::invalid(format!("the vault {id} is archived"))
}

pub(super) fn too_busy() -> ApiError {
    VAULTS.too_busy()
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::Vault,
        id: id.to_owned(),
    }
}

/// Returns the wire's `Vault`.
fn wire(stored: &Resource) -> Value {
    json!({
        "id": stored.key.id,
        "type": "vault",
        "display_name": stored.body.at("display_name"),
        "metadata": stored.body.at("metadata"),
        "created_at": rfc3339(stored.created_at),
        "updated_at": rfc3339(stored.updated_at),
        "archived_at": stored.archived_at.map(rfc3339),
    })
}
