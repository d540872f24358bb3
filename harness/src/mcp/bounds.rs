//! What a server may make the host do, beyond the size of a message.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Most values in one JSON message: in memory each takes many times its text.
const VALUES_MAX: usize = 500_000;
/// Most requests of a server's own, such as pings, that are answered in a minute.
const ANSWERS_PER_MINUTE_MAX: u32 = 60;
/// What rates are counted over.
const WINDOW: Duration = Duration::from_secs(60);

/// Tells whether a JSON text has few enough values to be read. What stands in strings does not count.
pub(super) fn is_readable(json: &str) -> bool {
    let mut values = 0usize;
    let mut is_text = false;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_text = !is_text,
            b'\\' if is_text => {
                bytes.next();
            }
            b'{' | b'[' | b',' if !is_text => values += 1,
            _ => {}
        }
    }
    values <= VALUES_MAX
}

/// How often something may happen in a minute.
pub(super) struct Rate {
    per_minute: u32,
    window: Mutex<Option<(Instant, u32)>>,
}

impl Rate {
    pub(super) fn per_minute(per_minute: u32) -> Self {
        Self {
            per_minute,
            window: Mutex::default(),
        }
    }

    /// Returns the rate of the requests of a server's own that are answered.
    pub(super) fn of_answers() -> Self {
        Self::per_minute(ANSWERS_PER_MINUTE_MAX)
    }

    /// Counts one more, and tells whether it may happen.
    pub(super) fn take(&self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&self, now: Instant) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, count) = window.get_or_insert((now, 0));
        if now.duration_since(*start) >= WINDOW {
            (*start, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= self.per_minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_values_are_not_read() {
        let many = format!("[{}0]", "{\"\":0},".repeat(VALUES_MAX));
        assert!(!is_readable(&many));
        let text = format!("[\"{}\\\"{{[\"]", ",".repeat(2 * VALUES_MAX));
        assert!(is_readable(&text));
        assert!(is_readable("{\"a\":[1,2]}") && is_readable("") && is_readable("\"\\"));
    }

    #[test]
    fn a_rate_is_counted_anew_each_minute() {
        let rate = Rate::per_minute(2);
        let start = Instant::now();
        let taken =
            [0, 1, 59, 60, 61].map(|second| rate.take_at(start + Duration::from_secs(second)));
        assert_eq!(taken, [true, true, false, true, true]);
    }
}
