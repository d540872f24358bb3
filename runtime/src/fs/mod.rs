//! The file system of a hand: what guests see as `/`, and the host side of `wasi:filesystem`.
//!
//! The core (everything but the module `wasi`) is synchronous and knows no WASI. A guest sees one virtual `/`
//! in which directories of the host are mounted, each with its own right to write. Invariants: no path leads
//! out of a mount on the host; no changing system call is made without the mount's right; no change is missing
//! from the dirty set; nothing grows past its limit.
//!
//! Linux only: resolution rests on openat2 (5.6) and true paths on procfs.

mod books;
mod bulk;
mod dirty;
mod error;
mod fds;
mod file;
mod list;
mod metadata;
mod modes;
mod mount;
mod name_text;
mod names;
mod node;
mod open;
mod quota;
mod random;
mod resolve;
mod stat;
#[cfg(test)]
mod tests;
mod texts;
mod tree;
mod truth;
mod vfs;
mod walk;
mod wasi;

pub use bulk::{Begun, DirBatch, DirBatches};
pub use dirty::{Dirt, DirtyMount, DirtySet};
pub use error::FsError;
pub use fds::{FdTable, FifoEnds, NoFds};
pub use file::OpenFile;
pub use list::{DirEntry, DirList};
pub use mount::Rights;
pub use node::{FifoNode, Node, OpenDir, VirtNode};
pub use open::OpenOptions;
pub use quota::{FsLimit, FsLimits, FsUsage};
pub use stat::{FileKind, FileTime, NewTime, Stat};
pub use tree::ProgramFile;
pub use vfs::{BuildError, Vfs, VfsBuilder};
pub use wasi::{FsView, HandFs, ProcessFds, add_filesystem_to_linker, add_wasi_to_linker};
