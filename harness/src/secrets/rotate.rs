//! Exchanging the master key: every stored data key is wrapped anew, one row at a time.
//!
//! Until the last row is done both keys open what they wrapped, so a crash anywhere leaves everything readable,
//! and running it again finishes what is left.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::envelope::{Context, SealError, Sealed, rewrap};
use super::keyring::{Keyring, KeyringError, MasterKey};
use super::source::{SourceError, load_or_create, write_keys};
use crate::json::Fields as _;
use crate::store::{Kind, Resource, ResourceChange, Store, StoreError};

/// The field of a stored body that holds the [`Sealed`] secrets; null once they are purged.
pub const SEALED_FIELD: &str = "_sealed";
/// The field of a stored body that repeats its unique name, which every write must give anew.
pub const UNIQUE_NAME_FIELD: &str = "_unique_name";
/// The kinds of rows that hold secrets.
const KINDS: [Kind; 2] = [Kind::Credential, Kind::WebhookEndpoint];
/// Rows read at once.
const PAGE: usize = 200;

/// Why a rotation stopped. What was done stays done.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row cannot be opened.
    #[error("the secret of {id}: {error}")]
    Seal {
        /// Which.
        id: String,
        /// Why.
        error: SealError,
    },
    /// The file of master keys failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No new key could be made.
    #[error(transparent)]
    Key(#[from] KeyringError),
    /// A row is not what we write.
    #[error("the stored secret of {0} is unreadable")]
    Unreadable(String),
}

/// What a rotation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rotated {
    /// Rows wrapped anew.
    pub rewrapped: usize,
    /// Rows that were already under the current key.
    pub current: usize,
}

/// Exchanges the key in a file of our own: the new one is added first, every row is wrapped anew, and the old one
/// is removed last. A file that still has earlier keys is a rotation that was cut: it is finished, without
/// another new key.
pub async fn rotate_file(store: &dyn Store, path: &Path) -> Result<Rotated, RotateError> {
    let mut keyring = load_or_create(path, has_sealed(store).await?)?;
    if keyring.earlier().is_empty() {
        keyring = keyring.with_current(MasterKey::fresh()?);
        write_keys(path, &keyring)?;
    }
    let rotated = rotate(store, &keyring).await?;
    write_keys(path, &Keyring::of(keyring.current().clone()))?;
    Ok(rotated)
}

/// Wraps every data key that is not under the keyring's current key.
pub async fn rotate(store: &dyn Store, keyring: &Keyring) -> Result<Rotated, RotateError> {
    let mut done = Rotated::default();
    for kind in KINDS {
        let mut after: Option<String> = None;
        while let Some(page) = page_after(store, kind, &mut after).await? {
            for row in &page {
                match rewrap_row(store, keyring, row).await? {
                    Some(true) => done.rewrapped += 1,
                    Some(false) => done.current += 1,
                    None => {}
                }
            }
        }
    }
    Ok(done)
}

/// Returns the rows of a kind behind `after`, which moves to the last of them; none when there are no more.
async fn page_after(
    store: &dyn Store,
    kind: Kind,
    after: &mut Option<String>,
) -> Result<Option<Vec<Resource>>, StoreError> {
    let page = store.scan(kind, after.as_deref(), PAGE).await?;
    match page.last() {
        Some(last) => {
            *after = Some(last.key.id.clone());
            Ok(Some(page))
        }
        None => Ok(None),
    }
}

/// Returns what the secrets of a row are bound to.
fn context_of(row: &Resource) -> Context {
    let (workspace, id) = (row.key.workspace.as_str(), row.key.id.as_str());
    match row.key.kind {
        Kind::WebhookEndpoint => Context::of_webhook(workspace, id),
        _ => {
            let vault_id = row.body.at("vault_id").as_str().unwrap_or_default();
            Context::of_credential(workspace, vault_id, id)
        }
    }
}

/// Wraps one row anew, and tells whether it had to be; none if it has no secrets.
async fn rewrap_row(
    store: &dyn Store,
    keyring: &Keyring,
    row: &Resource,
) -> Result<Option<bool>, RotateError> {
    let mut row = row.clone();
    loop {
        let Some(sealed) = sealed(&row)? else {
            return Ok(None);
        };
        let context = context_of(&row);
        let wrapped = rewrap(keyring, &context, &sealed).map_err(|error| RotateError::Seal {
            id: row.key.id.clone(),
            error,
        })?;
        let Some(wrapped) = wrapped else {
            return Ok(Some(false));
        };
        let mut body = row.body.clone();
        let value = serde_json::to_value(&wrapped);
        let value = value.map_err(|_| RotateError::Unreadable(row.key.id.clone()))?;
        body.set(SEALED_FIELD, value);
        let change = ResourceChange {
            unique_name: body.at(UNIQUE_NAME_FIELD).as_str().map(str::to_owned),
            body,
            new_version: false,
            status: row.status.clone(),
            archived_at: row.archived_at,
            // Nothing that anyone sees has changed.
            at: row.updated_at,
        };
        match store.update(&row.key, row.revision, change).await {
            Ok(_) => return Ok(Some(true)),
            Err(StoreError::RevisionConflict { .. }) => row = store.get(&row.key, None).await?,
            Err(StoreError::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Tells whether any stored secret needs a master key.
pub async fn has_sealed(store: &dyn Store) -> Result<bool, StoreError> {
    for kind in KINDS {
        if !store.scan(kind, None, 1).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the name of a master key that a stored secret needs and the keyring lacks.
pub async fn missing_key(
    store: &dyn Store,
    keyring: &Keyring,
) -> Result<Option<String>, RotateError> {
    for kind in KINDS {
        let mut after: Option<String> = None;
        while let Some(page) = page_after(store, kind, &mut after).await? {
            for row in &page {
                if let Some(sealed) = sealed(row)?
                    && keyring.find(sealed.key_id()).is_none()
                {
                    return Ok(Some(sealed.key_id().to_owned()));
                }
            }
        }
    }
    Ok(None)
}

fn sealed(row: &Resource) -> Result<Option<Sealed>, RotateError> {
    match row.body.at(SEALED_FIELD) {
        Value::Null => Ok(None),
        value => Sealed::deserialize(value)
            .map(Some)
            .map_err(|_| RotateError::Unreadable(row.key.id.clone())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::clock::Timestamp;
    use crate::ids::WorkspaceId;
    use crate::secrets::{Secret, load_or_create, open, seal};
    use crate::store::{Key, NewResource, SqliteOptions, SqliteStore};

    async fn add(store: &SqliteStore, keyring: &Keyring, id: &str) {
        let context = Context::of_credential("wrkspc_a", "vlt_a", id);
        let sealed = seal(keyring, &context, &Secret::from_text(format!("of {id}"))).unwrap();
        let new = NewResource {
            key: Key {
                workspace: WorkspaceId::from_text("wrkspc_a"),
                kind: Kind::Credential,
                id: id.to_owned(),
            },
            body: json!({"vault_id": "vlt_a", SEALED_FIELD: sealed, UNIQUE_NAME_FIELD: id}),
            unique_name: Some(id.to_owned()),
            status: None,
            labels: Vec::new(),
            at: Timestamp::from_second(1).unwrap(),
            events: Vec::new(),
            needs_wake: false,
            history: None,
        };
        store.create(new).await.unwrap();
    }

    /// Every row opens with the keys that a daemon would find now, and keeps its name.
    async fn all_open(store: &SqliteStore, path: &Path) {
        let keyring = load_or_create(path, true).unwrap();
        let rows = store.scan(Kind::Credential, None, 100).await.unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(missing_key(store, &keyring).await.unwrap(), None);
        for row in rows {
            let context = Context::of_credential("wrkspc_a", "vlt_a", &row.key.id);
            let secret = open(&keyring, &context, &sealed(&row).unwrap().unwrap()).unwrap();
            assert_eq!(
                secret.expose_text(),
                Some(format!("of {}", row.key.id).as_str())
            );
            assert_eq!(row.updated_at, row.created_at);
        }
    }

    #[tokio::test]
    async fn a_rotation_that_is_cut_anywhere_leaves_everything_readable_and_is_finished() {
        for cut in 0..5usize {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("master-key");
            let store =
                SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).unwrap();
            let old = load_or_create(&path, false).unwrap();
            for id in ["vcrd_a", "vcrd_b", "vcrd_c"] {
                add(&store, &old, id).await;
            }
            let both = old.with_current(MasterKey::fresh().unwrap());
            if cut > 0 {
                write_keys(&path, &both).unwrap();
            }
            let rows = store.scan(Kind::Credential, None, 100).await.unwrap();
            for row in rows.iter().take(cut.saturating_sub(1)) {
                assert_eq!(rewrap_row(&store, &both, row).await.unwrap(), Some(true));
            }
            all_open(&store, &path).await;
            let rotated = rotate_file(&store, &path).await.unwrap();
            assert_eq!(rotated.current, cut.saturating_sub(1));
            all_open(&store, &path).await;
            let now = load_or_create(&path, true).unwrap();
            assert!(now.earlier().is_empty() && now.current().id() != old.current().id());
            assert_eq!(
                cut > 0,
                now.current().id() == both.current().id(),
                "a cut rotation goes on with its own new key"
            );
            assert!(missing_key(&store, &old).await.unwrap().is_some());
            let taken = store
                .scan(Kind::Credential, None, 1)
                .await
                .unwrap()
                .remove(0);
            let again = NewResource {
                key: Key {
                    id: "vcrd_d".to_owned(),
                    ..taken.key.clone()
                },
                body: json!({}),
                unique_name: Some(taken.key.id.clone()),
                status: None,
                labels: Vec::new(),
                at: taken.created_at,
                events: Vec::new(),
                needs_wake: false,
                history: None,
            };
            let refused = store.create(again).await;
            assert!(matches!(refused, Err(StoreError::NameTaken(_))));
        }
    }
}
