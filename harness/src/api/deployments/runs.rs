//! `/v1/deployment_runs`: what became of each attempt.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::attempt::{FAILED, SUCCEEDED};
use crate::api::body::Invalid;
use crate::api::collection::{Answer, Collection, Selection};
use crate::api::query::Query;
use crate::api::{ApiState, Caller};
use crate::clock::rfc3339;
use crate::json::Fields as _;
use crate::store::{Key, Kind, ROWS_MAX, Resource};

const RUNS: Collection = Collection {
    kind: Kind::DeploymentRun,
    list: "deployment_runs",
    noun: "deployment run",
    wire,
    missing_code: None,
};

/// Returns a run.
pub(super) async fn get(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    let key = Key {
        workspace: caller.workspace,
        kind: Kind::DeploymentRun,
        id,
    };
    let found = api.store.get(&key, None).await;
    Ok(Json(wire(
        &found.map_err(|error| RUNS.missing(error, &key.id))?,
    )))
}

/// Lists runs, newest first. A deployment that nobody knows has none.
pub(super) async fn list(State(api): State<ApiState>, caller: Caller, query: Query) -> Answer {
    let mut labels = Vec::new();
    if let Some(id) = query.text("deployment_id")? {
        labels.push(("deployment_id".to_owned(), id.to_owned()));
    }
    if let Some(trigger) = query.text("trigger_type")? {
        if !matches!(trigger, "schedule" | "manual") {
            let message = "expected schedule or manual";
            return Err(Invalid::at("trigger_type", message).into());
        }
        labels.push(("trigger_type".to_owned(), trigger.to_owned()));
    }
    let statuses = match query.text("has_error")? {
        None => Vec::new(),
        Some(_) if query.flag("has_error")? => vec![FAILED.to_owned()],
        Some(_) => vec![SUCCEEDED.to_owned()],
    };
    let selection = Selection {
        include_archived: true,
        created_at: query.time_range("created_at")?,
        statuses,
        labels,
        limit_max: ROWS_MAX,
    };
    RUNS.list_selected(&api, caller, &query, selection).await
}

/// Returns the wire's `DeploymentRun`.
pub(super) fn wire(stored: &Resource) -> Value {
    let mut run = stored.body.clone();
    run.set("type", json!("deployment_run"));
    run.set("id", json!(stored.key.id));
    run.set("created_at", json!(rfc3339(stored.created_at)));
    run
}
