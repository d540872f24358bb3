//! Sinew: sessions, brains and the hands that serve them, behind the managed-agents HTTP API.
//!
//! Modules stand in order of dependency; each uses only what stands before it.

pub mod clock;
pub mod ids;
pub mod store;
pub mod model;
pub mod mock_model;
pub mod session;
pub mod data_dir;
pub mod hands;
pub mod agent;
pub mod api;
pub mod config;
mod model_facts;
pub mod daemon;
mod logging;
mod cli;

pub use cli::main as cli_main;
