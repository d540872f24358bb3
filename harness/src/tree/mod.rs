//! The files of a session as one value: a tree of immutable nodes, named by a root hash.
//!
//! A folder is a node, a very large one several; a node lists names, kinds, permission bits, times and hashes. So a
//! snapshot costs what changed and the nodes on the way to it, a fork is a copy of the root's hash, a difference
//! looks only where hashes differ. The folders on disk are a cache of the tree: whatever they hold that the tree
//! does not say is put right before the next call.
//! Not here: when a snapshot is taken and what is committed with it (`hands`, `agent`).

mod check;
mod choose;
mod diff;
mod error;
mod file;
mod folder;
mod marks;
mod node;
mod off_thread;
mod patch;
mod restore;
mod root;
mod snapshot;
#[cfg(test)]
mod tests;
mod trash;

pub use check::{Checker, Fault};
pub use choose::choose;
pub use diff::{Change, changes};
pub use error::TreeError;
pub use file::{Piece, content, pieces};
pub use folder::{entries, lookup, update};
pub use marks::{Marks, inodes};
pub use node::{Entry, Folder, Kind, Links, linked};
pub use off_thread::{blocking, compare_roots, no_files};
pub use patch::{CHANGES_MAX, CONTEXT_LINES, Comparison, FileDiff, compare};
pub use restore::{Trust, restore};
pub use root::{Folders, folders, seal};
pub use snapshot::{is_empty, snapshot};
pub use trash::{Trash, remove_folder};
