//! `GET /v1/sessions`: the one list that is read both ways.

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::{STATUSES, SessionState};
use crate::api::ApiError;
use crate::api::Caller;
use crate::api::body::Invalid;
use crate::api::page::{self, Cursor, Direction, Position};
use crate::api::query::Query;
use crate::session::session_wire;
use crate::store::{Kind, Order, ResourceQuery};

const LIST: &str = "sessions";
const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: usize = 1_000;

/// Lists sessions, newest first unless asked otherwise.
pub(super) async fn list(
    State(state): State<SessionState>,
    caller: Caller,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let order = query.order(Order::Descending)?;
    let created_at = query.time_range("created_at")?;
    let cursor = page::cursor(&query, LIST, order)?;
    let is_backward = cursor
        .as_ref()
        .is_some_and(|cursor| cursor.direction == Direction::Previous);
    let after = match cursor.map(|cursor| cursor.position) {
        None => None,
        Some(Position::Created(at, id)) => Some((at, id)),
        Some(Position::Number(_) | Position::Queued(_) | Position::Text(_)) => {
            return Err(Invalid::at("page", "the cursor is malformed or expired").into());
        }
    };
    if let Some((at, _)) = &after
        && !created_at.contains(*at)
    {
        let message = "the created_at filter excludes the cursor's position";
        return Err(Invalid::at("page", message).into());
    }
    let has_cursor = after.is_some();
    let selected = ResourceQuery {
        workspace: caller.workspace.clone(),
        kind: Kind::Session,
        include_archived: query.flag("include_archived")?,
        created_at,
        statuses: query.list_of("statuses", &STATUSES)?,
        labels: labels(&query)?,
        order: if is_backward { reversed(order) } else { order },
        after,
        limit: page::rows_to_fetch(limit),
    };
    let mut rows = state.api.store.list(&selected).await?;
    let is_more = page::cut(&mut rows, limit);
    if is_backward {
        rows.reverse();
    }
    let at = |row: &crate::store::Resource| Position::Created(row.created_at, row.key.id.clone());
    let has_next = if is_backward { has_cursor } else { is_more };
    let has_previous = if is_backward { is_more } else { has_cursor };
    let next = rows
        .last()
        .filter(|_| has_next)
        .map(|row| Cursor::next(LIST, order, at(row)));
    let previous = rows.first().filter(|_| has_previous).map(|row| Cursor {
        direction: Direction::Previous,
        ..Cursor::next(LIST, order, at(row))
    });
    let now = state.api.clock.now();
    let data = rows.iter().map(|row| session_wire(row, now)).collect();
    Ok(Json(page::two_way_page(data, next, previous)))
}

fn labels(query: &Query) -> Result<Vec<(String, String)>, Invalid> {
    let mut labels = Vec::new();
    let agent_id = query.text("agent_id")?;
    if let Some(version) = query.integer("agent_version", 1, u64::from(u32::MAX))? {
        if agent_id.is_none() {
            let message = "agent_version needs agent_id beside it";
            return Err(Invalid::at("agent_version", message));
        }
        labels.push(("agent_version".to_owned(), version.to_string()));
    }
    for (name, value) in [
        ("agent_id", agent_id),
        ("deployment_id", query.text("deployment_id")?),
        ("memory_store_id", query.text("memory_store_id")?),
    ] {
        if let Some(value) = value {
            labels.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok(labels)
}

fn reversed(order: Order) -> Order {
    match order {
        Order::Ascending => Order::Descending,
        Order::Descending => Order::Ascending,
    }
}
