//! Lists of resources in order of (creation time, id), continued by key and never by count.
//!
//! The first label drives the query when there are labels, else each state by itself, else time alone, so
//! a page costs what a page holds and not what the store holds.

use rusqlite::Connection;
use rusqlite::types::Value as Column;

use super::resources::{COLUMNS, resource};
use super::rows::{collect, micros, micros_within};
use crate::store::{FILTERS_MAX, Order, ROWS_MAX, Resource, ResourceQuery, StoreError};

/// Reads one page.
pub(super) fn list(db: &Connection, query: &ResourceQuery) -> Result<Vec<Resource>, StoreError> {
    if query.statuses.len() > FILTERS_MAX || query.labels.len() > FILTERS_MAX {
        return Err(StoreError::Invalid(format!(
            "a list takes at most {FILTERS_MAX} states and labels"
        )));
    }
    let mut statuses = query.statuses.clone();
    statuses.sort();
    statuses.dedup();
    if !query.labels.is_empty() || statuses.is_empty() {
        return page(db, query, &statuses);
    }
    // One short page for each state: all states in one query would have to be sorted as a whole.
    let mut found = Vec::new();
    for status in &statuses {
        found.extend(page(db, query, std::slice::from_ref(status))?);
    }
    found.sort_by(|a, b| {
        let by_place = (a.created_at, &a.key.id).cmp(&(b.created_at, &b.key.id));
        match query.order {
            Order::Ascending => by_place,
            Order::Descending => by_place.reverse(),
        }
    });
    found.truncate(query.limit.min(ROWS_MAX));
    Ok(found)
}

fn page(
    db: &Connection,
    query: &ResourceQuery,
    statuses: &[String],
) -> Result<Vec<Resource>, StoreError> {
    let (sql, columns) = select(query, statuses);
    collect(db, &sql, rusqlite::params_from_iter(columns), |row| {
        resource(row, query.kind)
    })
}

/// Returns the query for one page with what is bound to it.
pub(super) fn select(query: &ResourceQuery, statuses: &[String]) -> (String, Vec<Column>) {
    let mut columns = vec![
        Column::from(query.workspace.as_str().to_owned()),
        Column::from(query.kind.as_str().to_owned()),
    ];
    let mut bind = |column: Column| {
        columns.push(column);
        format!("?{}", columns.len())
    };
    let mut labels = query.labels.iter();
    // `k` is the table whose index gives the order.
    let (from, k) = match labels.next() {
        Some((name, value)) => {
            let (name, value) = (bind(name.clone().into()), bind(value.clone().into()));
            let from = format!(
                "labels k CROSS JOIN resources r ON r.handle = k.resource \
                 WHERE k.workspace = ?1 AND k.kind = ?2 AND k.name = {name} AND k.value = {value}"
            );
            (from, "k")
        }
        None => {
            let index = match (statuses, query.include_archived) {
                ([_, ..], _) => "resources_by_status",
                ([], true) => "resources_by_time",
                ([], false) => "resources_live",
            };
            let from =
                format!("resources r INDEXED BY {index} WHERE r.workspace = ?1 AND r.kind = ?2");
            (from, "r")
        }
    };
    let mut sql = format!("SELECT {COLUMNS} FROM {from}");
    match statuses {
        [] => {}
        [status] => sql += &format!(" AND r.status = {}", bind(status.clone().into())),
        several => {
            let list: Vec<String> = several.iter().map(|s| bind(s.clone().into())).collect();
            sql += &format!(" AND r.status IN ({})", list.join(", "));
        }
    }
    if !query.include_archived {
        sql += " AND r.archived_at IS NULL";
    }
    for (name, value) in labels {
        let (name, value) = (bind(name.clone().into()), bind(value.clone().into()));
        sql += &format!(
            " AND EXISTS (SELECT 1 FROM labels l WHERE l.resource = r.handle \
               AND l.name = {name} AND l.value = {value})"
        );
    }
    let (mut low, mut high) = micros_within(&query.created_at);
    let (direction, behind) = match query.order {
        Order::Ascending => ("ASC", ">"),
        Order::Descending => ("DESC", "<"),
    };
    if let Some((at, id)) = &query.after {
        let at = micros(*at);
        // The index is entered at one bound only: where the page starts, the stricter one stands alone.
        let (is_stricter, bound, unbound) = match query.order {
            Order::Ascending => (at >= low, &mut low, i64::MIN),
            Order::Descending => (at <= high, &mut high, i64::MAX),
        };
        if is_stricter {
            *bound = unbound;
            let (at, id) = (bind(at.into()), bind(id.clone().into()));
            sql += &format!(" AND ({k}.created_at, {k}.id) {behind} ({at}, {id})");
        }
    }
    if low > i64::MIN {
        sql += &format!(" AND {k}.created_at >= {}", bind(low.into()));
    }
    if high < i64::MAX {
        sql += &format!(" AND {k}.created_at <= {}", bind(high.into()));
    }
    let limit = bind((query.limit.min(ROWS_MAX) as i64).into());
    sql += &format!(" ORDER BY {k}.created_at {direction}, {k}.id {direction} LIMIT {limit}");
    (sql, columns)
}
