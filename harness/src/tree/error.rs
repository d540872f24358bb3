//! What can go wrong between a tree and a folder.

use std::io;

use crate::content::ContentError;
use crate::store::Hash;

/// Why a snapshot, a restoration or a comparison failed.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The folder on disk could not be read or changed.
    #[error("{what}: {error}")]
    Disk {
        /// What was tried, with the name.
        what: String,
        /// What the system said.
        error: io::Error,
    },
    /// The objects could not be read or written.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// An object is not what the tree needs there.
    #[error("object {hash} is no {what}")]
    Malformed {
        /// The object.
        hash: Hash,
        /// What it should be.
        what: &'static str,
    },
    /// Folders are nested deeper than any path can name.
    #[error("folders are nested deeper than {0} levels")]
    TooDeep(usize),
}

impl TreeError {
    /// Returns the error of a system call on a name.
    pub(super) fn disk(what: &str, name: &[u8], error: rustix::io::Errno) -> Self {
        Self::Disk {
            what: format!("cannot {what} {:?}", String::from_utf8_lossy(name)),
            error: error.into(),
        }
    }

    /// Tells whether space is missing.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Disk { error, .. } => error.kind() == io::ErrorKind::StorageFull,
            Self::Content(error) => error.is_full(),
            Self::Malformed { .. } | Self::TooDeep(_) => false,
        }
    }
}
