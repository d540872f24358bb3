//! Names of members as paths.

use std::io;
use std::path::Path;

/// Returns a name as a path.
#[cfg(unix)]
pub(crate) fn path(name: &[u8]) -> io::Result<&Path> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(Path::new(std::ffi::OsStr::from_bytes(name)))
}

/// Returns a name as a path; the host has no names that are no text.
#[cfg(not(unix))]
pub(crate) fn path(name: &[u8]) -> io::Result<&Path> {
    match std::str::from_utf8(name) {
        Ok(text) => Ok(Path::new(text)),
        Err(_) => Err(process::Errno::IllegalByteSequence.into()),
    }
}
