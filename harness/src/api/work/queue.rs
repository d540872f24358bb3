//! Putting items into the queue, and telling pollers of it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::broadcast;

use super::item::{self, Item, WorkState};
use crate::api::{ApiError, ApiState};
use crate::clock::Timestamp;
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::session::{SELF_HOSTED, needs_worker};
use crate::store::{
    Kind, NewResource, Order, ROWS_MAX, Resource, ResourceQuery, StoreError, TimeRange, Write,
};

/// Shortest lease, so that a late heartbeat is not at once a lost worker.
const LEASE_SECONDS_MIN: u64 = 2;
/// Longest lease: a lost worker is noticed within it.
pub(super) const LEASE_SECONDS_MAX: u64 = 3_600;
/// How long a worker counts as polling after a poll.
const POLLING: Duration = Duration::from_secs(30);
/// Workers that are counted; more than these are not told apart.
const POLLERS_MAX: usize = 10_000;
/// Announcements that a slow poller may be behind; one that is further behind looks at once.
const ANNOUNCED_MAX: usize = 256;
/// Longest wait before undone work is handed out again, in seconds.
const AGAIN_SECONDS_MAX: u64 = 300;

/// What is known of the queues besides what is stored. One for each daemon.
pub struct WorkQueue {
    lease_seconds: u64,
    /// Ids of environments that got an item.
    announced: broadcast::Sender<String>,
    /// When each worker last asked for work, by environment and worker.
    pollers: Mutex<HashMap<(String, String), Timestamp>>,
}

impl WorkQueue {
    /// Returns a queue whose workers keep an item for `lease` without a heartbeat, rounded to seconds.
    pub fn new(lease: Duration) -> Self {
        Self {
            lease_seconds: lease.as_secs().clamp(LEASE_SECONDS_MIN, LEASE_SECONDS_MAX),
            announced: broadcast::Sender::new(ANNOUNCED_MAX),
            pollers: Mutex::default(),
        }
    }

    /// Returns the length of a lease in seconds, as wished within the bounds.
    pub(super) fn lease_seconds(&self, wished: Option<u64>) -> u64 {
        wished
            .unwrap_or(self.lease_seconds)
            .clamp(LEASE_SECONDS_MIN, LEASE_SECONDS_MAX)
    }

    /// Returns what hears of items from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<String> {
        self.announced.subscribe()
    }

    /// Tells pollers that an environment got an item.
    pub(in crate::api) fn announce(&self, environment_id: &str) {
        // Nobody listens: the next poll finds it.
        let _ = self.announced.send(environment_id.to_owned());
    }

    /// Notes that a worker asked for work.
    pub(super) fn note_poll(&self, environment_id: &str, worker_id: &str, now: Timestamp) {
        let mut pollers = self.pollers.lock().unwrap_or_else(|e| e.into_inner());
        let name = (environment_id.to_owned(), worker_id.to_owned());
        if pollers.len() >= POLLERS_MAX && !pollers.contains_key(&name) {
            pollers.retain(|_, at| is_recent(*at, now));
            if pollers.len() >= POLLERS_MAX {
                return;
            }
        }
        pollers.insert(name, now);
    }

    /// Returns how many workers asked for work lately.
    pub(in crate::api) fn workers_polling(&self, environment_id: &str, now: Timestamp) -> usize {
        let mut pollers = self.pollers.lock().unwrap_or_else(|e| e.into_inner());
        pollers.retain(|_, at| is_recent(*at, now));
        let of_this = pollers.keys().filter(|(id, _)| id == environment_id);
        of_this.count()
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    Duration::try_from(now.duration_since(at)).is_ok_and(|passed| passed <= POLLING) || at > now
}

/// Returns the first item of a new session, to be stored with it.
pub(in crate::api) fn first_item(
    workspace: &WorkspaceId,
    environment_id: &str,
    session_id: &str,
    now: Timestamp,
) -> NewResource {
    item::new(workspace, environment_id, session_id, now, None)
}

/// Makes sure that a session has an item which has not stopped.
pub(in crate::api) async fn ensure(
    api: &ApiState,
    workspace: &WorkspaceId,
    environment_id: &str,
    session_id: &str,
) -> Result<(), ApiError> {
    let now = api.clock.now();
    let mut query = live(workspace, ("session_id", session_id), &WorkState::LIVE);
    query.limit = 1;
    if let Some(stored) = api.store.list(&query).await?.first() {
        let mut waiting = Item::read(stored)?;
        if waiting.content.not_before.take().is_some() {
            // Somebody wants it now. Who was faster has it, or has ended it and queued the next.
            waiting.content.attempt = 0;
            waiting.save(api, now).await?;
            api.work.announce(environment_id);
        }
        return Ok(());
    }
    let new = item::new(workspace, environment_id, session_id, now, None);
    match api.store.create(new).await {
        Ok(_) => api.work.announce(environment_id),
        // Another input of the session was faster.
        Err(StoreError::NameTaken(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Ends an item; where its session is left with work and nobody stopped the item for good, the next one is
/// queued in the same commit. Returns the ended item, `None` when somebody was faster.
pub(super) async fn end(
    api: &ApiState,
    mut item: Item,
    now: Timestamp,
) -> Result<Option<Item>, ApiError> {
    let Item { content, key, .. } = &item;
    let (environment_id, session_id) = (content.environment_id.clone(), content.session_id.clone());
    let session = crate::store::Key {
        workspace: key.workspace.clone(),
        kind: Kind::Session,
        id: session_id.clone(),
    };
    let is_left_with_work = match api.store.get(&session, None).await {
        Ok(session) => !content.is_final && needs_worker(&session),
        Err(StoreError::NotFound) => false,
        Err(error) => return Err(error.into()),
    };
    let attempt = content.attempt;
    item.end(now);
    let mut writes = vec![item.write(now)];
    if is_left_with_work {
        let wait = match attempt {
            // The input may have come while the worker was leaving.
            0 => 0,
            attempt => (1u64 << attempt.min(16)).min(AGAIN_SECONDS_MAX),
        };
        let not_before = now
            .checked_add(Duration::from_secs(wait))
            .unwrap_or(Timestamp::MAX);
        let after = Some((attempt.saturating_add(1), not_before));
        let next = item::new(
            &item.key.workspace,
            &environment_id,
            &session_id,
            now,
            after,
        );
        writes.push(Write::Create(next));
    }
    match api.store.write(writes).await {
        Ok(stored) => {
            if is_left_with_work {
                api.work.announce(&environment_id);
            }
            match stored.first() {
                Some(Some(stored)) => Item::read(stored).map(Some),
                _ => Ok(None),
            }
        }
        Err(StoreError::RevisionConflict { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes what the queue holds of a deleted session.
pub(in crate::api) async fn forget_session(
    api: &ApiState,
    workspace: &WorkspaceId,
    session_id: &str,
) -> Result<(), ApiError> {
    forget(api, workspace, ("session_id", session_id)).await
}

/// Removes the queue of a deleted environment.
pub(in crate::api) async fn forget_environment(
    api: &ApiState,
    workspace: &WorkspaceId,
    environment_id: &str,
) -> Result<(), ApiError> {
    forget(api, workspace, ("environment_id", environment_id)).await
}

// The keys of a deleted environment stay listed until they are revoked; they open nothing.
async fn forget(
    api: &ApiState,
    workspace: &WorkspaceId,
    label: (&str, &str),
) -> Result<(), ApiError> {
    loop {
        let found = api.store.list(&live(workspace, label, &[])).await?;
        if found.is_empty() {
            return Ok(());
        }
        for item in found {
            match api.store.delete(&item.key).await {
                Ok(()) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Selects items with a label in some states, all for none, oldest first.
pub(super) fn live(
    workspace: &WorkspaceId,
    label: (&str, &str),
    states: &[WorkState],
) -> ResourceQuery {
    ResourceQuery {
        workspace: workspace.clone(),
        kind: Kind::Work,
        include_archived: true,
        created_at: TimeRange::default(),
        statuses: states
            .iter()
            .map(|state| state.as_str().to_owned())
            .collect(),
        labels: vec![(label.0.to_owned(), label.1.to_owned())],
        order: Order::Ascending,
        after: None,
        limit: ROWS_MAX,
    }
}

/// Returns every selected item.
pub(super) async fn all(api: &ApiState, mut query: ResourceQuery) -> Result<Vec<Item>, ApiError> {
    let mut items = Vec::new();
    loop {
        let page = api.store.list(&query).await?;
        query.after = page
            .last()
            .filter(|_| page.len() >= query.limit)
            .map(|last| (last.created_at, last.key.id.clone()));
        for stored in &page {
            items.push(Item::read(stored)?);
        }
        if query.after.is_none() {
            return Ok(items);
        }
    }
}

/// Tells whether a session runs on an environment with a work queue: the environment's id.
pub(in crate::api) fn environment_of(session: &Resource) -> Option<&str> {
    let is_self_hosted = *session.body.at(SELF_HOSTED) == true;
    let environment = session.body.at("environment_id").as_str();
    environment.filter(|_| is_self_hosted)
}
