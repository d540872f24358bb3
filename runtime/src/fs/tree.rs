//! The part of the guest's tree that is on no disk: `/`, the way to the mounts, devices and a few files.
//!
//! Built once, then fixed. A mount is a leaf, so that no relative link inside a mount can reach a directory
//! hidden beneath another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::random::RandomDevice;
use super::vfs::BuildError;

/// Longest name of a component, in bytes, as on the host.
const NAME_BYTES_MAX: usize = 255;

/// A place in the virtual tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum VirtId {
    Entry(usize),
    /// An open descriptor of the calling process, beneath `/dev/fd`.
    Fd(u32),
    /// A program, by its place in the hand's list.
    Program(usize),
}

pub(super) const ROOT: VirtId = VirtId::Entry(0);

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Shared, for every open handle of the directory holds it.
    Dir(Arc<BTreeMap<String, VirtId>>),
    /// Place of the mount in the list of mounts.
    Mount(usize),
    Text(Arc<[u8]>),
    Null,
    Zero,
    Full,
    Random(RandomDevice),
    Tty,
    /// A descriptor of the calling process.
    Fd(u32),
    /// The directory of the calling process's descriptors.
    FdDir,
    /// The file of a program.
    Program(ProgramFile),
    /// The directory of the programs.
    ProgramDir,
}

/// What a program's file is called and holds.
#[derive(Debug, Clone)]
pub struct ProgramFile {
    /// Its name in `/usr/bin`.
    pub name: Arc<str>,
    /// What reading it gives.
    pub content: Bytes,
}

#[derive(Debug)]
struct Entry {
    parent: VirtId,
    kind: Kind,
}

#[derive(Debug)]
pub(super) struct Tree {
    entries: Vec<Entry>,
    /// Sorted by name. Shared by all hands that have the same.
    programs: Arc<[ProgramFile]>,
}

impl Tree {
    /// Returns a tree that is empty but for what will be in its directories of `programs`, which are sorted by name.
    pub(super) fn new(programs: Arc<[ProgramFile]>) -> Self {
        Self {
            programs,
            entries: vec![Entry {
                parent: ROOT,
                kind: Kind::Dir(Arc::default()),
            }],
        }
    }

    /// Puts a leaf at an absolute path, with the directories on its way.
    pub(super) fn insert(&mut self, path: &str, kind: Kind) -> Result<(), BuildError> {
        let names = components(path)?;
        let (name, parents) = names.split_last().ok_or(BuildError::AtRoot)?;
        let mut at = ROOT;
        for parent in parents {
            at = self.directory(at, parent, path)?;
        }
        let id = self.push(at, kind);
        let replaced = self.children_mut(at).and_then(|children| {
            let free = !children.contains_key(*name);
            free.then(|| children.insert((*name).to_owned(), id))
        });
        if replaced.is_none() {
            return Err(BuildError::Taken {
                path: path.to_owned(),
            });
        }
        Ok(())
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        let Ok(names) = components(path) else {
            return false;
        };
        let mut at = ROOT;
        names.iter().all(|name| match self.child(at, name) {
            Some(id) => {
                at = id;
                true
            }
            None => false,
        })
    }

    pub(super) fn kind(&self, id: VirtId) -> Option<Kind> {
        match id {
            VirtId::Fd(number) => Some(Kind::Fd(number)),
            VirtId::Program(place) => self.programs.get(place).cloned().map(Kind::Program),
            VirtId::Entry(index) => self.entries.get(index).map(|entry| entry.kind.clone()),
        }
    }

    pub(super) fn kind_ref(&self, id: VirtId) -> Option<&Kind> {
        match id {
            VirtId::Fd(_) | VirtId::Program(_) => None,
            VirtId::Entry(index) => self.entries.get(index).map(|entry| &entry.kind),
        }
    }

    pub(super) fn parent(&self, id: VirtId) -> VirtId {
        match id {
            // Not a directory: nobody stands in it to ask for what is above.
            VirtId::Fd(_) | VirtId::Program(_) => ROOT,
            VirtId::Entry(index) => self.entries.get(index).map_or(ROOT, |entry| entry.parent),
        }
    }

    /// Returns the child of a directory; of `/dev/fd` any number, whether it is open or not.
    pub(super) fn child(&self, dir: VirtId, name: &str) -> Option<VirtId> {
        match self.kind_ref(dir)? {
            Kind::Dir(children) => children.get(name).copied(),
            Kind::FdDir => {
                let number: u32 = name.parse().ok()?;
                // "+1" and "01" are no names of descriptors.
                (number.to_string() == name).then_some(VirtId::Fd(number))
            }
            Kind::ProgramDir => self
                .programs
                .binary_search_by(|program| (*program.name).cmp(name))
                .ok()
                .map(VirtId::Program),
            _ => None,
        }
    }

    pub(super) fn programs(&self) -> &[ProgramFile] {
        &self.programs
    }

    fn directory(&mut self, at: VirtId, name: &str, path: &str) -> Result<VirtId, BuildError> {
        if let Some(id) = self.child(at, name) {
            return match self.kind_ref(id) {
                Some(Kind::Dir(_)) => Ok(id),
                _ => Err(BuildError::UnderMount {
                    path: path.to_owned(),
                }),
            };
        }
        let id = self.push(at, Kind::Dir(Arc::default()));
        if let Some(children) = self.children_mut(at) {
            children.insert(name.to_owned(), id);
        }
        Ok(id)
    }

    fn push(&mut self, parent: VirtId, kind: Kind) -> VirtId {
        self.entries.push(Entry { parent, kind });
        VirtId::Entry(self.entries.len() - 1)
    }

    fn children_mut(&mut self, id: VirtId) -> Option<&mut BTreeMap<String, VirtId>> {
        let VirtId::Entry(index) = id else {
            return None;
        };
        match &mut self.entries.get_mut(index)?.kind {
            Kind::Dir(children) => Some(Arc::make_mut(children)),
            _ => None,
        }
    }
}

/// Splits the absolute path of a mount or virtual file, which must be in its plainest form.
fn components(path: &str) -> Result<Vec<&str>, BuildError> {
    let invalid = || BuildError::InvalidPath {
        path: path.to_owned(),
    };
    let rest = path.strip_prefix('/').ok_or_else(invalid)?;
    if rest.is_empty() {
        return Err(BuildError::AtRoot);
    }
    let names: Vec<&str> = rest.split('/').collect();
    let plain = |name: &&str| {
        !matches!(*name, "" | "." | "..") && name.len() <= NAME_BYTES_MAX && !name.contains('\0')
    };
    if names.iter().all(plain) {
        Ok(names)
    } else {
        Err(invalid())
    }
}
