//! The store on one SQLite file, for one daemon.
//!
//! Writes go through one thread that commits in groups ([`writer`]), reads through a pool of read-only
//! connections ([`readers`]); neither waits for the other. What happens inside a transaction is in
//! `resources`, `log`, `history`, `leases` and `objects`, pages are in `resource_list` and `event_list`.
//! Simulations have the same in memory, without threads ([`simulated`]).
//! Deliberately absent: news of other processes' writes. Whoever opens the data folder locks it.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::broadcast;

use super::{
    Append, EventQuery, Key, Kind, Lease, LogGrew, NewResource, Objects, Resource, ResourceChange,
    ResourceQuery, Store, StoreError, StoredEvent, Write,
};
use crate::clock::Timestamp;
use crate::ids::SessionId;

mod event_list;
mod history;
mod leases;
mod log;
mod objects;
mod readers;
mod resource_list;
mod resources;
mod rows;
mod schema;
mod simulated;
#[cfg(test)]
mod tests;
mod writer;

pub use simulated::{Device, Fate, Memory};

/// News of growth kept for a slow subscriber; one that is further behind hears `Lagged`.
const GROWTH_MAX: usize = 4_096;
/// Reading connections by default: enough to keep a small machine's disk busy.
const READERS_DEFAULT: usize = 4;

/// How to open a [`SqliteStore`].
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The database file. It is made, readable by its owner alone, if there is none; its folder must exist.
    pub path: PathBuf,
    /// Most connections that read at the same time, at least 1. Default: 4.
    pub readers_max: usize,
    /// Largest size of the database file; beyond it writes are [`StoreError::Full`]. Default: the disk's.
    pub bytes_max: Option<u64>,
}

impl SqliteOptions {
    /// Returns the defaults for a file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers_max: READERS_DEFAULT,
            bytes_max: None,
        }
    }
}

/// A [`Store`] on one SQLite file. Dropping it finishes what was queued and closes the file; the drop
/// waits for that, at most about as long as one commit takes.
pub struct SqliteStore {
    runs: Runs,
    growth: broadcast::Sender<LogGrew>,
}

/// Where operations run.
enum Runs {
    /// On threads of their own.
    Threads {
        // Closed before the writer, which then tidies the file as its last user.
        readers: readers::Readers,
        writer: writer::Writer,
    },
    /// On the caller's, in memory.
    Simulated(simulated::Caller),
}

impl SqliteStore {
    /// Opens the file, making or migrating it as needed. Blocks for as long as that takes.
    /// Errors: `InUse` when another process keeps it locked; `Full`; `Failed` when it is no store of ours or
    /// was written by a newer release.
    pub fn open(options: SqliteOptions) -> Result<Self, StoreError> {
        let options = Arc::new(options);
        let (growth, _) = broadcast::channel(GROWTH_MAX);
        let writer = writer::Writer::start(options.clone(), growth.clone())?;
        let readers = readers::Readers::open(options.path.clone(), options.readers_max)?;
        Ok(Self {
            runs: Runs::Threads { readers, writer },
            growth,
        })
    }

    /// Returns what is wrong with the file itself, whatever is stored in it; nothing if it is whole. Reads all of it.
    pub async fn faults(&self) -> Result<Vec<String>, StoreError> {
        let sql = "PRAGMA integrity_check(100)";
        let mut faults = self
            .reading(move |db| rows::collect(db, sql, (), |row| Ok(row.get::<_, String>(0)?)))
            .await?;
        faults.retain(|fault| fault != "ok");
        Ok(faults)
    }

    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.runs {
            Runs::Threads { readers, .. } => readers.run(read).await,
            Runs::Simulated(caller) => caller.read(read).await,
        }
    }

    async fn writing<T: Send + 'static>(
        &self,
        write: impl FnMut(&mut writer::Unit<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.runs {
            Runs::Threads { writer, .. } => writer.run(write).await,
            Runs::Simulated(caller) => caller.write(write).await,
        }
    }
}

fn write_rows(writes: Vec<Write>) -> Result<Vec<resources::WriteRow>, StoreError> {
    writes.into_iter().map(resources::WriteRow::new).collect()
}

#[async_trait]
impl Store for SqliteStore {
    async fn create(&self, new: NewResource) -> Result<Resource, StoreError> {
        let row = resources::ResourceRow::new(&new)?;
        self.writing(move |unit| resources::create(unit, &row))
            .await?;
        Ok(resources::created(new))
    }

    async fn get(&self, key: &Key, version: Option<u64>) -> Result<Resource, StoreError> {
        let key = key.clone();
        self.reading(move |db| resources::get(db, &key, version))
            .await
    }

    async fn list(&self, query: &ResourceQuery) -> Result<Vec<Resource>, StoreError> {
        let query = query.clone();
        self.reading(move |db| resource_list::list(db, &query))
            .await
    }

    async fn versions(
        &self,
        key: &Key,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Resource>, StoreError> {
        let key = key.clone();
        self.reading(move |db| resources::versions(db, &key, before, limit))
            .await
    }

    async fn update(
        &self,
        key: &Key,
        revision: u64,
        change: ResourceChange,
    ) -> Result<Resource, StoreError> {
        let key = key.clone();
        let row = resources::ChangeRow::new(change)?;
        self.writing(move |unit| resources::update(unit, &key, revision, &row))
            .await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let key = key.clone();
        self.writing(move |unit| resources::delete(unit, &key))
            .await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Option<Resource>>, StoreError> {
        let rows = write_rows(writes)?;
        self.writing(move |unit| rows.iter().map(|row| resources::write(unit, row)).collect())
            .await
    }

    async fn scan(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Resource>, StoreError> {
        let after = after.unwrap_or_default().to_owned();
        self.reading(move |db| resources::scan(db, kind, &after, limit))
            .await
    }

    async fn session(&self, session_id: &SessionId) -> Result<Resource, StoreError> {
        let session_id = session_id.clone();
        self.reading(move |db| resources::session(db, &session_id))
            .await
    }

    async fn append_with(
        &self,
        mut append: Append,
        writes: Vec<Write>,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let row = log::AppendRow::new(&mut append)?;
        let rows = write_rows(writes)?;
        let standings = self
            .writing(move |unit| {
                let standings = log::append(unit, &row)?;
                for row in &rows {
                    resources::write(unit, row)?;
                }
                Ok(standings)
            })
            .await?;
        log::stored(append.events, standings)
    }

    async fn read(
        &self,
        session_id: &SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let session_id = session_id.clone();
        self.reading(move |db| log::read(db, &session_id, after, limit))
            .await
    }

    async fn list_events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        let query = query.clone();
        self.reading(move |db| event_list::list(db, &query)).await
    }

    async fn find_event(
        &self,
        session_id: &SessionId,
        event_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let (session_id, event_id) = (session_id.clone(), event_id.to_owned());
        self.reading(move |db| log::find(db, &session_id, &event_id))
            .await
    }

    async fn last_number(&self, session_id: &SessionId) -> Result<u64, StoreError> {
        let session_id = session_id.clone();
        self.reading(move |db| log::SessionRow::find(db, &session_id)?.last_number(db))
            .await
    }

    async fn acquire_lease(
        &self,
        session_id: &SessionId,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError> {
        let (session_id, holder) = (session_id.clone(), holder.to_owned());
        self.writing(move |unit| leases::acquire(unit.db, &session_id, &holder, now, until))
            .await
    }

    async fn renew_lease(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.writing(move |unit| leases::renew(unit.db, &lease, until))
            .await
    }

    async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.writing(move |unit| leases::release(unit.db, &lease))
            .await
    }

    async fn release_leases_of(&self, holder: &str) -> Result<(), StoreError> {
        let holder = holder.to_owned();
        self.writing(move |unit| leases::release_of(unit.db, &holder))
            .await
    }

    async fn sessions_to_wake(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.reading(move |db| leases::to_wake(db, now, limit))
            .await
    }

    fn files(&self) -> &dyn Objects {
        self
    }

    fn subscribe(&self) -> broadcast::Receiver<LogGrew> {
        self.growth.subscribe()
    }
}
