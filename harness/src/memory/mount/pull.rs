//! Bringing the store's changes into the folder.

use std::collections::BTreeMap;
use std::io::{self, Write};

use cap_std::fs::Dir;

use super::manifest::Manifest;
use super::push::entry_of;
use super::scan::Local;
use super::sync::{Conflict, SyncError};
use crate::memory::{MemoryHome, MemoryRow};

/// The name under which a file is written before it gets its own, in the folder of the mounts.
const NEW_FILE: &str = ".new-file";

/// A change of the folder.
#[derive(Debug)]
pub(super) enum Action {
    /// The file gets this content.
    Write(MemoryRow, String),
    /// The file goes.
    Remove(String),
}

/// Returns what the folder needs to hold the store's memories. What was rejected stays as the agent left it.
pub(super) async fn plan(
    home: &MemoryHome<'_>,
    manifest: &mut Manifest,
    locals: &BTreeMap<String, Local>,
    conflicts: &[Conflict],
) -> Result<Vec<Action>, SyncError> {
    let rows = home.memories().await?;
    let mut actions = Vec::new();
    let is_there = |path: &String| rows.binary_search_by(|row| row.path.cmp(path)).is_ok();
    let gone: Vec<String> = manifest
        .entries
        .keys()
        .filter(|p| !is_there(p))
        .cloned()
        .collect();
    for path in gone {
        let entry = manifest.entries.remove(&path);
        let is_untouched = locals.get(&path).and_then(Local::sha256)
            == entry.as_ref().map(|entry| entry.sha256.as_str());
        if is_untouched {
            actions.push(Action::Remove(path));
        }
    }
    for row in rows {
        if manifest.rejected.contains_key(&row.path) {
            continue;
        }
        let is_same = locals.get(&row.path).and_then(Local::sha256) == Some(&row.sha256);
        if is_same {
            let entry = manifest.entries.entry(row.path.clone());
            let entry = entry.or_insert_with(|| entry_of(&row));
            entry.id = row.id;
            entry.sha256 = row.sha256;
            continue;
        }
        let base = manifest.entries.get(&row.path);
        let is_replaceable = match locals.get(&row.path) {
            None => true,
            Some(local) => local.sha256() == base.map(|base| base.sha256.as_str()),
        };
        let gave_way = || conflicts.iter().any(|conflict| conflict.path == row.path);
        // A change that is not saved yet must not be overwritten.
        if !is_replaceable && !gave_way() {
            continue;
        }
        // Changed again since its row was read, and what it was is redacted: the next time tells.
        if let Some(content) = home.content(&row.version_id).await? {
            actions.push(Action::Write(row, content));
        }
    }
    Ok(actions)
}

/// Changes the folder; `beside` is the folder that it lies in. Returns a note for each file that cannot be placed.
pub(super) fn apply(
    beside: &Dir,
    root: &Dir,
    mount_path: &str,
    manifest: &mut Manifest,
    actions: Vec<Action>,
) -> io::Result<Vec<String>> {
    let mut notes = Vec::new();
    for action in actions {
        match action {
            Action::Remove(path) => remove(root, &path),
            Action::Write(row, content) => match write(beside, root, &row.path, &content) {
                Ok(()) => {
                    manifest.entries.insert(row.path.clone(), entry_of(&row));
                }
                // The disk is the operator's; anything else is what the agent put in the way.
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Err(error),
                Err(error) => notes.push(format!(
                    "{mount_path}{} is a memory, but cannot be shown as a file: {error}.",
                    row.path
                )),
            },
        }
    }
    Ok(notes)
}

/// Writes a file that is whole at any instant.
fn write(beside: &Dir, root: &Dir, path: &str, content: &str) -> io::Result<()> {
    let name = path.trim_start_matches('/');
    if let Some((folder, _)) = name.rsplit_once('/') {
        root.create_dir_all(folder)?;
    }
    let mut file = beside.create(NEW_FILE)?;
    file.write_all(content.as_bytes())?;
    beside.rename(NEW_FILE, root, name)
}

/// Removes a file, and the folders that are empty without it.
fn remove(root: &Dir, path: &str) {
    let mut name = path.trim_start_matches('/');
    if root.remove_file(name).is_err() {
        return;
    }
    while let Some((folder, _)) = name.rsplit_once('/') {
        if root.remove_dir(folder).is_err() {
            return;
        }
        name = folder;
    }
}
