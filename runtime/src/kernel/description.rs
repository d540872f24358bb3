//! Open file descriptions: what descriptors of any number of processes stand for.
//!
//! A description has one offset, which all who share it move. It ends, and with it an end of its pipe, when nobody
//! holds it any more.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use super::pipe::{PipeError, PipeReader, PipeWriter};
use super::session::Notice;
use crate::fs::{FileKind, FileTime, FsError, Node, Stat};

/// Most bytes of one read; without it a guest chooses the host's memory.
const READ_BYTES_MAX: usize = 1 << 20;

/// Takes what processes write, outside the hand. Called on the guests' threads; it may block them for as long as the
/// one behind it does.
pub trait Sink: Send + Sync {
    /// Takes some of the bytes, at least one, and returns how many.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// An open file description.
pub(crate) enum Description {
    File(OpenNode),
    Reader(PipeReader),
    Writer(PipeWriter),
    /// A FIFO, open for both.
    Both(PipeReader, PipeWriter),
    /// Written bytes leave the hand.
    Sink(Arc<dyn Sink>),
    /// Tells the persistent shell that there is something to do.
    Notice(Notice),
    /// Nothing to read.
    Empty,
    /// What a process meets under a number that it was not given.
    Closed,
}

/// A file, directory or device with an offset.
pub(crate) struct OpenNode {
    node: Node,
    offset: Mutex<u64>,
    append: bool,
}

/// Why reading or writing did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IoError {
    WouldBlock,
    BrokenPipe,
    Fs(FsError),
}

impl From<PipeError> for IoError {
    fn from(error: PipeError) -> Self {
        match error {
            PipeError::WouldBlock => Self::WouldBlock,
            PipeError::Broken => Self::BrokenPipe,
        }
    }
}

impl From<FsError> for IoError {
    fn from(error: FsError) -> Self {
        Self::Fs(error)
    }
}

/// From where an offset is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whence {
    Start,
    Current,
    End,
}

impl Description {
    pub(crate) fn file(node: Node, append: bool) -> Self {
        Self::File(OpenNode {
            node,
            offset: Mutex::new(0),
            append,
        })
    }

    /// Reads up to `max` bytes; none at the end.
    pub(crate) fn read(&self, max: usize) -> Result<Vec<u8>, IoError> {
        let max = max.min(READ_BYTES_MAX);
        match self {
            Self::File(file) => Ok(file.read(max)?),
            Self::Reader(reader) | Self::Both(reader, _) => Ok(reader.read(max)?),
            Self::Writer(_) | Self::Sink(_) | Self::Closed => Err(FsError::BadDescriptor.into()),
            Self::Notice(notice) if notice.is_given() => Ok(Vec::new()),
            Self::Notice(_) => Err(IoError::WouldBlock),
            Self::Empty => Ok(Vec::new()),
        }
    }

    /// Writes what fits and returns how much.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize, IoError> {
        match self {
            Self::File(file) => Ok(file.write(bytes)?),
            Self::Writer(writer) | Self::Both(_, writer) => Ok(writer.write(bytes)?),
            Self::Sink(_) if bytes.is_empty() => Ok(0),
            Self::Sink(sink) => sink.write(bytes).map_err(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => IoError::BrokenPipe,
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    FsError::NoSpace.into()
                }
                _ => FsError::Io.into(),
            }),
            Self::Reader(_) | Self::Notice(_) | Self::Empty | Self::Closed => {
                Err(FsError::BadDescriptor.into())
            }
        }
    }

    /// Returns whether a read would not block; if it would, `waker` is woken when that changes.
    pub(crate) fn poll_readable(&self, waker: &Waker) -> bool {
        match self {
            Self::Reader(reader) | Self::Both(reader, _) => reader.poll_ready(waker),
            Self::Notice(notice) => notice.poll_given(waker),
            Self::File(_) | Self::Writer(_) | Self::Sink(_) | Self::Empty | Self::Closed => true,
        }
    }

    /// Returns whether a write would not block; if it would, `waker` is woken when that changes.
    pub(crate) fn poll_writable(&self, waker: &Waker) -> bool {
        match self {
            Self::Writer(writer) | Self::Both(_, writer) => writer.poll_ready(waker),
            _ => true,
        }
    }

    /// Returns how many bytes a write takes at once.
    pub(crate) fn room(&self) -> usize {
        match self {
            Self::Writer(writer) | Self::Both(_, writer) => writer.room(),
            _ => READ_BYTES_MAX,
        }
    }

    /// Moves the offset and returns it.
    pub(crate) fn seek(&self, by: i64, from: Whence) -> Result<u64, FsError> {
        match self {
            Self::File(file) => file.seek(by, from),
            _ => Err(FsError::InvalidSeek),
        }
    }

    pub(crate) fn set_size(&self, size: u64) -> Result<(), FsError> {
        match self {
            Self::File(file) => file.node.set_size(size),
            _ => Err(FsError::Invalid),
        }
    }

    pub(crate) fn stat(&self) -> Result<Stat, FsError> {
        match self {
            Self::File(file) => file.node.stat(),
            Self::Reader(reader) | Self::Both(reader, _) => {
                Ok(made_up(FileKind::Fifo, reader.len() as u64))
            }
            Self::Writer(_) => Ok(made_up(FileKind::Fifo, 0)),
            Self::Sink(_) | Self::Notice(_) => Ok(made_up(FileKind::Fifo, 0)),
            Self::Empty => Ok(made_up(FileKind::CharacterDevice, 0)),
            Self::Closed => Err(FsError::BadDescriptor),
        }
    }

    pub(crate) fn is_readable(&self) -> bool {
        match self {
            Self::File(file) => file.node.is_readable(),
            Self::Reader(_) | Self::Both(..) | Self::Notice(_) | Self::Empty => true,
            Self::Writer(_) | Self::Sink(_) | Self::Closed => false,
        }
    }

    pub(crate) fn is_writable(&self) -> bool {
        match self {
            Self::File(file) => file.node.is_writable(),
            Self::Writer(_) | Self::Both(..) | Self::Sink(_) => true,
            Self::Reader(_) | Self::Notice(_) | Self::Empty | Self::Closed => false,
        }
    }

    pub(crate) fn appends(&self) -> bool {
        matches!(self, Self::File(file) if file.append)
    }
}

fn made_up(kind: FileKind, size: u64) -> Stat {
    Stat {
        kind,
        mode: 0o600,
        links: 1,
        size,
        accessed: FileTime::default(),
        modified: FileTime::default(),
        changed: FileTime::default(),
        device: 0,
        inode: 0,
        blocks: 0,
    }
}

impl OpenNode {
    fn read(&self, max: usize) -> Result<Vec<u8>, FsError> {
        let mut offset = self.offset();
        let (bytes, _) = self.node.read_part(*offset, max)?;
        *offset = offset.saturating_add(bytes.len() as u64);
        Ok(bytes)
    }

    fn write(&self, bytes: &[u8]) -> Result<usize, FsError> {
        let mut offset = self.offset();
        if self.append {
            let count = self.node.append(bytes)?;
            *offset = self.node.stat()?.size;
            return Ok(count);
        }
        let count = self.node.write_at(bytes, *offset)?;
        *offset = offset.saturating_add(count as u64);
        Ok(count)
    }

    fn seek(&self, by: i64, from: Whence) -> Result<u64, FsError> {
        // A device or directory has no place to go to; POSIX lets a device be asked.
        let mut offset = self.offset();
        let base = match from {
            Whence::Start => 0,
            Whence::Current => *offset,
            Whence::End => self.node.stat()?.size,
        };
        let place = base.checked_add_signed(by).ok_or(FsError::Invalid)?;
        if place > i64::MAX as u64 {
            return Err(FsError::Overflow);
        }
        *offset = place;
        Ok(place)
    }

    fn offset(&self) -> std::sync::MutexGuard<'_, u64> {
        self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
