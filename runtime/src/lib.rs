//! Runs tools and programs as WebAssembly components in a capability-scoped filesystem.

pub mod fs;
pub mod typed;
