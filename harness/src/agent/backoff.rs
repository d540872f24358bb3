//! How long to wait before a failed model request is tried again.

use std::time::Duration;

use rand::RngExt;

/// Exponential backoff with jitter; a provider's own `retry-after` wins.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Wait before the second attempt.
    pub first: Duration,
    /// Longest wait, also for what a provider asks.
    pub max: Duration,
    /// The largest part of a wait that is left out at random, 0 to 1, so that many sessions do not come back at once.
    pub spread: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            max: Duration::from_secs(60),
            spread: 0.25,
        }
    }
}

impl Backoff {
    /// Returns the wait after `failures` failed attempts (at least 1): doubled each time, less the
    /// spread.
    pub fn wait(&self, failures: u32, retry_after: Option<Duration>) -> Duration {
        if let Some(asked) = retry_after {
            return asked.min(self.max);
        }
        let doubled = self
            .first
            .saturating_mul(1u32 << failures.saturating_sub(1).min(16))
            .min(self.max);
        let least = 1.0 - self.spread.clamp(0.0, 1.0);
        doubled.mul_f64(rand::rng().random_range(least..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_maximum_and_honours_the_provider() {
        let backoff = Backoff {
            first: Duration::from_secs(1),
            max: Duration::from_secs(10),
            ..Backoff::default()
        };
        for (failures, most) in [(1, 1), (2, 2), (3, 4), (5, 10), (u32::MAX, 10)] {
            let wait = backoff.wait(failures, None);
            let most = Duration::from_secs(most);
            assert!(
                wait <= most && wait >= most.mul_f64(0.75),
                "{failures}: {wait:?}"
            );
        }
        let asked = Some(Duration::from_secs(3));
        assert_eq!(backoff.wait(1, asked), Duration::from_secs(3));
        let asked = Some(Duration::from_secs(3_000));
        assert_eq!(backoff.wait(1, asked), Duration::from_secs(10));
    }
}
