//! The streams of `wasi:io` over an open node: the system call happens in the read or write itself.
//!
//! They are always ready. A stream counts as an open handle, for each keeps its file open.

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use super::{FsView, READ_BYTES_MAX, WRITE_BYTES_MAX};
use crate::fs::quota::HandlePermit;
use crate::fs::{FsError, Node};

/// Where the next bytes go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Offset(u64),
    End,
}

struct NodeInput {
    node: Node,
    offset: u64,
    _permit: HandlePermit,
}

struct NodeOutput {
    node: Node,
    place: Place,
    _permit: HandlePermit,
}

impl FsView<'_> {
    /// Returns a stream that reads a node; of a process's descriptor the process's own.
    pub(super) fn input(&self, node: Node, offset: u64) -> Result<DynInputStream, FsError> {
        if node.is_dir() {
            return Err(FsError::IsDirectory);
        }
        if !node.is_readable() {
            return Err(FsError::BadDescriptor);
        }
        if let Some(number) = node.process_fd() {
            return self.fds.input(number).ok_or(FsError::BadDescriptor);
        }
        if let Some(ends) = node.fifo() {
            return self.fds.fifo_input(&ends).ok_or(FsError::BadDescriptor);
        }
        Ok(Box::new(NodeInput {
            node,
            offset,
            _permit: self.vfs.quota.handle()?,
        }))
    }

    /// Returns a stream that writes a node; of a process's descriptor the process's own.
    pub(super) fn output(&self, node: Node, place: Place) -> Result<DynOutputStream, FsError> {
        if node.is_dir() {
            return Err(FsError::IsDirectory);
        }
        if !node.is_writable() {
            return Err(FsError::BadDescriptor);
        }
        if let Some(number) = node.process_fd() {
            return self.fds.output(number).ok_or(FsError::BadDescriptor);
        }
        if let Some(ends) = node.fifo() {
            return self.fds.fifo_output(&ends).ok_or(FsError::BadDescriptor);
        }
        Ok(Box::new(NodeOutput {
            node,
            place,
            _permit: self.vfs.quota.handle()?,
        }))
    }
}

/// Writes once and moves the place behind what was written.
pub(super) fn write_some(node: &Node, place: &mut Place, bytes: &[u8]) -> Result<usize, FsError> {
    match place {
        Place::End => node.append(bytes),
        Place::Offset(offset) => {
            let count = node.write_at(bytes, *offset)?;
            *offset = offset.saturating_add(count as u64);
            Ok(count)
        }
    }
}

/// Reads at most [`READ_BYTES_MAX`]. Returns the bytes, and whether the file ends behind them.
pub(super) fn read_some(node: &Node, offset: u64, size: u64) -> Result<(Vec<u8>, bool), FsError> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    node.read_part(offset, size.min(READ_BYTES_MAX))
}

fn failed(error: FsError) -> StreamError {
    StreamError::LastOperationFailed(error.into())
}

impl InputStream for NodeInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        let (bytes, _) = read_some(&self.node, self.offset, size as u64).map_err(failed)?;
        if bytes.is_empty() {
            return Err(StreamError::Closed);
        }
        self.offset = self.offset.saturating_add(bytes.len() as u64);
        Ok(bytes.into())
    }
}

impl OutputStream for NodeOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut rest = &*bytes;
        while !rest.is_empty() {
            let count = write_some(&self.node, &mut self.place, rest).map_err(failed)?;
            match rest.get(count..) {
                Some(left) if count > 0 => rest = left,
                _ => return Err(failed(FsError::Io)),
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[async_trait]
impl Pollable for NodeInput {
    async fn ready(&mut self) {}
}

#[async_trait]
impl Pollable for NodeOutput {
    async fn ready(&mut self) {}
}
