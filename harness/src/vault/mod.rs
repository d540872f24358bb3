//! Credentials as the host itself uses them: which a session has, and what is sealed in each.
//!
//! Every look reads the rows again, so a changed secret counts from the next use on, and an archived or deleted
//! credential opens nothing. Deliberately absent: what a credential is for (its `auth`, which `egress` and whoever
//! speaks to MCP servers read), and any way for a secret to an answer of the API.

mod server;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::secrets::{
    self, Bundle, Context, Keyring, SEALED_FIELD, SealError, Sealed, UNIQUE_NAME_FIELD,
};
use crate::store::{
    Key, Kind, Order, ROWS_MAX, Resource, ResourceChange, ResourceQuery, SharedStore, StoreError,
    TimeRange,
};

/// The label by which a vault's credentials are found.
pub const VAULT_LABEL: &str = "vault_id";

/// Names of the secrets in a [`Bundle`]: never changed or reused. This one is of `mcp_oauth`.
pub const ACCESS_TOKEN: &str = "access_token";
/// Of `static_bearer`; see [`ACCESS_TOKEN`].
pub const TOKEN: &str = "token";
/// Of `environment_variable`; see [`ACCESS_TOKEN`].
pub const SECRET_VALUE: &str = "secret_value";
/// Of `mcp_oauth`; see [`ACCESS_TOKEN`].
pub const REFRESH_TOKEN: &str = "refresh_token";
/// Of `mcp_oauth`; see [`ACCESS_TOKEN`].
pub const CLIENT_SECRET: &str = "client_secret";

/// Field of a stored credential, not on the wire: when, and why, its token could not be refreshed first since it was
/// written last.
pub const REFRESH_FAILED_FIELD: &str = "_refresh_failed";

pub use server::normal_url;

/// Why a credential cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store failed; [`StoreError::RevisionConflict`] where somebody changed the credential meanwhile.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// A stored credential, its secrets still sealed.
#[derive(Clone, Debug)]
pub struct Credential {
    stored: Resource,
}

impl Credential {
    /// Takes a row of [`Kind::Credential`].
    pub fn of_row(stored: Resource) -> Self {
        Self { stored }
    }

    /// Returns its id.
    pub fn id(&self) -> &str {
        &self.stored.key.id
    }

    /// Returns the vault that it lies in.
    pub fn vault_id(&self) -> &str {
        self.stored.body.at("vault_id").as_str().unwrap_or_default()
    }

    /// Returns its tenant.
    pub fn workspace(&self) -> &WorkspaceId {
        &self.stored.key.workspace
    }

    /// Returns the count of its changes: another one may mean other secrets.
    pub fn revision(&self) -> u64 {
        self.stored.revision
    }

    /// Returns `mcp_oauth`, `static_bearer` or `environment_variable`.
    pub fn kind(&self) -> &str {
        self.auth().at("type").as_str().unwrap_or_default()
    }

    /// Returns the shown part of it, without secrets, as the wire has it.
    pub fn auth(&self) -> &Value {
        self.stored.body.at("auth")
    }

    fn context(&self) -> Context {
        Context::of_credential(self.workspace().as_str(), self.vault_id(), self.id())
    }

    /// Returns its secrets; none of an archived one.
    pub fn open(&self, keyring: &Keyring) -> Result<Bundle, SealError> {
        let sealed = self.stored.body.at(SEALED_FIELD);
        if sealed.is_null() {
            return Ok(Bundle::default());
        }
        let sealed = Sealed::deserialize(sealed).map_err(|_| SealError::Damaged)?;
        let secret = secrets::open(keyring, &self.context(), &sealed)?;
        Bundle::from_secret(&secret).ok_or(SealError::Damaged)
    }
}

/// Seals the secrets of the credential with this context, as its row has them.
pub fn seal(keyring: &Keyring, context: &Context, bundle: &Bundle) -> Result<Value, SealError> {
    let sealed = secrets::seal(keyring, context, &bundle.to_secret())?;
    // Cannot fail: it has texts alone.
    Ok(json!(sealed))
}

/// The vaults of a daemon.
#[derive(Clone)]
pub struct Vaults {
    store: SharedStore,
    keyring: Arc<Keyring>,
}

impl Vaults {
    /// Returns the vaults in `store`, which `keyring` opens.
    pub fn new(store: SharedStore, keyring: Arc<Keyring>) -> Self {
        Self { store, keyring }
    }

    /// Returns the live credentials of these vaults: in the vaults' order, and within one the oldest first. A vault
    /// that is gone or archived has none.
    pub async fn credentials(
        &self,
        workspace: &WorkspaceId,
        vault_ids: &[String],
    ) -> Result<Vec<Credential>, VaultError> {
        let mut all = Vec::new();
        for vault_id in vault_ids {
            let query = ResourceQuery {
                workspace: workspace.clone(),
                kind: Kind::Credential,
                include_archived: false,
                created_at: TimeRange::default(),
                statuses: Vec::new(),
                labels: vec![(VAULT_LABEL.to_owned(), vault_id.clone())],
                order: Order::Ascending,
                after: None,
                limit: ROWS_MAX,
            };
            let rows = self.store.list(&query).await?;
            all.extend(rows.into_iter().map(Credential::of_row));
        }
        Ok(all)
    }

    /// Returns a live credential as it is now; none if it is gone or archived.
    pub async fn credential(
        &self,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<Option<Credential>, VaultError> {
        let key = Key {
            workspace: workspace.clone(),
            kind: Kind::Credential,
            id: id.to_owned(),
        };
        match self.store.get(&key, None).await {
            Ok(stored) if stored.archived_at.is_none() => Ok(Some(Credential { stored })),
            Ok(_) | Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a credential.
    pub fn open(&self, credential: &Credential) -> Result<Bundle, VaultError> {
        Ok(credential.open(&self.keyring)?)
    }

    /// Replaces the shown part and the secrets of a credential, if nobody changed it since it was read.
    pub async fn replace(
        &self,
        credential: &Credential,
        auth: Value,
        bundle: &Bundle,
        at: Timestamp,
    ) -> Result<Credential, VaultError> {
        let stored = &credential.stored;
        let mut body = stored.body.clone();
        body.set("auth", auth);
        if body.get(REFRESH_FAILED_FIELD).is_some() {
            body.set(REFRESH_FAILED_FIELD, Value::Null);
        }
        body.set(
            SEALED_FIELD,
            seal(&self.keyring, &credential.context(), bundle)?,
        );
        let stored = self.write(credential, body, at).await?;
        Ok(Credential { stored })
    }

    /// Writes the body of a credential, if nobody changed it since it was read; all else stays.
    async fn write(
        &self,
        credential: &Credential,
        body: Value,
        at: Timestamp,
    ) -> Result<Resource, StoreError> {
        let stored = &credential.stored;
        let unique_name = body.at(UNIQUE_NAME_FIELD).as_str().map(str::to_owned);
        let change = ResourceChange {
            body,
            new_version: false,
            unique_name,
            status: stored.status.clone(),
            archived_at: stored.archived_at,
            at,
        };
        self.store
            .update(&stored.key, stored.revision, change)
            .await
    }
}
