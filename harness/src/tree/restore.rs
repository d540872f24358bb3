//! From a tree to a folder on disk: whatever differs is put right, the rest is left alone.
//!
//! No guest runs meanwhile. What is cut off halfway is simply done again, so nothing is written aside and moved.
//! A file is read and hashed unless it is certain to be what it was, see [`Trust`].

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use super::file::{hash, write};
use super::folder::entries;
use super::node::{Entry, Folder, Kind};
use super::snapshot::{mode_of, modified_of, names, open};
use super::trash::Trash;
use super::{Marks, TreeError};
use crate::content::Blocking;
use crate::crash_point;

/// Files that are fetched together, and their bytes.
const FILES_AT_ONCE: usize = 128;
const BYTES_AT_ONCE: u64 = 8 << 20;

/// What is certain about a folder on disk.
///
/// The kernel moves the time of change of a file when its content, its bits or its names change, and that of a
/// folder when a name in it does; a guest cannot set it. So a file whose time is before an instant at which the
/// folder was a certain tree, and that is reached by folders of which this holds too, is what it was. The folder
/// itself needs no such time: it cannot be replaced by another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Nothing: every file is read.
    Nothing,
    /// What did not change since this instant, in nanoseconds of Unix time, is as the marks say: marked names
    /// may differ from the tree, others do not.
    UnchangedSince(i64),
    /// The folder differs from the tree at most where it is marked.
    Unmarked,
}

/// Makes the folder behind `dir` what the tree says (empty, if none).
pub fn restore(
    reader: &Blocking,
    dir: BorrowedFd<'_>,
    target: Option<&Folder>,
    marks: &Marks,
    trust: Trust,
    trash: &mut Trash,
) -> Result<(), TreeError> {
    let mut work = Restoration { reader, trash };
    work.folder(dir, target, marks, trust)
}

struct Restoration<'a> {
    reader: &'a Blocking,
    trash: &'a mut Trash,
}

impl Restoration<'_> {
    fn folder(
        &mut self,
        dir: BorrowedFd<'_>,
        target: Option<&Folder>,
        marks: &Marks,
        trust: Trust,
    ) -> Result<(), TreeError> {
        let wanted = match target {
            Some(target) => entries(self.reader, target)?,
            None => Vec::new(),
        };
        let mut wanted: BTreeMap<Vec<u8>, Entry> = wanted
            .into_iter()
            .map(|entry| (entry.name.clone(), entry))
            .collect();
        let mut missing = Vec::new();
        let found = match trust {
            Trust::Unmarked if !marks.is_whole => {
                let marked = marks.names.keys().cloned().collect();
                wanted.retain(|name, _| marks.names.contains_key(name));
                marked
            }
            _ => names(dir)?,
        };
        let none = Marks::default();
        for name in found {
            let stat = match rustix::fs::statat(dir, &*name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(TreeError::disk("look at", &name, error)),
            };
            let Some(entry) = wanted.remove(&name) else {
                self.discard(dir, &name, &stat)?;
                continue;
            };
            let marks = match marks.is_whole {
                true => &Marks::whole(),
                false => marks.names.get(&name).unwrap_or(&none),
            };
            if !self.settle(dir, &entry, &stat, marks, trust)? {
                self.discard(dir, &name, &stat)?;
                missing.push(entry);
            }
        }
        missing.extend(wanted.into_values());
        self.create_all(dir, missing)
    }

    /// Makes what has a name be what it should, if it is of the right kind and, for a file, has the right content.
    fn settle(
        &mut self,
        dir: BorrowedFd<'_>,
        entry: &Entry,
        stat: &Stat,
        marks: &Marks,
        trust: Trust,
    ) -> Result<bool, TreeError> {
        let name = entry.name.as_slice();
        let is_marked = marks.is_entry || marks.is_whole;
        let is_old = match trust {
            Trust::Nothing => false,
            Trust::UnchangedSince(since) => changed_of(stat) < since,
            Trust::Unmarked => !is_marked,
        };
        match (&entry.kind, FileType::from_raw_mode(stat.st_mode)) {
            (Kind::File { .. }, FileType::RegularFile) if is_old && !is_marked => Ok(true),
            (Kind::File { .. }, FileType::RegularFile) => self.settle_file(dir, entry, stat),
            (Kind::Link(target), FileType::Symlink) => {
                let found = rustix::fs::readlinkat(dir, name, Vec::new())
                    .map_err(|error| TreeError::disk("read the link", name, error))?;
                Ok(found.as_bytes() == target.as_slice())
            }
            (Kind::Folder(folder), FileType::Directory) => {
                let opened = open(dir, name, OFlags::DIRECTORY)
                    .map_err(|error| TreeError::disk("open", name, error))?;
                let trust = match trust {
                    Trust::UnchangedSince(_) if !is_old => Trust::Nothing,
                    trust => trust,
                };
                self.folder(opened.as_fd(), Some(folder), marks, trust)?;
                set_mode(opened.as_fd(), entry, stat)?;
                Ok(true)
            }
            (Kind::Fifo, FileType::Fifo) => Ok(mode_of(stat) == entry.mode),
            _ => Ok(false),
        }
    }

    fn settle_file(
        &mut self,
        dir: BorrowedFd<'_>,
        entry: &Entry,
        stat: &Stat,
    ) -> Result<bool, TreeError> {
        let Kind::File {
            bytes,
            modified,
            content,
            ..
        } = &entry.kind
        else {
            return Ok(false);
        };
        if u64::try_from(stat.st_size) != Ok(*bytes) {
            return Ok(false);
        }
        let opened = open(dir, &entry.name, OFlags::empty());
        let opened = opened.map_err(|error| TreeError::disk("open", &entry.name, error))?;
        let mut file = File::from(opened);
        match hash(&mut file) {
            Ok(found) if found == *content => {}
            Ok(_) => return Ok(false),
            // What cannot be read is written anew.
            Err(error) => {
                tracing::warn!(%error, "a file of a session could not be read; it is restored");
                return Ok(false);
            }
        }
        set_mode(file.as_fd(), entry, stat)?;
        if modified_of(stat) != *modified {
            set_modified(&file, entry, *modified)?;
        }
        Ok(true)
    }

    fn discard(&mut self, dir: BorrowedFd<'_>, name: &[u8], stat: &Stat) -> Result<(), TreeError> {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => self.trash.take(dir, name)?,
            _ => rustix::fs::unlinkat(dir, name, AtFlags::empty())
                .map_err(|error| TreeError::disk("remove", name, error))?,
        }
        crash_point::reach("restore-after-removal");
        Ok(())
    }

    fn create_all(&mut self, dir: BorrowedFd<'_>, entries: Vec<Entry>) -> Result<(), TreeError> {
        let mut files: Vec<Entry> = Vec::new();
        let mut bytes_waiting = 0;
        for entry in entries {
            let name = entry.name.as_slice();
            let failed = |error| TreeError::disk("make", name, error);
            match &entry.kind {
                Kind::File { bytes, .. } => {
                    bytes_waiting += bytes;
                    files.push(entry);
                    if files.len() >= FILES_AT_ONCE || bytes_waiting >= BYTES_AT_ONCE {
                        self.create_files(dir, &files)?;
                        files.clear();
                        bytes_waiting = 0;
                    }
                }
                Kind::Link(target) => {
                    rustix::fs::symlinkat(target.as_slice(), dir, name).map_err(failed)?;
                }
                Kind::Fifo => {
                    let mode = Mode::from_raw_mode(u32::from(entry.mode) & 0o777);
                    rustix::fs::mknodat(dir, name, FileType::Fifo, mode, 0).map_err(failed)?;
                    // Not what the process's own mask left of it.
                    let mode = Mode::from_raw_mode(u32::from(entry.mode));
                    rustix::fs::chmodat(dir, name, mode, AtFlags::empty()).map_err(failed)?;
                }
                Kind::Folder(folder) => {
                    rustix::fs::mkdirat(dir, name, Mode::RWXU).map_err(failed)?;
                    crash_point::reach("restore-after-folder");
                    let opened = open(dir, name, OFlags::DIRECTORY).map_err(failed)?;
                    let inside = super::entries(self.reader, folder)?;
                    self.create_all(opened.as_fd(), inside)?;
                    rustix::fs::fchmod(&opened, Mode::from_raw_mode(u32::from(entry.mode)))
                        .map_err(failed)?;
                }
            }
        }
        self.create_files(dir, &files)
    }

    fn create_files(&self, dir: BorrowedFd<'_>, files: &[Entry]) -> Result<(), TreeError> {
        if files.len() > 1 {
            // One question for all that are small; then each finds its own in memory.
            let mut wanted = Vec::new();
            for entry in files {
                if let Kind::File {
                    bytes,
                    content,
                    pieces: None,
                    ..
                } = &entry.kind
                    && (1..BYTES_AT_ONCE / FILES_AT_ONCE as u64).contains(bytes)
                {
                    wanted.push(*content);
                }
            }
            self.reader.get_all(&wanted)?;
        }
        for entry in files {
            self.create_file(dir, entry)?;
            crash_point::reach("restore-after-file");
        }
        Ok(())
    }

    fn create_file(&self, dir: BorrowedFd<'_>, entry: &Entry) -> Result<(), TreeError> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(dir, &*entry.name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| TreeError::disk("make", &entry.name, error))?;
        let mut file = File::from(made);
        write(self.reader, entry, &mut file)?;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(u32::from(entry.mode)))
            .map_err(|error| TreeError::disk("set the rights of", &entry.name, error))?;
        match &entry.kind {
            Kind::File { modified, .. } => set_modified(&file, entry, *modified),
            _ => Ok(()),
        }
    }
}

fn set_mode(fd: BorrowedFd<'_>, entry: &Entry, stat: &Stat) -> Result<(), TreeError> {
    if mode_of(stat) == entry.mode {
        return Ok(());
    }
    rustix::fs::fchmod(fd, Mode::from_raw_mode(u32::from(entry.mode)))
        .map_err(|error| TreeError::disk("set the rights of", &entry.name, error))
}

fn set_modified(file: &File, entry: &Entry, modified: i64) -> Result<(), TreeError> {
    let time = Timespec {
        tv_sec: modified.div_euclid(1_000_000_000),
        tv_nsec: modified.rem_euclid(1_000_000_000),
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::futimens(file, &times)
        .map_err(|error| TreeError::disk("set the time of", &entry.name, error))
}

fn changed_of(stat: &Stat) -> i64 {
    let seconds = stat.st_ctime;
    let nanos = i64::try_from(stat.st_ctime_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}
