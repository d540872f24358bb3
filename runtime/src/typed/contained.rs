//! Runs a parser over foreign bytes so that a bug in it stays an error.
//!
//! `wit-parser` asserts what a well-behaved toolchain would have written. A component or WIT text
//! written to break such an assertion must not take the host down, hence the unwinding stops here.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `parse`; none if it panicked.
///
/// The closure may only own what it works on: after a panic everything it touched is gone.
pub(super) fn contained<T>(parse: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(parse)).ok()
}
