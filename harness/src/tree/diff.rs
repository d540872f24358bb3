//! What differs between two trees.

use std::collections::BTreeMap;

use super::TreeError;
use super::folder::entries;
use super::node::{Entry, Folder, Kind, Node};
use crate::content::Blocking;

/// A name that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its path, the names of its folders first.
    pub path: Vec<Vec<u8>>,
    /// What it was; none if it is new.
    pub old: Option<Entry>,
    /// What it is; none if it is gone.
    pub new: Option<Entry>,
}

/// Returns the names that differ between two folders but for times, in order of their paths, a folder before what
/// is in it. A folder that is in both is told only if its own permission bits differ. At most `changes_max`, and
/// whether there are more.
pub fn changes(
    reader: &Blocking,
    old: Option<&Folder>,
    new: Option<&Folder>,
    changes_max: usize,
) -> Result<(Vec<Change>, bool), TreeError> {
    let mut walk = Walk {
        reader,
        path: Vec::new(),
        found: Vec::new(),
        changes_max,
        is_cut: false,
    };
    walk.folder(old, new)?;
    Ok((walk.found, walk.is_cut))
}

struct Walk<'a> {
    reader: &'a Blocking,
    path: Vec<Vec<u8>>,
    found: Vec<Change>,
    changes_max: usize,
    is_cut: bool,
}

impl Walk<'_> {
    fn folder(&mut self, old: Option<&Folder>, new: Option<&Folder>) -> Result<(), TreeError> {
        if old.map(|folder| folder.digest) == new.map(|folder| folder.digest) {
            return Ok(());
        }
        let mut pairs = BTreeMap::new();
        self.pair(old, new, &mut pairs)?;
        for (name, (old, new)) in pairs {
            if self.is_cut {
                return Ok(());
            }
            self.name(name, old, new)?;
        }
        Ok(())
    }

    /// Collects the entries that are not alike, without a look at parts that are.
    fn pair(
        &self,
        old: Option<&Folder>,
        new: Option<&Folder>,
        pairs: &mut BTreeMap<Vec<u8>, (Option<Entry>, Option<Entry>)>,
    ) -> Result<(), TreeError> {
        if let (Some(old), Some(new)) = (old, new) {
            if old.digest == new.digest {
                return Ok(());
            }
            let nodes = (
                Node::load(self.reader, old.node)?,
                Node::load(self.reader, new.node)?,
            );
            if let (Node::Fan(old), Node::Fan(new)) = nodes {
                for nibble in 0..16 {
                    let part = |branches: &[super::node::Branch]| {
                        let branch = branches.iter().find(|branch| branch.nibble == nibble);
                        branch.map(|branch| branch.part)
                    };
                    self.pair(part(&old).as_ref(), part(&new).as_ref(), pairs)?;
                }
                return Ok(());
            }
        }
        let all = |folder: Option<&Folder>| match folder {
            Some(folder) => entries(self.reader, folder),
            None => Ok(Vec::new()),
        };
        for entry in all(old)? {
            pairs.insert(entry.name.clone(), (Some(entry), None));
        }
        for entry in all(new)? {
            let pair = pairs.entry(entry.name.clone()).or_default();
            match &pair.0 {
                Some(old) if old.is_like(&entry) => {
                    pairs.remove(&entry.name);
                }
                _ => pair.1 = Some(entry),
            }
        }
        Ok(())
    }

    fn name(
        &mut self,
        name: Vec<u8>,
        old: Option<Entry>,
        new: Option<Entry>,
    ) -> Result<(), TreeError> {
        self.path.push(name);
        let folder = |entry: &Option<Entry>| match entry {
            Some(Entry {
                kind: Kind::Folder(folder),
                ..
            }) => Some(*folder),
            _ => None,
        };
        let folders = (folder(&old), folder(&new));
        let is_told = match (&old, &new) {
            (Some(old), Some(new)) => {
                !(folders.0.is_some() && folders.1.is_some()) || old.mode != new.mode
            }
            _ => true,
        };
        if is_told {
            if self.found.len() >= self.changes_max {
                self.is_cut = true;
            } else {
                self.found.push(Change {
                    path: self.path.clone(),
                    old,
                    new,
                });
            }
        }
        if !self.is_cut {
            self.folder(folders.0.as_ref(), folders.1.as_ref())?;
        }
        self.path.pop();
        Ok(())
    }
}
