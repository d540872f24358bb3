//! The stream editor: so far the reading of scripts and the addresses. Nothing runs them yet, so there is no program.

#![allow(dead_code, reason = "the part that runs scripts is not written yet")]

mod address;
mod character;
mod escape;
mod parse;
mod pattern;
mod reader;
mod replacement;
mod script;
mod settings;

/// Why a run ends early.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
}
