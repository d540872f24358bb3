//! What a hand sees in place of a secret.

use std::fmt::Write as _;

use crate::ids::EventId;

/// How every placeholder begins. All of it is letters, digits and underscores: no encoding of URLs, forms, JSON or
/// shells changes it.
const PREFIX: &str = "sinew_placeholder_";

/// Makes placeholders that nobody else can.
#[derive(Clone)]
pub(super) struct PlaceholderKey([u8; 32]);

impl PlaceholderKey {
    /// Returns the key of the store with this name, which is random and never shown to guests.
    pub(super) fn of_store(name: &str) -> Self {
        Self(blake3::derive_key(
            "sinew 2026 placeholders of credentials",
            name.as_bytes(),
        ))
    }

    /// Returns the placeholder of a credential for a session whose log begins with this event. Forks begin with the
    /// same one, and what their shells remember stays true.
    pub(super) fn placeholder(&self, first: &EventId, credential_id: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in [first.as_str(), credential_id] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut text = PREFIX.to_owned();
        for byte in hasher.finalize().as_bytes().iter().take(20) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_its_credentials_and_its_sessions() {
        let key = PlaceholderKey::of_store("a");
        let first = EventId::from_text("sevt_1");
        let made = key.placeholder(&first, "vcrd_1");
        assert_eq!(made.len(), PREFIX.len() + 40);
        assert_eq!(made, key.placeholder(&first, "vcrd_1"));
        assert_ne!(made, key.placeholder(&first, "vcrd_2"));
        assert_ne!(
            made,
            key.placeholder(&EventId::from_text("sevt_2"), "vcrd_1")
        );
        assert_ne!(
            made,
            PlaceholderKey::of_store("b").placeholder(&first, "vcrd_1")
        );
    }
}
