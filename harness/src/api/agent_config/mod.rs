//! What an agent is: validation and normalisation of its configuration, without any effect.
//!
//! A request becomes a [`Draft`]; the agents its roster refers to are fetched by the caller as a [`Roster`];
//! [`Draft::finish`] checks the rules that span fields and returns an [`AgentConfig`] in which every default
//! is filled in. Its JSON is what is stored and what clients see; sessions copy it as a snapshot.

mod bindings;
mod change;
mod check;
mod components;
mod custom_tool;
mod delegation;
mod identity;
mod mcp;
mod model;
mod multiagent;
mod ours;
mod roster;
mod session;
mod skills;
mod supervision;
#[cfg(test)]
mod tests;
mod tools;
mod toolset;
mod url_sources;
mod web;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::body::Invalid;
use crate::api::metadata::Metadata;
use crate::json::Fields as _;

pub use change::{create, update};
pub use components::is_component_name;
pub use custom_tool::RESERVED_PREFIXES;
pub use model::{ModelConfig, Speed};
pub use ours::read_of_session as read_ours;
pub use roster::{Reference, Roster, RosterAgent};
pub use session::{
    UNFOLDED_MAX, apply_overrides, for_each_listed, replace_tools, session_agent, too_many,
};
pub use tools::BUILT_IN_TOOLS;

/// A whole, valid configuration, with the field names and shapes of the wire.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgentConfig {
    /// 1 to 256 characters.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// The model and how to use it.
    pub model: ModelConfig,
    /// The system prompt.
    pub system: Option<String>,
    /// Toolsets and custom tools, all defaults filled in.
    pub tools: Vec<Value>,
    /// Remote MCP servers, each used by one toolset in `tools`.
    pub mcp_servers: Vec<Value>,
    /// Skill references.
    pub skills: Vec<Value>,
    /// The orchestration block with its agents pinned; null for a single agent.
    pub multiagent: Value,
    /// The client's own pairs. Not part of a session's snapshot.
    #[serde(default)]
    pub metadata: Metadata,
    /// The principal that runs are made as.
    pub execution_identity: Value,
    /// What is ours: the block `sinew`. Absent for agents that do not use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sinew: Option<Value>,
}

impl AgentConfig {
    /// Reads a stored configuration, or a session's snapshot of one; other fields are left out.
    pub fn from_stored(body: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(body)
    }

    /// Returns the configuration as it is stored and shown.
    pub fn to_body(&self) -> Value {
        // Cannot fail: every map in here has strings as keys.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Returns how many levels of agents below this one may be delegated to.
    pub fn levels(&self) -> u64 {
        let ours = self
            .sinew
            .as_ref()
            .map(|ours| ours.at("delegation").at("depth"));
        ours.and_then(Value::as_u64).unwrap_or(1)
    }

    /// Returns the agents that the orchestration block refers to, pinned.
    pub fn roster_references(&self) -> Vec<Reference> {
        roster::pinned_references(&self.multiagent)
    }
}

/// A configuration whose roster is not resolved yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Everything but the orchestration block, which is null here.
    config: AgentConfig,
    multiagent: Option<multiagent::Draft>,
}

impl Draft {
    /// Returns the agents that [`Draft::finish`] needs to know.
    pub fn references(&self) -> Vec<Reference> {
        let multiagent = self.multiagent.as_ref();
        multiagent.map_or_else(Vec::new, multiagent::Draft::references)
    }

    /// Checks what spans fields, and pins the roster. `own_id` and `own_version` name the agent as it will
    /// be saved.
    pub fn finish(
        self,
        own_id: &str,
        own_version: u64,
        roster: &Roster,
    ) -> Result<AgentConfig, Invalid> {
        let mut config = self.config;
        if let Some(multiagent) = self.multiagent {
            let geo = config.model.inference_geo.as_deref();
            let levels = config.levels();
            config.multiagent = multiagent.resolve(own_id, own_version, geo, levels, roster)?;
        }
        check::whole(&config)?;
        Ok(config)
    }
}
