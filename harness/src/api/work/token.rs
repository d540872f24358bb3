//! The token of a work item: what its worker proves itself with.
//!
//! The token names its item, and the item holds the token's hash, so a token lasts exactly as long as the
//! item is its holder's. The item remembers the tokens it took back: who lost it may ask and is told so.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::item::{Item, WorkState, key};
use crate::api::ApiError;
use crate::api::auth::{Caller, Credential, WorkGrant};
use crate::api::keys::{WORK_TOKEN_PREFIX, fresh_secret, hash};
use crate::ids::{EnvironmentId, SessionId, WorkId, WorkspaceId};
use crate::store::{Key, Store, StoreError};

/// Returns a fresh token of an item, and its hash.
pub(super) fn fresh(item: &Key) -> (String, String) {
    let content = format!("{}/{}/{}", item.workspace, item.id, fresh_secret(""));
    let token = format!("{WORK_TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(content));
    let hash = hash(&token);
    (token, hash)
}

/// Returns what a poll gives to the worker: base64url of `{"sessions_token": ...}`.
pub(super) fn secret(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(json!({ "sessions_token": token }).to_string())
}

/// Returns the worker behind a token, `None` for one that its item does not know.
pub(in crate::api) async fn find_token(
    store: &dyn Store,
    token: &str,
) -> Result<Option<Caller>, ApiError> {
    let Some((workspace, work_id)) = item_of(token) else {
        return Ok(None);
    };
    let stored = match store.get(&key(&workspace, &work_id), None).await {
        Ok(stored) => stored,
        Err(StoreError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Item { state, content, .. } = Item::read(&stored)?;
    let hash = hash(token);
    let is_newest = content.token.as_ref() == Some(&hash);
    if !is_newest && !content.old_tokens.contains(&hash) {
        return Ok(None);
    }
    Ok(Some(Caller {
        workspace,
        key_id: None,
        credential: Credential::Work(WorkGrant {
            work_id: WorkId::from_text(work_id),
            environment_id: EnvironmentId::from_text(content.environment_id),
            session_id: SessionId::from_text(content.session_id),
            is_held: is_newest && state != WorkState::Stopped,
        }),
    }))
}

fn item_of(token: &str) -> Option<(WorkspaceId, String)> {
    let content = URL_SAFE_NO_PAD
        .decode(token.strip_prefix(WORK_TOKEN_PREFIX)?)
        .ok()?;
    let content = String::from_utf8(content).ok()?;
    // From the right: a workspace is named by others and may hold anything.
    let mut parts = content.rsplitn(3, '/');
    let (_random, work_id, workspace) = (parts.next()?, parts.next()?, parts.next()?);
    Some((WorkspaceId::from_text(workspace), work_id.to_owned()))
}
