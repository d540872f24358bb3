//! `/v1/memory_stores`: stores, memories, and the versions of memories.
//!
//! What a change means is decided in [`crate::memory`]; here it is read from requests and shown.

mod listing;
mod memories;
mod stores;
mod versions;

use axum::Router;
use axum::routing::{get, post};
use serde_json::json;

use crate::api::body::Invalid;
use crate::api::collection::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::api::error::quoted;
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller, Credential};
use crate::memory::{Actor, MemoryError, MemoryHome};

pub use stores::live_store;

/// Most entries of one page with contents.
const FULL_LIMIT_MAX: usize = 20;

/// Returns the routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/memory_stores", get(stores::list).post(stores::create))
        .route(
            "/v1/memory_stores/{memory_store_id}",
            get(stores::get).post(stores::update).delete(stores::delete),
        )
        .route(
            "/v1/memory_stores/{memory_store_id}/archive",
            post(stores::archive),
        )
        .route(
            "/v1/memory_stores/{memory_store_id}/memories",
            get(listing::list).post(memories::create),
        )
        .route(
            "/v1/memory_stores/{memory_store_id}/memories/{memory_id}",
            get(memories::get)
                .post(memories::update)
                .patch(memories::update)
                .delete(memories::delete),
        )
        .route(
            "/v1/memory_stores/{memory_store_id}/memory_versions",
            get(versions::list),
        )
        .route(
            "/v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}",
            get(versions::get),
        )
        .route(
            "/v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}/redact",
            post(versions::redact),
        )
}

/// Returns a store as this caller sees it; it need not exist.
fn home<'a>(api: &'a ApiState, caller: &'a Caller, id: &'a str) -> MemoryHome<'a> {
    let actor = match (&caller.credential, &caller.key_id) {
        (Credential::Work(grant), _) => Actor::Session(grant.session_id.clone()),
        (_, Some(id)) => Actor::ApiKey(id.clone()),
        (_, None) => Actor::Unknown,
    };
    MemoryHome::new(&*api.store, &*api.clock, &caller.workspace, id, actor)
}

/// Reads `view`: whether contents are shown.
fn is_full(query: &Query, default: bool) -> Result<bool, Invalid> {
    match query.text("view")? {
        None => Ok(default),
        Some("full") => Ok(true),
        Some("basic") => Ok(false),
        Some(text) => {
            let message = format!("expected basic or full, got {}", quoted(text));
            Err(Invalid::at("view", message))
        }
    }
}

/// Reads `limit` of a list whose entries may show their contents: then a page is small.
fn page_limit(query: &Query, is_full: bool) -> Result<usize, Invalid> {
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    Ok(match is_full {
        true => limit.min(FULL_LIMIT_MAX),
        false => limit,
    })
}

/// Returns what a failure means to the client. `id` is the one that the path names last.
fn failed(error: MemoryError, store_id: &str, id: &str) -> ApiError {
    match error {
        MemoryError::NoStore => ApiError::not_found("memory store", store_id),
        MemoryError::NoMemory => ApiError::not_found("memory", id),
        MemoryError::NoVersion => ApiError::not_found("memory version", id),
        MemoryError::Archived => stores::archived(store_id),
        MemoryError::IsHead => ApiError::invalid(error.to_string()),
        MemoryError::Full => ApiError::invalid(error.to_string()),
        MemoryError::TooLarge(_) => Invalid::at("content", error.to_string()).into(),
        MemoryError::BadPath(why) => Invalid::at("path", why).into(),
        MemoryError::PathTaken { ref memory_id, .. } => {
            let details = json!({
                "error_code": "memory_path_conflict",
                "conflicting_memory_id": memory_id,
            });
            let message = error.to_string();
            ApiError::memory_conflict("memory_path_conflict_error", message).with_details(details)
        }
        MemoryError::Changed { .. } => {
            ApiError::memory_conflict("memory_precondition_failed_error", error.to_string())
        }
        MemoryError::Busy => ApiError::conflict(error.to_string(), true),
        MemoryError::Unreadable(_) => ApiError::internal(error),
        MemoryError::Store(error) => error.into(),
    }
}
