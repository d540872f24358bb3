//! What programs of a hand have beyond std: descriptors, modes, child processes, signals.
//!
//! One API over two backends: `wasm` calls the interfaces of `sinew:process`, `native` a Unix kernel, so that every
//! guest also runs and is tested on the machine it is built on. Paths, arguments and variables are bytes; on Wasm,
//! where the host takes text only, others give [`Errno::IllegalByteSequence`] instead of a changed name. Relative
//! paths mean the process's working directory.

mod command;
mod commands;
mod descriptor;
mod entry;
mod errno;
mod files;
mod folder;
mod identity;
mod name;
mod processes;
mod program;
pub mod session;
pub mod signal;
mod stat;
mod stream;
mod waiting;

#[cfg(unix)]
#[path = "native/mod.rs"]
mod backend;
#[cfg(target_family = "wasm")]
#[path = "wasm/mod.rs"]
mod backend;

pub use command::{Child, Command, Status, spawn};
pub use commands::{CommandRun, Commands};
pub use descriptor::{Descriptor, OpenHow, Whence, given, standard, take};
pub use entry::{absolute, current_directory, exit, main};
pub use errno::{Errno, message};
pub use files::{chmod, is_executable, mkfifo, open, path_bytes, pipe, stat};
pub use folder::{Contents, Folder, Listed};
pub use identity::{
    GROUP, GROUP_NAME, USER, USER_NAME, group_name, host_name, temporary_directory, user_name,
};
pub use name::{argument_bytes, name_bytes, name_path};
pub use processes::{
    Entry, find, group, ignored, kill, list, parent, pending, pid, programs, set_signals,
    set_umask, times, umask,
};
pub use program::{Output, Program, Running, Stdio, find_in_path};
pub use stat::{Kind, Moment, Stat};
pub use stream::Stream;
pub use waiting::{Event, wait};
