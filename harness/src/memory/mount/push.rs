//! Bringing the agent's changes into the store.

use std::collections::BTreeMap;

use cap_std::fs::Dir;

use super::manifest::{Entry, Manifest};
use super::scan::{Local, content};
use super::sync::{Conflict, SyncError};
use crate::blobs::sha256;
use crate::memory::path::check_path;
use crate::memory::{CONTENT_BYTES_MAX, MemoryError, MemoryHome, MemoryRow};

/// A mount while its changes are brought in.
pub(super) struct Push<'a> {
    pub(super) home: &'a MemoryHome<'a>,
    pub(super) root: &'a Dir,
    /// The mount's path in the hand, for notes.
    pub(super) mount_path: &'a str,
    pub(super) manifest: &'a mut Manifest,
    pub(super) locals: &'a BTreeMap<String, Local>,
    pub(super) notes: &'a mut Vec<String>,
    /// Files that the store's content is to replace.
    pub(super) conflicts: &'a mut Vec<Conflict>,
    /// The store has no room for another memory: none is tried any more.
    pub(super) is_full: bool,
}

impl Push<'_> {
    /// Tells whether the folder holds anything else than was last left there.
    pub(super) fn has_changes(&self) -> bool {
        let is_known = |(path, local): (&String, &Local)| {
            self.manifest
                .entries
                .get(path)
                .is_some_and(|entry| local.sha256() == Some(&entry.sha256))
        };
        !self.locals.iter().all(is_known)
            || self
                .manifest
                .entries
                .keys()
                .any(|path| !self.locals.contains_key(path))
    }

    /// Makes versions of all changes, and notes of those that it does not make.
    pub(super) async fn run(&mut self) -> Result<(), SyncError> {
        match self.home.live_row().await {
            Ok(_) => {
                self.manifest.rejected.remove("");
            }
            Err(error @ (MemoryError::NoStore | MemoryError::Archived)) => {
                self.reject("", &format!("nothing in it is saved any more: {error}"));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        if let Some(Local::Bad(why)) = self.locals.get("") {
            // Not all of it was seen, so what is missing must not count as deleted.
            self.reject("", &format!("nothing in it was saved: {why}"));
            return Ok(());
        }
        let gone = |path: &String| !self.locals.contains_key(path);
        let mut deleted: Vec<String> = self
            .manifest
            .entries
            .keys()
            .filter(|p| gone(p))
            .cloned()
            .collect();
        self.rename(&mut deleted).await?;
        // First what makes room: a file may have become a folder.
        for path in deleted {
            self.delete(&path).await?;
        }
        let locals = self.locals;
        for (path, local) in locals {
            match local {
                Local::Bad(why) => self.reject(path, &format!("was not saved: {why}")),
                Local::File { sha256, .. } => {
                    let known = self.manifest.entries.get(path);
                    if known.is_none_or(|entry| entry.sha256 != *sha256) {
                        self.save(path).await?;
                    }
                }
            }
        }
        self.manifest
            .rejected
            .retain(|path, _| path.is_empty() || locals.contains_key(path));
        Ok(())
    }

    /// Finds files that were moved: a memory keeps its id then.
    async fn rename(&mut self, deleted: &mut Vec<String>) -> Result<(), SyncError> {
        let mut moved = Vec::new();
        for (path, local) in self.locals {
            if self.manifest.entries.contains_key(path) {
                continue;
            }
            let from = deleted.iter().position(|from| {
                let entry = self.manifest.entries.get(from);
                entry.is_some_and(|entry| local.sha256() == Some(&entry.sha256))
            });
            if let Some(from) = from {
                moved.push((deleted.swap_remove(from), path.clone()));
            }
        }
        for (from, to) in moved {
            let Some(entry) = self.manifest.entries.get(&from).cloned() else {
                continue;
            };
            let renamed = match self.home.memory(&entry.id).await {
                Ok(memory) if memory.path != from => Err(MemoryError::NoMemory),
                Ok(_) => {
                    let expected = Some(entry.sha256.as_str());
                    self.home.update(&entry.id, None, Some(&to), expected).await
                }
                Err(error) => Err(error),
            };
            match renamed {
                Ok(memory) => {
                    self.manifest.entries.remove(&from);
                    self.manifest.entries.insert(to, entry_of(&memory));
                }
                Err(MemoryError::Store(error)) => return Err(error.into()),
                // Then it is a deletion and a new file, each with its own reasons.
                Err(_) => deleted.push(from),
            }
        }
        Ok(())
    }

    async fn delete(&mut self, path: &str) -> Result<(), SyncError> {
        let Some(entry) = self.manifest.entries.get(path).cloned() else {
            return Ok(());
        };
        let deleted = match self.home.memory(&entry.id).await {
            // Moved by others meanwhile: what is there now is not what was deleted here.
            Ok(memory) if memory.path != path => Ok(()),
            Ok(_) => self.home.delete(&entry.id, Some(&entry.sha256)).await,
            Err(error) => Err(error),
        };
        match deleted {
            Ok(()) | Err(MemoryError::NoMemory) => {}
            Err(MemoryError::Changed { .. }) => self.note(
                path,
                "was not deleted: it was changed outside this session meanwhile; the file is back with \
                 the new content",
            ),
            Err(error) => return Err(error.into()),
        }
        self.manifest.entries.remove(path);
        Ok(())
    }

    /// Saves a new or changed file.
    async fn save(&mut self, path: &str) -> Result<(), SyncError> {
        if let Err(why) = check_path(path) {
            self.reject(path, &format!("was not saved: a memory's path {why}"));
            return Ok(());
        }
        let Some(bytes) = content(self.root, path)? else {
            // It changes at this moment; the next time tells.
            return Ok(());
        };
        let Ok(text) = String::from_utf8(bytes) else {
            self.reject(path, "was not saved: a memory is UTF-8 text");
            return Ok(());
        };
        let known = self.manifest.entries.get(path).cloned();
        if known.is_none() && self.is_full {
            self.reject(path, &format!("was not saved: {}", MemoryError::Full));
            return Ok(());
        }
        let saved = match &known {
            Some(entry) => {
                let expected = Some(entry.sha256.as_str());
                match self
                    .home
                    .update(&entry.id, Some(&text), None, expected)
                    .await
                {
                    // Deleted by others meanwhile: the deletion is among the versions, the change is made.
                    Err(MemoryError::NoMemory) => self.create(path, &text).await,
                    saved => saved,
                }
            }
            None => self.create(path, &text).await,
        };
        match saved {
            Ok(memory) => {
                self.manifest
                    .entries
                    .insert(path.to_owned(), entry_of(&memory));
                self.manifest.rejected.remove(path);
            }
            Err(MemoryError::Changed { .. }) => self.conflict(path, text),
            Err(MemoryError::PathTaken { path: other, .. }) if other == path => {
                self.conflict(path, text);
            }
            Err(error @ (MemoryError::PathTaken { .. } | MemoryError::Full)) => {
                self.is_full |= matches!(error, MemoryError::Full);
                self.reject(path, &format!("was not saved: {error}"));
            }
            Err(MemoryError::TooLarge(size)) => {
                let why = format!("{size} bytes, and a memory holds at most {CONTENT_BYTES_MAX}");
                self.reject(path, &format!("was not saved: it has {why}"));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Makes a memory, or takes one that is there with the same content: a crash may have come between the
    /// two halves of this.
    async fn create(&self, path: &str, text: &str) -> Result<MemoryRow, MemoryError> {
        match self.home.create(path, text).await {
            Err(MemoryError::PathTaken {
                memory_id,
                path: other,
            }) if other == path => {
                let memory = self.home.memory(&memory_id).await?;
                if memory.sha256 == sha256(text.as_bytes()) {
                    return Ok(memory);
                }
                Err(MemoryError::PathTaken {
                    memory_id,
                    path: other,
                })
            }
            created => created,
        }
    }

    fn conflict(&mut self, path: &str, text: String) {
        self.manifest.entries.remove(path);
        self.conflicts.push(Conflict {
            path: path.to_owned(),
            content: text,
        });
    }

    fn note(&mut self, path: &str, what: &str) {
        self.notes
            .push(format!("{}{path} {what}.", self.mount_path));
    }

    /// Notes a rejection, once for as long as its reason stays.
    fn reject(&mut self, path: &str, why: &str) {
        let told = self
            .manifest
            .rejected
            .insert(path.to_owned(), why.to_owned());
        if told.as_deref() != Some(why) {
            let only = if path.is_empty() {
                ""
            } else {
                ". It is in this sandbox only"
            };
            self.note(path, &format!("{why}{only}"));
        }
    }
}

/// Returns the entry of a memory whose file has its content.
pub(super) fn entry_of(memory: &MemoryRow) -> Entry {
    Entry {
        id: memory.id.clone(),
        sha256: memory.sha256.clone(),
        stamp: None,
    }
}
