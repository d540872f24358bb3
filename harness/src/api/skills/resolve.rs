//! What an agent's references to skills mean: checked when it is saved, pinned when a session begins.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::versions::find_version;
use crate::api::body::Invalid;
use crate::api::{ApiError, ApiState};
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::store::Resource;

/// Refuses references to skills that are not there. `skills` is an agent's list.
pub(in crate::api) async fn check_skills(
    api: &ApiState,
    workspace: &WorkspaceId,
    skills: &[Value],
) -> Result<(), ApiError> {
    for (index, skill) in skills.iter().enumerate() {
        find(api, workspace, skill, &format!("skills.{index}")).await?;
    }
    Ok(())
}

/// Pins every reference to a skill in a session's agent, and in the agents of its roster, to a version.
/// Returns what the session keeps of each.
pub(in crate::api) async fn resolve_skills(
    api: &ApiState,
    workspace: &WorkspaceId,
    agent: &mut Value,
) -> Result<Vec<Value>, ApiError> {
    let mut references = Vec::new();
    each_list(agent, &mut |skills| {
        references.extend(skills.iter().cloned())
    });
    // Which version each reference means: one look at each, however often it is there.
    let mut pinned: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut folders = BTreeSet::new();
    let mut resolved: Vec<Value> = Vec::new();
    for reference in &references {
        if pinned.contains_key(&name_of(reference)) {
            continue;
        }
        let version = find(api, workspace, reference, "agent.skills").await?;
        let id = version.key.id;
        pinned.insert(name_of(reference), id.clone());
        if resolved.iter().any(|known| *known.at("version") == *id) {
            continue;
        }
        let name = version.body.at("name").as_str().unwrap_or_default();
        resolved.push(json!({
            "skill_id": reference.at("skill_id"),
            "version": id,
            "folder": free_folder(name, &mut folders),
            "name": name,
            "description": version.body.at("description"),
        }));
    }
    each_list(agent, &mut |skills| {
        for skill in skills {
            if let Some(version) = pinned.get(&name_of(skill)) {
                skill.set("version", json!(version));
            }
        }
    });
    Ok(resolved)
}

fn name_of(reference: &Value) -> (String, String) {
    let text = |name: &str| reference.at(name).as_str().unwrap_or_default().to_owned();
    (text("skill_id"), text("version"))
}

/// Two skills may have one name; each has a folder of its own.
fn free_folder(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2u64..).map(|number| format!("{name}-{number}"));
    let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
    let folder = candidates.find(|folder| !taken.contains(folder));
    let folder = folder.unwrap_or_default();
    taken.insert(folder.clone());
    folder
}

/// Shows every list of skills in a session's agent.
fn each_list(agent: &mut Value, show: &mut impl FnMut(&mut Vec<Value>)) {
    if let Value::Array(skills) = agent.at_mut("skills") {
        show(skills);
    }
    // The agents of a roster lie in lists of this block.
    each_in(agent.at_mut("multiagent"), show);
}

fn each_in(value: &mut Value, show: &mut impl FnMut(&mut Vec<Value>)) {
    match value {
        Value::Object(fields) if fields.contains_key("skills") => {
            if let Some(Value::Array(skills)) = fields.get_mut("skills") {
                show(skills);
            }
            if let Some(block) = fields.get_mut("multiagent") {
                each_in(block, show);
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|inner| each_in(inner, show)),
        Value::Array(items) => items.iter_mut().for_each(|inner| each_in(inner, show)),
        _ => {}
    }
}

async fn find(
    api: &ApiState,
    workspace: &WorkspaceId,
    reference: &Value,
    path: &str,
) -> Result<Resource, ApiError> {
    if *reference.at("type") != "custom" {
        let message = "skills of the source anthropic are not available on this server; upload the skill's \
                       files and refer to them as custom";
        return Err(Invalid::at(path, message).into());
    }
    let (skill_id, version) = name_of(reference);
    match find_version(api, workspace, &skill_id, &version).await {
        Ok((_, version)) => Ok(version),
        Err(error) if error.status() == StatusCode::NOT_FOUND => {
            Err(Invalid::at(path, error.message()).into())
        }
        Err(error) => Err(error),
    }
}
