//! Memory stores among the resources of a new session: they are mounted for its life.

use serde_json::{Value, json};

use crate::api::body::{Fields, Invalid};
use crate::api::{ApiError, ApiState, live_store};
use crate::ids::{ID_BYTES_MAX, WorkspaceId};
use crate::json::Fields as _;
use crate::memory::STORE_LABEL;
use crate::memory::mount::{MOUNT_ROOT, slug};

/// Longest instructions in characters.
const INSTRUCTIONS_CHARACTERS_MAX: usize = 4_096;

/// A memory store that a client wants mounted.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::api::sessions) struct WantedStore {
    /// The store.
    pub(super) store_id: String,
    access: &'static str,
    instructions: Option<String>,
}

/// Reads a memory store's resource whose `type` was taken already.
pub(super) fn read_store(mut fields: Fields) -> Result<WantedStore, Invalid> {
    let store_id = fields.required("memory_store_id")?;
    let store_id = store_id.text(1, ID_BYTES_MAX)?;
    let access = match fields.take("access").given() {
        Some(spot) => spot.one_of(&["read_write", "read_only"])?,
        None => "read_write",
    };
    let instructions = match fields.take("instructions").given() {
        Some(spot) => Some(spot.text(0, INSTRUCTIONS_CHARACTERS_MAX)?),
        None => None,
    };
    fields.finish()?;
    Ok(WantedStore {
        store_id,
        access,
        instructions,
    })
}

/// Returns the wire's resource of a store, with its name and description as they are now; `taken` gets the name
/// of its folder. Errors: 404 for a store that does not exist, 400 for an archived one.
pub(super) async fn mount_store(
    api: &ApiState,
    workspace: &WorkspaceId,
    wanted: WantedStore,
    taken: &mut Vec<String>,
) -> Result<Value, ApiError> {
    let store = live_store(api, workspace, &wanted.store_id).await?;
    let name = store.body.at("name").as_str().unwrap_or_default();
    let folder = slug(name, taken);
    let resource = json!({
        "type": "memory_store",
        "memory_store_id": wanted.store_id,
        "access": wanted.access,
        "instructions": wanted.instructions,
        "name": name,
        "description": store.body.at("description"),
        "mount_path": format!("{MOUNT_ROOT}/{folder}"),
    });
    taken.push(folder);
    Ok(resource)
}

/// Returns the labels by which the sessions of a store are found.
pub(in crate::api::sessions) fn labels(resources: &Value) -> Vec<(String, String)> {
    let ids = resources
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|resource| resource.at("memory_store_id").as_str());
    ids.map(|id| (STORE_LABEL.to_owned(), id.to_owned()))
        .collect()
}
