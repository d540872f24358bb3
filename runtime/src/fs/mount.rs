//! A mount, and the only place where a changing system call is made.
//!
//! Every function that changes the host's file system is a method of [`WriteAccess`], and the only way to a
//! [`WriteAccess`] is [`Mount::write_access`], which checks the right. So a changing call without the check,
//! or with the check of another mount, does not compile or stands out in review.

use std::ffi::CString;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Timestamps};
use rustix::io::Errno;

use super::FsError;
use super::{modes, name_text};

/// How often a resolution is tried again while a rename elsewhere disturbs it; without a bound a guest that
/// renames for ever holds a thread of the host.
const RESOLVE_RETRIES_MAX: usize = 256;

/// What guests may do with what lies in a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Everything that changes neither content, names nor metadata.
    ReadOnly,
    /// Everything.
    ReadWrite,
}

#[derive(Debug)]
pub(super) struct Mount {
    pub(super) guest_path: String,
    pub(super) dir: OwnedFd,
    rights: Rights,
    /// It shows a part of another file system's, whose paths changes are named by: the kernel tells them.
    pub(super) is_part: bool,
    /// Where the directory lay on the host when it was last asked for; compared with the true path of a
    /// handle, never opened.
    host_path: Mutex<PathBuf>,
}

impl Mount {
    pub(super) fn new(guest_path: String, dir: OwnedFd, rights: Rights) -> Result<Self, FsError> {
        let host_path = Mutex::new(host_path_of(dir.as_fd())?);
        let mount = Self {
            guest_path,
            dir,
            rights,
            is_part: false,
            host_path,
        };
        // Finds out at once whether the host has openat2 and a procfs.
        open_beneath(mount.dir.as_fd(), ".", &OpenHow::path(), Links::Refuse)?;
        Ok(mount)
    }

    pub(super) fn part(guest_path: String, dir: OwnedFd, rights: Rights) -> Result<Self, FsError> {
        let mut mount = Self::new(guest_path, dir, rights)?;
        mount.is_part = true;
        Ok(mount)
    }

    pub(super) fn is_writable(&self) -> bool {
        self.rights == Rights::ReadWrite
    }

    /// The one check of a mount's rights.
    pub(super) fn write_access(&self) -> Result<WriteAccess<'_>, FsError> {
        match self.rights {
            Rights::ReadWrite => Ok(WriteAccess(PhantomData)),
            Rights::ReadOnly => Err(FsError::ReadOnly),
        }
    }

    pub(super) fn host_path(&self) -> MutexGuard<'_, PathBuf> {
        self.host_path
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks anew where the mount lies: somebody may have moved it on the host.
    pub(super) fn refresh_host_path(&self) -> Result<(), FsError> {
        let path = host_path_of(self.dir.as_fd())?;
        *self.host_path() = path;
        Ok(())
    }
}

/// Returns where the kernel says that a handle lies on the host now.
pub(super) fn host_path_of(fd: BorrowedFd<'_>) -> Result<PathBuf, FsError> {
    let link = rustix::fs::readlink(proc_path(fd), Vec::new())?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(
        link.into_bytes(),
    )))
}

fn proc_path(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// Whether symbolic links on the way are refused or followed (beneath the directory, in either case).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    Refuse,
    Follow,
}

/// How to open. Flags that change anything come only from [`WriteAccess::open_how`].
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenHow {
    flags: OFlags,
    mode: Mode,
}

impl OpenHow {
    /// A handle that can be asked and resolved from, but neither read nor written; not following a last link.
    pub(super) fn path() -> Self {
        Self {
            flags: OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            mode: Mode::empty(),
        }
    }

    /// A handle to a directory to resolve from.
    pub(super) fn path_directory() -> Self {
        Self {
            flags: OFlags::PATH | OFlags::CLOEXEC | OFlags::DIRECTORY,
            mode: Mode::empty(),
        }
    }

    /// For reading. Non-blocking: a FIFO on the host must not hold the thread before its type is known.
    pub(super) fn read() -> Self {
        let flags =
            OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
        Self {
            flags,
            mode: Mode::empty(),
        }
    }

    pub(super) fn directory(mut self, only: bool) -> Self {
        self.flags.set(
            OFlags::DIRECTORY,
            only || self.flags.contains(OFlags::DIRECTORY),
        );
        self
    }

    pub(super) fn follow(mut self, follow: bool) -> Self {
        self.flags.set(OFlags::NOFOLLOW, !follow);
        self
    }
}

/// Opens `path` beneath `dir`, resolved by the kernel in one call.
///
/// Errors with [`FsError::CrossDevice`] when the path leaves `dir` (an absolute link, or `..`), and with
/// [`FsError::Loop`] at a link that was not to be followed.
pub(super) fn open_beneath(
    dir: BorrowedFd<'_>,
    path: &str,
    how: &OpenHow,
    links: Links,
) -> Result<OwnedFd, FsError> {
    let mut resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    if links == Links::Refuse {
        resolve |= ResolveFlags::NO_SYMLINKS;
    }
    let path = name_text::to_host(path);
    for _ in 0..RESOLVE_RETRIES_MAX {
        match rustix::fs::openat2(dir, &*path, how.flags, how.mode, resolve) {
            // The kernel gives up when something is renamed while it looks at `..`.
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
            Ok(fd) => return Ok(fd),
        }
    }
    Err(FsError::Busy)
}

/// Proof that a mount may be changed, and every way to change it. Names are single components.
#[derive(Clone, Copy)]
pub(super) struct WriteAccess<'m>(PhantomData<&'m Mount>);

impl WriteAccess<'_> {
    /// Opening for writing. Never O_TRUNC: the size must be known before it is given back to the quota.
    pub(super) fn open_how(self, read: bool, write: bool) -> OpenHow {
        let mut how = OpenHow::read();
        if write {
            how.flags.remove(OFlags::RWMODE);
            how.flags |= if read { OFlags::RDWR } else { OFlags::WRONLY };
        }
        how
    }

    /// Creating a new file; the mode is under the host's umask.
    pub(super) fn create_how(self, read: bool, write: bool, mode: u32) -> OpenHow {
        let mut how = self.open_how(read, write);
        how.flags |= OFlags::CREATE | OFlags::EXCL;
        how.mode = Mode::from_bits_truncate(modes::to_host(false, mode));
        how
    }

    pub(super) fn create_dir(
        self,
        dir: BorrowedFd<'_>,
        name: &str,
        mode: u32,
    ) -> Result<(), FsError> {
        let mode = Mode::from_bits_truncate(modes::to_host(true, mode));
        rustix::fs::mkdirat(dir, &*name_text::to_host(name), mode)?;
        if mode.bits() & !0o777 != 0 {
            // Which the system call itself does not take. A name that is another one by now is not followed.
            let made = open_beneath(dir, name, &OpenHow::path_directory(), Links::Refuse)?;
            self.set_mode(made.as_fd(), mode.bits())?;
        }
        Ok(())
    }

    pub(super) fn create_fifo(
        self,
        dir: BorrowedFd<'_>,
        name: &str,
        mode: u32,
    ) -> Result<(), FsError> {
        let mode = Mode::from_bits_truncate(modes::to_host(false, mode));
        Ok(rustix::fs::mknodat(
            dir,
            &*name_text::to_host(name),
            FileType::Fifo,
            mode,
            0,
        )?)
    }

    pub(super) fn remove_dir(self, dir: BorrowedFd<'_>, name: &str) -> Result<(), FsError> {
        Ok(rustix::fs::unlinkat(
            dir,
            &*name_text::to_host(name),
            AtFlags::REMOVEDIR,
        )?)
    }

    pub(super) fn unlink(self, dir: BorrowedFd<'_>, name: &str) -> Result<(), FsError> {
        Ok(rustix::fs::unlinkat(
            dir,
            &*name_text::to_host(name),
            AtFlags::empty(),
        )?)
    }

    pub(super) fn symlink(
        self,
        target: &str,
        dir: BorrowedFd<'_>,
        name: &str,
    ) -> Result<(), FsError> {
        Ok(rustix::fs::symlinkat(
            &*name_text::to_host(target),
            dir,
            &*name_text::to_host(name),
        )?)
    }

    pub(super) fn link(
        self,
        old: (BorrowedFd<'_>, &str),
        new: (BorrowedFd<'_>, &str),
    ) -> Result<(), FsError> {
        Ok(rustix::fs::linkat(
            old.0,
            &*name_text::to_host(old.1),
            new.0,
            &*name_text::to_host(new.1),
            AtFlags::empty(),
        )?)
    }

    /// Renames out of this mount into one that is writable too, which may be the same.
    pub(super) fn rename(
        self,
        old: (BorrowedFd<'_>, &str),
        _into: WriteAccess<'_>,
        new: (BorrowedFd<'_>, &str),
    ) -> Result<(), FsError> {
        Ok(rustix::fs::renameat(
            old.0,
            &*name_text::to_host(old.1),
            new.0,
            &*name_text::to_host(new.1),
        )?)
    }

    pub(super) fn write_at(
        self,
        fd: BorrowedFd<'_>,
        bytes: &[u8],
        offset: u64,
    ) -> Result<usize, FsError> {
        Ok(rustix::io::retry_on_intr(|| {
            rustix::io::pwrite(fd, bytes, offset)
        })?)
    }

    pub(super) fn set_size(self, fd: BorrowedFd<'_>, size: u64) -> Result<(), FsError> {
        Ok(rustix::io::retry_on_intr(|| {
            rustix::fs::ftruncate(fd, size)
        })?)
    }

    /// Sets the times of what a handle of any kind stands for, a link included.
    pub(super) fn set_times(self, fd: BorrowedFd<'_>, times: &Timestamps) -> Result<(), FsError> {
        Ok(rustix::fs::utimensat(
            fd,
            CString::default(),
            times,
            AtFlags::EMPTY_PATH,
        )?)
    }

    /// Sets the permission bits of what a handle of any kind stands for. By way of procfs, for the system
    /// call proper refuses handles that were opened only to resolve from.
    pub(super) fn set_mode(self, fd: BorrowedFd<'_>, mode: u32) -> Result<(), FsError> {
        Ok(rustix::fs::chmod(
            proc_path(fd),
            Mode::from_bits_truncate(mode),
        )?)
    }
}
