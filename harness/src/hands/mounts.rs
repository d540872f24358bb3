//! What a session shows to its hand beside its own folders: files and skills, each a blob at a place, and memory.

use serde_json::Value;

use crate::json::Fields as _;
use crate::memory::mount::{self, Mount};
use crate::session::SKILLS_FIELD;

/// Where mounted files lie.
pub const UPLOADS: &str = "/mnt/session/uploads";
/// Where skills lie, each in a folder.
pub const SKILLS: &str = "/mnt/skills";

/// Everything that is mounted into one session.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mounts {
    /// Files below [`UPLOADS`].
    pub uploads: Vec<UploadMount>,
    /// Folders below [`SKILLS`].
    pub skills: Vec<SkillMount>,
    /// Memory stores, each in a folder of its own.
    pub memory: Vec<Mount>,
}

/// A file below [`UPLOADS`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadMount {
    /// Its path below the folder, e.g. `data/a.csv`; checked when it was mounted.
    pub path: String,
    /// The blob that holds its content.
    pub blob: String,
}

/// A folder below [`SKILLS`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SkillMount {
    /// The folder's name.
    pub folder: String,
    /// The blob that holds its files as a zip archive.
    pub blob: String,
}

impl Mounts {
    /// Reads a session's configuration.
    pub fn of_session(config: &Value) -> Self {
        let text = |item: &Value, name: &str| item.at(name).as_str().map(str::to_owned);
        let items = |name: &str| config.at(name).as_array().into_iter().flatten();
        let upload = |item: &Value| {
            let mount_path = item.at("mount_path").as_str()?;
            let path = mount_path.strip_prefix(UPLOADS)?.strip_prefix('/')?;
            Some(UploadMount {
                path: path.to_owned(),
                blob: text(item, "file_id")?,
            })
        };
        let skill = |item: &Value| {
            Some(SkillMount {
                folder: text(item, "folder")?,
                blob: text(item, "version")?,
            })
        };
        Self {
            uploads: items("resources")
                .filter(|item| *item.at("type") == "file")
                .filter_map(upload)
                .collect(),
            skills: items(SKILLS_FIELD).filter_map(skill).collect(),
            memory: mount::mounts(config.at("resources")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_says_what_is_mounted() {
        let config = json!({
            "resources": [
                {"type": "file", "file_id": "file_1", "mount_path": "/mnt/session/uploads/a/b"},
                {"type": "memory_store", "memory_store_id": "memstore_1", "mount_path": "/mnt/memory/x"},
            ],
            SKILLS_FIELD: [{"folder": "pdf", "version": "skver_1", "skill_id": "skill_1"}],
        });
        let mounts = Mounts::of_session(&config);
        let upload = |path: &str, blob: &str| UploadMount {
            path: path.to_owned(),
            blob: blob.to_owned(),
        };
        assert_eq!(mounts.uploads, [upload("a/b", "file_1")]);
        assert_eq!(mounts.skills[0].blob, "skver_1");
        assert_eq!(mounts.memory[0].path(), "/mnt/memory/x");
        assert_eq!(Mounts::of_session(&json!({})), Mounts::default());
    }
}
