//! The tool `__NAME__`: `wit/world.wit` says what it offers, `counting` does it.

pub mod counting;

#[cfg(target_family = "wasm")]
mod component;
