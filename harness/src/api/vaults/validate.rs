//! `POST .../mcp_oauth_validate`: does the credential still open its server?
//!
//! [`probe`] is the only place that would use the network.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::credentials;
use crate::api::collection::Answer;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::rfc3339;
use crate::json::Fields as _;
use crate::secrets::Bundle;
use crate::store::Resource;
use crate::vault::REFRESH_TOKEN;

/// What a probe found out.
struct Probed {
    /// `valid`, `invalid` or `unknown`.
    status: &'static str,
    /// The step that failed; null when none did.
    mcp_probe: Value,
    /// What refreshing the token came to; null when it was not tried.
    refresh: Value,
}

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
    let probed = probe(&stored, &secrets).await;
    Ok(Json(json!({
        "type": "vault_credential_validation",
        "credential_id": id,
        "vault_id": vault_id,
        "has_refresh_token": has_refresh_token,
        "status": probed.status,
        "mcp_probe": probed.mcp_probe,
        "refresh": probed.refresh,
        "validated_at": rfc3339(api.clock.now()),
    })))
}

/// Asks the credential's server. This server cannot reach MCP servers, so the answer is that nothing is known: the first
/// step did not happen, and there was no response.
async fn probe(_credential: &Resource, _secrets: &Bundle) -> Probed {
    Probed {
        status: "unknown",
        mcp_probe: json!({"method": "initialize", "http_response": null}),
        refresh: Value::Null,
    }
}
