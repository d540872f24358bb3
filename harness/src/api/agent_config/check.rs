//! The rules that span fields of one configuration.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{AgentConfig, bindings, toolset};
use crate::api::body::Invalid;
use crate::api::error::quoted;
use crate::json::Fields as _;

/// Checks a configuration as a whole, whichever of its fields changed.
pub(super) fn whole(config: &AgentConfig) -> Result<(), Invalid> {
    let names = |list: &[Value], field: &str| -> BTreeSet<String> {
        let text = |item: &Value| item.get(field).and_then(Value::as_str).map(str::to_owned);
        list.iter().filter_map(text).collect()
    };
    let servers = names(&config.mcp_servers, "name");
    let used = names(&config.tools, "mcp_server_name");
    if let Some(name) = used.difference(&servers).next() {
        let message = format!(
            "an mcp_toolset names {}, which is not in mcp_servers",
            quoted(name)
        );
        return Err(Invalid::at("tools", message));
    }
    if let Some(name) = servers.difference(&used).next() {
        let message = format!("no mcp_toolset in tools uses the server {}", quoted(name));
        return Err(Invalid::at("mcp_servers", message));
    }
    let can_read = config
        .tools
        .iter()
        .any(|tool| toolset::offers(tool, "read"));
    if !config.skills.is_empty() && !can_read {
        let message = "skills need the tool read: enable it in an agent_toolset_20260401";
        return Err(Invalid::at("skills", message));
    }
    let bound = config.sinew.as_ref().map(|ours| ours.at("bindings"));
    if let Some((index, name)) = bound.and_then(|bound| bindings::unknown(bound, &config.tools)) {
        let message = format!("the agent has no custom tool {}", quoted(&name));
        return Err(Invalid::at(format!("sinew.bindings.{index}.tool"), message));
    }
    Ok(())
}
