//! What an agent's references to tools mean: checked when it is saved, pinned when a session begins.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::find;
use super::versions::find_version;
use crate::api::agent_config::{BUILT_IN_TOOLS, RESERVED_PREFIXES, for_each_listed};
use crate::api::body::Invalid;
use crate::api::error::quoted;
use crate::api::{ApiError, ApiState};
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::session::{ASK_USER, is_own_tool};
use crate::store::Resource;

/// Longest name of a tool, as the model's provider has it.
const NAME_CHARACTERS_MAX: usize = 128;

/// What is stored of the versions that were looked up.
type Found = BTreeMap<(String, String), Resource>;

/// Refuses references to tools that are not there, to functions that they do not have, and names that mean two tools.
/// `agent` is a configuration.
pub(in crate::api) async fn check_tools(
    api: &ApiState,
    workspace: &WorkspaceId,
    agent: &Value,
) -> Result<(), ApiError> {
    let mut found = Found::new();
    look_up(api, workspace, agent, "sinew", &mut found).await?;
    check_names(agent, &found, "sinew.tools").map_err(ApiError::from)
}

/// Pins every reference to a tool in a session's agent, and in the agents of its roster, to a version. Returns what the
/// session keeps of each.
pub(in crate::api) async fn resolve_tools(
    api: &ApiState,
    workspace: &WorkspaceId,
    agent: &mut Value,
) -> Result<Vec<Value>, ApiError> {
    let mut agents = Vec::new();
    each_agent(agent, &mut |agent| {
        if places(agent).next().is_some() {
            agents.push(agent.clone());
        }
    });
    let mut found = Found::new();
    for agent in &agents {
        look_up(api, workspace, agent, "agent.sinew", &mut found).await?;
        check_names(agent, &found, "agent.sinew.tools")?;
    }
    each_agent(agent, &mut |agent| {
        each_set(agent, |set| {
            if let Some(version) = found.get(&reference(set)) {
                set.set("version", version.body.at("version").clone());
            }
        });
    });
    let mut kept: BTreeMap<String, Value> = BTreeMap::new();
    for version in found.into_values() {
        let body = &version.body;
        let id = version.key.id;
        let value = json!({
            "name": body.at("name"),
            "version": body.at("version"),
            "version_id": id,
            "digest": body.at("digest"),
            "tools": body.at("tools"),
        });
        kept.insert(id, value);
    }
    Ok(kept.into_values().collect())
}

/// Returns what a session from elsewhere keeps of its tools here: those that this workspace has by the same name with the
/// same component; and the names of the others.
pub(in crate::api) async fn relink_tools(
    api: &ApiState,
    workspace: &WorkspaceId,
    theirs: &Value,
) -> Result<(Vec<Value>, Vec<String>), ApiError> {
    let (mut kept, mut missing) = (Vec::new(), Vec::new());
    for their in theirs.as_array().into_iter().flatten() {
        let text = |name: &str| their.at(name).as_str().unwrap_or_default();
        let (name, digest) = (text("name"), text("digest"));
        let looked = async {
            let tool = find(api, workspace, name).await?;
            find_version(api, workspace, &tool, digest).await
        };
        match looked.await {
            Ok(own) => kept.push(json!({
                "name": name,
                // The agents say this number.
                "version": their.at("version"),
                "version_id": own.key.id,
                "digest": digest,
                "tools": own.body.at("tools"),
            })),
            Err(error) if error.status() == StatusCode::NOT_FOUND => missing.push(name.to_owned()),
            Err(error) => return Err(error),
        }
    }
    missing.sort();
    missing.dedup();
    Ok((kept, missing))
}

async fn look_up(
    api: &ApiState,
    workspace: &WorkspaceId,
    agent: &Value,
    path: &str,
    found: &mut Found,
) -> Result<(), ApiError> {
    for (place, set) in places(agent) {
        let reference = reference(set);
        let path = format!("{path}.{place}");
        if !found.contains_key(&reference) {
            let (name, version) = &reference;
            let looked = async {
                let tool = find(api, workspace, name).await?;
                find_version(api, workspace, &tool, version).await
            };
            let version = looked.await.map_err(|error| match error.status() {
                StatusCode::NOT_FOUND => Invalid::at(&path, error.message()).into(),
                _ => error,
            })?;
            found.insert(reference.clone(), version);
        }
        let Some(version) = found.get(&reference) else {
            continue;
        };
        check_functions(set, version, &path)?;
    }
    Ok(())
}

/// Refuses words on functions that the version does not have.
fn check_functions(set: &Value, version: &Resource, path: &str) -> Result<(), Invalid> {
    let names: Vec<&str> = names(version).collect();
    let configs = set.at("configs").as_array().into_iter().flatten();
    let spoken = configs
        .enumerate()
        .map(|(index, config)| (format!("configs.{index}.name"), config.at("name")));
    let bound = set.get("function");
    let bound = bound.map(|function| ("function".to_owned(), function));
    for (place, name) in spoken.chain(bound) {
        let name = name.as_str().unwrap_or_default();
        if !names.contains(&name) {
            let message = format!(
                "the tool has no function {}; it has: {}",
                quoted(name),
                names.join(", ")
            );
            return Err(Invalid::at(format!("{path}.{place}"), message));
        }
    }
    Ok(())
}

/// Refuses an agent two of whose tools have one name.
fn check_names(agent: &Value, found: &Found, path: &str) -> Result<(), Invalid> {
    let tools = agent.at("tools").as_array().into_iter().flatten();
    let custom = tools.filter(|tool| tool.at("type") == "custom");
    let custom = custom.filter_map(|tool| tool.at("name").as_str());
    let mut taken: BTreeSet<String> = custom.map(str::to_owned).collect();
    taken.extend(BUILT_IN_TOOLS.map(str::to_owned));
    for (index, set) in sets(agent).iter().enumerate() {
        let path = format!("{path}.{index}");
        let prefix = set.at("prefix").as_str().unwrap_or_default();
        let Some(version) = found.get(&reference(set)) else {
            continue;
        };
        for own in names(version) {
            let name = format!("{prefix}{own}");
            let message = if name.len() > NAME_CHARACTERS_MAX {
                "is too long a name for a tool; choose a shorter prefix"
            } else if is_own_tool(&name)
                || name == ASK_USER
                || RESERVED_PREFIXES
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
            {
                "is the name of a tool of this server; choose a prefix"
            } else if !taken.insert(name.clone()) {
                "is the name of two tools of this agent; choose a prefix"
            } else {
                continue;
            };
            return Err(Invalid::at(path, format!("{} {message}", quoted(&name))));
        }
    }
    Ok(())
}

fn names(version: &Resource) -> impl Iterator<Item = &str> {
    let tools = version.body.at("tools").as_array();
    let tools = tools.into_iter().flatten();
    tools.filter_map(|tool| tool.at("name").as_str())
}

fn sets(agent: &Value) -> &[Value] {
    let sets = agent.at("sinew").at("tools").as_array();
    sets.map_or(&[], Vec::as_slice)
}

/// Returns all that refers to a tool, and where it stands in the block.
fn places(agent: &Value) -> impl Iterator<Item = (String, &Value)> {
    let list = |name: &'static str| {
        let list = agent.at("sinew").at(name).as_array().into_iter().flatten();
        let list = list.enumerate();
        list.map(move |(index, set)| (format!("{name}.{index}"), set))
    };
    list("tools").chain(list("bindings").filter(|(_, binding)| is_of_component(binding)))
}

/// Tells whether a binding refers to a tool.
fn is_of_component(binding: &Value) -> bool {
    *binding.at("type") == "component"
}

/// Shows all that refers to a tool.
fn each_set(agent: &mut Value, mut show: impl FnMut(&mut Value)) {
    for list in ["/sinew/tools", "/sinew/bindings"] {
        if let Some(Value::Array(sets)) = agent.pointer_mut(list) {
            sets.iter_mut().for_each(&mut show);
        }
    }
}

/// Returns the name of a tool and what is said of its version.
fn reference(set: &Value) -> (String, String) {
    let version = match set.at("version") {
        Value::String(text) => text.clone(),
        number => number.to_string(),
    };
    let name = set.at("name").as_str().unwrap_or_default();
    (name.to_owned(), version)
}

/// Shows a session's agent and each of its roster, on all levels.
fn each_agent(agent: &mut Value, show: &mut dyn FnMut(&mut Value)) {
    show(agent);
    for_each_listed(agent, show);
}
