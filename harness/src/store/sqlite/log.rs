//! The log: appending events with the projection that follows from them, and reading by number.

use rusqlite::{Connection, Row, params};
use serde_json::Value;

use super::history::Slots;
use super::objects;
use super::rows::{
    NUMBER_MAX, check_length, collect, execute, first, instant, integer, json_text, json_value,
    micros, natural, number_in, slot,
};
use super::writer::Unit;
use crate::clock::truncate;
use crate::ids::{EventId, SessionId, ThreadId};
use crate::store::{
    Append, FilesChange, Lease, NewEvent, PROCESSED, Projection, ROWS_MAX, StoreError, StoredEvent,
};

/// What the types of events start with that the API never shows.
const HIDDEN_PREFIX: &str = "sinew.";

/// What `is_hidden` says of an event: in which lists it is.
const SHOWN: i64 = 0;
const HIDDEN: i64 = 1;
const THREAD_ONLY: i64 = 2;

/// The columns that [`event`] reads, of a table named `e`.
pub(super) const COLUMNS: &str = "e.slot, e.id, e.thread_id, e.kind, e.at, e.position_slot, e.processed_at, e.body, e.private, e.is_hidden";

/// Reads a row of [`COLUMNS`].
pub(super) fn event(row: &Row<'_>) -> Result<StoredEvent, StoreError> {
    let has_private = row.get_ref(8)? != rusqlite::types::ValueRef::Null;
    Ok(StoredEvent {
        number: number_in(row.get(0)?),
        id: EventId::from_text(row.get::<_, String>(1)?),
        thread_id: row.get::<_, Option<String>>(2)?.map(ThreadId::from_text),
        is_thread_only: row.get::<_, i64>(9)? == THREAD_ONLY,
        kind: row.get(3)?,
        at: instant(row.get(4)?)?,
        position: row.get::<_, Option<i64>>(5)?.map(number_in),
        processed_at: row.get::<_, Option<i64>>(6)?.map(instant).transpose()?,
        body: json_value(row, 7)?,
        private: has_private.then(|| json_value(row, 8)).transpose()?,
    })
}

/// A [`NewEvent`] as it is written.
pub(super) struct EventRow {
    id: String,
    thread_id: Option<String>,
    is_thread_only: bool,
    kind: String,
    at: i64,
    is_queued: bool,
    body: String,
    private: Option<String>,
    /// The queued event that this one takes from the queue.
    takes: Option<String>,
}

impl EventRow {
    /// Checks and converts.
    pub(super) fn new(new: &NewEvent) -> Result<Self, StoreError> {
        let body = json_text(&new.body)?;
        let private = new.private.as_ref().map(json_text).transpose()?;
        check_length(body.len() + private.as_ref().map_or(0, String::len))?;
        let takes = if new.kind == PROCESSED {
            let named = new.body.get("event_id").and_then(Value::as_str);
            if named.is_none() || new.is_queued {
                return Err(names_no_queued_event());
            }
            named.map(str::to_owned)
        } else {
            None
        };
        Ok(Self {
            id: new.id.as_str().to_owned(),
            thread_id: new.thread_id.as_ref().map(|id| id.as_str().to_owned()),
            is_thread_only: new.is_thread_only,
            kind: new.kind.clone(),
            at: micros(new.at),
            is_queued: new.is_queued,
            body,
            private,
            takes,
        })
    }
}

fn names_no_queued_event() -> StoreError {
    StoreError::Invalid(format!("a {PROCESSED} event names no queued event"))
}

/// A session's row, by its id.
pub(super) struct SessionRow {
    /// The upper part of its events' slots.
    pub(super) handle: i64,
    /// The last number that it shares with other logs, 0 if none.
    pub(super) shared: u64,
    /// The newest lease's token, while somebody has it.
    lease_token: Option<i64>,
}

impl SessionRow {
    /// Finds it.
    pub(super) fn find(db: &Connection, session_id: &SessionId) -> Result<Self, StoreError> {
        let sql = "SELECT handle, shared, iif(lease_holder IS NULL, NULL, lease_token) FROM sessions \
                   WHERE id = ?1";
        first(db, sql, [session_id.as_str()], |row| {
            Ok(Self {
                handle: row.get(0)?,
                shared: natural(row.get(1)?)?,
                lease_token: row.get(2)?,
            })
        })?
        .ok_or(StoreError::NotFound)
    }

    /// Returns the number of the last event, 0 if there is none.
    pub(super) fn last_number(&self, db: &Connection) -> Result<u64, StoreError> {
        let last = first(
            db,
            "SELECT slot FROM events WHERE slot > ?1 AND slot <= ?2 ORDER BY slot DESC LIMIT 1",
            [slot(self.handle, 0), slot(self.handle, u64::MAX)],
            |row| Ok(row.get::<_, i64>(0)?),
        )?;
        Ok(last.map_or(self.shared, number_in))
    }
}

/// An [`Append`] as it is written.
pub(super) struct AppendRow {
    session_id: SessionId,
    expected: u64,
    lease: Option<Lease>,
    /// What is wrong with the events is told only if nothing else is wrong.
    events: Result<Vec<EventRow>, String>,
    projection: Option<(Projection, String)>,
    files: Option<Box<FilesChange>>,
}

impl AppendRow {
    /// Converts. Takes the files out of the append, since they may be large.
    pub(super) fn new(append: &mut Append) -> Result<Self, StoreError> {
        let rows = append.events.iter().map(EventRow::new).collect();
        let events = match rows {
            Ok(rows) => Ok(rows),
            Err(StoreError::Invalid(text)) => Err(text),
            Err(error) => return Err(error),
        };
        let body = append.projection.as_ref().map(|p| json_text(&p.body));
        let (events, projection) = match body.transpose() {
            Ok(body) => (events, append.projection.clone().zip(body)),
            Err(StoreError::Invalid(text)) => (Err(text), None),
            Err(error) => return Err(error),
        };
        Ok(Self {
            session_id: append.session_id.clone(),
            expected: append.expected,
            lease: append.lease.clone(),
            events,
            projection,
            files: append.files.take(),
        })
    }
}

/// Where an appended event stands: its number, and its position with the time of that, if it has one.
pub(super) struct Standing {
    number: u64,
    position: Option<(u64, i64)>,
}

/// Appends, or refuses for the first reason in the order that the trait gives.
pub(super) fn append(unit: &mut Unit<'_>, append: &AppendRow) -> Result<Vec<Standing>, StoreError> {
    let db = unit.db;
    let session = SessionRow::find(db, &append.session_id)?;
    let is_newest = |lease: &Lease| {
        lease.session_id == append.session_id && session.lease_token == Some(integer(lease.token))
    };
    if !append.lease.as_ref().is_none_or(is_newest) {
        return Err(StoreError::LeaseLost);
    }
    let last = session.last_number(db)?;
    if last != append.expected {
        return Err(StoreError::LogMoved { actual: last });
    }
    let events = match &append.events {
        Ok(events) => events,
        Err(text) => return Err(StoreError::Invalid(text.clone())),
    };
    let Some(at) = events.last().map(|event| event.at) else {
        return Err(StoreError::Invalid("an append has no events".to_owned()));
    };
    let standings = insert(db, session.handle, last, events)?;
    let grown = last + events.len() as u64;
    if let Some(change) = &append.files {
        objects::change(db, slot(session.handle, grown), change)?;
    }
    if let Some((projection, body)) = &append.projection {
        project(db, session.handle, at, projection, body)?;
    }
    unit.grew(&append.session_id, grown);
    Ok(standings)
}

/// Writes events behind number `last`.
pub(super) fn insert(
    db: &Connection,
    handle: i64,
    last: u64,
    events: &[EventRow],
) -> Result<Vec<Standing>, StoreError> {
    if events.len() as u64 > NUMBER_MAX - last {
        return Err(StoreError::Invalid(format!(
            "the log would pass number {NUMBER_MAX}"
        )));
    }
    let mut standings: Vec<Standing> = Vec::with_capacity(events.len());
    for (number, event) in (last + 1..).zip(events) {
        let own = slot(handle, number);
        let is_hidden = match event.kind.starts_with(HIDDEN_PREFIX) {
            true => HIDDEN,
            false if event.is_thread_only => THREAD_ONLY,
            false => SHOWN,
        };
        execute(
            db,
            "INSERT INTO events (slot, id, thread_id, kind, at, position_slot, processed_at, \
                                 is_hidden, body, private) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                own,
                event.id,
                event.thread_id,
                event.kind,
                event.at,
                (!event.is_queued).then_some(own),
                (!event.is_queued).then_some(event.at),
                is_hidden,
                event.body,
                event.private,
            ],
        )?;
        standings.push(Standing {
            number,
            position: (!event.is_queued).then_some((number, event.at)),
        });
        if let Some(event_id) = &event.takes {
            let taken = take_from_queue(db, handle, event_id, own, event.at)?;
            // It may have been queued by this very append.
            if let Some(standing) = standings.iter_mut().find(|s| s.number == taken) {
                standing.position = Some((number, event.at));
            }
        }
    }
    Ok(standings)
}

/// Gives a queued event its position and returns its number.
fn take_from_queue(
    db: &Connection,
    handle: i64,
    event_id: &str,
    position: i64,
    at: i64,
) -> Result<u64, StoreError> {
    let queued = first(
        db,
        "SELECT slot FROM events INDEXED BY events_queued_by_id \
         WHERE position_slot IS NULL AND id = ?1 AND slot > ?2 AND slot <= ?3 \
         ORDER BY slot LIMIT 1",
        (event_id, slot(handle, 0), slot(handle, u64::MAX)),
        |row| Ok(row.get::<_, i64>(0)?),
    )?
    .ok_or_else(names_no_queued_event)?;
    execute(
        db,
        "UPDATE events SET position_slot = ?2, processed_at = ?3 WHERE slot = ?1",
        (queued, position, at),
    )?;
    Ok(number_in(queued))
}

/// Writes what follows from the log into the session's resource.
fn project(
    db: &Connection,
    handle: i64,
    at: i64,
    projection: &Projection,
    body: &str,
) -> Result<(), StoreError> {
    execute(
        db,
        "UPDATE resources SET revision = revision + 1, updated_at = ?2, body = ?3 WHERE handle = ?1",
        (handle, at, body),
    )?;
    // Apart, because most appends change none of these and naming an indexed column rewrites its index.
    execute(
        db,
        "UPDATE resources SET status = ?2, archived_at = ?3 \
         WHERE handle = ?1 AND (status IS NOT ?2 OR archived_at IS NOT ?3)",
        (
            handle,
            &projection.status,
            projection.archived_at.map(micros),
        ),
    )?;
    // A session that still waits keeps its place among those that do.
    let since = projection.needs_wake.then_some(at);
    execute(
        db,
        "UPDATE sessions SET wake_since = ?2 \
         WHERE handle = ?1 AND (wake_since IS NULL) <> (?2 IS NULL)",
        (handle, since),
    )?;
    Ok(())
}

/// Joins events with where they now stand.
pub(super) fn stored(
    events: Vec<NewEvent>,
    standings: Vec<Standing>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let join = |(new, standing): (NewEvent, Standing)| {
        let (position, at) = standing.position.unzip();
        Ok(StoredEvent {
            number: standing.number,
            id: new.id,
            thread_id: new.thread_id,
            is_thread_only: new.is_thread_only && !new.kind.starts_with(HIDDEN_PREFIX),
            kind: new.kind,
            at: truncate(new.at),
            position,
            processed_at: at.map(instant).transpose()?,
            body: new.body,
            private: new.private,
        })
    };
    events.into_iter().zip(standings).map(join).collect()
}

/// Reads by number.
pub(super) fn read(
    db: &Connection,
    session_id: &SessionId,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let stretches = SessionRow::find(db, session_id)?.stretches(db)?;
    let limit = limit.min(ROWS_MAX);
    let mut found = Vec::new();
    for stretch in stretches {
        let wanted = limit - found.len();
        let Some(slots) = stretch.slots(after, u64::MAX) else {
            continue;
        };
        if wanted == 0 {
            break;
        }
        let (sql, columns) = run(slots, wanted);
        found.extend(collect(db, &sql, columns, |row| {
            Ok(as_shared(event(row)?, stretch.last))
        })?);
    }
    Ok(found)
}

/// Finds an event by its id.
pub(super) fn find(
    db: &Connection,
    session_id: &SessionId,
    event_id: &str,
) -> Result<Option<StoredEvent>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events e WHERE e.slot > ?1 AND e.slot <= ?2 AND e.id = ?3 LIMIT 1"
    );
    // What is asked for is mostly new.
    for stretch in SessionRow::find(db, session_id)?
        .stretches(db)?
        .into_iter()
        .rev()
    {
        let Some(slots) = stretch.slots(0, u64::MAX) else {
            continue;
        };
        let found = first(db, &sql, (slots.above, slots.upto, event_id), |row| {
            Ok(as_shared(event(row)?, stretch.last))
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Returns the query for events in order of number.
pub(super) fn run(slots: Slots, limit: usize) -> (String, [i64; 3]) {
    let sql = format!(
        "SELECT {COLUMNS} FROM events e WHERE e.slot > ?1 AND e.slot <= ?2 ORDER BY e.slot LIMIT ?3"
    );
    (sql, [slots.above, slots.upto, limit as i64])
}

/// Returns an event as it was at number `last` of its log: what was queued then is queued for good in the
/// logs that share it.
fn as_shared(mut event: StoredEvent, last: u64) -> StoredEvent {
    if event.position.is_some_and(|position| position > last) {
        event.position = None;
        event.processed_at = None;
    }
    event
}
