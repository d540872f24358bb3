//! What a session's files are kept as: objects named by the hash of their content, and the roots that need them.
//!
//! An object is durable before, or with, the append whose root needs it. Small ones are rows that go with the
//! append's own commit; others lie in packs, files beside the store of which the store knows what is where.
//! Deliberately absent: what an object means, how it is compressed, where packs lie.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::ids::SessionId;

/// Largest object that may be a row, in bytes as stored. A larger one belongs into a pack.
pub const ROW_BYTES_MAX: usize = 64 << 10;

/// The BLAKE3 hash of an object's content before it was compressed: its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Returns the hash of a content.
    pub fn of(content: &[u8]) -> Self {
        Self(*blake3::hash(content).as_bytes())
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text)
            .ok()
            .map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The files of a session as of an event: what [`super::Append::files`] sets, and [`Objects::files_at`] finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Files {
    /// The object that lists the session's folders, from which everything else is reached.
    pub root: Hash,
    /// The same for any two roots of equal files, whatever their times.
    pub digest: Hash,
    /// The object that holds what the session's shell goes on from; none before its first use.
    pub shell: Option<Hash>,
}

/// Objects to be stored, some as rows, some as parts of one pack that is durable already.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewObjects {
    /// Objects as they are to be stored, each at most [`ROW_BYTES_MAX`]. Those that exist stay as they are.
    pub rows: Vec<(Hash, Bytes)>,
    /// A pack with what lies in it. Parts that exist elsewhere stay there.
    pub pack: Option<NewPack>,
    /// Objects that were found in the store and are needed again: the write is refused if one is gone.
    pub kept: Vec<Hash>,
}

/// A pack that is durable and not yet known to the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPack {
    /// Its name, never used before. The store refuses a name that it knows, not one that it has forgotten.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Where each object starts, and its length as stored.
    pub parts: Vec<(Hash, u64, u32)>,
}

/// What an append does to the session's files. Its root, shell and further objects must be stored, or be among
/// what is new: else the append is refused as [`StoreError::Gone`]. They count as kept; what they lead to does not,
/// so whoever has found that in the store, instead of storing it, names it in [`NewObjects::kept`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilesChange {
    /// The files from the append's last event on.
    pub files: Files,
    /// Further objects, with all that they lead to, that the session needs as long as its log has that event.
    pub also: Vec<Root>,
    /// What is new.
    pub objects: NewObjects,
}

/// An object that is needed, and whether there is more behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Root {
    /// The object.
    pub hash: Hash,
    /// It lists a folder, so what it leads to is needed too; else it is mere content, whatever its bytes look like.
    pub is_list: bool,
}

/// Where an object is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the store, as it was stored.
    Row(Bytes),
    /// In a pack.
    Pack {
        /// The pack's name.
        name: String,
        /// Where it starts.
        start: u64,
        /// Its length.
        length: u32,
    },
}

/// A root that a log needs, for the collector of garbage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rooted {
    /// Position in the list of all roots; ask for the rest behind it.
    pub position: i64,
    /// What is needed: a session's root, a list; its shell, mere content; or what an append named.
    pub root: Root,
    /// The session whose append named it; none if that was deleted while others share its history.
    pub session_id: Option<SessionId>,
    /// The number of the append's last event.
    pub number: u64,
}

/// An object in the store, for the collector and for those who verify.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Position in the list of all objects; ask for the rest behind it.
    pub position: i64,
    /// Its name.
    pub hash: Hash,
    /// Its length as stored.
    pub length: u32,
    /// The name of its pack; none for a row.
    pub pack: Option<String>,
}

/// A pack that the store knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Bytes of it that objects still need.
    pub live_bytes: u64,
}

/// The part of a store that keeps files. Atomicity, durability and sharing are as [`super::Store`] says.
///
/// Collecting garbage: [`Objects::begin_collection`], read all [`Objects::roots`], follow them, then
/// [`Objects::remove_objects`] whatever was not met, with the token. What was stored, kept or became a root
/// after the beginning is never removed, so sessions work on meanwhile.
#[async_trait]
pub trait Objects: Send + Sync + 'static {
    /// Returns where each object is, in order; none for one that is not stored. At most
    /// [`super::ROWS_MAX`] hashes; more are `Invalid`.
    async fn places(&self, hashes: &[Hash]) -> Result<Vec<Option<Place>>, StoreError>;

    /// Stores objects without an append; what nothing needs by the next collection goes again. An object that
    /// is a row and a part at once becomes the part.
    /// Checked in this order, nothing is stored on an error: `Invalid` (a row that is too large; a part beyond
    /// its pack's end), `AlreadyExists` (the pack's name is known), `Gone` (a kept object is not stored).
    async fn add_objects(&self, objects: NewObjects) -> Result<(), StoreError>;

    /// Returns a session's files as of event `number`: those of the newest append with files whose last event
    /// is at most that, in the session's own log or the history it shares. Errors: `NotFound`.
    async fn files_at(
        &self,
        session_id: &SessionId,
        number: u64,
    ) -> Result<Option<Files>, StoreError>;

    /// Returns the files of a session's appends with files behind event `after`, each with the number of the
    /// append's last event, in that order, at most `limit` (at most [`super::ROWS_MAX`]); those of the history
    /// that it shares too. Errors: `NotFound`.
    async fn snapshots(
        &self,
        session_id: &SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Files)>, StoreError>;

    /// Begins a collection and returns its token.
    async fn begin_collection(&self) -> Result<i64, StoreError>;

    /// Returns the roots of every log (roots, shells and what appends named `also`) behind a position, at most
    /// `limit` (at most [`super::ROWS_MAX`]); one hash may come several times. 0 starts.
    async fn roots(&self, after: i64, limit: usize) -> Result<Vec<Rooted>, StoreError>;

    /// Returns objects behind a position, at most `limit` (at most [`super::ROWS_MAX`]). 0 starts.
    async fn objects(&self, after: i64, limit: usize) -> Result<Vec<Listed>, StoreError>;

    /// Removes those of `hashes` that were neither stored nor kept since the collection with this token began,
    /// and returns how many went. At most [`super::ROWS_MAX`]; more are `Invalid`.
    async fn remove_objects(&self, token: i64, hashes: &[Hash]) -> Result<usize, StoreError>;

    /// Moves stored objects into a pack that is durable: rows, or parts of other packs. Parts that are no
    /// longer stored are left out. Moving does not keep an object. Errors: those of a pack in
    /// [`Objects::add_objects`].
    async fn move_objects(&self, pack: NewPack) -> Result<(), StoreError>;

    /// Returns packs in order of name from behind `after`, at most `limit`.
    async fn packs(&self, after: Option<&str>, limit: usize) -> Result<Vec<Pack>, StoreError>;

    /// Forgets a pack without live parts and tells whether it had none, which is also true of one that is not
    /// known. Its file can go then, once those who have asked for places in it have read them.
    async fn forget_pack(&self, name: &str) -> Result<bool, StoreError>;

    /// Returns the store's own name, letters and digits, made with it and never changed: it tells what is this
    /// store's where several keep their packs.
    async fn name(&self) -> Result<String, StoreError>;

    /// Returns how many bytes all rows have together.
    async fn row_bytes(&self) -> Result<u64, StoreError>;

    /// Keeps what a fold of the log came to at event `number`, to start from it next time; a newer one replaces
    /// all but the newest older one. A session may keep one of the history that it shares too, as its own.
    /// Errors: `NotFound`, `Invalid` (no event has that number; larger than
    /// [`super::EVENT_BYTES_MAX`]).
    async fn put_checkpoint(
        &self,
        session_id: &SessionId,
        number: u64,
        body: Bytes,
    ) -> Result<(), StoreError>;

    /// Returns the newest checkpoint at an event of at most `number`, in the session's own log or the history
    /// it shares. Errors: `NotFound`.
    async fn checkpoint(
        &self,
        session_id: &SessionId,
        number: u64,
    ) -> Result<Option<(u64, Bytes)>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = Hash::of(b"");
        let text = hash.to_string();
        assert_eq!(
            text,
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
        assert_eq!(Hash::parse(&text), Some(hash));
        assert_eq!(Hash::parse("af13"), None);
    }
}
