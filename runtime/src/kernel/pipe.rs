//! Bounded pipes between processes.
//!
//! A full pipe holds its writers back, an empty one its readers; when the last end of one kind is gone the others
//! learn it: readers meet the end, writers a broken pipe.
//!
//! A FIFO is a pipe of which ends are opened at any time. Opening one never waits: instead its first reader waits for
//! bytes until a writer has come, and bytes of a writer are kept until a reader has come.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::waiters::Waiters;

/// Bytes that a pipe holds, as on Linux; without a bound a fast writer fills the host's memory.
pub(crate) const PIPE_BYTES_MAX: usize = 64 << 10;

#[derive(Debug, Default)]
pub(super) struct Pipe(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    readers_open: usize,
    writers_open: usize,
    /// A reader has come since the first of the writers did; without one the pipe is not broken but young.
    had_reader: bool,
    /// A writer has come since the first of the readers did; without one the pipe is not at its end but young.
    had_writer: bool,
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
    let pipe = Arc::new(Pipe::default());
    (pipe.open_reader(), pipe.open_writer())
}

impl Pipe {
    /// Opens another end to read from.
    pub(super) fn open_reader(self: &Arc<Self>) -> PipeReader {
        let mut state = self.lock();
        state.readers_open += 1;
        state.had_reader = true;
        PipeReader(Arc::clone(self))
    }

    /// Opens another end to write to.
    pub(super) fn open_writer(self: &Arc<Self>) -> PipeWriter {
        let mut state = self.lock();
        state.writers_open += 1;
        state.had_writer = true;
        PipeWriter(Arc::clone(self))
    }

    /// Returns whether nobody has it open and nothing is in it.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.readers_open == 0 && state.writers_open == 0 && state.bytes.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_be_written(&self) -> bool {
        self.writers_open > 0 || !self.had_writer
    }

    fn may_be_read(&self) -> bool {
        self.readers_open > 0 || !self.had_reader
    }

    /// Makes a FIFO that nobody has open as it was at first.
    fn rejuvenate(&mut self) {
        self.bytes = VecDeque::new();
        self.had_reader = false;
        self.had_writer = false;
    }
}

impl PipeReader {
    /// Takes up to `max` bytes; none at the end.
    pub(crate) fn read(&self, max: usize) -> Result<Vec<u8>, PipeError> {
        let mut state = self.0.lock();
        if state.bytes.is_empty() {
            return if state.may_be_written() && max > 0 {
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
        let is_ready = !state.bytes.is_empty() || !state.may_be_written();
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
        state.readers_open -= 1;
        if state.readers_open == 0 {
            state.bytes = VecDeque::new();
            if state.writers_open == 0 {
                state.rejuvenate();
            }
            state.writers.wake();
        }
    }
}

impl PipeWriter {
    /// Writes what fits, at least one byte, and returns how much.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize, PipeError> {
        let mut state = self.0.lock();
        if !state.may_be_read() {
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
        let is_ready = state.bytes.len() < PIPE_BYTES_MAX || !state.may_be_read();
        if !is_ready {
            state.writers.add(waker);
        }
        is_ready
    }

    /// Returns how many bytes fit at once; a broken pipe takes any, to say that it is broken.
    pub(crate) fn room(&self) -> usize {
        let state = self.0.lock();
        if state.may_be_read() {
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
        state.writers_open -= 1;
        if state.writers_open == 0 {
            if state.readers_open == 0 && (state.had_reader || state.bytes.is_empty()) {
                state.rejuvenate();
            }
            state.readers.wake();
        }
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
    fn a_fifo_waits_for_its_other_side_and_begins_anew() {
        let fifo = Arc::new(Pipe::default());
        for round in 0..2 {
            let reader = fifo.open_reader();
            assert_eq!(reader.read(9), Err(PipeError::WouldBlock), "{round}");
            let (one, other) = (fifo.open_writer(), fifo.open_writer());
            one.write(b"1").unwrap();
            drop(one);
            assert_eq!(reader.read(9).unwrap(), b"1");
            assert_eq!(reader.read(9), Err(PipeError::WouldBlock), "{round}");
            drop(other);
            assert_eq!(reader.read(9).unwrap(), b"", "the end");
        }
        let early = fifo.open_writer();
        early.write(b"early").unwrap();
        drop(early);
        assert!(!fifo.is_idle());
        let reader = fifo.open_reader();
        assert_eq!(reader.read(9).unwrap(), b"early");
        assert_eq!(reader.read(9).unwrap(), b"", "the end");
        let writer = fifo.open_writer();
        drop(reader);
        assert_eq!(writer.write(b"x"), Err(PipeError::Broken));
        drop(writer);
        assert!(fifo.is_idle());
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
