//! The orchestration block of an agent, in both of its types: shape, defaults, merging, pinning.
//!
//! A block is read into a [`Draft`] (stored references stay pinned, new ones are still to be looked up) and
//! resolved against the [`Roster`]. One level only, unless the agent's `sinew.delegation` says more: a listed agent has no
//! block of its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::roster::{Reference, Roster, pinned_reference};
use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::api::error::quoted;

/// Most entries of one list.
const AGENTS_MAX: usize = 20;
/// Longest id or model name in characters.
const ID_CHARACTERS_MAX: usize = 256;
/// The newer of the two types.
pub(super) const MEMBERS: &str = "multiagent_20261001";

/// A block whose references are not resolved yet.
#[derive(Clone, Debug)]
pub(super) enum Draft {
    /// Type `coordinator`.
    Coordinator(Vec<Entry>),
    /// Type `multiagent_20261001`.
    Members {
        /// The advisor's model.
        advisor: Option<String>,
        subagents: Option<Delegation>,
        workflows: Option<Delegation>,
    },
}

/// An enabled member that runs other agents.
#[derive(Clone, Debug)]
pub(super) struct Delegation {
    path: String,
    has_inline_agents: bool,
    predefined: Vec<Entry>,
}

/// One entry of a list.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// The agent that owns the block, at the version being saved.
    Myself { path: String },
    /// What the request names.
    Requested { path: String, reference: Reference },
    /// What was pinned when the block was saved before.
    Pinned(Reference),
    /// A model to consult.
    Advisor { path: String, model: String },
}

/// What reading a block needs to know beside the request.
pub(super) struct Context<'a> {
    /// The stored block, and the id and version that its agent has now; null and absent when it is new.
    pub(super) stored: &'a Value,
    pub(super) own: Option<(&'a str, u64)>,
}

impl Context<'_> {
    fn is_own(&self, reference: &Reference) -> bool {
        self.own.is_some_and(|(id, version)| {
            reference.id == id && reference.version.is_none_or(|named| named == version)
        })
    }

    fn pinned(&self, entry: &Value, path: &str) -> Option<Entry> {
        match pinned_reference(entry) {
            Some(reference) if self.is_own(&reference) => Some(Entry::Myself {
                path: path.to_owned(),
            }),
            Some(reference) => Some(Entry::Pinned(reference)),
            None => Some(Entry::Advisor {
                path: path.to_owned(),
                model: entry.get("model")?.as_str()?.to_owned(),
            }),
        }
    }

    fn pinned_list(&self, list: Option<&Value>, path: &str) -> Vec<Entry> {
        let entries = list.and_then(Value::as_array).into_iter().flatten();
        entries
            .filter_map(|entry| self.pinned(entry, path))
            .collect()
    }
}

/// Reads a block from a request; into a stored one of the newer type it is merged.
pub(super) fn read(spot: Spot, context: &Context<'_>) -> Result<Draft, Invalid> {
    let (tag, mut fields) = spot.tagged()?;
    let draft = if tag.one_of(&["coordinator", MEMBERS])? == "coordinator" {
        let spot = fields.required("agents")?;
        let path = spot.path.clone();
        let entries = read_entries(spot, context, WithAdvisor::Allowed)?;
        if entries.is_empty() {
            return Err(Invalid::at(path, "must name at least one agent"));
        }
        Draft::Coordinator(entries)
    } else {
        let is_merge = context.stored.get("type").and_then(Value::as_str) == Some(MEMBERS);
        let stored = |name| context.stored.get(name).filter(|_| is_merge);
        Draft::Members {
            advisor: read_advisor(fields.take("advisor"), stored("advisor"))?,
            subagents: read_delegation(&mut fields, "subagents", stored("subagents"), context)?,
            workflows: read_delegation(&mut fields, "workflows", stored("workflows"), context)?,
        }
    };
    fields.finish()?;
    Ok(draft)
}

/// Reads the list of agents that older clients give: those of a coordinator. An empty one is none.
pub(super) fn read_callable(spot: Spot, context: &Context<'_>) -> Result<Option<Draft>, Invalid> {
    let entries = read_entries(spot, context, WithAdvisor::Refused)?;
    Ok((!entries.is_empty()).then_some(Draft::Coordinator(entries)))
}

/// Takes up a stored block as it is.
pub(super) fn keep(context: &Context<'_>) -> Option<Draft> {
    let path = "multiagent";
    match context.stored.get("type")?.as_str()? {
        "coordinator" => {
            let agents = context.stored.get("agents");
            Some(Draft::Coordinator(context.pinned_list(agents, path)))
        }
        _ => Some(Draft::Members {
            advisor: stored_advisor(context.stored.get("advisor")),
            subagents: stored_delegation(context.stored.get("subagents"), path, context),
            workflows: stored_delegation(context.stored.get("workflows"), path, context),
        }),
    }
}

fn read_advisor(field: Field, stored: Option<&Value>) -> Result<Option<String>, Invalid> {
    let spot = match field {
        Field::Absent => return Ok(stored_advisor(stored)),
        Field::Null => return Ok(None),
        Field::Given(spot) => spot,
    };
    let (tag, mut fields) = spot.tagged()?;
    let advisor = match tag.one_of(&["enabled", "disabled"])? {
        "enabled" => Some(fields.required("model")?.text(1, ID_CHARACTERS_MAX)?),
        _ => None,
    };
    fields.finish()?;
    Ok(advisor)
}

fn stored_advisor(stored: Option<&Value>) -> Option<String> {
    stored?.get("model")?.as_str().map(str::to_owned)
}

fn read_delegation(
    fields: &mut Fields,
    name: &str,
    stored: Option<&Value>,
    context: &Context<'_>,
) -> Result<Option<Delegation>, Invalid> {
    let path = fields.path_of(name);
    let default = Delegation {
        path: path.clone(),
        has_inline_agents: true,
        predefined: Vec::new(),
    };
    let spot = match fields.take(name) {
        Field::Absent if stored.is_some() => return Ok(stored_delegation(stored, &path, context)),
        Field::Absent | Field::Null => return Ok(Some(default)),
        Field::Given(spot) => spot,
    };
    let (tag, mut fields) = spot.tagged()?;
    let delegation = match tag.one_of(&["enabled", "disabled"])? {
        "disabled" => None,
        _ => {
            // A stored member of the other type has nothing to keep.
            let mut merged = stored_delegation(stored, &path, context).unwrap_or(default);
            match fields.take("inline_agents") {
                Field::Absent => {}
                Field::Null => merged.has_inline_agents = true,
                Field::Given(spot) => {
                    merged.has_inline_agents =
                        spot.bare_tag(&["enabled", "disabled"])? == "enabled";
                }
            }
            match fields.take("predefined_agents") {
                Field::Absent => {}
                Field::Null => merged.predefined.clear(),
                Field::Given(spot) => {
                    merged.predefined = read_entries(spot, context, WithAdvisor::Refused)?;
                }
            }
            Some(merged)
        }
    };
    fields.finish()?;
    Ok(delegation)
}

fn stored_delegation(
    stored: Option<&Value>,
    path: &str,
    context: &Context<'_>,
) -> Option<Delegation> {
    let stored = stored?;
    if stored.get("type")?.as_str()? != "enabled" {
        return None;
    }
    let inline = stored
        .get("inline_agents")
        .and_then(|inline| inline.get("type"));
    Some(Delegation {
        path: path.to_owned(),
        has_inline_agents: inline.and_then(Value::as_str) != Some("disabled"),
        predefined: context.pinned_list(stored.get("predefined_agents"), path),
    })
}

/// Whether a list may hold an advisor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WithAdvisor {
    Allowed,
    Refused,
}

fn read_entries(
    spot: Spot,
    context: &Context<'_>,
    with_advisor: WithAdvisor,
) -> Result<Vec<Entry>, Invalid> {
    let read = |entry| read_entry(entry, context, with_advisor);
    spot.array(AGENTS_MAX)?.into_iter().map(read).collect()
}

fn read_entry(
    spot: Spot,
    context: &Context<'_>,
    with_advisor: WithAdvisor,
) -> Result<Entry, Invalid> {
    let path = spot.path.clone();
    if spot.value.is_string() {
        let id = spot.text(1, ID_CHARACTERS_MAX)?;
        return Ok(requested(path, Reference { id, version: None }, context));
    }
    let (tag, mut fields) = spot.tagged()?;
    let kinds: &[&str] = match with_advisor {
        WithAdvisor::Allowed => &["agent", "self", "advisor"],
        WithAdvisor::Refused => &["agent", "self"],
    };
    let entry = match tag.one_of(kinds)? {
        "self" => Entry::Myself { path },
        "advisor" => Entry::Advisor {
            path,
            model: fields.required("model")?.text(1, ID_CHARACTERS_MAX)?,
        },
        _ => {
            let id = fields.required("id")?.text(1, ID_CHARACTERS_MAX)?;
            let version = fields.take("version").given();
            let version = version
                .map(|spot| spot.integer(1, i64::MAX as u64))
                .transpose()?;
            requested(path, Reference { id, version }, context)
        }
    };
    fields.finish()?;
    Ok(entry)
}

fn requested(path: String, reference: Reference, context: &Context<'_>) -> Entry {
    if context.is_own(&reference) {
        Entry::Myself { path }
    } else {
        Entry::Requested { path, reference }
    }
}

impl Draft {
    /// Returns what must be looked up.
    pub(super) fn references(&self) -> Vec<Reference> {
        let lists = match self {
            Draft::Coordinator(entries) => vec![entries],
            Draft::Members {
                subagents,
                workflows,
                ..
            } => [subagents, workflows]
                .into_iter()
                .flatten()
                .map(|d| &d.predefined)
                .collect(),
        };
        let reference = |entry: &Entry| match entry {
            Entry::Requested { reference, .. } | Entry::Pinned(reference) => {
                Some(reference.clone())
            }
            Entry::Myself { .. } | Entry::Advisor { .. } => None,
        };
        lists.into_iter().flatten().filter_map(reference).collect()
    }

    /// Pins every reference and returns the block as it is stored. `geo` is the owner's region, `levels` how many levels of
    /// agents it may delegate to.
    pub(super) fn resolve(
        self,
        own_id: &str,
        own_version: u64,
        geo: Option<&str>,
        levels: u64,
        roster: &Roster,
    ) -> Result<Value, Invalid> {
        let resolver = Resolver {
            own: Reference::pinned(own_id, own_version),
            geo,
            levels,
            roster,
        };
        Ok(match self {
            Draft::Coordinator(entries) => json!({
                "type": "coordinator",
                "agents": resolver.list(entries)?,
            }),
            Draft::Members {
                advisor,
                subagents,
                workflows,
            } => json!({
                "type": MEMBERS,
                "advisor": match advisor {
                    Some(model) => json!({ "type": "enabled", "model": model }),
                    None => json!({ "type": "disabled" }),
                },
                "subagents": resolver.delegation(subagents)?,
                "workflows": resolver.delegation(workflows)?,
            }),
        })
    }
}

struct Resolver<'a> {
    own: Reference,
    geo: Option<&'a str>,
    /// Levels of agents that it may delegate to.
    levels: u64,
    roster: &'a Roster,
}

impl Resolver<'_> {
    fn delegation(&self, delegation: Option<Delegation>) -> Result<Value, Invalid> {
        let Some(delegation) = delegation else {
            return Ok(json!({ "type": "disabled" }));
        };
        if !delegation.has_inline_agents && delegation.predefined.is_empty() {
            let message = "without inline_agents, predefined_agents must name at least one agent";
            return Err(Invalid::at(delegation.path, message));
        }
        let inline = if delegation.has_inline_agents {
            "enabled"
        } else {
            "disabled"
        };
        Ok(json!({
            "type": "enabled",
            "inline_agents": { "type": inline },
            "predefined_agents": self.list(delegation.predefined)?,
        }))
    }

    fn list(&self, entries: Vec<Entry>) -> Result<Vec<Value>, Invalid> {
        let (mut seen, mut has_advisor) = (BTreeSet::new(), false);
        let mut list = Vec::new();
        for entry in entries {
            let (path, reference) = match entry {
                Entry::Myself { path } => (path, self.own.clone()),
                Entry::Requested { path, reference } => {
                    let reference = self.requested(&path, &reference)?;
                    (path, reference)
                }
                Entry::Pinned(reference) => {
                    self.check_geo("multiagent", &reference)?;
                    ("multiagent".to_owned(), reference)
                }
                Entry::Advisor { path, model } => {
                    if has_advisor {
                        return Err(Invalid::at(path, "at most one advisor"));
                    }
                    has_advisor = true;
                    list.push(json!({ "type": "advisor", "model": model }));
                    continue;
                }
            };
            list.push(reference.to_json());
            if !seen.insert(reference.id.clone()) {
                let message = format!(
                    "the agent {} stands in the list twice",
                    quoted(&reference.id)
                );
                return Err(Invalid::at(path, message));
            }
        }
        Ok(list)
    }

    fn requested(&self, path: &str, reference: &Reference) -> Result<Reference, Invalid> {
        let name = match reference.version {
            Some(version) => format!("{} version {version}", quoted(&reference.id)),
            None => quoted(&reference.id),
        };
        let refuse = |reason: &str| Err(Invalid::at(path, format!("the agent {name} {reason}")));
        let Some(agent) = self.roster.get(reference) else {
            return refuse("does not exist");
        };
        if agent.is_archived {
            return refuse("is archived");
        }
        if !agent.config.multiagent.is_null() && self.levels < 2 {
            return refuse(
                "has a multiagent block itself; only one level is possible, unless sinew.delegation.depth says more",
            );
        }
        self.check_geo(path, reference)?;
        Ok(Reference::pinned(&reference.id, agent.version))
    }

    fn check_geo(&self, path: &str, reference: &Reference) -> Result<(), Invalid> {
        match self.roster.get(reference) {
            Some(agent) => same_geo(path, self.geo, &reference.id, &agent.config),
            None => Ok(()),
        }
    }
}

/// Checks that a listed agent runs where its coordinator runs.
pub(super) fn same_geo(
    path: &str,
    geo: Option<&str>,
    id: &str,
    config: &super::AgentConfig,
) -> Result<(), Invalid> {
    if config.model.inference_geo.as_deref() == geo {
        return Ok(());
    }
    let message = format!(
        "the agent {} has another inference_geo; it must be the same everywhere or unset everywhere",
        quoted(id)
    );
    Err(Invalid::at(path, message))
}
