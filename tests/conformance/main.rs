//! Conformance: what a client sees is what the contract says. The official SDK, raw requests, the order of
//! events, and the rules of the source tree itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod auto_pr;
mod bad_input;
mod bash_tool;
mod bucket;
mod cli_resources;
mod component_tools;
mod delegation;
mod embedding;
mod exec;
mod history;
mod large_file;
mod mcp;
mod named_files;
mod openapi;
mod order;
mod outcome;
mod policy;
mod portable;
mod review;
mod sdk;
mod secrets;
mod shell;
mod shell_sessions;
mod supervision;
mod system_message;
mod templates;
mod tenancy;
mod threads;
mod tidy;
mod tool_command;
mod tool_new;
mod tool_output;
mod verify;
mod web;
mod worker;

/// The daemon under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_sinew-under-test");
