//! Sends what is queued: one task for each endpoint that has something, so that a slow one delays only itself.
//!
//! The queue is in the store. A delivery that was under way when the daemon died is sent again under the same
//! id, by which receivers recognise it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use tokio::sync::Notify;
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use super::delivery::{self, Outcome};
use super::endpoint::Endpoint;
use super::outbox::Queue;
use super::sender::Sender;
use crate::clock::{Clock, Timestamp};
use crate::json::Fields as _;
use crate::secrets::Keyring;
use crate::store::{
    Key, Kind, Order, ROWS_MAX, Resource, ResourceChange, ResourceQuery, SharedStore, StoreError,
    TimeRange, Write,
};

/// Attempts of one endpoint at the same time.
const AT_ONCE_MAX: usize = 4;
/// Deliveries of one endpoint that are looked at together.
const LOOK_MAX: usize = 256;
/// Wait after a failure of the store.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);
/// An endpoint whose deliveries all failed for this long is switched off.
const FAILING_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How long ended deliveries can be read.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The courier of one daemon.
pub struct Courier {
    store: SharedStore,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    keyring: Arc<Keyring>,
    sender: Sender,
}

impl Courier {
    /// Returns a courier of what `queue` tells of. `store` is the outbox.
    pub fn new(
        store: SharedStore,
        queue: Arc<Queue>,
        clock: Arc<dyn Clock>,
        keyring: Arc<Keyring>,
        sender: Sender,
    ) -> Self {
        Self {
            store,
            queue,
            clock,
            keyring,
            sender,
        }
    }

    /// Sends until `stopping`; what is under way then is sent again by the next daemon.
    pub async fn run(self, stopping: CancellationToken) {
        while let Err(error) = self.load().await {
            tracing::error!(%error, "the webhooks that wait cannot be read");
            tokio::select! {
                () = self.clock.sleep(FAILURE_PAUSE) => {}
                () = stopping.cancelled() => return,
            }
        }
        let courier = Arc::new(self);
        let mut pokes: HashMap<String, (Key, Arc<Notify>)> = HashMap::new();
        let mut tasks = JoinSet::new();
        let mut running: HashMap<task::Id, String> = HashMap::new();
        loop {
            for key in courier.queue.take() {
                if let Some((_, poke)) = pokes.get(&key.id) {
                    poke.notify_one();
                    continue;
                }
                let poke = Arc::new(Notify::new());
                running.insert(courier.spawn(&mut tasks, &key, &poke), key.id.clone());
                pokes.insert(key.id.clone(), (key, poke));
            }
            tokio::select! {
                () = courier.queue.changed.notified() => {}
                Some(ended) = tasks.join_next_with_id() => {
                    // One that panicked is served again when something new comes for it.
                    let ended = match ended {
                        Ok((id, ())) => id,
                        Err(error) => error.id(),
                    };
                    if let Some(id) = running.remove(&ended)
                        && let Some((key, poke)) = pokes.remove(&id)
                        && poke.notified().now_or_never().is_some()
                    {
                        // Something came while it ended.
                        courier.queue.mark(&key);
                    }
                }
                () = stopping.cancelled() => {
                    tasks.shutdown().await;
                    return;
                }
            }
        }
    }

    fn spawn(self: &Arc<Self>, tasks: &mut JoinSet<()>, key: &Key, poke: &Arc<Notify>) -> task::Id {
        let (courier, key, poke) = (self.clone(), key.clone(), poke.clone());
        let serving = async move {
            while let Err(error) = courier.serve(&key, &poke).await {
                tracing::error!(endpoint = key.id, %error, "webhooks cannot be sent");
                courier.clock.sleep(FAILURE_PAUSE).await;
            }
        };
        tasks.spawn(serving).id()
    }

    /// Marks the endpoints of everything that waited when the daemon started.
    async fn load(&self) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let rows = self
                .store
                .scan(Kind::WebhookDelivery, after.as_deref(), ROWS_MAX)
                .await?;
            for row in &rows {
                let endpoint = Key {
                    workspace: row.key.workspace.clone(),
                    kind: Kind::WebhookEndpoint,
                    id: endpoint_id(row).to_owned(),
                };
                self.queue.add(&endpoint);
            }
            after = rows.last().map(|row| row.key.id.clone());
            if rows.len() < ROWS_MAX {
                return Ok(());
            }
        }
    }

    /// Sends to one endpoint until nothing waits for it.
    async fn serve(&self, key: &Key, poke: &Notify) -> Result<(), StoreError> {
        loop {
            let waiting = self.waiting(key).await?;
            if waiting.is_empty() {
                return self.prune(key).await;
            }
            let row = match self.store.get(key, None).await {
                Ok(row) => Some(row),
                Err(StoreError::NotFound) => None,
                Err(error) => return Err(error),
            };
            let endpoint = row.as_ref().and_then(Endpoint::read);
            let secret = row.as_ref();
            let secret = secret.and_then(|row| Endpoint::secret(row, &self.keyring));
            let (endpoint, secret) = match (endpoint, secret) {
                (Some(endpoint), Some(secret)) if endpoint.is_enabled => (endpoint, secret),
                _ => {
                    self.drop_all(waiting).await?;
                    continue;
                }
            };
            let now = self.clock.now();
            let is_due = |row: &Resource| delivery::next_attempt_at(row) <= now;
            let (mut due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_due);
            if due.is_empty() {
                self.wait(&later, poke).await;
                continue;
            }
            due.truncate(AT_ONCE_MAX);
            let attempts = due.into_iter().map(|row| async {
                let body = row.body.at("event").to_string();
                let id = row.key.id.clone();
                let sent = self.sender.send(&endpoint.url, &secret, &id, body, now);
                (sent.await, row)
            });
            for (outcome, row) in join_all(attempts).await {
                self.record(key, row, outcome).await?;
            }
        }
    }

    /// Waits for the next attempt of what was tried already, or for something new.
    async fn wait(&self, later: &[Resource], poke: &Notify) {
        let next = later.iter().map(delivery::next_attempt_at).min();
        let left = next.map(|next| next.duration_since(self.clock.now()));
        let left = left.and_then(|left| Duration::try_from(left).ok());
        tokio::select! {
            () = self.clock.sleep(left.unwrap_or_default()) => {}
            () = poke.notified() => {}
        }
    }

    async fn record(
        &self,
        endpoint: &Key,
        row: Resource,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let change = delivery::after_attempt(&row, &outcome, now);
        let state = change.status.clone().unwrap_or_default();
        self.end(row, change).await?;
        self.judge(endpoint, &state, outcome, now).await
    }

    /// Writes a delivery's new state. One that is gone was deleted with its endpoint.
    async fn end(&self, row: Resource, change: ResourceChange) -> Result<(), StoreError> {
        let has_ended = change.archived_at.is_some();
        match self.store.update(&row.key, row.revision, change).await {
            Ok(_) | Err(StoreError::NotFound | StoreError::RevisionConflict { .. }) => {}
            Err(error) => return Err(error),
        }
        if has_ended {
            self.queue.end(endpoint_id(&row));
        }
        Ok(())
    }

    /// Draws the consequences of an attempt for its endpoint.
    async fn judge(
        &self,
        key: &Key,
        state: &str,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        loop {
            let row = match self.store.get(key, None).await {
                Ok(row) => row,
                Err(StoreError::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            };
            let Some(mut endpoint) = Endpoint::read(&row) else {
                return Ok(());
            };
            let before = endpoint.clone();
            match &outcome {
                Outcome::Acknowledged(_) => endpoint.failing_since = None,
                Outcome::Refused(_, reason) => switch_off(&mut endpoint, reason),
                Outcome::Failed(..) if state == delivery::FAILED => match endpoint.failing_since {
                    None => endpoint.failing_since = Some(now),
                    Some(since) if now.duration_since(since) >= signed(FAILING_MAX) => {
                        switch_off(&mut endpoint, "every delivery failed for a day");
                    }
                    Some(_) => {}
                },
                Outcome::Failed(..) => {}
            }
            if endpoint == before {
                return Ok(());
            }
            if before.is_enabled && !endpoint.is_enabled {
                let reason = &endpoint.disabled_reason;
                tracing::warn!(
                    endpoint = key.id,
                    reason,
                    "a webhook endpoint was switched off"
                );
            }
            let change = ResourceChange {
                body: endpoint.body(Endpoint::sealed(&row).clone()),
                new_version: false,
                unique_name: None,
                status: row.status,
                archived_at: None,
                at: now,
            };
            match self.store.update(key, row.revision, change).await {
                Err(StoreError::RevisionConflict { .. }) => {}
                Ok(_) | Err(StoreError::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    async fn drop_all(&self, waiting: Vec<Resource>) -> Result<(), StoreError> {
        let now = self.clock.now();
        for row in waiting {
            let change = delivery::dropped(&row, now);
            self.end(row, change).await?;
        }
        Ok(())
    }

    async fn waiting(&self, key: &Key) -> Result<Vec<Resource>, StoreError> {
        self.store.list(&of_endpoint(key, LOOK_MAX)).await
    }

    /// Removes old deliveries of an endpoint, as many as one look finds.
    async fn prune(&self, key: &Key) -> Result<(), StoreError> {
        let oldest = self.clock.now().checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        let query = ResourceQuery {
            include_archived: true,
            created_at: TimeRange {
                lt: Some(oldest),
                ..TimeRange::default()
            },
            ..of_endpoint(key, LOOK_MAX)
        };
        let old = self.store.list(&query).await?;
        if old.is_empty() {
            return Ok(());
        }
        let deletions = old.into_iter().map(|row| Write::Delete(row.key)).collect();
        match self.store.write(deletions).await {
            // Deleted with its endpoint meanwhile.
            Ok(_) | Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn switch_off(endpoint: &mut Endpoint, reason: &str) {
    endpoint.is_enabled = false;
    reason.clone_into(&mut endpoint.disabled_reason);
    endpoint.failing_since = None;
}

fn endpoint_id(delivery: &Resource) -> &str {
    delivery.body.at("endpoint_id").as_str().unwrap_or_default()
}

fn signed(duration: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX)
}

/// Selects the deliveries that wait for an endpoint, oldest first.
fn of_endpoint(key: &Key, limit: usize) -> ResourceQuery {
    ResourceQuery {
        workspace: key.workspace.clone(),
        kind: Kind::WebhookDelivery,
        include_archived: false,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels: vec![("endpoint_id".to_owned(), key.id.clone())],
        order: Order::Ascending,
        after: None,
        limit,
    }
}
