//! Times and modes.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

use super::FsError;
use super::modes;
use super::mount::{Mount, OpenHow};
use super::node::Node;
use super::resolve::Found;
use super::stat::{FileKind, NewTime, Stat};
use super::vfs::Vfs;

impl Vfs {
    /// Sets the times of what is at a path.
    pub fn set_times_at(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        follow: bool,
        accessed: NewTime,
        modified: NewTime,
    ) -> Result<(), FsError> {
        match self.open_found(base, path, follow, &|_| Ok(OpenHow::path()))? {
            Found::Virtual(_) => Err(FsError::ReadOnly),
            Found::Real(opened) => {
                opened
                    .mount
                    .write_access()?
                    .set_times(opened.fd.as_fd(), &timestamps(accessed, modified))?;
                self.mark_handle(&opened.mount, opened.fd.as_fd(), opened.known);
                Ok(())
            }
        }
    }

    /// Sets the times of an open node.
    pub fn set_times(
        &self,
        node: &Node,
        accessed: NewTime,
        modified: NewTime,
    ) -> Result<(), FsError> {
        let (mount, fd) = real(node)?;
        mount
            .write_access()?
            .set_times(fd, &timestamps(accessed, modified))?;
        self.mark_handle(mount, fd, None);
        Ok(())
    }

    /// Sets the permission bits of what is at a path; a link itself has none ([`FsError::Unsupported`]).
    ///
    /// Only the nine bits of read, write and execute are taken.
    pub fn set_mode_at(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        follow: bool,
        mode: u32,
    ) -> Result<(), FsError> {
        match self.open_found(base, path, follow, &|_| Ok(OpenHow::path()))? {
            Found::Virtual(_) => Err(FsError::ReadOnly),
            Found::Real(opened) => {
                change_mode(&opened.mount, opened.fd.as_fd(), mode)?;
                self.mark_handle(&opened.mount, opened.fd.as_fd(), opened.known);
                Ok(())
            }
        }
    }

    /// Sets the permission bits of an open node, as [`Vfs::set_mode_at`] does.
    pub fn set_mode(&self, node: &Node, mode: u32) -> Result<(), FsError> {
        let (mount, fd) = real(node)?;
        change_mode(mount, fd, mode)?;
        self.mark_handle(mount, fd, None);
        Ok(())
    }

    /// Waits until a file's content, and unless `data_only` its metadata, are on the host's disk; for a
    /// directory its names.
    pub fn sync(&self, node: &Node, data_only: bool) -> Result<(), FsError> {
        match node {
            Node::File(file) => file.sync(data_only),
            Node::Dir(dir) => Ok(rustix::fs::fsync(&dir.fd)?),
            Node::Fifo(_) | Node::Virtual(_) => Ok(()),
        }
    }
}

fn real(node: &Node) -> Result<(&Mount, BorrowedFd<'_>), FsError> {
    match node {
        Node::File(file) => Ok((&file.mount, file.fd())),
        Node::Dir(dir) => Ok((&dir.mount, dir.fd.as_fd())),
        Node::Fifo(fifo) => Ok((&fifo.mount, fifo.fd.as_fd())),
        Node::Virtual(_) => Err(FsError::ReadOnly),
    }
}

fn change_mode(mount: &Mount, fd: BorrowedFd<'_>, mode: u32) -> Result<(), FsError> {
    let access = mount.write_access()?;
    match Stat::from(rustix::fs::fstat(fd)?).kind {
        FileKind::Regular | FileKind::Fifo => access.set_mode(fd, modes::to_host(false, mode)),
        FileKind::Directory => access.set_mode(fd, modes::to_host(true, mode)),
        _ => Err(FsError::Unsupported),
    }
}

fn timestamps(accessed: NewTime, modified: NewTime) -> Timestamps {
    let timespec = |time| match time {
        NewTime::Keep => Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        NewTime::Now => Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        },
        NewTime::At(time) => Timespec {
            tv_sec: time.seconds,
            tv_nsec: time.nanoseconds.into(),
        },
    };
    Timestamps {
        last_access: timespec(accessed),
        last_modification: timespec(modified),
    }
}
