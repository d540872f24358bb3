//! The agents that an orchestration block refers to, fetched by the caller so that validation stays pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::AgentConfig;

/// Names an agent; without a version, its newest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reference {
    /// The agent's id.
    pub id: String,
    /// Its version.
    pub version: Option<u64>,
}

impl Reference {
    pub(super) fn pinned(id: &str, version: u64) -> Self {
        Self {
            id: id.to_owned(),
            version: Some(version),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "type": "agent", "id": self.id, "version": self.version })
    }
}

/// An agent as the store has it.
#[derive(Clone, PartialEq, Debug)]
pub struct RosterAgent {
    /// The version that was found.
    pub version: u64,
    /// Whether the agent was archived.
    pub is_archived: bool,
    /// That version's configuration.
    pub config: AgentConfig,
}

/// What was found for each reference; what does not exist is not in it.
pub type Roster = BTreeMap<Reference, RosterAgent>;

/// Returns every list of agents inside a normalised block.
fn lists(multiagent: &Value) -> impl Iterator<Item = &Vec<Value>> {
    let members = ["subagents", "workflows"]
        .into_iter()
        .filter_map(|member| multiagent.get(member)?.get("predefined_agents"));
    multiagent
        .get("agents")
        .into_iter()
        .chain(members)
        .filter_map(Value::as_array)
}

/// Returns the same lists, to be changed.
pub(super) fn lists_mut(multiagent: &mut Value) -> Vec<&mut Vec<Value>> {
    let Some(block) = multiagent.as_object_mut() else {
        return Vec::new();
    };
    block
        .iter_mut()
        .filter_map(|(key, value)| match key.as_str() {
            "agents" => Some(value),
            "subagents" | "workflows" => value.get_mut("predefined_agents"),
            _ => None,
        })
        .filter_map(Value::as_array_mut)
        .collect()
}

/// Returns the references in a normalised block, which are all pinned.
pub(super) fn pinned_references(multiagent: &Value) -> Vec<Reference> {
    lists(multiagent)
        .flatten()
        .filter_map(pinned_reference)
        .collect()
}

/// Returns the reference of one entry; `None` for an advisor.
pub(super) fn pinned_reference(entry: &Value) -> Option<Reference> {
    let id = entry.get("id")?.as_str()?;
    Some(Reference::pinned(id, entry.get("version")?.as_u64()?))
}
