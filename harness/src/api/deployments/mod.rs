//! `/v1/deployments` and `/v1/deployment_runs`: templates of sessions that run by schedule or by hand.
//!
//! A deployment's agent is pinned when it is saved. Sessions are made as `POST /v1/sessions` makes them, from
//! the request that [`config`] keeps. Deliberately absent: the waiting for times, which is the scheduler's.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::{Mutex, Notify};

use crate::api::body::{Invalid, JsonBody};
use crate::api::collection::{Answer, Collection, Selection, UPDATE_ATTEMPTS_MAX};
use crate::api::page;
use crate::api::query::Query;
use crate::api::sessions::{SessionState, prepare};
use crate::api::{ApiError, ApiState, Caller, resolve_session_agent};
use crate::clock::Timestamp;
use crate::ids::{DeploymentId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{
    Key, Kind, NewResource, Order, ROWS_MAX, Resource, ResourceQuery, StoreError, TimeRange, Write,
};

mod attempt;
mod config;
mod obstacle;
mod runs;
mod stored;

pub use attempt::{Plan, Trigger, attempt, delay, plan};
use config::{DeploymentConfig, NamedAgent, PinnedAgent};
use stored::{ACTIVE, PAUSED, Stored};

/// Most live deployments with a schedule, over all workspaces.
const SCHEDULED_MAX: usize = 1_000;

const DEPLOYMENTS: Collection = Collection {
    kind: Kind::Deployment,
    list: "deployments",
    noun: "deployment",
    // Never asked for: what the wire shows of a schedule depends on the time.
    wire: |row| row.body.clone(),
    missing_code: None,
};

/// What the deployments' endpoints and the scheduler share.
#[derive(Clone)]
pub struct DeploymentState {
    /// Makes sessions.
    pub sessions: SessionState,
    /// Tells the scheduler that a deployment changed.
    pub changed: Arc<Notify>,
    /// Held from the count of the scheduled ones to the write that adds one.
    scheduled: Arc<Mutex<()>>,
}

impl DeploymentState {
    /// Returns the state of deployments whose sessions `sessions` makes.
    pub fn new(sessions: SessionState) -> Self {
        Self {
            sessions,
            changed: Arc::default(),
            scheduled: Arc::default(),
        }
    }
}

/// Returns the routes of deployments and their runs.
pub fn routes(state: DeploymentState) -> Router<ApiState> {
    Router::new()
        .route("/v1/deployments", post(create).get(list))
        .route(
            "/v1/deployments/{deployment_id}",
            get(retrieve).post(update),
        )
        .route("/v1/deployments/{deployment_id}/pause", post(pause))
        .route("/v1/deployments/{deployment_id}/unpause", post(unpause))
        .route("/v1/deployments/{deployment_id}/archive", post(archive))
        .route("/v1/deployments/{deployment_id}/run", post(run))
        .with_state(state)
        .route("/v1/deployment_runs", get(runs::list))
        .route("/v1/deployment_runs/{deployment_run_id}", get(runs::get))
}

async fn create(
    State(state): State<DeploymentState>,
    caller: Caller,
    JsonBody(fields): JsonBody,
) -> Answer {
    let api = &state.sessions.api;
    let (agent, mut config) = config::create(fields)?;
    config.agent = pin(api, &caller.workspace, agent).await?;
    rehearse(&state, &caller.workspace, &config).await?;
    let gate = state.scheduled.lock().await;
    if config.schedule.is_some() {
        check_scheduled(api).await?;
    }
    let now = api.clock.now();
    let created = api
        .store
        .create(NewResource {
            key: key(&caller.workspace, DeploymentId::fresh(now).as_str()),
            body: stored::new_body(&config, now),
            unique_name: None,
            status: Some(ACTIVE.to_owned()),
            labels: labels(&config),
            at: now,
            events: Vec::new(),
            needs_wake: false,
            history: None,
        })
        .await?;
    drop(gate);
    answer(&state, created)
}

async fn retrieve(
    State(state): State<DeploymentState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    let api = &state.sessions.api;
    let stored = find(api, &caller.workspace, &id).await?;
    Ok(Json(stored.wire(api.clock.now())))
}

async fn update(
    State(state): State<DeploymentState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(fields): JsonBody,
) -> Answer {
    let api = &state.sessions.api;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let mut stored = find(api, &caller.workspace, &id).await?;
        if stored.row.archived_at.is_some() {
            return Err(archived(&id));
        }
        let (agent, mut config) = config::update(&stored.config, fields.clone())?;
        if let Some(agent) = agent {
            config.agent = pin(api, &caller.workspace, agent).await?;
        }
        let now = api.clock.now();
        if config == stored.config {
            return Ok(Json(stored.wire(now)));
        }
        if config.makes_other_sessions(&stored.config) {
            rehearse(&state, &caller.workspace, &config).await?;
        }
        let _gate = state.scheduled.lock().await;
        if config.schedule != stored.config.schedule {
            if config.schedule.is_some() && stored.config.schedule.is_none() {
                check_scheduled(api).await?;
            }
            stored.times_after = now;
        }
        let relabel = (config.agent.id != stored.config.agent.id).then(|| Write::Relabel {
            key: stored.row.key.clone(),
            labels: labels(&config),
        });
        stored.config = config;
        let (key, revision) = (stored.row.key.clone(), stored.row.revision);
        let mut writes = vec![Write::Update {
            key,
            revision,
            change: stored.change(now, None),
        }];
        writes.extend(relabel);
        match api.store.write(writes).await {
            Ok(written) => return answer_written(&state, written),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(DEPLOYMENTS.too_busy())
}

async fn list(State(state): State<DeploymentState>, caller: Caller, query: Query) -> Answer {
    let api = &state.sessions.api;
    let include_archived = query.flag("include_archived")?;
    let statuses = match query.text("status")? {
        None => Vec::new(),
        Some(_) if include_archived => {
            let message = "a status cannot be given together with include_archived";
            return Err(Invalid::at("status", message).into());
        }
        Some(status @ (ACTIVE | PAUSED)) => vec![status.to_owned()],
        Some(_) => return Err(Invalid::at("status", "expected active or paused").into()),
    };
    let agent_id = query.text("agent_id")?;
    let selection = Selection {
        include_archived,
        created_at: TimeRange {
            gte: query.time("created_at[gte]")?,
            lte: query.time("created_at[lte]")?,
            ..TimeRange::default()
        },
        statuses,
        labels: agent_id
            .map(|id| ("agent_id".to_owned(), id.to_owned()))
            .into_iter()
            .collect(),
        ..Selection::default()
    };
    let (rows, next) = DEPLOYMENTS.select(api, caller, &query, selection).await?;
    let now = api.clock.now();
    let data = rows
        .into_iter()
        .map(|row| Ok(Stored::read(row)?.wire(now)))
        .collect::<Result<_, ApiError>>()?;
    Ok(Json(page::cursor_page(data, next)))
}

async fn pause(
    State(state): State<DeploymentState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    change(&state, &caller, &id, |stored, _| {
        if stored.is_active() {
            stored.pause(json!({"type": "manual"}));
        }
    })
    .await
}

async fn unpause(
    State(state): State<DeploymentState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    change(&state, &caller, &id, |stored, now| {
        if !stored.is_active() {
            stored.unpause(now);
        }
    })
    .await
}

/// Changes the status of a live deployment; what changes nothing is not written.
async fn change(
    state: &DeploymentState,
    caller: &Caller,
    id: &str,
    decide: impl Fn(&mut Stored, Timestamp),
) -> Answer {
    let api = &state.sessions.api;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(api, &caller.workspace, id).await?;
        if stored.row.archived_at.is_some() {
            return Err(archived(id));
        }
        let now = api.clock.now();
        let mut changed = stored.clone();
        decide(&mut changed, now);
        if changed.row.status == stored.row.status {
            return Ok(Json(stored.wire(now)));
        }
        let row = &stored.row;
        let written = api
            .store
            .update(&row.key, row.revision, changed.change(now, None))
            .await;
        match written {
            Ok(written) => return answer(state, written),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(DEPLOYMENTS.too_busy())
}

async fn archive(
    State(state): State<DeploymentState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    let api = &state.sessions.api;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(api, &caller.workspace, &id).await?;
        let now = api.clock.now();
        if stored.row.archived_at.is_some() {
            return Ok(Json(stored.wire(now)));
        }
        let (key, revision) = (stored.row.key.clone(), stored.row.revision);
        let written = api
            .store
            .update(&key, revision, stored.change(now, Some(now)))
            .await;
        match written {
            Ok(written) => return answer(&state, written),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(DEPLOYMENTS.too_busy())
}

async fn run(
    State(state): State<DeploymentState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    let run = attempt(&state, &key(&caller.workspace, &id), Trigger::Manual).await?;
    // It may have paused the deployment.
    state.changed.notify_one();
    let run = run.ok_or_else(|| ApiError::internal("a manual run was skipped"))?;
    Ok(Json(runs::wire(&run)))
}

/// Returns the writes that archive every live deployment of an agent, for the commit that archives the agent.
pub(super) async fn archive_of_agent(
    api: &ApiState,
    workspace: &WorkspaceId,
    agent_id: &str,
    now: Timestamp,
) -> Result<Vec<Write>, ApiError> {
    let mut writes = Vec::new();
    let mut query = ResourceQuery {
        workspace: workspace.clone(),
        kind: Kind::Deployment,
        include_archived: false,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels: vec![("agent_id".to_owned(), agent_id.to_owned())],
        order: Order::Ascending,
        after: None,
        limit: ROWS_MAX,
    };
    loop {
        let rows = api.store.list(&query).await?;
        let is_last = rows.len() < ROWS_MAX;
        query.after = rows.last().map(|row| (row.created_at, row.key.id.clone()));
        for row in rows {
            let (key, revision) = (row.key.clone(), row.revision);
            let change = Stored::read(row)?.change(now, Some(now));
            writes.push(Write::Update {
                key,
                revision,
                change,
            });
        }
        if is_last {
            return Ok(writes);
        }
    }
}

async fn pin(
    api: &ApiState,
    workspace: &WorkspaceId,
    agent: NamedAgent,
) -> Result<PinnedAgent, ApiError> {
    let agent = resolve_session_agent(api, workspace, agent.spot).await?;
    Ok(PinnedAgent {
        id: agent.id,
        version: agent.version,
    })
}

/// Refuses what no session could be made of, as the creation of a session would.
async fn rehearse(
    state: &DeploymentState,
    workspace: &WorkspaceId,
    config: &DeploymentConfig,
) -> Result<(), ApiError> {
    let request = config.session_request();
    prepare(&state.sessions, workspace, request, Some(""), true).await?;
    Ok(())
}

async fn check_scheduled(api: &ApiState) -> Result<(), ApiError> {
    let (mut count, mut after) = (0, None::<String>);
    loop {
        let rows = api
            .store
            .scan(Kind::Deployment, after.as_deref(), ROWS_MAX)
            .await?;
        count += rows
            .iter()
            .filter(|row| !row.body.at("schedule").is_null())
            .count();
        if count >= SCHEDULED_MAX {
            let message = format!(
                "the organization has {SCHEDULED_MAX} scheduled deployments, as many as there may be; \
                 archive one, or remove its schedule"
            );
            return Err(Invalid::at("schedule", message).into());
        }
        after = rows.last().map(|row| row.key.id.clone());
        if rows.len() < ROWS_MAX {
            return Ok(());
        }
    }
}

fn labels(config: &DeploymentConfig) -> Vec<(String, String)> {
    vec![("agent_id".to_owned(), config.agent.id.clone())]
}

async fn find(api: &ApiState, workspace: &WorkspaceId, id: &str) -> Result<Stored, ApiError> {
    let found = api.store.get(&key(workspace, id), None).await;
    Stored::read(found.map_err(|error| DEPLOYMENTS.missing(error, id))?)
}

fn archived(id: &str) -> ApiError {
    ApiError::invalid(format!("the deployment {id} is archived"))
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::Deployment,
        id: id.to_owned(),
    }
}

fn answer_written(state: &DeploymentState, written: Vec<Option<Resource>>) -> Answer {
    let row = written.into_iter().next().flatten();
    let row = row.ok_or_else(|| ApiError::internal("a deployment was written but not returned"))?;
    answer(state, row)
}

/// Answers with a deployment that was just written, and tells the scheduler.
fn answer(state: &DeploymentState, written: Resource) -> Answer {
    state.changed.notify_one();
    let now = state.sessions.api.clock.now();
    Ok(Json(Stored::read(written)?.wire(now)))
}
