//! Taking some of the differences between two trees, and leaving the others.

use std::collections::BTreeMap;

use super::TreeError;
use super::folder::{NameChanges, entries, update};
use super::node::{Entry, Folder, Kind};
use super::root::Folders;
use crate::content::Batch;

/// Returns the folders of `old` with those differences of `new` whose guest paths are `chosen`: a name that is
/// chosen is taken with all below it, and the folders above it are made where they are missing.
pub fn choose(
    batch: &mut Batch,
    old: &Folders,
    new: &Folders,
    chosen: &dyn Fn(&str) -> bool,
) -> Result<Folders, TreeError> {
    let mut result = old.clone();
    for (path, new) in new {
        let old = old.get(path);
        if old.is_some_and(|old| old.digest == new.digest) {
            continue;
        }
        if let Some(folder) = folder(batch, old, Some(new), path, chosen)? {
            result.insert(path.clone(), folder);
        }
    }
    Ok(result)
}

/// Returns none if nothing is to be there.
fn folder(
    batch: &mut Batch,
    old: Option<&Folder>,
    new: Option<&Folder>,
    path: &str,
    chosen: &dyn Fn(&str) -> bool,
) -> Result<Option<Folder>, TreeError> {
    let mut pairs: BTreeMap<Vec<u8>, (Option<Entry>, Option<Entry>)> = BTreeMap::new();
    for entry in match old {
        Some(old) => entries(batch.reader(), old)?,
        None => Vec::new(),
    } {
        pairs.insert(entry.name.clone(), (Some(entry), None));
    }
    for entry in match new {
        Some(new) => entries(batch.reader(), new)?,
        None => Vec::new(),
    } {
        let name = entry.name.clone();
        pairs.entry(name).or_default().1 = Some(entry);
    }
    let mut changes = NameChanges::new();
    for (name, (old, new)) in pairs {
        let is_alike = match (&old, &new) {
            (Some(old), Some(new)) => old.is_like(new),
            _ => false,
        };
        if is_alike {
            continue;
        }
        let path = format!("{path}/{}", String::from_utf8_lossy(&name));
        if chosen(&path) {
            changes.insert(name, new);
            continue;
        }
        // Something below may be chosen.
        let inside = |entry: &Option<Entry>| match entry {
            Some(Entry {
                kind: Kind::Folder(folder),
                ..
            }) => Some(*folder),
            _ => None,
        };
        let (before, after) = (inside(&old), inside(&new));
        let is_folder_or_new = old.is_none() || before.is_some();
        if !is_folder_or_new || (before.is_none() && after.is_none()) {
            continue;
        }
        let merged = folder(batch, before.as_ref(), after.as_ref(), &path, chosen)?;
        let like = old.as_ref().or(new.as_ref());
        if let (Some(merged), Some(like)) = (merged, like) {
            let entry = Entry {
                kind: Kind::Folder(merged),
                ..like.clone()
            };
            changes.insert(name, Some(entry));
        }
    }
    if changes.is_empty() {
        return Ok(old.copied());
    }
    Ok(Some(update(batch, old, changes)?))
}
