//! Folders and files through WASI's own calls.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

use super::Kind;

#[derive(Debug)]
pub struct Folder(Descriptor);

impl Folder {
    /// Starts from whichever folder the component was given that is nearest.
    pub fn open(path: &Path) -> io::Result<Self> {
        let given = get_directories().into_iter().filter_map(|(folder, name)| {
            let relative = path.strip_prefix(&name).ok()?.to_path_buf();
            Some((folder, name.len(), relative))
        });
        let (folder, _, relative) = given
            .max_by_key(|(_, length, _)| *length)
            .ok_or(io::ErrorKind::NotFound)?;
        let relative = match text(relative.as_os_str())? {
            "" => ".",
            relative => relative,
        };
        let opened = folder.open_at(
            PathFlags::SYMLINK_FOLLOW,
            relative,
            OpenFlags::DIRECTORY,
            DescriptorFlags::READ,
        );
        opened.map(Self).map_err(failed)
    }

    pub fn folder(&self, name: &OsStr) -> io::Result<Self> {
        self.child(name, OpenFlags::DIRECTORY).map(Self)
    }

    pub fn file(&self, name: &OsStr) -> io::Result<File> {
        Ok(File {
            descriptor: self.child(name, OpenFlags::empty())?,
            offset: 0,
        })
    }

    fn child(&self, name: &OsStr, flags: OpenFlags) -> io::Result<Descriptor> {
        self.0
            .open_at(
                PathFlags::empty(),
                text(name)?,
                flags,
                DescriptorFlags::READ,
            )
            .map_err(failed)
    }

    pub fn entries(&self, count_max: usize) -> io::Result<Vec<(OsString, Kind)>> {
        let stream = self.0.read_directory().map_err(failed)?;
        let mut entries = Vec::new();
        while entries.len() < count_max {
            let Some(entry) = stream.read_directory_entry().map_err(failed)? else {
                break;
            };
            entries.push((OsString::from(entry.name), kind(entry.type_)));
        }
        Ok(entries)
    }
}

#[derive(Debug)]
pub struct File {
    descriptor: Descriptor,
    /// How far the file has been read.
    offset: u64,
}

impl File {
    pub fn start(&mut self, size: usize) -> io::Result<(Vec<u8>, bool)> {
        let (mut bytes, mut is_end) = self.next(size)?;
        while !is_end && bytes.len() < size {
            let (more, end) = self.next(size - bytes.len())?;
            is_end = end || more.is_empty();
            bytes.extend_from_slice(&more);
        }
        Ok((bytes, is_end))
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (bytes, _) = self.next(buffer.len())?;
        // The host gives no more than it was asked for.
        let count = bytes.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(&bytes) {
            *to = *from;
        }
        Ok(count)
    }

    fn next(&mut self, size: usize) -> io::Result<(Vec<u8>, bool)> {
        let (bytes, is_end) = self
            .descriptor
            .read(size as u64, self.offset)
            .map_err(failed)?;
        self.offset += bytes.len() as u64;
        Ok((bytes, is_end))
    }
}

fn kind(kind: DescriptorType) -> Kind {
    match kind {
        DescriptorType::RegularFile => Kind::File,
        DescriptorType::Directory => Kind::Folder,
        DescriptorType::SymbolicLink => Kind::Link,
        _ => Kind::Other,
    }
}

fn text(name: &OsStr) -> io::Result<&str> {
    name.to_str()
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn failed(code: ErrorCode) -> io::Error {
    use io::ErrorKind as Kind;
    let kind = match code {
        ErrorCode::NoEntry => Kind::NotFound,
        ErrorCode::NotDirectory => Kind::NotADirectory,
        ErrorCode::IsDirectory => Kind::IsADirectory,
        ErrorCode::Access | ErrorCode::NotPermitted => Kind::PermissionDenied,
        ErrorCode::Invalid | ErrorCode::NameTooLong => Kind::InvalidInput,
        ErrorCode::InsufficientMemory => Kind::OutOfMemory,
        code => return io::Error::other(code.message()),
    };
    kind.into()
}
