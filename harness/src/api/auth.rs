//! Who calls: API keys, and the workspace each of them opens.
//!
//! A key is 256 random bits, shown once. The store holds its BLAKE3 hash as the id of a resource in a
//! workspace that no caller has, so one read finds it and a stolen database opens nothing.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::api::error::ApiError;
use crate::clock::Timestamp;
use crate::ids::{ApiKeyId, ID_BYTES_MAX, WorkspaceId};
use crate::store::{Key, Kind, NewResource, Order, ResourceQuery, Store, StoreError, TimeRange};

/// Start of every key we make, so that leaked ones can be searched for.
const KEY_PREFIX: &str = "sk-sinew-";
/// Where hashed keys are stored. No caller is ever of this workspace.
const KEYRING: &str = "wrkspc_keyring";
/// Longest key that is hashed; anything longer is none of ours.
const KEY_BYTES_MAX: usize = 512;

/// How callers prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Any key, or none, opens any workspace. Only for a server that listens on the loopback interface:
    /// requests that a browser sends for another site's page are refused all the same.
    Open,
    /// Only keys made by [`create_key`].
    Keys,
}

/// The caller of a request, as every handler sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant: nothing outside it exists for the caller.
    pub workspace: WorkspaceId,
    /// The key that was used; `None` on an open server.
    pub key_id: Option<ApiKeyId>,
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
    let caller = match identify(&state, request.headers(), request.uri()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(caller);
    response
}

async fn identify(state: &ApiState, headers: &HeaderMap, uri: &Uri) -> Result<Caller, ApiError> {
    let asked = asked_workspace(headers)?;
    match state.auth {
        AuthMode::Open => {
            check_same_site(headers, uri)?;
            Ok(Caller {
                workspace: asked.unwrap_or_else(|| state.default_workspace.clone()),
                key_id: None,
            })
        }
        AuthMode::Keys => {
            let key = sent_key(headers)?;
            let caller = find_key(&*state.store, key).await?.ok_or_else(|| {
                ApiError::unauthenticated("the API key is unknown or was revoked")
            })?;
            if asked.is_some_and(|asked| asked != caller.workspace) {
                return Err(ApiError::forbidden(
                    "the API key belongs to another workspace than the anthropic-workspace-id header names",
                ));
            }
            Ok(caller)
        }
    }
}

/// Returns the key of `authorization: Bearer` or `x-api-key`.
fn sent_key(headers: &HeaderMap) -> Result<&str, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer
        .or_else(|| text("x-api-key").map(str::trim))
        .filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX)
        .ok_or_else(|| {
            ApiError::unauthenticated(
                "no API key: send it as \"authorization: Bearer KEY\" or \"x-api-key: KEY\"",
            )
        })
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

/// A key that was just made. Not printable by accident: only [`NewKey::reveal`] shows it.
pub struct NewKey {
    /// Its public name.
    pub id: ApiKeyId,
    secret: String,
}

impl NewKey {
    /// Returns the key itself, which nobody can read again later.
    pub fn reveal(&self) -> &str {
        &self.secret
    }
}

/// Makes a key for `workspace`. `name` is for people.
pub async fn create_key(
    store: &dyn Store,
    workspace: &WorkspaceId,
    name: &str,
    now: Timestamp,
) -> Result<NewKey, StoreError> {
    let mut random = [0u8; 32];
    rand::rng().fill_bytes(&mut random);
    let secret = format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let id = ApiKeyId::fresh(now);
    let body = json!({
        "id": id.as_str(),
        "name": name,
        "workspace_id": workspace.as_str(),
        "created_at": crate::clock::rfc3339(now),
    });
    store
        .create(NewResource {
            key: stored_key(&secret),
            body,
            unique_name: None,
            status: None,
            labels: vec![("api_key_id".to_owned(), id.as_str().to_owned())],
            at: now,
            events: Vec::new(),
            needs_wake: false,
        })
        .await?;
    Ok(NewKey { id, secret })
}

/// Returns up to `limit` keys as `{id, name, workspace_id, created_at}`, newest first.
pub async fn list_keys(store: &dyn Store, limit: usize) -> Result<Vec<Value>, StoreError> {
    let found = store.list(&keyring_query(Vec::new(), limit)).await?;
    Ok(found.into_iter().map(|key| key.body).collect())
}

/// Removes a key; its next request is refused. Errors: `NotFound`.
pub async fn revoke_key(store: &dyn Store, id: &ApiKeyId) -> Result<(), StoreError> {
    let label = ("api_key_id".to_owned(), id.as_str().to_owned());
    let found = store.list(&keyring_query(vec![label], 1)).await?;
    let key = found.first().ok_or(StoreError::NotFound)?;
    store.delete(&key.key).await
}

async fn find_key(store: &dyn Store, secret: &str) -> Result<Option<Caller>, ApiError> {
    let stored = match store.get(&stored_key(secret), None).await {
        Ok(stored) => stored,
        Err(StoreError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let field = |name| stored.body.get(name).and_then(Value::as_str);
    match (field("workspace_id"), field("id")) {
        (Some(workspace), Some(id)) => Ok(Some(Caller {
            workspace: WorkspaceId::from_text(workspace),
            key_id: Some(ApiKeyId::from_text(id)),
        })),
        _ => Err(ApiError::internal(
            "a stored API key lacks its workspace or id",
        )),
    }
}

fn stored_key(secret: &str) -> Key {
    Key {
        workspace: WorkspaceId::from_text(KEYRING),
        kind: Kind::ApiKey,
        id: blake3::hash(secret.as_bytes()).to_hex().to_string(),
    }
}

fn keyring_query(labels: Vec<(String, String)>, limit: usize) -> ResourceQuery {
    ResourceQuery {
        workspace: WorkspaceId::from_text(KEYRING),
        kind: Kind::ApiKey,
        include_archived: true,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels,
        order: Order::Descending,
        after: None,
        limit,
    }
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
