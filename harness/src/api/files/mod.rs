//! `/v1/files`: contents that clients give to sessions, and that sessions give back.

mod list;
mod outputs;
mod record;
mod session_files;
mod sweep;
mod upload;
mod workers;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

pub use outputs::Collector;
pub(in crate::api) use record::{check_named, text_of_file};
pub(in crate::api) use session_files::{
    SessionCopy, copy_into, drop_copies, remove_copy, remove_of_session,
};
pub use sweep::Sweeper;
pub use workers::FileWorkers;

use crate::api::collection::{Answer, UPDATE_ATTEMPTS_MAX};
use crate::api::{ApiError, ApiState, Caller};
use crate::json::Fields as _;
use crate::store::{Resource, ResourceChange, StoreError};

/// Largest upload in bytes: a file and what a form puts around it.
const UPLOAD_BYTES_MAX: usize = record::FILE_BYTES_MAX as usize + (1 << 20);

/// Returns the routes.
pub(super) fn routes() -> Router<ApiState> {
    let files = get(list::list).post(upload::upload);
    Router::new()
        .route(
            "/v1/files",
            files.layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX)),
        )
        .route("/v1/files/{file_id}", get(retrieve).delete(delete))
        .route("/v1/files/{file_id}/content", get(content))
}

/// Returns what is known of a file.
async fn retrieve(State(api): State<ApiState>, caller: Caller, Path(id): Path<String>) -> Answer {
    let file = record::find(&api, &caller.workspace, &id).await?;
    Ok(Json(record::wire(&file)))
}

/// Sends a file's content. Errors: 404 when it has expired, 400 when it was uploaded, not made by a session.
async fn content(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let file = record::find_unexpired(&api, &caller.workspace, &id).await?;
    if *file.body.at("downloadable") != true {
        let message = format!("the file {id} was uploaded, so its content cannot be downloaded");
        return Err(ApiError::invalid(message).with_code("file_not_downloadable"));
    }
    let found = api.blobs.get(&id).await;
    let (bytes, content) = found.map_err(|error| record::content_missing(error, &id))?;
    let text = |name: &str| file.body.at(name).as_str().unwrap_or_default();
    let mime_type = HeaderValue::from_str(text("mime_type"))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [
        (header::CONTENT_TYPE, mime_type),
        (header::CONTENT_LENGTH, bytes.into()),
        (header::CONTENT_DISPOSITION, attachment(text("filename"))),
        // Whatever an agent wrote must not become a page of this server.
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    Ok((headers, Body::from_stream(content)).into_response())
}

/// Returns the header that makes a browser save a content under its name.
fn attachment(name: &str) -> HeaderValue {
    let encoded = name.bytes().fold(String::new(), |mut text, byte| {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
        text
    });
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{encoded}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// Removes a file. What sessions copied of it stays theirs.
async fn delete(State(api): State<ApiState>, caller: Caller, Path(id): Path<String>) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let file = record::find(&api, &caller.workspace, &id).await?;
        match forget(&api, &file).await {
            Ok(()) => return Ok(Json(json!({ "id": id, "type": "file_deleted" }))),
            Err(StoreError::RevisionConflict { .. } | StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::conflict(
        "the file is changed by others all the time",
        true,
    ))
}

async fn forget(api: &ApiState, file: &Resource) -> Result<(), StoreError> {
    if *file.body.at(record::OUTPUT) == Value::Null {
        api.store.delete(&file.key).await?;
    } else {
        // The session still has it: what is kept says that it was taken away already.
        let now = api.clock.now();
        let change = ResourceChange {
            body: file.body.clone(),
            new_version: false,
            unique_name: None,
            status: None,
            archived_at: Some(now),
            at: now,
        };
        api.store.update(&file.key, file.revision, change).await?;
    }
    record::drop_content(&api.blobs, &file.key.id).await;
    Ok(())
}
