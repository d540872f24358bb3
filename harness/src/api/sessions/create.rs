//! `POST /v1/sessions`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::SessionState;
use super::events::{check_files, check_system_turns, outcome_event, rubrics};
use super::input::{Input, check_system_message, read};
use super::mcp_hosts::{blocked_message, blocked_server};
use super::resources::{self, Mounted};
use crate::api::agent_config::read_ours;
use crate::api::body::{Field, Fields, Invalid, JsonBody, Spot};
use crate::api::environment_config::is_self_hosted;
use crate::api::skills::resolve_skills;
use crate::api::tools::resolve_tools;
use crate::api::{
    ApiError, Caller, check_live_vaults, live_environment, metadata, resolve_session_agent, work,
};
use crate::clock::Timestamp;
use crate::ids::{EventId, ID_BYTES_MAX, SessionId, ThreadId, WorkspaceId};
use crate::json::Fields as _;
use crate::memory::{Actor, MemoryError, MemoryHome};
use crate::model::TokenUsage;
use crate::session::{
    Draft, EventKind, PREFERENCES_FIELD, PREFERENCES_PATH, SELF_HOSTED, SKILLS_FIELD, Speaker,
    State as Folded, TOOLS_FIELD, agents_of, preferences_store, project, review_policy,
    session_wire,
};
use crate::store::{Key, Kind, NewEvent, NewResource, Resource, StoreError, StoredEvent, Write};

/// Most initial events.
const INITIAL_EVENTS_MAX: usize = 50;
/// Most blocks of the initial events that name files.
const NAMED_FILES_MAX: usize = 100;
/// Longest title in characters.
pub(super) const TITLE_CHARACTERS_MAX: usize = 1_024;
/// What a session may start with.
const SESSION_EVENTS: [EventKind; 2] = [EventKind::UserMessage, EventKind::UserDefineOutcome];
/// What a session that a deployment makes may start with.
pub(in crate::api) const DEPLOYMENT_EVENTS: [EventKind; 3] = [
    EventKind::UserMessage,
    EventKind::UserDefineOutcome,
    EventKind::SystemMessage,
];
/// Most mounted resources.
pub(in crate::api) const RESOURCES_MAX: usize = 500;
/// Most vaults.
pub(in crate::api) const VAULTS_MAX: usize = 50;

/// Creates a session; with initial events it is at work before the answer is sent.
pub(super) async fn create(
    State(state): State<SessionState>,
    caller: Caller,
    JsonBody(fields): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let new = prepare(&state, &caller.workspace, fields, None, false).await?;
    let (row, _) = new.store(&state, Vec::new()).await?;
    Ok(Json(session_wire(&row, row.created_at)))
}

/// Reads a request for a session and checks it against what there is; its row is not written. Files to be mounted
/// are copied, unless it is a rehearsal, which is not to be stored. A session of a deployment names it. Errors: 400 and 404, as the client of the request shall see them.
pub(in crate::api) async fn prepare(
    state: &SessionState,
    workspace: &WorkspaceId,
    mut fields: Fields,
    deployment_id: Option<&str>,
    is_rehearsal: bool,
) -> Result<Prepared, ApiError> {
    let agent_spot = fields.required("agent")?;
    let environment_id = fields.required("environment_id")?.text(1, ID_BYTES_MAX)?;
    let title = match fields.take("title").given() {
        Some(spot) => Some(spot.text(0, TITLE_CHARACTERS_MAX)?),
        None => None,
    };
    let metadata = metadata::create(fields.take("metadata"))?;
    let budget = budget(fields.take("budget"))?;
    let wanted = resources::read(fields.take("resources"))?;
    let vault_ids = vault_ids(fields.take("vault_ids"))?;
    let allowed = match deployment_id {
        Some(_) => &DEPLOYMENT_EVENTS[..],
        None => &SESSION_EVENTS,
    };
    let inputs = initial_events(fields.take("initial_events"), allowed)?;
    let ours = read_ours(fields.take("sinew"))?;
    fields.finish()?;

    let mut agent = resolve_session_agent(&state.api, workspace, agent_spot).await?;
    let environment = live_environment(&state.api, workspace, &environment_id).await?;
    let is_self_hosted = is_self_hosted(&environment);
    if let Some(blocked) = blocked_server(&environment, &agent.snapshot) {
        return Err(Invalid::at("environment_id", blocked_message(&blocked)).into());
    }
    check_live_vaults(&state.api, workspace, &vault_ids).await?;
    resources::check_environment(&environment, &wanted)?;
    let skills = resolve_skills(&state.api, workspace, &mut agent.snapshot).await?;
    let tools = resolve_tools(&state.api, workspace, &mut agent.snapshot).await?;
    check_system_message(&inputs, false)?;
    check_system_turns(state, &inputs, &agent.snapshot)?;
    let named_files: usize = inputs.iter().flat_map(Input::named_files).count();
    if named_files > NAMED_FILES_MAX {
        let message = format!("at most {NAMED_FILES_MAX} blocks name files, got {named_files}");
        return Err(Invalid::at("initial_events", message).into());
    }
    check_files(state, workspace, &inputs).await?;
    let rubrics = rubrics(state, workspace, &inputs).await?;
    let ours_spends = ours.as_ref().is_some_and(spends);
    let counts = ours_spends
        || agents_of(&json!({"agent": agent.snapshot}))
            .into_iter()
            .any(|agent| spends(agent.at("sinew")));
    if !budget.is_null() || counts {
        check_budgetable(state, &agent.snapshot)?;
    }
    let now = state.api.clock.now();
    let session_id = SessionId::fresh(now);
    let mut mounted = resources::mount(
        &state.api,
        workspace,
        &session_id,
        wanted,
        now,
        is_rehearsal,
    )
    .await?;
    let mut config = json!({
        "agent": agent.snapshot,
        "environment_id": environment_id,
        "title": title,
        "metadata": metadata,
        "budget": budget,
        "resources": std::mem::take(&mut mounted.resources),
        "vault_ids": vault_ids,
        SKILLS_FIELD: skills,
    });
    if !tools.is_empty() {
        config.set(TOOLS_FIELD, Value::Array(tools));
    }
    let mut labels = resources::labels(config.at("resources"));
    labels.push(("agent_id".to_owned(), agent.id));
    labels.push(("agent_version".to_owned(), agent.version.to_string()));
    if let Some(deployment_id) = deployment_id {
        config.set("deployment_id", json!(deployment_id));
        labels.push(("deployment_id".to_owned(), deployment_id.to_owned()));
    }
    if let Some(ours) = ours {
        config.set("sinew", ours);
    }
    check_validations(&config, is_self_hosted)?;
    if review_policy(&config).is_some() && !state.brain.hands.undoes() {
        let message = "this daemon's sessions work in a folder of its machine (--workspace, --workdir), whose files change in \
                       place: nothing can be held back for a review. Leave the review out, or the folder";
        return Err(Invalid::at("sinew.review", message).into());
    }
    if let Some(text) = preferences(state, workspace, &config).await? {
        config.set(PREFERENCES_FIELD, json!(text));
    }
    if is_self_hosted {
        config.set(SELF_HOSTED, json!(true));
    }
    let (events, folded) = match first_events(&session_id, config, &inputs, &rubrics, now) {
        Ok(first) => first,
        Err(error) => {
            resources::unmount(&state.api, mounted).await;
            return Err(error);
        }
    };
    let projection = project(&folded, &state.brain.limits);
    let session = NewResource {
        key: Key {
            workspace: workspace.clone(),
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
        history: None,
    };
    let item = is_self_hosted
        .then(|| work::first_item(workspace, &environment_id, session_id.as_str(), now));
    let copies = mounted.copies.iter().map(|copy| copy.record.clone());
    Ok(Prepared {
        session_id,
        environment_id,
        is_self_hosted,
        needs_wake: projection.needs_wake,
        writes: std::iter::once(session)
            .chain(item)
            .chain(copies)
            .map(Write::Create)
            .collect(),
        mounted,
    })
}

/// Tells whether a block `sinew` limits what the agents that are started may cost.
fn spends(block: &Value) -> bool {
    block.at("delegation").at("spend").is_object()
}

/// Refuses validations of steps where the tools run on machines of the user's.
fn check_validations(config: &Value, is_self_hosted: bool) -> Result<(), Invalid> {
    let agents = agents_of(config).into_iter();
    let mut blocks = agents.chain([config]).map(|owner| owner.at("sinew"));
    match is_self_hosted && blocks.any(|block| block.at("validation").is_object()) {
        true => Err(Invalid::at(
            "environment_id",
            "a self-hosted environment cannot run the validations that sinew.validation asks for; use one of type cloud",
        )),
        false => Ok(()),
    }
}

/// Returns the preferences that a session begins with; none if it keeps none.
async fn preferences(
    state: &SessionState,
    workspace: &WorkspaceId,
    config: &Value,
) -> Result<Option<String>, ApiError> {
    let Some(store_id) = preferences_store(config) else {
        return Ok(None);
    };
    let (store, clock) = (&*state.api.store, &*state.api.clock);
    let home = MemoryHome::new(store, clock, workspace, store_id, Actor::Unknown);
    let refuse = |what: &str| {
        let message = format!("the memory store {store_id:?} {what}");
        ApiError::from(Invalid::at("sinew.preferences.memory_store_id", message))
    };
    match home.row().await {
        Ok(row) if row.archived_at.is_some() => return Err(refuse("is archived")),
        Ok(_) => {}
        Err(MemoryError::NoStore) => return Err(refuse("does not exist")),
        Err(error) => return Err(ApiError::internal(error)),
    }
    let memories = home.memories().await.map_err(ApiError::internal)?;
    let Some(kept) = memories
        .iter()
        .find(|memory| memory.path == PREFERENCES_PATH)
    else {
        return Ok(Some(String::new()));
    };
    let text = home.content(&kept.version_id).await;
    Ok(Some(text.map_err(ApiError::internal)?.unwrap_or_default()))
}

/// A session that was checked and is not yet stored.
pub(in crate::api) struct Prepared {
    /// Its id.
    pub(in crate::api) session_id: SessionId,
    environment_id: String,
    is_self_hosted: bool,
    needs_wake: bool,
    /// What makes it, in one commit; the session's own row is the first.
    writes: Vec<Write>,
    mounted: Mounted,
}

impl Prepared {
    /// Stores the session together with `others`, all or nothing, and tells workers and drivers of it. Returns
    /// the session's row and what is stored of the others.
    pub(in crate::api) async fn store(
        mut self,
        state: &SessionState,
        others: Vec<Write>,
    ) -> Result<(Resource, Vec<Option<Resource>>), StoreError> {
        let count = self.writes.len();
        let mut writes = std::mem::take(&mut self.writes);
        writes.extend(others);
        let mut stored = match state.api.store.write(writes).await {
            Ok(stored) => stored,
            Err(error) => {
                resources::unmount(&state.api, self.mounted).await;
                return Err(error);
            }
        };
        if self.is_self_hosted {
            state.api.work.announce(&self.environment_id);
        }
        if self.needs_wake {
            state.drivers.wake(&self.session_id);
        }
        let others = stored.split_off(count.min(stored.len()));
        match stored.into_iter().next().flatten() {
            Some(row) => Ok((row, others)),
            None => Err(StoreError::Failed(
                "a session was written but not returned".to_owned(),
            )),
        }
    }
}

/// Returns the first events of a log and what they fold to.
fn first_events(
    session_id: &SessionId,
    config: Value,
    inputs: &[Input],
    rubrics: &[Option<String>],
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
        is_thread_only: false,
        kind: kind.name().to_owned(),
        at: now,
        is_queued,
        body,
        private: None,
    };
    let mut events = vec![event(EventKind::Created, config, false)];
    let speaker = Speaker::primary(thread_id.clone(), name);
    for (input, rubric) in inputs.iter().zip(rubrics) {
        if let Some(rubric) = rubric {
            events.push(outcome_event(input, rubric, Some(thread_id.as_str()), now));
            continue;
        }
        let input = event(input.kind, input.body.clone(), true);
        // Taken at once, so that the order stays what it is in the request.
        let mut draft = Draft::new(now, speaker.clone());
        draft.processed(&input.id, events.len() as u64 + 1);
        events.push(input);
        events.extend(draft.into_events());
    }
    if !inputs.is_empty() {
        // The answer already says running, so the log must.
        let mut draft = Draft::new(now, speaker);
        draft.running();
        draft.session(EventKind::SessionStatusRunning, json!({}));
        events.extend(draft.into_events());
    }
    let stored: Vec<StoredEvent> = (1u64..)
        .zip(&events)
        .map(|(number, event)| event.at_number(number))
        .collect();
    let folded = Folded::fold(session_id, &stored).map_err(ApiError::internal)?;
    Ok((events, folded))
}

/// Reads the events that a session starts with, each of one of the kinds in `allowed`.
pub(in crate::api) fn initial_events(
    field: Field,
    allowed: &[EventKind],
) -> Result<Vec<Input>, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(Vec::new());
    };
    let mut has_outcome = false;
    spot.array(INITIAL_EVENTS_MAX)?
        .into_iter()
        .map(|item| {
            let path = item.path.clone();
            let input = read(item)?;
            if !allowed.contains(&input.kind) {
                let names: Vec<&str> = allowed.iter().map(|kind| kind.name()).collect();
                let message = format!("initial events are {}", names.join(" or "));
                return Err(Invalid::at(format!("{path}.type"), message));
            }
            let is_outcome = input.kind == EventKind::UserDefineOutcome;
            if is_outcome && std::mem::replace(&mut has_outcome, true) {
                return Err(Invalid::at(path, "at most one outcome"));
            }
            Ok(input)
        })
        .collect()
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
pub(in crate::api) fn budget(field: Field) -> Result<Value, Invalid> {
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

/// Refuses a budget on a model whose cost cannot be counted, of the agent or of one that it may start or ask.
pub(super) fn check_budgetable(state: &SessionState, agent: &Value) -> Result<(), ApiError> {
    let config = json!({ "agent": agent });
    let models = agents_of(&config).into_iter().map(|agent| {
        let model = agent.at("model");
        (model.at("id").as_str(), model.at("speed").as_str())
    });
    let advisors = agents_of(&config).into_iter().flat_map(|agent| {
        let block = agent.at("multiagent");
        let listed = block.at("agents").as_array().into_iter().flatten();
        let advisors = listed.filter(|entry| *entry.at("type") == "advisor");
        advisors.chain([block.at("advisor")])
    });
    let advisors = advisors.map(|advisor| (advisor.at("model").as_str(), None));
    let asked = agents_of(&config).into_iter().map(|agent| {
        let below = agent.at("sinew").at("confidence").at("below");
        (below.at("model").as_str(), None)
    });
    let facts = &state.brain.facts;
    let is_priced = |(model, speed): &(Option<&str>, Option<&str>)| {
        let nothing = TokenUsage::default();
        model.is_none_or(|model| facts.price_nanocents(model, *speed, &nothing).is_some())
    };
    let Some((model, _)) = models
        .chain(advisors)
        .chain(asked)
        .find(|model| !is_priced(model))
    else {
        return Ok(());
    };
    let model = model.unwrap_or_default();
    let message = format!(
        "model_not_budgetable: the model {model:?} has no list price; give it one in the server's \
         configuration, or create the session without a budget"
    );
    Err(Invalid::at("budget", message).into())
}
