//! `/v1/deployments`.

use axum::Router;

use crate::api::ApiState;

/// Returns the routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
}
