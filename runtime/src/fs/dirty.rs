//! Which names may have changed since the set was last taken.
//!
//! The set may name what did not change (a snapshot compares hashes), but must never miss what did. Paths are
//! true ones: relative to their mount, through no symbolic link. Not here: how a path is found out (`truth.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Marks kept per mount; past it the whole mount is one mark, so that a guest cannot grow the host's memory
/// by touching names.
const MARKS_MAX: usize = 65_536;

/// How much lies behind a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dirt {
    /// The name itself: it was created, removed, or its content or mode may differ.
    Entry,
    /// The name and everything beneath it.
    Subtree,
}

/// The marks of one mount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirtyMount {
    /// Paths relative to the mount. The empty path with [`Dirt::Subtree`] stands for the whole mount.
    pub marks: BTreeMap<PathBuf, Dirt>,
    /// Files with several names (device and inode number) that were open for writing: whoever snapshots must
    /// look for their names by inode.
    pub hard_linked: BTreeSet<(u64, u64)>,
}

impl DirtyMount {
    /// Returns whether everything in the mount may have changed.
    pub fn is_whole(&self) -> bool {
        self.marks.get(&PathBuf::new()) == Some(&Dirt::Subtree)
    }

    fn make_whole(&mut self) {
        self.marks = BTreeMap::from([(PathBuf::new(), Dirt::Subtree)]);
        self.hard_linked.clear();
    }
}

/// The marks of all mounts, by the guest's path of the mount. Mounts without marks are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirtySet {
    mounts: BTreeMap<String, DirtyMount>,
}

impl DirtySet {
    /// Returns whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.mounts.is_empty()
    }

    /// Returns the marks of the mount at a guest path.
    pub fn mount(&self, guest_path: &str) -> Option<&DirtyMount> {
        self.mounts.get(guest_path)
    }

    /// Adds the marks of another set.
    pub fn extend(&mut self, other: DirtySet) {
        for (mount, marks) in other.mounts {
            for (path, dirt) in marks.marks {
                self.mark(&mount, path, dirt);
            }
            for inode in marks.hard_linked {
                self.mark_inode(&mount, inode);
            }
        }
    }

    /// Returns every mount that has marks.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &DirtyMount)> {
        self.mounts
            .iter()
            .map(|(path, mount)| (path.as_str(), mount))
    }

    pub(super) fn mark(&mut self, mount: &str, path: PathBuf, dirt: Dirt) {
        let mount = self.entry(mount);
        if mount.is_whole() {
            return;
        }
        if path.as_os_str().is_empty() && dirt == Dirt::Subtree || mount.marks.len() >= MARKS_MAX {
            mount.make_whole();
            return;
        }
        let kept = mount.marks.entry(path).or_insert(dirt);
        *kept = dirt.max(*kept);
    }

    pub(super) fn mark_inode(&mut self, mount: &str, inode: (u64, u64)) {
        let mount = self.entry(mount);
        if mount.is_whole() {
            return;
        }
        if mount.hard_linked.len() >= MARKS_MAX {
            mount.make_whole();
            return;
        }
        mount.hard_linked.insert(inode);
    }

    fn entry(&mut self, mount: &str) -> &mut DirtyMount {
        self.mounts.entry(mount.to_owned()).or_default()
    }
}
