//! `/v1/skills/{id}/versions`.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::bundle::Bundle;
use super::{LIMIT_MAX, SKILLS, find, upload};
use crate::api::body::Invalid;
use crate::api::collection::{Answer, LIMIT_DEFAULT, UPDATE_ATTEMPTS_MAX, all_labelled, labelled};
use crate::api::error::quoted;
use crate::api::multipart::Parts;
use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::archive;
use crate::blobs::BlobError;
use crate::clock::{Timestamp, rfc3339};
use crate::ids::{SkillVersionId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{
    Key, Kind, NewResource, Order, Resource, ResourceChange, StoreError, TimeRange, Write,
};

/// The label by which a skill's versions are found.
const SKILL: &str = "skill_id";
/// The name of the newest version.
pub(super) const LATEST: &str = "latest";

/// Stores a version's files, and returns its record, which is still to be written. Whoever does not write it
/// calls [`drop_content`].
pub(super) async fn store(
    api: &ApiState,
    workspace: &WorkspaceId,
    skill_id: &str,
    id: &SkillVersionId,
    bundle: Bundle,
) -> Result<NewResource, ApiError> {
    let entries = bundle.entries;
    let packed = tokio::task::spawn_blocking(move || archive::pack(&entries)).await;
    let zip = packed
        .map_err(ApiError::internal)?
        .map_err(ApiError::internal)?;
    api.blobs.put_bytes(id.as_str(), zip.into()).await?;
    Ok(NewResource {
        key: key(workspace, id.as_str()),
        body: json!({
            "skill_id": skill_id,
            "name": bundle.name,
            "description": bundle.description,
        }),
        unique_name: None,
        status: None,
        labels: labels(skill_id),
        at: api.clock.now(),
        events: Vec::new(),
        needs_wake: false,
        history: None,
    })
}

/// Removes files of a version that has no record any more; what cannot be removed now goes at the next start.
pub(super) async fn drop_content(api: &ApiState, id: &str) {
    if let Err(error) = api.blobs.delete(id).await {
        tracing::warn!(version = id, %error, "a skill's files could not be removed");
    }
}

/// Adds a version, which becomes the newest.
pub(super) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    Path(skill_id): Path<String>,
    parts: Parts,
) -> Answer {
    let bundle = upload::read(parts, false).await?.bundle;
    let skill = find(&api, &caller.workspace, &skill_id).await?;
    let name = skill.body.at("_name");
    if *name != *bundle.name {
        let message = format!(
            "SKILL.md: name: every version of this skill is named {name}, got {}",
            quoted(&bundle.name)
        );
        return Err(Invalid::at("files[]", message).into());
    }
    let id = SkillVersionId::fresh(api.clock.now());
    let version = store(&api, &caller.workspace, &skill_id, &id, bundle).await?;
    let created = record(&api, &caller, &skill_id, &id, version).await;
    if created.is_err() {
        drop_content(&api, id.as_str()).await;
    }
    created
}

async fn record(
    api: &ApiState,
    caller: &Caller,
    skill_id: &str,
    id: &SkillVersionId,
    version: NewResource,
) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let skill = find(api, &caller.workspace, skill_id).await?;
        let writes = vec![
            with_latest(&skill, id.as_str(), version.at),
            Write::Create(version.clone()),
        ];
        match api.store.write(writes).await {
            Ok(stored) => {
                return match stored.into_iter().next_back().flatten() {
                    Some(version) => Ok(Json(wire(&version))),
                    None => Err(ApiError::internal("the store answered without the version")),
                };
            }
            Err(StoreError::RevisionConflict { .. } | StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SKILLS.too_busy())
}

fn with_latest(skill: &Resource, id: &str, at: Timestamp) -> Write {
    let mut body = skill.body.clone();
    body.set("latest_version_id", json!(id));
    Write::Update {
        key: skill.key.clone(),
        revision: skill.revision,
        change: ResourceChange {
            body,
            new_version: false,
            unique_name: None,
            status: None,
            archived_at: None,
            at,
        },
    }
}

/// Returns a version; `latest` is the newest.
pub(super) async fn retrieve(
    State(api): State<ApiState>,
    caller: Caller,
    Path((skill_id, version)): Path<(String, String)>,
) -> Answer {
    let (_, version) = find_version(&api, &caller.workspace, &skill_id, &version).await?;
    Ok(Json(wire(&version)))
}

/// Returns a skill's versions, newest first.
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    Path(skill_id): Path<String>,
    query: Query,
) -> Answer {
    find(&api, &caller.workspace, &skill_id).await?;
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let (list, order) = (format!("skill_versions/{skill_id}"), Order::Descending);
    let after = page::created_cursor(&query, &list, order, &TimeRange::default())?;
    let fetch = page::rows_to_fetch(limit);
    let mut rows = of_skill(&api, &caller.workspace, &skill_id, after, fetch).await?;
    let is_more = page::cut(&mut rows, limit);
    let next = rows.last().filter(|_| is_more).map(|last| {
        let position = Position::Created(last.created_at, last.key.id.clone());
        Cursor::next(&list, order, position)
    });
    let data = rows.iter().map(wire).collect();
    Ok(Json(page::cursor_page(data, next)))
}

/// Removes a version. The last one goes only with its skill.
pub(super) async fn delete(
    State(api): State<ApiState>,
    caller: Caller,
    Path((skill_id, version)): Path<(String, String)>,
) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let workspace = &caller.workspace;
        let (skill, version) = find_version(&api, workspace, &skill_id, &version).await?;
        let newest = of_skill(&api, workspace, &skill_id, None, 2).await?;
        let left = newest.iter().find(|other| other.key != version.key);
        let Some(left) = left else {
            return Err(ApiError::invalid(
                "this is the skill's only version; delete the skill instead",
            ));
        };
        // Also where the newest stays: so two deletions at once cannot take the last two.
        let writes = vec![
            with_latest(&skill, &left.key.id, api.clock.now()),
            Write::Delete(version.key.clone()),
        ];
        match api.store.write(writes).await {
            Ok(_) => {
                let id = version.key.id;
                drop_content(&api, &id).await;
                return Ok(Json(json!({ "id": id, "type": "skill_version_deleted" })));
            }
            Err(StoreError::RevisionConflict { .. } | StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SKILLS.too_busy())
}

/// Sends a version's files as a zip archive.
pub(super) async fn content(
    State(api): State<ApiState>,
    caller: Caller,
    Path((skill_id, version)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (_, version) = find_version(&api, &caller.workspace, &skill_id, &version).await?;
    let found = api.blobs.get(&version.key.id).await;
    let (bytes, zip) = found.map_err(|error| match error {
        BlobError::NotFound => missing(&skill_id, &version.key.id),
        error => error.into(),
    })?;
    let name = version.body.at("name").as_str().unwrap_or_default();
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/zip"),
        ),
        (header::CONTENT_LENGTH, bytes.into()),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&format!("attachment; filename=\"{name}.zip\""))
                .unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    Ok((headers, Body::from_stream(zip)).into_response())
}

/// Returns a version with its skill. Errors: 404 when either is not there.
pub(super) async fn find_version(
    api: &ApiState,
    workspace: &WorkspaceId,
    skill_id: &str,
    version: &str,
) -> Result<(Resource, Resource), ApiError> {
    let skill = find(api, workspace, skill_id).await?;
    let id = match version {
        LATEST => skill
            .body
            .at("latest_version_id")
            .as_str()
            .unwrap_or(LATEST),
        id => id,
    };
    match api.store.get(&key(workspace, id), None).await {
        Ok(found) if *found.body.at("skill_id") == *skill_id => Ok((skill, found)),
        Ok(_) | Err(StoreError::NotFound) => Err(missing(skill_id, version)),
        Err(error) => Err(error.into()),
    }
}

fn missing(skill_id: &str, version: &str) -> ApiError {
    ApiError::not_found(&format!("version {} of skill", quoted(version)), skill_id)
}

/// Returns all versions of a skill.
pub(super) async fn all(
    api: &ApiState,
    workspace: &WorkspaceId,
    skill_id: &str,
) -> Result<Vec<Resource>, StoreError> {
    all_labelled(api, workspace, Kind::SkillVersion, labels(skill_id)).await
}

async fn of_skill(
    api: &ApiState,
    workspace: &WorkspaceId,
    skill_id: &str,
    after: Option<(Timestamp, String)>,
    limit: usize,
) -> Result<Vec<Resource>, StoreError> {
    let labels = labels(skill_id);
    labelled(api, workspace, Kind::SkillVersion, labels, after, limit).await
}

fn labels(skill_id: &str) -> Vec<(String, String)> {
    vec![(SKILL.to_owned(), skill_id.to_owned())]
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::SkillVersion,
        id: id.to_owned(),
    }
}

/// Returns the wire's `SkillVersion`.
fn wire(stored: &Resource) -> Value {
    let mut version = stored.body.clone();
    version.set("type", json!("skill_version"));
    version.set("id", json!(stored.key.id));
    version.set("created_at", json!(rfc3339(stored.created_at)));
    version
}
