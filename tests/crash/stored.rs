//! What a dead daemon left in its data folder, read from a copy, so that the next daemon meets the folder as it is.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sinew::content::{Content, Packs};
use sinew::data_dir::database;
use sinew::ids::SessionId;
use sinew::store::{SharedStore, SqliteOptions, SqliteStore, StoredEvent};
use sinew::tree::{Folder, Kind, entries};
use sinew_tests::log_rules;
use tempfile::TempDir;

use crate::Seen;
use crate::workload::Files;

/// A copy of a data folder's database, with the packs where they are.
pub struct Stored {
    store: SharedStore,
    content: Content,
    _copy: TempDir,
}

impl Stored {
    /// Copies what a dead daemon left.
    pub fn copy(data: &Path) -> Result<Self> {
        let copy = tempfile::tempdir()?;
        for file in ["sinew.db", "sinew.db-wal"] {
            let from = data.join(file);
            // The index of the journal is left out: opening makes it anew, as after the loss of all memory.
            if from.exists() {
                std::fs::copy(&from, copy.path().join(file))?;
            }
        }
        let options = SqliteOptions::new(database(copy.path()));
        let store: SharedStore = Arc::new(SqliteStore::open(options)?);
        let content = Content::new(store.clone(), Packs::in_folder(&data.join("packs"))?);
        Ok(Self {
            store,
            content,
            _copy: copy,
        })
    }

    /// Returns a session's log. Refuses it if it breaks a rule, or is not what was there `before` with more
    /// behind it, or lacks what a client saw.
    pub async fn log(
        &self,
        session: &str,
        before: &[StoredEvent],
        seen: &Seen,
    ) -> Result<Vec<StoredEvent>> {
        let log = log_rules::read_stored(&*self.store, session).await?;
        for (old, new) in before.iter().zip(&log) {
            ensure!(is_same(old, new), "an event changed: {old:?}\n{new:?}");
        }
        ensure!(log.len() >= before.len(), "the log has become shorter");
        for id in seen.ids() {
            let is_there = log.iter().any(|event| event.id.as_str() == id);
            ensure!(is_there, "an event that a client saw is lost: {id}");
        }
        Ok(log)
    }

    /// Returns those events of a log that the session did not go back behind.
    pub async fn counted(&self, session: &str, log: &[StoredEvent]) -> Result<Vec<StoredEvent>> {
        let row = self.store.session(&SessionId::from_text(session)).await?;
        Ok(log_rules::counted(&row, log))
    }

    /// Returns a session's own files as committed.
    pub async fn files(&self, session: &str) -> Result<Files> {
        let session_id = SessionId::from_text(session);
        let index = self.store.files();
        let Some(files) = index.files_at(&session_id, u64::MAX).await? else {
            return Ok(Files::default());
        };
        let reader = self.content.blocking();
        let read = tokio::task::spawn_blocking(move || {
            let root = Folder {
                node: files.root,
                digest: files.digest,
                names: 0,
                bytes: 0,
            };
            if let Some(shell) = files.shell {
                reader.get(shell)?;
            }
            let mut found = Files::default();
            for entry in entries(&reader, &root)? {
                let path = String::from_utf8(entry.name.clone())?;
                let Kind::Folder(folder) = &entry.kind else {
                    anyhow::bail!("{path} is no folder");
                };
                if path != "/mnt/memory" {
                    found.add_tree(&reader, folder, &path)?;
                }
            }
            anyhow::Ok(found)
        });
        read.await?.context("the committed files cannot be read")
    }
}

/// Tells whether an event is what it was; one that was queued may have got its place since.
fn is_same(old: &StoredEvent, new: &StoredEvent) -> bool {
    let mut new = new.clone();
    if old.position.is_none() {
        new.position = None;
        new.processed_at = None;
    }
    *old == new
}

/// Returns how many results of calls a log has. Refuses two results of one call, and any that is a failure.
pub fn results(log: &[StoredEvent]) -> Result<usize> {
    let mut answered = std::collections::BTreeSet::new();
    for event in log.iter().filter(|event| event.kind == "agent.tool_result") {
        let call = event.body["tool_use_id"].as_str().context("no call")?;
        ensure!(answered.insert(call), "{call} has two results");
        ensure!(
            event.body["is_error"] != Value::Bool(true),
            "a call failed: {}",
            event.body
        );
    }
    Ok(answered.len())
}
