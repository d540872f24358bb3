//! `/v1/environments`: where sessions run.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::body::JsonBody;
use crate::api::collection::{Answer, Collection, UPDATE_ATTEMPTS_MAX};
use crate::api::environment_config::{self, EnvironmentConfig};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller, work};
use crate::clock::rfc3339;
use crate::ids::{EnvironmentId, WorkspaceId};
use crate::store::{Key, Kind, NewResource, Resource, ResourceChange, StoreError, TimeRange};

/// Environments.
pub(super) const ENVIRONMENTS: Collection = Collection {
    kind: Kind::Environment,
    list: "environments",
    noun: "environment",
    wire,
    missing_code: Some("environment_not_found"),
};

/// Creates an environment. Its name is unique among the live ones.
pub(super) async fn create(State(api): State<ApiState>, caller: Caller, body: JsonBody) -> Answer {
    let environment = environment_config::create(body.0)?;
    let now = api.clock.now();
    let created = api
        .store
        .create(NewResource {
            key: key(&caller.workspace, EnvironmentId::fresh(now).as_str()),
            body: environment.to_body(),
            unique_name: Some(environment.name),
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

/// Returns an environment.
pub(super) async fn get(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    Ok(Json(wire(&find(&api, &caller.workspace, &id).await?)))
}

/// Changes an environment.
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(&api, &caller.workspace, &id).await?;
        if stored.archived_at.is_some() {
            return Err(archived(&id));
        }
        let config = config_of(&stored)?;
        let changed = environment_config::update(&config, body.0.clone())?;
        if changed == config {
            return Ok(Json(wire(&stored)));
        }
        let change = ResourceChange {
            body: changed.to_body(),
            new_version: false,
            unique_name: Some(changed.name),
            status: stored.status.clone(),
            archived_at: None,
            at: api.clock.now(),
        };
        match api.store.update(&stored.key, stored.revision, change).await {
            Ok(updated) => return Ok(Json(wire(&updated))),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ENVIRONMENTS.too_busy())
}

/// Returns the environments of the workspace, newest first.
pub(super) async fn list(State(api): State<ApiState>, caller: Caller, query: Query) -> Answer {
    let always = TimeRange::default();
    ENVIRONMENTS.list(&api, caller, &query, always).await
}

/// Removes an environment. Sessions that run in it go on.
pub(super) async fn delete(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    let deleted = api.store.delete(&key(&caller.workspace, &id)).await;
    deleted.map_err(|error| ENVIRONMENTS.missing(error, &id))?;
    if let Err(error) = work::forget_environment(&api, &caller.workspace, &id).await {
        tracing::error!(environment = id, %error, "a deleted environment's work items could not be removed");
    }
    Ok(Json(json!({ "id": id, "type": "environment_deleted" })))
}

/// Archives an environment and frees its name; again changes nothing.
pub(super) async fn archive(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    ENVIRONMENTS
        .archive(&api, &key(&caller.workspace, &id))
        .await
}

/// Returns the wire form of an environment that a new session may use. Errors: 404 `environment_not_found`,
/// 400 `environment_archived`.
pub async fn live_environment(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
) -> Result<Value, ApiError> {
    let stored = find(api, workspace, id).await?;
    match stored.archived_at {
        Some(_) => Err(archived(id)),
        None => Ok(wire(&stored)),
    }
}

/// Returns the wire form of an environment that a session has already, archived or not; `None` if it was
/// deleted.
pub async fn wire_of_any(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
) -> Result<Option<Value>, ApiError> {
    match api.store.get(&key(workspace, id), None).await {
        Ok(stored) => Ok(Some(wire(&stored))),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns an environment, archived or not. Errors: 404 `environment_not_found`.
pub(super) async fn find(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
) -> Result<Resource, ApiError> {
    let found = api.store.get(&key(workspace, id), None).await;
    found.map_err(|error| ENVIRONMENTS.missing(error, id))
}

fn archived(id: &str) -> ApiError {
    ApiError::invalid(format!("the environment {id} is archived")).with_code("environment_archived")
}

fn config_of(stored: &Resource) -> Result<EnvironmentConfig, ApiError> {
    EnvironmentConfig::deserialize(&stored.body).map_err(|error| {
        let id = &stored.key.id;
        ApiError::internal(format!(
            "the stored environment {id} is unreadable: {error}"
        ))
    })
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::Environment,
        id: id.to_owned(),
    }
}

/// Returns the wire's `Environment`.
fn wire(stored: &Resource) -> Value {
    let mut environment = stored.body.clone();
    if let Some(environment) = environment.as_object_mut() {
        environment.insert("type".to_owned(), "environment".into());
        environment.insert("id".to_owned(), stored.key.id.clone().into());
        environment.insert("created_at".to_owned(), rfc3339(stored.created_at).into());
        environment.insert("updated_at".to_owned(), rfc3339(stored.updated_at).into());
        environment.insert(
            "archived_at".to_owned(),
            stored.archived_at.map(rfc3339).into(),
        );
    }
    environment
}
