//! Sinew: sessions, brains and the hands that serve them, behind the managed-agents HTTP API.
//!
//! Order of dependency, each module using only what stands before it: `crash_point`, `clock`, `cron`, `ids`, `json`, `rules`, `store`, `model`,
//! `mock_model`, `session`, `data_dir`, `place`, `blobs`, `content`, `tree`, `collect`, `archive`, `secrets`, `vault`, `egress`, `webhooks`, `mcp`, `memory`, `hands`, `agent`, `portable`, `api`, `scheduler`,
//! `config`, `web_search`, `daemon`,
//! `logging`, `cli`. A tidy test holds it.

// Without tests the library is linted as it ships; a test may fail by panicking.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests"
    )
)]

pub mod agent;
pub mod api;
mod archive;
pub mod blobs;
mod cli;
pub mod clock;
pub mod collect;
pub mod config;
pub mod content;
pub mod crash_point;
pub mod cron;
pub mod daemon;
pub mod data_dir;
pub mod egress;
pub mod hands;
pub mod ids;
mod json;
mod logging;
pub mod mcp;
pub mod memory;
pub mod mock_model;
pub mod model;
pub mod place;
pub mod portable;
pub mod rules;
pub mod scheduler;
pub mod secrets;
pub mod session;
pub mod store;
pub mod tree;
pub mod vault;
mod web_search;
pub mod webhooks;

pub use cli::main as cli_main;
pub use sinew_runtime::compile_worker_main;
