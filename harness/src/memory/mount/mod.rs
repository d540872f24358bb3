//! A store mounted in a session: a folder of the host with a file for each memory.
//!
//! [`sync`] compares three states: what it last left (the manifest), what the folder holds, and what the store
//! holds. What only the folder changed becomes versions, what only the store changed becomes files. What both
//! changed is a conflict: the store's content stands, the agent's goes to `/tmp/memory-conflicts`, and a note
//! tells the model, so nothing is lost and nothing is overwritten unseen. Every step is decided by comparing
//! contents, so a crash between any two of them leaves a state from which the next [`sync`] goes on.

mod manifest;
mod pull;
mod push;
mod scan;
mod sync;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde_json::Value;

use crate::json::Fields as _;

pub use sync::{CONFLICTS_NAME, Folders, SyncError, clear_notes, sync};

/// The folder below which stores are mounted in a hand.
pub const MOUNT_ROOT: &str = "/mnt/memory";
/// Longest folder name of a mount in characters: names are longer, file names are not.
const SLUG_CHARACTERS_MAX: usize = 100;

/// One store in one session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// The store.
    pub store_id: String,
    /// The name of its folder, in the hand and on the host.
    pub slug: String,
    /// The agent may write there.
    pub is_writable: bool,
}

impl Mount {
    /// Returns where the hand has it.
    pub fn path(&self) -> String {
        format!("{MOUNT_ROOT}/{}", self.slug)
    }
}

/// Returns the mounts among a session's resources.
pub fn mounts(resources: &Value) -> Vec<Mount> {
    let resources = resources.as_array().into_iter().flatten();
    resources
        .filter(|resource| *resource.at("type") == "memory_store")
        .filter_map(|resource| {
            let path = resource.at("mount_path").as_str()?;
            let slug = path.strip_prefix(MOUNT_ROOT)?.strip_prefix('/')?;
            let is_name = !slug.is_empty() && !slug.contains(['/', '.']);
            is_name.then(|| Mount {
                store_id: resource
                    .at("memory_store_id")
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                slug: slug.to_owned(),
                is_writable: *resource.at("access") != "read_only",
            })
        })
        .collect()
}

/// Returns the folder name of a store: its name in lower case, with one hyphen for each run of other characters
/// than letters and digits, and a number where it is among `taken`.
pub fn slug(name: &str, taken: &[String]) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars().take(SLUG_CHARACTERS_MAX) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "memory" } else { slug };
    let mut names =
        std::iter::once(slug.to_owned()).chain((2u32..).map(|number| format!("{slug}-{number}")));
    names
        .find(|name| !taken.contains(name))
        .unwrap_or_else(|| slug.to_owned())
}

/// Where the folder of a mount lies on the host, beside it what was last synchronised.
fn folder(folders: &Folders, mount: &Mount) -> PathBuf {
    folders.memory.join(&mount.slug)
}
