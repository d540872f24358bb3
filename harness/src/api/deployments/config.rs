//! What a deployment is: validation and normalisation of its fields, without any effect.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::api::metadata::{self, EmptyValue, Metadata};
use crate::api::sessions::{DEPLOYMENT_EVENTS, RESOURCES_MAX, VAULTS_MAX, budget, initial_events};
use crate::cron::{Cron, CronError};
use crate::ids::ID_BYTES_MAX;
use crate::json::Fields as _;

/// Longest name in characters.
const NAME_CHARACTERS_MAX: usize = 256;
/// Longest description in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 2_048;
/// Longest expression or zone name that is looked at, in characters.
const SCHEDULE_CHARACTERS_MAX: usize = 256;

/// The agent of a deployment: always one version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct PinnedAgent {
    pub(super) id: String,
    pub(super) version: u64,
}

/// When a deployment runs by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub(super) expression: String,
    pub(super) timezone: String,
}

impl Schedule {
    /// Returns the schedule's times. Errors: a stored zone that this machine does not know any more.
    pub(super) fn cron(&self) -> Result<Cron, CronError> {
        Cron::parse(&self.expression, &self.timezone)
    }
}

/// A whole, valid deployment. The lists hold what requests hold.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct DeploymentConfig {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) agent: PinnedAgent,
    pub(super) environment_id: String,
    pub(super) initial_events: Vec<Value>,
    pub(super) resources: Vec<Value>,
    pub(super) vault_ids: Vec<String>,
    pub(super) budget: Value,
    pub(super) metadata: Metadata,
    pub(super) schedule: Option<Schedule>,
}

impl DeploymentConfig {
    /// Returns the request that makes a session of it.
    pub(super) fn session_request(&self) -> Fields {
        let mut request = Map::new();
        let mut set = |name: &str, value: Value| request.insert(name.to_owned(), value);
        set(
            "agent",
            json!({"type": "agent", "id": self.agent.id, "version": self.agent.version}),
        );
        set("environment_id", json!(self.environment_id));
        set("initial_events", json!(self.initial_events));
        if !self.resources.is_empty() {
            set("resources", json!(self.resources));
        }
        if !self.vault_ids.is_empty() {
            set("vault_ids", json!(self.vault_ids));
        }
        if !self.budget.is_null() {
            set("budget", self.budget.clone());
        }
        Fields::root(request)
    }

    /// Tells whether sessions of `other` would be made otherwise.
    pub(super) fn makes_other_sessions(&self, other: &Self) -> bool {
        (
            &self.agent,
            &self.environment_id,
            &self.initial_events,
            &self.resources,
            &self.vault_ids,
            &self.budget,
        ) != (
            &other.agent,
            &other.environment_id,
            &other.initial_events,
            &other.resources,
            &other.vault_ids,
            &other.budget,
        )
    }
}

/// Which agent a request names; without a version it is the newest one when the deployment is saved.
pub(super) struct NamedAgent {
    /// The request's value, in the form of a session's `agent`.
    pub(super) spot: Spot,
}

/// Reads a new deployment. Its agent is pinned by the caller.
pub(super) fn create(mut fields: Fields) -> Result<(NamedAgent, DeploymentConfig), Invalid> {
    let agent = read_agent(fields.required("agent")?)?;
    let config = DeploymentConfig {
        name: fields.required("name")?.text(1, NAME_CHARACTERS_MAX)?,
        description: optional_text(fields.take("description"), None)?,
        agent: PinnedAgent {
            id: String::new(),
            version: 0,
        },
        environment_id: fields.required("environment_id")?.text(1, ID_BYTES_MAX)?,
        initial_events: read_events(fields.required("initial_events")?)?,
        resources: read_resources(fields.take("resources"), Vec::new())?,
        vault_ids: read_vaults(fields.take("vault_ids"), Vec::new())?,
        budget: budget(fields.take("budget"))?,
        metadata: metadata::create(fields.take("metadata"))?,
        schedule: read_schedule(fields.take("schedule"), None)?,
    };
    fields.finish()?;
    Ok((agent, config))
}

/// Applies an update: absent keeps, null clears what can be without. A named agent is pinned by the caller.
pub(super) fn update(
    stored: &DeploymentConfig,
    mut fields: Fields,
) -> Result<(Option<NamedAgent>, DeploymentConfig), Invalid> {
    let agent = present(&mut fields, "agent")?.map(read_agent).transpose()?;
    let name = present(&mut fields, "name")?.map(|spot| spot.text(1, NAME_CHARACTERS_MAX));
    let environment_id =
        present(&mut fields, "environment_id")?.map(|spot| spot.text(1, ID_BYTES_MAX));
    let events = present(&mut fields, "initial_events")?.map(read_events);
    let config = DeploymentConfig {
        name: name.unwrap_or_else(|| Ok(stored.name.clone()))?,
        description: optional_text(fields.take("description"), stored.description.clone())?,
        agent: stored.agent.clone(),
        environment_id: environment_id.unwrap_or_else(|| Ok(stored.environment_id.clone()))?,
        initial_events: events.unwrap_or_else(|| Ok(stored.initial_events.clone()))?,
        resources: read_resources(fields.take("resources"), stored.resources.clone())?,
        vault_ids: read_vaults(fields.take("vault_ids"), stored.vault_ids.clone())?,
        budget: match fields.take("budget") {
            Field::Absent => stored.budget.clone(),
            field => budget(field)?,
        },
        metadata: metadata::patch(
            &stored.metadata,
            fields.take("metadata"),
            EmptyValue::Stored,
        )?,
        schedule: read_schedule(fields.take("schedule"), stored.schedule.clone())?,
    };
    fields.finish()?;
    Ok((agent, config))
}

/// Takes a field that may be left out but not be null.
fn present(fields: &mut Fields, name: &str) -> Result<Option<Spot>, Invalid> {
    match fields.take(name) {
        Field::Absent => Ok(None),
        Field::Null => Err(Invalid::at(name, "this field can be changed, not cleared")),
        Field::Given(spot) => Ok(Some(spot)),
    }
}

/// A deployment takes agents as they are saved, without overrides.
fn read_agent(spot: Spot) -> Result<NamedAgent, Invalid> {
    if !spot.value.is_string() {
        let (tag, _) = spot.clone().tagged()?;
        tag.one_of(&["agent"])?;
    }
    Ok(NamedAgent { spot })
}

fn optional_text(field: Field, stored: Option<String>) -> Result<Option<String>, Invalid> {
    match field {
        Field::Absent => Ok(stored),
        Field::Null => Ok(None),
        Field::Given(spot) => spot.text(0, DESCRIPTION_CHARACTERS_MAX).map(Some),
    }
}

fn read_events(spot: Spot) -> Result<Vec<Value>, Invalid> {
    let path = spot.path.clone();
    let inputs = initial_events(Field::Given(spot), &DEPLOYMENT_EVENTS)?;
    if inputs.is_empty() {
        return Err(Invalid::at(path, "must hold at least one event"));
    }
    let with_type = |mut body: Value, kind: &str| {
        body.set("type", json!(kind));
        body
    };
    Ok(inputs
        .into_iter()
        .map(|input| with_type(input.body, input.kind.name()))
        .collect())
}

/// Resources are checked whole by whoever prepares a session of them.
fn read_resources(field: Field, stored: Vec<Value>) -> Result<Vec<Value>, Invalid> {
    match field {
        Field::Absent => Ok(stored),
        Field::Null => Ok(Vec::new()),
        Field::Given(spot) => {
            let items = spot.array(RESOURCES_MAX)?;
            Ok(items.into_iter().map(|item| item.value).collect())
        }
    }
}

fn read_vaults(field: Field, stored: Vec<String>) -> Result<Vec<String>, Invalid> {
    match field {
        Field::Absent => Ok(stored),
        Field::Null => Ok(Vec::new()),
        Field::Given(spot) => {
            let items = spot.array(VAULTS_MAX)?;
            items
                .into_iter()
                .map(|item| item.text(1, ID_BYTES_MAX))
                .collect()
        }
    }
}

fn read_schedule(field: Field, stored: Option<Schedule>) -> Result<Option<Schedule>, Invalid> {
    let spot = match field {
        Field::Absent => return Ok(stored),
        Field::Null => return Ok(None),
        Field::Given(spot) => spot,
    };
    let (tag, mut fields) = spot.tagged()?;
    tag.one_of(&["cron"])?;
    let (expression_at, zone_at) = (fields.path_of("expression"), fields.path_of("timezone"));
    let schedule = Schedule {
        expression: fields
            .required("expression")?
            .text(1, SCHEDULE_CHARACTERS_MAX)?,
        timezone: fields
            .required("timezone")?
            .text(1, SCHEDULE_CHARACTERS_MAX)?,
    };
    // A schedule that was read may be sent back: what the server adds is not the client's to set.
    for name in ["last_run_at", "upcoming_runs_at"] {
        fields.take(name);
    }
    fields.finish()?;
    match schedule.cron() {
        Ok(_) => Ok(Some(schedule)),
        Err(error @ CronError::Expression(_)) => Err(Invalid::at(expression_at, error.to_string())),
        Err(error @ CronError::Zone) => Err(Invalid::at(zone_at, error.to_string())),
    }
}
