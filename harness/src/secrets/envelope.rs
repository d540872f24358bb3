//! Sealing: AES-256-GCM under a random data key, and the data key under a master key.
//!
//! A data key seals once, so its nonce cannot repeat. Both layers carry the [`Context`] as associated data.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::keyring::{KEY_BYTES, Keyring, KeyringError, MasterKey, random};
use super::secret::Secret;

const NONCE_BYTES: usize = 12;

/// Why something is not sealed or opened. Names keys, never secrets.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It was wrapped under a key that is not here.
    #[error(
        "the secret is wrapped under the master key {0}, which is not among the keys given; add it \
         behind the current one"
    )]
    UnknownKey(String),
    /// It was changed, or belongs elsewhere.
    #[error("the stored secret is damaged or was made for another resource")]
    Damaged,
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] KeyringError),
    /// It is longer than the cipher takes.
    #[error("the secret is too long")]
    TooLong,
}

/// What a sealed secret is bound to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    bytes: Vec<u8>,
}

impl Context {
    /// Returns the context of a credential's secrets.
    pub fn of_credential(workspace: &str, vault_id: &str, credential_id: &str) -> Self {
        Self::of(&["sinew credential 1", workspace, vault_id, credential_id])
    }

    /// Returns the context of a webhook endpoint's signing secret.
    pub fn of_webhook(workspace: &str, endpoint_id: &str) -> Self {
        Self::of(&["sinew webhook 1", workspace, endpoint_id])
    }

    fn of(parts: &[&str]) -> Self {
        let mut bytes = Vec::new();
        for part in parts {
            // Lengths, so that no two lists of parts are the same bytes.
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Self { bytes }
    }

    /// The wrapped key is bound to the name of what wraps it as well.
    fn of_key(&self, master: &MasterKey) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.extend_from_slice(master.id().as_bytes());
        bytes
    }
}

/// A secret as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sealed {
    /// The master key's name.
    key: String,
    /// The data key: nonce and ciphertext, in base64.
    wrapped: String,
    /// The secret: nonce and ciphertext, in base64.
    data: String,
}

impl Sealed {
    /// Returns the name of the master key that it needs.
    pub fn key_id(&self) -> &str {
        &self.key
    }
}

/// Seals a secret under the keyring's current key.
pub fn seal(keyring: &Keyring, context: &Context, secret: &Secret) -> Result<Sealed, SealError> {
    let mut data_key = Zeroizing::new([0; KEY_BYTES]);
    random(&mut *data_key)?;
    let master = keyring.current();
    Ok(Sealed {
        key: master.id().to_owned(),
        wrapped: encrypt(master.bytes(), &context.of_key(master), &*data_key)?,
        data: encrypt(&data_key, &context.bytes, secret.expose())?,
    })
}

/// Opens what [`seal`] made in the same context.
pub fn open(keyring: &Keyring, context: &Context, sealed: &Sealed) -> Result<Secret, SealError> {
    let data_key = unwrap(keyring, context, sealed)?;
    decrypt(&data_key, &context.bytes, &sealed.data)
}

/// Wraps the data key under the keyring's current key; none if it is already.
pub fn rewrap(
    keyring: &Keyring,
    context: &Context,
    sealed: &Sealed,
) -> Result<Option<Sealed>, SealError> {
    let master = keyring.current();
    if sealed.key == master.id() {
        return Ok(None);
    }
    let data_key = unwrap(keyring, context, sealed)?;
    Ok(Some(Sealed {
        key: master.id().to_owned(),
        wrapped: encrypt(master.bytes(), &context.of_key(master), &*data_key)?,
        data: sealed.data.clone(),
    }))
}

fn unwrap(
    keyring: &Keyring,
    context: &Context,
    sealed: &Sealed,
) -> Result<Zeroizing<[u8; KEY_BYTES]>, SealError> {
    let master = keyring
        .find(&sealed.key)
        .ok_or_else(|| SealError::UnknownKey(sealed.key.clone()))?;
    let secret = decrypt(master.bytes(), &context.of_key(master), &sealed.wrapped)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if secret.expose().len() != KEY_BYTES {
        return Err(SealError::Damaged);
    }
    key.copy_from_slice(secret.expose());
    Ok(key)
}

fn encrypt(key: &[u8; KEY_BYTES], aad: &[u8], message: &[u8]) -> Result<String, SealError> {
    let mut nonce = [0; NONCE_BYTES];
    random(&mut nonce)?;
    let sealed = Aes256Gcm::new(key.into())
        .encrypt(&Nonce::<U12>::from(nonce), Payload { msg: message, aad })
        .map_err(|_| SealError::TooLong)?;
    let mut bytes = nonce.to_vec();
    bytes.extend_from_slice(&sealed);
    Ok(STANDARD.encode(bytes))
}

fn decrypt(key: &[u8; KEY_BYTES], aad: &[u8], text: &str) -> Result<Secret, SealError> {
    let bytes = STANDARD.decode(text).map_err(|_| SealError::Damaged)?;
    let (nonce, message) = bytes
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(SealError::Damaged)?;
    let opened = Aes256Gcm::new(key.into())
        .decrypt(&Nonce::<U12>::from(*nonce), Payload { msg: message, aad })
        .map_err(|_| SealError::Damaged)?;
    Ok(Secret::from_bytes(opened))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn keyring() -> Keyring {
        Keyring::of(MasterKey::fresh().unwrap())
    }

    fn context(credential: &str) -> Context {
        Context::of_credential("wrkspc_a", "vlt_a", credential)
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place_with_its_key() {
        let keys = keyring();
        let secret = Secret::from_text("canary".to_owned());
        let sealed = seal(&keys, &context("vcrd_a"), &secret).unwrap();
        let again = seal(&keys, &context("vcrd_a"), &secret).unwrap();
        assert!(sealed.data != again.data && sealed.wrapped != again.wrapped);
        let opened = open(&keys, &context("vcrd_a"), &sealed).unwrap();
        assert_eq!(opened.expose_text(), Some("canary"));

        let elsewhere = open(&keys, &context("vcrd_b"), &sealed);
        assert!(matches!(elsewhere, Err(SealError::Damaged)));
        let shifted = Context::of_credential("wrkspc_a", "vlt_", "avcrd_a");
        assert!(open(&keys, &shifted, &sealed).is_err());
        let stranger = open(&keyring(), &context("vcrd_a"), &sealed);
        assert!(matches!(stranger, Err(SealError::UnknownKey(id)) if id == keys.current().id()));
        let mixed = Sealed {
            wrapped: again.wrapped,
            ..sealed.clone()
        };
        assert!(open(&keys, &context("vcrd_a"), &mixed).is_err());
        for text in ["", "AAAA", "no base64!"] {
            let broken = Sealed {
                data: text.to_owned(),
                ..sealed.clone()
            };
            assert!(open(&keys, &context("vcrd_a"), &broken).is_err());
        }
    }

    #[test]
    fn a_rewrapped_secret_needs_the_old_key_no_more() {
        let old = keyring();
        let secret = Secret::from_text("canary".to_owned());
        let sealed = seal(&old, &context("vcrd_a"), &secret).unwrap();
        let both = old.with_current(MasterKey::fresh().unwrap());
        assert!(open(&both, &context("vcrd_a"), &sealed).is_ok());
        assert!(rewrap(&both, &context("vcrd_b"), &sealed).is_err());
        let moved = rewrap(&both, &context("vcrd_a"), &sealed).unwrap().unwrap();
        let new = Keyring::of(both.current().clone());
        let opened = open(&new, &context("vcrd_a"), &moved).unwrap();
        assert_eq!(opened.expose_text(), Some("canary"));
        assert!(open(&old, &context("vcrd_a"), &moved).is_err());
        assert_eq!(rewrap(&new, &context("vcrd_a"), &moved).unwrap(), None);
    }
}
