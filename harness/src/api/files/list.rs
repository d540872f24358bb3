//! `GET /v1/files`, for clients that read pages by cursor and for older ones that read them by ids.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::record::{self, SCOPE};
use crate::api::body::Invalid;
use crate::api::collection::{Answer, LIMIT_DEFAULT};
use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::Timestamp;
use crate::ids::ID_BYTES_MAX;
use crate::json::Fields as _;
use crate::store::{Kind, Order, Resource, ResourceQuery, TimeRange};

/// The list's name, to which its cursors are bound.
const LIST: &str = "files";
/// How the contract has every cursor of this list begin.
const CURSOR_PREFIX: &str = "page_";
/// Largest page.
const LIMIT_MAX: usize = 1_000;

/// Where a page lies.
enum Place {
    /// Behind this position, newest first; from the start if there is none.
    After(Option<(Timestamp, String)>),
    /// Before this position.
    Before((Timestamp, String)),
}

/// Returns a page of the workspace's files, newest first, or those that `ids[]` names.
pub(super) async fn list(State(api): State<ApiState>, caller: Caller, query: Query) -> Answer {
    let scope = query.text("scope_id")?.map(str::to_owned);
    let ids = query.list("ids")?;
    if !ids.is_empty() {
        return named(&api, &caller, &query, &ids, scope.as_deref()).await;
    }
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let place = place(&api, &caller, &query).await?;
    let (order, after) = match place {
        Place::After(position) => (Order::Descending, position),
        Place::Before(position) => (Order::Ascending, Some(position)),
    };
    let mut rows = api
        .store
        .list(&ResourceQuery {
            workspace: caller.workspace,
            kind: Kind::File,
            include_archived: false,
            created_at: TimeRange::default(),
            statuses: Vec::new(),
            labels: scope.map(|id| (SCOPE.to_owned(), id)).into_iter().collect(),
            order,
            after,
            limit: page::rows_to_fetch(limit),
        })
        .await?;
    let is_more = page::cut(&mut rows, limit);
    let is_forward = order == Order::Descending;
    if !is_forward {
        rows.reverse();
    }
    let next = rows.last().filter(|_| is_more || !is_forward).map(|last| {
        let position = Position::Created(last.created_at, last.key.id.clone());
        let cursor = Cursor::next(LIST, Order::Descending, position);
        format!("{CURSOR_PREFIX}{}", cursor.encode())
    });
    Ok(Json(envelope(&rows, next, is_more)))
}

/// Both kinds of envelope at once.
fn envelope(rows: &[Resource], next: Option<String>, has_more: bool) -> Value {
    let mut page = page::ids_page(rows.iter().map(record::wire).collect(), has_more);
    if let Some(page) = page.as_object_mut() {
        page.insert("next_page".to_owned(), json!(next));
    }
    page
}

async fn named(
    api: &ApiState,
    caller: &Caller,
    query: &Query,
    ids: &[&str],
    scope: Option<&str>,
) -> Answer {
    for name in ["page", "limit", "after_id", "before_id"] {
        if query.text(name)?.is_some() {
            return Err(Invalid::at(name, "this parameter excludes ids[]").into());
        }
    }
    let mut rows: Vec<Resource> = Vec::with_capacity(ids.len());
    for id in ids {
        if id.len() > ID_BYTES_MAX || rows.iter().any(|row| row.key.id == **id) {
            continue;
        }
        match record::find(api, &caller.workspace, id).await {
            Ok(file) => rows.push(file),
            // What is not there is not in the answer.
            Err(error) if error.status() == StatusCode::NOT_FOUND => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(scope) = scope {
        rows.retain(|row| *row.body.at("scope").at("id") == scope);
    }
    rows.sort_by(|a, b| (b.created_at, &b.key.id).cmp(&(a.created_at, &a.key.id)));
    Ok(Json(envelope(&rows, None, false)))
}

async fn place(api: &ApiState, caller: &Caller, query: &Query) -> Result<Place, ApiError> {
    let after_id = query.text("after_id")?;
    let before_id = query.text("before_id")?;
    let given = [query.text("page")?, after_id, before_id];
    if given.iter().flatten().count() > 1 {
        let message = "page, after_id and before_id exclude each other";
        return Err(Invalid::at("the request", message).into());
    }
    if let Some(id) = before_id {
        return Ok(Place::Before(position_of(api, caller, id).await?));
    }
    if let Some(id) = after_id {
        return Ok(Place::After(Some(position_of(api, caller, id).await?)));
    }
    let cursor = query.without_prefix("page", CURSOR_PREFIX)?;
    let whole = TimeRange::default();
    let position = page::created_cursor(&cursor, LIST, Order::Descending, &whole)?;
    Ok(Place::After(position))
}

async fn position_of(
    api: &ApiState,
    caller: &Caller,
    id: &str,
) -> Result<(Timestamp, String), ApiError> {
    let file = record::find(api, &caller.workspace, id).await?;
    Ok((file.created_at, file.key.id))
}
