//! The file tools of an agent: read, write, edit, glob and grep, as ordinary functions over `std::fs`.
//!
//! Each tool is one module with one function; `component` alone knows WIT. Nothing here confines paths: the
//! file system that the component is given does. What the tools add is that walks follow no links, that
//! every answer is bounded, and that every failure is a sentence for the model. Nothing may panic, because
//! a panic is a trap and loses the call.

pub mod edit;
pub mod error;
pub mod folder;
pub mod glob;
pub mod grep;
pub mod ignored;
mod overwrite;
pub mod path;
pub mod read;
pub mod walk;
pub mod write;

#[cfg(test)]
mod sandbox;

#[cfg(target_family = "wasm")]
mod component;
