//! Paths: opening, and what POSIX has beside WASI.

use std::path::Path;

use crate::{Descriptor, Errno, Kind, OpenHow, Stat, backend};

/// Opens a path. `mode` is that of a new file, before the process's umask is applied.
///
/// A FIFO is opened at once: reading it gives [`Errno::Again`] until somebody writes; opening it for writing gives
/// [`Errno::NoDevice`] while nobody reads.
pub fn open(path: impl AsRef<[u8]>, how: OpenHow, mode: u32) -> Result<Descriptor, Errno> {
    backend::open(path.as_ref(), how, mode).map(Descriptor)
}

/// Makes a pipe of 64 KiB and returns its reading and its writing end.
pub fn pipe() -> Result<(Descriptor, Descriptor), Errno> {
    let (reader, writer) = backend::pipe()?;
    Ok((Descriptor(reader), Descriptor(writer)))
}

/// Returns what is at a path; of a symbolic link what it leads to if `follow`.
pub fn stat(path: impl AsRef<[u8]>, follow: bool) -> Result<Stat, Errno> {
    backend::stat(path.as_ref(), follow)
}

/// Sets the permission bits.
pub fn chmod(path: impl AsRef<[u8]>, mode: u32) -> Result<(), Errno> {
    backend::chmod(path.as_ref(), mode)
}

/// Makes a FIFO; the umask is applied to `mode`.
pub fn mkfifo(path: impl AsRef<[u8]>, mode: u32) -> Result<(), Errno> {
    backend::mkfifo(path.as_ref(), mode)
}

/// Returns whether a path is a file that may be run.
pub fn is_executable(path: impl AsRef<[u8]>) -> bool {
    stat(path, true).is_ok_and(|stat| stat.kind != Kind::Directory && stat.mode & 0o111 != 0)
}

/// Returns the bytes of a path of std's.
pub fn path_bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}
