//! HTTP as guests send it: what a URL means, what is asked and answered, bodies unpacked, and the way out.
//!
//! The way out is the host's `wasi:http`, so nothing here connects, secures or frames anything; natively, for the
//! tests of the guests, it is a plain socket. Redirects, cookies, retries and limits are the callers'.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail"))]

pub mod address;
pub mod decode;
pub mod message;
pub mod transport;
