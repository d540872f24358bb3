//! What a mount's folder held when it was last the same as its store.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One file that stands for a memory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The memory.
    pub(super) id: String,
    /// Hash of the content that the file and the memory had in common.
    pub(super) sha256: String,
    /// The file as it was then; none where it might change again within the clock's grain.
    pub(super) stamp: Option<Stamp>,
}

/// A state of a file without its content. The system sets the time of a change, no guest can.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) inode: u64,
    pub(super) size: u64,
    pub(super) changed_seconds: i64,
    pub(super) changed_nanos: i64,
}

/// The manifest of one mount, beside its folder, where no guest sees it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Manifest {
    /// The store's revision that was brought in last; 0 before the first time.
    pub(super) revision: u64,
    /// By path.
    pub(super) entries: BTreeMap<String, Entry>,
    /// Files that are not saved, and why; the model was told. The empty path is the store as a whole.
    pub(super) rejected: BTreeMap<String, String>,
    /// What the model must still be told.
    pub(super) notes: Vec<String>,
}

impl Manifest {
    /// Reads a manifest; one that is missing or unreadable knows nothing, which is always safe.
    pub(super) fn read(path: &Path) -> Self {
        let Ok(bytes) = std::fs::read(path) else {
            return Self::default();
        };
        serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "a memory mount's manifest is unreadable");
            Self::default()
        })
    }

    /// Replaces the manifest, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("new");
        let bytes = serde_json::to_vec(self)?;
        let mut file = std::fs::File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        std::fs::rename(new, path)
    }
}
