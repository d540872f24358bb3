//! Descriptors.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags, SeekFrom};

use super::{errno, paths, signals};
use crate::{Errno, OpenHow, Stat, Whence, signal};

/// How much a pipe that poll(2) calls writable takes without blocking.
const PIPE_ATOM: usize = 4096;

#[derive(Debug)]
pub(crate) struct Descriptor {
    fd: OwnedFd,
    /// Regular files, folders and disks never block.
    may_block: bool,
}

impl Descriptor {
    pub(super) fn new(fd: OwnedFd) -> Self {
        let may_block = rustix::fs::fstat(&fd).map_or(true, |stat| {
            !matches!(
                FileType::from_raw_mode(stat.st_mode),
                FileType::RegularFile | FileType::Directory | FileType::BlockDevice
            )
        });
        Self { fd, may_block }
    }

    fn is_ready(&self, flags: PollFlags) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(self.fd.as_fd(), flags)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        matches!(poll(&mut fds, Some(&now)), Ok(count) if count > 0)
    }

    pub(crate) fn read(&self, max: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; max];
        loop {
            if self.may_block && !self.is_ready(PollFlags::IN) {
                return Err(Errno::Again);
            }
            match rustix::io::read(&self.fd, bytes.as_mut_slice()) {
                Ok(count) => {
                    bytes.truncate(count);
                    return Ok(bytes);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(errno(error)),
            }
        }
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        let size = if self.may_block {
            bytes.len().min(PIPE_ATOM)
        } else {
            bytes.len()
        };
        let bytes = bytes.get(..size).unwrap_or(bytes);
        loop {
            if self.may_block && !self.is_ready(PollFlags::OUT) {
                return Err(Errno::Again);
            }
            match rustix::io::write(&self.fd, bytes) {
                Ok(count) => return Ok(count),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::PIPE) => {
                    signals::act(signal::PIPE);
                    return Err(Errno::BrokenPipe);
                }
                Err(error) => return Err(errno(error)),
            }
        }
    }

    pub(crate) fn seek(&self, offset: i64, whence: Whence) -> Result<u64, Errno> {
        let place = match whence {
            Whence::Start => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::Invalid)?),
            Whence::Current => SeekFrom::Current(offset),
            Whence::End => SeekFrom::End(offset),
        };
        rustix::fs::seek(&self.fd, place).map_err(errno)
    }

    pub(crate) fn set_size(&self, size: u64) -> Result<(), Errno> {
        rustix::fs::ftruncate(&self.fd, size).map_err(errno)
    }

    pub(crate) fn stat(&self) -> Result<Stat, Errno> {
        rustix::fs::fstat(&self.fd)
            .map(|stat| paths::convert(&stat))
            .map_err(errno)
    }

    pub(crate) fn duplicate(&self) -> Result<Self, Errno> {
        let fd = rustix::io::fcntl_dupfd_cloexec(&self.fd, 0).map_err(errno)?;
        Ok(Self {
            fd,
            may_block: self.may_block,
        })
    }

    pub(crate) fn access(&self) -> OpenHow {
        let flags = rustix::fs::fcntl_getfl(&self.fd).unwrap_or(OFlags::empty());
        let mode = flags & OFlags::RWMODE;
        OpenHow {
            read: mode != OFlags::WRONLY,
            write: mode != OFlags::RDONLY,
            append: flags.contains(OFlags::APPEND),
            ..OpenHow::default()
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        rustix::termios::isatty(&self.fd)
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

pub(crate) fn pipe() -> Result<(Descriptor, Descriptor), Errno> {
    let (reader, writer) = std::io::pipe().map_err(Errno::from)?;
    Ok((
        Descriptor::new(reader.into()),
        Descriptor::new(writer.into()),
    ))
}
