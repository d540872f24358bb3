//! `POST /v1/sessions`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::SessionState;
use super::input::{Input, read};
use super::memory;
use crate::api::body::{Field, Invalid, JsonBody, Spot};
use crate::api::{
    ApiError, Caller, check_live_vaults, live_environment, metadata, resolve_session_agent,
};
use crate::clock::Timestamp;
use crate::ids::{EventId, ID_BYTES_MAX, SessionId, ThreadId};
use crate::json::Fields as _;
use crate::model::TokenUsage;
use crate::session::{Draft, EventKind, State as Folded, project, session_wire};
use crate::store::{Key, Kind, NewEvent, NewResource, StoredEvent};

/// Most initial events.
const INITIAL_EVENTS_MAX: usize = 50;
/// Longest title in characters.
pub(super) const TITLE_CHARACTERS_MAX: usize = 1_024;
/// Most mounted resources.
const RESOURCES_MAX: usize = 500;
/// Most vaults.
const VAULTS_MAX: usize = 50;

/// Creates a session; with initial events it is at work before the answer is sent.
pub(super) async fn create(
    State(state): State<SessionState>,
    caller: Caller,
    JsonBody(mut fields): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let agent_spot = fields.required("agent")?;
    let environment_id = fields.required("environment_id")?.text(1, ID_BYTES_MAX)?;
    let title = match fields.take("title").given() {
        Some(spot) => Some(spot.text(0, TITLE_CHARACTERS_MAX)?),
        None => None,
    };
    let metadata = metadata::create(fields.take("metadata"))?;
    let budget = budget(fields.take("budget"))?;
    let stores = memory::read(memory_stores(fields.take("resources"))?)?;
    let vault_ids = vault_ids(fields.take("vault_ids"))?;
    let inputs = initial_events(fields.take("initial_events"))?;
    fields.finish()?;

    let agent = resolve_session_agent(&state.api, &caller.workspace, agent_spot).await?;
    live_environment(&state.api, &caller.workspace, &environment_id).await?;
    check_live_vaults(&state.api, &caller.workspace, &vault_ids).await?;
    let resources = memory::resolve(&state, &caller.workspace, stores).await?;
    let mut labels = memory::labels(&resources);
    if !budget.is_null() {
        check_budgetable(&state, &agent.snapshot)?;
    }
    let now = state.api.clock.now();
    let config = json!({
        "agent": agent.snapshot,
        "environment_id": environment_id,
        "title": title,
        "metadata": metadata,
        "budget": budget,
        "resources": resources,
        "vault_ids": vault_ids,
    });
    labels.push(("agent_id".to_owned(), agent.id));
    labels.push(("agent_version".to_owned(), agent.version.to_string()));
    let session_id = SessionId::fresh(now);
    let (events, folded) = first_events(&session_id, config, &inputs, now)?;
    let projection = project(&folded, &state.brain.limits);
    let row = state
        .api
        .store
        .create(NewResource {
            key: Key {
                workspace: caller.workspace.clone(),
                kind: Kind::Session,
                id: session_id.as_str().to_owned(),
            },
            body: projection.body,
            unique_name: None,
            status: Some(projection.status),
            labels,
            at: now,
            events,
            needs_wake: projection.needs_wake,
        })
        .await?;
    if projection.needs_wake {
        state.drivers.wake(&session_id);
    }
    Ok(Json(session_wire(&row, now)))
}

/// Returns the first events of a log and what they fold to.
fn first_events(
    session_id: &SessionId,
    config: Value,
    inputs: &[Input],
    now: Timestamp,
) -> Result<(Vec<NewEvent>, Folded), ApiError> {
    let thread_id = ThreadId::fresh(now);
    let name = config
        .at("agent")
        .at("name")
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let event = |kind: EventKind, body: Value, is_queued: bool| NewEvent {
        id: EventId::fresh(now),
        thread_id: Some(thread_id.clone()),
        kind: kind.name().to_owned(),
        at: now,
        is_queued,
        body,
        private: None,
    };
    let mut events = vec![event(EventKind::Created, config, false)];
    events.extend(
        inputs
            .iter()
            .map(|input| event(input.kind, input.body.clone(), true)),
    );
    if !inputs.is_empty() {
        // The answer already says running, so the log must.
        let mut draft = Draft::new(now, thread_id.clone(), name);
        for (number, input) in (1u64..).zip(&events).skip(1) {
            draft.processed(&input.id, number);
        }
        draft.running();
        events.extend(draft.into_events());
    }
    let stored: Vec<StoredEvent> = (1u64..)
        .zip(&events)
        .map(|(number, event)| event.at_number(number))
        .collect();
    let folded = Folded::fold(session_id, &stored).map_err(ApiError::internal)?;
    Ok((events, folded))
}

fn initial_events(field: Field) -> Result<Vec<Input>, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(Vec::new());
    };
    spot.array(INITIAL_EVENTS_MAX)?
        .into_iter()
        .map(|item| {
            let path = item.path.clone();
            let input = read(item)?;
            if input.kind != EventKind::UserMessage {
                let message = "initial events are user.message or user.define_outcome";
                return Err(Invalid::at(format!("{path}.type"), message));
            }
            Ok(input)
        })
        .collect()
}

/// Takes the memory stores from `resources`; other kinds are not served.
fn memory_stores(field: Field) -> Result<Vec<Spot>, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(Vec::new());
    };
    let entries = spot.array(RESOURCES_MAX)?;
    match entries.iter().find(|entry| !memory::is_memory_store(entry)) {
        Some(other) => Err(other.refuse("only memory stores can be mounted yet")),
        None => Ok(entries),
    }
}

/// Reads `vault_ids`: the first vault with a fitting credential wins, so their order stays.
fn vault_ids(field: Field) -> Result<Vec<String>, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(Vec::new());
    };
    let mut ids: Vec<String> = Vec::new();
    for entry in spot.array(VAULTS_MAX)? {
        let path = entry.path.clone();
        let id = entry.text(1, ID_BYTES_MAX)?;
        if ids.contains(&id) {
            return Err(Invalid::at(path, "the vault is in the list already"));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Reads `{type: limit, max_list_cost: {amount, currency}}`; null and absent are no budget.
pub(super) fn budget(field: Field) -> Result<Value, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(Value::Null);
    };
    budget_limit(spot)
}

fn budget_limit(spot: Spot) -> Result<Value, Invalid> {
    let (tag, mut fields) = spot.tagged()?;
    tag.one_of(&["limit"])?;
    let mut cost = fields.required("max_list_cost")?.object()?;
    fields.finish()?;
    let amount = cost.required("amount")?;
    let path = amount.path.clone();
    let amount = amount.text(1, 18)?;
    let is_whole = amount.bytes().all(|b| b.is_ascii_digit()) && !amount.starts_with('0');
    if !is_whole {
        let message = "expected a positive whole number of cents as a string without leading zeros";
        return Err(Invalid::at(path, message));
    }
    let currency = cost.required("currency")?.one_of(&["USD"])?;
    cost.finish()?;
    Ok(json!({"type": "limit", "max_list_cost": {"amount": amount, "currency": currency}}))
}

/// Refuses a budget on a model whose cost cannot be counted.
pub(super) fn check_budgetable(state: &SessionState, agent: &Value) -> Result<(), ApiError> {
    let model = agent.at("model").at("id").as_str().unwrap_or_default();
    let speed = agent.at("model").at("speed").as_str();
    let facts = &state.brain.facts;
    if facts
        .price_nanocents(model, speed, &TokenUsage::default())
        .is_some()
    {
        return Ok(());
    }
    let message = format!(
        "model_not_budgetable: the model {model:?} has no list price; give it one in the server's \
         configuration, or create the session without a budget"
    );
    Err(Invalid::at("budget", message).into())
}
