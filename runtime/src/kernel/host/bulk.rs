//! The interface `bulk`.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::bindings::sinew::process::bulk::{Batch, Host, HostFolder};
use super::bindings::sinew::process::descriptors::Errno;
use super::descriptors::Answer;
use super::{Folder, Held, KernelView, convert};
use crate::fs::{Begun, DirBatch};

impl Host for KernelView<'_> {
    fn list_at(
        &mut self,
        path: String,
        with_stats: bool,
    ) -> Answer<(Batch, Option<Resource<Folder>>)> {
        let root = self.vfs.root();
        let opened = self
            .vfs
            .batches_at(&root, &path, with_stats, self.descriptors);
        let first = opened.and_then(|mut folder| Ok((folder.next(self.descriptors)?, folder)));
        let (first, folder) = match first {
            Ok(first) => first,
            Err(error) => return Ok(Err(convert::errno(error))),
        };
        if folder.is_ended() {
            return Ok(Ok((batch(first), None)));
        }
        let rest = self.try_push(Folder(folder))?;
        Ok(rest.map(|rest| (batch(first), Some(rest))))
    }

    fn read_at(&mut self, path: String, max: u32) -> Answer<(Vec<u8>, Option<Resource<Held>>)> {
        let max = max as usize;
        let root = self.vfs.root();
        let node = match self.vfs.begin_at(&root, &path, max, self.descriptors) {
            Ok(Begun::Whole(bytes)) => return Ok(Ok((bytes, None))),
            Ok(Begun::Open(node)) => node,
            Err(error) => return Ok(Err(convert::errno(error))),
        };
        let Some(description) = self.description_of(node, false) else {
            return Ok(Err(Errno::NoEntry));
        };
        // Before anything is read, which from a pipe would be lost.
        let rest = self.try_hold(Arc::clone(&description))?;
        Ok(rest.map(|rest| {
            // What fails now fails again where the guest goes on.
            let bytes = description.read(max).unwrap_or_default();
            (bytes, Some(rest))
        }))
    }
}

impl HostFolder for KernelView<'_> {
    fn next(&mut self, handle: Resource<Folder>) -> Answer<Batch> {
        let next = self.table.get_mut(&handle)?.0.next(self.descriptors);
        Ok(next.map(batch).map_err(convert::errno))
    }

    fn drop(&mut self, handle: Resource<Folder>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

fn batch(batch: DirBatch) -> Batch {
    Batch {
        names: batch.names,
        kinds: batch.kinds.into_iter().map(convert::kind).collect(),
        stats: batch
            .stats
            .into_iter()
            .map(|stat| {
                stat.map(|stat| convert::stat(&stat))
                    .map_err(convert::errno)
            })
            .collect(),
    }
}
