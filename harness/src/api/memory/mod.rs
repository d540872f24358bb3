//! `/v1/memory_stores`.

use axum::Router;

use crate::api::ApiState;

/// Returns the routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
}
