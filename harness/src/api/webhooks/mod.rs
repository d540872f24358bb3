//! `/v1/organizations/webhooks`: the endpoints that hear of what happens, and at
//! `/sinew/v1/webhooks/{id}/deliveries` what was sent to them.
//!
//! The shape is the contract's for the organization's events; here an endpoint belongs to its maker's workspace
//! and hears that workspace's events. The sending is the courier's, in `webhooks`.

use axum::extract::{FromRef, Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::api::body::{Field, Fields, Invalid, JsonBody, Spot};
use crate::api::collection::{Answer, Collection, Selection, UPDATE_ATTEMPTS_MAX};
use crate::api::error::quoted;
use crate::api::page;
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::rfc3339;
use crate::ids::{WebhookEndpointId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{
    Key, Kind, NewResource, Order, ROWS_MAX, Resource, ResourceChange, ResourceQuery, StoreError,
    TimeRange, Write,
};
use crate::webhooks::{EVENT_TYPES, Endpoint, Secret, UrlRules, delivery_wire};

/// Most endpoints of one workspace.
const ENDPOINTS_MAX: usize = 100;
/// Longest name in characters.
const NAME_CHARACTERS_MAX: usize = 256;
/// Longest description in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 2_048;
/// Longest URL that is read, in characters.
const URL_CHARACTERS_MAX: usize = 2_048;
const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: usize = 1_000;

const DELIVERIES: Collection = Collection {
    kind: Kind::WebhookDelivery,
    list: "webhook_deliveries",
    noun: "webhook delivery",
    wire: delivery_wire,
    missing_code: None,
};

#[derive(Clone)]
struct WebhookState {
    api: ApiState,
    rules: UrlRules,
}

impl FromRef<WebhookState> for ApiState {
    fn from_ref(state: &WebhookState) -> Self {
        state.api.clone()
    }
}

/// Returns the routes of webhook endpoints, whose URLs must be within `rules`.
pub fn routes(api: ApiState, rules: UrlRules) -> Router<ApiState> {
    Router::new()
        .route("/v1/organizations/webhooks", get(list).post(create))
        .route(
            "/v1/organizations/webhooks/{webhook_endpoint_id}",
            get(retrieve).post(update).delete(delete),
        )
        .route(
            "/v1/organizations/webhooks/{webhook_endpoint_id}/regenerate_signing_secret",
            post(regenerate),
        )
        .route(
            "/sinew/v1/webhooks/{webhook_endpoint_id}/deliveries",
            get(deliveries),
        )
        .with_state(WebhookState { api, rules })
}

async fn create(
    State(state): State<WebhookState>,
    caller: Caller,
    JsonBody(mut fields): JsonBody,
) -> Answer {
    let api = &state.api;
    let endpoint = Endpoint {
        url: read_url(fields.required("url")?, state.rules)?,
        enabled_events: read_events(fields.required("enabled_events")?)?,
        name: text(fields.take("name"), NAME_CHARACTERS_MAX)?.unwrap_or_default(),
        description: text(fields.take("description"), DESCRIPTION_CHARACTERS_MAX)?
            .unwrap_or_default(),
        is_enabled: true,
        disabled_reason: String::new(),
        failing_since: None,
    };
    fields.finish()?;
    if all(api, &caller.workspace).await?.len() >= ENDPOINTS_MAX {
        return Err(ApiError::invalid(format!(
            "the workspace has {ENDPOINTS_MAX} webhook endpoints, as many as there may be"
        )));
    }
    let secret = Secret::fresh();
    let now = api.clock.now();
    let key = key(&caller.workspace, WebhookEndpointId::fresh(now).as_str());
    let sealed = Endpoint::seal(&secret, &key, &api.secrets).map_err(ApiError::internal)?;
    let created = api
        .store
        .create(NewResource {
            key,
            body: endpoint.body(sealed),
            unique_name: None,
            status: None,
            labels: Vec::new(),
            at: now,
            events: Vec::new(),
            needs_wake: false,
            history: None,
        })
        .await?;
    let mut answer = wire(&created)?;
    answer.set("signing_secret", json!(secret.reveal()));
    Ok(Json(answer))
}

async fn retrieve(State(api): State<ApiState>, caller: Caller, Path(id): Path<String>) -> Answer {
    Ok(Json(wire(&find(&api, &caller.workspace, &id).await?)?))
}

async fn update(
    State(state): State<WebhookState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(fields): JsonBody,
) -> Answer {
    let rules = state.rules;
    let changed = change(&state.api, &caller, &id, |endpoint, _| {
        apply(endpoint, fields.clone(), rules)
    })
    .await?;
    Ok(Json(wire(&changed)?))
}

async fn regenerate(State(api): State<ApiState>, caller: Caller, Path(id): Path<String>) -> Answer {
    let fresh = Secret::fresh();
    let key = key(&caller.workspace, &id);
    let fresh_sealed = Endpoint::seal(&fresh, &key, &api.secrets).map_err(ApiError::internal)?;
    change(&api, &caller, &id, |_, sealed| {
        sealed.clone_from(&fresh_sealed);
        Ok(())
    })
    .await?;
    Ok(Json(json!({ "signing_secret": fresh.reveal() })))
}

/// Changes an endpoint, as often as others are faster.
async fn change(
    api: &ApiState,
    caller: &Caller,
    id: &str,
    decide: impl Fn(&mut Endpoint, &mut Value) -> Result<(), Invalid>,
) -> Result<Resource, ApiError> {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = find(api, &caller.workspace, id).await?;
        let (mut endpoint, mut sealed) = (read(&stored)?, Endpoint::sealed(&stored).clone());
        decide(&mut endpoint, &mut sealed)?;
        let body = endpoint.body(sealed);
        if body == stored.body {
            return Ok(stored);
        }
        let change = ResourceChange {
            body,
            new_version: false,
            unique_name: None,
            status: None,
            archived_at: None,
            at: api.clock.now(),
        };
        match api.store.update(&stored.key, stored.revision, change).await {
            Ok(updated) => return Ok(updated),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(StoreError::NotFound) => return Err(missing(StoreError::NotFound, id)),
            Err(error) => return Err(error.into()),
        }
    }
    let message = "the webhook endpoint is changed by others all the time";
    Err(ApiError::conflict(message, true))
}

fn apply(endpoint: &mut Endpoint, mut fields: Fields, rules: UrlRules) -> Result<(), Invalid> {
    if let Some(spot) = fields.take("url").given() {
        endpoint.url = read_url(spot, rules)?;
    }
    if let Some(spot) = fields.take("enabled_events").given() {
        endpoint.enabled_events = read_events(spot)?;
    }
    if let Some(name) = text(fields.take("name"), NAME_CHARACTERS_MAX)? {
        endpoint.name = name;
    }
    if let Some(description) = text(fields.take("description"), DESCRIPTION_CHARACTERS_MAX)? {
        endpoint.description = description;
    }
    if let Some(spot) = fields.take("state").given() {
        endpoint.is_enabled = spot.one_of(&["enabled", "disabled"])? == "enabled";
        // Whoever sets the state has seen why it was another.
        endpoint.disabled_reason.clear();
        endpoint.failing_since = None;
    }
    fields.finish()
}

async fn list(State(api): State<ApiState>, caller: Caller, query: Query) -> Answer {
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let mut rows = all(&api, &caller.workspace).await?;
    if query.order(Order::Descending)? == Order::Descending {
        rows.reverse();
    }
    let place = |name: &str, id: &str| {
        let position = rows.iter().position(|row| row.key.id == id);
        let unknown = || {
            Invalid::at(
                name,
                format!("no webhook endpoint has the id {}", quoted(id)),
            )
        };
        position.ok_or_else(unknown)
    };
    let (start, end) = match (query.text("after_id")?, query.text("before_id")?) {
        (Some(_), Some(_)) => return Err(Invalid::at("before_id", "excludes after_id").into()),
        (Some(id), None) => (place("after_id", id)? + 1, rows.len()),
        (None, Some(id)) => (0, place("before_id", id)?),
        (None, None) => (0, rows.len()),
    };
    let has_more = end - start > limit;
    // A page before a place lies directly before it.
    let skip = match query.text("before_id")? {
        Some(_) => end.saturating_sub(limit).max(start),
        None => start,
    };
    let data = rows.iter().take(end).skip(skip).take(limit).map(wire);
    Ok(Json(page::ids_page(
        data.collect::<Result<_, _>>()?,
        has_more,
    )))
}

/// Removes an endpoint with everything that was or will be sent to it.
async fn delete(State(api): State<ApiState>, caller: Caller, Path(id): Path<String>) -> Answer {
    let endpoint = find(&api, &caller.workspace, &id).await?.key;
    let query = ResourceQuery {
        workspace: caller.workspace,
        kind: Kind::WebhookDelivery,
        include_archived: true,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels: vec![("endpoint_id".to_owned(), id.clone())],
        order: Order::Ascending,
        after: None,
        limit: ROWS_MAX,
    };
    // First, so that nothing more is queued.
    let deleted = api.store.delete(&endpoint).await;
    deleted.map_err(|error| missing(error, &id))?;
    loop {
        let rows = api.store.list(&query).await?;
        if rows.is_empty() {
            break;
        }
        let deletions = rows.into_iter().map(|row| Write::Delete(row.key)).collect();
        match api.store.write(deletions).await {
            // The courier removes old ones too: then what is left is looked for again.
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Json(json!({"id": id, "type": "webhook_endpoint_deleted"})))
}

/// Lists what was sent to an endpoint, newest first, of the last seven days.
async fn deliveries(
    State(api): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    find(&api, &caller.workspace, &id).await?;
    let selection = Selection {
        include_archived: true,
        created_at: query.time_range("created_at")?,
        statuses: query.list_of("status", &["pending", "delivered", "failed", "dropped"])?,
        labels: vec![("endpoint_id".to_owned(), id)],
        limit_max: LIMIT_MAX,
    };
    DELIVERIES
        .list_selected(&api, caller, &query, selection)
        .await
}

/// Returns a workspace's endpoints, oldest first: few enough to page in memory.
async fn all(api: &ApiState, workspace: &WorkspaceId) -> Result<Vec<Resource>, StoreError> {
    let query = ResourceQuery {
        workspace: workspace.clone(),
        kind: Kind::WebhookEndpoint,
        include_archived: false,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels: Vec::new(),
        order: Order::Ascending,
        after: None,
        limit: ROWS_MAX,
    };
    api.store.list(&query).await
}

fn read_url(spot: Spot, rules: UrlRules) -> Result<String, Invalid> {
    let path = spot.path.clone();
    let url = rules.check(&spot.text(1, URL_CHARACTERS_MAX)?);
    match url {
        Ok(url) => Ok(url.into()),
        Err(refused) => Err(Invalid::at(path, refused.to_string())),
    }
}

fn read_events(spot: Spot) -> Result<Vec<String>, Invalid> {
    let path = spot.path.clone();
    let mut events: Vec<String> = Vec::new();
    for item in spot.array(EVENT_TYPES.len())? {
        let item_path = item.path.clone();
        let name = item.string()?;
        if !EVENT_TYPES.contains(&name.as_str()) {
            let message = format!("there is no webhook event {}", quoted(&name));
            return Err(Invalid::at(item_path, message));
        }
        if !events.contains(&name) {
            events.push(name);
        }
    }
    if events.is_empty() {
        return Err(Invalid::at(path, "must name at least one event"));
    }
    Ok(events)
}

fn text(field: Field, characters_max: usize) -> Result<Option<String>, Invalid> {
    field
        .given()
        .map(|spot| spot.text(0, characters_max))
        .transpose()
}

async fn find(api: &ApiState, workspace: &WorkspaceId, id: &str) -> Result<Resource, ApiError> {
    let found = api.store.get(&key(workspace, id), None).await;
    found.map_err(|error| missing(error, id))
}

fn read(row: &Resource) -> Result<Endpoint, ApiError> {
    Endpoint::read(row).ok_or_else(|| {
        ApiError::internal(format!("the webhook endpoint {} is unreadable", row.key.id))
    })
}

fn missing(error: StoreError, id: &str) -> ApiError {
    match error {
        StoreError::NotFound => ApiError::not_found("webhook endpoint", id),
        error => error.into(),
    }
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::WebhookEndpoint,
        id: id.to_owned(),
    }
}

/// Returns the wire's `OrganizationWebhookEndpoint`.
fn wire(row: &Resource) -> Result<Value, ApiError> {
    let endpoint = read(row)?;
    Ok(json!({
        "id": row.key.id,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
        "url": endpoint.url,
        "name": endpoint.name,
        "description": endpoint.description,
        "enabled_events": endpoint.enabled_events,
        "state": if endpoint.is_enabled { "enabled" } else { "disabled" },
        "disabled_reason": endpoint.disabled_reason,
    }))
}
