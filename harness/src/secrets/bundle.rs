//! The secrets of one credential, which are sealed together.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::Secret;

/// Named secrets. Its bytes are a sequence of name and value, each behind its length; all of it is wiped.
#[derive(Default)]
pub struct Bundle {
    fields: BTreeMap<String, Secret>,
}

impl Bundle {
    /// Sets a secret, and wipes the one that had its name.
    pub fn set(&mut self, name: &str, secret: Secret) {
        self.fields.insert(name.to_owned(), secret);
    }

    /// Wipes a secret.
    pub fn remove(&mut self, name: &str) {
        self.fields.remove(name);
    }

    /// Returns a secret.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.fields.get(name)
    }

    /// Returns all of it as one secret.
    pub fn to_secret(&self) -> Secret {
        // Exactly as large as it gets: memory that is moved while it grows would not be wiped.
        let length = self
            .fields
            .iter()
            .map(|(name, secret)| 8 + name.len() + secret.expose().len());
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.sum()));
        for (name, secret) in &self.fields {
            for part in [name.as_bytes(), secret.expose()] {
                let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend_from_slice(part);
            }
        }
        Secret::from_bytes(std::mem::take(&mut *bytes))
    }

    /// Reads what [`Bundle::to_secret`] made; none if it is not that.
    pub fn from_secret(secret: &Secret) -> Option<Self> {
        let mut rest = secret.expose();
        let mut bundle = Self::default();
        while !rest.is_empty() {
            let name = std::str::from_utf8(part(&mut rest)?).ok()?;
            let value = part(&mut rest)?;
            bundle.set(name, Secret::from_bytes(value.to_vec()));
        }
        Some(bundle)
    }
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (part, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    Some(part)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_is_bundled_comes_back() {
        let mut bundle = Bundle::default();
        bundle.set("token", Secret::from_text("first".to_owned()));
        bundle.set("token", Secret::from_text("näxt".to_owned()));
        bundle.set("empty", Secret::from_text(String::new()));
        let bytes = bundle.to_secret();
        let back = Bundle::from_secret(&bytes).unwrap();
        assert_eq!(back.get("token").unwrap().expose_text(), Some("näxt"));
        assert_eq!(back.get("empty").unwrap().expose(), b"");
        assert!(back.get("other").is_none());
        for cut in 1..bytes.expose().len() {
            let cut = Secret::from_bytes(bytes.expose()[..cut].to_vec());
            // A cut at the end of a pair is whole; any other is refused, and none panics.
            let _ = Bundle::from_secret(&cut);
        }
        assert!(Bundle::from_secret(&Secret::from_bytes(vec![255; 9])).is_none());
    }
}
