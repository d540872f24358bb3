//! `POST .../mcp_oauth_validate`: does the credential still open its server?

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::credentials;
use crate::api::collection::Answer;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::rfc3339;
use crate::json::Fields as _;
use crate::vault::{Credential, REFRESH_TOKEN};

/// Tries an `mcp_oauth` credential out.
pub(super) async fn validate(
    State(api): State<ApiState>,
    caller: Caller,
    Path((vault_id, id)): Path<(String, String)>,
) -> Answer {
    let stored = credentials::find(&api, &caller.workspace, &vault_id, &id).await?;
    if *stored.body.at("auth").at("type") != "mcp_oauth" {
        return Err(ApiError::invalid(
            "only credentials of type mcp_oauth can be validated",
        ));
    }
    if stored.archived_at.is_some() {
        return Err(credentials::archived(&id));
    }
    let secrets = credentials::open(&api, &stored)?;
    let has_refresh_token = secrets.get(REFRESH_TOKEN).is_some();
    let found = api.mcp.validate(&Credential::of_row(stored)).await;
    Ok(Json(json!({
        "type": "vault_credential_validation",
        "credential_id": id,
        "vault_id": vault_id,
        "has_refresh_token": has_refresh_token,
        "status": found.status,
        "mcp_probe": found.mcp_probe,
        "refresh": found.refresh,
        "validated_at": rfc3339(api.clock.now()),
    })))
}
