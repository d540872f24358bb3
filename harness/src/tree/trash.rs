//! Removing folders of any depth: each is moved aside, and what is in it beside it, until nothing is nested.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::TreeError;
use super::snapshot::{names, open};
use crate::crash_point;

/// A folder for what is to be removed, on the file system of what it takes.
pub struct Trash {
    dir: OwnedFd,
    next: u64,
}

impl Trash {
    /// Opens the folder, which is made if it is missing, and removes what an earlier one left in it.
    pub fn open(path: &Path) -> Result<Self, TreeError> {
        let failed = |error| TreeError::disk("open", path.as_os_str().as_encoded_bytes(), error);
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(error)),
        }
        let dir = rustix::fs::openat(
            CWD,
            path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(failed)?;
        let mut trash = Self { dir, next: 0 };
        trash.empty()?;
        Ok(trash)
    }

    /// Takes a folder out of its own.
    pub(super) fn take(&mut self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<(), TreeError> {
        loop {
            let new = self.next.to_string();
            self.next += 1;
            match rustix::fs::renameat(dir, name, &self.dir, &*new) {
                Ok(()) => {
                    crash_point::reach("trash-after-take");
                    return Ok(());
                }
                // Left by an earlier one, and being emptied now.
                Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(error) => return Err(TreeError::disk("move away", name, error)),
            }
        }
    }

    /// Removes everything that was taken.
    pub fn empty(&mut self) -> Result<(), TreeError> {
        loop {
            let taken = names(self.dir.as_fd())?;
            if taken.is_empty() {
                return Ok(());
            }
            for name in taken {
                self.remove(&name)?;
                crash_point::reach("trash-after-removal");
            }
        }
    }

    fn remove(&mut self, name: &[u8]) -> Result<(), TreeError> {
        let failed = |error| TreeError::disk("remove", name, error);
        let opened = match open(self.dir.as_fd(), name, OFlags::DIRECTORY) {
            Ok(opened) => opened,
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return rustix::fs::unlinkat(&self.dir, name, AtFlags::empty()).map_err(failed);
            }
            Err(error) => return Err(failed(error)),
        };
        for inner in names(opened.as_fd())? {
            let stat =
                rustix::fs::statat(&opened, &*inner, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => self.take(opened.as_fd(), &inner)?,
                _ => rustix::fs::unlinkat(&opened, &*inner, AtFlags::empty()).map_err(failed)?,
            }
        }
        rustix::fs::unlinkat(&self.dir, name, AtFlags::REMOVEDIR).map_err(failed)
    }
}

/// Removes a folder with all that is in it, however deep.
pub fn remove_folder(path: &Path) -> Result<(), TreeError> {
    let name = path.as_os_str().as_encoded_bytes();
    let mut trash = Trash::open(path)?;
    trash.empty()?;
    rustix::fs::rmdir(path).map_err(|error| TreeError::disk("remove", name, error))
}
