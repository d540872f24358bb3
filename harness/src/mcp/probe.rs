//! Trying a stored credential out: does it still open its server?

use serde_json::{Value, json};

use super::bearer::{Bearer, Tried};
use super::error::McpError;
use super::http::Http;
use super::oauth::{Attempt, Shown};
use super::{CONNECT_TIMEOUT, Connector, Server, open};
use crate::egress::Policy;
use crate::json::Fields as _;
use crate::vault::Credential;

/// What a trial found out, in the wire's terms.
#[derive(Clone, PartialEq, Debug)]
pub struct Validation {
    /// `valid`, `invalid` (the user has to connect the server again) or `unknown` (try later).
    pub status: &'static str,
    /// The step that failed and what the server said to it; null when none did.
    pub mcp_probe: Value,
    /// What refreshing the token came to; null when it was not tried.
    pub refresh: Value,
}

impl Connector {
    /// Connects to the server of a credential and lists its tools, as a session would.
    pub async fn validate(&self, credential: &Credential) -> Validation {
        let url = credential.auth().at("mcp_server_url").as_str();
        let server = Server {
            name: "of the credential".to_owned(),
            url: url.unwrap_or_default().to_owned(),
        };
        if !self.egress.may_carry_secrets(&server.url) {
            // A session would not send it either, and without it nothing is found out.
            return Validation {
                status: "unknown",
                mcp_probe: json!({"method": "initialize", "http_response": null}),
                refresh: Value::Null,
            };
        }
        let bearer = Bearer::of(self.refresher.clone(), credential);
        // Whoever stores a credential may try it; what can be reached at all is the operator's to say.
        let policy = Policy::unrestricted();
        let http = Http::new(self.egress.clone(), policy, bearer, &server.url);
        let failed = try_out(&http, &server).await.err();
        let tried = http.tried();
        let status = match (&failed, &tried) {
            (None, _) => "valid",
            // Its own endpoint may answer better later.
            (Some(_), Some(Tried::Failed(Attempt::NoConnection(_)))) => "unknown",
            (Some((_, true)), _) => "invalid",
            (Some((_, false)), _) => "unknown",
        };
        let shown = http.take_shown();
        Validation {
            status,
            mcp_probe: match failed {
                None => Value::Null,
                Some((method, _)) => json!({
                    "method": method,
                    "http_response": shown.as_ref().map(Shown::wire),
                }),
            },
            refresh: tried.as_ref().map_or(Value::Null, refresh_wire),
        }
    }
}

/// Returns which step failed, and whether it was for want of another credential.
async fn try_out(http: &Http, server: &Server) -> Result<(), (&'static str, bool)> {
    let opened = tokio::time::timeout(CONNECT_TIMEOUT, open(http, server)).await;
    let Ok(Ok(connection)) = opened else {
        return Err(("initialize", http.take_refusal().is_some()));
    };
    let listed = connection.tools().await;
    connection.close().await;
    match listed {
        Ok(_) => Ok(()),
        Err(error) => Err(("tools/list", matches!(error, McpError::Authentication(_)))),
    }
}

fn refresh_wire(tried: &Tried) -> Value {
    let (status, shown) = match tried {
        Tried::Succeeded => ("succeeded", None),
        Tried::NoRefreshToken => ("no_refresh_token", None),
        Tried::Failed(Attempt::NoConnection(_)) => ("connect_error", None),
        Tried::Failed(Attempt::Refused(shown)) => ("failed", Some(shown.wire())),
    };
    json!({"status": status, "http_response": shown})
}
