//! `/v1/models`: the catalog, paged by ids.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::api::body::Invalid;
use crate::api::error::quoted;
use crate::api::page;
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::rfc3339;
use crate::model::ModelInfo;
use crate::model::catalog::{Effort, Lifecycle, Thinking};

const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: usize = 1_000;
const LIFECYCLES: [&str; 3] = ["active", "deprecated", "retired"];

/// Returns a page of the models. Retired ones are listed only on request.
pub(super) async fn list(
    State(api): State<ApiState>,
    _: Caller,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(list_page(api.models.models(), &query)?))
}

/// Returns one model, retired or not.
pub(super) async fn get(
    State(api): State<ApiState>,
    _: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    // By its exact id: another spelling would answer with an id the client did not ask for.
    let found = api.models.models().iter().find(|model| model.id == id);
    found
        .map(|model| Json(wire(model)))
        .ok_or_else(|| ApiError::not_found("model", &id))
}

fn list_page(models: &[ModelInfo], query: &Query) -> Result<Value, Invalid> {
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let mut wanted = query.list_of("lifecycle", &LIFECYCLES)?;
    if wanted.is_empty() {
        wanted = vec!["active".to_owned(), "deprecated".to_owned()];
    }
    // The place is looked up in the whole list: a model may retire between two pages.
    let place = |name: &str, id: &str| {
        let position = models.iter().position(|model| model.id == id);
        position.ok_or_else(|| Invalid::at(name, format!("no model has the id {}", quoted(id))))
    };
    let is_wanted = |model: &&ModelInfo| {
        let lifecycle = lifecycle_name(model.lifecycle);
        wanted.iter().any(|wanted| wanted == lifecycle)
    };
    let mut page: Vec<&ModelInfo> = match (query.text("after_id")?, query.text("before_id")?) {
        (Some(_), Some(_)) => return Err(Invalid::at("before_id", "excludes after_id")),
        (None, Some(id)) => {
            let before = models
                .iter()
                .take(place("before_id", id)?)
                .filter(is_wanted);
            before.rev().take(limit + 1).collect()
        }
        (after, None) => {
            let skip = after.map_or(Ok(0), |id| place("after_id", id).map(|place| place + 1))?;
            models
                .iter()
                .skip(skip)
                .filter(is_wanted)
                .take(limit + 1)
                .collect()
        }
    };
    let has_more = page.len() > limit;
    page.truncate(limit);
    if query.text("before_id")?.is_some() {
        page.reverse();
    }
    Ok(page::ids_page(
        page.into_iter().map(wire).collect(),
        has_more,
    ))
}

fn lifecycle_name(lifecycle: Lifecycle) -> &'static str {
    match lifecycle {
        Lifecycle::Active => "active",
        Lifecycle::Deprecated => "deprecated",
        Lifecycle::Retired => "retired",
    }
}

/// Returns the wire's `ModelInfo`. A capability that we know nothing of is told as not supported.
fn wire(model: &ModelInfo) -> Value {
    json!({
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "line": model.line,
        "created_at": rfc3339(model.created_at),
        "lifecycle": lifecycle_name(model.lifecycle),
        "deprecated_at": null,
        "retires_at": null,
        "max_input_tokens": model.input_tokens_max,
        "max_tokens": model.output_tokens_max,
        "allowed_fallback_models": null,
        "capabilities": capabilities(model),
    })
}

fn capabilities(model: &ModelInfo) -> Value {
    let supported = |is_supported: bool| json!({ "supported": is_supported });
    let mut effort = supported(!model.efforts.is_empty());
    if let Some(effort) = effort.as_object_mut() {
        for level in Effort::ALL {
            let level_support = supported(model.efforts.contains(&level));
            effort.insert(level.as_str().to_owned(), level_support);
        }
    }
    let [enabled, adaptive, between_tools, disabled] = match model.thinking {
        Thinking::Unsupported => [false, false, false, true],
        Thinking::Budget => [true, false, false, true],
        Thinking::Adaptive | Thinking::AdaptiveByDefault => [false, true, false, true],
        Thinking::AdaptiveOrBetweenTools => [false, true, true, false],
        Thinking::AdaptiveAlways => [false, true, false, false],
    };
    json!({
        "batch": supported(false),
        "citations": supported(false),
        "code_execution": supported(false),
        "compaction": null,
        "context_management": {
            "supported": false,
            "clear_thinking_20251015": null,
            "clear_tool_uses_20250919": null,
            "compact_20260112": null,
        },
        "effort": effort,
        "image_input": supported(model.has_vision),
        "pdf_input": supported(model.has_vision),
        "server_tools": {
            "supported": false,
            "code_execution": supported(false),
            "web_search": supported(false),
        },
        "structured_outputs": supported(false),
        "thinking": {
            "supported": model.thinking != Thinking::Unsupported,
            "types": {
                "adaptive": supported(adaptive),
                "between_tools": supported(between_tools),
                "disabled": supported(disabled),
                "enabled": supported(enabled),
            },
        },
    })
}
