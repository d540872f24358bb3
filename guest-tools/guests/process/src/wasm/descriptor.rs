//! Descriptors.

use super::bindings::sinew::process::{descriptors as host, processes};
use super::paths;
use crate::{Errno, Kind, OpenHow, Stat, Whence};

#[derive(Debug)]
pub(crate) struct Descriptor(pub(super) host::Descriptor);

impl Descriptor {
    pub(crate) fn read(&self, max: usize) -> Result<Vec<u8>, Errno> {
        self.0
            .read(u32::try_from(max).unwrap_or(u32::MAX))
            .map_err(Errno::from)
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        Ok(self.0.write(bytes)? as usize)
    }

    pub(crate) fn seek(&self, offset: i64, whence: Whence) -> Result<u64, Errno> {
        let whence = match whence {
            Whence::Start => host::Whence::Start,
            Whence::Current => host::Whence::Current,
            Whence::End => host::Whence::End,
        };
        self.0.seek(offset, whence).map_err(Errno::from)
    }

    pub(crate) fn set_size(&self, size: u64) -> Result<(), Errno> {
        self.0.set_size(size).map_err(Errno::from)
    }

    pub(crate) fn stat(&self) -> Result<Stat, Errno> {
        self.0
            .stat()
            .map(|stat| paths::convert(&stat))
            .map_err(Errno::from)
    }

    #[allow(clippy::unnecessary_wraps, reason = "the other backend can fail")]
    pub(crate) fn duplicate(&self) -> Result<Self, Errno> {
        Ok(Self(self.0.duplicate()))
    }

    pub(crate) fn access(&self) -> OpenHow {
        let flags = self.0.access();
        OpenHow {
            read: flags.contains(host::OpenFlags::READ),
            write: flags.contains(host::OpenFlags::WRITE),
            append: flags.contains(host::OpenFlags::APPEND),
            ..OpenHow::default()
        }
    }

    /// A hand has no terminal but `/dev/tty`, which is the one character device that both reads and seeks like none:
    /// nothing counts as a terminal, so that programs write for a reader that is no person.
    #[allow(clippy::unused_self, reason = "the other backend asks")]
    pub(crate) fn is_terminal(&self) -> bool {
        false
    }
}

pub(crate) fn pipe() -> Result<(Descriptor, Descriptor), Errno> {
    let (reader, writer) = host::pipe()?;
    Ok((Descriptor(reader), Descriptor(writer)))
}

pub(crate) fn take(number: u32) -> Option<Descriptor> {
    processes::take(number).map(Descriptor)
}

pub(crate) fn given() -> Vec<u32> {
    let mut numbers = processes::given();
    numbers.sort_unstable();
    numbers
}

impl From<host::Kind> for Kind {
    fn from(kind: host::Kind) -> Self {
        match kind {
            host::Kind::Regular => Self::Regular,
            host::Kind::Directory => Self::Directory,
            host::Kind::Symlink => Self::Symlink,
            host::Kind::Fifo => Self::Fifo,
            host::Kind::CharacterDevice => Self::CharacterDevice,
            host::Kind::BlockDevice => Self::BlockDevice,
            host::Kind::Socket => Self::Socket,
            host::Kind::Unknown => Self::Unknown,
        }
    }
}

impl From<host::Errno> for Errno {
    fn from(error: host::Errno) -> Self {
        match error {
            host::Errno::Access => Self::Access,
            host::Errno::Again => Self::Again,
            host::Errno::BadDescriptor => Self::BadDescriptor,
            host::Errno::BrokenPipe => Self::BrokenPipe,
            host::Errno::Busy => Self::Busy,
            host::Errno::CrossDevice => Self::CrossDevice,
            host::Errno::ExecFormat => Self::ExecFormat,
            host::Errno::Exists => Self::Exists,
            host::Errno::FileTooLarge => Self::FileTooLarge,
            host::Errno::Invalid => Self::Invalid,
            host::Errno::Io => Self::Io,
            host::Errno::IsDirectory => Self::IsDirectory,
            host::Errno::Loop => Self::Loop,
            host::Errno::NameTooLong => Self::NameTooLong,
            host::Errno::NoDevice => Self::NoDevice,
            host::Errno::NoEntry => Self::NoEntry,
            host::Errno::NoMemory => Self::NoMemory,
            host::Errno::NoProcess => Self::NoProcess,
            host::Errno::NoSpace => Self::NoSpace,
            host::Errno::NotDirectory => Self::NotDirectory,
            host::Errno::NotEmpty => Self::NotEmpty,
            host::Errno::NotPermitted => Self::NotPermitted,
            host::Errno::NotSupported => Self::NotSupported,
            host::Errno::ReadOnly => Self::ReadOnly,
            host::Errno::SeekPipe => Self::SeekPipe,
            host::Errno::TooManyFiles => Self::TooManyFiles,
            host::Errno::TooManyProcesses => Self::TooManyProcesses,
            host::Errno::IllegalByteSequence => Self::IllegalByteSequence,
            host::Errno::Other => Self::Other,
        }
    }
}
