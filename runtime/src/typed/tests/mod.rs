//! Tests of the module as a whole, on components made from WIT text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod call;
mod convert;
mod docs;
mod fixture;
mod golden;
mod json_schema;
mod round_trip;
