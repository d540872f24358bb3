//! The web tools of an agent: web_fetch and web_search, as ordinary functions over HTTP.
//!
//! What comes from the network is written by strangers, and all of it is parsed here, inside the component. Every
//! answer is bounded, every failure is a sentence for the model, and nothing may panic, because a panic is a trap
//! and loses the call. Whether a request may leave, how long it may take and what secret goes with it is the host's
//! to decide; `component` alone knows WIT.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test may fail"
    )
)]

pub mod charset;
pub mod client;
pub mod content;
pub mod cut;
pub mod error;
pub mod feed;
pub mod fetch;
pub mod html;
pub mod kind;
pub mod pdf;
pub mod search;
pub mod settings;

#[cfg(target_family = "wasm")]
mod component;
#[cfg(test)]
mod server;
