//! The token for one server: looked up at each use, refreshed when it has run out or was refused.

use std::sync::{Arc, Mutex, PoisonError};

use super::oauth::{Attempt, Refreshed, Refresher};
use crate::clock::Timestamp;
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::secrets::{Bundle, Secret};
use crate::vault::{ACCESS_TOKEN, Credential, TOKEN, VaultError};

/// How long before its end a token counts as run out, in seconds: the request has a way to go.
const EXPIRY_MARGIN_SECONDS: i64 = 30;

/// A stored credential.
struct Source {
    refresher: Arc<Refresher>,
    workspace: WorkspaceId,
    id: String,
}

/// Where the tokens of one server come from.
pub(super) struct Bearer {
    source: Option<Source>,
    /// What the last refresh came to.
    attempt: Mutex<Option<Tried>>,
}

/// What a refresh came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Tried {
    /// There is another token.
    Succeeded,
    /// The credential has nothing to refresh with.
    NoRefreshToken,
    /// There is none.
    Failed(Attempt),
}

/// A token to send.
pub(super) struct Current {
    pub(super) token: Secret,
    /// It has run out and could not be refreshed; it is sent all the same, since the server's word counts.
    pub(super) is_stale: bool,
}

impl Bearer {
    /// Returns the source of no token at all.
    pub(super) fn none() -> Self {
        Self {
            source: None,
            attempt: Mutex::default(),
        }
    }

    /// Returns the source that a stored credential is.
    pub(super) fn of(refresher: Arc<Refresher>, credential: &Credential) -> Self {
        Self {
            source: Some(Source {
                refresher,
                workspace: credential.workspace().clone(),
                id: credential.id().to_owned(),
            }),
            attempt: Mutex::default(),
        }
    }

    /// Returns what the last refresh came to, if there was one.
    pub(super) fn tried(&self) -> Option<Tried> {
        let attempt = self.attempt.lock();
        attempt.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the token to send now; none if there is no credential any more.
    pub(super) async fn current(&self) -> Result<Option<Current>, VaultError> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let vaults = source.refresher.vaults();
        let credential = vaults.credential(&source.workspace, &source.id).await?;
        let Some(credential) = credential else {
            return Ok(None);
        };
        let Some(token) = token_of(&credential, &vaults.open(&credential)?) else {
            return Ok(None);
        };
        if !has_run_out(&credential, source.refresher.now()) {
            let is_stale = false;
            return Ok(Some(Current { token, is_stale }));
        }
        Ok(Some(match self.renewed(&token).await? {
            Some(token) => Current {
                token,
                is_stale: false,
            },
            None => Current {
                token,
                is_stale: true,
            },
        }))
    }

    /// Returns another token than the one that the server refused; none if there is none to be had.
    pub(super) async fn renewed(&self, refused: &Secret) -> Result<Option<Secret>, VaultError> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let refresher = &source.refresher;
        let refreshed = refresher.refresh(&source.workspace, &source.id, refused);
        let (token, tried) = match refreshed.await? {
            Refreshed::Token(token) => (Some(token), Tried::Succeeded),
            Refreshed::NotRefreshable => (None, Tried::NoRefreshToken),
            Refreshed::Failed(attempt) => (None, Tried::Failed(attempt)),
        };
        *self.attempt.lock().unwrap_or_else(PoisonError::into_inner) = Some(tried);
        Ok(token)
    }
}

/// Returns the token of a credential with these secrets.
pub(super) fn token_of(credential: &Credential, secrets: &Bundle) -> Option<Secret> {
    let name = match credential.kind() {
        "static_bearer" => TOKEN,
        "mcp_oauth" => ACCESS_TOKEN,
        _ => return None,
    };
    secrets.get(name).map(Secret::copy)
}

fn has_run_out(credential: &Credential, now: Timestamp) -> bool {
    let at = credential.auth().at("expires_at").as_str();
    let at: Option<Timestamp> = at.and_then(|at| at.parse().ok());
    at.is_some_and(|at| at.as_second() - EXPIRY_MARGIN_SECONDS <= now.as_second())
}
