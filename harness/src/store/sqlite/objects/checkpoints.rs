//! Checkpoints: what a fold of a log came to, kept beside the events.

use bytes::Bytes;
use rusqlite::{Connection, params};

use crate::ids::SessionId;
use crate::store::StoreError;
use crate::store::sqlite::history;
use crate::store::sqlite::log::SessionRow;
use crate::store::sqlite::rows::{check_length, execute, first, number_in, slot};

/// Keeps one, and besides it the newest other. A session's own may also be about events that it shares.
pub(super) fn put(
    db: &Connection,
    session_id: &SessionId,
    number: u64,
    body: &Bytes,
) -> Result<(), StoreError> {
    let session = SessionRow::find(db, session_id)?;
    let last = session.last_number(db)?;
    if number == 0 || number > last {
        return Err(StoreError::Invalid(format!(
            "a checkpoint must be at one of the log's events, 1 to {last}"
        )));
    }
    check_length(body.len())?;
    execute(
        db,
        "INSERT INTO checkpoints (slot, body) VALUES (?1, ?2) \
         ON CONFLICT (slot) DO UPDATE SET body = excluded.body",
        params![slot(session.handle, number), body.as_ref()],
    )?;
    execute(
        db,
        "DELETE FROM checkpoints WHERE slot > ?1 AND slot < (\
           SELECT slot FROM checkpoints WHERE slot > ?1 AND slot <= ?2 \
           ORDER BY slot DESC LIMIT 1 OFFSET 1)",
        [slot(session.handle, 0), slot(session.handle, u64::MAX)],
    )?;
    Ok(())
}

/// Reads the newest one at an event of at most `number`.
pub(super) fn newest(
    db: &Connection,
    session_id: &SessionId,
    number: u64,
) -> Result<Option<(u64, Bytes)>, StoreError> {
    let stretches = SessionRow::find(db, session_id)?.stretches(db)?;
    let last =
        "SELECT slot FROM checkpoints WHERE slot > ?1 AND slot <= ?2 ORDER BY slot DESC LIMIT 1";
    let Some(slot) = history::newest(db, &stretches, number, last)? else {
        return Ok(None);
    };
    let sql = "SELECT body FROM checkpoints WHERE slot = ?1";
    let body = first(db, sql, [slot], |row| Ok(row.get::<_, Vec<u8>>(0)?))?;
    Ok(body.map(|body| (number_in(slot), Bytes::from(body))))
}
