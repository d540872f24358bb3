//! From a folder on disk to a tree: what is marked is read, the rest is taken from the tree before.
//!
//! Nothing here follows a link, and every name is opened in its folder's handle: guests may still run and change
//! what they like meanwhile. What changes while it is read stays marked for the next snapshot.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use rustix::io::Errno;

use super::file::store;
use super::folder::{NameChanges, entries, lookup, update};
use super::node::{Entry, Folder, Kind};
use super::{Marks, TreeError};
use crate::content::{Batch, Blocking};

/// Levels of folders that are kept; many more would use up a thread's stack and the daemon's descriptors.
pub(super) const LEVELS_MAX: usize = 200;
/// Times a name is looked at again because it became something else meanwhile.
const LOOKS_MAX: usize = 4;

/// Returns the tree of the folder behind `dir`: `base` with what is marked as it is now.
pub fn snapshot(
    batch: &mut Batch,
    dir: BorrowedFd<'_>,
    base: Option<&Folder>,
    marks: &Marks,
) -> Result<Folder, TreeError> {
    folder(batch, dir, base, marks, 0)
}

fn folder(
    batch: &mut Batch,
    dir: BorrowedFd<'_>,
    base: Option<&Folder>,
    marks: &Marks,
    level: usize,
) -> Result<Folder, TreeError> {
    if level > LEVELS_MAX {
        return Err(TreeError::TooDeep(LEVELS_MAX));
    }
    let mut changes = NameChanges::new();
    match base {
        Some(base) if !marks.is_whole => {
            for (name, marks) in &marks.names {
                let old = |reader: &Blocking| lookup(reader, base, name);
                changes.insert(name.clone(), entry(batch, dir, name, &old, marks, level)?);
            }
        }
        _ => {
            let old = match base {
                Some(base) => entries(batch.reader(), base)?,
                None => Vec::new(),
            };
            let mut old: BTreeMap<Vec<u8>, Entry> = old
                .into_iter()
                .map(|entry| (entry.name.clone(), entry))
                .collect();
            for name in names(dir)? {
                let old = old.remove(&name);
                let old = |_: &Blocking| Ok(old.clone());
                let new = entry(batch, dir, &name, &old, &Marks::whole(), level)?;
                changes.insert(name, new);
            }
            changes.extend(old.into_keys().map(|name| (name, None)));
        }
    }
    update(batch, base, changes)
}

/// Returns what a name stands for now; none if it is gone, or nothing that is kept. `old` tells what it stood for: it costs
/// a look at a list, which only folders need.
fn entry(
    batch: &mut Batch,
    dir: BorrowedFd<'_>,
    name: &[u8],
    old: &dyn Fn(&Blocking) -> Result<Option<Entry>, TreeError>,
    marks: &Marks,
    level: usize,
) -> Result<Option<Entry>, TreeError> {
    for _ in 0..LOOKS_MAX {
        let stat = match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(TreeError::disk("look at", name, error)),
        };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => file(batch, dir, name, &stat),
            FileType::Symlink => link(dir, name),
            FileType::Fifo => Ok(Kind::Fifo),
            FileType::Directory => match open(dir, name, OFlags::DIRECTORY) {
                Ok(child) => {
                    let whole;
                    let old = old(batch.reader())?.map(|old| old.kind);
                    let (base, marks) = match &old {
                        Some(Kind::Folder(base)) => (Some(base), marks),
                        // What was no folder is new to its last name.
                        _ => {
                            whole = Marks::whole();
                            (None, &whole)
                        }
                    };
                    let child = folder(batch, child.as_fd(), base, marks, level + 1);
                    child.map(Kind::Folder).map_err(Look::Failed)
                }
                Err(error) => Err(again(name, error)),
            },
            // A guest cannot make any other.
            _ => return Ok(None),
        };
        match kind {
            Ok(kind) => {
                return Ok(Some(Entry {
                    name: name.to_vec(),
                    mode: mode_of(&stat),
                    kind,
                }));
            }
            Err(Look::Again) => {}
            Err(Look::Failed(error)) => return Err(error),
        }
    }
    Err(TreeError::disk("get hold of", name, Errno::BUSY))
}

/// Why a name could not be read as what it was.
enum Look {
    /// It became something else; look again.
    Again,
    Failed(TreeError),
}

impl From<TreeError> for Look {
    fn from(error: TreeError) -> Self {
        Self::Failed(error)
    }
}

fn again(name: &[u8], error: Errno) -> Look {
    match error {
        Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::INVAL | Errno::NXIO => Look::Again,
        error => Look::Failed(TreeError::disk("open", name, error)),
    }
}

fn file(batch: &mut Batch, dir: BorrowedFd<'_>, name: &[u8], stat: &Stat) -> Result<Kind, Look> {
    let opened = open(dir, name, OFlags::empty()).map_err(|error| again(name, error))?;
    let mut file = File::from(opened);
    let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
    if !is_file {
        return Err(Look::Again);
    }
    let mut kind = store(batch, &mut file)?;
    if let Kind::File { modified, .. } = &mut kind {
        *modified = modified_of(stat);
    }
    Ok(kind)
}

fn link(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Kind, Look> {
    let target = rustix::fs::readlinkat(dir, name, Vec::new());
    let target = target.map_err(|error| again(name, error))?;
    Ok(Kind::Link(target.into_bytes()))
}

/// Opens a name for reading, if it is no link, and without waiting should it be a pipe.
pub(super) fn open(dir: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

/// Returns the names in a folder, in the disk's order.
pub(super) fn names(dir: BorrowedFd<'_>) -> Result<Vec<Vec<u8>>, TreeError> {
    let failed = |error| TreeError::disk("list", b".", error);
    // A handle of its own, since listing moves it.
    let listed = open(dir, b".", OFlags::DIRECTORY).map_err(failed)?;
    let mut buffer = Vec::with_capacity(32 << 10);
    let mut found = Vec::new();
    let mut entries = RawDir::new(listed, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            found.push(name.to_vec());
        }
    }
    Ok(found)
}

/// Tells whether a folder has no names.
pub fn is_empty(dir: BorrowedFd<'_>) -> Result<bool, TreeError> {
    Ok(names(dir)?.is_empty())
}

pub(super) fn mode_of(stat: &Stat) -> u16 {
    // The mask leaves twelve bits.
    u16::try_from(stat.st_mode & 0o7777).unwrap_or(0)
}

pub(super) fn modified_of(stat: &Stat) -> i64 {
    let seconds = stat.st_mtime;
    let nanos = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}
