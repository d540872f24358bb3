//! Lists of events in processed order, as the API shows them.
//!
//! First the slots of a page are found in indexes alone; filters look at nothing else, and several types
//! or threads are merged in order. Only then the bodies of that page are read. Queued events come from a
//! small index of their own.

use rusqlite::types::Value as Column;
use rusqlite::{Connection, params_from_iter};

use super::history::{Slots, Stretch};
use super::log::{COLUMNS, SessionRow, event};
use super::rows::{collect, micros_within};
use crate::store::{
    EventPlace, EventQuery, FILTERS_MAX, Order, ROWS_MAX, StoreError, StoredEvent, TimeRange,
};

/// Reads one page.
pub(super) fn list(db: &Connection, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
    let mut query = query.clone();
    query.kinds.sort();
    query.kinds.dedup();
    if query.kinds.len() > FILTERS_MAX {
        return Err(StoreError::Invalid(format!(
            "a list takes at most {FILTERS_MAX} types"
        )));
    }
    let stretches = SessionRow::find(db, &query.session_id)?.stretches(db)?;
    let limit = query.limit.min(ROWS_MAX);
    let mut found = Vec::new();
    for part in parts(&query, &stretches) {
        let wanted = limit - found.len();
        if wanted == 0 {
            break;
        }
        let (sql, columns) = page(&query, part, wanted);
        found.extend(collect(db, &sql, params_from_iter(columns), event)?);
    }
    Ok(found)
}

/// A part of the order: positions within one stretch of the log, or numbers of queued events.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Processed(Slots),
    Queued(Slots),
}

/// Returns the parts of the order from where the page starts. A stretch's events have their positions in it, or
/// got them after it was shared, when they no longer count: so one stretch comes after the other. Only in the
/// last, which is the log's own, events wait.
pub(super) fn parts(query: &EventQuery, stretches: &[Stretch]) -> Vec<Part> {
    let all = Some((0, u64::MAX));
    let (positions, numbers) = match (query.order, query.after) {
        (_, None) => (all, all),
        (Order::Ascending, Some(EventPlace::Processed(position))) => {
            (Some((position, u64::MAX)), all)
        }
        (Order::Ascending, Some(EventPlace::Queued(number))) => (None, Some((number, u64::MAX))),
        (Order::Descending, Some(EventPlace::Queued(number))) => {
            (all, Some((0, number.saturating_sub(1))))
        }
        (Order::Descending, Some(EventPlace::Processed(position))) => {
            (Some((0, position.saturating_sub(1))), None)
        }
    };
    let mut parts = Vec::with_capacity(stretches.len() + 1);
    if let Some((above, upto)) = positions {
        let slots = stretches.iter().filter_map(|s| s.slots(above, upto));
        parts.extend(slots.map(Part::Processed));
    }
    // A bound on the time of processing excludes what has none.
    let numbers = numbers.filter(|_| query.processed_at == TimeRange::default());
    if let (Some((above, upto)), Some(own)) = (numbers, stretches.last()) {
        parts.extend(own.slots(above, upto).map(Part::Queued));
    }
    if query.order == Order::Descending {
        parts.reverse();
    }
    parts
}

/// Returns the query for the events of a part.
pub(super) fn page(query: &EventQuery, part: Part, limit: usize) -> (String, Vec<Column>) {
    match part {
        Part::Processed(slots) => processed(query, slots, limit),
        Part::Queued(slots) => queued(query, slots, limit),
    }
}

fn direction(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}

/// Returns the query for processed events with positions in `slots`. Parameters 1 to 5 are the slots, the
/// times and the limit, 6 is the thread, the rest are the types.
fn processed(query: &EventQuery, slots: Slots, limit: usize) -> (String, Vec<Column>) {
    let (first, last) = micros_within(&query.processed_at);
    let mut columns: Vec<Column> = vec![
        slots.above.into(),
        slots.upto.into(),
        first.into(),
        last.into(),
        (limit as i64).into(),
    ];
    let thread = query.thread_id.as_ref();
    let direction = direction(query.order);
    // As the indexes say it, and no more than that lets through.
    let is_shown = match (thread, query.kinds.is_empty()) {
        (Some(_), _) => "is_hidden <> 1",
        (None, true) => "is_hidden = 0",
        (None, false) => "is_hidden <> 1 AND is_hidden = 0",
    };
    let arms: Vec<(&str, String)> = if !query.kinds.is_empty() {
        columns.push(thread.map(|id| id.as_str().to_owned()).into());
        let in_thread = if thread.is_some() {
            " AND thread_id = ?6"
        } else {
            ""
        };
        let arm = |kind: &String| {
            columns.push(kind.clone().into());
            (
                "events_by_kind",
                format!("kind = ?{}{in_thread}", columns.len()),
            )
        };
        query.kinds.iter().map(arm).collect()
    } else if let Some(thread) = thread {
        columns.push(thread.as_str().to_owned().into());
        vec![("events_by_thread", "thread_id = ?6".to_owned())]
    } else {
        vec![("events_by_position", "TRUE".to_owned())]
    };
    let arms: Vec<String> = arms
        .iter()
        .map(|(index, matches)| {
            format!(
                "SELECT slot, position_slot FROM events INDEXED BY {index} \
                 WHERE {is_shown} AND {matches} AND position_slot > ?1 AND position_slot <= ?2 \
                 AND processed_at BETWEEN ?3 AND ?4"
            )
        })
        .collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM ({} ORDER BY position_slot {direction} LIMIT ?5) k \
         CROSS JOIN events e ON e.slot = k.slot ORDER BY k.position_slot {direction}",
        arms.join(" UNION ALL ")
    );
    (sql, columns)
}

/// Returns the query for queued events in `slots`.
fn queued(query: &EventQuery, slots: Slots, limit: usize) -> (String, Vec<Column>) {
    let mut columns: Vec<Column> =
        vec![slots.above.into(), slots.upto.into(), (limit as i64).into()];
    let mut bind = |text: &str| {
        columns.push(text.to_owned().into());
        format!("?{}", columns.len())
    };
    let mut matches = String::new();
    if let Some(thread) = &query.thread_id {
        let thread = bind(thread.as_str());
        matches += &format!(" AND thread_id = {thread}");
    }
    if !query.kinds.is_empty() {
        let kinds: Vec<String> = query.kinds.iter().map(|kind| bind(kind)).collect();
        matches += &format!(" AND kind IN ({})", kinds.join(", "));
    }
    let direction = direction(query.order);
    let sql = format!(
        "SELECT {COLUMNS} FROM (SELECT slot FROM events INDEXED BY events_queued \
           WHERE position_slot IS NULL AND is_hidden = 0 AND slot > ?1 AND slot <= ?2{matches} \
           ORDER BY slot {direction} LIMIT ?3) k \
         CROSS JOIN events e ON e.slot = k.slot ORDER BY k.slot {direction}"
    );
    (sql, columns)
}
