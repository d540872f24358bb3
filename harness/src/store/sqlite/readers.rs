//! Reads: a bounded pool of read-only connections, used from blocking threads.
//!
//! Each read is one transaction, so it sees one state of the store. It never waits for the writer.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::schema;
use crate::store::StoreError;

/// The pool.
pub(super) struct Readers {
    path: PathBuf,
    /// One for each connection that may be open; a read beyond them waits here, without a thread.
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// Opens the first connection, so that a store that cannot be read fails at once.
    pub(super) fn open(path: PathBuf, connections_max: usize) -> Result<Self, StoreError> {
        let first = schema::open_reader(&path)?;
        Ok(Self {
            path,
            permits: Arc::new(Semaphore::new(connections_max.max(1))),
            idle: Arc::new(Mutex::new(vec![first])),
        })
    }

    /// Runs `read` in a transaction on a connection of its own.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.permits.clone().acquire_owned().await;
        let (path, idle) = (self.path.clone(), self.idle.clone());
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let pooled = idle.lock().unwrap_or_else(|e| e.into_inner()).pop();
            let mut db = match pooled {
                Some(db) => db,
                None => schema::open_reader(&path)?,
            };
            let result = in_transaction(&mut db, read);
            // After a database failure the next read starts with a fresh connection.
            if !matches!(result, Err(StoreError::Failed(_))) {
                idle.lock().unwrap_or_else(|e| e.into_inner()).push(db);
            }
            result
        });
        match task.await {
            Ok(result) => result,
            Err(error) => Err(StoreError::Failed(format!("a read was cut off: {error}"))),
        }
    }
}

fn in_transaction<T>(
    db: &mut Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let tx = db.transaction()?;
    let result = read(&tx)?;
    tx.commit()?;
    Ok(result)
}
