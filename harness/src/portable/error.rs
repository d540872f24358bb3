//! What can go wrong with a session's file.

use std::io;

use crate::content::ContentError;
use crate::store::StoreError;
use crate::tree::TreeError;

/// Why a session was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum PortableError {
    /// The file is not one that a daemon wrote, or not as it was written.
    #[error(
        "the file is damaged in frame {frame}, which begins at byte {byte} behind event {event}: {what}"
    )]
    Damaged {
        /// Which frame, counted from 1; 0 is the file's header.
        frame: u64,
        /// Where it begins.
        byte: u64,
        /// The last event before it, 0 if there is none.
        event: u64,
        /// What is wrong.
        what: String,
    },
    /// A newer program wrote it.
    #[error(
        "the file has version {0} of the format, which this program does not know; use a newer one"
    )]
    Version(u32),
    /// The file could not be read on, or not be written.
    #[error("the file broke off: {0}")]
    File(#[from] io::Error),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Objects could not be read or stored.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// Lists of files could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl PortableError {
    /// Tells whether the file is to blame, and not this daemon.
    pub fn is_of_the_file(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. } | Self::Version(_) | Self::File(_)
        )
    }
}
