//! `sinew:process` for guests: a thin layer over the kernel that translates types and nothing else.

mod bulk;
mod convert;
mod descriptors;
mod processes;
mod session;
#[cfg(test)]
mod tests;
mod wait;

use std::sync::Arc;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};

use self::bindings::sinew::process::descriptors::Errno;
use super::entry::Entry;
use super::{Description, Descriptors, Kernel, Session};
use crate::fs::{DirBatches, Vfs};

mod bindings {
    #![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated")]

    wasmtime::component::bindgen!({
        path: "../tools-wit/process",
        world: "sinew:process/shell",
        imports: {
            "sinew:process/processes.spawn": async | trappable,
            "sinew:process/processes.wait": async | trappable,
            default: trappable,
        },
        require_store_data_send: true,
        with: {
            "sinew:process/bulk.folder": super::Folder,
            "sinew:process/descriptors.descriptor": super::Held,
            "sinew:process/processes.child": super::Child,
        },
    });
}

/// A guest's handle of a description.
#[derive(Clone)]
pub struct Held(Arc<Description>);

/// A guest's handle of the names in a folder.
pub struct Folder(DirBatches);

/// A guest's handle of a child.
#[derive(Clone)]
pub struct Child(Arc<Entry>);

/// What the host functions need of a store's data.
pub(crate) struct KernelView<'a> {
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) vfs: &'a Arc<Vfs>,
    pub(crate) descriptors: &'a Descriptors,
    /// None for the process of a tool, which is in no kernel's table.
    pub(crate) process: Option<&'a (Arc<Kernel>, Arc<Entry>)>,
    pub(crate) session: Option<&'a Session>,
}

struct KernelHost;

impl HasData for KernelHost {
    type Data<'a> = KernelView<'a>;
}

/// Links `sinew:process`.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> KernelView<'_>,
) -> wasmtime::Result<()> {
    bindings::sinew::process::descriptors::add_to_linker::<T, KernelHost>(linker, view)?;
    bindings::sinew::process::bulk::add_to_linker::<T, KernelHost>(linker, view)?;
    bindings::sinew::process::processes::add_to_linker::<T, KernelHost>(linker, view)?;
    bindings::sinew::process::session::add_to_linker::<T, KernelHost>(linker, view)
}

impl KernelView<'_> {
    fn hold(&mut self, description: Arc<Description>) -> wasmtime::Result<Resource<Held>> {
        Ok(self.table.push(Held(description))?)
    }

    /// As [`KernelView::hold`], where the guest can be told that it holds too much already.
    fn try_hold(
        &mut self,
        description: Arc<Description>,
    ) -> wasmtime::Result<Result<Resource<Held>, Errno>> {
        self.try_push(Held(description))
    }

    fn try_push<T: Send + 'static>(
        &mut self,
        resource: T,
    ) -> wasmtime::Result<Result<Resource<T>, Errno>> {
        match self.table.push(resource) {
            Ok(held) => Ok(Ok(held)),
            Err(ResourceTableError::Full) => Ok(Err(Errno::TooManyFiles)),
            Err(error) => Err(error.into()),
        }
    }

    fn held(&self, handle: &Resource<Held>) -> wasmtime::Result<Arc<Description>> {
        Ok(Arc::clone(&self.table.get(handle)?.0))
    }
}
