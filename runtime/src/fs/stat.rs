//! What can be asked about a node: kind, sizes, times, identity.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rustix::fs::FileType;

use super::modes;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A file with bytes.
    Regular,
    /// A device of the virtual tree. WASI's guests are told that it is a file without bytes, because their libraries
    /// refuse "unknown" types.
    VirtualDevice,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A FIFO on the host, which cannot be opened.
    Fifo,
    /// A socket on the host, which cannot be opened.
    Socket,
    /// A block device on the host, which cannot be opened.
    BlockDevice,
    /// A character device on the host, which cannot be opened.
    CharacterDevice,
    /// Something else.
    Unknown,
}

impl From<FileType> for FileKind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::Regular,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Symlink,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            FileType::BlockDevice => Self::BlockDevice,
            FileType::CharacterDevice => Self::CharacterDevice,
            _ => Self::Unknown,
        }
    }
}

/// A moment since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct FileTime {
    /// Whole seconds, negative before the epoch.
    pub seconds: i64,
    /// Nanoseconds after them, below one thousand million.
    pub nanoseconds: u32,
}

/// What to do with one of a file's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewTime {
    /// Leaves it.
    Keep,
    /// Sets the host's time.
    Now,
    /// Sets a time.
    At(FileTime),
}

/// The metadata of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits as the guest has them, without the bits for the type.
    pub mode: u32,
    /// Names of the same file.
    pub links: u64,
    /// Bytes; of a link, those of its target; of a device, 0.
    pub size: u64,
    /// What it takes on the disk, in units of 512 bytes.
    pub blocks: u64,
    /// Last read.
    pub accessed: FileTime,
    /// Last change of the content.
    pub modified: FileTime,
    /// Last change of the metadata.
    pub changed: FileTime,
    /// Device number; virtual nodes have one of their own.
    pub device: u64,
    /// Inode number on the device.
    pub inode: u64,
}

impl Stat {
    /// Returns a number that is the same for two handles exactly if they stand for the same object, but says
    /// nothing about the host.
    pub fn identity_hash(&self) -> (u64, u64) {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, self.device, self.inode).hash(&mut hasher);
            hasher.finish()
        };
        (half(0), half(1))
    }

    /// Returns device and inode number.
    pub(super) fn key(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

impl From<rustix::fs::Stat> for Stat {
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_sign_loss,
        reason = "the fields' types differ between architectures, and the kernel's sizes are never negative"
    )]
    fn from(stat: rustix::fs::Stat) -> Self {
        let time = |seconds, nanoseconds| FileTime {
            seconds,
            nanoseconds,
        };
        let kind = FileType::from_raw_mode(stat.st_mode).into();
        Self {
            kind,
            mode: modes::to_guest(kind, stat.st_mode & 0o7777),
            links: stat.st_nlink as u64,
            size: stat.st_size as u64,
            blocks: stat.st_blocks as u64,
            accessed: time(stat.st_atime as i64, stat.st_atime_nsec as u32),
            modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            changed: time(stat.st_ctime as i64, stat.st_ctime_nsec as u32),
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
        }
    }
}
