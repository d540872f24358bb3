//! The one call that blocks.

use std::time::Duration;

use crate::{Child, Descriptor, backend};

/// Something to wait for.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Bytes, or the end, can be read.
    Readable(&'a Descriptor),
    /// Bytes can be written, or nobody reads any more.
    Writable(&'a Descriptor),
    /// The child ended or is stopped.
    Changed(&'a Child),
}

/// Waits until at least one of the events is there, a handled signal came in, or the time is over, and returns the
/// places of the events that are there.
///
/// Without events and time it waits for a signal.
pub fn wait(events: &[Event<'_>], timeout: Option<Duration>) -> Vec<usize> {
    backend::wait(events, timeout)
}
