//! An open file of a mount: reads and writes at offsets, sizes, and what they cost.
//!
//! A handle has no position of its own; whoever shares one among processes keeps the position beside it.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::io::{pread, retry_on_intr};

use super::FsError;
use super::books::{Inode, OpenBooks};
use super::mount::{Mount, WriteAccess};
use super::quota::HandlePermit;
use super::stat::Stat;
use super::vfs::Vfs;

/// Largest offset of a byte, as on the host.
const OFFSET_MAX: u64 = i64::MAX as u64;

/// A regular file of a mount, open.
#[derive(Debug)]
pub struct OpenFile {
    pub(super) vfs: Arc<Vfs>,
    pub(super) mount: Arc<Mount>,
    fd: OwnedFd,
    read: bool,
    write: bool,
    /// Whether the host's descriptor can write, which one opened to be truncated can in any case.
    writes: bool,
    inode: Arc<Inode>,
    _permit: HandlePermit,
}

impl OpenFile {
    /// Takes a descriptor, which `stat` describes since the books were locked; `writes` says whether the host
    /// would let it write, `write` whether the guest may.
    pub(super) fn new(
        vfs: &Arc<Vfs>,
        mut books: OpenBooks<'_>,
        stat: &Stat,
        (mount, fd, permit): (&Arc<Mount>, OwnedFd, HandlePermit),
        (read, write, writes): (bool, bool, bool),
    ) -> Arc<Self> {
        let inode = books.enter(stat);
        let file = Arc::new(Self {
            vfs: Arc::clone(vfs),
            mount: Arc::clone(mount),
            fd,
            read,
            write,
            writes,
            inode,
            _permit: permit,
        });
        if writes {
            books.attach(&file.inode, &file);
        }
        file
    }

    /// Returns whether the handle may read.
    pub fn is_readable(&self) -> bool {
        self.read
    }

    /// Returns whether the handle may write.
    pub fn is_writable(&self) -> bool {
        self.write
    }

    /// Returns the file's metadata.
    pub fn stat(&self) -> Result<Stat, FsError> {
        Ok(rustix::fs::fstat(&self.fd)?.into())
    }

    /// Reads at an offset; 0 bytes mean the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, FsError> {
        self.check_read(offset)?;
        Ok(retry_on_intr(|| pread(&self.fd, &mut *buffer, offset))?)
    }

    /// Reads up to `size` bytes at an offset. Returns them, and whether the file ends behind them.
    pub fn read_part(&self, offset: u64, size: usize) -> Result<(Vec<u8>, bool), FsError> {
        self.check_read(offset)?;
        let mut bytes = Vec::with_capacity(size);
        let count = retry_on_intr(|| pread(&self.fd, spare_capacity(&mut bytes), offset))?;
        // The allocator may have given more room than was asked for.
        bytes.truncate(size);
        // A read may be short without being the last, of a disk that fails half way for one.
        let is_end = count < size && (count == 0 || self.stat()?.size == offset + count as u64);
        Ok((bytes, is_end))
    }

    fn check_read(&self, offset: u64) -> Result<(), FsError> {
        if !self.read {
            return Err(FsError::BadDescriptor);
        }
        if offset > OFFSET_MAX {
            return Err(FsError::Invalid);
        }
        Ok(())
    }

    /// Writes at an offset and returns how many bytes were written.
    ///
    /// Errors with [`FsError::NoSpace`], and writes nothing, when the file would grow past the quota.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> Result<usize, FsError> {
        self.write_from(bytes, |_| offset)
    }

    /// Writes at the end, whole with respect to other writers of this file system.
    pub fn append(&self, bytes: &[u8]) -> Result<usize, FsError> {
        self.write_from(bytes, |size| size)
    }

    /// Cuts or grows the file; growth is charged as if it were written.
    pub fn set_size(&self, size: u64) -> Result<(), FsError> {
        let access = self.writer()?;
        self.resize(access, size)
    }

    /// Cuts the file to nothing, by right of the mount alone: opening may truncate without a right to write.
    pub(super) fn truncate(&self) -> Result<(), FsError> {
        if !self.writes {
            return Err(FsError::BadDescriptor);
        }
        self.resize(self.mount.write_access()?, 0)
    }

    /// Waits until content, and unless `data_only` also metadata, are on the host's disk.
    pub fn sync(&self, data_only: bool) -> Result<(), FsError> {
        if data_only {
            rustix::fs::fdatasync(&self.fd)?;
        } else {
            rustix::fs::fsync(&self.fd)?;
        }
        Ok(())
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn writer(&self) -> Result<WriteAccess<'_>, FsError> {
        if !self.write {
            return Err(FsError::BadDescriptor);
        }
        self.mount.write_access()
    }

    fn write_from(&self, bytes: &[u8], place: impl FnOnce(u64) -> u64) -> Result<usize, FsError> {
        let access = self.writer()?;
        if bytes.is_empty() {
            return Ok(0);
        }
        let _held = self.inode.lock_size();
        let size = self.stat()?.size;
        let offset = place(size);
        let end = offset
            .checked_add(bytes.len() as u64)
            .filter(|end| *end <= OFFSET_MAX);
        let end = end.ok_or(FsError::FileTooLarge)?;
        let inode = &self.inode;
        let growth = |end: u64| inode.billable(end.max(size)) - inode.billable(size);
        self.vfs.quota.charge_bytes(growth(end))?;
        let written = access.write_at(self.fd.as_fd(), bytes, offset);
        let reached = match &written {
            Ok(count) if *count > 0 => offset.saturating_add(*count as u64),
            _ => size,
        };
        self.vfs.quota.refund_bytes(growth(end) - growth(reached));
        written
    }

    fn resize(&self, access: WriteAccess<'_>, size: u64) -> Result<(), FsError> {
        if size > OFFSET_MAX {
            return Err(FsError::FileTooLarge);
        }
        let _held = self.inode.lock_size();
        let before = self.inode.billable(self.stat()?.size);
        let after = self.inode.billable(size);
        self.vfs.quota.charge_bytes(after.saturating_sub(before))?;
        let resized = access.set_size(self.fd.as_fd(), size);
        match resized {
            Ok(()) => self.vfs.quota.refund_bytes(before.saturating_sub(after)),
            Err(_) => self.vfs.quota.refund_bytes(after.saturating_sub(before)),
        }
        resized
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let mut books = self.vfs.books.lock();
        if !books.leave(&self.inode) || !self.inode.is_unnamed() {
            return;
        }
        // The last handle of a file without a name: its bytes go with it. A failed fstat leaves them charged
        // until the counters are set from the tree.
        if let Ok(stat) = self.stat()
            && stat.links == 0
        {
            self.vfs
                .quota
                .refund_bytes(self.inode.billable(stat.size) - self.inode.billable(0));
        }
    }
}
