//! Memory stores at work: brought in before a call, brought back after it, and told to the model.

use serde_json::Value;

use super::runner::Runner;
use crate::hands::CallOutcome;
use crate::json::Fields as _;
use crate::memory::mount::{Folders, Mount, SyncError, clear_notes, mounts, sync};
use crate::memory::{Actor, MemoryHome};
use crate::session::text_block;

/// The mounts of a session that has any.
pub(super) struct Memory {
    folders: Folders,
    mounts: Vec<Mount>,
}

impl Runner {
    /// Returns the session's mounts; none if it has none.
    pub(super) fn memory(&self) -> Option<Memory> {
        let mounts = mounts(self.state().config.at("resources"));
        let folders = self.brain.hands.memory_folders(&self.session_id);
        folders
            .filter(|_| !mounts.is_empty())
            .map(|folders| Memory { folders, mounts })
    }

    /// Makes every mount and its store the same, and returns what the model must be told. The driver waits
    /// for the end of it: two at the same time would see each other's halves as changes.
    pub(super) async fn sync_memory(&self, memory: &Memory) -> Result<Vec<String>, SyncError> {
        let row = self.brain.store.session(&self.session_id).await?;
        let mut notes = Vec::new();
        for mount in &memory.mounts {
            let home = MemoryHome::new(
                &*self.brain.store,
                &*self.brain.clock,
                &row.key.workspace,
                &mount.store_id,
                Actor::Session(self.session_id.clone()),
            );
            notes.extend(sync(&home, &memory.folders, mount).await?);
        }
        Ok(notes)
    }

    /// Brings back what a call changed, and adds to its outcome what the model must know.
    pub(super) async fn bring_back_memory(&self, memory: &Memory, outcome: &mut CallOutcome) {
        let notes = match self.sync_memory(memory).await {
            Ok(notes) => notes,
            Err(error) => {
                tracing::error!(session = %self.session_id, %error, "memory could not be brought back");
                let note = "Changes below /mnt/memory could not be saved now; they are kept in the sandbox, and saving \
                            them is tried again with the next call.";
                vec![note.to_owned()]
            }
        };
        if !notes.is_empty() {
            let text = format!("Memory: {}", notes.join("\n"));
            outcome.content.push(text_block(&text));
        }
    }

    /// Forgets what the log now has.
    pub(super) async fn forget_memory_notes(&self, memory: &Memory) {
        for mount in &memory.mounts {
            if let Err(error) = clear_notes(&memory.folders, mount).await {
                tracing::warn!(session = %self.session_id, %error, "notes will be told twice");
            }
        }
    }
}

/// Returns the part of the system prompt that lists a session's mounts; none if it has none.
pub(super) fn prompt(resources: &Value) -> Option<String> {
    let mut lines = Vec::new();
    for resource in resources.as_array().into_iter().flatten() {
        let text = |name: &str| resource.at(name).as_str().unwrap_or_default();
        if text("type") != "memory_store" {
            continue;
        }
        let access = match text("access") {
            "read_only" => "read-only",
            _ => "read and write",
        };
        let mut line = format!("- {} ({access}): {}", text("mount_path"), text("name"));
        for (label, name) in [
            ("Description", "description"),
            ("Instructions", "instructions"),
        ] {
            if !text(name).is_empty() {
                line.push_str(&format!("\n  {label}: {}", text(name)));
            }
        }
        lines.push(line);
    }
    if lines.is_empty() {
        return None;
    }
    Some(format!(
        "You have memory that outlives this session: folders of text files, each mounted from a memory store. \
Look there for what earlier sessions learned. In those you may write to, every change of a file is kept as \
a version once the tool call that made it ends. A file holds at most 102,400 bytes of UTF-8 text. Everything \
else below /mnt/memory is read-only.\n{}",
        lines.join("\n")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_prompt_lists_every_mount() {
        let resources = json!([
            {"type": "memory_store", "mount_path": "/mnt/memory/a", "name": "A", "access": "read_write",
             "description": "What we know.", "instructions": "Write it down."},
            {"type": "file", "mount_path": "/mnt/session/uploads/x"},
            {"type": "memory_store", "mount_path": "/mnt/memory/b", "name": "B", "access": "read_only",
             "description": "", "instructions": null},
        ]);
        let text = prompt(&resources).unwrap_or_default();
        let (_, list) = text.split_once("read-only.\n").unwrap_or_default();
        assert_eq!(
            list,
            "- /mnt/memory/a (read and write): A\n  Description: What we know.\n  Instructions: Write it down.\n\
             - /mnt/memory/b (read-only): B"
        );
        assert_eq!(prompt(&json!([])), None);
        assert_eq!(prompt(&Value::Null), None);
    }
}
