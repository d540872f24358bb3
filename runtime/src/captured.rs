//! Keeps the start of what a tool writes to its standard output and error.
//!
//! A tool's answer is its result; these streams are its log. A talkative tool must neither fail nor fill the host's
//! memory, so what is beyond the bound is counted and dropped.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kernel::Sink;

/// A bounded log that all streams made from it share.
#[derive(Clone)]
pub(crate) struct Captured(Arc<Mutex<Buffer>>);

struct Buffer {
    bytes: Vec<u8>,
    bytes_max: usize,
    dropped_bytes: u64,
}

impl Captured {
    /// Returns an empty log that keeps `bytes_max` bytes.
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self(Arc::new(Mutex::new(Buffer {
            bytes: Vec::new(),
            bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
            dropped_bytes: 0,
        })))
    }

    pub(crate) fn append(&self, bytes: &[u8]) {
        let mut buffer = self.lock();
        let room = buffer.bytes_max.saturating_sub(buffer.bytes.len());
        let (kept, dropped) = bytes.split_at(room.min(bytes.len()));
        buffer.bytes.extend_from_slice(kept);
        buffer.dropped_bytes += dropped.len() as u64;
    }

    /// Returns what was kept, as text, with a last line that says what was dropped.
    pub(crate) fn text(&self) -> String {
        let buffer = self.lock();
        let mut text = String::from_utf8_lossy(&buffer.bytes).into_owned();
        if buffer.dropped_bytes > 0 {
            text.push_str(&format!("\n[{} more bytes]\n", buffer.dropped_bytes));
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Captured {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes);
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn keeps_the_start_and_counts_the_rest() {
        let log = Captured::new(5);
        assert_eq!(log.write(b"abc").unwrap(), 3);
        assert_eq!(log.write(b"defg").unwrap(), 4);
        assert_eq!(log.write(b"h").unwrap(), 1, "a full log takes more");
        assert_eq!(log.text(), "abcde\n[3 more bytes]\n");
    }
}
