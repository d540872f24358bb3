//! Where to look: the names that may differ, as a tree.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, OFlags};
use sinew_runtime::fs::{Dirt, DirtyMount};

use super::TreeError;
use super::snapshot::{LEVELS_MAX, names, open};

/// What may differ in a folder.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// The name itself: its kind, its content, its permission bits.
    pub is_entry: bool,
    /// Everything in it.
    pub is_whole: bool,
    /// Names in it.
    pub names: BTreeMap<Vec<u8>, Marks>,
}

impl Marks {
    /// Returns the mark of a folder that may differ everywhere.
    pub fn whole() -> Self {
        Self {
            is_entry: true,
            is_whole: true,
            names: BTreeMap::new(),
        }
    }

    /// Returns the marks of a mount. Its hard-linked files must be marked by [`Marks::add`] in addition.
    pub fn of_mount(mount: &DirtyMount) -> Self {
        let mut marks = Self::default();
        for (path, dirt) in &mount.marks {
            marks.add(path, *dirt);
        }
        marks
    }

    /// Marks a path below this one. One that is no plain path marks everything.
    pub fn add(&mut self, path: &Path, dirt: Dirt) {
        let mut at = self;
        for component in path.components() {
            match component {
                Component::Normal(name) => {
                    at = at.names.entry(name.as_bytes().to_vec()).or_default();
                }
                Component::CurDir => {}
                Component::RootDir | Component::ParentDir | Component::Prefix(_) => {
                    at.is_whole = true;
                    return;
                }
            }
        }
        at.is_entry = true;
        at.is_whole |= dirt == Dirt::Subtree;
    }

    /// Tells whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        !self.is_entry && !self.is_whole && self.names.is_empty()
    }
}

/// Returns the paths of the files below `dir` with one of these device and inode numbers.
pub fn inodes(
    dir: BorrowedFd<'_>,
    wanted: &BTreeSet<(u64, u64)>,
) -> Result<Vec<PathBuf>, TreeError> {
    let mut found = Vec::new();
    walk(dir, wanted, &mut PathBuf::new(), &mut found, 0)?;
    Ok(found)
}

fn walk(
    dir: BorrowedFd<'_>,
    wanted: &BTreeSet<(u64, u64)>,
    path: &mut PathBuf,
    found: &mut Vec<PathBuf>,
    level: usize,
) -> Result<(), TreeError> {
    if level > LEVELS_MAX {
        return Err(TreeError::TooDeep(LEVELS_MAX));
    }
    for name in names(dir)? {
        // What goes meanwhile has its own mark.
        let Ok(stat) = rustix::fs::statat(dir, &*name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        path.push(OsStr::from_bytes(&name));
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                if let Ok(inner) = open(dir, &name, OFlags::DIRECTORY) {
                    walk(inner.as_fd(), wanted, path, found, level + 1)?;
                }
            }
            _ if wanted.contains(&(stat.st_dev, stat.st_ino)) => found.push(path.clone()),
            _ => {}
        }
        path.pop();
    }
    Ok(())
}
