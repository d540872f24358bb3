//! What the small programs read, and how they say what went wrong.
//!
//! Shared by the crates of small programs, which else have nothing in common.

pub mod input;
pub mod report;
