//! Leases: who drives a session, and which sessions wait for a driver.

use rusqlite::{Connection, params};

use super::rows::{collect, execute, first, instant, integer, micros, natural};
use crate::clock::Timestamp;
use crate::ids::SessionId;
use crate::store::{Lease, ROWS_MAX, StoreError};

/// Takes a lease that is free at `now` or already `holder`'s.
pub(super) fn acquire(
    db: &Connection,
    session_id: &SessionId,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Lease, StoreError> {
    let sql = "SELECT lease_token, lease_holder, lease_until FROM sessions WHERE id = ?1";
    let (token, held) = first(db, sql, [session_id.as_str()], |row| {
        let by: Option<String> = row.get(1)?;
        let held = by.zip(row.get::<_, Option<i64>>(2)?);
        Ok((row.get::<_, i64>(0)?, held))
    })?
    .ok_or(StoreError::NotFound)?;
    if let Some((by, held_until)) = held
        && by != holder
        && held_until > micros(now)
    {
        return Err(StoreError::LeaseHeld {
            until: instant(held_until)?,
        });
    }
    let token = token + 1;
    execute(
        db,
        "UPDATE sessions SET lease_token = ?2, lease_holder = ?3, lease_until = ?4 WHERE id = ?1",
        params![session_id.as_str(), token, holder, micros(until)],
    )?;
    Ok(Lease {
        session_id: session_id.clone(),
        token: natural(token)?,
    })
}

/// Extends a lease that is still the newest.
pub(super) fn renew(db: &Connection, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
    let renewed = execute(
        db,
        "UPDATE sessions SET lease_until = ?3 \
         WHERE id = ?1 AND lease_token = ?2 AND lease_holder IS NOT NULL",
        params![
            lease.session_id.as_str(),
            integer(lease.token),
            micros(until)
        ],
    )?;
    if renewed == 0 {
        return Err(StoreError::LeaseLost);
    }
    Ok(())
}

/// Gives a lease back. Without a holder no token counts, so what was given back is refused from now on.
pub(super) fn release(db: &Connection, lease: &Lease) -> Result<(), StoreError> {
    execute(
        db,
        "UPDATE sessions SET lease_holder = NULL, lease_until = NULL \
         WHERE id = ?1 AND lease_token = ?2",
        params![lease.session_id.as_str(), integer(lease.token)],
    )?;
    Ok(())
}

/// Gives back every lease of one holder. Reads all sessions: once at a start.
pub(super) fn release_of(db: &Connection, holder: &str) -> Result<(), StoreError> {
    execute(
        db,
        "UPDATE sessions SET lease_holder = NULL, lease_until = NULL WHERE lease_holder = ?1",
        [holder],
    )?;
    Ok(())
}

/// Returns the sessions that wait for a driver, the longest-waiting first.
pub(super) fn to_wake(
    db: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<SessionId>, StoreError> {
    collect(
        db,
        "SELECT id FROM sessions INDEXED BY sessions_to_wake \
         WHERE wake_since IS NOT NULL AND (lease_until IS NULL OR lease_until <= ?1) \
         ORDER BY wake_since, handle LIMIT ?2",
        (micros(now), limit.min(ROWS_MAX) as i64),
        |row| Ok(SessionId::from_text(row.get::<_, String>(0)?)),
    )
}
