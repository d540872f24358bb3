//! How a file lies on disk, and what its frames hold.
//!
//! A file is a header and frames. The header is [`MAGIC`] and [`VERSION`] (four bytes, the lowest first). A frame is
//! its kind (one byte), the length of its payload (four bytes, the lowest first), the payload, and 32 bytes of
//! BLAKE3 over the hash of the frame before it (of the header, for the first one), kind, length and payload. A
//! payload is stored as objects are: one byte for the form, then the bytes, compressed by zstd where that pays.
//!
//! Frames come in this order:
//!
//! - [`HEAD`], once: the session's id and the number of its last event.
//! - [`EVENT`], for each event in order of number: 32 bytes of the chain, then the event's canonical bytes. The
//!   chain is BLAKE3 over the chain of the event before it (32 zeros for the first) and those bytes, so two files
//!   whose chains agree at an event agree in everything up to it.
//! - behind each event with which the files changed: an [`OBJECT`] for every object that the new root leads to and
//!   that did not come before (32 bytes of its name, then its content), then [`FILES`].
//! - [`END`], once: how many events, snapshots and objects there were, and the chain's end. Nothing follows.
//!
//! The same session with the same log makes the same bytes.

use serde::{Deserialize, Serialize};

use crate::content::OBJECT_BYTES_MAX;
use crate::store::{EVENT_BYTES_MAX, Hash};

/// What every file begins with.
pub(super) const MAGIC: [u8; 12] = *b"sinew\0export";
/// The version of the format that is written; others are not read.
pub(super) const VERSION: u32 = 1;

/// Kinds of frames. Never changed or reused.
pub(super) const HEAD: u8 = 1;
pub(super) const OBJECT: u8 = 2;
pub(super) const EVENT: u8 = 3;
pub(super) const FILES: u8 = 4;
pub(super) const END: u8 = 5;

/// Bytes of a hash.
pub(super) const HASH_BYTES: usize = 32;
/// Largest payload of a frame of a few fields.
const FIELDS_BYTES_MAX: usize = 4 << 10;
/// What an event's canonical bytes have beside its body and private part.
const EVENT_FRAME_BYTES: usize = 4 << 10;

/// Returns the largest payload of a kind before compression; none for what is no kind.
pub(super) fn payload_bytes_max(kind: u8) -> Option<usize> {
    match kind {
        HEAD | FILES | END => Some(FIELDS_BYTES_MAX),
        OBJECT => Some(OBJECT_BYTES_MAX + HASH_BYTES),
        EVENT => Some(EVENT_BYTES_MAX + EVENT_FRAME_BYTES + HASH_BYTES),
        _ => None,
    }
}

/// The first frame.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The session's id where it was exported.
    pub session_id: String,
    /// The number of its last event.
    pub last: u64,
}

/// The session's files from an event on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FilesFrame {
    pub(super) number: u64,
    pub(super) root: String,
    pub(super) digest: String,
    pub(super) shell: Option<String>,
}

/// The last frame.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndFrame {
    pub(super) events: u64,
    pub(super) snapshots: u64,
    pub(super) objects: u64,
    pub(super) chain: String,
}

/// Returns the chain's next link.
pub(super) fn link(chain: Hash, canonical: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&chain.0);
    hasher.update(canonical);
    Hash(*hasher.finalize().as_bytes())
}

/// What the chain begins with.
pub(super) const CHAIN_START: Hash = Hash([0; HASH_BYTES]);
