//! The kernel's types and those of the interface.

use super::bindings::sinew::process::descriptors::{Errno, Kind, Moment, OpenFlags, Stat, Whence};
use crate::fs::{self, FileKind, FileTime, FsError, OpenOptions};
use crate::kernel::description;
use crate::kernel::spawn::StartError;

pub(super) fn errno(error: FsError) -> Errno {
    match error {
        FsError::Access => Errno::Access,
        FsError::BadDescriptor => Errno::BadDescriptor,
        FsError::Busy | FsError::TextFileBusy => Errno::Busy,
        FsError::CrossDevice => Errno::CrossDevice,
        FsError::Exist => Errno::Exists,
        FsError::FileTooLarge => Errno::FileTooLarge,
        FsError::IllegalByteSequence => Errno::IllegalByteSequence,
        FsError::Invalid | FsError::Overflow => Errno::Invalid,
        FsError::Io => Errno::Io,
        FsError::IsDirectory => Errno::IsDirectory,
        FsError::Loop => Errno::Loop,
        FsError::NameTooLong => Errno::NameTooLong,
        FsError::NoEntry => Errno::NoEntry,
        FsError::NoMemory => Errno::TooManyFiles,
        FsError::NoSpace => Errno::NoSpace,
        FsError::NoSuchDevice => Errno::NoDevice,
        FsError::NotDirectory => Errno::NotDirectory,
        FsError::NotEmpty => Errno::NotEmpty,
        FsError::NotPermitted => Errno::NotPermitted,
        FsError::Pipe => Errno::BrokenPipe,
        FsError::ReadOnly => Errno::ReadOnly,
        FsError::InvalidSeek => Errno::SeekPipe,
        FsError::TooManyLinks => Errno::Other,
        FsError::Unsupported => Errno::NotSupported,
    }
}

pub(super) fn start_errno(error: &StartError) -> Errno {
    match error {
        StartError::NotExecutable => Errno::Access,
        StartError::Format | StartError::Component(_) | StartError::Program(_) => Errno::ExecFormat,
        StartError::TooLong => Errno::NoMemory,
        StartError::TooManyProcesses | StartError::Closed => Errno::TooManyProcesses,
        StartError::Fs(error) => errno(*error),
    }
}

pub(super) fn stat(stat: &fs::Stat) -> Stat {
    Stat {
        kind: kind(stat.kind),
        mode: stat.mode,
        links: stat.links,
        size: stat.size,
        blocks: stat.blocks,
        device: stat.device,
        inode: stat.inode,
        accessed: moment(stat.accessed),
        modified: moment(stat.modified),
        changed: moment(stat.changed),
    }
}

pub(super) fn moment(time: FileTime) -> Moment {
    Moment {
        seconds: time.seconds,
        nanoseconds: time.nanoseconds,
    }
}

pub(super) fn kind(kind: FileKind) -> Kind {
    match kind {
        FileKind::Regular => Kind::Regular,
        FileKind::Directory => Kind::Directory,
        FileKind::Symlink => Kind::Symlink,
        FileKind::Fifo => Kind::Fifo,
        FileKind::Socket => Kind::Socket,
        FileKind::BlockDevice => Kind::BlockDevice,
        FileKind::CharacterDevice | FileKind::VirtualDevice => Kind::CharacterDevice,
        FileKind::Unknown => Kind::Unknown,
    }
}

pub(super) fn whence(whence: Whence) -> description::Whence {
    match whence {
        Whence::Start => description::Whence::Start,
        Whence::Current => description::Whence::Current,
        Whence::End => description::Whence::End,
    }
}

pub(super) fn options(flags: OpenFlags, mode: u32) -> OpenOptions {
    OpenOptions {
        read: flags.contains(OpenFlags::READ),
        write: flags.intersects(OpenFlags::WRITE | OpenFlags::APPEND),
        create: flags.contains(OpenFlags::CREATE),
        exclusive: flags.contains(OpenFlags::EXCLUSIVE),
        truncate: flags.contains(OpenFlags::TRUNCATE),
        directory: flags.contains(OpenFlags::DIRECTORY),
        follow: !flags.contains(OpenFlags::NO_FOLLOW),
        mode,
    }
}
