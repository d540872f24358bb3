//! Logs that begin with a part of another session's log, which they share instead of having a copy.
//!
//! A log is a row of stretches, each a run of one session's own events; the last stretch is its own. A log that
//! shares with one that shares itself names the first sources too, so nothing is followed from log to log.
//! Shared events outlive their session. Its handle is not given out again meanwhile: whoever shares came
//! after its sources and so has a larger handle, and a new handle is larger than every one in use.

use rusqlite::Connection;

use super::log::SessionRow;
use super::rows::{NUMBER_MAX, collect, execute, first, integer, natural, number_in, slot};
use crate::ids::WorkspaceId;
use crate::store::{History, Kind, STAGING_WORKSPACE, StoreError};

/// A run of one session's own events as a part of a log.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    /// The session whose own they are.
    pub(super) handle: i64,
    /// The number before its first.
    pub(super) after: u64,
    /// The last number it can have.
    pub(super) last: u64,
}

/// Slots above one and up to another.
#[derive(Clone, Copy)]
pub(super) struct Slots {
    pub(super) above: i64,
    pub(super) upto: i64,
}

impl Stretch {
    /// Returns where its numbers above `above` and up to `upto` lie, if it has any.
    pub(super) fn slots(self, above: u64, upto: u64) -> Option<Slots> {
        let (above, upto) = (above.max(self.after), upto.min(self.last));
        (above < upto).then(|| Slots {
            above: slot(self.handle, above),
            upto: slot(self.handle, upto),
        })
    }
}

impl SessionRow {
    /// Returns the stretches of the log in order; the last is the session's own.
    pub(super) fn stretches(&self, db: &Connection) -> Result<Vec<Stretch>, StoreError> {
        let mut stretches = Vec::new();
        let mut after = 0;
        // Most logs share nothing and are spared the look.
        if self.shared > 0 {
            let sql = "SELECT source, upto FROM segments WHERE session = ?1 ORDER BY upto";
            let segments = collect(db, sql, [self.handle], |row| {
                Ok((row.get::<_, i64>(0)?, natural(row.get(1)?)?))
            })?;
            for (handle, last) in segments {
                stretches.push(Stretch {
                    handle,
                    after,
                    last,
                });
                after = last;
            }
        }
        stretches.push(Stretch {
            handle: self.handle,
            after,
            last: NUMBER_MAX,
        });
        Ok(stretches)
    }
}

/// Returns the stretches that a new log shares.
pub(super) fn shared_stretches(
    db: &Connection,
    workspace: &WorkspaceId,
    history: &History,
) -> Result<Vec<Stretch>, StoreError> {
    let source = SessionRow::find(db, &history.session_id)?;
    let sql = "SELECT 1 FROM resources WHERE handle = ?1 AND kind = ?2 AND workspace IN (?3, ?4)";
    let names = (
        source.handle,
        Kind::Session.as_str(),
        workspace.as_str(),
        STAGING_WORKSPACE,
    );
    first(db, sql, names, |_| Ok(()))?.ok_or(StoreError::NotFound)?;
    let last = source.last_number(db)?;
    if history.number == 0 || history.number > last {
        return Err(StoreError::Invalid(format!(
            "a history must end at one of the log's events, 1 to {last}"
        )));
    }
    let mut stretches = source.stretches(db)?;
    stretches.retain(|stretch| stretch.after < history.number);
    if let Some(stretch) = stretches.last_mut() {
        stretch.last = stretch.last.min(history.number);
    }
    Ok(stretches)
}

/// Writes down what a session shares.
pub(super) fn share(
    db: &Connection,
    session: i64,
    stretches: &[Stretch],
) -> Result<(), StoreError> {
    for stretch in stretches {
        execute(
            db,
            "INSERT INTO segments (session, upto, source) VALUES (?1, ?2, ?3)",
            (session, integer(stretch.last), stretch.handle),
        )?;
    }
    Ok(())
}

/// Returns the sessions whose events a session shares, deleted ones too.
pub(super) fn sources(db: &Connection, session: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT source FROM segments WHERE session = ?1";
    collect(db, sql, [session], |row| Ok(row.get(0)?))
}

/// Removes what no log needs any more, once a session with these `sources` is gone.
pub(super) fn release(db: &Connection, session: i64, sources: &[i64]) -> Result<(), StoreError> {
    trim(db, session)?;
    for source in sources {
        let sql = "SELECT 1 FROM sessions WHERE handle = ?1";
        if first(db, sql, [source], |_| Ok(()))?.is_none() {
            trim(db, *source)?;
        }
    }
    Ok(())
}

/// Removes a deleted session's events, files and checkpoints, except what other logs share.
fn trim(db: &Connection, handle: i64) -> Result<(), StoreError> {
    let sql = "SELECT upto FROM segments WHERE source = ?1 ORDER BY upto DESC LIMIT 1";
    let shared = first(db, sql, [handle], |row| natural(row.get(0)?))?;
    let slots = [slot(handle, shared.unwrap_or(0)), slot(handle, u64::MAX)];
    for sql in [
        "DELETE FROM events WHERE slot > ?1 AND slot <= ?2",
        "DELETE FROM snapshots WHERE slot > ?1 AND slot <= ?2",
        "DELETE FROM roots WHERE slot > ?1 AND slot <= ?2",
        "DELETE FROM checkpoints WHERE slot > ?1 AND slot <= ?2",
    ] {
        execute(db, sql, slots)?;
    }
    Ok(())
}

/// Returns the slot with the largest number up to `number` in a log. `sql` finds the last one above the slot
/// ?1 and up to ?2.
pub(super) fn newest(
    db: &Connection,
    stretches: &[Stretch],
    number: u64,
    sql: &str,
) -> Result<Option<i64>, StoreError> {
    let mut newest: Option<i64> = None;
    for stretch in stretches.iter().rev() {
        // From the start, for what a session keeps of its own about events that it shares.
        let slots = [
            slot(stretch.handle, 0),
            slot(stretch.handle, number.min(stretch.last)),
        ];
        let found = first(db, sql, slots, |row| Ok(row.get(0)?))?;
        newest = newest
            .into_iter()
            .chain(found)
            .max_by_key(|at| number_in(*at));
        if newest.is_some_and(|at| number_in(at) > stretch.after) {
            break;
        }
    }
    Ok(newest)
}
