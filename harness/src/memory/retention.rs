//! Old versions end: a worker of the daemon removes them.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::versions::removal;
use super::{MemoryError, STORE_LABEL};
use crate::clock::{Clock, Timestamp};
use crate::json::Fields as _;
use crate::store::{
    Key, Kind, Order, Resource, ResourceQuery, SharedStore, Store, StoreError, TimeRange,
};

/// How long versions are kept.
pub const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The newest versions of a live memory that are kept however old they are.
const RECENT_KEPT: usize = 5;
/// Wait between two sweeps.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// Rows read at once.
const PAGE: usize = 500;

/// Sweeps now and every hour, until `stopping`.
pub async fn run(store: SharedStore, clock: Arc<dyn Clock>, stopping: CancellationToken) {
    loop {
        tokio::select! {
            swept = sweep(&*store, clock.now()) => match swept {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "old versions of memories were removed"),
                Err(error) => tracing::error!(%error, "old versions of memories could not be removed"),
            },
            () = stopping.cancelled() => return,
        }
        tokio::select! {
            () = clock.sleep(PAUSE) => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// Removes versions that are older than [`RETENTION`], but for the newest of a live memory, and returns how
/// many it removed.
pub async fn sweep(store: &dyn Store, now: Timestamp) -> Result<usize, MemoryError> {
    let Ok(end) = now.checked_sub(RETENTION) else {
        return Ok(0);
    };
    let mut removed = 0;
    let mut after: Option<String> = None;
    loop {
        let page = store
            .scan(Kind::MemoryVersion, after.as_deref(), PAGE)
            .await?;
        for version in &page {
            // Ids sort by their time, so everything behind the first young one is young.
            if version.created_at >= end {
                return Ok(removed);
            }
            if is_kept(store, version).await? {
                continue;
            }
            match store.write(removal(version)).await {
                Ok(_) => removed += 1,
                // Redacted or removed at this moment; the next sweep sees what is left.
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.key.id.clone()),
            _ => return Ok(removed),
        }
    }
}

/// Tells whether a version is among the newest of a live memory.
async fn is_kept(store: &dyn Store, version: &Resource) -> Result<bool, MemoryError> {
    let text = |name: &str| {
        version
            .body
            .at(name)
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let memory = Key {
        workspace: version.key.workspace.clone(),
        kind: Kind::Memory,
        id: text("memory_id"),
    };
    match store.get(&memory, None).await {
        Ok(memory) if *memory.body.at(STORE_LABEL) == *version.body.at(STORE_LABEL) => {}
        Ok(_) | Err(StoreError::NotFound) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let newest = store
        .list(&ResourceQuery {
            workspace: version.key.workspace.clone(),
            kind: Kind::MemoryVersion,
            include_archived: true,
            created_at: TimeRange::default(),
            statuses: Vec::new(),
            labels: vec![("memory_id".to_owned(), text("memory_id"))],
            order: Order::Descending,
            after: None,
            limit: RECENT_KEPT,
        })
        .await?;
    Ok(newest.iter().any(|kept| kept.key.id == version.key.id))
}
