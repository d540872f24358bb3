//! What the programs need of the system beyond std's portable part: status, modes, links, times, identity.
//!
//! The one place that knows the difference between a hand and a real Unix.

use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, CWD};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Regular,
    Directory,
    Symlink,
    Fifo,
    CharacterDevice,
    BlockDevice,
    Socket,
}

impl Kind {
    /// Returns the bits of `st_mode` that say so.
    pub(crate) fn bits(self) -> u32 {
        match self {
            Kind::Fifo => 0o010_000,
            Kind::CharacterDevice => 0o020_000,
            Kind::Directory => 0o040_000,
            Kind::BlockDevice => 0o060_000,
            Kind::Regular => 0o100_000,
            Kind::Symlink => 0o120_000,
            Kind::Socket => 0o140_000,
        }
    }
}

/// Time since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: u32,
}

impl Moment {
    pub(crate) fn now() -> Self {
        let now = jiff::Timestamp::now();
        Moment {
            seconds: now.as_second(),
            nanoseconds: u32::try_from(now.subsec_nanosecond()).unwrap_or(0),
        }
    }
}

/// What stat(2) tells.
#[derive(Debug, Clone)]
pub(crate) struct Stat {
    pub(crate) kind: Kind,
    /// Permissions with set-id and sticky.
    pub(crate) mode: u32,
    pub(crate) links: u64,
    pub(crate) size: u64,
    /// Of 512 bytes.
    pub(crate) blocks: u64,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) accessed: Moment,
    pub(crate) modified: Moment,
    pub(crate) changed: Moment,
}

impl Stat {
    pub(crate) fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    pub(crate) fn is_same_file(&self, other: &Stat) -> bool {
        self.inode == other.inode && self.device == other.device
    }

    /// Returns the letter that begins a line of `ls -l`.
    pub(crate) fn letter(&self) -> char {
        match self.kind {
            Kind::Regular => '-',
            Kind::Directory => 'd',
            Kind::Symlink => 'l',
            Kind::Fifo => 'p',
            Kind::CharacterDevice => 'c',
            Kind::BlockDevice => 'b',
            Kind::Socket => 's',
        }
    }
}

/// Makes a symbolic link at `path`.
pub(crate) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    Ok(rustix::fs::symlink(target, path)?)
}

/// Makes another name of a file.
pub(crate) fn hard_link(from: &Path, to: &Path, follow: bool) -> io::Result<()> {
    let flags = if follow {
        AtFlags::SYMLINK_FOLLOW
    } else {
        AtFlags::empty()
    };
    Ok(rustix::fs::linkat(CWD, from, CWD, to, flags)?)
}

/// Sets the times of a file.
pub(crate) fn set_times(
    path: &Path,
    accessed: Moment,
    modified: Moment,
    follow: bool,
) -> io::Result<()> {
    let specification = |moment: Moment| rustix::fs::Timespec {
        tv_sec: moment.seconds,
        tv_nsec: moment.nanoseconds.into(),
    };
    let times = rustix::fs::Timestamps {
        last_access: specification(accessed),
        last_modification: specification(modified),
    };
    let flags = if follow {
        AtFlags::empty()
    } else {
        AtFlags::SYMLINK_NOFOLLOW
    };
    Ok(rustix::fs::utimensat(CWD, path, &times, flags)?)
}

#[cfg(unix)]
pub(crate) use native::{chmod, stat, umask};

#[cfg(unix)]
mod native {
    use super::{Kind, Moment, Stat};
    use std::fs;
    use std::io;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::path::Path;

    /// Returns what is at a path.
    pub(crate) fn stat(path: &Path, follow: bool) -> io::Result<Stat> {
        let data = if follow {
            fs::metadata(path)?
        } else {
            fs::symlink_metadata(path)?
        };
        let kind = data.file_type();
        let kind = if kind.is_dir() {
            Kind::Directory
        } else if kind.is_symlink() {
            Kind::Symlink
        } else if kind.is_fifo() {
            Kind::Fifo
        } else if kind.is_char_device() {
            Kind::CharacterDevice
        } else if kind.is_block_device() {
            Kind::BlockDevice
        } else if kind.is_socket() {
            Kind::Socket
        } else {
            Kind::Regular
        };
        let moment = |seconds, nanoseconds| Moment {
            seconds,
            nanoseconds: u32::try_from(nanoseconds).unwrap_or(0),
        };
        Ok(Stat {
            kind,
            mode: data.mode() & 0o7777,
            links: data.nlink(),
            size: data.size(),
            blocks: data.blocks(),
            device: data.dev(),
            inode: data.ino(),
            accessed: moment(data.atime(), data.atime_nsec()),
            modified: moment(data.mtime(), data.mtime_nsec()),
            changed: moment(data.ctime(), data.ctime_nsec()),
        })
    }

    /// Sets the permissions of what a path leads to.
    pub(crate) fn chmod(path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    /// Returns the bits that new files do not get.
    pub(crate) fn umask() -> u32 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok())
            .unwrap_or(0o022)
    }
}
