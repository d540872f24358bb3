//! What the programs need of the system beyond std's portable part: status, modes, links, times.
//!
//! A thin layer over the crate `process`, in std's terms: paths are `Path`, errors are `io::Error`.

use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, CWD};

pub(crate) use process::{Kind, Moment, Stat, umask};

/// Questions about a status that more than one program asks.
pub(crate) trait Facts {
    fn is_directory(&self) -> bool;
    fn is_same_file(&self, other: &Stat) -> bool;
    /// Returns the letter that begins a line of `ls -l`.
    fn letter(&self) -> char;
    /// Returns the bits of `st_mode` that tell the kind.
    fn kind_bits(&self) -> u32;
}

impl Facts for Stat {
    fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    fn is_same_file(&self, other: &Stat) -> bool {
        self.inode == other.inode && self.device == other.device
    }

    fn letter(&self) -> char {
        match self.kind {
            Kind::Regular => '-',
            Kind::Directory => 'd',
            Kind::Symlink => 'l',
            Kind::Fifo => 'p',
            Kind::CharacterDevice => 'c',
            Kind::BlockDevice => 'b',
            Kind::Socket => 's',
            Kind::Unknown => '?',
        }
    }

    fn kind_bits(&self) -> u32 {
        match self.kind {
            Kind::Fifo => 0o010_000,
            Kind::CharacterDevice => 0o020_000,
            Kind::Directory => 0o040_000,
            Kind::BlockDevice => 0o060_000,
            Kind::Regular => 0o100_000,
            Kind::Symlink => 0o120_000,
            Kind::Socket => 0o140_000,
            Kind::Unknown => 0,
        }
    }
}

/// Returns what is at a path.
pub(crate) fn stat(path: &Path, follow: bool) -> io::Result<Stat> {
    Ok(process::stat(
        process::name_bytes(path.as_os_str()),
        follow,
    )?)
}

/// Sets the permissions of what a path leads to.
pub(crate) fn chmod(path: &Path, mode: u32) -> io::Result<()> {
    Ok(process::chmod(process::name_bytes(path.as_os_str()), mode)?)
}

/// Makes a FIFO.
pub(crate) fn mkfifo(path: &Path, mode: u32) -> io::Result<()> {
    Ok(process::mkfifo(
        process::name_bytes(path.as_os_str()),
        mode,
    )?)
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

/// What a time of a file is to become.
#[derive(Clone, Copy)]
pub(crate) enum NewTime {
    Keep,
    /// The time that writing the file now would give it. A clock that is read here is a few milliseconds ahead of that.
    Now,
    At(Moment),
}

/// Sets the times of a file.
pub(crate) fn set_times(
    path: &Path,
    accessed: NewTime,
    modified: NewTime,
    follow: bool,
) -> io::Result<()> {
    let specification = |time: NewTime| match time {
        NewTime::Keep => rustix::fs::Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_OMIT,
        },
        NewTime::Now => rustix::fs::Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        },
        NewTime::At(moment) => rustix::fs::Timespec {
            tv_sec: moment.seconds,
            // A type of its own on each target.
            tv_nsec: moment.nanoseconds as _,
        },
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
