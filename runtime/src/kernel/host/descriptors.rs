//! The interface `descriptors`.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::bindings::sinew::process::descriptors::{
    Errno, Host, HostDescriptor, OpenFlags, Stat, Whence,
};
use super::{Held, KernelView, convert};
use crate::fs::Node;
use crate::kernel::description::{Description, IoError};
use crate::kernel::entry::Ended;
use crate::kernel::pipe;
use crate::kernel::run::ProcessEnd;
use crate::kernel::signal::PIPE;
use crate::kernel::wasi_streams::fifo_description;

pub(super) type Answer<T> = wasmtime::Result<Result<T, Errno>>;

impl KernelView<'_> {
    /// Returns what a process opened; none if that is a descriptor that it does not have.
    pub(super) fn description_of(&self, node: Node, append: bool) -> Option<Arc<Description>> {
        match (node.process_fd(), node.fifo()) {
            // Another descriptor of the same description, as Linux has it for pipes.
            (Some(number), _) => self.descriptors.get(number),
            (None, Some(ends)) => fifo_description(&ends),
            (None, None) => Some(Arc::new(Description::file(node, append))),
        }
    }

    fn umask(&self) -> u32 {
        self.process.map_or(0o022, |(_, entry)| entry.umask())
    }

    /// What an error of reading or writing is to the guest; some end it.
    fn io<T>(&self, outcome: Result<T, IoError>) -> Answer<T> {
        match outcome {
            Ok(value) => Ok(Ok(value)),
            Err(IoError::WouldBlock) => Ok(Err(Errno::Again)),
            Err(IoError::Fs(error)) => Ok(Err(convert::errno(error))),
            Err(IoError::BrokenPipe) => {
                let dies = self
                    .process
                    .is_none_or(|(_, entry)| entry.signals().dies_of_pipe());
                if dies {
                    return Err(ProcessEnd(Ended::Signaled(PIPE)).into());
                }
                if let Some((_, entry)) = self.process {
                    entry.signal(PIPE);
                }
                Ok(Err(Errno::BrokenPipe))
            }
        }
    }
}

impl Host for KernelView<'_> {
    fn open(&mut self, path: String, how: OpenFlags, mode: u32) -> Answer<Resource<Held>> {
        let mode = mode & 0o7777 & !self.umask();
        let options = convert::options(how, mode);
        let root = self.vfs.root();
        let node = match self.vfs.open_at(&root, &path, options, self.descriptors) {
            Ok(node) => node,
            Err(error) => return Ok(Err(convert::errno(error))),
        };
        let description = self.description_of(node, how.contains(OpenFlags::APPEND));
        match description {
            Some(description) => self.try_hold(description),
            None => Ok(Err(Errno::NoEntry)),
        }
    }

    fn pipe(&mut self) -> Answer<(Resource<Held>, Resource<Held>)> {
        let (reader, writer) = pipe();
        let reader = match self.try_hold(Arc::new(Description::Reader(reader)))? {
            Ok(reader) => reader,
            Err(errno) => return Ok(Err(errno)),
        };
        match self.try_hold(Arc::new(Description::Writer(writer)))? {
            Ok(writer) => Ok(Ok((reader, writer))),
            Err(errno) => {
                self.table.delete(reader)?;
                Ok(Err(errno))
            }
        }
    }

    fn stat_at(&mut self, path: String, follow: bool) -> Answer<Stat> {
        let root = self.vfs.root();
        let stat = self.vfs.stat_at(&root, &path, follow, self.descriptors);
        Ok(stat
            .map(|stat| convert::stat(&stat))
            .map_err(convert::errno))
    }

    fn chmod_at(&mut self, path: String, mode: u32) -> Answer<()> {
        let root = self.vfs.root();
        Ok(self
            .vfs
            .set_mode_at(&root, &path, true, mode)
            .map_err(convert::errno))
    }

    fn mkfifo_at(&mut self, path: String, mode: u32) -> Answer<()> {
        let mode = mode & 0o777 & !self.umask();
        let root = self.vfs.root();
        Ok(self
            .vfs
            .create_fifo_at(&root, &path, mode)
            .map_err(convert::errno))
    }
}

impl HostDescriptor for KernelView<'_> {
    fn read(&mut self, handle: Resource<Held>, max: u32) -> Answer<Vec<u8>> {
        let read = self.held(&handle)?.read(max as usize);
        self.io(read)
    }

    fn write(&mut self, handle: Resource<Held>, bytes: Vec<u8>) -> Answer<u32> {
        let written = self.held(&handle)?.write(&bytes);
        self.io(written.map(|count| u32::try_from(count).unwrap_or(u32::MAX)))
    }

    fn seek(&mut self, handle: Resource<Held>, by: i64, whence: Whence) -> Answer<u64> {
        let moved = self.held(&handle)?.seek(by, convert::whence(whence));
        Ok(moved.map_err(convert::errno))
    }

    fn set_size(&mut self, handle: Resource<Held>, size: u64) -> Answer<()> {
        Ok(self.held(&handle)?.set_size(size).map_err(convert::errno))
    }

    fn stat(&mut self, handle: Resource<Held>) -> Answer<Stat> {
        let stat = self.held(&handle)?.stat();
        Ok(stat
            .map(|stat| convert::stat(&stat))
            .map_err(convert::errno))
    }

    fn duplicate(&mut self, handle: Resource<Held>) -> wasmtime::Result<Resource<Held>> {
        let description = self.held(&handle)?;
        self.hold(description)
    }

    fn access(&mut self, handle: Resource<Held>) -> wasmtime::Result<OpenFlags> {
        let description = self.held(&handle)?;
        let flags = [
            (OpenFlags::READ, description.is_readable()),
            (OpenFlags::WRITE, description.is_writable()),
            (OpenFlags::APPEND, description.appends()),
        ];
        let given = flags.into_iter().filter(|(_, is_given)| *is_given);
        Ok(given.fold(OpenFlags::empty(), |access, (flag, _)| access | flag))
    }

    fn drop(&mut self, handle: Resource<Held>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
