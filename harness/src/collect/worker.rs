//! The daemon's worker: collects garbage some time after the start, and then periodically.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Collected, Rules, collect};
use crate::clock::Clock;
use crate::content::Content;

/// Longest wait for the first collection: behind what a start has to do, and soon enough for a daemon that is
/// started anew every day.
const FIRST_WAIT_MAX: Duration = Duration::from_secs(10 * 60);

/// Collects garbage in the background.
pub struct Worker {
    /// The objects.
    pub content: Content,
    /// Tells when.
    pub clock: Arc<dyn Clock>,
    /// Time between two collections; none ever without one.
    pub period: Option<Duration>,
    /// What is kept where, and for how long.
    pub rules: Rules,
}

impl Worker {
    /// Works until `stopping`. A collection that is under way then is given up; the next one does its work.
    pub async fn run(self, stopping: CancellationToken) {
        let Some(period) = self.period else {
            return;
        };
        let mut wait = period.min(FIRST_WAIT_MAX);
        loop {
            tokio::select! {
                () = self.clock.sleep(wait) => {}
                () = stopping.cancelled() => return,
            }
            tokio::select! {
                () = self.collect() => {}
                () = stopping.cancelled() => return,
            }
            wait = period;
        }
    }

    async fn collect(&self) {
        match collect(&self.content, &self.rules, self.clock.now()).await {
            Ok(done) if done == Collected::default() => {}
            Ok(done) => tracing::info!(
                removed = done.removed,
                moved = done.moved,
                packs_removed = done.packs_removed,
                strays_removed = done.strays_removed,
                "garbage was collected"
            ),
            Err(error) => tracing::error!(%error, "garbage could not be collected"),
        }
    }
}
