//! Paths.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};

use super::{Descriptor, errno};
use crate::{Errno, Kind, Moment, OpenHow, Stat};

pub(crate) fn open(path: &[u8], how: OpenHow, mode: u32) -> Result<Descriptor, Errno> {
    let mut flags = match (how.read, how.write) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        (_, false) => OFlags::RDONLY,
    };
    for (is_on, flag) in [
        (how.create, OFlags::CREATE),
        (how.exclusive, OFlags::EXCL),
        (how.truncate, OFlags::TRUNC),
        (how.append, OFlags::APPEND),
        (how.directory, OFlags::DIRECTORY),
        (how.no_follow, OFlags::NOFOLLOW),
    ] {
        flags.set(flag, is_on);
    }
    // Only so that a FIFO does not wait for its other end.
    flags |= OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = rustix::fs::open(path, flags, Mode::from_raw_mode(mode)).map_err(errno)?;
    let status = rustix::fs::fcntl_getfl(&fd).map_err(errno)?;
    rustix::fs::fcntl_setfl(&fd, status - OFlags::NONBLOCK).map_err(errno)?;
    Ok(Descriptor::new(fd))
}

pub(crate) fn stat(path: &[u8], follow: bool) -> Result<Stat, Errno> {
    let flags = if follow {
        AtFlags::empty()
    } else {
        AtFlags::SYMLINK_NOFOLLOW
    };
    rustix::fs::statat(CWD, path, flags)
        .map(|stat| convert(&stat))
        .map_err(errno)
}

pub(crate) fn chmod(path: &[u8], mode: u32) -> Result<(), Errno> {
    rustix::fs::chmodat(CWD, path, Mode::from_raw_mode(mode), AtFlags::empty()).map_err(errno)
}

pub(crate) fn mkfifo(path: &[u8], mode: u32) -> Result<(), Errno> {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(mode), 0).map_err(errno)
}

pub(super) fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

pub(super) fn convert(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
        mode: stat.st_mode & 0o7777,
        links: positive(stat.st_nlink),
        size: positive(stat.st_size),
        blocks: positive(stat.st_blocks),
        device: positive(stat.st_dev),
        inode: positive(stat.st_ino),
        accessed: moment(stat.st_atime, stat.st_atime_nsec),
        modified: moment(stat.st_mtime, stat.st_mtime_nsec),
        changed: moment(stat.st_ctime, stat.st_ctime_nsec),
    }
}

fn kind_of(kind: FileType) -> Kind {
    match kind {
        FileType::RegularFile => Kind::Regular,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink,
        FileType::Fifo => Kind::Fifo,
        FileType::CharacterDevice => Kind::CharacterDevice,
        FileType::BlockDevice => Kind::BlockDevice,
        FileType::Socket => Kind::Socket,
        FileType::Unknown => Kind::Unknown,
    }
}

/// Returns the kind that std gives.
pub(super) fn kind(kind: std::fs::FileType) -> Kind {
    match kind {
        kind if kind.is_file() => Kind::Regular,
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_symlink() => Kind::Symlink,
        kind if kind.is_fifo() => Kind::Fifo,
        kind if kind.is_char_device() => Kind::CharacterDevice,
        kind if kind.is_block_device() => Kind::BlockDevice,
        kind if kind.is_socket() => Kind::Socket,
        _ => Kind::Unknown,
    }
}

/// The kernel's types differ from one machine to the next; none of these is ever negative.
fn positive<T: TryInto<u64>>(number: T) -> u64 {
    number.try_into().unwrap_or_default()
}

fn moment<S: TryInto<i64>, N: TryInto<u32>>(seconds: S, nanoseconds: N) -> Moment {
    Moment {
        seconds: seconds.try_into().unwrap_or_default(),
        nanoseconds: nanoseconds.try_into().unwrap_or_default(),
    }
}
