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

/// Most agents that a snapshot unfolds to, over all levels.
pub const UNFOLDED_MAX: usize = 100;

/// Returns the `SessionAgent` of agent `id`, version `version`, that runs with `config`. `roster` holds
/// what [`AgentConfig::roster_references`] names, and as many levels below as may be delegated to; copies of the agent
/// itself run with `config` too.
pub fn session_agent(
    id: &str,
    version: u64,
    config: &AgentConfig,
    roster: &Roster,
) -> Result<Value, Invalid> {
    let mut unfolding = Unfolding {
        own: Reference::pinned(id, version),
        config,
        roster,
        agents: 0,
    };
    let mut snapshot = thread_agent(id, version, config);
    let block = unfolding.block(config, config.levels())?;
    if let Some(snapshot) = snapshot.as_object_mut() {
        snapshot.insert("multiagent".to_owned(), block);
    }
    Ok(snapshot)
}

/// Says that a roster has too many agents.
pub fn too_many() -> Invalid {
    let message = format!(
        "with all levels of its roster it has more than {UNFOLDED_MAX} agents; give sinew.delegation a smaller depth"
    );
    Invalid::at("agent", message)
}

/// A roster being unfolded.
struct Unfolding<'a> {
    own: Reference,
    config: &'a AgentConfig,
    roster: &'a Roster,
    agents: usize,
}

impl Unfolding<'_> {
    /// Returns the block of an agent with the snapshots of those that it lists, so many levels deep.
    fn block(&mut self, of: &AgentConfig, levels: u64) -> Result<Value, Invalid> {
        let mut block = of.multiagent.clone();
        for list in lists_mut(&mut block) {
            let mut agents = Vec::with_capacity(list.len());
            let mut advisor = None;
            for entry in std::mem::take(list) {
                match pinned_reference(&entry) {
                    Some(reference) => agents.push(self.agent(&reference, levels)?),
                    None => advisor = Some(entry),
                }
            }
            agents.extend(advisor);
            *list = agents;
        }
        Ok(block)
    }

    fn agent(&mut self, reference: &Reference, levels: u64) -> Result<Value, Invalid> {
        self.agents += 1;
        if self.agents > UNFOLDED_MAX {
            return Err(too_many());
        }
        let geo = self.config.model.inference_geo.as_deref();
        let (version, config) = match self.roster.get(reference) {
            _ if *reference == self.own => (self.own.version.unwrap_or(1), self.config),
            Some(agent) => {
                multiagent::same_geo("agent", geo, &reference.id, &agent.config)?;
                (agent.version, &agent.config)
            }
            None => {
                let message = format!(
                    "the agent {:?} of the roster no longer exists",
                    reference.id
                );
                return Err(Invalid::at("agent", message));
            }
        };
        let mut snapshot = thread_agent(&reference.id, version, config);
        let has_word = |ours: &Value| ours.get("delegation").is_some();
        let own = config.sinew.as_ref().filter(|ours| has_word(ours));
        let own = own.map_or(u64::MAX, |_| config.levels());
        let below = own.min(levels.saturating_sub(1));
        if below > 0
            && !config.multiagent.is_null()
            && let Some(snapshot) = snapshot.as_object_mut()
        {
            snapshot.insert("multiagent".to_owned(), self.block(config, below)?);
        }
        Ok(snapshot)
    }
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
    let write = |agent: &mut Value| {
        if let Some(agent) = agent.as_object_mut() {
            agent.insert("tools".to_owned(), Value::Array(config.tools.clone()));
            agent.insert(
                "mcp_servers".to_owned(),
                Value::Array(config.mcp_servers.clone()),
            );
        }
    };
    write(&mut changed);
    if own.is_some() {
        for_each_listed(&mut changed, &mut |entry| {
            if pinned_reference(entry) == own {
                write(entry);
            }
        });
    }
    Ok(changed)
}

/// Visits the agents of a snapshot's roster, on all levels.
pub fn for_each_listed(agent: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    let Some(block) = agent.get_mut("multiagent") else {
        return;
    };
    for entry in lists_mut(block).into_iter().flatten() {
        visit(entry);
        for_each_listed(entry, visit);
    }
}
