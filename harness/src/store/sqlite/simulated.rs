//! A store in memory for simulations: each operation runs whole, at once, on its caller's thread.
//!
//! The statements are those of a store on a file; threads, groups of commits and the file itself are not here, so
//! that nothing happens that a simulation does not decide. What a disk can do to an operation is its caller's
//! [`Device`]'s to say. Deliberately absent: torn pages, which SQLite's own log undoes before anything is read.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::broadcast;

use super::writer::Unit;
use super::{GROWTH_MAX, Runs, SqliteStore, schema};
use crate::store::{LogGrew, StoreError};

/// What becomes of a commit.
#[derive(Debug)]
pub enum Fate {
    /// It is durable.
    Kept,
    /// It is undone, and this is its answer.
    Lost(StoreError),
    /// It is durable, but this is its answer: as of a sync that failed after the bytes had reached the disk.
    KeptUntold(StoreError),
}

/// What lies between one process and its store.
#[async_trait]
pub trait Device: Send + Sync + 'static {
    /// Waits until an operation may begin. An error is the operation's answer, and it never runs.
    async fn begin(&self, is_write: bool) -> Result<(), StoreError>;

    /// Decides about a commit.
    fn commit(&self) -> Fate;

    /// Waits until the answer of an operation that ran may be given.
    async fn end(&self);
}

/// A database in memory, which any number of processes use. It is gone with the last of them.
#[derive(Clone)]
pub struct Memory {
    db: Arc<Mutex<Connection>>,
    growth: broadcast::Sender<LogGrew>,
}

impl Memory {
    /// Returns an empty one. Errors: `Failed`.
    pub fn new() -> Result<Self, StoreError> {
        Ok(Self {
            db: Arc::new(Mutex::new(schema::open_memory()?)),
            growth: broadcast::channel(GROWTH_MAX).0,
        })
    }

    /// Returns a process's store on it.
    pub fn store(&self, device: Arc<dyn Device>) -> SqliteStore {
        SqliteStore {
            runs: Runs::Simulated(Caller {
                memory: self.clone(),
                device,
            }),
            growth: self.growth.clone(),
        }
    }
}

/// A process that uses a [`Memory`].
pub(super) struct Caller {
    memory: Memory,
    device: Arc<dyn Device>,
}

impl Caller {
    /// Runs `read` on one state of the store.
    pub(super) async fn read<T: Send>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        self.device.begin(false).await?;
        let result = {
            let db = self.memory.db.lock().unwrap_or_else(|e| e.into_inner());
            read(&db)
        };
        self.device.end().await;
        result
    }

    /// Runs `write` in a commit of its own.
    pub(super) async fn write<T: Send>(
        &self,
        write: impl FnMut(&mut Unit<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        self.device.begin(true).await?;
        let result = self.commit(write);
        self.device.end().await;
        result
    }

    fn commit<T>(
        &self,
        mut write: impl FnMut(&mut Unit<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let db = self.memory.db.lock().unwrap_or_else(|e| e.into_inner());
        db.execute_batch("BEGIN IMMEDIATE")?;
        let mut grown = Vec::new();
        let written = write(&mut Unit::new(&db, &mut grown));
        let (is_kept, answer) = match written {
            Err(error) => (false, Err(error)),
            Ok(done) => match self.device.commit() {
                Fate::Kept => (true, Ok(done)),
                Fate::Lost(error) => (false, Err(error)),
                Fate::KeptUntold(error) => (true, Err(error)),
            },
        };
        if !is_kept {
            // SQLite has rolled back by itself after some failures.
            if !db.is_autocommit() {
                db.execute_batch("ROLLBACK")?;
            }
            return answer;
        }
        db.execute_batch("COMMIT")?;
        for growth in grown {
            // Fails only when nobody listens.
            let _ = self.memory.growth.send(growth);
        }
        answer
    }
}
