//! The two workers of a daemon that look after files.

use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Collector, Sweeper};
use crate::store::LogGrew;

/// The running workers.
pub struct FileWorkers {
    tasks: [JoinHandle<()>; 2],
}

impl FileWorkers {
    /// Starts the workers; they end once `stop` is cancelled. `hints` are the store's, from before the first
    /// session may run.
    pub fn start(
        sweeper: Sweeper,
        collector: Collector,
        hints: broadcast::Receiver<LogGrew>,
        stop: &CancellationToken,
    ) -> Self {
        Self {
            tasks: [
                tokio::spawn(sweeper.run(stop.clone())),
                tokio::spawn(collector.run(hints, stop.clone())),
            ],
        }
    }

    /// Waits for their end.
    pub async fn ended(self) {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a worker of the files failed");
            }
        }
    }
}
