//! What the file system must know of a process's descriptors to show `/dev/fd` and `/dev/stdin`.
//!
//! The bytes behind them are not its affair: whoever runs the process hands out the streams. So it is with FIFOs, of
//! which the disk holds the name and whoever runs the processes the bytes.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// The descriptors of one process.
pub trait FdTable: Send + Sync {
    /// Returns the numbers of the open descriptors, in order. The listing of `/dev/fd` is exactly this long.
    fn numbers(&self) -> Vec<u32>;

    /// Returns whether a descriptor is open.
    fn is_open(&self, number: u32) -> bool;

    /// Opens an end of the FIFO that has this device and inode number, or both; none where there are no processes.
    fn open_fifo(&self, _key: (u64, u64), _read: bool, _write: bool) -> Option<FifoEnds> {
        None
    }
}

/// What is open of a FIFO; it closes with the last owner. What it is knows only who opened it.
#[derive(Clone)]
pub struct FifoEnds(pub Arc<dyn Any + Send + Sync>);

impl fmt::Debug for FifoEnds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FifoEnds")
    }
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
