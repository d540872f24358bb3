//! What the file system must know of a process's descriptors to show `/dev/fd` and `/dev/stdin`.
//!
//! The bytes behind them are not its affair: whoever runs the process hands out the streams.

/// The descriptors of one process.
pub trait FdTable: Send + Sync {
    /// Returns the numbers of the open descriptors, in order. The listing of `/dev/fd` is exactly this long.
    fn numbers(&self) -> Vec<u32>;

    /// Returns whether a descriptor is open.
    fn is_open(&self, number: u32) -> bool;
}

/// A process without descriptors: `/dev/fd` is empty and `/dev/stdin` does not exist.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFds;

impl FdTable for NoFds {
    fn numbers(&self) -> Vec<u32> {
        Vec::new()
    }

    fn is_open(&self, _number: u32) -> bool {
        false
    }
}
