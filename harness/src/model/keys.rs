//! Keys for a provider: a pool that rotates, rests the keys that were refused, and keeps keys out of texts.
//!
//! An [`ApiKey`] has no Debug, Display or Serialize; the only way out is the header of a request. Every text
//! that came from a provider passes [`KeyPool::redact`] before anyone else sees it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use serde::{Deserialize, Deserializer};

use super::ModelError;
use crate::clock::{Clock, Timestamp};

/// Most keys of one pool; each failing request may try all of them.
pub const KEYS_MAX: usize = 64;

/// How long a key rests after 429 when the provider names no time.
pub const LIMITED_REST: Duration = Duration::from_secs(30);

/// How long a key rests after 401 or 403.
pub const REFUSED_REST: Duration = Duration::from_secs(600);

/// Shorter texts are not searched for in messages: they would be found in ordinary words.
const REDACTED_BYTES_MIN: usize = 6;

/// A provider's key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key; `None` if it is empty or cannot stand in a header.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_usable = !text.is_empty() && HeaderValue::from_str(text).is_ok();
        is_usable.then(|| Self(text.to_owned()))
    }

    /// Returns the header value `{prefix}{key}`, marked so that HTTP traces leave it out.
    pub(super) fn header(&self, prefix: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl<'de> Deserialize<'de> for ApiKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The message must not repeat what it refuses.
        Self::new(&text).ok_or_else(|| {
            serde::de::Error::custom(
                "an API key is empty or holds characters a header cannot carry",
            )
        })
    }
}

/// What a provider's refusal says about the key that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyFault {
    /// 401 or 403.
    Refused,
    /// 429, with the time to wait where it was told.
    Limited(Option<Duration>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Refused,
    Limited,
}

struct KeyState {
    key: ApiKey,
    /// Why and until when other keys are preferred.
    rest: Option<(Rest, Timestamp)>,
}

struct PoolState {
    keys: Vec<KeyState>,
    /// Where the next request begins, so that load spreads.
    next: usize,
}

/// The keys of one provider. Empty pools are legal: local servers ask for none.
pub(super) struct KeyPool {
    state: Mutex<PoolState>,
    clock: Arc<dyn Clock>,
}

impl KeyPool {
    /// Makes a pool of at most [`KEYS_MAX`] keys, without repetitions.
    pub(super) fn new(keys: Vec<ApiKey>, clock: Arc<dyn Clock>) -> Self {
        let mut unique: Vec<KeyState> = Vec::new();
        for key in keys {
            if unique.len() < KEYS_MAX && unique.iter().all(|held| held.key != key) {
                unique.push(KeyState { key, rest: None });
            }
        }
        Self {
            state: Mutex::new(PoolState {
                keys: unique,
                next: 0,
            }),
            clock,
        }
    }

    /// Returns the keys to try, in order; empty only for an empty pool.
    ///
    /// Rested keys come in rotation. When all keys rest and one of them only waits for its rate limit, the
    /// answer is known without asking. When all were refused, all are tried again: they may have been
    /// allowed since, and a person is waiting.
    pub(super) fn candidates(&self) -> Result<Vec<(usize, ApiKey)>, ModelError> {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let count = state.keys.len();
        let first = state.next;
        state.next = (first + 1) % count.max(1);
        let rotation = || {
            let keys = state.keys.iter().enumerate().cycle();
            keys.skip(first).take(count)
        };
        let is_ready = |held: &KeyState| held.rest.is_none_or(|(_, until)| until <= now);
        let ready: Vec<_> = rotation()
            .filter(|(_, held)| is_ready(held))
            .map(|(index, held)| (index, held.key.clone()))
            .collect();
        if !ready.is_empty() || count == 0 {
            return Ok(ready);
        }
        let limited_until = rotation()
            .filter_map(|(_, held)| held.rest)
            .filter_map(|(rest, until)| (rest == Rest::Limited).then_some(until))
            .min();
        match limited_until {
            Some(until) => Err(ModelError::RateLimited {
                message: "every key waits for its rate limit".into(),
                retry_after: Some(
                    Duration::try_from(until.duration_since(now)).unwrap_or_default(),
                ),
            }),
            None => Ok(rotation()
                .map(|(index, held)| (index, held.key.clone()))
                .collect()),
        }
    }

    /// Lets a key rest after a refusal.
    pub(super) fn report(&self, index: usize, fault: KeyFault) {
        let now = self.clock.now();
        let (rest, duration) = match fault {
            KeyFault::Refused => (Rest::Refused, REFUSED_REST),
            KeyFault::Limited(after) => (Rest::Limited, after.unwrap_or(LIMITED_REST)),
        };
        let until = now.checked_add(duration).unwrap_or(Timestamp::MAX);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = state.keys.get_mut(index) {
            held.rest = Some((rest, until));
        }
    }

    /// Returns `text` without any key of the pool: providers repeat keys in their error messages.
    pub(super) fn redact(&self, text: &str) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<&str> = state.keys.iter().map(|held| held.key.0.as_str()).collect();
        // A key may begin with another one: the longer goes first, or its end would stay behind.
        keys.sort_unstable_by_key(|key| std::cmp::Reverse(key.len()));
        keys.iter()
            .filter(|key| key.len() >= REDACTED_BYTES_MIN)
            .fold(text.to_owned(), |text, key| text.replace(key, "[key]"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;
    use crate::clock::ManualClock;

    fn pool(keys: &[&str]) -> (KeyPool, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let keys = keys.iter().map(|key| ApiKey::new(key).unwrap()).collect();
        (KeyPool::new(keys, clock.clone()), clock)
    }

    fn order(pool: &KeyPool) -> Vec<usize> {
        let keys = pool.candidates().unwrap();
        keys.into_iter().map(|(index, _)| index).collect()
    }

    #[test]
    fn keys_rotate_and_rest() {
        let (pool, clock) = pool(&["key-a", "key-b", "key-c", "key-a"]);
        assert_eq!(order(&pool), [0, 1, 2]);
        assert_eq!(order(&pool), [1, 2, 0]);

        pool.report(0, KeyFault::Limited(None));
        pool.report(1, KeyFault::Refused);
        assert_eq!(order(&pool), [2]);
        clock.advance(LIMITED_REST);
        assert_eq!(order(&pool), [0, 2]);
        clock.advance(REFUSED_REST - LIMITED_REST);
        assert_eq!(order(&pool), [1, 2, 0]);
    }

    #[test]
    fn a_wholly_resting_pool_waits_or_asks_again() {
        let (pool, clock) = pool(&["key-a", "key-b"]);
        pool.report(0, KeyFault::Refused);
        pool.report(1, KeyFault::Limited(Some(Duration::from_secs(7))));
        clock.advance(Duration::from_secs(2));
        match pool.candidates() {
            Err(error @ ModelError::RateLimited { .. }) => {
                assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
            }
            _ => panic!("expected the rate limit"),
        }
        pool.report(1, KeyFault::Refused);
        assert_eq!(order(&pool).len(), 2);
    }

    #[test]
    fn texts_lose_the_keys() {
        let (pool, _) = pool(&["sk-canary-123456", "sk-canary-1234567"]);
        let text = "no: sk-canary-123456, \"sk-canary-1234567\"";
        assert_eq!(pool.redact(text), "no: [key], \"[key]\"");
    }

    #[test]
    fn a_bad_key_is_refused_without_being_repeated() {
        let error = serde_json::from_str::<ApiKey>("\"canary\\nx\"")
            .err()
            .unwrap();
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
