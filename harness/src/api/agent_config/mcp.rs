//! Remote MCP servers, and the toolsets that offer their tools.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use url::Url;

use super::tools::Grant;
use crate::api::body::{Fields, Invalid, Spot};
use crate::mcp::STDIO_SCHEME;

/// Most servers of one agent.
const SERVERS_MAX: usize = 20;
/// Longest server name in characters.
const NAME_CHARACTERS_MAX: usize = 255;
/// Longest server URL in characters.
const URL_CHARACTERS_MAX: usize = 2_048;
/// Most configured tools of one server.
const CONFIGS_MAX: usize = 256;
/// Longest name of a server's tool in characters.
const TOOL_NAME_CHARACTERS_MAX: usize = 128;

/// What a server's tool may do unless the agent says otherwise.
const DEFAULT: Grant = Grant {
    is_enabled: true,
    policy: "always_ask",
};

/// Reads `mcp_servers`.
pub(super) fn read_servers(spot: Spot) -> Result<Vec<Value>, Invalid> {
    let mut seen = BTreeSet::new();
    let mut servers = Vec::new();
    for entry in spot.array(SERVERS_MAX)? {
        let path = entry.path.clone();
        let (tag, mut fields) = entry.tagged()?;
        tag.one_of(&["url"])?;
        let name = fields.required("name")?.text(1, NAME_CHARACTERS_MAX)?;
        let url = read_url(fields.required("url")?)?;
        fields.finish()?;
        if !seen.insert(name.clone()) {
            return Err(Invalid::at(path, "another MCP server has this name"));
        }
        servers.push(json!({ "type": "url", "name": name, "url": url }));
    }
    Ok(servers)
}

fn read_url(spot: Spot) -> Result<String, Invalid> {
    let path = spot.path.clone();
    let text = spot.text(1, URL_CHARACTERS_MAX)?;
    let refuse = |message: &str| Err(Invalid::at(path.clone(), message));
    match Url::parse(&text) {
        // A program of the daemon's machine, by the name that its operator gave it.
        Ok(url) if url.scheme() == STDIO_SCHEME => {
            let name = url.host_str().unwrap_or_default();
            let is_alone = text.strip_prefix("stdio://") == Some(name);
            match !name.is_empty() && is_alone && name.bytes().all(is_of_name) {
                true => Ok(text),
                false => refuse(
                    "expected stdio:// and the name of a server of the daemon's configuration",
                ),
            }
        }
        Ok(url) if !["http", "https"].contains(&url.scheme()) || !url.has_host() => {
            refuse("expected an http or https URL")
        }
        // Agents are readable by everyone in the workspace; secrets belong into a vault.
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            refuse("must not hold credentials")
        }
        // Characters that a URL may have and no name has, such as those of patterns.
        Ok(url) if !url.domain().unwrap_or_default().bytes().all(is_of_name) => {
            refuse("its host is no name")
        }
        Ok(_) => Ok(text),
        Err(_) => refuse("expected an http or https URL"),
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

/// Reads an `mcp_toolset` whose `type` was taken already.
pub(super) fn read_toolset(mut fields: Fields) -> Result<Value, Invalid> {
    let server = fields
        .required("mcp_server_name")?
        .text(1, NAME_CHARACTERS_MAX)?;
    let default = DEFAULT.default_config(fields.take("default_config"))?;
    let mut seen = BTreeSet::new();
    let mut configs = Vec::new();
    if let Some(spot) = fields.take("configs").given() {
        for entry in spot.array(CONFIGS_MAX)? {
            let path = entry.path.clone();
            let mut fields = entry.object()?;
            let name = fields.required("name")?.text(1, TOOL_NAME_CHARACTERS_MAX)?;
            let mut config = default.overridden_by(&mut fields)?.to_json();
            fields.finish()?;
            if !seen.insert(name.clone()) {
                return Err(Invalid::at(path, "another entry configures the same tool"));
            }
            if let Some(config) = config.as_object_mut() {
                config.insert("name".to_owned(), json!(name));
            }
            configs.push(config);
        }
    }
    fields.finish()?;
    Ok(json!({
        "type": "mcp_toolset",
        "mcp_server_name": server,
        "default_config": default.to_json(),
        "configs": configs,
    }))
}
