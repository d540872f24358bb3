//! What a walk asks of the file system: open a folder, list it, open a file in it, read on.
//!
//! On WASI these are its own calls. `std` asks the host two or three times for each of them (a hash for each
//! entry listed, a kind for each file opened, a stream for each file read), and over ten thousand files those
//! calls are most of the time. Elsewhere, for the tests, they are `std`'s.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

#[cfg(not(target_family = "wasm"))]
#[path = "folder/native.rs"]
mod system;
#[cfg(target_family = "wasm")]
#[path = "folder/wasi.rs"]
mod system;

/// What an entry is, as its folder's listing says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, wherever it leads.
    Link,
    /// A device, socket or pipe.
    Other,
}

/// An open folder.
#[derive(Debug)]
pub struct Folder(system::Folder);

impl Folder {
    /// Opens the folder that an absolute path leads to, through links.
    pub fn open(path: &Path) -> io::Result<Self> {
        system::Folder::open(path).map(Self)
    }

    /// Opens the folder called `name` in this one; a link is refused.
    pub fn folder(&self, name: &OsStr) -> io::Result<Self> {
        self.0.folder(name).map(Self)
    }

    /// Opens the file called `name` in this folder for reading; a link is refused.
    pub fn file(&self, name: &OsStr) -> io::Result<File> {
        self.0.file(name).map(File)
    }

    /// Lists the folder by name, but no more than `count_max` entries of it.
    pub fn entries(&self, count_max: usize) -> io::Result<Vec<(OsString, Kind)>> {
        let mut entries = self.0.entries(count_max)?;
        entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    }
}

/// An open file, read from its beginning.
#[derive(Debug)]
pub struct File(system::File);

impl File {
    /// Reads on for at least `size` bytes or to the end of the file. Returns them, and whether that was the end.
    pub fn start(&mut self, size: usize) -> io::Result<(Vec<u8>, bool)> {
        self.0.start(size)
    }
}

impl io::Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

#[cfg(test)]
mod tests;
