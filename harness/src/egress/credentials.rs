//! The `environment_variable` credentials of one session, as they are now, and the masks of every secret that it had.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::hosts::Hosts;
use super::inject::masks;
use super::placeholder::PlaceholderKey;
use super::rewrite::Table;
use crate::ids::{EventId, WorkspaceId};
use crate::json::Fields as _;
use crate::secrets::Secret;
use crate::vault::{Credential, SECRET_VALUE, VaultError, Vaults};

/// Secrets of one session that are looked for in what comes back; the oldest of more are forgotten. A session has at
/// most a thousand credentials, and rotating them adds to that.
const MASKED_MAX: usize = 2_000;

/// A credential that a request may use.
pub(super) struct Usable {
    pub(super) id: String,
    /// Its variable's name.
    pub(super) name: String,
    pub(super) placeholder: String,
    pub(super) secret: Arc<Secret>,
    hosts: Hosts,
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
}

#[derive(Default)]
struct Known {
    /// By the credential's id: the revision that it was opened at.
    opened: BTreeMap<String, (u64, Arc<Secret>)>,
    /// All that were ever opened, the newest last.
    seen: Vec<Arc<Secret>>,
    masks: Arc<Table>,
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
        for credential in stored {
            let auth = credential.auth();
            let name = auth.at("secret_name").as_str().unwrap_or_default();
            if credential.kind() != "environment_variable"
                || usable.iter().any(|other| other.name == name)
            {
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
        Ok(usable)
    }

    /// Returns the secret of a credential, opened once for each of its changes.
    fn open(&self, credential: &Credential) -> Result<Option<Arc<Secret>>, VaultError> {
        let (id, revision) = (credential.id(), credential.revision());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((opened, secret)) = known.opened.get(id)
            && *opened == revision
        {
            return Ok(Some(Arc::clone(secret)));
        }
        let bundle = self.vaults.open(credential)?;
        let Some(secret) = bundle.get(SECRET_VALUE) else {
            return Ok(None);
        };
        let secret = Arc::new(Secret::from_bytes(secret.expose().to_vec()));
        known
            .opened
            .insert(id.to_owned(), (revision, Arc::clone(&secret)));
        let is_new = !known
            .seen
            .iter()
            .any(|seen| seen.expose() == secret.expose());
        if is_new {
            known.seen.push(Arc::clone(&secret));
            let surplus = known.seen.len().saturating_sub(MASKED_MAX);
            known.seen.drain(..surplus);
            let all = masks(known.seen.iter().map(|secret| secret.expose()));
            known.masks = Arc::new(all);
        }
        Ok(Some(secret))
    }

    /// Returns the masks of every secret that was opened so far, also of those that were rotated since.
    pub(super) fn masks(&self) -> Arc<Table> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&known.masks)
    }
}
