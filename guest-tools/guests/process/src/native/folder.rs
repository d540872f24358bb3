//! Folders and files in few calls: here they are several.

use std::os::unix::ffi::OsStrExt as _;

use super::{Descriptor, paths};
use crate::{Errno, Kind, Listed, OpenHow};

#[derive(Debug)]
pub(crate) struct Folder {
    listing: Option<std::fs::ReadDir>,
    with_stats: bool,
}

impl Folder {
    pub(crate) fn open(path: &[u8], with_stats: bool) -> Result<Self, Errno> {
        let listing = std::fs::read_dir(paths::as_path(path))?;
        Ok(Self {
            listing: Some(listing),
            with_stats,
        })
    }

    pub(crate) fn next(&mut self) -> Option<Result<Listed, Errno>> {
        let entry = match self.listing.as_mut()?.next()? {
            Ok(entry) => entry,
            Err(error) => {
                self.listing = None;
                return Some(Err(error.into()));
            }
        };
        let stat = self
            .with_stats
            .then(|| paths::stat(entry.path().as_os_str().as_bytes(), false));
        Some(Ok(Listed {
            name: entry.file_name(),
            kind: entry.file_type().map_or(Kind::Unknown, paths::kind),
            stat,
        }))
    }
}

pub(crate) fn begin(path: &[u8], max: usize) -> Result<(Vec<u8>, Option<Descriptor>), Errno> {
    let descriptor = paths::open(path, OpenHow::READ, 0)?;
    // What fails now fails again where the caller goes on.
    let bytes = descriptor.read(max).unwrap_or_default();
    Ok((bytes, Some(descriptor)))
}
