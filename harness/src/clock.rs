//! Time as a value: everything that needs "now" or waits takes a [`Clock`], so tests move time by hand.
//! Instants that are stored or sent are [`Timestamp`]s with microsecond precision.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
pub use jiff::Timestamp;
use tokio::sync::Notify;

/// Tells the time and waits.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// Returns the current instant, truncated to microseconds.
    fn now(&self) -> Timestamp;

    /// Returns once `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        truncate(Timestamp::now())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A clock that stands still until a test moves it.
pub struct ManualClock {
    now: Mutex<Timestamp>,
    moved: Notify,
}

impl ManualClock {
    /// Returns a clock that stands at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now: Mutex::new(truncate(now)),
            moved: Notify::new(),
        }
    }

    /// Moves the clock forward and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        {
            let mut now = self.now.lock().unwrap_or_else(|e| e.into_inner());
            *now = now.checked_add(by).unwrap_or(Timestamp::MAX);
        }
        self.moved.notify_waiters();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(|e| e.into_inner())
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now().checked_add(duration).unwrap_or(Timestamp::MAX);
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // Registered before the look at the clock, so a move in between is not missed.
            moved.as_mut().enable();
            if self.now() >= until {
                return;
            }
            moved.await;
        }
    }
}

/// Drops what is finer than a microsecond: stores and the wire keep no more.
pub fn truncate(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// Returns `at` as the wire writes it: RFC 3339 in UTC with six decimals.
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.6}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn wire_form_has_six_decimals() {
        let at = Timestamp::from_microsecond(1_700_000_000_000_001).unwrap();
        assert_eq!(rfc3339(at), "2023-11-14T22:13:20.000001Z");
    }

    #[tokio::test]
    async fn manual_clock_wakes_sleepers_when_moved_far_enough() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let sleeper = {
            let clock = clock.clone();
            tokio::spawn(async move { clock.sleep(Duration::from_secs(10)).await })
        };
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
    }
}
