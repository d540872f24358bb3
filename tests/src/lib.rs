//! What whole-system tests and benches share: a daemon that can be killed, a client, a mock model.

pub mod client;
pub mod daemon;
pub mod python;
