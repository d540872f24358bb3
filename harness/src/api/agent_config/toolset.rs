//! The agent toolset: the built-in tools, each with its grant, and the web tools with their limits.

use serde_json::{Value, json};

use super::tools::{BUILT_IN_TOOLS, Grant};
use super::web;
use crate::api::body::{Fields, Invalid};

/// What a built-in tool may do unless the agent says otherwise.
const DEFAULT: Grant = Grant {
    is_enabled: true,
    policy: "always_allow",
};

/// Reads the toolset whose `type` was taken already.
pub(super) fn read(mut fields: Fields) -> Result<Value, Invalid> {
    let default = DEFAULT.default_config(fields.take("default_config"))?;
    let mut configs: Vec<Value> = Vec::new();
    if let Some(spot) = fields.take("configs").given() {
        for entry in spot.array(BUILT_IN_TOOLS.len())? {
            let path = entry.path.clone();
            let config = read_config(entry.object()?, default)?;
            if configs
                .iter()
                .any(|other| other.get("name") == config.get("name"))
            {
                return Err(Invalid::at(path, "another entry configures the same tool"));
            }
            configs.push(config);
        }
    }
    fields.finish()?;
    Ok(json!({
        "type": "agent_toolset_20260401",
        "default_config": default.to_json(),
        "configs": configs,
    }))
}

fn read_config(mut fields: Fields, default: Grant) -> Result<Value, Invalid> {
    let name = fields.required("name")?.one_of(&BUILT_IN_TOOLS)?;
    if let Some(tag) = fields.take("type").given() {
        tag.one_of(&[name])?;
    }
    let mut config = default.overridden_by(&mut fields)?.to_json();
    if let Some(config) = config.as_object_mut() {
        config.insert("name".to_owned(), json!(name));
        config.insert("type".to_owned(), json!(name));
        match name {
            "web_fetch" => web::read_fetch(&mut fields, config)?,
            "web_search" => web::read_search(&mut fields, config)?,
            _ => {}
        }
    }
    fields.finish()?;
    Ok(config)
}

/// Tells whether a normalised toolset offers the built-in tool `name`.
pub(super) fn offers(toolset: &Value, name: &str) -> bool {
    if toolset.get("type").and_then(Value::as_str) != Some("agent_toolset_20260401") {
        return false;
    }
    let configs = toolset.get("configs").and_then(Value::as_array);
    let own = configs
        .into_iter()
        .flatten()
        .find(|config| config.get("name").and_then(Value::as_str) == Some(name));
    let grant = own.or_else(|| toolset.get("default_config"));
    grant
        .and_then(|grant| grant.get("enabled"))
        .and_then(Value::as_bool)
        == Some(true)
}
