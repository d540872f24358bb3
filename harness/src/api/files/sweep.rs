//! Removes files whose time is over; and at a daemon's start, what an earlier one left half done: contents
//! without a record, and files of sessions that are gone.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::record;
use super::session_files::remove_of_session;
use crate::blobs::{BlobError, Blobs};
use crate::clock::{Clock, Timestamp};
use crate::ids::{FileId, SessionId, SkillVersionId, ToolVersionId};
use crate::json::Fields as _;
use crate::store::{Kind, ROWS_MAX, Resource, SharedStore, StoreError};

/// Longest time between two looks: no file that is uploaded meanwhile expires sooner.
const PERIOD_MAX: Duration = Duration::from_secs(3_600);
/// Shortest time between two looks.
const PERIOD_MIN: Duration = Duration::from_secs(10);
/// Sessions that are remembered while one look lasts.
const SESSIONS_MAX: usize = 100_000;

/// Removes files that nobody may use any more.
pub struct Sweeper {
    store: SharedStore,
    blobs: Blobs,
    clock: Arc<dyn Clock>,
    /// Contents that no record is known for yet. Emptied by the first look.
    unclaimed: HashSet<String>,
    is_first: bool,
}

impl Sweeper {
    /// Returns a sweeper. Made before the daemon takes requests: whatever has no record then never gets one.
    pub async fn new(
        store: SharedStore,
        blobs: Blobs,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BlobError> {
        let mut unclaimed: HashSet<String> = blobs.names().await?.into_iter().collect();
        // Contents of other kinds are their owners' business.
        unclaimed.retain(|name| {
            [
                FileId::PREFIX,
                SkillVersionId::PREFIX,
                ToolVersionId::PREFIX,
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        });
        Ok(Self {
            store,
            blobs,
            clock,
            unclaimed,
            is_first: true,
        })
    }

    /// Looks at once and then whenever a file expires, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let wait = match self.look().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "cannot look for files that have expired");
                    PERIOD_MIN
                }
            };
            tokio::select! {
                () = self.clock.sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Removes what is over now, and returns how long nothing more will be.
    pub async fn look(&mut self) -> Result<Duration, StoreError> {
        let now = self.clock.now();
        let mut wait = PERIOD_MAX;
        let mut after: Option<String> = None;
        let mut living: HashSet<String> = HashSet::new();
        loop {
            let files = self
                .store
                .scan(Kind::File, after.as_deref(), ROWS_MAX)
                .await?;
            for file in &files {
                self.unclaimed.remove(&file.key.id);
                match record::expires_at(file).map(|at| left(at, now)) {
                    Some(Duration::ZERO) => {
                        record::remove(&*self.store, &self.blobs, &file.key).await?;
                        continue;
                    }
                    Some(left) => wait = wait.min(left),
                    None => {}
                }
                if self.is_first {
                    self.check_session(file, &mut living).await?;
                }
            }
            after = files.last().map(|file| file.key.id.clone());
            if after.is_none() {
                break;
            }
        }
        if self.is_first {
            self.remove_unclaimed().await?;
            self.is_first = false;
        }
        Ok(wait.max(PERIOD_MIN))
    }

    /// Removes the files of the file's session if that is gone.
    async fn check_session(
        &self,
        file: &Resource,
        living: &mut HashSet<String>,
    ) -> Result<(), StoreError> {
        let Some(session) = file.body.at("scope").at("id").as_str() else {
            return Ok(());
        };
        if living.contains(session) {
            return Ok(());
        }
        match self.store.session(&SessionId::from_text(session)).await {
            Ok(_) => {
                if living.len() < SESSIONS_MAX {
                    living.insert(session.to_owned());
                }
                Ok(())
            }
            Err(StoreError::NotFound) => {
                remove_of_session(&*self.store, &self.blobs, &file.key.workspace, session).await
            }
            Err(error) => Err(error),
        }
    }

    async fn remove_unclaimed(&mut self) -> Result<(), StoreError> {
        for kind in [Kind::SkillVersion, Kind::ToolVersion] {
            let mut after: Option<String> = None;
            loop {
                let versions = self.store.scan(kind, after.as_deref(), ROWS_MAX).await?;
                for version in &versions {
                    self.unclaimed.remove(&version.key.id);
                }
                after = versions.last().map(|version| version.key.id.clone());
                if after.is_none() {
                    break;
                }
            }
        }
        for name in self.unclaimed.drain() {
            tracing::info!(content = name, "a content without a record is removed");
            record::drop_content(&self.blobs, &name).await;
        }
        Ok(())
    }
}

fn left(at: Timestamp, now: Timestamp) -> Duration {
    // Negative is none.
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}
