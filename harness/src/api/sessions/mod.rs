//! The session endpoints. Handlers validate, append, and return; the driver does the work.

mod content;
mod create;
mod diff;
mod events;
mod history;
mod input;
mod lifecycle;
mod list;
mod mcp_hosts;
mod portable;
mod requests;
mod resources;
mod reviews;
mod stream;
mod supervision;
mod threads;
mod update;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use serde_json::Value;

use crate::agent::{Brain, Drivers};
use crate::api::ApiError;
use crate::api::ApiState;
use crate::api::Caller;
use crate::clock::Timestamp;
use crate::ids::SessionId;
use crate::json::Fields as _;
use crate::session::PROJECTION_PRIVATE;
use crate::store::{Key, Kind, Resource, StoreError};

pub(in crate::api) use create::{
    DEPLOYMENT_EVENTS, Prepared, RESOURCES_MAX, VAULTS_MAX, budget, initial_events, prepare,
};
pub(in crate::api) use mcp_hosts::{blocked_message, blocked_server};

/// What the session endpoints need beside the rest of the API.
#[derive(Clone)]
pub struct SessionState {
    /// The rest of the API's state.
    pub api: ApiState,
    /// Shared with the drivers.
    pub brain: Arc<Brain>,
    /// Wakes sessions.
    pub drivers: Arc<Drivers>,
}

/// Returns the routes of sessions, their events and their threads.
pub fn routes(state: SessionState) -> Router<ApiState> {
    Router::new()
        .route("/v1/sessions", post(create::create).get(list::list))
        .route(
            "/v1/sessions/{session_id}",
            get(lifecycle::retrieve)
                .post(update::update)
                .delete(lifecycle::delete),
        )
        .route(
            "/v1/sessions/{session_id}/archive",
            post(lifecycle::archive),
        )
        .route(
            "/v1/sessions/{session_id}/events",
            get(events::list).post(events::send),
        )
        .route(
            "/v1/sessions/{session_id}/events/stream",
            get(stream::session_stream),
        )
        .route("/sinew/v1/sessions/{session_id}", get(history::retrieve))
        .route("/sinew/v1/sessions/{session_id}/fork", post(history::fork))
        .route(
            "/sinew/v1/sessions/{session_id}/requests",
            get(requests::list),
        )
        .route(
            "/sinew/v1/sessions/{session_id}/reviews",
            get(reviews::list),
        )
        .route(
            "/sinew/v1/sessions/{session_id}/supervision",
            get(supervision::retrieve),
        )
        .route(
            "/sinew/v1/sessions/{session_id}/rewind",
            post(history::rewind),
        )
        .route("/sinew/v1/sessions/import", post(portable::import))
        .route(
            "/sinew/v1/sessions/{session_id}/export",
            get(portable::export),
        )
        .route("/sinew/v1/sessions/{session_id}/diff", get(diff::diff))
        .route("/sinew/v1/sessions/{session_id}/patch", get(diff::patch))
        .route(
            "/sinew/v1/sessions/{session_id}/stream",
            get(stream::session_stream_with_output),
        )
        .route(
            "/v1/sessions/{session_id}/resources",
            get(resources::list).post(resources::add),
        )
        .route(
            "/v1/sessions/{session_id}/resources/{resource_id}",
            get(resources::retrieve)
                .post(resources::update)
                .delete(resources::remove),
        )
        .route("/v1/sessions/{session_id}/threads", get(threads::list))
        .route(
            "/v1/sessions/{session_id}/threads/{thread_id}",
            get(threads::retrieve),
        )
        .route(
            "/v1/sessions/{session_id}/threads/{thread_id}/archive",
            post(threads::archive),
        )
        .route(
            "/v1/sessions/{session_id}/threads/{thread_id}/events",
            get(threads::events),
        )
        .route(
            "/v1/sessions/{session_id}/threads/{thread_id}/stream",
            get(stream::thread_stream),
        )
        .with_state(state)
}

impl SessionState {
    /// Returns a session's row, or 404.
    async fn row(&self, caller: &Caller, session_id: &str) -> Result<Resource, ApiError> {
        match self
            .api
            .store
            .get(&session_key(caller, session_id), None)
            .await
        {
            Ok(row) => Ok(row),
            Err(StoreError::NotFound) => Err(ApiError::not_found("session", session_id)),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the time of an event to be appended to a session's log: times of a log never go back, though the
    /// clocks of two machines may differ, and an append may have to be made again.
    fn time_in(&self, row: &Resource) -> Timestamp {
        self.api.clock.now().max(row.updated_at)
    }
}

fn session_key(caller: &Caller, session_id: &str) -> Key {
    Key {
        workspace: caller.workspace.clone(),
        kind: Kind::Session,
        id: session_id.to_owned(),
    }
}

fn id_of(row: &Resource) -> SessionId {
    SessionId::from_text(row.key.id.clone())
}

/// The part of a row that is not on the wire.
fn private(row: &Resource) -> &Value {
    row.body.at(PROJECTION_PRIVATE)
}

/// The log's last number that the row stands for.
fn last_of(row: &Resource) -> u64 {
    private(row).at("last").as_u64().unwrap_or(0)
}

/// Tells whether the session works, or has got what will make it work.
fn is_at_work(row: &Resource) -> bool {
    matches!(row.status.as_deref(), Some("running" | "rescheduling"))
        || *private(row).at("needs_wake") == true
}

/// States of sessions and threads, as filters name them.
const STATUSES: [&str; 4] = ["rescheduling", "running", "idle", "terminated"];

/// Attempts of a handler whose append met a log that had just grown.
const APPEND_ATTEMPTS_MAX: usize = 64;

fn too_busy() -> ApiError {
    ApiError::overloaded("the session is too busy to take this request; try again")
}
