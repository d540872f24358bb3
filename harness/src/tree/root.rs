//! The root of a session's files: the folders that it keeps, each under the path at which its guests have it.

use std::collections::BTreeMap;

use super::TreeError;
use super::folder::{entries, update};
use super::node::{Entry, Folder, Kind};
use crate::content::{Batch, Blocking};
use crate::store::Hash;

/// Folders by their guest paths.
pub type Folders = BTreeMap<String, Folder>;

/// Returns the folders of a root; none without one.
pub fn folders(reader: &Blocking, root: impl Into<Option<Hash>>) -> Result<Folders, TreeError> {
    let Some(root) = root.into() else {
        return Ok(Folders::new());
    };
    let list = Folder {
        node: root,
        digest: root,
        names: 0,
        bytes: 0,
    };
    let folder = |entry: Entry| match entry.kind {
        Kind::Folder(folder) => Some((String::from_utf8_lossy(&entry.name).into_owned(), folder)),
        Kind::File { .. } | Kind::Link(_) | Kind::Fifo => None,
    };
    Ok(entries(reader, &list)?
        .into_iter()
        .filter_map(folder)
        .collect())
}

/// Stores a root and returns it with its digest, which leaves the folder at `foreign` out: others change it too.
pub fn seal(
    batch: &mut Batch,
    folders: &Folders,
    foreign: &str,
) -> Result<(Hash, Hash), TreeError> {
    let entry = |(path, folder): (&String, &Folder)| {
        let name = path.clone().into_bytes();
        let entry = Entry {
            name: name.clone(),
            mode: 0o700,
            kind: Kind::Folder(*folder),
        };
        (name, Some(entry))
    };
    let root = update(batch, None, folders.iter().map(entry).collect())?;
    Ok((root.node, digest(folders, foreign)))
}

/// Returns the digest of a root with these folders.
pub(super) fn digest(folders: &Folders, foreign: &str) -> Hash {
    let mut hasher = blake3::Hasher::new();
    for (path, folder) in folders {
        if path != foreign {
            hasher.update(&(path.len() as u64).to_le_bytes());
            hasher.update(path.as_bytes());
            hasher.update(&folder.digest.0);
        }
    }
    Hash(*hasher.finalize().as_bytes())
}
