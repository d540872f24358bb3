//! The backend of a hand: the host's interfaces of `sinew:process`.

mod descriptor;
mod folder;
mod paths;
mod processes;
pub(crate) mod session;
mod terminate;

pub(crate) use descriptor::{Descriptor, given, pipe, take};
pub(crate) use folder::{Folder, begin};
pub(crate) use paths::{chmod, mkfifo, open, stat};
pub(crate) use processes::{
    Child, exit, find, group, ignored, kill, list, parent, pending, pid, prepare, programs,
    set_signals, set_umask, spawn, times, umask, wait,
};

#[allow(
    unsafe_code,
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "generated"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../tools-wit/process",
        world: "sinew:process/shell",
    });
}
