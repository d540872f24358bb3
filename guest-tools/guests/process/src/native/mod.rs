//! The backend for tests on a Unix machine: the same behaviour out of the kernel's own calls.
//!
//! Only what the host of a hand gives is imitated. Reads and writes look with poll(2) first instead of marking
//! descriptions non-blocking, because children share them.

mod descriptor;
mod folder;
mod given;
mod paths;
mod processes;
pub(crate) mod session;
mod signals;
mod spawn;
mod table;
mod waiting;

pub(crate) use descriptor::{Descriptor, pipe};
pub(crate) use folder::{Folder, begin};
pub(crate) use given::{given, take};
pub(crate) use paths::{chmod, mkfifo, open, stat};
pub(crate) use processes::{
    exit, find, group, kill, parent, pid, prepare, programs, set_umask, times, umask,
};
pub(crate) use signals::{ignored, pending, set_signals};
pub(crate) use spawn::{Child, spawn};
pub(crate) use table::list;
pub(crate) use waiting::wait;

use crate::Errno;

/// Returns the error in the terms of this crate.
fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_number(error.raw_os_error())
}
