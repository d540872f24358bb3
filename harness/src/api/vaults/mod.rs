//! `/v1/vaults`: vaults, and the credentials in them.
//!
//! A credential's secrets come in and never go out: they are sealed before they are stored, and no answer is
//! made from them. Every change that the number or the keys of a vault's credentials depend on is one commit
//! with a write of the vault's own row, so that two of them cannot both think they are the first.

mod auth;
mod credentials;
mod networking;
mod refresh;
mod validate;
mod vault;

use axum::Router;
use axum::routing::{get, post};

use crate::api::{ApiError, ApiState};
use crate::ids::WorkspaceId;

/// Returns the routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/vaults", get(vault::list).post(vault::create))
        .route(
            "/v1/vaults/{vault_id}",
            get(vault::get).post(vault::update).delete(vault::delete),
        )
        .route("/v1/vaults/{vault_id}/archive", post(vault::archive))
        .route(
            "/v1/vaults/{vault_id}/credentials",
            get(credentials::list).post(credentials::create),
        )
        .route(
            "/v1/vaults/{vault_id}/credentials/{credential_id}",
            get(credentials::get)
                .post(credentials::update)
                .delete(credentials::delete),
        )
        .route(
            "/v1/vaults/{vault_id}/credentials/{credential_id}/archive",
            post(credentials::archive),
        )
        .route(
            "/v1/vaults/{vault_id}/credentials/{credential_id}/mcp_oauth_validate",
            post(validate::validate),
        )
}

/// Checks that a new session may use these vaults. Errors: 404 for one that does not exist, 400 for an
/// archived one.
pub async fn check_live_vaults(
    api: &ApiState,
    workspace: &WorkspaceId,
    ids: &[String],
) -> Result<(), ApiError> {
    for id in ids {
        vault::find_live(api, workspace, id).await?;
    }
    Ok(())
}
