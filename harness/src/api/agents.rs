//! `/v1/agents`: saved, versioned configurations.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::api::agent_config::{
    self, AgentConfig, Draft, Reference, Roster, RosterAgent, UNFOLDED_MAX, apply_overrides,
    session_agent, too_many,
};
use crate::api::body::{Fields, Invalid, JsonBody, Spot};
use crate::api::collection::{Answer, Collection, LIMIT_DEFAULT, LIMIT_MAX, UPDATE_ATTEMPTS_MAX};
use crate::api::deployments::archive_of_agent;
use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::api::skills::check_skills;
use crate::api::tools::check_tools;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::rfc3339;
use crate::ids::{AgentId, WorkspaceId};
use crate::store::{Key, Kind, NewResource, Order, Resource, ResourceChange, StoreError, Write};

const AGENTS: Collection = Collection {
    kind: Kind::Agent,
    list: "agents",
    noun: "agent",
    wire,
    missing_code: None,
};

/// Creates an agent at version 1.
pub(super) async fn create(State(api): State<ApiState>, caller: Caller, body: JsonBody) -> Answer {
    let draft = agent_config::create(body.0, &api.models)?;
    let now = api.clock.now();
    let id = AgentId::fresh(now);
    let roster = fetch_roster(&api, &caller.workspace, draft.references()).await?;
    let config = draft.finish(id.as_str(), 1, &roster)?;
    check_skills(&api, &caller.workspace, &config.skills).await?;
    check_tools(&api, &caller.workspace, &config.to_body()).await?;
    let created = api
        .store
        .create(NewResource {
            key: key(&caller.workspace, id.as_str()),
            body: config.to_body(),
            unique_name: None,
            status: None,
            labels: Vec::new(),
            at: now,
            events: Vec::new(),
            needs_wake: false,
            history: None,
        })
        .await?;
    Ok(Json(wire(&created)))
}

/// Returns an agent, or one of its versions.
pub(super) async fn get(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    let version = query.integer("version", 1, i64::MAX as u64)?;
    Ok(Json(wire(
        &find(&api, &caller.workspace, &id, version).await?,
    )))
}

/// Changes an agent; what changes nothing makes no version.
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Answer {
    let mut fields = body.0;
    let expected = take_version(&mut fields)?;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(&api, &caller.workspace, &id, None).await?;
        if stored.archived_at.is_some() {
            return Err(ApiError::invalid(format!(
                "the agent {id} is archived and cannot be changed"
            )));
        }
        if let Some(expected) = expected.filter(|expected| *expected != stored.version) {
            let message = format!(
                "the agent is at version {}, the request expects {expected}",
                stored.version
            );
            return Err(ApiError::conflict(message, false));
        }
        let config = config_of(&stored)?;
        let draft =
            agent_config::update(&config, &id, stored.version, fields.clone(), &api.models)?;
        let Some(changed) = decide_change(&api, &caller.workspace, &stored, &config, draft).await?
        else {
            return Ok(Json(wire(&stored)));
        };
        let change = ResourceChange {
            body: changed.to_body(),
            new_version: true,
            unique_name: None,
            status: stored.status.clone(),
            archived_at: None,
            at: api.clock.now(),
        };
        match api.store.update(&stored.key, stored.revision, change).await {
            Ok(updated) => return Ok(Json(wire(&updated))),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(AGENTS.too_busy())
}

/// Returns the next version's configuration; `None` if it equals the present one.
async fn decide_change(
    api: &ApiState,
    workspace: &WorkspaceId,
    stored: &Resource,
    config: &AgentConfig,
    draft: Draft,
) -> Result<Option<AgentConfig>, ApiError> {
    let id = &stored.key.id;
    let roster = fetch_roster(api, workspace, draft.references()).await?;
    // An entry for the agent itself carries the version it is saved as, so the question whether anything
    // changed is asked at the present one.
    if draft.clone().finish(id, stored.version, &roster)? == *config {
        return Ok(None);
    }
    let changed = draft.finish(id, stored.version + 1, &roster)?;
    if changed.skills != config.skills {
        check_skills(api, workspace, &changed.skills).await?;
    }
    check_tools(api, workspace, &changed.to_body()).await?;
    Ok(Some(changed))
}

/// Returns the agents of the workspace, newest first.
pub(super) async fn list(State(api): State<ApiState>, caller: Caller, query: Query) -> Answer {
    let created_at = query.time_range("created_at")?;
    AGENTS.list(&api, caller, &query, created_at).await
}

/// Archives an agent for ever, and its deployments in the same commit; again changes nothing.
pub(super) async fn archive(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(&api, &caller.workspace, &id, None).await?;
        if stored.archived_at.is_some() {
            return Ok(Json(wire(&stored)));
        }
        let now = api.clock.now();
        let mut writes = vec![Write::Update {
            key: stored.key,
            revision: stored.revision,
            change: ResourceChange {
                body: stored.body,
                new_version: false,
                unique_name: None,
                status: stored.status,
                archived_at: Some(now),
                at: now,
            },
        }];
        writes.extend(archive_of_agent(&api, &caller.workspace, &id, now).await?);
        match api.store.write(writes).await {
            Ok(written) => {
                let archived = written.into_iter().next().flatten();
                let archived = archived.ok_or_else(|| ApiError::internal("no archived agent"))?;
                return Ok(Json(wire(&archived)));
            }
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(AGENTS.too_busy())
}

/// Returns the versions of an agent, newest first.
pub(super) async fn versions(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let (list, order) = (format!("agent_versions/{id}"), Order::Descending);
    let before = match page::cursor(&query, &list, order)?.map(|cursor| cursor.position) {
        None => None,
        Some(Position::Number(version)) => Some(version),
        Some(_) => {
            return Err(ApiError::invalid(
                "page: the cursor is malformed or expired",
            ));
        }
    };
    let key = key(&caller.workspace, &id);
    let found = api
        .store
        .versions(&key, before, page::rows_to_fetch(limit))
        .await;
    let mut versions = found.map_err(|error| AGENTS.missing(error, &id))?;
    let is_more = page::cut(&mut versions, limit);
    let next = versions
        .last()
        .filter(|_| is_more)
        .map(|last| Cursor::next(&list, order, Position::Number(last.version)));
    Ok(Json(page::cursor_page(
        versions.iter().map(wire).collect(),
        next,
    )))
}

/// The agent of a session to be created.
#[derive(Clone, PartialEq, Debug)]
pub struct SessionAgent {
    /// The saved agent's id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// The wire's `SessionAgent`, overrides applied and roster unfolded.
    pub snapshot: Value,
}

/// Resolves the `agent` of a session's creation: an id, `{type: agent}` or `{type: agent_with_overrides}`.
/// Errors: 404 when it does not exist, 400 when it is archived or the overrides are wrong.
pub async fn resolve_session_agent(
    api: &ApiState,
    workspace: &WorkspaceId,
    spot: Spot,
) -> Result<SessionAgent, ApiError> {
    let (id, version, overrides) = if spot.value.is_string() {
        (spot.text(1, crate::ids::ID_BYTES_MAX)?, None, None)
    } else {
        let (tag, mut fields) = spot.tagged()?;
        let kind = tag.one_of(&["agent", "agent_with_overrides"])?;
        let id = fields.required("id")?.text(1, crate::ids::ID_BYTES_MAX)?;
        let version = take_version(&mut fields)?;
        if kind == "agent" {
            fields.finish()?;
            (id, version, None)
        } else {
            (id, version, Some(fields))
        }
    };
    let stored = find(api, workspace, &id, version).await?;
    if stored.archived_at.is_some() {
        return Err(ApiError::invalid(format!(
            "agent: the agent {id} is archived"
        )));
    }
    let base = config_of(&stored)?;
    let config = match overrides {
        None => base,
        Some(mut fields) => {
            let config = apply_overrides(&base, &mut fields, &api.models)?;
            fields.finish()?;
            config
        }
    };
    let roster = fetch_levels(api, workspace, &config).await?;
    let snapshot = session_agent(&id, stored.version, &config, &roster)?;
    Ok(SessionAgent {
        id,
        version: stored.version,
        snapshot,
    })
}

fn take_version(fields: &mut Fields) -> Result<Option<u64>, Invalid> {
    let version = fields.take("version").given();
    version
        .map(|spot| spot.integer(1, i64::MAX as u64))
        .transpose()
}

/// Looks up what the roster of an agent refers to, and what the rosters of those do, as deep as it may delegate.
async fn fetch_levels(
    api: &ApiState,
    workspace: &WorkspaceId,
    config: &AgentConfig,
) -> Result<Roster, ApiError> {
    let mut found = Roster::new();
    let mut wanted = config.roster_references();
    for _ in 0..config.levels() {
        wanted.retain(|reference| !found.contains_key(reference));
        wanted.sort();
        wanted.dedup();
        if found.len() + wanted.len() > UNFOLDED_MAX {
            return Err(too_many().into());
        }
        let level = fetch_roster(api, workspace, std::mem::take(&mut wanted)).await?;
        let below = level
            .values()
            .flat_map(|agent| agent.config.roster_references());
        wanted = below.collect();
        found.extend(level);
    }
    Ok(found)
}

/// Looks up what a roster refers to. At most two lists of twenty, each agent read once.
async fn fetch_roster(
    api: &ApiState,
    workspace: &WorkspaceId,
    references: Vec<Reference>,
) -> Result<Roster, ApiError> {
    let mut roster = Roster::new();
    for reference in references {
        if roster.contains_key(&reference) {
            continue;
        }
        match api
            .store
            .get(&key(workspace, &reference.id), reference.version)
            .await
        {
            Ok(stored) => {
                let agent = RosterAgent {
                    version: stored.version,
                    is_archived: stored.archived_at.is_some(),
                    config: config_of(&stored)?,
                };
                roster.insert(reference, agent);
            }
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(roster)
}

async fn find(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
    version: Option<u64>,
) -> Result<Resource, ApiError> {
    let found = api.store.get(&key(workspace, id), version).await;
    found.map_err(|error| match (&error, version) {
        (StoreError::NotFound, Some(version)) => {
            ApiError::not_found(&format!("version {version} of agent"), id)
        }
        _ => AGENTS.missing(error, id),
    })
}

fn config_of(stored: &Resource) -> Result<AgentConfig, ApiError> {
    AgentConfig::from_stored(&stored.body).map_err(|error| {
        ApiError::internal(format!(
            "the stored agent {} is unreadable: {error}",
            stored.key.id
        ))
    })
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::Agent,
        id: id.to_owned(),
    }
}

/// Returns the wire's `Agent`.
fn wire(stored: &Resource) -> Value {
    let mut agent = stored.body.clone();
    if let Some(agent) = agent.as_object_mut() {
        agent.insert("type".to_owned(), "agent".into());
        agent.insert("id".to_owned(), stored.key.id.clone().into());
        agent.insert("version".to_owned(), stored.version.into());
        agent.insert("created_at".to_owned(), rfc3339(stored.created_at).into());
        agent.insert("updated_at".to_owned(), rfc3339(stored.updated_at).into());
        agent.insert(
            "archived_at".to_owned(),
            stored.archived_at.map(rfc3339).into(),
        );
    }
    agent
}
