//! `url_sources` of `web_fetch`: which parts of the conversation may contribute URLs to fetch.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api::body::{Fields, Invalid, Spot};
use crate::api::error::quoted;

/// Most tools that one source may name.
const TOOLS_MAX: usize = 128;
/// Longest tool name in characters.
const NAME_CHARACTERS_MAX: usize = 128;
const TOOL_SOURCES: [&str; 2] = ["client_tool_results", "server_tool_results"];

/// Reads the sources; each comes back as an object, or null where it was not set.
pub(super) fn read(spot: Spot) -> Result<Value, Invalid> {
    let path = spot.path.clone();
    let mut fields = spot.object()?;
    let user_input = match fields.take("user_input").given() {
        None => Value::Null,
        Some(spot) => json!({ "type": read_all_or_none(spot)? }),
    };
    let mut sources = json!({ "user_input": user_input });
    for name in TOOL_SOURCES {
        let source = match fields.take(name).given() {
            None => Value::Null,
            Some(spot) => read_filter(spot)?,
        };
        if let Some(sources) = sources.as_object_mut() {
            sources.insert(name.to_owned(), source);
        }
    }
    fields.finish()?;
    let is_none = |source: &Value| source.get("type").and_then(Value::as_str) == Some("none");
    if sources
        .as_object()
        .is_some_and(|sources| sources.values().all(is_none))
    {
        let message = "not all sources can be \"none\": no URL could be fetched";
        return Err(Invalid::at(path, message));
    }
    Ok(sources)
}

fn read_all_or_none(spot: Spot) -> Result<&'static str, Invalid> {
    const CHOICES: [&str; 2] = ["all", "none"];
    match &spot.value {
        Value::Object(_) => spot.bare_tag(&CHOICES),
        _ => spot.one_of(&CHOICES),
    }
}

fn read_filter(spot: Spot) -> Result<Value, Invalid> {
    if !spot.value.is_object() {
        return Ok(json!({ "type": read_all_or_none(spot)? }));
    }
    let (tag, mut fields) = spot.tagged()?;
    let kind = tag.one_of(&["all", "none", "only", "except"])?;
    let filter = match kind {
        "only" | "except" => json!({ "type": kind, "tools": read_tools(&mut fields)? }),
        _ => json!({ "type": kind }),
    };
    fields.finish()?;
    Ok(filter)
}

fn read_tools(fields: &mut Fields) -> Result<Vec<Value>, Invalid> {
    let spot = fields.required("tools")?;
    let path = spot.path.clone();
    let mut seen = BTreeSet::new();
    let mut tools = Vec::new();
    for entry in spot.array(TOOLS_MAX)? {
        let entry_path = entry.path.clone();
        let (tag, mut fields) = entry.tagged()?;
        tag.one_of(&["tool_reference"])?;
        let name = fields.required("name")?.text(1, NAME_CHARACTERS_MAX)?;
        fields.finish()?;
        if !seen.insert(name.clone()) {
            return Err(Invalid::at(
                entry_path,
                "the same tool stands in the list twice",
            ));
        }
        tools.push(json!({ "type": "tool_reference", "name": name }));
    }
    if tools.is_empty() {
        return Err(Invalid::at(path, "must name at least one tool"));
    }
    Ok(tools)
}

/// Checks that the tools named by any source exist: custom tools of the same array, or the web tools.
pub(super) fn check_names(path: &str, tools: &[Value]) -> Result<(), Invalid> {
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let custom: BTreeSet<String> = tools
        .iter()
        .filter(|tool| text(tool, "type").as_deref() == Some("custom"))
        .filter_map(|tool| text(tool, "name"))
        .collect();
    for (index, tool) in tools.iter().enumerate() {
        let configs = tool.get("configs").and_then(Value::as_array);
        for sources in configs
            .into_iter()
            .flatten()
            .filter_map(|config| config.get("url_sources"))
        {
            for source in TOOL_SOURCES {
                let named = sources.get(source).and_then(|source| source.get("tools"));
                for reference in named.and_then(Value::as_array).into_iter().flatten() {
                    let name = text(reference, "name").unwrap_or_default();
                    let (is_known, what) = match source {
                        "client_tool_results" => {
                            (custom.contains(&name), "a custom tool of this agent")
                        }
                        _ => (
                            ["web_fetch", "web_search"].contains(&name.as_str()),
                            "web_fetch or web_search",
                        ),
                    };
                    if !is_known {
                        let message =
                            format!("url_sources.{source}: {} is not {what}", quoted(&name));
                        return Err(Invalid::at(format!("{path}.{index}"), message));
                    }
                }
            }
        }
    }
    Ok(())
}
