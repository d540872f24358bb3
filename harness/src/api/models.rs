//! `/v1/models`: the catalog, paged by ids.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::api::body::Invalid;
use crate::api::error::quoted;
use crate::api::page;
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};

const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: usize = 1_000;
const LIFECYCLES: [&str; 3] = ["active", "deprecated", "retired"];

/// Returns a page of the models. Retired ones are listed only on request.
pub(super) async fn list(
    State(api): State<ApiState>,
    _: Caller,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(list_page(api.models.infos(), &query)?))
}

/// Returns one model, retired or not.
pub(super) async fn get(
    State(api): State<ApiState>,
    _: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = api
        .models
        .infos()
        .into_iter()
        .find(|model| text(model, "id") == id);
    found
        .map(Json)
        .ok_or_else(|| ApiError::not_found("model", &id))
}

fn list_page(models: Vec<Value>, query: &Query) -> Result<Value, Invalid> {
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let mut wanted = query.list_of("lifecycle", &LIFECYCLES)?;
    if wanted.is_empty() {
        wanted = vec!["active".to_owned(), "deprecated".to_owned()];
    }
    // The place is looked up in the whole list: a model may retire between two pages.
    let place = |name: &str, id: &str| {
        let position = models.iter().position(|model| text(model, "id") == id);
        position.ok_or_else(|| Invalid::at(name, format!("no model has the id {}", quoted(id))))
    };
    let is_wanted = |model: &&Value| {
        wanted
            .iter()
            .any(|wanted| text(model, "lifecycle") == wanted)
    };
    match (query.text("after_id")?, query.text("before_id")?) {
        (Some(_), Some(_)) => Err(Invalid::at("before_id", "excludes after_id")),
        (None, Some(id)) => {
            let before = models
                .iter()
                .take(place("before_id", id)?)
                .filter(is_wanted);
            let mut page: Vec<Value> = before.rev().take(limit + 1).cloned().collect();
            let has_more = page.len() > limit;
            page.truncate(limit);
            page.reverse();
            Ok(page::ids_page(page, has_more))
        }
        (after, None) => {
            let skip = after.map_or(Ok(0), |id| place("after_id", id).map(|place| place + 1))?;
            let behind = models.iter().skip(skip).filter(is_wanted);
            let mut page: Vec<Value> = behind.take(limit + 1).cloned().collect();
            let has_more = page.len() > limit;
            page.truncate(limit);
            Ok(page::ids_page(page, has_more))
        }
    }
}

fn text<'a>(model: &'a Value, field: &str) -> &'a str {
    model.get(field).and_then(Value::as_str).unwrap_or_default()
}
