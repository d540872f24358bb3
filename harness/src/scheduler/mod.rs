//! Runs deployments when their schedules say so.
//!
//! What is durable is the deployment's own row (up to which time it was served) and one run for each time,
//! unique in the store; what is in memory is only when to look next. So a restart forgets nothing, and two
//! schedulers on one store make no run twice.
//!
//! A time that passed while no daemon ran is made up for if it is the deployment's newest one and not older
//! than [`SchedulerOptions::late_max`]; older ones are skipped. Times during a pause never count.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::deployments::{DeploymentState, Plan, Trigger, attempt, delay, plan};
use crate::clock::{Clock, Timestamp};
use crate::store::{Key, Kind, ROWS_MAX, Resource, SharedStore, StoreError};

#[cfg(test)]
mod tests;

/// Longest wait before the store is looked at again: other daemons change deployments too.
const LOOK_PERIOD: Duration = Duration::from_secs(60);
/// Wait before a run that the store refused is tried again.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);

/// How times become starts.
#[derive(Clone, Copy, Debug)]
pub struct SchedulerOptions {
    /// Longest delay of a start behind its time; zero for none. Default 9 minutes, the contract's.
    pub delay_max: Duration,
    /// How old a missed time may be to be made up for. Default 1 hour.
    pub late_max: Duration,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        Self {
            delay_max: Duration::from_secs(9 * 60),
            late_max: Duration::from_secs(60 * 60),
        }
    }
}

/// The scheduler of one daemon.
pub struct Scheduler {
    state: DeploymentState,
    options: SchedulerOptions,
    /// Every active, scheduled deployment, by id.
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    key: Key,
    /// The row's revision that `due` was made from.
    revision: u64,
    due: Due,
}

/// A time of a schedule and when its run starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Due {
    scheduled_at: Timestamp,
    starts_at: Timestamp,
}

impl Scheduler {
    /// Returns a scheduler that knows nothing yet.
    pub fn new(state: DeploymentState, options: SchedulerOptions) -> Self {
        Self {
            state,
            options,
            entries: BTreeMap::new(),
        }
    }

    /// Serves schedules until `stopping`.
    pub async fn run(mut self, stopping: CancellationToken) {
        let clock = self.clock();
        let changed = self.state.changed.clone();
        let mut look_at = clock.now();
        loop {
            if clock.now() >= look_at {
                let period = match self.look().await {
                    Ok(()) => LOOK_PERIOD,
                    Err(error) => {
                        tracing::error!(%error, "the scheduler cannot read its deployments");
                        FAILURE_PAUSE
                    }
                };
                look_at = clock.now().checked_add(period).unwrap_or(Timestamp::MAX);
            }
            let next = self.serve().await.map_or(look_at, |next| next.min(look_at));
            let wait = Duration::try_from(next.duration_since(clock.now())).unwrap_or_default();
            tokio::select! {
                () = clock.sleep(wait) => {}
                () = changed.notified() => look_at = clock.now(),
                () = stopping.cancelled() => return,
            }
        }
    }

    /// Starts every known run that is due, and returns when the next one will be.
    async fn serve(&mut self) -> Option<Timestamp> {
        let now = self.clock().now();
        let mut due: Vec<(Timestamp, String)> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.due.starts_at <= now)
            .map(|(id, entry)| (entry.due.starts_at, id.clone()))
            .collect();
        due.sort();
        for (_, id) in due {
            self.start(&id).await;
        }
        self.entries.values().map(|entry| entry.due.starts_at).min()
    }

    /// Learns of new, changed and gone deployments.
    async fn look(&mut self) -> Result<(), StoreError> {
        let store = self.store();
        let mut known = std::mem::take(&mut self.entries);
        let mut after: Option<String> = None;
        loop {
            let rows = match store
                .scan(Kind::Deployment, after.as_deref(), ROWS_MAX)
                .await
            {
                Ok(rows) => rows,
                Err(error) => {
                    // What was known stays known.
                    known.append(&mut self.entries);
                    self.entries = known;
                    return Err(error);
                }
            };
            let is_last = rows.len() < ROWS_MAX;
            after = rows.last().map(|row| row.key.id.clone());
            for row in rows {
                match known.remove(&row.key.id) {
                    Some(entry) if entry.revision == row.revision => {
                        self.entries.insert(row.key.id, entry);
                    }
                    _ => self.enter(&row),
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Plans a deployment anew from its row.
    fn enter(&mut self, row: &Resource) {
        let id = &row.key.id;
        let due = match plan(row) {
            Ok(Some(plan)) => next_due(&plan, id, self.clock().now(), &self.options),
            Ok(None) => None,
            Err(error) => {
                let reason = error.internal_message().unwrap_or_default();
                tracing::error!(deployment = id, reason, "a deployment cannot be scheduled");
                None
            }
        };
        match due {
            None => {
                self.entries.remove(id);
            }
            Some(due) => {
                let entry = Entry {
                    key: row.key.clone(),
                    revision: row.revision,
                    due,
                };
                self.entries.insert(id.clone(), entry);
            }
        }
    }

    /// Makes the run that an entry is due for, as the row now has it.
    async fn start(&mut self, id: &str) {
        let Some(key) = self.entries.get(id).map(|entry| entry.key.clone()) else {
            return;
        };
        if let Err(reason) = self.refresh(id, &key).await {
            return self.put_off(id, Some(reason));
        }
        let now = self.clock().now();
        let due = self.entries.get(id).map(|entry| entry.due);
        let Some(due) = due.filter(|due| due.starts_at <= now) else {
            return;
        };
        let trigger = Trigger::Schedule(due.scheduled_at);
        let failure = match attempt(&self.state, &key, trigger).await {
            Ok(_) => self.refresh(id, &key).await.err(),
            Err(error) => {
                let reason = error.internal_message().unwrap_or(error.message());
                Some(reason.to_owned())
            }
        };
        // A time that was not served must not be tried without a pause.
        let is_same = self.entries.get(id).is_some_and(|entry| entry.due == due);
        if failure.is_some() || is_same {
            self.put_off(id, failure);
        }
    }

    /// Plans an entry anew from the store.
    async fn refresh(&mut self, id: &str, key: &Key) -> Result<(), String> {
        match self.store().get(key, None).await {
            Ok(row) => self.enter(&row),
            Err(StoreError::NotFound) => {
                self.entries.remove(id);
            }
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    /// Looks at an entry that is still due again a little later.
    fn put_off(&mut self, id: &str, failure: Option<String>) {
        if let Some(reason) = failure {
            tracing::error!(deployment = id, reason, "a scheduled run could not be made");
        }
        let later = self.clock().now().checked_add(FAILURE_PAUSE);
        if let (Some(entry), Ok(later)) = (self.entries.get_mut(id), later) {
            entry.due.starts_at = entry.due.starts_at.max(later);
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.state.sessions.api.clock.clone()
    }

    fn store(&self) -> SharedStore {
        self.state.sessions.api.store.clone()
    }
}

/// Returns the newest time that has passed and is to be served, else the next one to come.
fn next_due(
    plan: &Plan,
    deployment_id: &str,
    now: Timestamp,
    options: &SchedulerOptions,
) -> Option<Due> {
    let oldest = now.checked_sub(options.late_max).unwrap_or(Timestamp::MIN);
    let mut scheduled_at = plan.cron.next_after(plan.times_after.max(oldest))?;
    loop {
        let following = plan.cron.next_after(scheduled_at);
        match following {
            Some(following) if following <= now => scheduled_at = following,
            _ => {
                let interval = following
                    .and_then(|following| following.duration_since(scheduled_at).try_into().ok())
                    .unwrap_or(Duration::MAX);
                let delay = delay(deployment_id, scheduled_at, interval, options.delay_max);
                return Some(Due {
                    scheduled_at,
                    starts_at: scheduled_at.checked_add(delay).ok()?,
                });
            }
        }
    }
}
