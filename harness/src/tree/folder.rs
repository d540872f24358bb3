//! Reading and changing the list of one folder.

use std::collections::BTreeMap;

use super::TreeError;
use super::node::{Branch, ENTRIES_MAX, Entry, Folder, Node};
use crate::content::{Batch, Blocking};

/// Levels of parts that a hash can tell apart.
pub(super) const LEVELS_MAX: usize = 64;

/// What becomes of names: their new entries, or none for those that go.
pub type NameChanges = BTreeMap<Vec<u8>, Option<Entry>>;

/// Returns the entries of a folder, sorted by name.
pub fn entries(reader: &Blocking, folder: &Folder) -> Result<Vec<Entry>, TreeError> {
    let mut found = Vec::new();
    let is_fan = collect(Node::load(reader, folder.node)?, reader, &mut found)?;
    if is_fan {
        found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(found)
}

fn collect(node: Node, reader: &Blocking, found: &mut Vec<Entry>) -> Result<bool, TreeError> {
    match node {
        Node::Leaf(entries) => {
            found.extend(entries);
            Ok(false)
        }
        Node::Fan(branches) => {
            for branch in branches {
                collect(Node::load(reader, branch.part.node)?, reader, found)?;
            }
            Ok(true)
        }
    }
}

/// Returns the entry of a name.
pub fn lookup(reader: &Blocking, folder: &Folder, name: &[u8]) -> Result<Option<Entry>, TreeError> {
    let mut node = Node::load(reader, folder.node)?;
    for level in 0.. {
        match node {
            Node::Leaf(mut entries) => {
                let found = entries.binary_search_by(|entry| entry.name.as_slice().cmp(name));
                return Ok(found.ok().map(|at| entries.swap_remove(at)));
            }
            Node::Fan(branches) => {
                let nibble = nibble_of(name, level);
                let Some(branch) = branches.iter().find(|branch| branch.nibble == nibble) else {
                    return Ok(None);
                };
                node = Node::load(reader, branch.part.node)?;
            }
        }
    }
    Ok(None)
}

/// Returns the folder that `base` (an empty one, if none) becomes by `changes`.
pub fn update(
    batch: &mut Batch,
    base: Option<&Folder>,
    changes: NameChanges,
) -> Result<Folder, TreeError> {
    Ok(update_part(batch, base, changes, 0)?.1)
}

/// Returns the number of direct entries too.
fn update_part(
    batch: &mut Batch,
    base: Option<&Folder>,
    changes: NameChanges,
    level: usize,
) -> Result<(usize, Folder), TreeError> {
    let node = match base {
        Some(base) => Node::load(batch.reader(), base.node)?,
        None => Node::Leaf(Vec::new()),
    };
    let branches = match node {
        Node::Leaf(old) => {
            return match base {
                Some(base) if !changes_any(&old, &changes) => Ok((old.len(), *base)),
                _ => build(batch, merge(old, changes), level),
            };
        }
        Node::Fan(branches) => branches,
    };
    let mut parts: BTreeMap<u8, Branch> = branches
        .into_iter()
        .map(|branch| (branch.nibble, branch))
        .collect();
    let mut by_nibble: BTreeMap<u8, NameChanges> = BTreeMap::new();
    for (name, change) in changes {
        let nibble = nibble_of(&name, level);
        by_nibble.entry(nibble).or_default().insert(name, change);
    }
    for (nibble, changes) in by_nibble {
        let old = parts.remove(&nibble);
        let old = old.as_ref().map(|branch| &branch.part);
        let (entries, part) = update_part(batch, old, changes, level + 1)?;
        if entries > 0 {
            parts.insert(nibble, branch(nibble, entries, part));
        }
    }
    let branches: Vec<Branch> = parts.into_values().collect();
    let entries = branches.iter().map(|branch| branch.entries as usize).sum();
    if entries > ENTRIES_MAX {
        return Ok((entries, Node::Fan(branches).seal(batch)?));
    }
    let mut all = Vec::with_capacity(entries);
    collect(Node::Fan(branches), batch.reader(), &mut all)?;
    all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok((entries, Node::Leaf(all).seal(batch)?))
}

fn branch(nibble: u8, entries: usize, part: Folder) -> Branch {
    Branch {
        nibble,
        entries: u32::try_from(entries).unwrap_or(u32::MAX),
        part,
    }
}

/// Tells whether changes make a list, sorted by name, another one.
fn changes_any(old: &[Entry], changes: &NameChanges) -> bool {
    changes.iter().any(|(name, change)| {
        let found = old.binary_search_by(|entry| entry.name.cmp(name));
        let found = found.ok().and_then(|at| old.get(at));
        found != change.as_ref()
    })
}

fn merge(old: Vec<Entry>, changes: NameChanges) -> Vec<Entry> {
    let mut new = Vec::with_capacity(old.len() + changes.len());
    let mut changes = changes.into_iter().peekable();
    for entry in old {
        while let Some((_, change)) = changes.next_if(|(name, _)| *name < entry.name) {
            new.extend(change);
        }
        match changes.next_if(|(name, _)| *name == entry.name) {
            Some((_, change)) => new.extend(change),
            None => new.push(entry),
        }
    }
    new.extend(changes.filter_map(|(_, change)| change));
    new
}

/// Stores a list, sorted by name, in as many nodes as it needs.
fn build(
    batch: &mut Batch,
    entries: Vec<Entry>,
    level: usize,
) -> Result<(usize, Folder), TreeError> {
    let count = entries.len();
    if count <= ENTRIES_MAX || level >= LEVELS_MAX {
        return Ok((count, Node::Leaf(entries).seal(batch)?));
    }
    let mut parts: BTreeMap<u8, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        let nibble = nibble_of(&entry.name, level);
        parts.entry(nibble).or_default().push(entry);
    }
    let mut branches = Vec::with_capacity(parts.len());
    for (nibble, entries) in parts {
        let (entries, part) = build(batch, entries, level + 1)?;
        branches.push(branch(nibble, entries, part));
    }
    Ok((count, Node::Fan(branches).seal(batch)?))
}

pub(super) fn nibble_of(name: &[u8], level: usize) -> u8 {
    let hash = blake3::hash(name);
    let byte = hash.as_bytes().get(level / 2).copied().unwrap_or(0);
    match level % 2 {
        0 => byte >> 4,
        _ => byte & 15,
    }
}
