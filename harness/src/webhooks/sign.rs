//! Signatures by the Standard Webhooks rules: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::Sha256;

use crate::clock::Timestamp;

/// What a secret's text starts with; the rest is the key in base64.
const PREFIX: &str = "whsec_";
/// Length of the keys we make, in bytes.
const KEY_BYTES: usize = 32;

/// An endpoint's signing secret. Not printable by accident: only [`Secret::reveal`] shows it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Makes a secret at random.
    pub fn fresh() -> Self {
        let mut key = [0u8; KEY_BYTES];
        rand::rng().fill_bytes(&mut key);
        Self(format!("{PREFIX}{}", STANDARD.encode(key)))
    }

    /// Takes a secret as it was stored.
    pub(super) fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the text: for the store, and once for who made the endpoint.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the value of the header `webhook-signature`.
    pub(super) fn signature(&self, id: &str, at: Timestamp, body: &str) -> String {
        let text = self.0.strip_prefix(PREFIX).unwrap_or(&self.0);
        let key = STANDARD.decode(text).unwrap_or_default();
        #[expect(clippy::expect_used, reason = "an HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length is a key");
        mac.update(format!("{id}.{}.{body}", at.as_second()).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_example() {
        let secret = Secret::from_stored("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        assert_eq!(
            secret.signature(
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                at,
                r#"{"test": 2432232314}"#
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_ne!(Secret::fresh().reveal(), Secret::fresh().reveal());
    }
}
