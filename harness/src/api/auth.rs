//! Who calls: the credential of a request, and the workspace it opens.
//!
//! Keys are looked up in `keys`; what each credential opens is a table in `access`.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::error::ApiError;
use crate::api::keys::{self, ENVIRONMENT_KEY_PREFIX, KEYRING, Role};
use crate::api::{ApiState, access, work};
use crate::ids::{ApiKeyId, EnvironmentId, ID_BYTES_MAX, SessionId, WorkId, WorkspaceId};

/// Longest key that is hashed; anything longer is none of ours.
const KEY_BYTES_MAX: usize = 512;

/// How callers prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Any API key, or none, opens any workspace. Only for a server that listens on the loopback interface:
    /// requests that a browser sends for another site's page are refused all the same. Environment keys
    /// and the tokens of work items open no more than elsewhere.
    Open,
    /// Only keys made by [`crate::api::create_key`].
    Keys,
}

/// The caller of a request, as every handler sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant: nothing outside it exists for the caller.
    pub workspace: WorkspaceId,
    /// The API key that was used; `None` on an open server and for workers.
    pub key_id: Option<ApiKeyId>,
    /// What the caller proved to be.
    pub credential: Credential,
}

/// What a caller proved to be. What each one opens is told in `access`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Somebody on this machine, on a server that asks for no keys.
    Open,
    /// The holder of an API key.
    Key(Role),
    /// The holder of a key of this environment.
    Environment(EnvironmentId),
    /// A worker with the token of its work item.
    Work(WorkGrant),
}

/// The reach of the token of a work item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkGrant {
    /// The item.
    pub work_id: WorkId,
    /// Its environment.
    pub environment_id: EnvironmentId,
    /// The session that it is about.
    pub session_id: SessionId,
    /// The holder is the item's worker now: the item has not ended, nor gone to another one.
    pub is_held: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.ok_or_else(|| ApiError::internal("the route stands outside the auth layer"))
    }
}

/// Lets known callers through.
pub(super) async fn layer(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match admit(&state, request.headers(), request.uri(), request.method()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(caller);
    response
}

async fn admit(
    state: &ApiState,
    headers: &HeaderMap,
    uri: &Uri,
    method: &Method,
) -> Result<Caller, ApiError> {
    let caller = identify(state, headers, uri).await?;
    access::check(state, &caller, method, uri.path()).await?;
    Ok(caller)
}

async fn identify(state: &ApiState, headers: &HeaderMap, uri: &Uri) -> Result<Caller, ApiError> {
    let asked = asked_workspace(headers)?;
    if state.auth == AuthMode::Open {
        check_same_site(headers, uri)?;
    }
    let key = sent_key(headers);
    let caller = match (&state.auth, key) {
        (_, Some(key)) if keys::is_restricted(key) => find_worker(state, key).await?,
        (AuthMode::Open, _) => {
            return Ok(Caller {
                workspace: asked.unwrap_or_else(|| state.default_workspace.clone()),
                key_id: None,
                credential: Credential::Open,
            });
        }
        (AuthMode::Keys, Some(key)) => {
            let found = keys::find_key(&*state.store, key).await?;
            found
                .ok_or_else(|| ApiError::unauthenticated("the API key is unknown or was revoked"))?
        }
        (AuthMode::Keys, None) => {
            return Err(ApiError::unauthenticated(
                "no API key: send it as \"authorization: Bearer KEY\" or \"x-api-key: KEY\"",
            ));
        }
    };
    if asked.is_some_and(|asked| asked != caller.workspace) {
        return Err(ApiError::forbidden(
            "the API key belongs to another workspace than the anthropic-workspace-id header names",
        ));
    }
    Ok(caller)
}

async fn find_worker(state: &ApiState, key: &str) -> Result<Caller, ApiError> {
    let (found, unknown) = if key.starts_with(ENVIRONMENT_KEY_PREFIX) {
        (
            keys::find_environment_key(&*state.store, key).await?,
            "the environment key is unknown or was revoked",
        )
    } else {
        (
            work::find_token(&*state.store, key).await?,
            "the token of a work item is unknown",
        )
    };
    found.ok_or_else(|| ApiError::unauthenticated(unknown))
}

/// Returns the key of `authorization: Bearer` or `x-api-key`, if it can be one of ours.
fn sent_key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer
        .or_else(|| text("x-api-key").map(str::trim))
        .filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX)
}

fn asked_workspace(headers: &HeaderMap) -> Result<Option<WorkspaceId>, ApiError> {
    let Some(value) = headers.get("anthropic-workspace-id") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(text)
            if text.starts_with(WorkspaceId::PREFIX)
                && text.len() <= ID_BYTES_MAX
                && text != KEYRING =>
        {
            Ok(Some(WorkspaceId::from_text(text)))
        }
        _ => Err(ApiError::invalid(format!(
            "the anthropic-workspace-id header must be an id that starts with {}",
            WorkspaceId::PREFIX
        ))),
    }
}

/// Without keys, the loopback interface is the only guard, and a browser on the same machine stands inside
/// it: a page of any site may send requests here (its `origin` tells), or have its own name resolve to us
/// (the `host` tells).
fn check_same_site(headers: &HeaderMap, uri: &Uri) -> Result<(), ApiError> {
    let text = |name| {
        headers
            .get(name)
            .map(|value: &header::HeaderValue| value.to_str().unwrap_or(""))
    };
    let host = text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
    if host.is_some_and(|host| !is_loopback(host)) {
        return Err(ApiError::forbidden(
            "a server without API keys answers only on localhost; create a key to use another name",
        ));
    }
    let origin = text(header::ORIGIN);
    if origin.is_some_and(|origin| {
        !origin
            .split_once("://")
            .is_some_and(|(_, authority)| is_loopback(authority))
    }) {
        return Err(ApiError::forbidden(
            "a server without API keys does not answer pages of other sites",
        ));
    }
    Ok(())
}

/// Tells whether `host[:port]` can only mean this machine.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let name = host.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for (authority, expected) in [
            ("localhost", true),
            ("LOCALHOST:4100", true),
            ("127.0.0.1:80", true),
            ("[::1]:4100", true),
            ("[::1]", true),
            ("evil.example", false),
            ("localhost.evil.example:4100", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1:80", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(authority), expected, "{authority}");
        }
    }
}
