//! Versions of a tool: taken, listed, sent back, removed.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sinew_runtime::{CompileError, LoadError};

use super::upload::{self, Upload};
use super::{NAME, TOOLS, find, key as tool_key, named};
use crate::api::body::Invalid;
use crate::api::collection::{
    Answer, LIMIT_DEFAULT, LIMIT_MAX, UPDATE_ATTEMPTS_MAX, all_labelled, labelled,
};
use crate::api::error::quoted;
use crate::api::multipart::Parts;
use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::blobs::{BlobError, sha256};
use crate::clock::{Timestamp, rfc3339};
use crate::hands::{ExamineError, Examined};
use crate::ids::{ToolId, ToolVersionId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{
    Key, Kind, NewResource, Order, Resource, ResourceChange, StoreError, TimeRange, Write,
};

/// The labels by which versions are found.
const TOOL: &str = "tool_id";
const NUMBER: &str = "number";
const DIGEST: &str = "digest";
/// The name of the newest version.
const LATEST: &str = "latest";
/// Most functions whose names are said in a refusal.
const REFUSED_SHOWN_MAX: usize = 10;

/// Takes a component: the first version of a new tool, or the next one of a tool of that name. What equals the newest
/// version makes none.
pub(super) async fn create(State(api): State<ApiState>, caller: Caller, parts: Parts) -> Answer {
    let Some(components) = api.components.clone() else {
        return Err(ApiError::invalid("this server runs no components"));
    };
    let Upload { name, wasm, wit } = upload::read(parts).await?;
    let examined = components
        .examine(&name, wasm, wit)
        .await
        .map_err(refused)?;
    if examined.definitions.is_empty() {
        return Err(Invalid::at("component", no_tool(&examined)).into());
    }
    let now = api.clock.now();
    let id = ToolVersionId::fresh(now);
    api.blobs
        .put_bytes(id.as_str(), examined.wasm.clone())
        .await?;
    let taken = record(&api, &caller.workspace, &name, &id, &examined, now).await;
    if !matches!(&taken, Ok(version) if version.key.id == id.as_str()) {
        drop_content(&api, id.as_str()).await;
    }
    Ok(Json(wire(&taken?)))
}

/// Writes the record of a version; returns the newest one instead if that has the same component.
async fn record(
    api: &ApiState,
    workspace: &WorkspaceId,
    name: &str,
    id: &ToolVersionId,
    examined: &Examined,
    now: Timestamp,
) -> Result<Resource, ApiError> {
    let digest = format!("sha256:{}", sha256(&examined.wasm));
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let tool = named(api, workspace, name).await?;
        let (tool_id, number, write) = match tool {
            Some(tool) => {
                let newest = number_of(&tool);
                let same = find_numbered(api, workspace, &tool.key.id, newest).await?;
                if let Some(same) = same.filter(|same| *same.body.at("digest") == *digest) {
                    return Ok(same);
                }
                let number = newest.saturating_add(1);
                (tool.key.id.clone(), number, with_latest(&tool, number, now))
            }
            None => {
                let tool_id = ToolId::fresh(now).as_str().to_owned();
                let tool = Write::Create(NewResource {
                    key: tool_key(workspace, &tool_id),
                    body: json!({"name": name, "latest_version": 1}),
                    unique_name: Some(name.to_owned()),
                    status: None,
                    labels: vec![(NAME.to_owned(), name.to_owned())],
                    at: now,
                    events: Vec::new(),
                    needs_wake: false,
                    history: None,
                });
                (tool_id, 1, tool)
            }
        };
        let version = NewResource {
            key: key(workspace, id.as_str()),
            body: body(&tool_id, name, number, &digest, examined),
            unique_name: None,
            status: None,
            labels: vec![
                (TOOL.to_owned(), tool_id),
                (NUMBER.to_owned(), number.to_string()),
                (DIGEST.to_owned(), digest.clone()),
            ],
            at: now,
            events: Vec::new(),
            needs_wake: false,
            history: None,
        };
        match api.store.write(vec![write, Write::Create(version)]).await {
            Ok(stored) => {
                let version = stored.into_iter().next_back().flatten();
                let missing = || ApiError::internal("the store answered without the version");
                return version.ok_or_else(missing);
            }
            // Somebody else registered or changed the tool meanwhile.
            Err(
                StoreError::RevisionConflict { .. }
                | StoreError::NotFound
                | StoreError::NameTaken(_),
            ) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(TOOLS.too_busy())
}

fn body(tool_id: &str, name: &str, number: u64, digest: &str, examined: &Examined) -> Value {
    let definitions = examined.definitions.iter().map(|tool| {
        json!({"name": tool.name, "description": tool.description, "input_schema": tool.input_schema})
    });
    let refused = examined.tools.refused.iter();
    let refused =
        refused.map(|one| json!({"export": one.export.to_string(), "reason": one.reason}));
    let capabilities = examined.tools.capabilities.iter();
    json!({
        "tool_id": tool_id,
        "name": name,
        "version": number,
        "digest": digest,
        "size_bytes": examined.wasm.len(),
        "tools": definitions.collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
        "capabilities": capabilities.map(|one| one.words.as_str()).collect::<Vec<_>>(),
    })
}

fn no_tool(examined: &Examined) -> String {
    let refused = examined.tools.refused.iter().take(REFUSED_SHOWN_MAX);
    let refused: Vec<String> = refused
        .map(|one| format!("{}: {}", one.export, one.reason))
        .collect();
    match refused.is_empty() {
        true => "the component exports no function that can be a tool".to_owned(),
        false => format!(
            "none of the component's functions can be a tool: {}",
            refused.join("; ")
        ),
    }
}

/// Returns what a component that was not taken means.
fn refused(error: ExamineError) -> ApiError {
    match error {
        ExamineError::Load(
            LoadError::Compile(CompileError::CompilerFailed(_)) | LoadError::Storage { .. },
        )
        | ExamineError::Host(_) => ApiError::internal(error),
        ExamineError::Load(LoadError::Docs(error)) => Invalid::at("wit", error.to_string()).into(),
        ExamineError::Load(error) => Invalid::at("component", error.to_string()).into(),
        ExamineError::Tools(error) => Invalid::at("component", error.to_string()).into(),
    }
}

fn with_latest(tool: &Resource, number: u64, at: Timestamp) -> Write {
    let mut body = tool.body.clone();
    body.set("latest_version", json!(number));
    Write::Update {
        key: tool.key.clone(),
        revision: tool.revision,
        change: ResourceChange {
            unique_name: body.at("name").as_str().map(str::to_owned),
            body,
            new_version: false,
            status: None,
            archived_at: None,
            at,
        },
    }
}

/// Returns a version: `latest`, a number, or a digest.
pub(super) async fn retrieve(
    State(api): State<ApiState>,
    caller: Caller,
    Path((tool, version)): Path<(String, String)>,
) -> Answer {
    let tool = find(&api, &caller.workspace, &tool).await?;
    let version = find_version(&api, &caller.workspace, &tool, &version).await?;
    Ok(Json(wire(&version)))
}

/// Returns a tool's versions, newest first.
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    Path(tool): Path<String>,
    query: Query,
) -> Answer {
    let tool_id = find(&api, &caller.workspace, &tool).await?.key.id;
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let (list, order) = (format!("tool_versions/{tool_id}"), Order::Descending);
    let after = page::created_cursor(&query, &list, order, &TimeRange::default())?;
    let fetch = page::rows_to_fetch(limit);
    let mut rows = of_tool(&api, &caller.workspace, &tool_id, None, after, fetch).await?;
    let is_more = page::cut(&mut rows, limit);
    let next = rows.last().filter(|_| is_more).map(|last| {
        let position = Position::Created(last.created_at, last.key.id.clone());
        Cursor::next(&list, order, position)
    });
    let data = rows.iter().map(wire).collect();
    Ok(Json(page::cursor_page(data, next)))
}

/// Removes a version that is not the newest: that one goes only with its tool.
pub(super) async fn delete(
    State(api): State<ApiState>,
    caller: Caller,
    Path((tool, version)): Path<(String, String)>,
) -> Answer {
    let tool = find(&api, &caller.workspace, &tool).await?;
    let version = find_version(&api, &caller.workspace, &tool, &version).await?;
    if *version.body.at("version") == number_of(&tool) {
        return Err(ApiError::invalid(
            "this is the tool's newest version; register another one first, or delete the tool",
        ));
    }
    let id = version.key.id.clone();
    match api.store.write(vec![Write::Delete(version.key)]).await {
        Ok(_) | Err(StoreError::NotFound) => {
            drop_content(&api, &id).await;
            Ok(Json(json!({ "id": id, "type": "tool_version_deleted" })))
        }
        Err(error) => Err(error.into()),
    }
}

/// Sends a version's component.
pub(super) async fn content(
    State(api): State<ApiState>,
    caller: Caller,
    Path((tool, version)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let tool = find(&api, &caller.workspace, &tool).await?;
    let found = find_version(&api, &caller.workspace, &tool, &version).await?;
    let (bytes, wasm) = api
        .blobs
        .get(&found.key.id)
        .await
        .map_err(|error| match error {
            BlobError::NotFound => missing(&tool, &version),
            error => error.into(),
        })?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/wasm"),
        ),
        (header::CONTENT_LENGTH, bytes.into()),
    ];
    Ok((headers, Body::from_stream(wasm)).into_response())
}

/// Returns a version of a tool: `latest`, a number, or a digest. Errors: 404 when it is not there.
pub(super) async fn find_version(
    api: &ApiState,
    workspace: &WorkspaceId,
    tool: &Resource,
    version: &str,
) -> Result<Resource, ApiError> {
    let (label, value) = match version {
        LATEST => (NUMBER, number_of(tool).to_string()),
        digest if digest.starts_with("sha256:") => (DIGEST, digest.to_ascii_lowercase()),
        number => (NUMBER, number.to_owned()),
    };
    let id = &tool.key.id;
    let found = of_tool(api, workspace, id, Some((label, value)), None, 1).await?;
    let found = found.into_iter().next();
    found.ok_or_else(|| missing(tool, version))
}

async fn find_numbered(
    api: &ApiState,
    workspace: &WorkspaceId,
    tool_id: &str,
    number: u64,
) -> Result<Option<Resource>, StoreError> {
    let label = Some((NUMBER, number.to_string()));
    let found = of_tool(api, workspace, tool_id, label, None, 1).await?;
    Ok(found.into_iter().next())
}

fn missing(tool: &Resource, version: &str) -> ApiError {
    let name = tool.body.at("name").as_str().unwrap_or_default();
    ApiError::not_found(&format!("version {} of tool", quoted(version)), name)
}

fn number_of(tool: &Resource) -> u64 {
    tool.body.at("latest_version").as_u64().unwrap_or(0)
}

/// Removes a component that has no record any more; what cannot be removed now goes at the next start.
pub(super) async fn drop_content(api: &ApiState, id: &str) {
    if let Err(error) = api.blobs.delete(id).await {
        tracing::warn!(version = id, %error, "a tool's component could not be removed");
    }
}

/// Returns all versions of a tool.
pub(super) async fn all(
    api: &ApiState,
    workspace: &WorkspaceId,
    tool_id: &str,
) -> Result<Vec<Resource>, StoreError> {
    all_labelled(api, workspace, Kind::ToolVersion, labels(tool_id, None)).await
}

async fn of_tool(
    api: &ApiState,
    workspace: &WorkspaceId,
    tool_id: &str,
    label: Option<(&str, String)>,
    after: Option<(Timestamp, String)>,
    limit: usize,
) -> Result<Vec<Resource>, StoreError> {
    let labels = labels(tool_id, label);
    labelled(api, workspace, Kind::ToolVersion, labels, after, limit).await
}

fn labels(tool_id: &str, label: Option<(&str, String)>) -> Vec<(String, String)> {
    let own = (TOOL.to_owned(), tool_id.to_owned());
    let label = label.map(|(name, value)| (name.to_owned(), value));
    std::iter::once(own).chain(label).collect()
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::ToolVersion,
        id: id.to_owned(),
    }
}

/// Returns what is stored, with `id`, `type` and `created_at`.
fn wire(stored: &Resource) -> Value {
    let mut version = stored.body.clone();
    version.set("type", json!("tool_version"));
    version.set("id", json!(stored.key.id));
    version.set("created_at", json!(rfc3339(stored.created_at)));
    version
}
