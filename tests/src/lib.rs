//! What whole-system tests and benches share: a daemon that can be killed, a client that holds every answer
//! against the contract, a mock model, the rules of a session's log.

#![allow(
    clippy::indexing_slicing,
    reason = "what is indexed here is JSON, which answers null"
)]

pub mod canary;
pub mod cli;
pub mod client;
pub mod daemon;
pub mod log_rules;
pub mod mcp;
pub mod mcp_setup;
pub mod node;
pub mod packages;
pub mod proxy;
pub mod python;
pub mod shell;
pub mod tls;
pub mod turn;
pub mod wire;
pub mod world;
