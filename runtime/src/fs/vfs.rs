//! The file system of one hand: its mounts, its virtual tree, its quota and what changed in it.
//!
//! Made by [`VfsBuilder`], which grants nothing by itself. All processes of a hand share one [`Vfs`].

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::books::Books;
use super::dirty::DirtySet;
use super::mount::{Links, Mount, OpenHow, Rights, open_beneath};
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
    /// A part is to show what the whole does not.
    #[error("there is no {path:?} of which a part could be shown")]
    NotThere {
        /// The path given.
        path: String,
    },
    /// A part is to write where the whole may only read.
    #[error("{path:?} can be read only")]
    ReadOnly {
        /// The path given.
        path: String,
    },
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
        let mounts = self.mounts.into_iter().map(|(path, dir, rights)| {
            let mount = Mount::new(path.clone(), dir, rights);
            mount
                .map(Arc::new)
                .map_err(|source| BuildError::Unusable { path, source })
        });
        let mounts = mounts.collect::<Result<Vec<_>, _>>()?;
        let random = RandomDevice::default();
        Ok(Arc::new(Vfs {
            tree: lay_out(self.programs, &mounts, self.files, &random)?,
            whole: mounts.clone(),
            mounts,
            quota: Arc::new(Quota::new(self.limits)),
            dirty: Arc::default(),
            books: Arc::default(),
            random,
        }))
    }
}

/// Makes the virtual tree with the ways to the mounts.
fn lay_out(
    programs: Arc<[ProgramFile]>,
    mounts: &[Arc<Mount>],
    files: Vec<(String, Arc<[u8]>)>,
    random: &RandomDevice,
) -> Result<Tree, BuildError> {
    let has_programs = !programs.is_empty();
    let mut tree = Tree::new(programs);
    if has_programs {
        tree.insert("/usr/bin", Kind::ProgramDir)?;
        tree.insert("/bin", Kind::ProgramDir)?;
    }
    let mut table = String::new();
    for (place, mount) in mounts.iter().enumerate() {
        let path = &mount.guest_path;
        tree.insert(path, Kind::Mount(place))?;
        let flag = if mount.is_writable() { "rw" } else { "ro" };
        table.push_str(&format!("sinew {path} sinew {flag} 0 0\n"));
    }
    for (path, content) in files {
        tree.insert(&path, Kind::Text(content))?;
    }
    for (path, kind) in texts::built_in(table, random) {
        // Before this only mounts and files of the caller are in the tree: theirs win.
        if !tree.contains(path) {
            tree.insert(path, kind)?;
        }
    }
    Ok(tree)
}

/// The file system of one hand.
#[derive(Debug)]
pub struct Vfs {
    pub(super) mounts: Vec<Arc<Mount>>,
    /// The mounts of the whole that this is a part of, by which changes are named; of a whole its own.
    pub(super) whole: Vec<Arc<Mount>>,
    pub(super) tree: Tree,
    pub(super) quota: Arc<Quota>,
    dirty: Arc<Mutex<DirtySet>>,
    pub(super) books: Arc<Books>,
    random: RandomDevice,
}

impl Vfs {
    /// Returns a file system that shows some directories of this one, at the same paths, and nothing else of it.
    ///
    /// The two share what is used of the limits and what changed, whose paths are the whole's. Errors: a directory is not
    /// there, or lies behind a symbolic link; the part is to write where the whole cannot; the paths do not go together.
    pub fn part(&self, shown: &[(String, Rights)]) -> Result<Arc<Self>, BuildError> {
        let mounts = shown
            .iter()
            .map(|(path, rights)| self.part_of_mount(path, *rights).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        if mounts.len() > MOUNTS_MAX {
            return Err(BuildError::TooManyMounts);
        }
        let random = RandomDevice::default();
        Ok(Arc::new(Self {
            tree: lay_out(Arc::default(), &mounts, Vec::new(), &random)?,
            mounts,
            whole: self.whole.clone(),
            quota: Arc::clone(&self.quota),
            dirty: Arc::clone(&self.dirty),
            books: Arc::clone(&self.books),
            random,
        }))
    }

    fn part_of_mount(&self, path: &str, rights: Rights) -> Result<Mount, BuildError> {
        let below = |mount: &&Arc<Mount>| {
            let rest = path.strip_prefix(mount.guest_path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let inside = self.mounts.iter().filter(below);
        // No mount lies under another one.
        let mount = inside.max_by_key(|mount| mount.guest_path.len());
        let mount = mount.ok_or_else(|| BuildError::NotThere {
            path: path.to_owned(),
        })?;
        if rights == Rights::ReadWrite && !mount.is_writable() {
            return Err(BuildError::ReadOnly {
                path: path.to_owned(),
            });
        }
        let rest = path.strip_prefix(mount.guest_path.as_str());
        let rest = rest.unwrap_or_default().trim_start_matches('/');
        let from = if rest.is_empty() { "." } else { rest };
        let how = OpenHow::path_directory();
        let dir = open_beneath(mount.dir.as_fd(), from, &how, Links::Refuse);
        let dir = dir.map_err(|_| BuildError::NotThere {
            path: path.to_owned(),
        })?;
        Mount::part(path.to_owned(), dir, rights).map_err(|source| BuildError::Unusable {
            path: path.to_owned(),
            source,
        })
    }

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
