//! Memory stores: named texts at paths, with every change kept as a version.
//!
//! A change of a memory, its version and the version's content are one commit, together with a write of the
//! store's own row: so changes of one store happen one after another, its row counts its memories, and its revision
//! tells whether anything changed. Contents lie in rows of their own, so that lists stay small.
//! [`mount`] brings a store's memories into a session's folder and the folder's changes back.

mod change;
pub mod mount;
mod path;
pub mod retention;
mod versions;

pub use change::{MemoryHome, MemoryRow};
pub use path::{PATH_BYTES_MAX, check_path};
pub use retention::sweep;

use serde_json::{Value, json};

use crate::ids::{ApiKeyId, SessionId};
use crate::store::StoreError;

/// Largest content of a memory in bytes.
pub const CONTENT_BYTES_MAX: usize = 102_400;
/// Most memories of one store.
pub const MEMORIES_MAX: usize = 2_000;
/// The label by which a store's memories and versions are found, and the sessions it is mounted in.
pub const STORE_LABEL: &str = "memory_store_id";

/// Who made a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// An agent, in this session.
    Session(SessionId),
    /// A caller of the API with this key.
    ApiKey(ApiKeyId),
    /// A caller of a server that asks for no keys.
    Unknown,
}

impl Actor {
    /// Returns the wire's actor; null if it is unknown.
    fn wire(&self) -> Value {
        match self {
            Actor::Session(id) => json!({"type": "session_actor", "session_id": id.as_str()}),
            Actor::ApiKey(id) => json!({"type": "api_actor", "api_key_id": id.as_str()}),
            Actor::Unknown => Value::Null,
        }
    }

    fn label(&self) -> Option<(String, String)> {
        match self {
            Actor::Session(id) => Some(("session_id".to_owned(), id.to_string())),
            Actor::ApiKey(id) => Some(("api_key_id".to_owned(), id.to_string())),
            Actor::Unknown => None,
        }
    }
}

/// Why a memory is not changed or read.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The store does not exist.
    #[error("the memory store does not exist")]
    NoStore,
    /// The store is archived.
    #[error("the memory store is archived, so it is read-only")]
    Archived,
    /// The memory does not exist.
    #[error("the memory does not exist")]
    NoMemory,
    /// The version does not exist.
    #[error("the version does not exist")]
    NoVersion,
    /// The version is what the memory is now.
    #[error("the version is the newest of a live memory; change or delete the memory first")]
    IsHead,
    /// Another memory has the path, or a path above or below it.
    #[error("the path conflicts with the memory {path:?}")]
    PathTaken {
        /// The other memory.
        memory_id: String,
        /// Its path.
        path: String,
    },
    /// The content is not what the caller thought.
    #[error("the content has changed: its SHA-256 is {actual}")]
    Changed {
        /// What it is.
        actual: String,
    },
    /// The store is full.
    #[error("the memory store holds {MEMORIES_MAX} memories, which is the most")]
    Full,
    /// The content is too large.
    #[error("a memory holds at most {CONTENT_BYTES_MAX} bytes, not {0}")]
    TooLarge(u64),
    /// The path breaks the rules.
    #[error("the path {0}")]
    BadPath(&'static str),
    /// Others changed the store all the time.
    #[error("the memory store is changed by others all the time")]
    Busy,
    /// A row is not what we write.
    #[error("the stored memory {0} is unreadable")]
    Unreadable(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
