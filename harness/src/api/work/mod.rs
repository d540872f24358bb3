//! Work queues of self-hosted environments.

use axum::Router;

use crate::api::ApiState;

/// Returns the routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
}
