//! Memories of a store: making, reading, changing and removing one.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{failed, home, is_full};
use crate::api::body::{Field, Invalid, JsonBody};
use crate::api::collection::Answer;
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::rfc3339;
use crate::memory::{MemoryError, MemoryHome, MemoryRow};

/// Length of a SHA-256 in hexadecimal.
const SHA256_CHARACTERS: usize = 64;

/// Makes a memory. Errors: 409 `memory_path_conflict_error` when the path, or one above or below it, is a memory.
pub(super) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    Path(store_id): Path<String>,
    query: Query,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let is_full = is_full(&query, true)?;
    let path = fields.required("path")?.string()?;
    let content = match fields.take("content") {
        Field::Absent => {
            return Err(Invalid::at("content", "this field is required").into());
        }
        Field::Null => String::new(),
        Field::Given(spot) => spot.string()?,
    };
    fields.finish()?;
    let home = home(&api, &caller, &store_id);
    let created = home.create(&path, &content).await;
    let created = created.map_err(|error| failed(error, &store_id, ""))?;
    shown(&home, &store_id, created, is_full).await
}

/// Returns a memory.
pub(super) async fn get(
    State(api): State<ApiState>,
    caller: Caller,
    Path((store_id, id)): Path<(String, String)>,
    query: Query,
) -> Answer {
    let is_full = is_full(&query, true)?;
    let home = home(&api, &caller, &store_id);
    let found = match home.row().await {
        Ok(_) => home.memory(&id).await,
        Err(error) => Err(error),
    };
    let found = found.map_err(|error| failed(error, &store_id, &id))?;
    shown(&home, &store_id, found, is_full).await
}

/// Changes a memory's content, path or both. Errors: 409 for a failed precondition, unless the memory already is
/// what the request asks for.
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    Path((store_id, id)): Path<(String, String)>,
    query: Query,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let is_full = is_full(&query, true)?;
    let text = |field: Field| field.given().map(|spot| spot.string()).transpose();
    let content = text(fields.take("content"))?;
    let path = text(fields.take("path"))?;
    let mut expected = None;
    if let Some(spot) = fields.take("precondition").given() {
        let (tag, mut precondition) = spot.tagged()?;
        tag.one_of(&["content_sha256"])?;
        if let Some(spot) = precondition.take("content_sha256").given() {
            let at = spot.path.clone();
            expected = Some(spot.string()?);
            check_sha256(&at, expected.as_deref())?;
        }
        precondition.finish()?;
    }
    fields.finish()?;
    let home = home(&api, &caller, &store_id);
    let updated = home
        .update(
            &id,
            content.as_deref(),
            path.as_deref(),
            expected.as_deref(),
        )
        .await;
    let updated = updated.map_err(|error| failed(error, &store_id, &id))?;
    shown(&home, &store_id, updated, is_full).await
}

/// Removes a memory; its versions stay.
pub(super) async fn delete(
    State(api): State<ApiState>,
    caller: Caller,
    Path((store_id, id)): Path<(String, String)>,
    query: Query,
) -> Answer {
    let expected = query.text("expected_content_sha256")?;
    check_sha256("expected_content_sha256", expected)?;
    let home = home(&api, &caller, &store_id);
    let deleted = home.delete(&id, expected).await;
    deleted.map_err(|error| failed(error, &store_id, &id))?;
    Ok(Json(json!({"id": id, "type": "memory_deleted"})))
}

fn check_sha256(path: &str, text: Option<&str>) -> Result<(), Invalid> {
    let is_hash = |text: &str| {
        text.len() == SHA256_CHARACTERS
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    match text {
        Some(text) if !is_hash(text) => Err(Invalid::at(
            path,
            "expected a SHA-256 in lower-case hexadecimal",
        )),
        _ => Ok(()),
    }
}

async fn shown(home: &MemoryHome<'_>, store_id: &str, row: MemoryRow, is_full: bool) -> Answer {
    let content = if is_full {
        Some(content(home, store_id, &row).await?)
    } else {
        None
    };
    Ok(Json(wire(store_id, &row, content)))
}

/// Returns a memory's content.
pub(super) async fn content(
    home: &MemoryHome<'_>,
    store_id: &str,
    row: &MemoryRow,
) -> Result<String, ApiError> {
    let content = home.content(&row.version_id).await;
    let content = content.map_err(|error| failed(error, store_id, &row.id))?;
    // Changed since its row was read, and the old content redacted at once: as good as gone.
    content.ok_or_else(|| failed(MemoryError::NoMemory, store_id, &row.id))
}

/// Returns the wire's `Memory`.
pub(super) fn wire(store_id: &str, row: &MemoryRow, content: Option<String>) -> Value {
    json!({
        "id": row.id,
        "type": "memory",
        "memory_store_id": store_id,
        "memory_version_id": row.version_id,
        "path": row.path,
        "content": content,
        "content_sha256": row.sha256,
        "content_size_bytes": row.size,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    })
}
