//! What a new session, or a deployment's sessions, are given: files, memory stores and vaults.

use clap::Args;
use serde_json::{Value, json};

use super::resource::id;
use crate::json::Fields as _;

#[derive(Args)]
pub(super) struct MountArgs {
    /// Mount a copy of a file below /mnt/session/uploads, by its id if no path is given
    #[arg(long = "file", value_name = "ID[:MOUNT_PATH]", value_parser = file)]
    files: Vec<Value>,
    /// Mount a memory store below /mnt/memory, with :ro read-only
    #[arg(long = "memory", value_name = "STORE[:ro]", value_parser = store)]
    stores: Vec<Value>,
    /// Let the session use the credentials of a vault; the first that fits wins
    #[arg(long = "vault", value_name = "ID", value_parser = id)]
    vaults: Vec<String>,
}

impl MountArgs {
    /// Adds them to the body of a session's creation.
    pub(super) fn add_to(self, body: &mut Value) {
        let resources: Vec<Value> = self.files.into_iter().chain(self.stores).collect();
        if !resources.is_empty() {
            body.set("resources", json!(resources));
        }
        if !self.vaults.is_empty() {
            body.set("vault_ids", json!(self.vaults));
        }
    }
}

fn file(text: &str) -> Result<Value, String> {
    match text.split_once(':') {
        None => Ok(json!({"type": "file", "file_id": id(text)?})),
        Some((_, "")) => Err("expected a mount path behind the colon".to_owned()),
        Some((file, path)) => Ok(json!({"type": "file", "file_id": id(file)?, "mount_path": path})),
    }
}

fn store(text: &str) -> Result<Value, String> {
    let (store, access) = match text.split_once(':') {
        None => (text, "read_write"),
        Some((store, "ro")) => (store, "read_only"),
        Some((store, "rw")) => (store, "read_write"),
        Some((_, other)) => return Err(format!("expected :ro behind the store, got :{other}")),
    };
    Ok(json!({"type": "memory_store", "memory_store_id": id(store)?, "access": access}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read_and_slips_are_refused() {
        let plain = json!({"type": "file", "file_id": "file_1"});
        assert_eq!(file("file_1"), Ok(plain));
        let placed = json!({"type": "file", "file_id": "file_1", "mount_path": "/a:b"});
        assert_eq!(file("file_1:/a:b"), Ok(placed));
        assert_eq!(store("m").unwrap()["access"], "read_write");
        assert_eq!(store("m:ro").unwrap()["access"], "read_only");
        for bad in ["", ":ro", "m:r", "m:"] {
            assert!(store(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "file_1:", ":/a", "a b"] {
            assert!(file(bad).is_err(), "{bad:?}");
        }
    }
}
