//! Versions: reading one, wiping one, and removing all of a store's.

use serde_json::{Value, json};

use super::change::touch;
use super::{MemoryError, MemoryHome, STORE_LABEL};
use crate::clock::rfc3339;
use crate::json::Fields as _;
use crate::store::{Kind, Resource, ResourceChange, StoreError, Write};

/// How often a change is decided anew when others change the store meanwhile.
const ATTEMPTS_MAX: usize = 64;
/// Rows removed in one commit: other writers wait that long.
const REMOVED_AT_ONCE: usize = 500;

impl MemoryHome<'_> {
    /// Returns a version's row. Errors: `NoVersion`, also for one of another store.
    pub async fn version_row(&self, id: &str) -> Result<Resource, MemoryError> {
        match self
            .store
            .get(&self.key(Kind::MemoryVersion, id), None)
            .await
        {
            Ok(row) if *row.body.at(STORE_LABEL) == self.id => Ok(row),
            Ok(_) | Err(StoreError::NotFound) => Err(MemoryError::NoVersion),
            Err(error) => Err(error.into()),
        }
    }

    /// Wipes a version's content, path, size and hash; again changes nothing. Errors: `NoVersion`,
    /// `IsHead`, `Archived`, `NoStore`.
    pub async fn redact(&self, id: &str) -> Result<Resource, MemoryError> {
        for _ in 0..ATTEMPTS_MAX {
            let home = self.row().await?;
            let version = self.version_row(id).await?;
            if version.body.at("redacted_at").is_string() {
                return Ok(version);
            }
            if home.archived_at.is_some() {
                return Err(MemoryError::Archived);
            }
            let memory_id = version.body.at("memory_id").as_str().unwrap_or_default();
            match self.memory(memory_id).await {
                Ok(memory) if memory.version_id == id => return Err(MemoryError::IsHead),
                Ok(_) | Err(MemoryError::NoMemory) => {}
                Err(error) => return Err(error),
            }
            let mut body = version.body.clone();
            for wiped in ["path", "sha256", "size"] {
                body.set(wiped, Value::Null);
            }
            let now = self.clock.now();
            body.set("redacted_at", json!(rfc3339(now)));
            body.set("redacted_by", self.actor.wire());
            let mut writes = vec![
                touch(&home, 0),
                Write::Update {
                    key: version.key.clone(),
                    revision: version.revision,
                    change: ResourceChange {
                        body,
                        new_version: false,
                        unique_name: None,
                        status: None,
                        archived_at: None,
                        at: now,
                    },
                },
            ];
            if *version.body.at("operation") != "deleted" {
                writes.push(Write::Delete(self.key(Kind::MemoryContent, id)));
            }
            if self.commit(writes).await? {
                return self.version_row(id).await;
            }
        }
        Err(MemoryError::Busy)
    }

    /// Removes the store with its memories, and then their versions. A crash in between leaves versions that
    /// nobody can reach; [`sweep`](super::sweep) removes them in time.
    pub async fn remove(&self) -> Result<(), MemoryError> {
        for _ in 0..ATTEMPTS_MAX {
            let home = self.row().await?;
            let mut writes = vec![touch(&home, 0)];
            for memory in self.rows(Kind::Memory).await? {
                writes.push(Write::Delete(memory.key));
            }
            writes.push(Write::Delete(home.key.clone()));
            if self.commit(writes).await? {
                return self.remove_versions().await;
            }
        }
        Err(MemoryError::Busy)
    }

    async fn remove_versions(&self) -> Result<(), MemoryError> {
        for _ in 0..ATTEMPTS_MAX {
            let versions = self.rows(Kind::MemoryVersion).await?;
            let mut are_gone = true;
            for some in versions.chunks(REMOVED_AT_ONCE) {
                let writes = some.iter().flat_map(removal).collect();
                // One that the sweep took meanwhile refuses those beside it: they are listed again.
                are_gone &= self.commit(writes).await?;
            }
            if are_gone {
                return Ok(());
            }
        }
        Err(MemoryError::Busy)
    }
}

/// Returns the writes that remove a version with its content.
pub(super) fn removal(version: &Resource) -> Vec<Write> {
    let mut writes = vec![Write::Delete(version.key.clone())];
    let has_content =
        *version.body.at("operation") != "deleted" && !version.body.at("redacted_at").is_string();
    if has_content {
        let mut key = version.key.clone();
        key.kind = Kind::MemoryContent;
        writes.push(Write::Delete(key));
    }
    writes
}
