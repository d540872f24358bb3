//! `/v1/sessions/{id}/resources`.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::read::{occupy, read_file, read_update};
use super::{FILES_MAX, Wanted, check_environment, mount_file};
use crate::api::body::{Invalid, JsonBody};
use crate::api::environments::wire_of_any;
use crate::api::files::{SessionCopy, drop_copies, remove_copy};
use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::api::sessions::{APPEND_ATTEMPTS_MAX, SessionState, id_of, last_of, private, too_busy};
use crate::api::{ApiError, Caller};
use crate::archive::Paths;
use crate::clock::Timestamp;
use crate::ids::ThreadId;
use crate::json::Fields as _;
use crate::session::{
    Draft, EventKind, PROJECTION_PRIVATE, Speaker, add_resource, remove_resource,
};
use crate::store::{Append, Order, Projection, Resource, StoreError};

type Answer = Result<Json<Value>, ApiError>;

/// Largest page.
const LIMIT_MAX: usize = 1_000;

/// Lists a session's mounted resources, oldest first; all of them if no limit is given.
pub(in crate::api::sessions) async fn list(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    query: Query,
) -> Answer {
    let row = state.row(&caller, &session_id).await?;
    let limit = query.limit(LIMIT_MAX, LIMIT_MAX)?;
    let (list, order) = (format!("resources/{session_id}"), Order::Ascending);
    let start = match page::cursor(&query, &list, order)?.map(|cursor| cursor.position) {
        None => 0,
        Some(Position::Created(at, id)) => start_behind(resources(&row), at, &id),
        Some(_) => {
            return Err(Invalid::at("page", "the cursor is malformed or expired").into());
        }
    };
    let data: Vec<Value> = resources(&row)
        .iter()
        .skip(start)
        .take(limit)
        .cloned()
        .collect();
    let is_more = resources(&row).len() > start + data.len();
    let next = data.last().filter(|_| is_more).and_then(|last| {
        let at = created_at(last)?;
        let position = Position::Created(at, id_of_resource(last).to_owned());
        Some(Cursor::next(&list, order, position))
    });
    Ok(Json(page::cursor_page(data, next)))
}

/// Returns one of a session's resources.
pub(in crate::api::sessions) async fn retrieve(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, resource_id)): Path<(String, String)>,
) -> Answer {
    let row = state.row(&caller, &session_id).await?;
    find(&row, &resource_id).map(|found| Json(found.clone()))
}

/// Would give a repository another token; no other resource can be changed.
pub(in crate::api::sessions) async fn update(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, resource_id)): Path<(String, String)>,
    JsonBody(fields): JsonBody,
) -> Answer {
    let row = state.row(&caller, &session_id).await?;
    find(&row, &resource_id)?;
    read_update(fields)?;
    Err(ApiError::invalid(
        "only a github_repository has a token that can be changed",
    ))
}

/// Mounts a file into a living session; it is there before the next tool call.
pub(in crate::api::sessions) async fn add(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    fields.required("type")?.one_of(&["file"])?;
    let file = read_file(fields)?;
    let row = state.row(&caller, &session_id).await?;
    let environment_id = row.body.at("environment_id").as_str().unwrap_or_default();
    if let Some(environment) = wire_of_any(&state.api, &caller.workspace, environment_id).await? {
        check_environment(&environment, &[Wanted::File(file.clone())])?;
    }
    let now = state.api.clock.now();
    let (resource, copy) =
        mount_file(&state.api, &caller.workspace, &id_of(&row), &file, now).await?;
    let copy_id = copy.id.clone();
    let added = add_copy(&state, &caller, &session_id, resource, copy).await;
    if added.is_err() {
        let key = &caller.workspace;
        if remove_copy(&state.api, key, copy_id.as_str())
            .await
            .is_err()
        {
            drop_copies(&state.api.blobs, [copy_id]).await;
        }
    }
    added
}

async fn add_copy(
    state: &SessionState,
    caller: &Caller,
    session_id: &str,
    resource: Value,
    copy: SessionCopy,
) -> Answer {
    state.api.store.create(copy.record).await?;
    for _ in 0..APPEND_ATTEMPTS_MAX {
        let row = state.row(caller, session_id).await?;
        check_room(&row, &resource)?;
        let mut body = row.body.clone();
        add_resource(&mut body, resource.clone());
        let now = state.time_in(&row);
        let append = append(&row, EventKind::ResourceAdded, resource.clone(), body, now);
        match state.api.store.append(append).await {
            Ok(_) => return Ok(Json(resource)),
            Err(StoreError::LogMoved { .. }) => {}
            Err(StoreError::NotFound) => return Err(ApiError::not_found("session", session_id)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_busy())
}

/// Refuses a file for which a session has no room.
fn check_room(row: &Resource, resource: &Value) -> Result<(), ApiError> {
    refuse_archived(row)?;
    let mut paths = Paths::default();
    let mut files = 0;
    for other in resources(row) {
        if *other.at("type") == "file" {
            files += 1;
            // Those that are there were checked.
            let _ = occupy(&mut paths, mount_path(other));
        }
    }
    if files >= FILES_MAX {
        let message = format!("the session has {FILES_MAX} files, more cannot be mounted");
        return Err(ApiError::invalid(message));
    }
    occupy(&mut paths, mount_path(resource)).map_err(ApiError::invalid)
}

/// Takes a file from a session.
pub(in crate::api::sessions) async fn remove(
    State(state): State<SessionState>,
    caller: Caller,
    Path((session_id, resource_id)): Path<(String, String)>,
) -> Answer {
    for _ in 0..APPEND_ATTEMPTS_MAX {
        let row = state.row(&caller, &session_id).await?;
        let resource = find(&row, &resource_id)?;
        if *resource.at("type") != "file" {
            let message =
                "only files can be removed; other resources stay for the life of the session";
            return Err(ApiError::invalid(message));
        }
        refuse_archived(&row)?;
        let file_id = resource
            .at("file_id")
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mut body = row.body.clone();
        remove_resource(&mut body, &resource_id);
        let told = json!({"resource_id": resource_id});
        let now = state.time_in(&row);
        let append = append(&row, EventKind::ResourceRemoved, told, body, now);
        match state.api.store.append(append).await {
            Ok(_) => {
                remove_copy(&state.api, &caller.workspace, &file_id).await?;
                let answer = json!({"id": resource_id, "type": "session_resource_deleted"});
                return Ok(Json(answer));
            }
            Err(StoreError::LogMoved { .. }) => {}
            Err(StoreError::NotFound) => return Err(ApiError::not_found("session", &session_id)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_busy())
}

fn append(row: &Resource, kind: EventKind, told: Value, mut body: Value, now: Timestamp) -> Append {
    let thread_id = private(row).at("thread_id").as_str().unwrap_or_default();
    let mut draft = Draft::new(
        now,
        Speaker::primary(ThreadId::from_text(thread_id), String::new()),
    );
    draft.session(kind, told);
    let events = draft.into_events();
    body.at_mut(PROJECTION_PRIVATE)
        .set("last", json!(last_of(row) + events.len() as u64));
    Append {
        session_id: id_of(row),
        expected: last_of(row),
        lease: None,
        events,
        projection: Some(Projection {
            body,
            status: row.status.clone().unwrap_or_default(),
            archived_at: row.archived_at,
            needs_wake: *private(row).at("needs_wake") == true,
        }),
        files: None,
    }
}

fn refuse_archived(row: &Resource) -> Result<(), ApiError> {
    match row.archived_at {
        None => Ok(()),
        Some(_) => Err(ApiError::invalid(
            "the session is archived and cannot be changed",
        )),
    }
}

fn resources(row: &Resource) -> &[Value] {
    let list = row.body.at("resources").as_array();
    list.map_or(&[], Vec::as_slice)
}

fn find<'a>(row: &'a Resource, id: &str) -> Result<&'a Value, ApiError> {
    let found = resources(row).iter().find(|one| *one.at("id") == *id);
    found.ok_or_else(|| ApiError::not_found("resource", id))
}

fn mount_path(resource: &Value) -> &str {
    resource.at("mount_path").as_str().unwrap_or_default()
}

/// The wire gives memory stores no id of their own.
fn id_of_resource(resource: &Value) -> &str {
    let id = resource.at("id").as_str();
    id.or_else(|| resource.at("memory_store_id").as_str())
        .unwrap_or_default()
}

fn created_at(resource: &Value) -> Option<Timestamp> {
    match resource.at("created_at").as_str() {
        Some(at) => at.parse().ok(),
        None => Some(Timestamp::UNIX_EPOCH),
    }
}

/// Returns where the list goes on behind the resource `id`, which may be gone.
fn start_behind(list: &[Value], at: Timestamp, id: &str) -> usize {
    if let Some(index) = list.iter().position(|one| id_of_resource(one) == id) {
        return index + 1;
    }
    let is_later = |one: &Value| created_at(one).is_some_and(|other| other > at);
    list.iter().position(is_later).unwrap_or(list.len())
}
