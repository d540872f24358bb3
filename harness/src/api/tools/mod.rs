//! `/sinew/v1/tools`: registered components, whose functions agents have as tools.
//!
//! A tool has a name and versions, numbered from one; a version is one component, told apart by its digest and never
//! changed. A component is compiled and looked through before it is taken, in a process of its own. Agents name tools
//! in their block `sinew`; a session pins the versions when it begins.

mod resolve;
mod upload;
mod versions;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use sinew_runtime::COMPONENT_BYTES_MAX;

pub(in crate::api) use resolve::{check_tools, relink_tools, resolve_tools};

use crate::api::collection::{Answer, Collection, Selection, UPDATE_ATTEMPTS_MAX, labelled};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::rfc3339;
use crate::ids::{ToolId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{Key, Kind, Resource, StoreError, Write};

/// Largest upload in bytes: the component, its interfaces, and what a form puts around them.
const UPLOAD_BYTES_MAX: usize = COMPONENT_BYTES_MAX + (8 << 20);
/// The label by which a tool is found.
const NAME: &str = "name";

const TOOLS: Collection = Collection {
    kind: Kind::Tool,
    list: "tools",
    noun: "tool",
    wire,
    missing_code: None,
};

/// Returns the routes.
pub(super) fn routes() -> Router<ApiState> {
    let tools = get(list).post(versions::create);
    Router::new()
        .route(
            "/sinew/v1/tools",
            tools.layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX)),
        )
        .route("/sinew/v1/tools/{tool}", get(retrieve).delete(delete))
        .route("/sinew/v1/tools/{tool}/versions", get(versions::list))
        .route(
            "/sinew/v1/tools/{tool}/versions/{version}",
            get(versions::retrieve).delete(versions::delete),
        )
        .route(
            "/sinew/v1/tools/{tool}/versions/{version}/content",
            get(versions::content),
        )
}

/// Returns a tool, named by its id or its name.
async fn retrieve(State(api): State<ApiState>, caller: Caller, Path(tool): Path<String>) -> Answer {
    Ok(Json(wire(&find(&api, &caller.workspace, &tool).await?)))
}

/// Returns the workspace's tools, newest first.
async fn list(State(api): State<ApiState>, caller: Caller, query: Query) -> Answer {
    let selection = Selection::default();
    TOOLS.list_selected(&api, caller, &query, selection).await
}

/// Removes a tool with its versions. Calls of sessions that pinned one fail from then on, unless it is loaded already.
async fn delete(State(api): State<ApiState>, caller: Caller, Path(tool): Path<String>) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(&api, &caller.workspace, &tool).await?;
        let versions = versions::all(&api, &caller.workspace, &stored.key.id).await?;
        let id = stored.key.id.clone();
        let mut writes = vec![Write::Delete(stored.key)];
        let keys = versions.iter().map(|version| version.key.clone());
        writes.extend(keys.map(Write::Delete));
        match api.store.write(writes).await {
            Ok(_) => {
                for version in &versions {
                    versions::drop_content(&api, &version.key.id).await;
                }
                return Ok(Json(json!({ "id": id, "type": "tool_deleted" })));
            }
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(TOOLS.too_busy())
}

/// Returns a tool by its id or its name. Errors: 404 when there is none.
async fn find(api: &ApiState, workspace: &WorkspaceId, tool: &str) -> Result<Resource, ApiError> {
    if tool.starts_with(ToolId::PREFIX) {
        let found = api.store.get(&key(workspace, tool), None).await;
        match found {
            Err(StoreError::NotFound) => {}
            found => return found.map_err(|error| TOOLS.missing(error, tool)),
        }
    }
    let named = named(api, workspace, tool).await?;
    named.ok_or_else(|| TOOLS.missing(StoreError::NotFound, tool))
}

/// Returns the tool of a name, if there is one.
async fn named(
    api: &ApiState,
    workspace: &WorkspaceId,
    name: &str,
) -> Result<Option<Resource>, StoreError> {
    let labels = vec![(NAME.to_owned(), name.to_owned())];
    let found = labelled(api, workspace, Kind::Tool, labels, None, 1).await?;
    Ok(found.into_iter().next())
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::Tool,
        id: id.to_owned(),
    }
}

/// Returns `{id, type, name, latest_version, created_at, updated_at}`.
fn wire(stored: &Resource) -> Value {
    let mut tool = stored.body.clone();
    tool.set("type", json!("tool"));
    tool.set("id", json!(stored.key.id));
    tool.set("created_at", json!(rfc3339(stored.created_at)));
    tool.set("updated_at", json!(rfc3339(stored.updated_at)));
    tool
}
