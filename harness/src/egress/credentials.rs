//! The `environment_variable` credentials of one session, as they are now, and the masks of every secret that it had.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::hosts::Hosts;
use super::inject::masks;
use super::placeholder::PlaceholderKey;
use super::rewrite::Table;
use crate::ids::{EventId, WorkspaceId};
use crate::json::Fields as _;
use crate::secrets::Secret;
use crate::store::StoreError;
use crate::vault::{Credential, SECRET_VALUE, VaultError, Vaults};

/// Secrets of one session that are looked for in what comes back; of more the oldest are forgotten that no credential
/// has any more. A session has at most a thousand credentials, and rotating them adds to that.
const MASKED_MAX: usize = 2_000;

/// A credential that a request may use.
pub(super) struct Usable {
    pub(super) id: String,
    /// Its variable's name.
    pub(super) name: String,
    pub(super) placeholder: String,
    pub(super) secret: Arc<Secret>,
    pub(super) hosts: Hosts,
    pub(super) in_header: bool,
    pub(super) in_body: bool,
}

impl Usable {
    /// Tells whether its secret may go to a host.
    pub(super) fn goes_to(&self, host: &str) -> bool {
        self.hosts.allow(host)
    }
}

/// The credentials of one session.
pub(super) struct Credentials {
    vaults: Vaults,
    key: PlaceholderKey,
    workspace: WorkspaceId,
    vault_ids: Vec<String>,
    /// The session's first event, which its forks share.
    first: EventId,
    known: Mutex<Known>,
    /// Held while the masks are made anew: whoever comes meanwhile waits for them.
    masking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// By the credential's id: the revision that it was opened at.
    opened: BTreeMap<String, (u64, Arc<Secret>)>,
    /// All that were ever opened, the newest last.
    seen: Vec<Arc<Secret>>,
    /// How many were ever added to `seen`, and how many of them the masks know.
    added: u64,
    masked: u64,
    masks: Arc<Table>,
}

impl Known {
    /// Takes in a secret that was opened.
    fn add(&mut self, id: &str, revision: u64, secret: &Arc<Secret>) {
        let opened = (revision, Arc::clone(secret));
        self.opened.insert(id.to_owned(), opened);
        let is_known = |seen: &Arc<Secret>| seen.expose() == secret.expose();
        if !self.seen.iter().any(is_known) {
            self.seen.push(Arc::clone(secret));
            self.added += 1;
        }
    }

    fn is_masked(&self) -> bool {
        self.masked == self.added
    }

    /// Forgets the oldest of too many.
    fn bound(&mut self) {
        let mut surplus = self.seen.len().saturating_sub(MASKED_MAX);
        let opened = &self.opened;
        self.seen.retain(|seen| {
            let is_in_use = || {
                let mut opened = opened.values();
                opened.any(|(_, secret)| secret.expose() == seen.expose())
            };
            let goes = surplus > 0 && !is_in_use();
            surplus -= usize::from(goes);
            !goes
        });
    }
}

impl Credentials {
    pub(super) fn new(
        vaults: Vaults,
        key: PlaceholderKey,
        workspace: WorkspaceId,
        vault_ids: Vec<String>,
        first: EventId,
    ) -> Self {
        Self {
            vaults,
            key,
            workspace,
            vault_ids,
            first,
            known: Mutex::default(),
            masking: tokio::sync::Mutex::default(),
        }
    }

    /// Returns the credentials as they are now: of two with one name that of the first vault.
    pub(super) async fn look(&self) -> Result<Vec<Usable>, VaultError> {
        if self.vault_ids.is_empty() {
            return Ok(Vec::new());
        }
        let stored = self
            .vaults
            .credentials(&self.workspace, &self.vault_ids)
            .await?;
        let mut usable: Vec<Usable> = Vec::new();
        let mut names = BTreeSet::new();
        for credential in stored {
            let auth = credential.auth();
            let name = auth.at("secret_name").as_str().unwrap_or_default();
            if credential.kind() != "environment_variable" || !names.insert(name.to_owned()) {
                continue;
            }
            let Some(secret) = self.open(&credential)? else {
                continue;
            };
            let location = auth.at("injection_location");
            usable.push(Usable {
                id: credential.id().to_owned(),
                name: name.to_owned(),
                placeholder: self.key.placeholder(&self.first, credential.id()),
                secret,
                hosts: Hosts::of_networking(auth.at("networking")),
                in_header: *location.at("header") == true,
                in_body: *location.at("body") == true,
            });
        }
        self.mask().await?;
        Ok(usable)
    }

    /// Returns the secret of a credential, opened once for each of its changes.
    fn open(&self, credential: &Credential) -> Result<Option<Arc<Secret>>, VaultError> {
        let (id, revision) = (credential.id(), credential.revision());
        let mut known = self.known();
        if let Some((opened, secret)) = known.opened.get(id)
            && *opened == revision
        {
            return Ok(Some(Arc::clone(secret)));
        }
        let bundle = self.vaults.open(credential)?;
        let Some(secret) = bundle.get(SECRET_VALUE) else {
            return Ok(None);
        };
        let secret = Arc::new(secret.copy());
        known.add(id, revision, &secret);
        Ok(Some(secret))
    }

    /// Makes the masks anew if they do not know all secrets, and returns once they do.
    async fn mask(&self) -> Result<(), VaultError> {
        if self.known().is_masked() {
            return Ok(());
        }
        let _turn = self.masking.lock().await;
        let (seen, added) = {
            let mut known = self.known();
            if known.is_masked() {
                return Ok(());
            }
            known.bound();
            (known.seen.clone(), known.added)
        };
        // Of many secrets that takes a while. The newest come first: they have their encodings looked for in any case.
        let newest = move || masks(seen.iter().rev().map(|secret| secret.expose()));
        let made = tokio::task::spawn_blocking(newest).await;
        let made = made.map_err(|error| StoreError::Failed(error.to_string()))?;
        let mut known = self.known();
        known.masks = Arc::new(made);
        known.masked = added;
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the masks of every secret that was opened so far, also of those that were rotated since.
    pub(super) fn masks(&self) -> Arc<Table> {
        Arc::clone(&self.known().masks)
    }
}
