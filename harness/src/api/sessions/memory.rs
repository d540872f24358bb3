//! Memory stores among the resources of a new session.

use serde_json::{Value, json};

use super::SessionState;
use crate::api::body::{Invalid, Spot};
use crate::api::{ApiError, live_store};
use crate::ids::{ID_BYTES_MAX, WorkspaceId};
use crate::json::Fields as _;
use crate::memory::STORE_LABEL;
use crate::memory::mount::{MOUNT_ROOT, slug};

/// Most memory stores of one session.
const STORES_MAX: usize = 8;
/// Longest instructions in characters.
const INSTRUCTIONS_CHARACTERS_MAX: usize = 4_096;

/// A memory store as the request asks for it.
pub(super) struct StoreRequest {
    store_id: String,
    access: &'static str,
    instructions: Option<String>,
}

/// Tells whether an entry of `resources` is a memory store.
pub(super) fn is_memory_store(entry: &Spot) -> bool {
    *entry.value.at("type") == "memory_store"
}

/// Reads the memory stores among `resources`: each once, and not more than 8.
pub(super) fn read(entries: Vec<Spot>) -> Result<Vec<StoreRequest>, Invalid> {
    let mut requests: Vec<StoreRequest> = Vec::new();
    for entry in entries {
        let path = entry.path.clone();
        if requests.len() == STORES_MAX {
            let message = format!("at most {STORES_MAX} memory stores can be mounted");
            return Err(Invalid::at(path, message));
        }
        let (_, mut fields) = entry.tagged()?;
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
        if requests.iter().any(|other| other.store_id == store_id) {
            return Err(Invalid::at(path, "the memory store is mounted already"));
        }
        requests.push(StoreRequest {
            store_id,
            access,
            instructions,
        });
    }
    Ok(requests)
}

/// Returns the resources of the session, with the stores' names and descriptions as they are now. Errors: 404
/// for a store that does not exist, 400 for an archived one.
pub(super) async fn resolve(
    state: &SessionState,
    workspace: &WorkspaceId,
    requests: Vec<StoreRequest>,
) -> Result<Vec<Value>, ApiError> {
    let mut taken = Vec::new();
    let mut resources = Vec::new();
    for request in requests {
        let store = live_store(&state.api, workspace, &request.store_id).await?;
        let name = store.body.at("name").as_str().unwrap_or_default();
        let folder = slug(name, &taken);
        resources.push(json!({
            "type": "memory_store",
            "memory_store_id": request.store_id,
            "access": request.access,
            "instructions": request.instructions,
            "name": name,
            "description": store.body.at("description"),
            "mount_path": format!("{MOUNT_ROOT}/{folder}"),
        }));
        taken.push(folder);
    }
    Ok(resources)
}

/// Returns the labels by which the sessions of a store are found.
pub(super) fn labels(resources: &[Value]) -> Vec<(String, String)> {
    let ids = resources
        .iter()
        .filter_map(|resource| resource.at("memory_store_id").as_str());
    ids.map(|id| (STORE_LABEL.to_owned(), id.to_owned()))
        .collect()
}
