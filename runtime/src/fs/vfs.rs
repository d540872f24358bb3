//! The file system of one hand: its mounts, its virtual tree, its quota and what changed in it.
//!
//! Made by [`VfsBuilder`], which grants nothing by itself. All processes of a hand share one [`Vfs`].

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::books::Books;
use super::dirty::DirtySet;
use super::mount::{Mount, Rights};
use super::node::{Node, VirtNode};
use super::quota::{FsLimit, FsLimits, FsUsage, Quota};
use super::random::RandomDevice;
use super::tree::{Kind, ProgramFile, ROOT, Tree};
use super::{FsError, texts};

/// Mounts of one file system; finding a true path looks at each of them.
const MOUNTS_MAX: usize = 64;

/// Why a file system could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Not an absolute path of plain names.
    #[error("{path:?} is not an absolute path without `.`, `..` and empty names")]
    InvalidPath {
        /// The path given.
        path: String,
    },
    /// The root is virtual, so that no mount lies under another one.
    #[error("nothing can be mounted at `/`; choose a directory in it")]
    AtRoot,
    /// A mount or file would lie under a mount or a file.
    #[error("{path:?} lies under another mount")]
    UnderMount {
        /// The path given.
        path: String,
    },
    /// Something is there already, or beneath it.
    #[error("{path:?} is taken by another mount, file or directory")]
    Taken {
        /// The path given.
        path: String,
    },
    /// More mounts than one file system may have.
    #[error("more than {MOUNTS_MAX} mounts")]
    TooManyMounts,
    /// The host refused to resolve in the directory.
    #[error("cannot mount {path:?} (openat2 and /proc are needed): {source}")]
    Unusable {
        /// The guest path of the mount.
        path: String,
        /// What the host said.
        source: FsError,
    },
}

/// Puts a file system together.
///
/// By default there are no mounts: the guest sees `/` with `/dev`, `/etc` and `/proc`, which lead nowhere. The
/// limits are those of [`FsLimits::default`].
#[derive(Debug, Default)]
pub struct VfsBuilder {
    mounts: Vec<(String, OwnedFd, Rights)>,
    files: Vec<(String, Arc<[u8]>)>,
    programs: Arc<[ProgramFile]>,
    limits: FsLimits,
}

impl VfsBuilder {
    /// Shows a directory of the host at an absolute guest path.
    pub fn mount(
        mut self,
        guest_path: impl Into<String>,
        dir: cap_std::fs::Dir,
        rights: Rights,
    ) -> Self {
        self.mounts.push((guest_path.into(), dir.into(), rights));
        self
    }

    /// Shows a read-only file with fixed content; in place of a built-in one of the same path.
    pub fn file(mut self, guest_path: impl Into<String>, content: impl Into<Arc<[u8]>>) -> Self {
        self.files.push((guest_path.into(), content.into()));
        self
    }

    /// Shows the files of programs, sorted by name, in `/usr/bin` and `/bin`.
    pub fn programs(mut self, programs: Arc<[ProgramFile]>) -> Self {
        self.programs = programs;
        self
    }

    /// Replaces the limits.
    pub fn limits(mut self, limits: FsLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Builds the file system. At most 64 mounts, none under another one and none over a virtual directory.
    pub fn build(self) -> Result<Arc<Vfs>, BuildError> {
        if self.mounts.len() > MOUNTS_MAX {
            return Err(BuildError::TooManyMounts);
        }
        let has_programs = !self.programs.is_empty();
        let random = RandomDevice::default();
        let mut tree = Tree::new(self.programs);
        if has_programs {
            tree.insert("/usr/bin", Kind::ProgramDir)?;
            tree.insert("/bin", Kind::ProgramDir)?;
        }
        let mut mounts = Vec::with_capacity(self.mounts.len());
        let mut table = String::new();
        for (path, dir, rights) in self.mounts {
            tree.insert(&path, Kind::Mount(mounts.len()))?;
            let flag = if rights == Rights::ReadWrite {
                "rw"
            } else {
                "ro"
            };
            table.push_str(&format!("sinew {path} sinew {flag} 0 0\n"));
            let mount = Mount::new(path.clone(), dir, rights);
            mounts.push(Arc::new(
                mount.map_err(|source| BuildError::Unusable { path, source })?,
            ));
        }
        for (path, content) in self.files {
            tree.insert(&path, Kind::Text(content))?;
        }
        let built_in = texts::built_in(table, &random);
        for (path, kind) in built_in {
            // Before this only mounts and files of the caller are in the tree: theirs win.
            if !tree.contains(path) {
                tree.insert(path, kind)?;
            }
        }
        Ok(Arc::new(Vfs {
            mounts,
            tree,
            quota: Arc::new(Quota::new(self.limits)),
            dirty: Mutex::new(DirtySet::default()),
            books: Books::default(),
            random,
        }))
    }
}

/// The file system of one hand.
#[derive(Debug)]
pub struct Vfs {
    pub(super) mounts: Vec<Arc<Mount>>,
    pub(super) tree: Tree,
    pub(super) quota: Arc<Quota>,
    dirty: Mutex<DirtySet>,
    pub(super) books: Books,
    random: RandomDevice,
}

impl Vfs {
    /// Returns the guest's `/`, from which paths may wander everywhere in the guest's tree.
    pub fn root(self: &Arc<Self>) -> Node {
        Node::Virtual(Arc::new(VirtNode {
            id: ROOT,
            kind: self.tree.kind(ROOT).unwrap_or(Kind::Null),
            read: true,
            write: false,
            _permit: None,
        }))
    }

    /// Lets the random devices follow from a seed from now on; none for the host's own bytes.
    pub fn fix_random(&self, seed: Option<[u8; 32]>) {
        self.random.fix(seed);
    }

    /// Returns the first limit that was hit since [`Vfs::clear_limit_hit`].
    pub fn limit_hit(&self) -> Option<FsLimit> {
        self.quota.limit_hit()
    }

    /// Forgets which limit was hit; for the beginning of a call.
    pub fn clear_limit_hit(&self) {
        self.quota.clear_limit_hit();
    }

    /// Returns what is used of the limits.
    pub fn usage(&self) -> FsUsage {
        self.quota.usage()
    }

    /// Sets bytes and names used, as counted in the tree: what the host changes is not charged by itself.
    pub fn set_usage(&self, bytes: u64, inodes: u64) {
        self.quota.set_usage(bytes, inodes);
    }

    /// Takes what may have changed since the last time.
    ///
    /// Files that are still open for writing are in this set and remain marked for the next one. Call it when
    /// no process of the hand runs: what changes meanwhile is marked, but a snapshot may read it half done.
    pub fn take_dirty(&self) -> DirtySet {
        let open = self.books.lock().files();
        for file in &open {
            self.mark_open_file(file);
        }
        let taken = std::mem::take(&mut *self.dirty());
        for file in &open {
            self.mark_open_file(file);
        }
        taken
    }

    pub(super) fn dirty(&self) -> MutexGuard<'_, DirtySet> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
