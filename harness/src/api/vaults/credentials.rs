//! Credentials of a vault.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::auth::{self, Auth};
use super::vault as vaults;
use crate::api::body::{Field, Fields, Invalid, JsonBody};
use crate::api::collection::{Answer, Collection, Selection, UPDATE_ATTEMPTS_MAX};
use crate::api::metadata::{self, EmptyValue};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::{Timestamp, rfc3339};
use crate::ids::{CredentialId, WorkspaceId};
use crate::json::Fields as _;
use crate::secrets::{Bundle, Context, SEALED_FIELD, SealError, UNIQUE_NAME_FIELD};
use crate::store::{
    Key, Kind, NewResource, Order, ROWS_MAX, Resource, ResourceChange, ResourceQuery, StoreError,
    TimeRange, Write,
};
use crate::vault::{self, REFRESH_FAILED_FIELD, VAULT_LABEL};

/// Most live credentials of one vault.
const CREDENTIALS_MAX: usize = 20;
/// Longest name in characters.
const NAME_CHARACTERS_MAX: usize = 255;

const CREDENTIALS: Collection = Collection {
    kind: Kind::Credential,
    list: "credentials",
    noun: "credential",
    wire,
    missing_code: None,
};

/// Stores a credential. Its key is unique among the vault's live ones; its secrets are not tried out.
pub(super) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    Path(vault_id): Path<String>,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let auth = auth::create(fields.required("auth")?)?;
    let display_name = display_name(&mut fields)?.flatten();
    let metadata = metadata::create(fields.take("metadata"))?;
    fields.finish()?;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let vault = vaults::find_live(&api, &caller.workspace, &vault_id).await?;
        if of_vault(&api, &vault, false).await?.len() >= CREDENTIALS_MAX {
            return Err(ApiError::invalid(format!(
                "the vault {vault_id} holds {CREDENTIALS_MAX} credentials, which is the most"
            )));
        }
        let now = api.clock.now();
        let new = new_credential(&api, &vault, &auth, &display_name, &metadata, now)?;
        match api
            .store
            .write(vec![vaults::touch(&vault), Write::Create(new)])
            .await
        {
            Ok(mut stored) => {
                let stored = stored.pop().flatten();
                let stored = stored.ok_or_else(|| ApiError::internal("nothing was created"))?;
                return Ok(Json(wire(&stored)));
            }
            Err(StoreError::NameTaken(_)) => {
                let message = format!(
                    "a live credential of the vault {vault_id} has this {}; archive it first",
                    auth.key_field
                );
                return Err(ApiError::conflict(message, false));
            }
            Err(StoreError::RevisionConflict { .. } | StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(vaults::too_busy())
}

fn new_credential(
    api: &ApiState,
    vault: &Resource,
    auth: &Auth,
    display_name: &Option<String>,
    metadata: &metadata::Metadata,
    now: Timestamp,
) -> Result<NewResource, ApiError> {
    let (workspace, vault_id) = (&vault.key.workspace, &vault.key.id);
    let id = CredentialId::fresh(now);
    let unique_name = format!("{vault_id} {}", auth.key);
    let mut body = json!({
        "vault_id": vault_id,
        "auth": auth.shown,
        "display_name": display_name,
        "metadata": metadata,
        UNIQUE_NAME_FIELD: unique_name,
    });
    let context = Context::of_credential(workspace.as_str(), vault_id, id.as_str());
    body.set(SEALED_FIELD, seal(api, &context, &auth.secrets)?);
    Ok(NewResource {
        key: key(workspace, id.as_str()),
        body,
        unique_name: Some(unique_name),
        status: None,
        labels: vec![(VAULT_LABEL.to_owned(), vault_id.clone())],
        at: now,
        events: Vec::new(),
        needs_wake: false,
        history: None,
    })
}

/// Returns a credential, without its secrets.
pub(super) async fn get(
    State(api): State<ApiState>,
    caller: Caller,
    Path((vault_id, id)): Path<(String, String)>,
) -> Answer {
    let stored = find(&api, &caller.workspace, &vault_id, &id).await?;
    Ok(Json(wire(&stored)))
}

/// Changes a credential: new secrets count from the next use on. Its type and its key are fixed.
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    Path((vault_id, id)): Path<(String, String)>,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let name = display_name(&mut fields)?;
    let patch = fields.take("metadata");
    let auth = fields.take("auth");
    fields.finish()?;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(&api, &caller.workspace, &vault_id, &id).await?;
        if stored.archived_at.is_some() {
            return Err(archived(&id));
        }
        let mut body = stored.body.clone();
        if let Some(name) = &name {
            body.set("display_name", json!(name));
        }
        let old = body.at("metadata").as_object().cloned().unwrap_or_default();
        let patched = metadata::patch(&old, patch.clone(), EmptyValue::Stored)?;
        body.set("metadata", Value::Object(patched));
        if let Field::Given(spot) = auth.clone() {
            let context = Context::of_credential(stored.key.workspace.as_str(), &vault_id, &id);
            let mut secrets = open(&api, &stored)?;
            let changed = auth::update(body.at("auth"), &mut secrets, spot)?;
            body.set("auth", changed.shown);
            if changed.has_new_secrets {
                body.set(SEALED_FIELD, seal(&api, &context, &secrets)?);
                if body.get(REFRESH_FAILED_FIELD).is_some() {
                    // Whether the new ones can be refreshed is not known yet.
                    body.set(REFRESH_FAILED_FIELD, Value::Null);
                }
            }
        }
        if body == stored.body {
            return Ok(Json(wire(&stored)));
        }
        let change = ResourceChange {
            unique_name: unique_name(&stored),
            body,
            new_version: false,
            status: None,
            archived_at: None,
            at: api.clock.now(),
        };
        match api.store.update(&stored.key, stored.revision, change).await {
            Ok(updated) => return Ok(Json(wire(&updated))),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(CREDENTIALS.missing(error, &id)),
        }
    }
    Err(CREDENTIALS.too_busy())
}

/// Returns the vault's credentials, newest first.
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    Path(vault_id): Path<String>,
    query: Query,
) -> Answer {
    vaults::find(&api, &caller.workspace, &vault_id).await?;
    let selection = Selection {
        include_archived: query.flag("include_archived")?,
        labels: vec![(VAULT_LABEL.to_owned(), vault_id)],
        ..Selection::default()
    };
    CREDENTIALS
        .list_selected(&api, caller, &query, selection)
        .await
}

/// Archives a credential: its secrets are purged, its key is free again; again changes nothing.
pub(super) async fn archive(
    State(api): State<ApiState>,
    caller: Caller,
    Path((vault_id, id)): Path<(String, String)>,
) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(&api, &caller.workspace, &vault_id, &id).await?;
        if stored.archived_at.is_some() {
            return Ok(Json(wire(&stored)));
        }
        let change = archival(&stored, api.clock.now());
        match api.store.update(&stored.key, stored.revision, change).await {
            Ok(archived) => return Ok(Json(wire(&archived))),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(CREDENTIALS.missing(error, &id)),
        }
    }
    Err(CREDENTIALS.too_busy())
}

/// Removes a credential.
pub(super) async fn delete(
    State(api): State<ApiState>,
    caller: Caller,
    Path((vault_id, id)): Path<(String, String)>,
) -> Answer {
    let stored = find(&api, &caller.workspace, &vault_id, &id).await?;
    let deleted = api.store.delete(&stored.key).await;
    deleted.map_err(|error| CREDENTIALS.missing(error, &id))?;
    Ok(Json(json!({"id": id, "type": "vault_credential_deleted"})))
}

/// Returns a vault's credentials, live ones or all.
pub(super) async fn of_vault(
    api: &ApiState,
    vault: &Resource,
    include_archived: bool,
) -> Result<Vec<Resource>, ApiError> {
    let mut all: Vec<Resource> = Vec::new();
    loop {
        let page = api
            .store
            .list(&ResourceQuery {
                workspace: vault.key.workspace.clone(),
                kind: Kind::Credential,
                include_archived,
                created_at: TimeRange::default(),
                statuses: Vec::new(),
                labels: vec![(VAULT_LABEL.to_owned(), vault.key.id.clone())],
                order: Order::Ascending,
                after: all
                    .last()
                    .map(|last| (last.created_at, last.key.id.clone())),
                limit: ROWS_MAX,
            })
            .await?;
        let is_end = page.len() < ROWS_MAX;
        all.extend(page);
        if is_end {
            return Ok(all);
        }
    }
}

/// Returns the change that archives a credential: without secrets, without a name.
pub(super) fn archival(stored: &Resource, now: Timestamp) -> ResourceChange {
    let mut body = stored.body.clone();
    body.set(SEALED_FIELD, Value::Null);
    body.set(UNIQUE_NAME_FIELD, Value::Null);
    ResourceChange {
        body,
        new_version: false,
        unique_name: None,
        status: None,
        archived_at: Some(now),
        at: now,
    }
}

/// Returns a credential of this vault. Errors: 404, also for one of another vault.
pub(super) async fn find(
    api: &ApiState,
    workspace: &WorkspaceId,
    vault_id: &str,
    id: &str,
) -> Result<Resource, ApiError> {
    match api.store.get(&key(workspace, id), None).await {
        Ok(stored) if *stored.body.at("vault_id") == vault_id => Ok(stored),
        Ok(_) => Err(CREDENTIALS.missing(StoreError::NotFound, id)),
        Err(error) => Err(CREDENTIALS.missing(error, id)),
    }
}

/// Returns the secrets of a stored credential; none of an archived one.
pub(super) fn open(api: &ApiState, stored: &Resource) -> Result<Bundle, ApiError> {
    let credential = vault::Credential::of_row(stored.clone());
    credential.open(&api.secrets).map_err(failed)
}

fn seal(api: &ApiState, context: &Context, secrets: &Bundle) -> Result<Value, ApiError> {
    vault::seal(&api.secrets, context, secrets).map_err(failed)
}

fn failed(error: SealError) -> ApiError {
    ApiError::internal(error)
}

fn unique_name(stored: &Resource) -> Option<String> {
    stored
        .body
        .at(UNIQUE_NAME_FIELD)
        .as_str()
        .map(str::to_owned)
}

/// Reads `display_name`: absent, cleared, or given.
fn display_name(fields: &mut Fields) -> Result<Option<Option<String>>, Invalid> {
    Ok(match fields.take("display_name") {
        Field::Absent => None,
        Field::Null => Some(None),
        Field::Given(spot) => Some(Some(spot.text(0, NAME_CHARACTERS_MAX)?)),
    })
}

pub(super) fn archived(id: &str) -> ApiError {
    ApiError::invalid(format!("the credential {id} is archived"))
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::Credential,
        id: id.to_owned(),
    }
}

/// Returns the wire's `Credential`, field by field: what is not named here is never shown.
fn wire(stored: &Resource) -> Value {
    let body = &stored.body;
    json!({
        "id": stored.key.id,
        "type": "vault_credential",
        "vault_id": body.at("vault_id"),
        "auth": body.at("auth"),
        "display_name": body.at("display_name"),
        "metadata": body.at("metadata"),
        "created_at": rfc3339(stored.created_at),
        "updated_at": rfc3339(stored.updated_at),
        "archived_at": stored.archived_at.map(rfc3339),
    })
}
