//! Sessions as files: one session with its whole history, which another daemon takes up.
//!
//! A file holds the log, event by event, and every object that one of the session's snapshots leads to. It is a
//! chain of frames (`format` says how they lie): each frame's hash covers all that stands before it, so a byte that
//! is changed, missing or too many is found where it is, while the file is read. Nothing in it is trusted beyond
//! that: hashes say that a file is whole, not that a daemon wrote it.
//!
//! Writing and reading never hold more than a few frames in memory. What is read is staged: events and objects are
//! stored as they come, in a log that belongs to nobody. Only when all of it was there and good does a session
//! begin with that log, in one commit; what a failure or a crash leaves is removed, at the latest by [`sweep`].
//!
//! Not in a file: secrets (the log has none), the contents of mounted files, memory stores, vaults and skills, which
//! belong to the daemon and not to the session; what the session's own folders hold of them is part of its files.

mod error;
mod event;
mod format;
mod frame;
mod read;
mod replay;
#[cfg(test)]
mod tests;
mod write;

pub use error::PortableError;
pub use event::canonical;
pub use format::Head;
pub use read::{Bounds, Staged, discard, stage, sweep};
pub use replay::{Difference, ReplayError, Replayed, replay};
pub use write::export;
