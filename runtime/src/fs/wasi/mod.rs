//! `wasi:filesystem` 0.2 and 0.3 over the core: two thin layers that translate types and nothing else.
//!
//! The interfaces are the ones that wasmtime-wasi generated, implemented for our own view: so their version
//! is always that of the wasmtime-wasi in use, and there is no copy of the WIT to keep in step. Their resource
//! types are only names here. What lies in the resource table under a descriptor is always a [`Node`], for
//! wasmtime-wasi's own file system is never linked.
//!
//! System calls are made on the calling thread: a hop to a pool of threads costs more than most of them take.

mod convert;
mod link;
mod p2;
mod p3;
mod p3_pipe;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use wasmtime::component::{HasData, Resource, ResourceTable, ResourceTableError};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

pub use self::link::{add_filesystem_to_linker, add_wasi_to_linker};

use super::{FdTable, FifoEnds, FsError, NoFds, Node, Vfs};

/// Most bytes of one read that is copied into the host; without it a guest chooses the host's memory.
const READ_BYTES_MAX: usize = 64 * 1024;
/// Most bytes that a stream takes in one write.
const WRITE_BYTES_MAX: usize = 1024 * 1024;

/// The descriptors of a process, with the streams behind them.
pub trait ProcessFds: FdTable {
    /// Returns a stream that reads a descriptor, if it is open for that.
    fn input(&self, number: u32) -> Option<DynInputStream>;

    /// Returns a stream that writes a descriptor, if it is open for that.
    fn output(&self, number: u32) -> Option<DynOutputStream>;

    /// Returns a stream that reads a FIFO.
    fn fifo_input(&self, _ends: &FifoEnds) -> Option<DynInputStream> {
        None
    }

    /// Returns a stream that writes a FIFO.
    fn fifo_output(&self, _ends: &FifoEnds) -> Option<DynOutputStream> {
        None
    }
}

impl ProcessFds for NoFds {
    fn input(&self, _number: u32) -> Option<DynInputStream> {
        None
    }

    fn output(&self, _number: u32) -> Option<DynOutputStream> {
        None
    }
}

/// What the host functions need of a store's data.
pub struct FsView<'a> {
    /// The hand's file system.
    pub vfs: &'a Arc<Vfs>,
    /// The store's resources; the same table that the rest of WASI uses.
    pub table: &'a mut ResourceTable,
    /// The process's descriptors, for `/dev/fd`; [`NoFds`] if it has none.
    pub fds: &'a dyn ProcessFds,
    /// Permission bits that new files and directories do not get.
    pub umask: u32,
}

/// Names [`FsView`] where wasmtime asks for a type that stands for borrowed data.
pub struct HandFs;

impl HasData for HandFs {
    type Data<'a> = FsView<'a>;
}

impl FsView<'_> {
    fn node(&self, descriptor: &Resource<Descriptor>) -> Result<Node, ResourceTableError> {
        self.table
            .get(&Resource::<Node>::new_borrow(descriptor.rep()))
            .cloned()
    }

    fn push(&mut self, node: Node) -> Result<Resource<Descriptor>, ResourceTableError> {
        Ok(Resource::new_own(self.table.push(node)?.rep()))
    }

    fn drop_node(&mut self, descriptor: &Resource<Descriptor>) -> Result<(), ResourceTableError> {
        self.table
            .delete(Resource::<Node>::new_own(descriptor.rep()))?;
        Ok(())
    }

    fn is_same(
        &self,
        one: &Resource<Descriptor>,
        other: &Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        // What cannot be asked is not known to be the same.
        Ok(match (self.node(one)?.stat(), self.node(other)?.stat()) {
            (Ok(one), Ok(other)) => one.key() == other.key(),
            _ => false,
        })
    }

    /// The one preopened directory.
    fn root(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let root = self.vfs.root();
        Ok(vec![(self.push(root)?, "/".to_owned())])
    }
}

/// WASI's paths are relative to their descriptor, always.
fn relative(path: &str) -> Result<&str, FsError> {
    if path.starts_with('/') {
        Err(FsError::NotPermitted)
    } else {
        Ok(path)
    }
}
