//! What can go wrong with content.

use crate::blobs::BlobError;
use crate::store::{Hash, StoreError};

/// Why content could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The store that knows where objects are refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store that holds packs failed.
    #[error("pack storage: {0}")]
    Packs(#[from] BlobError),
    /// An object that something needs is not stored: the store was damaged.
    #[error("object {0} is missing; check the store with `sinew doctor --verify`")]
    Missing(Hash),
    /// An object's pack is missing or cannot be read.
    #[error(
        "object {hash} cannot be read from pack {pack}: {error}; check the store with `sinew doctor --verify`"
    )]
    Unreadable {
        /// The object's name.
        hash: Hash,
        /// The pack's name.
        pack: String,
        /// Why.
        error: BlobError,
    },
    /// An object's bytes are not what its name says: the disk or the store was damaged.
    #[error("object {hash} is damaged ({reason}); check the store with `sinew doctor --verify`")]
    Damaged {
        /// Its name.
        hash: Hash,
        /// What is wrong.
        reason: String,
    },
    /// The work was cut off because the daemon is going down.
    #[error("cut off: {0}")]
    CutOff(String),
}

impl ContentError {
    /// Tells whether space is missing.
    pub fn is_full(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Full)
                | Self::Packs(BlobError::Full)
                | Self::Unreadable {
                    error: BlobError::Full,
                    ..
                }
        )
    }
}
