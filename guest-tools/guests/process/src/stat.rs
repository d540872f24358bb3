//! What is known of a file: stat(2) without owners, because everything in a hand belongs to its one user.

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named or unnamed pipe.
    Fifo,
    /// A character device: a terminal, `/dev/null`.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A socket.
    Socket,
    /// Something else.
    Unknown,
}

/// Time since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds after them.
    pub nanoseconds: u32,
}

/// What stat(2) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, also set-id and sticky: 0 to 0o7777.
    pub mode: u32,
    /// Hard links.
    pub links: u64,
    /// Bytes.
    pub size: u64,
    /// 512-byte blocks taken on the disk.
    pub blocks: u64,
    /// The device it is on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// When it was last read.
    pub accessed: Moment,
    /// When its content last changed.
    pub modified: Moment,
    /// When its content or what is known of it last changed.
    pub changed: Moment,
}
