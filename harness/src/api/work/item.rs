//! A work item: its states, its stored form and the wire's.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::metadata::Metadata;
use crate::api::{ApiError, ApiState};
use crate::clock::{Timestamp, rfc3339};
use crate::ids::{WorkId, WorkspaceId};
use crate::store::{Key, Kind, NewResource, Resource, ResourceChange, StoreError, Write};

/// Hashes of earlier tokens that an item remembers, so that a worker that lost it is told so.
const OLD_TOKENS_MAX: usize = 8;

/// How far an item is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum WorkState {
    /// Waits for a worker.
    Queued,
    /// Handed to a worker that has not acknowledged it; the wire says `queued`.
    Claimed,
    /// Acknowledged.
    Starting,
    /// Its worker has sent a heartbeat.
    Active,
    /// Its worker was asked to stop.
    Stopping,
    /// Over.
    Stopped,
}

impl WorkState {
    /// The states in which an item stands in the way of another one for its session.
    pub(super) const LIVE: [WorkState; 5] = [
        WorkState::Queued,
        WorkState::Claimed,
        WorkState::Starting,
        WorkState::Active,
        WorkState::Stopping,
    ];

    /// Returns the name under which it is stored and filtered.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            WorkState::Queued => "queued",
            WorkState::Claimed => "claimed",
            WorkState::Starting => "starting",
            WorkState::Active => "active",
            WorkState::Stopping => "stopping",
            WorkState::Stopped => "stopped",
        }
    }

    /// Returns the wire's word.
    pub(super) fn wire(self) -> &'static str {
        match self {
            WorkState::Claimed => "queued",
            other => other.as_str(),
        }
    }

    fn parse(name: Option<&str>) -> Option<Self> {
        Self::LIVE
            .into_iter()
            .chain([WorkState::Stopped])
            .find(|state| Some(state.as_str()) == name)
    }
}

/// What is stored of an item beside its state.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) environment_id: String,
    pub(super) session_id: String,
    pub(super) metadata: Metadata,
    /// When it began to wait, anew after a worker was lost.
    pub(super) queued_at: Timestamp,
    /// Not handed out earlier: workers that stop at once do not get it at once.
    pub(super) not_before: Option<Timestamp>,
    /// Workers in a row that left the session's work undone.
    pub(super) attempt: u32,
    pub(super) claimed_at: Option<Timestamp>,
    pub(super) acknowledged_at: Option<Timestamp>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) latest_heartbeat_at: Option<Timestamp>,
    pub(super) stop_requested_at: Option<Timestamp>,
    pub(super) stopped_at: Option<Timestamp>,
    /// An operator stopped it: what is undone is not queued again.
    pub(super) is_final: bool,
    /// How long the worker has it without a heartbeat, in seconds.
    pub(super) ttl_seconds: u64,
    /// When the worker counts as lost.
    pub(super) lease_until: Option<Timestamp>,
    /// BLAKE3 hash of the worker's token.
    pub(super) token: Option<String>,
    /// Hashes of the tokens of workers before, newest first.
    pub(super) old_tokens: Vec<String>,
}

/// A stored item.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) key: Key,
    revision: u64,
    created_at: Timestamp,
    pub(super) state: WorkState,
    pub(super) content: Content,
}

impl Item {
    /// Reads a stored item.
    pub(super) fn read(stored: &Resource) -> Result<Self, ApiError> {
        let unreadable = |why: &dyn std::fmt::Display| {
            ApiError::internal(format!(
                "the stored work item {} is unreadable: {why}",
                stored.key.id
            ))
        };
        let state = WorkState::parse(stored.status.as_deref())
            .ok_or_else(|| unreadable(&"its state is unknown"))?;
        let content = Content::deserialize(&stored.body).map_err(|error| unreadable(&error))?;
        Ok(Self {
            key: stored.key.clone(),
            revision: stored.revision,
            created_at: stored.created_at,
            state,
            content,
        })
    }

    /// Returns an item of an environment, or 404.
    pub(super) async fn find(
        api: &ApiState,
        workspace: &WorkspaceId,
        environment_id: &str,
        work_id: &str,
    ) -> Result<Self, ApiError> {
        crate::api::environments::find(api, workspace, environment_id).await?;
        let missing = || ApiError::not_found("work item", work_id);
        let stored = match api.store.get(&key(workspace, work_id), None).await {
            Ok(stored) => stored,
            Err(StoreError::NotFound) => return Err(missing()),
            Err(error) => return Err(error.into()),
        };
        let item = Self::read(&stored)?;
        if item.content.environment_id == environment_id {
            Ok(item)
        } else {
            Err(missing())
        }
    }

    /// Takes the item from its worker and lets it wait again.
    pub(super) fn requeue(&mut self, now: Timestamp) {
        self.state = WorkState::Queued;
        let content = &mut self.content;
        content.queued_at = now;
        content.claimed_at = None;
        content.acknowledged_at = None;
        content.latest_heartbeat_at = None;
        content.lease_until = None;
        self.retire_token();
    }

    /// Ends the item.
    pub(super) fn end(&mut self, now: Timestamp) {
        self.state = WorkState::Stopped;
        self.content.stop_requested_at.get_or_insert(now);
        self.content.stopped_at = Some(now);
        self.content.lease_until = None;
    }

    /// Gives the item to the holder of the token with this hash.
    pub(super) fn give(&mut self, token_hash: String) {
        self.retire_token();
        self.content.token = Some(token_hash);
    }

    fn retire_token(&mut self) {
        let content = &mut self.content;
        if let Some(token) = content.token.take() {
            content.old_tokens.insert(0, token);
            content.old_tokens.truncate(OLD_TOKENS_MAX);
        }
    }

    /// Returns the write that replaces the stored item by this one, if nobody was faster.
    pub(super) fn write(&self, now: Timestamp) -> Write {
        let is_over = self.state == WorkState::Stopped;
        Write::Update {
            key: self.key.clone(),
            revision: self.revision,
            change: ResourceChange {
                body: body(&self.content),
                new_version: false,
                // One at a time for each session: the store refuses a second one.
                unique_name: (!is_over).then(|| self.content.session_id.clone()),
                status: Some(self.state.as_str().to_owned()),
                archived_at: None,
                at: now,
            },
        }
    }

    /// Stores the item as it is now. Returns it as stored, `None` when somebody was faster.
    pub(super) async fn save(
        &self,
        api: &ApiState,
        now: Timestamp,
    ) -> Result<Option<Self>, ApiError> {
        match api.store.write(vec![self.write(now)]).await {
            Ok(stored) => match stored.first() {
                Some(Some(stored)) => Self::read(stored).map(Some),
                _ => Ok(None),
            },
            Err(StoreError::RevisionConflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the wire's `SelfHostedWork`, without a secret.
    pub(super) fn wire(&self) -> Value {
        let content = &self.content;
        json!({
            "id": self.key.id,
            "type": "work",
            "environment_id": content.environment_id,
            "data": {"type": "session", "id": content.session_id},
            "state": self.state.wire(),
            "metadata": content.metadata,
            "secret": null,
            "created_at": rfc3339(self.created_at),
            "acknowledged_at": content.acknowledged_at.map(rfc3339),
            "started_at": content.started_at.map(rfc3339),
            "latest_heartbeat_at": content.latest_heartbeat_at.map(rfc3339),
            "stop_requested_at": content.stop_requested_at.map(rfc3339),
            "stopped_at": content.stopped_at.map(rfc3339),
        })
    }
}

/// Returns a new item that waits for a worker of the environment.
pub(super) fn new(
    workspace: &WorkspaceId,
    environment_id: &str,
    session_id: &str,
    now: Timestamp,
    after: Option<(u32, Timestamp)>,
) -> NewResource {
    let content = Content {
        environment_id: environment_id.to_owned(),
        session_id: session_id.to_owned(),
        metadata: Metadata::new(),
        queued_at: now,
        not_before: after.map(|(_, not_before)| not_before),
        attempt: after.map_or(0, |(attempt, _)| attempt),
        claimed_at: None,
        acknowledged_at: None,
        started_at: None,
        latest_heartbeat_at: None,
        stop_requested_at: None,
        stopped_at: None,
        is_final: false,
        ttl_seconds: 0,
        lease_until: None,
        token: None,
        old_tokens: Vec::new(),
    };
    NewResource {
        key: key(workspace, WorkId::fresh(now).as_str()),
        body: body(&content),
        unique_name: Some(session_id.to_owned()),
        status: Some(WorkState::Queued.as_str().to_owned()),
        labels: vec![
            ("environment_id".to_owned(), environment_id.to_owned()),
            ("session_id".to_owned(), session_id.to_owned()),
        ],
        at: now,
        events: Vec::new(),
        needs_wake: false,
        history: None,
    }
}

/// Returns the name of an item in the store.
pub(super) fn key(workspace: &WorkspaceId, work_id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::Work,
        id: work_id.to_owned(),
    }
}

fn body(content: &Content) -> Value {
    // Cannot fail: every map in here has strings as keys.
    serde_json::to_value(content).unwrap_or_default()
}
