//! Lists of events in processed order, as the API shows them.
//!
//! First the slots of a page are found in indexes alone; filters look at nothing else, and several types
//! or threads are merged in order. Only then the bodies of that page are read. Queued events come from a
//! small index of their own.

use rusqlite::types::Value as Column;
use rusqlite::{Connection, params_from_iter};

use super::log::{COLUMNS, SessionRow, event};
use super::rows::{collect, micros_within, slot};
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
    let handle = SessionRow::find(db, &query.session_id)?.handle;
    let limit = query.limit.min(ROWS_MAX);
    let log = Span::of_log(handle);
    let has_queued = query.processed_at == TimeRange::default();
    // The two parts of the order from where the page starts.
    let parts = match (query.order, query.after) {
        (Order::Ascending, None) => [Some(Part::Processed(log)), Some(Part::Queued(log))],
        (Order::Ascending, Some(EventPlace::Processed(position))) => [
            Some(Part::Processed(log.above(slot(handle, position)))),
            Some(Part::Queued(log)),
        ],
        (Order::Ascending, Some(EventPlace::Queued(number))) => {
            [Some(Part::Queued(log.above(slot(handle, number)))), None]
        }
        (Order::Descending, None) => [Some(Part::Queued(log)), Some(Part::Processed(log))],
        (Order::Descending, Some(EventPlace::Queued(number))) => [
            Some(Part::Queued(log.below(slot(handle, number)))),
            Some(Part::Processed(log)),
        ],
        (Order::Descending, Some(EventPlace::Processed(position))) => [
            Some(Part::Processed(log.below(slot(handle, position)))),
            None,
        ],
    };
    let mut found = Vec::new();
    for part in parts.into_iter().flatten() {
        let wanted = limit - found.len();
        let (sql, columns) = match part {
            Part::Queued(_) if !has_queued => continue,
            Part::Queued(span) => queued(&query, span, wanted),
            Part::Processed(span) => processed(&query, span, wanted),
        };
        if wanted > 0 {
            found.extend(collect(db, &sql, params_from_iter(columns), event)?);
        }
    }
    Ok(found)
}

/// One of the two parts of the order, within a span of positions or numbers.
#[derive(Clone, Copy)]
enum Part {
    Processed(Span),
    Queued(Span),
}

/// Slots strictly between two others.
#[derive(Clone, Copy)]
pub(super) struct Span {
    low: i64,
    high: i64,
}

impl Span {
    pub(super) fn of_log(handle: i64) -> Self {
        Self {
            low: slot(handle, 0),
            // The last slot of a log is one below the first of the next.
            high: slot(handle, u64::MAX).saturating_add(1),
        }
    }

    fn above(self, low: i64) -> Self {
        Self { low, ..self }
    }

    fn below(self, high: i64) -> Self {
        Self { high, ..self }
    }
}

fn direction(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}

/// Returns the query for processed events with positions in `span`. Parameters 1 to 5 are the span, the
/// times and the limit, 6 is the thread, the rest are the types.
pub(super) fn processed(query: &EventQuery, span: Span, limit: usize) -> (String, Vec<Column>) {
    let (first, last) = micros_within(&query.processed_at);
    let mut columns: Vec<Column> = vec![
        span.low.into(),
        span.high.into(),
        first.into(),
        last.into(),
        (limit as i64).into(),
    ];
    let thread = query.thread_id.as_ref();
    let direction = direction(query.order);
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
                 WHERE is_hidden = 0 AND {matches} AND position_slot > ?1 AND position_slot < ?2 \
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

/// Returns the query for queued events with slots in `span`.
pub(super) fn queued(query: &EventQuery, span: Span, limit: usize) -> (String, Vec<Column>) {
    let mut columns: Vec<Column> = vec![span.low.into(), span.high.into(), (limit as i64).into()];
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
           WHERE position_slot IS NULL AND is_hidden = 0 AND slot > ?1 AND slot < ?2{matches} \
           ORDER BY slot {direction} LIMIT ?3) k \
         CROSS JOIN events e ON e.slot = k.slot ORDER BY k.slot {direction}"
    );
    (sql, columns)
}
