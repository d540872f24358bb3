//! Keeps the start of what a tool writes to its standard output and error.
//!
//! A tool's answer is its result; these streams are its log. A talkative tool must neither fail nor fill the host's
//! memory, so what is beyond the bound is counted and dropped.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};

/// Bytes that a guest may write at a time; each write is copied by the host.
const WRITE_BYTES_MAX: usize = 64 << 10;

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

#[async_trait::async_trait]
impl Pollable for Captured {
    async fn ready(&mut self) {}
}

impl OutputStream for Captured {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(WRITE_BYTES_MAX)
    }
}

impl AsyncWrite for Captured {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl IsTerminal for Captured {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Captured {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn keeps_the_start_and_counts_the_rest() {
        let log = Captured::new(5);
        let mut stream = log.p2_stream();
        stream.write(Bytes::from_static(b"abc")).unwrap();
        stream.write(Bytes::from_static(b"defg")).unwrap();
        stream.write(Bytes::from_static(b"h")).unwrap();
        assert!(stream.check_write().unwrap() > 0, "a full log takes more");
        assert_eq!(log.text(), "abcde\n[3 more bytes]\n");
    }
}
