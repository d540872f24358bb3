//! Folders and files through `std`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Kind;

#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::read_dir(path)?;
        Ok(Self(path.to_path_buf()))
    }

    pub fn folder(&self, name: &OsStr) -> io::Result<Self> {
        Self::open(&self.no_link(name)?)
    }

    pub fn file(&self, name: &OsStr) -> io::Result<File> {
        fs::File::open(self.no_link(name)?).map(File)
    }

    pub fn entries(&self, count_max: usize) -> io::Result<Vec<(OsString, Kind)>> {
        let entries = fs::read_dir(&self.0)?.take(count_max).filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name(), kind(entry.file_type().ok()?)))
        });
        Ok(entries.collect())
    }

    fn no_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        match fs::symlink_metadata(&path)?.is_symlink() {
            true => Err(io::Error::other("is a link")),
            false => Ok(path),
        }
    }
}

#[derive(Debug)]
pub struct File(fs::File);

impl File {
    pub fn start(&mut self, size: usize) -> io::Result<(Vec<u8>, bool)> {
        let mut bytes = Vec::with_capacity(size);
        // One byte more tells a file of exactly this size from a longer one.
        self.0
            .by_ref()
            .take(size as u64 + 1)
            .read_to_end(&mut bytes)?;
        let is_end = bytes.len() <= size;
        Ok((bytes, is_end))
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

fn kind(file_type: fs::FileType) -> Kind {
    if file_type.is_file() {
        Kind::File
    } else if file_type.is_dir() {
        Kind::Folder
    } else if file_type.is_symlink() {
        Kind::Link
    } else {
        Kind::Other
    }
}
