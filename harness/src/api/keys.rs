//! Keys: made, listed, revoked and looked up.
//!
//! A key is 256 random bits, shown once. The store holds its BLAKE3 hash as the id of a resource in a
//! workspace that no caller has, so one read finds it and a stolen database opens nothing. Two kinds: API
//! keys open a workspace with a role; environment keys open the work queue of one environment.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use serde_json::{Value, json};

use crate::api::auth::{Caller, Credential};
use crate::api::environment_config::is_self_hosted;
use crate::api::error::ApiError;
use crate::clock::Timestamp;
use crate::ids::{ApiKeyId, EnvironmentId, EnvironmentKeyId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{
    Key, Kind, NewResource, Order, Resource, ResourceQuery, Store, StoreError, TimeRange,
};

/// Start of every key we make, so that leaked ones can be searched for.
const KEY_PREFIX: &str = "sk-sinew-";
/// Start of environment keys.
pub(super) const ENVIRONMENT_KEY_PREFIX: &str = "sk-sinew-env-";
/// Start of the tokens of work items.
pub(super) const WORK_TOKEN_PREFIX: &str = "sk-sinew-work-";
/// Where hashed keys are stored. No caller is ever of this workspace.
pub(super) const KEYRING: &str = "wrkspc_keyring";

/// What an API key may do in its workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Admin,
    /// Everything but the administration of the organization and its keys.
    Member,
    /// Reading alone.
    ReadOnly,
}

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: [Role; 3] = [Role::Admin, Role::Member, Role::ReadOnly];

    /// Returns the role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Member => "member",
            Role::ReadOnly => "read-only",
        }
    }

    /// Returns the role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A key that was just made. Not printable by accident: only [`NewKey::reveal`] shows it.
pub struct NewKey<Id> {
    /// Its public name.
    pub id: Id,
    secret: String,
}

impl<Id> NewKey<Id> {
    /// Returns the key itself, which nobody can read again later.
    pub fn reveal(&self) -> &str {
        &self.secret
    }
}

/// Makes an API key for `workspace`. `name` is for people.
pub async fn create_key(
    store: &dyn Store,
    workspace: &WorkspaceId,
    name: &str,
    role: Role,
    now: Timestamp,
) -> Result<NewKey<ApiKeyId>, StoreError> {
    let mut secret = fresh_secret(KEY_PREFIX);
    // One of the other kinds by chance: it would be looked up among them.
    while is_restricted(&secret) {
        secret = fresh_secret(KEY_PREFIX);
    }
    let id = ApiKeyId::fresh(now);
    let body = json!({
        "id": id.as_str(),
        "name": name,
        "workspace_id": workspace.as_str(),
        "role": role.as_str(),
        "created_at": crate::clock::rfc3339(now),
    });
    let labels = vec![("api_key_id".to_owned(), id.as_str().to_owned())];
    keep(store, Kind::ApiKey, &secret, body, labels, now).await?;
    Ok(NewKey { id, secret })
}

/// Makes a key for the workers of a self-hosted environment. `name` is for people.
/// Errors: `NotFound`, `Invalid` (the environment is not self-hosted).
pub async fn create_environment_key(
    store: &dyn Store,
    workspace: &WorkspaceId,
    environment_id: &EnvironmentId,
    name: &str,
    now: Timestamp,
) -> Result<NewKey<EnvironmentKeyId>, StoreError> {
    let environment = Key {
        workspace: workspace.clone(),
        kind: Kind::Environment,
        id: environment_id.as_str().to_owned(),
    };
    let environment = store.get(&environment, None).await?;
    if !is_self_hosted(&environment.body) {
        let why =
            format!("{environment_id} is not self-hosted: only such environments have workers");
        return Err(StoreError::Invalid(why));
    }
    let secret = fresh_secret(ENVIRONMENT_KEY_PREFIX);
    let id = EnvironmentKeyId::fresh(now);
    let body = json!({
        "id": id.as_str(),
        "name": name,
        "workspace_id": workspace.as_str(),
        "environment_id": environment_id.as_str(),
        "created_at": crate::clock::rfc3339(now),
    });
    let labels = vec![
        ("environment_key_id".to_owned(), id.as_str().to_owned()),
        (
            "environment_id".to_owned(),
            environment_id.as_str().to_owned(),
        ),
    ];
    keep(store, Kind::EnvironmentKey, &secret, body, labels, now).await?;
    Ok(NewKey { id, secret })
}

/// Returns up to `limit` API keys as `{id, name, workspace_id, role, created_at}`, newest first.
pub async fn list_keys(store: &dyn Store, limit: usize) -> Result<Vec<Value>, StoreError> {
    let found = store.list(&query(Kind::ApiKey, None, limit)).await?;
    let with_role = |mut key: Value| {
        // Keys that were made before there were roles.
        if key.at("role").is_null() {
            key.set("role", json!(Role::Admin.as_str()));
        }
        key
    };
    Ok(found.into_iter().map(|key| with_role(key.body)).collect())
}

/// Returns up to `limit` environment keys, of one environment or of all, as
/// `{id, name, workspace_id, environment_id, created_at}`, newest first.
pub async fn list_environment_keys(
    store: &dyn Store,
    environment_id: Option<&EnvironmentId>,
    limit: usize,
) -> Result<Vec<Value>, StoreError> {
    let label = environment_id.map(|id| ("environment_id", id.as_str()));
    let found = store
        .list(&query(Kind::EnvironmentKey, label, limit))
        .await?;
    Ok(found.into_iter().map(|key| key.body).collect())
}

/// Removes an API key; its next request is refused. Errors: `NotFound`.
pub async fn revoke_key(store: &dyn Store, id: &ApiKeyId) -> Result<(), StoreError> {
    revoke(store, Kind::ApiKey, ("api_key_id", id.as_str())).await
}

/// Removes an environment key; its next request is refused. Errors: `NotFound`.
pub async fn revoke_environment_key(
    store: &dyn Store,
    id: &EnvironmentKeyId,
) -> Result<(), StoreError> {
    revoke(
        store,
        Kind::EnvironmentKey,
        ("environment_key_id", id.as_str()),
    )
    .await
}

async fn revoke(store: &dyn Store, kind: Kind, label: (&str, &str)) -> Result<(), StoreError> {
    let found = store.list(&query(kind, Some(label), 1)).await?;
    let key = found.first().ok_or(StoreError::NotFound)?;
    store.delete(&key.key).await
}

/// Tells whether a key opens less than a workspace: it is never taken for an API key.
pub(super) fn is_restricted(secret: &str) -> bool {
    secret.starts_with(ENVIRONMENT_KEY_PREFIX) || secret.starts_with(WORK_TOKEN_PREFIX)
}

/// Returns a key with this start.
pub(super) fn fresh_secret(prefix: &str) -> String {
    let mut random = [0u8; 32];
    rand::rng().fill_bytes(&mut random);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random))
}

/// Returns the caller behind an API key.
pub(super) async fn find_key(store: &dyn Store, secret: &str) -> Result<Option<Caller>, ApiError> {
    let Some(stored) = find(store, Kind::ApiKey, secret).await? else {
        return Ok(None);
    };
    let field = |name| stored.body.at(name).as_str();
    let role = match field("role") {
        // Keys that were made before there were roles.
        None => Some(Role::Admin),
        Some(name) => Role::parse(name),
    };
    match (field("workspace_id"), field("id"), role) {
        (Some(workspace), Some(id), Some(role)) => Ok(Some(Caller {
            workspace: WorkspaceId::from_text(workspace),
            key_id: Some(ApiKeyId::from_text(id)),
            credential: Credential::Key(role),
        })),
        _ => Err(ApiError::internal(
            "a stored API key lacks its workspace or id, or has a role of a newer version",
        )),
    }
}

/// Returns the caller behind an environment key.
pub(super) async fn find_environment_key(
    store: &dyn Store,
    secret: &str,
) -> Result<Option<Caller>, ApiError> {
    let Some(stored) = find(store, Kind::EnvironmentKey, secret).await? else {
        return Ok(None);
    };
    let field = |name| stored.body.at(name).as_str();
    match (field("workspace_id"), field("environment_id")) {
        (Some(workspace), Some(environment)) => Ok(Some(Caller {
            workspace: WorkspaceId::from_text(workspace),
            key_id: None,
            credential: Credential::Environment(EnvironmentId::from_text(environment)),
        })),
        _ => Err(ApiError::internal(
            "a stored environment key lacks its workspace or environment",
        )),
    }
}

async fn find(store: &dyn Store, kind: Kind, secret: &str) -> Result<Option<Resource>, ApiError> {
    match store.get(&stored_key(kind, secret), None).await {
        Ok(stored) => Ok(Some(stored)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn keep(
    store: &dyn Store,
    kind: Kind,
    secret: &str,
    body: Value,
    labels: Vec<(String, String)>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let key = NewResource {
        key: stored_key(kind, secret),
        body,
        unique_name: None,
        status: None,
        labels,
        at,
        events: Vec::new(),
        needs_wake: false,
        history: None,
    };
    store.create(key).await.map(|_| ())
}

fn stored_key(kind: Kind, secret: &str) -> Key {
    Key {
        workspace: WorkspaceId::from_text(KEYRING),
        kind,
        id: hash(secret),
    }
}

/// Returns what is stored of a key or a token in its place: its BLAKE3 hash in hexadecimal.
pub(super) fn hash(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

fn query(kind: Kind, label: Option<(&str, &str)>, limit: usize) -> ResourceQuery {
    ResourceQuery {
        workspace: WorkspaceId::from_text(KEYRING),
        kind,
        include_archived: true,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels: label
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect(),
        order: Order::Descending,
        after: None,
        limit,
    }
}
