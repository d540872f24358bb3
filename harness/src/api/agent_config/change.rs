//! Creating and updating: which fields a request may name, and what absent and null mean in each.

use serde_json::Value;

use super::model::{self, EffortRule};
use super::{AgentConfig, Draft, identity, mcp, multiagent, ours, skills, tools};
use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::api::metadata::{self, EmptyValue};
use crate::model::Catalog;

/// Longest name in characters.
const NAME_CHARACTERS_MAX: usize = 256;
/// Longest description in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 2_048;
/// Longest system prompt in characters.
pub(super) const SYSTEM_CHARACTERS_MAX: usize = 100_000;

/// Reads the configuration of a new agent.
pub fn create(mut fields: Fields, catalog: &Catalog) -> Result<Draft, Invalid> {
    let config = AgentConfig {
        name: fields.required("name")?.text(1, NAME_CHARACTERS_MAX)?,
        model: model::read(fields.required("model")?, catalog, EffortRule::Default)?,
        description: clearable(fields.take("description"), None, DESCRIPTION_CHARACTERS_MAX)?,
        system: clearable(fields.take("system"), None, SYSTEM_CHARACTERS_MAX)?,
        tools: replaced(fields.take("tools"), &[], tools::read)?,
        mcp_servers: replaced(fields.take("mcp_servers"), &[], mcp::read_servers)?,
        skills: replaced(fields.take("skills"), &[], skills::read)?,
        multiagent: Value::Null,
        metadata: metadata::create(fields.take("metadata"))?,
        execution_identity: identity::read(fields.take("execution_identity"))?,
        sinew: ours::read(fields.take("sinew"))?,
    };
    let context = multiagent::Context {
        stored: &Value::Null,
        own: None,
    };
    let multiagent = read_multiagent(&mut fields, &context)?;
    fields.finish()?;
    Ok(Draft { config, multiagent })
}

/// Applies an update to the configuration of the agent `own_id`, now at `own_version`. The field `version`
/// of the request is the caller's to take.
pub fn update(
    stored: &AgentConfig,
    own_id: &str,
    own_version: u64,
    mut fields: Fields,
    catalog: &Catalog,
) -> Result<Draft, Invalid> {
    let name = match kept_or_given(&mut fields, "name")? {
        None => stored.name.clone(),
        Some(spot) => spot.text(1, NAME_CHARACTERS_MAX)?,
    };
    let model = match kept_or_given(&mut fields, "model")? {
        None => stored.model.clone(),
        Some(spot) => model::read(spot, catalog, EffortRule::Keep(&stored.model))?,
    };
    let execution_identity = match fields.take("execution_identity") {
        Field::Absent => stored.execution_identity.clone(),
        field => identity::read(field)?,
    };
    let sinew = match fields.take("sinew") {
        Field::Absent => stored.sinew.clone(),
        field => ours::read(field)?,
    };
    let text = |field, stored: &Option<String>, max| clearable(field, stored.clone(), max);
    let (description, system) = (fields.take("description"), fields.take("system"));
    let config = AgentConfig {
        name,
        model,
        description: text(description, &stored.description, DESCRIPTION_CHARACTERS_MAX)?,
        system: text(system, &stored.system, SYSTEM_CHARACTERS_MAX)?,
        tools: replaced(fields.take("tools"), &stored.tools, tools::read)?,
        mcp_servers: replaced(
            fields.take("mcp_servers"),
            &stored.mcp_servers,
            mcp::read_servers,
        )?,
        skills: replaced(fields.take("skills"), &stored.skills, skills::read)?,
        multiagent: Value::Null,
        metadata: metadata::patch(
            &stored.metadata,
            fields.take("metadata"),
            EmptyValue::Stored,
        )?,
        execution_identity,
        sinew,
    };
    let context = multiagent::Context {
        stored: &stored.multiagent,
        own: Some((own_id, own_version)),
    };
    let multiagent = read_multiagent(&mut fields, &context)?;
    fields.finish()?;
    Ok(Draft { config, multiagent })
}

/// Takes the orchestration block, or the list of agents that older clients give in its place.
fn read_multiagent(
    fields: &mut Fields,
    context: &multiagent::Context<'_>,
) -> Result<Option<multiagent::Draft>, Invalid> {
    let older = fields.take("callable_agents");
    match (fields.take("multiagent"), older) {
        (Field::Given(_) | Field::Null, Field::Given(spot)) => {
            Err(spot
                .refuse("give multiagent or callable_agents, which is its older name, not both"))
        }
        (Field::Given(spot), _) => multiagent::read(spot, context).map(Some),
        (Field::Absent, Field::Given(spot)) => multiagent::read_callable(spot, context),
        (Field::Null, _) | (Field::Absent, Field::Null) => Ok(None),
        (Field::Absent, Field::Absent) => Ok(multiagent::keep(context)),
    }
}

/// Takes a field that an update may leave out but not clear.
fn kept_or_given(fields: &mut Fields, name: &str) -> Result<Option<Spot>, Invalid> {
    match fields.take(name) {
        Field::Absent => Ok(None),
        Field::Null => Err(Invalid::at(fields.path_of(name), "cannot be cleared")),
        Field::Given(spot) => Ok(Some(spot)),
    }
}

/// Reads a text that null and an empty text clear.
pub(super) fn clearable(
    field: Field,
    stored: Option<String>,
    characters_max: usize,
) -> Result<Option<String>, Invalid> {
    match field {
        Field::Absent => Ok(stored),
        Field::Null => Ok(None),
        Field::Given(spot) => {
            let text = spot.text(0, characters_max)?;
            Ok((!text.is_empty()).then_some(text))
        }
    }
}

/// Reads an array that replaces the stored one; null clears it.
pub(super) fn replaced(
    field: Field,
    stored: &[Value],
    read: fn(Spot) -> Result<Vec<Value>, Invalid>,
) -> Result<Vec<Value>, Invalid> {
    match field {
        Field::Absent => Ok(stored.to_vec()),
        Field::Null => Ok(Vec::new()),
        Field::Given(spot) => read(spot),
    }
}
