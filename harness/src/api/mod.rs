//! The HTTP API. [`router`] reads as the list of everything that is served; each resource has a file.
//!
//! A handler validates, asks the store, returns; nothing here works longer than that. Validation is pure
//! and stands apart (`agent_config`, `environment_config`). Endpoints of the contract that are not in the
//! list answer 404 in the contract's envelope, as any unknown path does.

use std::sync::{Arc, OnceLock};

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use crate::api::contract::Contract;
use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::hands::Components;
use crate::ids::WorkspaceId;
use crate::mcp::Connector;
use crate::model::Catalog;
use crate::secrets::Keyring;
use crate::store::SharedStore;

mod access;
pub mod agent_config;
mod agents;
mod auth;
pub mod body;
mod collection;
pub mod contract;
pub mod deployments;
mod envelope;
mod environment_config;
mod environments;
mod error;
pub mod files;
mod keys;
mod memory;
pub mod metadata;
mod models;
mod multipart;
mod names;
pub mod page;
mod protocol;
pub mod query;
pub mod sessions;
mod skills;
#[cfg(test)]
pub(crate) mod tests;
mod tools;
mod vaults;
pub mod webhooks;
mod work;

pub use agents::{SessionAgent, resolve_session_agent};
pub use auth::{AuthMode, Caller, Credential, WorkGrant};
pub use environments::live_environment;
pub use error::ApiError;
pub use keys::{
    NewKey, Role, create_environment_key, create_key, list_environment_keys, list_keys,
    revoke_environment_key, revoke_key,
};
pub use memory::live_store;
pub(crate) use skills::SKILL_BOUNDS;
pub use vaults::check_live_vaults;
pub use work::WorkQueue;

/// Largest request body in bytes, unless a route has its own limit.
pub const BODY_BYTES_MAX: usize = 32 << 20;
/// The workspace of callers who name none on an open server.
pub const DEFAULT_WORKSPACE: &str = "wrkspc_default";

/// What every handler may use.
#[derive(Clone)]
pub struct ApiState {
    /// Resources and logs.
    pub store: SharedStore,
    /// The contents of files and skills.
    pub blobs: Blobs,
    /// The keys that credentials are sealed with.
    pub secrets: Arc<Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How callers prove who they are.
    pub auth: AuthMode,
    /// The models we know; agents may name others.
    pub models: Arc<Catalog>,
    /// Value of `anthropic-organization-id` on every response.
    pub organization_id: Arc<str>,
    /// The workspace of callers who name none on an open server; see [`DEFAULT_WORKSPACE`].
    pub default_workspace: WorkspaceId,
    /// The work of self-hosted environments' workers.
    pub work: Arc<WorkQueue>,
    /// Connects to MCP servers.
    pub mcp: Arc<Connector>,
    /// Takes and runs components; none on a server without hands for them.
    pub components: Option<Arc<Components>>,
}

/// Returns the whole API. Routes of `more` stand behind the same layers.
pub fn router(state: ApiState, more: Router<ApiState>) -> Router {
    Router::new()
        .route("/v1/agents", get(agents::list).post(agents::create))
        .route(
            "/v1/agents/{agent_id}",
            get(agents::get).post(agents::update),
        )
        .route("/v1/agents/{agent_id}/archive", post(agents::archive))
        .route("/v1/agents/{agent_id}/versions", get(agents::versions))
        .route(
            "/v1/environments",
            get(environments::list).post(environments::create),
        )
        .route(
            "/v1/environments/{environment_id}",
            get(environments::get)
                .post(environments::update)
                .delete(environments::delete),
        )
        .route(
            "/v1/environments/{environment_id}/archive",
            post(environments::archive),
        )
        .route("/v1/models", get(models::list))
        .route("/v1/models/{model_id}", get(models::get))
        .merge(files::routes())
        .merge(memory::routes())
        .merge(skills::routes())
        .merge(tools::routes())
        .merge(vaults::routes())
        .merge(work::routes())
        .merge(more)
        .fallback(no_route)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(protocol::layer))
        .layer(from_fn_with_state(state.clone(), auth::layer))
        // Behind no key: it says what is in every copy of this program.
        .route("/openapi.json", get(openapi))
        // Outermost, so that nothing leaves without its headers and envelope.
        .layer(from_fn_with_state(state.clone(), envelope::layer))
        .with_state(state)
}

async fn openapi() -> Json<&'static Value> {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    Json(DOCUMENT.get_or_init(|| contract::openapi::document(Contract::get())))
}

async fn no_route() -> ApiError {
    ApiError::no_route("no such endpoint")
}
