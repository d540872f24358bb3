//! What a session makes of an agent: a snapshot, after overrides of its own, with its roster unfolded.

use serde_json::{Value, json};

use super::change::{SYSTEM_CHARACTERS_MAX, clearable, replaced};
use super::model::{self, EffortRule};
use super::roster::{Reference, Roster, lists_mut, pinned_reference};
use super::{AgentConfig, check, mcp, multiagent, skills, tools};
use crate::api::body::{Field, Fields, Invalid};
use crate::model::Catalog;

/// Applies the overrides of an `agent_with_overrides` to a copy of the agent. Takes `model`, `system`,
/// `tools`, `mcp_servers` and `skills`; the rest of `fields` is the caller's.
pub fn apply_overrides(
    base: &AgentConfig,
    fields: &mut Fields,
    catalog: &Catalog,
) -> Result<AgentConfig, Invalid> {
    let model = match fields.take("model") {
        Field::Absent => base.model.clone(),
        Field::Null => {
            let message = "agent_model_required: the model can be replaced, not cleared";
            return Err(
                Invalid::at(fields.path_of("model"), message).with_code("agent_model_required")
            );
        }
        // The effort belongs to the saved agent; an override always works as its model does unasked.
        Field::Given(spot) => model::read(spot, catalog, EffortRule::AlwaysDefault)?,
    };
    let system = fields.take("system");
    let config = AgentConfig {
        model,
        system: clearable(system, base.system.clone(), SYSTEM_CHARACTERS_MAX)?,
        tools: replaced(fields.take("tools"), &base.tools, tools::read)?,
        mcp_servers: replaced(
            fields.take("mcp_servers"),
            &base.mcp_servers,
            mcp::read_servers,
        )?,
        skills: replaced(fields.take("skills"), &base.skills, skills::read)?,
        ..base.clone()
    };
    check::whole(&config)?;
    Ok(config)
}

/// Returns the `SessionAgent` of agent `id`, version `version`, that runs with `config`. `roster` holds
/// what [`AgentConfig::roster_references`] names; copies of the agent itself run with `config` too.
pub fn session_agent(
    id: &str,
    version: u64,
    config: &AgentConfig,
    roster: &Roster,
) -> Result<Value, Invalid> {
    let mut snapshot = thread_agent(id, version, config);
    let mut block = config.multiagent.clone();
    for list in lists_mut(&mut block) {
        let mut agents = Vec::with_capacity(list.len());
        let mut advisor = None;
        for entry in std::mem::take(list) {
            let Some(reference) = pinned_reference(&entry) else {
                advisor = Some(entry);
                continue;
            };
            agents.push(unfold(&reference, id, version, config, roster)?);
        }
        agents.extend(advisor);
        *list = agents;
    }
    if let Some(snapshot) = snapshot.as_object_mut() {
        snapshot.insert("multiagent".to_owned(), block);
    }
    Ok(snapshot)
}

fn unfold(
    reference: &Reference,
    own_id: &str,
    own_version: u64,
    config: &AgentConfig,
    roster: &Roster,
) -> Result<Value, Invalid> {
    if reference.id == own_id && reference.version == Some(own_version) {
        return Ok(thread_agent(own_id, own_version, config));
    }
    let Some(agent) = roster.get(reference) else {
        let message = format!(
            "the agent {:?} of the roster no longer exists",
            reference.id
        );
        return Err(Invalid::at("agent", message));
    };
    let geo = config.model.inference_geo.as_deref();
    multiagent::same_geo("agent", geo, &reference.id, &agent.config)?;
    Ok(thread_agent(&reference.id, agent.version, &agent.config))
}

/// Returns a `SessionThreadAgent`.
fn thread_agent(id: &str, version: u64, config: &AgentConfig) -> Value {
    let mut agent = json!({
        "type": "agent",
        "id": id,
        "version": version,
        "name": config.name,
        "description": config.description,
        "model": config.model,
        "system": config.system,
        "tools": config.tools,
        "mcp_servers": config.mcp_servers,
        "skills": config.skills,
        "execution_identity": config.execution_identity,
    });
    if let (Some(sinew), Some(agent)) = (&config.sinew, agent.as_object_mut()) {
        agent.insert("sinew".to_owned(), sinew.clone());
    }
    agent
}

/// Applies a session's own update of its agent (`tools`, `mcp_servers`, each replaced in full) to its
/// snapshot, and to the copies of the agent in its roster. Takes the two fields; the rest is the caller's.
pub fn replace_tools(snapshot: &Value, fields: &mut Fields) -> Result<Value, Invalid> {
    let base = AgentConfig::from_stored(snapshot)
        .map_err(|_| Invalid::at(fields.path(), "the session's agent cannot be changed"))?;
    let config = AgentConfig {
        tools: replaced(fields.take("tools"), &base.tools, tools::read)?,
        mcp_servers: replaced(
            fields.take("mcp_servers"),
            &base.mcp_servers,
            mcp::read_servers,
        )?,
        ..base
    };
    check::whole(&config)?;

    let mut changed = snapshot.clone();
    let own = pinned_reference(snapshot);
    let mut write = |agent: &mut Value| {
        if let Some(agent) = agent.as_object_mut() {
            agent.insert("tools".to_owned(), Value::Array(config.tools.clone()));
            agent.insert(
                "mcp_servers".to_owned(),
                Value::Array(config.mcp_servers.clone()),
            );
        }
    };
    write(&mut changed);
    if let Some(block) = changed.get_mut("multiagent") {
        let entries = lists_mut(block).into_iter().flatten();
        entries
            .filter(|entry| own.is_some() && pinned_reference(entry) == own)
            .for_each(&mut write);
    }
    Ok(changed)
}
