//! Nodes and how they are written: the format of what is stored.
//!
//! The first byte names the version of the format; the rest is postcard. Two folders with equal files have equal
//! digests whatever their history, since the shape of a node follows from the names in it alone.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::TreeError;
use super::file::{Piece, Pieces};
use crate::content::{Batch, Blocking};
use crate::store::Hash;

/// The version of the format, in the first byte.
const VERSION: u8 = 1;
/// Entries of one node; more are spread over up to sixteen nodes by the hash of their names, and so on. An update
/// writes the node with the name and those above it, so it must be small beside a folder of 100,000 names.
pub(super) const ENTRIES_MAX: usize = 128;

/// Bytes that the entries of a whole node have when they are hashed, about.
const DIGESTED_BYTES: usize = ENTRIES_MAX * 80;

/// A stored list of names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Node {
    /// All entries, sorted by name.
    Leaf(Vec<Entry>),
    /// The parts of a larger list, by the next four bits of the hash of the name; none is empty.
    Fan(Vec<Branch>),
}

/// A part of a large list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Branch {
    pub(super) nibble: u8,
    /// Names in the list itself, not below them.
    pub(super) entries: u32,
    pub(super) part: Folder,
}

/// A name in a folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The name as the host's file system has it.
    pub name: Vec<u8>,
    /// Permission bits as the host's file system has them.
    pub mode: u16,
    /// What has the name.
    pub kind: Kind,
}

/// What a name stands for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// A regular file.
    File {
        /// Its length.
        bytes: u64,
        /// When its content was last changed, in nanoseconds of Unix time. No part of the digest.
        modified: i64,
        /// The hash of its whole content; the name of the object that holds it, unless there are pieces.
        content: Hash,
        /// The object that lists its pieces, for a large one.
        pieces: Option<Hash>,
        /// Bytes of its length that no disk holds. A file with holes has the hash of its list as its content's.
        holes: u64,
    },
    /// A symbolic link and what it says.
    Link(Vec<u8>),
    /// A folder.
    Folder(Folder),
    /// A named pipe.
    Fifo,
}

/// A folder's content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Folder {
    /// The object that lists it.
    pub node: Hash,
    /// The same for any two folders of equal files.
    pub digest: Hash,
    /// Names in it and below.
    pub names: u64,
    /// Bytes of files and links in it and below, without holes.
    pub bytes: u64,
}

impl Node {
    /// Reads a stored node.
    pub(super) fn load(reader: &Blocking, hash: Hash) -> Result<Self, TreeError> {
        decode(&reader.get(hash)?).ok_or(TreeError::Malformed {
            hash,
            what: "folder",
        })
    }

    /// Stores a node and returns the folder that it lists.
    pub(super) fn seal(self, batch: &mut Batch) -> Result<Folder, TreeError> {
        let (names, bytes) = self.totals();
        Ok(Folder {
            digest: self.digest(),
            node: batch.put_plain(encode(&self))?,
            names,
            bytes,
        })
    }

    pub(super) fn totals(&self) -> (u64, u64) {
        let add = |(names, bytes): (u64, u64), part: (u64, u64)| {
            (names.saturating_add(part.0), bytes.saturating_add(part.1))
        };
        match self {
            Self::Leaf(entries) => entries.iter().map(Entry::totals).fold((0, 0), add),
            Self::Fan(branches) => {
                let parts = branches.iter();
                let parts = parts.map(|branch| (branch.part.names, branch.part.bytes));
                parts.fold((0, 0), add)
            }
        }
    }

    pub(super) fn digest(&self) -> Hash {
        // Hashed at once: the hash is several times as fast with whole blocks.
        let mut hashed = Vec::with_capacity(DIGESTED_BYTES);
        match self {
            Self::Leaf(entries) => {
                hashed.extend_from_slice(b"L");
                entries.iter().for_each(|entry| entry.add_to(&mut hashed));
            }
            Self::Fan(branches) => {
                hashed.extend_from_slice(b"F");
                for branch in branches {
                    hashed.push(branch.nibble);
                    hashed.extend_from_slice(&branch.part.digest.0);
                }
            }
        }
        Hash::of(&hashed)
    }
}

impl Entry {
    fn totals(&self) -> (u64, u64) {
        match &self.kind {
            Kind::File { bytes, holes, .. } => (1, bytes.saturating_sub(*holes)),
            Kind::Link(target) => (1, target.len() as u64),
            Kind::Folder(folder) => (folder.names.saturating_add(1), folder.bytes),
            Kind::Fifo => (1, 0),
        }
    }

    /// Lengths go before what they measure, so that no two lists have the same bytes.
    fn add_to(&self, hashed: &mut Vec<u8>) {
        let mut add = |bytes: &[u8]| hashed.extend_from_slice(bytes);
        add(&(self.name.len() as u64).to_le_bytes());
        add(&self.name);
        add(&self.mode.to_le_bytes());
        match &self.kind {
            Kind::File { bytes, content, .. } => {
                add(b"f");
                add(&bytes.to_le_bytes());
                add(&content.0);
            }
            Kind::Link(target) => {
                add(b"l");
                add(&(target.len() as u64).to_le_bytes());
                add(target);
            }
            Kind::Folder(folder) => {
                add(b"d");
                add(&folder.digest.0);
            }
            Kind::Fifo => add(b"p"),
        }
    }

    /// Tells whether two entries are the same but for times.
    pub fn is_like(&self, other: &Entry) -> bool {
        let same_kind = match (&self.kind, &other.kind) {
            (Kind::File { content, .. }, Kind::File { content: its, .. }) => content == its,
            (Kind::Link(target), Kind::Link(its)) => target == its,
            (Kind::Folder(folder), Kind::Folder(its)) => folder.digest == its.digest,
            (Kind::Fifo, Kind::Fifo) => true,
            _ => false,
        };
        same_kind && self.mode == other.mode && self.name == other.name
    }
}

/// Writes a value in the stored form.
pub(super) fn encode<T: Serialize>(value: &T) -> Bytes {
    let start = vec![VERSION];
    // Fails only where memory does or for types without a length, which none of these is.
    postcard::to_extend(value, start).unwrap_or_default().into()
}

/// Reads a value in the stored form.
pub(super) fn decode<T: for<'a> Deserialize<'a>>(stored: &[u8]) -> Option<T> {
    match stored.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).ok(),
        _ => None,
    }
}

/// Objects that a stored object leads to directly.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Links {
    /// Objects that may lead further: lists of names and of pieces.
    pub lists: Vec<(Hash, bool)>,
    /// Objects that are mere content.
    pub contents: Vec<Hash>,
}

/// Returns what a list leads to: `is_pieces` says whether it is one of pieces; none if it is no such list.
pub fn linked(stored: &[u8], is_pieces: bool) -> Option<Links> {
    let mut links = Links::default();
    if is_pieces {
        let pieces: Pieces = decode(stored)?;
        links.contents = pieces.0.iter().filter_map(Piece::object).collect();
        return Some(links);
    }
    match decode(stored)? {
        Node::Fan(branches) => {
            let parts = branches.iter().map(|branch| (branch.part.node, false));
            links.lists.extend(parts);
        }
        Node::Leaf(entries) => {
            for entry in entries {
                match entry.kind {
                    Kind::File {
                        pieces: Some(list), ..
                    } => links.lists.push((list, true)),
                    Kind::File { content, .. } => links.contents.push(content),
                    Kind::Folder(folder) => links.lists.push((folder.node, false)),
                    Kind::Link(_) | Kind::Fifo => {}
                }
            }
        }
    }
    Some(links)
}
