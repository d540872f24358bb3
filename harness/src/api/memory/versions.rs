//! Versions of memories.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{failed, home, is_full, page_limit};
use crate::api::collection::Answer;
use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::api::{ApiState, Caller};
use crate::clock::rfc3339;
use crate::json::Fields as _;
use crate::memory::STORE_LABEL;
use crate::store::{Kind, Order, Resource, ResourceQuery};

/// Returns the store's versions, newest first.
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    Path(store_id): Path<String>,
    query: Query,
) -> Answer {
    let is_full = is_full(&query, false)?;
    let limit = page_limit(&query, is_full)?;
    let created_at = query.time_range("created_at")?;
    let mut labels = vec![(STORE_LABEL.to_owned(), store_id.clone())];
    for name in [
        "memory_id",
        "session_id",
        "api_key_id",
        "service_account_id",
    ] {
        if let Some(value) = query.text(name)? {
            labels.push((name.to_owned(), value.to_owned()));
        }
    }
    let operations = query.list_of("operation", &["created", "modified", "deleted"])?;
    for operation in operations {
        labels.push(("operation".to_owned(), operation));
    }
    let home = home(&api, &caller, &store_id);
    home.row()
        .await
        .map_err(|error| failed(error, &store_id, ""))?;
    let list = format!("memory_versions/{store_id}");
    let order = Order::Descending;
    let mut rows = api
        .store
        .list(&ResourceQuery {
            workspace: caller.workspace.clone(),
            kind: Kind::MemoryVersion,
            include_archived: true,
            created_at,
            statuses: Vec::new(),
            labels,
            order,
            after: page::created_cursor(&query, &list, order, &created_at)?,
            limit: page::rows_to_fetch(limit),
        })
        .await?;
    let is_more = page::cut(&mut rows, limit);
    let next = rows.last().filter(|_| is_more).map(|last| {
        let place = Position::Created(last.created_at, last.key.id.clone());
        Cursor::next(&list, order, place)
    });
    let mut data = Vec::with_capacity(rows.len());
    for row in rows {
        let content = match is_full {
            true => home.content(&row.key.id).await,
            false => Ok(None),
        };
        let content = content.map_err(|error| failed(error, &store_id, &row.key.id))?;
        data.push(wire(&row, content));
    }
    Ok(Json(page::cursor_page(data, next)))
}

/// Returns a version.
pub(super) async fn get(
    State(api): State<ApiState>,
    caller: Caller,
    Path((store_id, id)): Path<(String, String)>,
    query: Query,
) -> Answer {
    let is_full = is_full(&query, true)?;
    let home = home(&api, &caller, &store_id);
    let found = async {
        home.row().await?;
        let row = home.version_row(&id).await?;
        let content = match is_full {
            true => home.content(&id).await?,
            false => None,
        };
        Ok(wire(&row, content))
    };
    let found = found.await.map_err(|error| failed(error, &store_id, &id))?;
    Ok(Json(found))
}

/// Wipes what a version holds; again changes nothing. Errors: 400 for the newest of a live memory.
pub(super) async fn redact(
    State(api): State<ApiState>,
    caller: Caller,
    Path((store_id, id)): Path<(String, String)>,
) -> Answer {
    let redacted = home(&api, &caller, &store_id).redact(&id).await;
    let redacted = redacted.map_err(|error| failed(error, &store_id, &id))?;
    Ok(Json(wire(&redacted, None)))
}

/// Returns the wire's `MemoryVersion`. Who is unknown is left out, as the contract has no null there.
fn wire(row: &Resource, content: Option<String>) -> Value {
    let body = &row.body;
    let mut version = json!({
        "id": row.key.id,
        "type": "memory_version",
        "memory_store_id": body.at(STORE_LABEL),
        "memory_id": body.at("memory_id"),
        "operation": body.at("operation"),
        "path": body.at("path"),
        "content": content,
        "content_sha256": body.at("sha256"),
        "content_size_bytes": body.at("size"),
        "created_at": rfc3339(row.created_at),
        "redacted_at": body.at("redacted_at"),
    });
    for name in ["created_by", "redacted_by"] {
        if body.at(name).is_object() {
            version.set(name, body.at(name).clone());
        }
    }
    version
}
