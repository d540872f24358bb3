//! Master keys: one that wraps, and earlier ones that still unwrap.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::Zeroizing;

/// Length of a key in bytes.
pub(super) const KEY_BYTES: usize = 32;
/// Most keys of one keyring: more than a rotation ever needs.
const KEYS_MAX: usize = 16;

/// Why a text is no keyring. Never says anything of the keys themselves.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no key.
    #[error("there is no key in it")]
    Empty,
    /// A line is no key.
    #[error("line {line} is no key: expected {KEY_BYTES} bytes in base64")]
    NoKey {
        /// Which line, from 1.
        line: usize,
    },
    /// Too many keys.
    #[error("it has more than {KEYS_MAX} keys")]
    TooMany,
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(std::io::Error),
}

/// A master key: no `Debug`, wiped when dropped.
#[derive(Clone)]
pub struct MasterKey {
    key: Zeroizing<[u8; KEY_BYTES]>,
    id: String,
}

impl MasterKey {
    /// Returns a new key from the operating system's random bytes.
    pub fn fresh() -> Result<Self, KeyringError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random(&mut *key)?;
        Ok(Self::from_bytes(key))
    }

    fn from_bytes(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        // A one-way name: it tells which key wrapped something, and nothing else.
        let hash = blake3::derive_key("sinew 2026 name of a master key", &*key);
        let name: String = hash.iter().take(8).map(|b| format!("{b:02x}")).collect();
        Self {
            key,
            id: format!("mkey_{name}"),
        }
    }

    /// Returns the key's public name.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.key
    }

    /// Returns the key as a line of a keyring's text.
    pub(super) fn to_line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(KEY_BYTES * 2));
        STANDARD.encode_string(self.key.as_slice(), &mut line);
        line
    }
}

/// The master keys of a daemon.
#[derive(Clone)]
pub struct Keyring {
    current: MasterKey,
    earlier: Vec<MasterKey>,
}

impl Keyring {
    /// Returns a keyring of one key.
    pub fn of(current: MasterKey) -> Self {
        Self {
            current,
            earlier: Vec::new(),
        }
    }

    /// Adds a key that wraps from now on; the others still unwrap.
    pub fn with_current(&self, current: MasterKey) -> Self {
        let mut earlier = vec![self.current.clone()];
        earlier.extend(self.earlier.iter().cloned());
        Self { current, earlier }
    }

    /// Reads one key a line, the current one first; empty lines count for nothing.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            if text.trim().is_empty() {
                continue;
            }
            let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new);
            let bytes = bytes.map_err(|_| KeyringError::NoKey { line })?;
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            if bytes.len() != KEY_BYTES {
                return Err(KeyringError::NoKey { line });
            }
            key.copy_from_slice(&bytes);
            keys.push(MasterKey::from_bytes(key));
            if keys.len() > KEYS_MAX {
                return Err(KeyringError::TooMany);
            }
        }
        let mut keys = keys.into_iter();
        Ok(Self {
            current: keys.next().ok_or(KeyringError::Empty)?,
            earlier: keys.collect(),
        })
    }

    /// Returns the key that wraps.
    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    /// Returns the keys that only unwrap.
    pub fn earlier(&self) -> &[MasterKey] {
        &self.earlier
    }

    /// Returns the key of this name.
    pub fn find(&self, id: &str) -> Option<&MasterKey> {
        std::iter::once(&self.current)
            .chain(&self.earlier)
            .find(|key| key.id == id)
    }
}

/// Fills `bytes` from the operating system.
pub(super) fn random(mut bytes: &mut [u8]) -> Result<(), KeyringError> {
    while !bytes.is_empty() {
        match getrandom(&mut *bytes, GetRandomFlags::empty()) {
            Ok(count) => bytes = bytes.get_mut(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(KeyringError::Random(error.into())),
        }
    }
    Ok(())
}
