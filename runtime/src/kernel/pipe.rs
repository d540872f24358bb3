//! Bounded pipes between processes.
//!
//! A full pipe holds its writers back, an empty one its readers; when the last end of one kind is gone the others
//! learn it: readers meet the end, writers a broken pipe.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::waiters::Waiters;

/// Bytes that a pipe holds, as on Linux; without a bound a fast writer fills the host's memory.
pub(crate) const PIPE_BYTES_MAX: usize = 64 << 10;

#[derive(Debug)]
struct Pipe(Mutex<State>);

#[derive(Debug)]
struct State {
    bytes: VecDeque<u8>,
    has_reader: bool,
    has_writer: bool,
    readers: Waiters,
    writers: Waiters,
}

/// The reading end; ends with its last owner.
#[derive(Debug)]
pub(crate) struct PipeReader(Arc<Pipe>);

/// The writing end; ends with its last owner.
#[derive(Debug)]
pub(crate) struct PipeWriter(Arc<Pipe>);

/// Why a pipe cannot be read or written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PipeError {
    /// It is empty, or full.
    WouldBlock,
    /// It has no readers.
    Broken,
}

/// Makes a pipe.
pub(crate) fn pipe() -> (PipeReader, PipeWriter) {
    let pipe = Arc::new(Pipe(Mutex::new(State {
        bytes: VecDeque::new(),
        has_reader: true,
        has_writer: true,
        readers: Waiters::default(),
        writers: Waiters::default(),
    })));
    (PipeReader(Arc::clone(&pipe)), PipeWriter(pipe))
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PipeReader {
    /// Takes up to `max` bytes; none at the end.
    pub(crate) fn read(&self, max: usize) -> Result<Vec<u8>, PipeError> {
        let mut state = self.0.lock();
        if state.bytes.is_empty() {
            return if state.has_writer && max > 0 {
                Err(PipeError::WouldBlock)
            } else {
                Ok(Vec::new())
            };
        }
        let count = state.bytes.len().min(max);
        let taken = if count == state.bytes.len() {
            Vec::from(std::mem::take(&mut state.bytes))
        } else {
            state.bytes.drain(..count).collect()
        };
        state.writers.wake();
        Ok(taken)
    }

    /// Returns whether a read would not block; if it would, `waker` is woken when that changes.
    pub(crate) fn poll_ready(&self, waker: &Waker) -> bool {
        let mut state = self.0.lock();
        let is_ready = !state.bytes.is_empty() || !state.has_writer;
        if !is_ready {
            state.readers.add(waker);
        }
        is_ready
    }

    /// Returns how many bytes can be read at once.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().bytes.len()
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.has_reader = false;
        state.bytes = VecDeque::new();
        state.writers.wake();
    }
}

impl PipeWriter {
    /// Writes what fits, at least one byte, and returns how much.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize, PipeError> {
        let mut state = self.0.lock();
        if !state.has_reader {
            return Err(PipeError::Broken);
        }
        let room = PIPE_BYTES_MAX.saturating_sub(state.bytes.len());
        let (fits, _) = bytes.split_at(room.min(bytes.len()));
        if fits.is_empty() && !bytes.is_empty() {
            return Err(PipeError::WouldBlock);
        }
        state.bytes.extend(fits);
        state.readers.wake();
        Ok(fits.len())
    }

    /// Returns whether a write would not block; if it would, `waker` is woken when that changes.
    pub(crate) fn poll_ready(&self, waker: &Waker) -> bool {
        let mut state = self.0.lock();
        let is_ready = state.bytes.len() < PIPE_BYTES_MAX || !state.has_reader;
        if !is_ready {
            state.writers.add(waker);
        }
        is_ready
    }

    /// Returns how many bytes fit at once; a broken pipe takes any, to say that it is broken.
    pub(crate) fn room(&self) -> usize {
        let state = self.0.lock();
        if state.has_reader {
            PIPE_BYTES_MAX.saturating_sub(state.bytes.len())
        } else {
            PIPE_BYTES_MAX
        }
    }

    /// Writes everything, waiting for room; for the host's own side of a pipe.
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> Result<(), PipeError> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(PipeError::WouldBlock) => {
                    std::future::poll_fn(|context: &mut Context<'_>| {
                        if self.poll_ready(context.waker()) {
                            Poll::Ready(())
                        } else {
                            Poll::Pending
                        }
                    })
                    .await;
                }
                Err(PipeError::Broken) => return Err(PipeError::Broken),
            }
        }
        Ok(())
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.has_writer = false;
        state.readers.wake();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_full_pipe_holds_back_and_an_abandoned_one_breaks() {
        let (reader, writer) = pipe();
        assert_eq!(reader.read(10), Err(PipeError::WouldBlock));
        assert_eq!(
            writer.write(&vec![7; PIPE_BYTES_MAX + 1]),
            Ok(PIPE_BYTES_MAX)
        );
        assert_eq!(writer.write(b"x"), Err(PipeError::WouldBlock));
        assert!(!writer.poll_ready(Waker::noop()));
        assert_eq!(reader.read(10).unwrap().len(), 10);
        assert_eq!(writer.write(b"0123456789abc"), Ok(10));
        assert_eq!(reader.read(usize::MAX).unwrap().len(), PIPE_BYTES_MAX);
        drop(reader);
        assert!(writer.poll_ready(Waker::noop()));
        assert_eq!(writer.write(b"x"), Err(PipeError::Broken));
    }

    #[test]
    fn what_was_written_outlives_the_writer() {
        let (reader, writer) = pipe();
        writer.write(b"last words").unwrap();
        drop(writer);
        assert!(reader.poll_ready(Waker::noop()));
        assert_eq!(reader.read(4).unwrap(), b"last");
        assert_eq!(reader.read(40).unwrap(), b" words");
        assert_eq!(reader.read(40).unwrap(), b"", "the end");
    }
}
