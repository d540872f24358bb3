//! A secret in memory.

use zeroize::Zeroizing;

/// Bytes that are shown to nobody by accident and wiped when dropped: no `Debug`, `Display` or `Serialize`.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes over the text's own memory; nothing of it is copied.
    pub fn from_text(text: String) -> Self {
        Self::from_bytes(text.into_bytes())
    }

    /// Takes over the bytes' own memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns another one of the same bytes. There is no `Clone`: copies are made where they are needed, by name.
    pub fn copy(&self) -> Self {
        Self::from_bytes(self.0.to_vec())
    }

    /// Returns the secret itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Returns the secret itself, if it is text.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}
