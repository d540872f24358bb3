//! What an archive knows of a member.

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Regular,
    HardLink,
    Symlink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
    /// GNU's name of an archive.
    Label,
    /// A letter that nobody knows.
    Other(u8),
}

impl Kind {
    pub(crate) fn of_letter(letter: u8, name: &[u8]) -> Self {
        match letter {
            // The oldest archives tell directories by their names only.
            b'0' | 0 | b'7' if name.ends_with(b"/") => Self::Directory,
            b'0' | 0 | b'7' | b'S' => Self::Regular,
            b'1' => Self::HardLink,
            b'2' => Self::Symlink,
            b'3' => Self::CharacterDevice,
            b'4' => Self::BlockDevice,
            b'5' => Self::Directory,
            b'6' => Self::Fifo,
            b'V' => Self::Label,
            other => Self::Other(other),
        }
    }

    pub(crate) fn letter(self) -> u8 {
        match self {
            Self::Regular => b'0',
            Self::HardLink => b'1',
            Self::Symlink => b'2',
            Self::CharacterDevice => b'3',
            Self::BlockDevice => b'4',
            Self::Directory => b'5',
            Self::Fifo => b'6',
            Self::Label => b'V',
            Self::Other(letter) => letter,
        }
    }
}

/// A time with what is behind the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: u32,
}

impl From<process::Moment> for Time {
    fn from(moment: process::Moment) -> Self {
        Self {
            seconds: moment.seconds,
            nanoseconds: moment.nanoseconds,
        }
    }
}

/// A piece of a file with holes that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// A member.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The name, of a directory with a slash at its end.
    pub(crate) name: Vec<u8>,
    pub(crate) kind: Kind,
    /// Permissions with set-id and sticky.
    pub(crate) mode: u32,
    pub(crate) user: u64,
    pub(crate) group: u64,
    pub(crate) user_name: Vec<u8>,
    pub(crate) group_name: Vec<u8>,
    /// The size of the file.
    pub(crate) size: u64,
    /// How many bytes of it the archive has.
    pub(crate) stored: u64,
    pub(crate) modified: Time,
    /// What pax stores beside.
    pub(crate) accessed: Option<Time>,
    pub(crate) changed: Option<Time>,
    /// Where a link leads.
    pub(crate) link: Vec<u8>,
    pub(crate) device: (u64, u64),
    /// The pieces of a file with holes.
    pub(crate) pieces: Option<Vec<Piece>>,
    /// The number of the block that its header begins at, those before that belong to it among them.
    pub(crate) block: u64,
}

impl Entry {
    pub(crate) fn new(name: Vec<u8>, kind: Kind) -> Self {
        Self {
            name,
            kind,
            mode: 0,
            user: 0,
            group: 0,
            user_name: Vec::new(),
            group_name: Vec::new(),
            size: 0,
            stored: 0,
            modified: Time::default(),
            accessed: None,
            changed: None,
            link: Vec::new(),
            device: (0, 0),
            pieces: None,
            block: 0,
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }
}
