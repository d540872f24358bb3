//! Translations between the core's types and those of the two versions of WASI.

use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types as p2_async;
use wasmtime_wasi::p2::bindings::sync::filesystem::types as p2;
use wasmtime_wasi::p3::bindings::clocks::system_clock::Instant;
use wasmtime_wasi::p3::bindings::filesystem::types as p3;

use crate::fs::{FileKind, FileTime, FsError, NewTime, Node, OpenOptions, Stat};

/// Writes one `From<FsError>` for each of the versions' error codes, whose names are the same.
macro_rules! error_codes {
    ($($code:ty),*) => {$(
        impl From<FsError> for $code {
            fn from(error: FsError) -> Self {
                match error {
                    FsError::Access => Self::Access,
                    FsError::BadDescriptor => Self::BadDescriptor,
                    FsError::Busy => Self::Busy,
                    FsError::CrossDevice => Self::CrossDevice,
                    FsError::Exist => Self::Exist,
                    FsError::FileTooLarge => Self::FileTooLarge,
                    FsError::IllegalByteSequence => Self::IllegalByteSequence,
                    FsError::Invalid => Self::Invalid,
                    FsError::Io => Self::Io,
                    FsError::IsDirectory => Self::IsDirectory,
                    FsError::Loop => Self::Loop,
                    FsError::NameTooLong => Self::NameTooLong,
                    FsError::NoEntry => Self::NoEntry,
                    FsError::NoMemory => Self::InsufficientMemory,
                    FsError::NoSpace => Self::InsufficientSpace,
                    FsError::NoSuchDevice => Self::NoSuchDevice,
                    FsError::NotDirectory => Self::NotDirectory,
                    FsError::NotEmpty => Self::NotEmpty,
                    FsError::NotPermitted => Self::NotPermitted,
                    FsError::Overflow => Self::Overflow,
                    FsError::Pipe => Self::Pipe,
                    FsError::ReadOnly => Self::ReadOnly,
                    FsError::InvalidSeek => Self::InvalidSeek,
                    FsError::TextFileBusy => Self::TextFileBusy,
                    FsError::TooManyLinks => Self::TooManyLinks,
                    FsError::Unsupported => Self::Unsupported,
                }
            }
        }
    )*};
}

error_codes!(p2_async::ErrorCode, p2::ErrorCode, p3::ErrorCode);

impl From<FsError> for wasmtime_wasi::p2::FsError {
    fn from(error: FsError) -> Self {
        p2_async::ErrorCode::from(error).into()
    }
}

impl From<FsError> for wasmtime_wasi::p3::filesystem::FilesystemError {
    fn from(error: FsError) -> Self {
        p3::ErrorCode::from(error).into()
    }
}

/// Writes the translations that read the same for both versions.
macro_rules! flags {
    ($open:ident, $flags:ident, $wasi:ident) => {
        pub(super) fn $open(
            path: $wasi::PathFlags,
            open: $wasi::OpenFlags,
            flags: $wasi::DescriptorFlags,
        ) -> OpenOptions {
            // The flags for synchronised writes are requests, says WASI, and a directory's right to be changed
            // is its mount's.
            OpenOptions {
                read: flags.contains($wasi::DescriptorFlags::READ),
                write: flags.contains($wasi::DescriptorFlags::WRITE),
                create: open.contains($wasi::OpenFlags::CREATE),
                exclusive: open.contains($wasi::OpenFlags::EXCLUSIVE),
                truncate: open.contains($wasi::OpenFlags::TRUNCATE),
                directory: open.contains($wasi::OpenFlags::DIRECTORY),
                follow: path.contains($wasi::PathFlags::SYMLINK_FOLLOW),
                ..OpenOptions::default()
            }
        }

        pub(super) fn $flags(node: &Node) -> $wasi::DescriptorFlags {
            let mut flags = $wasi::DescriptorFlags::empty();
            if node.is_readable() {
                flags |= $wasi::DescriptorFlags::READ;
            }
            if node.is_writable() {
                flags |= $wasi::DescriptorFlags::WRITE;
            }
            if node.is_mutable_dir() {
                flags |= $wasi::DescriptorFlags::MUTATE_DIRECTORY;
            }
            flags
        }
    };
}

flags!(p2_options, p2_flags, p2);
flags!(p3_options, p3_flags, p3);

pub(super) fn p2_kind(kind: FileKind) -> p2::DescriptorType {
    match kind {
        FileKind::Regular | FileKind::VirtualDevice => p2::DescriptorType::RegularFile,
        FileKind::Directory => p2::DescriptorType::Directory,
        FileKind::Symlink => p2::DescriptorType::SymbolicLink,
        FileKind::Fifo => p2::DescriptorType::Fifo,
        FileKind::Socket => p2::DescriptorType::Socket,
        FileKind::BlockDevice => p2::DescriptorType::BlockDevice,
        FileKind::CharacterDevice => p2::DescriptorType::CharacterDevice,
        FileKind::Unknown => p2::DescriptorType::Unknown,
    }
}

pub(super) fn p3_kind(kind: FileKind) -> p3::DescriptorType {
    match kind {
        FileKind::Regular | FileKind::VirtualDevice => p3::DescriptorType::RegularFile,
        FileKind::Directory => p3::DescriptorType::Directory,
        FileKind::Symlink => p3::DescriptorType::SymbolicLink,
        FileKind::Fifo => p3::DescriptorType::Fifo,
        FileKind::Socket => p3::DescriptorType::Socket,
        FileKind::BlockDevice => p3::DescriptorType::BlockDevice,
        FileKind::CharacterDevice => p3::DescriptorType::CharacterDevice,
        FileKind::Unknown => p3::DescriptorType::Other(None),
    }
}

pub(super) fn p2_stat(stat: &Stat) -> p2::DescriptorStat {
    // WASI 0.2 knows no time before the epoch.
    let time = |time: FileTime| {
        u64::try_from(time.seconds).ok().map(|seconds| Datetime {
            seconds,
            nanoseconds: time.nanoseconds,
        })
    };
    p2::DescriptorStat {
        type_: p2_kind(stat.kind),
        link_count: stat.links,
        size: stat.size,
        data_access_timestamp: time(stat.accessed),
        data_modification_timestamp: time(stat.modified),
        status_change_timestamp: time(stat.changed),
    }
}

pub(super) fn p3_stat(stat: &Stat) -> p3::DescriptorStat {
    let time = |time: FileTime| {
        Some(Instant {
            seconds: time.seconds,
            nanoseconds: time.nanoseconds,
        })
    };
    p3::DescriptorStat {
        type_: p3_kind(stat.kind),
        link_count: stat.links,
        size: stat.size,
        data_access_timestamp: time(stat.accessed),
        data_modification_timestamp: time(stat.modified),
        status_change_timestamp: time(stat.changed),
    }
}

pub(super) fn p2_time(time: p2::NewTimestamp) -> Result<NewTime, FsError> {
    match time {
        p2::NewTimestamp::NoChange => Ok(NewTime::Keep),
        p2::NewTimestamp::Now => Ok(NewTime::Now),
        p2::NewTimestamp::Timestamp(time) => {
            let seconds = i64::try_from(time.seconds).map_err(|_| FsError::Overflow)?;
            at(seconds, time.nanoseconds)
        }
    }
}

pub(super) fn p3_time(time: p3::NewTimestamp) -> Result<NewTime, FsError> {
    match time {
        p3::NewTimestamp::NoChange => Ok(NewTime::Keep),
        p3::NewTimestamp::Now => Ok(NewTime::Now),
        p3::NewTimestamp::Timestamp(time) => at(time.seconds, time.nanoseconds),
    }
}

/// A guest may say more nanoseconds than a second has; the kernel takes some such numbers for commands.
fn at(seconds: i64, nanoseconds: u32) -> Result<NewTime, FsError> {
    let more = i64::from(nanoseconds / 1_000_000_000);
    let seconds = seconds.checked_add(more).ok_or(FsError::Overflow)?;
    Ok(NewTime::At(FileTime {
        seconds,
        nanoseconds: nanoseconds % 1_000_000_000,
    }))
}

pub(super) fn p2_hash(stat: &Stat) -> p2::MetadataHashValue {
    let (lower, upper) = stat.identity_hash();
    p2::MetadataHashValue { lower, upper }
}

pub(super) fn p3_hash(stat: &Stat) -> p3::MetadataHashValue {
    let (lower, upper) = stat.identity_hash();
    p3::MetadataHashValue { lower, upper }
}
