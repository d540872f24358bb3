//! Values to columns and back: JSON as text, instants as microseconds, positions as slots.

use rusqlite::{Connection, ErrorCode, Params, Row};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::store::{EVENT_BYTES_MAX, JSON_DEPTH_MAX, ROWS_MAX, StoreError, TimeRange};

/// Bits of a slot below the session's handle.
pub(super) const NUMBER_BITS: u32 = 32;
/// Largest number of an event: what fits into its part of a slot.
pub(super) const NUMBER_MAX: u64 = (1 << NUMBER_BITS) - 1;
/// Largest handle of a session: what fits into the rest.
pub(super) const HANDLE_MAX: i64 = (1 << (63 - NUMBER_BITS)) - 1;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::InUse(format!("another process holds the store's lock: {error}"))
            }
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

/// Returns the place of event `number` in the table. A number beyond the last possible one is that one.
pub(super) fn slot(handle: i64, number: u64) -> i64 {
    let number = number.min(NUMBER_MAX);
    (handle << NUMBER_BITS) | i64::try_from(number).unwrap_or(0)
}

/// Returns the number in a slot.
pub(super) fn number_in(slot: i64) -> u64 {
    u64::try_from(slot).unwrap_or(0) & NUMBER_MAX
}

/// Returns what is stored for an instant.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// Returns the instant that was stored.
pub(super) fn instant(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|e| damaged("time", &e))
}

/// Returns the first and the last stored instant within `range`.
pub(super) fn micros_within(range: &TimeRange) -> (i64, i64) {
    let floor = |at: Timestamp| clamped(at.as_nanosecond().div_euclid(1_000));
    let ceiling = |at: Timestamp| clamped((at.as_nanosecond() + 999).div_euclid(1_000));
    let low = [
        range.gt.map(|at| floor(at).saturating_add(1)),
        range.gte.map(ceiling),
    ];
    let high = [
        range.lt.map(|at| ceiling(at).saturating_sub(1)),
        range.lte.map(floor),
    ];
    (
        low.into_iter().flatten().max().unwrap_or(i64::MIN),
        high.into_iter().flatten().min().unwrap_or(i64::MAX),
    )
}

fn clamped(micros: i128) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// Returns a count or version as stored.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Returns a count or version that was stored.
pub(super) fn natural(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|e| damaged("count", &e))
}

/// Returns the text to store for `value`, unless it is too long, or too deep to be read again.
pub(super) fn json_text(value: &Value) -> Result<String, StoreError> {
    if !is_within(value, JSON_DEPTH_MAX) {
        return Err(StoreError::Invalid(format!(
            "the content is nested deeper than {JSON_DEPTH_MAX} levels"
        )));
    }
    let text = serde_json::to_string(value).map_err(|e| StoreError::Invalid(e.to_string()))?;
    check_length(text.len())?;
    Ok(text)
}

/// Refuses what is longer than [`EVENT_BYTES_MAX`].
pub(super) fn check_length(bytes: usize) -> Result<(), StoreError> {
    if bytes > EVENT_BYTES_MAX {
        return Err(StoreError::Invalid(format!(
            "the content has {bytes} bytes, more than {EVENT_BYTES_MAX}"
        )));
    }
    Ok(())
}

/// Refuses a list that is longer than [`ROWS_MAX`].
pub(super) fn check_rows(rows: usize) -> Result<(), StoreError> {
    if rows > ROWS_MAX {
        return Err(StoreError::Invalid(format!(
            "a call takes at most {ROWS_MAX} of these, not {rows}"
        )));
    }
    Ok(())
}

fn is_within(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|v| is_within(v, levels - 1)),
        Value::Object(fields) => levels > 0 && fields.values().all(|v| is_within(v, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Reads a JSON column.
pub(super) fn json_value(row: &Row<'_>, column: usize) -> Result<Value, StoreError> {
    let text = row
        .get_ref(column)?
        .as_str()
        .map_err(|e| damaged("text", &e))?;
    serde_json::from_str(text).map_err(|e| damaged("content", &e))
}

/// Runs a query whose text comes from a small set, and converts every row.
pub(super) fn collect<T>(
    db: &Connection,
    sql: &str,
    parameters: impl Params,
    convert: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(convert(row)?);
    }
    Ok(found)
}

/// As [`collect`], for a query with at most one row.
pub(super) fn first<T>(
    db: &Connection,
    sql: &str,
    parameters: impl Params,
    convert: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    rows.next()?.map(convert).transpose()
}

/// Runs a statement without rows and returns how many rows it changed.
pub(super) fn execute(
    db: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<usize, StoreError> {
    Ok(db.prepare_cached(sql)?.execute(parameters)?)
}

fn damaged(what: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("a stored {what} is damaged: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn slots_of_neighbouring_sessions_do_not_touch() {
        assert!(slot(7, u64::MAX) < slot(8, 0));
        assert_eq!(number_in(slot(HANDLE_MAX, NUMBER_MAX)), NUMBER_MAX);
        assert_eq!(number_in(slot(1, 5)), 5);
    }

    #[test]
    fn stored_bounds_agree_with_the_range_they_come_from() {
        let nano = |n| Timestamp::from_nanosecond(n).unwrap();
        // Around 5 µs, before, on and after the microsecond; and before the epoch.
        for edge in [4_999, 5_000, 5_001, -4_999, -5_000, -5_001] {
            let edge = Some(nano(edge));
            for range in [
                TimeRange {
                    gt: edge,
                    ..TimeRange::default()
                },
                TimeRange {
                    gte: edge,
                    ..TimeRange::default()
                },
                TimeRange {
                    lt: edge,
                    ..TimeRange::default()
                },
                TimeRange {
                    lte: edge,
                    ..TimeRange::default()
                },
                TimeRange {
                    gt: edge,
                    lte: edge,
                    ..TimeRange::default()
                },
            ] {
                let (low, high) = micros_within(&range);
                for at in -8..8 {
                    let is_within = low <= at && at <= high;
                    assert_eq!(
                        is_within,
                        range.contains(instant(at).unwrap()),
                        "{range:?} {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_accepted_can_be_read_again() {
        let nested = |levels| (0..levels).fold(Value::Null, |v, _| Value::Array(vec![v]));
        let text = json_text(&nested(JSON_DEPTH_MAX)).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
        assert!(json_text(&nested(JSON_DEPTH_MAX + 1)).is_err());
    }
}
