//! The `tools` of an agent: toolsets and custom tools, and the rules among them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{custom_tool, mcp, toolset, url_sources};
use crate::api::body::{Field, Fields, Invalid, Spot};

/// Most tools of one agent; a toolset counts with the tools it names.
const TOOLS_MAX: usize = 256;
const POLICIES: [&str; 3] = ["always_allow", "always_ask", "auto"];

/// The tools of the agent toolset.
pub const BUILT_IN_TOOLS: [&str; 8] = [
    "bash",
    "read",
    "write",
    "edit",
    "glob",
    "grep",
    "web_fetch",
    "web_search",
];

/// Reads and normalises the whole array.
pub(super) fn read(spot: Spot) -> Result<Vec<Value>, Invalid> {
    let path = spot.path.clone();
    let mut tools = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in spot.array(TOOLS_MAX)? {
        let entry_path = entry.path.clone();
        let (tag, fields) = entry.tagged()?;
        let tool = match tag.one_of(&["agent_toolset_20260401", "mcp_toolset", "custom"])? {
            "agent_toolset_20260401" => toolset::read(fields)?,
            "mcp_toolset" => mcp::read_toolset(fields)?,
            _ => custom_tool::read(fields)?,
        };
        if !seen.insert(identity(&tool)) {
            let message = match tool.get("type").and_then(Value::as_str) {
                Some("custom") => "another custom tool has this name",
                Some("mcp_toolset") => "another toolset has this MCP server",
                _ => "an agent has one agent_toolset_20260401",
            };
            return Err(Invalid::at(entry_path, message));
        }
        tools.push(tool);
    }
    let count: usize = tools.iter().map(count_of).sum();
    if count > TOOLS_MAX {
        return Err(Invalid::at(
            path,
            format!("at most {TOOLS_MAX} tools, got {count}"),
        ));
    }
    url_sources::check_names(&path, &tools)?;
    Ok(tools)
}

/// What no second entry may share.
fn identity(tool: &Value) -> (String, String) {
    let field = |name| {
        let text = tool.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let name = match tool.get("type").and_then(Value::as_str) {
        Some("custom") => field("name"),
        Some("mcp_toolset") => field("mcp_server_name"),
        _ => String::new(),
    };
    (field("type"), name)
}

fn count_of(tool: &Value) -> usize {
    let configs = tool.get("configs").and_then(Value::as_array);
    configs.map_or(1, |configs| configs.len().max(1))
}

/// Whether a tool is offered, and who decides whether a call of it runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) is_enabled: bool,
    pub(super) policy: &'static str,
}

impl Grant {
    /// Takes `enabled` and `permission_policy` from `fields`; what is missing stays as it is here.
    pub(super) fn overridden_by(self, fields: &mut Fields) -> Result<Self, Invalid> {
        let enabled = fields.take("enabled").given();
        let policy = fields.take("permission_policy").given();
        Ok(Self {
            is_enabled: enabled.map_or(Ok(self.is_enabled), Spot::boolean)?,
            policy: policy.map_or(Ok(self.policy), |spot| spot.bare_tag(&POLICIES))?,
        })
    }

    /// Reads a toolset's `default_config`.
    pub(super) fn default_config(self, field: Field) -> Result<Self, Invalid> {
        let Some(spot) = field.given() else {
            return Ok(self);
        };
        let mut fields = spot.object()?;
        let grant = self.overridden_by(&mut fields)?;
        fields.finish()?;
        Ok(grant)
    }

    pub(super) fn to_json(self) -> Value {
        json!({
            "enabled": self.is_enabled,
            "permission_policy": { "type": self.policy },
        })
    }
}
