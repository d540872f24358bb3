//! The store as everything sees it: changes go through, and what endpoints hear of them goes with them in the
//! same commit.
//!
//! Endpoints are kept in memory, so that a daemon without any pays nothing. They are read again after every
//! write of one; a write by another process is seen at the next.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::{Notify, broadcast};

use super::announce::{self, Announcement};
use super::delivery;
use super::endpoint::Endpoint;
use crate::clock::{Clock, Timestamp, rfc3339};
use crate::ids::{SessionId, WebhookEventId, WorkspaceId};
use crate::store::{
    Append, EventQuery, Key, Kind, Lease, LogGrew, NewResource, Objects, ROWS_MAX, Resource,
    ResourceChange, ResourceQuery, SharedStore, Store, StoreError, StoredEvent, Write,
};

/// Deliveries that may wait for one endpoint. More are not queued: a receiver that is this far behind asks for
/// what it missed.
const PENDING_MAX: usize = 10_000;

/// Tells the courier which endpoints have something to be sent.
#[derive(Default)]
pub struct Queue {
    state: Mutex<QueueState>,
    pub(super) changed: Notify,
}

#[derive(Default)]
struct QueueState {
    /// Endpoints that got something, by id.
    marked: BTreeMap<String, Key>,
    /// How many deliveries wait for each endpoint.
    pending: HashMap<String, usize>,
}

impl Queue {
    /// Adds a delivery that waits for an endpoint.
    pub(super) fn add(&self, endpoint: &Key) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            *state.pending.entry(endpoint.id.clone()).or_default() += 1;
        }
        self.mark(endpoint);
    }

    /// Says that something may wait for an endpoint.
    pub(super) fn mark(&self, endpoint: &Key) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.marked.insert(endpoint.id.clone(), endpoint.clone());
        }
        self.changed.notify_one();
    }

    /// Takes away a delivery that ended.
    pub(super) fn end(&self, endpoint_id: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pending) = state.pending.get_mut(endpoint_id) {
            *pending = pending.saturating_sub(1);
            if *pending == 0 {
                state.pending.remove(endpoint_id);
            }
        }
    }

    /// Returns the endpoints that got something since the last call.
    pub(super) fn take(&self) -> Vec<Key> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.marked).into_values().collect()
    }

    fn is_full(&self, endpoint_id: &str) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .pending
            .get(endpoint_id)
            .is_some_and(|n| *n >= PENDING_MAX)
    }
}

/// An endpoint that is on.
struct Subscriber {
    key: Key,
    events: Vec<String>,
}

impl Subscriber {
    fn wants(&self, workspace: &WorkspaceId, kind: &str) -> bool {
        self.key.workspace == *workspace && self.events.iter().any(|event| event == kind)
    }
}

/// A [`Store`] over another one that queues webhooks with every write.
pub struct Outbox {
    store: SharedStore,
    clock: Arc<dyn Clock>,
    organization_id: Arc<str>,
    subscribers: Arc<RwLock<Arc<Vec<Subscriber>>>>,
    /// Held shared by every change and alone by one of an endpoint, so that what is switched off hears of nothing
    /// that happens after.
    turn: Arc<tokio::sync::RwLock<()>>,
    queue: Arc<Queue>,
}

impl Outbox {
    /// Stands before `store`. Endpoints that are in it already are known once they are read.
    pub fn new(store: SharedStore, clock: Arc<dyn Clock>, organization_id: Arc<str>) -> Self {
        Self {
            store,
            clock,
            organization_id,
            subscribers: Arc::default(),
            turn: Arc::default(),
            queue: Arc::default(),
        }
    }

    /// Returns what the courier is told by.
    pub fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    /// Reads the endpoints. Errors: the store's.
    pub async fn read_subscribers(&self) -> Result<(), StoreError> {
        read_subscribers(&self.store, &self.subscribers).await
    }

    fn subscribers(&self) -> Arc<Vec<Subscriber>> {
        self.subscribers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the deliveries of what is announced in a workspace, and whom they go to.
    fn deliveries(
        &self,
        workspace: &WorkspaceId,
        announced: Vec<Announcement>,
        at: Timestamp,
    ) -> Vec<(Key, NewResource)> {
        let subscribers = self.subscribers();
        let mut deliveries = Vec::new();
        for announcement in announced {
            for subscriber in subscribers.iter() {
                if !subscriber.wants(workspace, announcement.kind) {
                    continue;
                }
                let endpoint = &subscriber.key;
                if self.queue.is_full(&endpoint.id) {
                    let event = announcement.kind;
                    tracing::warn!(endpoint = endpoint.id, event, "too many webhooks wait");
                    continue;
                }
                let id = WebhookEventId::fresh(at);
                let event = json!({
                    "type": "event",
                    "id": id.as_str(),
                    "created_at": rfc3339(at),
                    "data": announcement.data(&self.organization_id, workspace.as_str()),
                });
                let delivery = NewResource {
                    key: Key {
                        workspace: workspace.clone(),
                        kind: Kind::WebhookDelivery,
                        id: id.as_str().to_owned(),
                    },
                    body: delivery::new_body(&endpoint.id, event, at),
                    unique_name: None,
                    status: Some(delivery::PENDING.to_owned()),
                    labels: vec![("endpoint_id".to_owned(), endpoint.id.clone())],
                    at,
                    events: Vec::new(),
                    needs_wake: false,
                    history: None,
                };
                deliveries.push((endpoint.clone(), delivery));
            }
        }
        deliveries
    }

    /// Returns the deliveries of a write, as the store is now.
    async fn deliveries_of(&self, write: &Write) -> Result<Vec<(Key, NewResource)>, StoreError> {
        let key = match write {
            Write::Create(new) => {
                let announced = announce::created(new);
                return Ok(self.deliveries(&new.key.workspace, announced, new.at));
            }
            Write::Update { key, .. } | Write::Delete(key) => key,
            Write::Relabel { .. } => return Ok(Vec::new()),
        };
        // Only who is heard of is read beforehand.
        let Some(noun) = announce::noun(key.kind) else {
            return Ok(Vec::new());
        };
        let concerns = |subscriber: &Subscriber| {
            let is_of_noun = |event: &String| event.split('.').next() == Some(noun);
            subscriber.key.workspace == key.workspace && subscriber.events.iter().any(is_of_noun)
        };
        if !self.subscribers().iter().any(concerns) {
            return Ok(Vec::new());
        }
        let old = match self.store.get(key, None).await {
            Ok(old) => old,
            // Made by an earlier write of the same commit, which tells of it, or missing, which the write says.
            Err(StoreError::NotFound) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        // What is read here is what the write meets: a change in between refuses the write.
        let (announced, at) = match write {
            Write::Update { change, .. } => (announce::updated(&old, change), change.at),
            Write::Delete(_) => (announce::deleted(&old), self.clock.now()),
            Write::Create(_) | Write::Relabel { .. } => return Ok(Vec::new()),
        };
        Ok(self.deliveries(&key.workspace, announced, at))
    }

    /// Makes one write with what is to be told of it.
    async fn write_one(&self, write: Write) -> Result<Option<Resource>, StoreError> {
        Ok(self.write(vec![write]).await?.into_iter().next().flatten())
    }
}

/// Reads the endpoints that are on, and keeps them in `subscribers`.
async fn read_subscribers(
    store: &SharedStore,
    subscribers: &RwLock<Arc<Vec<Subscriber>>>,
) -> Result<(), StoreError> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let rows = store
            .scan(Kind::WebhookEndpoint, after.as_deref(), ROWS_MAX)
            .await?;
        found.extend(rows.iter().filter_map(|row| {
            let endpoint = Endpoint::read(row).filter(|endpoint| endpoint.is_enabled)?;
            Some(Subscriber {
                key: row.key.clone(),
                events: endpoint.enabled_events,
            })
        }));
        if rows.len() < ROWS_MAX {
            break;
        }
        after = rows.last().map(|row| row.key.id.clone());
    }
    let mut subscribers = subscribers.write().unwrap_or_else(PoisonError::into_inner);
    *subscribers = Arc::new(found);
    Ok(())
}

fn queue_all(queue: &Queue, endpoints: Vec<Key>) {
    for endpoint in endpoints {
        queue.add(&endpoint);
    }
}

/// Runs in a task of its own: a caller that goes away must not part a commit from what follows it.
async fn finished<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => Err(StoreError::Failed(error.to_string())),
    }
}

fn lost() -> StoreError {
    StoreError::Failed("a write was made but not returned".to_owned())
}

#[async_trait]
impl Store for Outbox {
    async fn create(&self, new: NewResource) -> Result<Resource, StoreError> {
        self.write_one(Write::Create(new)).await?.ok_or_else(lost)
    }

    async fn get(&self, key: &Key, version: Option<u64>) -> Result<Resource, StoreError> {
        self.store.get(key, version).await
    }

    async fn list(&self, query: &ResourceQuery) -> Result<Vec<Resource>, StoreError> {
        self.store.list(query).await
    }

    async fn versions(
        &self,
        key: &Key,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Resource>, StoreError> {
        self.store.versions(key, before, limit).await
    }

    async fn update(
        &self,
        key: &Key,
        revision: u64,
        change: ResourceChange,
    ) -> Result<Resource, StoreError> {
        let key = key.clone();
        let write = Write::Update {
            key,
            revision,
            change,
        };
        self.write_one(write).await?.ok_or_else(lost)
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.write_one(Write::Delete(key.clone())).await?;
        Ok(())
    }

    async fn write(&self, mut writes: Vec<Write>) -> Result<Vec<Option<Resource>>, StoreError> {
        let is_endpoint = |write: &Write| {
            let key = match write {
                Write::Create(new) => &new.key,
                Write::Update { key, .. } | Write::Delete(key) | Write::Relabel { key, .. } => key,
            };
            key.kind == Kind::WebhookEndpoint
        };
        let has_endpoint = writes.iter().any(is_endpoint);
        let turn = self.turn.clone();
        let turn = match has_endpoint {
            true => (Some(turn.write_owned().await), None),
            false => (None, Some(turn.read_owned().await)),
        };
        let asked = writes.len();
        let mut endpoints = Vec::new();
        if !self.subscribers().is_empty() {
            let mut deliveries = Vec::new();
            for write in &writes {
                deliveries.extend(self.deliveries_of(write).await?);
            }
            for (endpoint, delivery) in deliveries {
                endpoints.push(endpoint);
                writes.push(Write::Create(delivery));
            }
        }
        if endpoints.is_empty() && !has_endpoint {
            return self.store.write(writes).await;
        }
        let (store, subscribers) = (self.store.clone(), self.subscribers.clone());
        let queue = self.queue.clone();
        finished(async move {
            let _turn = turn;
            let mut written = store.write(writes).await?;
            written.truncate(asked);
            queue_all(&queue, endpoints);
            if has_endpoint && let Err(error) = read_subscribers(&store, &subscribers).await {
                tracing::error!(%error, "the webhook endpoints could not be read again");
            }
            Ok(written)
        })
        .await
    }

    async fn scan(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Resource>, StoreError> {
        self.store.scan(kind, after, limit).await
    }

    async fn session(&self, session_id: &SessionId) -> Result<Resource, StoreError> {
        self.store.session(session_id).await
    }

    async fn append_with(
        &self,
        append: Append,
        mut writes: Vec<Write>,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let turn = self.turn.clone().read_owned().await;
        let subscribers = self.subscribers();
        let mut deliveries = Vec::new();
        if !subscribers.is_empty() {
            let mut announced = announce::logged(append.session_id.as_str(), &append.events);
            announced.retain(|announced| {
                subscribers
                    .iter()
                    .any(|subscriber| subscriber.wants(&subscriber.key.workspace, announced.kind))
            });
            if !announced.is_empty() {
                let workspace = self.store.session(&append.session_id).await?.key.workspace;
                let at = append.events.last().map(|event| event.at);
                let at = at.unwrap_or_else(|| self.clock.now());
                deliveries = self.deliveries(&workspace, announced, at);
            }
            for write in &writes {
                deliveries.extend(self.deliveries_of(write).await?);
            }
        }
        let (endpoints, rows): (Vec<_>, Vec<_>) = deliveries.into_iter().unzip();
        writes.extend(rows.into_iter().map(Write::Create));
        if endpoints.is_empty() {
            return self.store.append_with(append, writes).await;
        }
        let (store, queue) = (self.store.clone(), self.queue.clone());
        finished(async move {
            let _turn = turn;
            let stored = store.append_with(append, writes).await?;
            queue_all(&queue, endpoints);
            Ok(stored)
        })
        .await
    }

    async fn read(
        &self,
        session_id: &SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.read(session_id, after, limit).await
    }

    async fn list_events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.list_events(query).await
    }

    async fn find_event(
        &self,
        session_id: &SessionId,
        event_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        self.store.find_event(session_id, event_id).await
    }

    async fn last_number(&self, session_id: &SessionId) -> Result<u64, StoreError> {
        self.store.last_number(session_id).await
    }

    async fn acquire_lease(
        &self,
        session_id: &SessionId,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError> {
        self.store
            .acquire_lease(session_id, holder, now, until)
            .await
    }

    async fn renew_lease(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        self.store.renew_lease(lease, until).await
    }

    async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        self.store.release_lease(lease).await
    }

    async fn release_leases_of(&self, holder: &str) -> Result<(), StoreError> {
        self.store.release_leases_of(holder).await
    }

    async fn sessions_to_wake(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.store.sessions_to_wake(now, limit).await
    }

    fn files(&self) -> &dyn Objects {
        self.store.files()
    }

    fn subscribe(&self) -> broadcast::Receiver<LogGrew> {
        self.store.subscribe()
    }
}
