//! `GET` and `POST /v1/sessions/{id}/events`.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::input::{Admission, Input, RUBRIC_CHARACTERS_MAX, admit, check_system_message, read};
use super::{APPEND_ATTEMPTS_MAX, SessionState, id_of, last_of, too_busy, wire};
use crate::api::body::{Invalid, JsonBody};
use crate::api::files::{check_named, text_of_file};
use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::api::{ApiError, Caller, Credential, work};
use crate::clock::Timestamp;
use crate::ids::{EventId, ThreadId, WorkspaceId, fresh};
use crate::json::Fields as _;
use crate::session::{EventKind, Outcome, PROJECTION_PRIVATE, needs_worker};
use crate::store::{
    Append, EventPlace, EventQuery, NewEvent, Order, Projection, Resource, StoreError, StoredEvent,
};

/// Most events of one request.
const EVENTS_MAX: usize = 1_000;
/// Page size of event lists unless the client asks for less.
const LIMIT_DEFAULT: usize = 1_000;

/// Lists a session's events.
pub(super) async fn list(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let kinds: Vec<&str> = EventKind::filterable().collect();
    let order = query.order(Order::Ascending)?;
    let selected = EventQuery {
        session_id: id_of(&row),
        thread_id: None,
        kinds: query.list_of("types", &kinds)?,
        processed_at: query.time_range("created_at")?,
        order,
        after: None,
        limit: 0,
    };
    list_page(&state, &query, selected, &format!("events/{session_id}")).await
}

/// Fills in cursor and limit, and answers with one page.
pub(super) async fn list_page(
    state: &SessionState,
    query: &Query,
    mut selected: EventQuery,
    list: &str,
) -> Result<Json<Value>, ApiError> {
    let limit = query.limit(LIMIT_DEFAULT, LIMIT_DEFAULT)?;
    selected.after = match page::cursor(query, list, selected.order)?.map(|c| c.position) {
        None => None,
        Some(Position::Number(number)) => Some(EventPlace::Processed(number)),
        Some(Position::Queued(number)) => Some(EventPlace::Queued(number)),
        Some(Position::Created(..) | Position::Text(_)) => {
            return Err(Invalid::at("page", "the cursor is malformed or expired").into());
        }
    };
    selected.limit = page::rows_to_fetch(limit);
    let mut events = state.api.store.list_events(&selected).await?;
    let is_more = page::cut(&mut events, limit);
    let next = events.last().filter(|_| is_more).map(|last| {
        let place = match last.position {
            Some(position) => Position::Number(position),
            None => Position::Queued(last.number),
        };
        Cursor::next(list, selected.order, place)
    });
    let is_of_thread = selected.thread_id.is_some();
    let shown = |event: &StoredEvent| match is_of_thread {
        true => wire::in_thread(wire::event(event)),
        false => wire::event(event),
    };
    let data = events.iter().map(shown).collect();
    Ok(Json(page::cursor_page(data, next)))
}

/// Appends a client's events.
pub(super) async fn send(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    JsonBody(mut fields): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let events = fields.required("events")?;
    let path = events.path.clone();
    let inputs = events
        .array(EVENTS_MAX)?
        .into_iter()
        .map(read)
        .collect::<Result<Vec<_>, _>>()?;
    fields.finish()?;
    if inputs.is_empty() {
        return Err(Invalid::at(path, "must hold at least one event").into());
    }
    if matches!(caller.credential, Credential::Work(_)) && !inputs.iter().all(Input::is_result) {
        return Err(ApiError::forbidden(
            "the token of a work item sends user.tool_result and user.custom_tool_result alone",
        ));
    }
    // A task of its own: a client that goes away must not part the append from the wake-up.
    let appending =
        tokio::spawn(async move { append_inputs(&state, &caller, &session_id, &inputs).await });
    let stored = appending.await.map_err(ApiError::internal)??;
    let data: Vec<Value> = stored.iter().map(wire::event).collect();
    Ok(Json(json!({ "data": data })))
}

async fn append_inputs(
    state: &SessionState,
    caller: &Caller,
    session_id: &str,
    inputs: &[Input],
) -> Result<Vec<StoredEvent>, ApiError> {
    for _ in 0..APPEND_ATTEMPTS_MAX {
        let row = state.row(caller, session_id).await?;
        let now = state.time_in(&row);
        check_system_turns(state, inputs, row.body.at("agent"))?;
        check_files(state, &caller.workspace, inputs).await?;
        let rubrics = rubrics(state, &caller.workspace, inputs).await?;
        let Some(append) = input_append(&row, inputs, &rubrics, now)? else {
            return Ok(Vec::new());
        };
        let environment = asks_for_worker(caller, &row, inputs);
        if let Some(environment) = environment {
            let workspace = &caller.workspace;
            work::ensure(&state.api, workspace, environment, session_id).await?;
        }
        match state.api.store.append(append).await {
            Ok(stored) => {
                state.drivers.wake(&id_of(&row));
                if let Some(environment) = environment {
                    queue_again(state, caller, environment, session_id).await;
                }
                return Ok(stored);
            }
            // The driver wrote meanwhile: the row tells what is true now.
            Err(StoreError::LogMoved { .. }) => {}
            Err(StoreError::NotFound) => return Err(ApiError::not_found("session", session_id)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_busy())
}

/// Returns the text of each outcome's rubric; none of other inputs.
pub(super) async fn rubrics(
    state: &SessionState,
    workspace: &WorkspaceId,
    inputs: &[Input],
) -> Result<Vec<Option<String>>, ApiError> {
    let mut rubrics = Vec::with_capacity(inputs.len());
    for input in inputs {
        rubrics.push(match (input.kind, input.rubric_file()) {
            (EventKind::UserDefineOutcome, Some(id)) => {
                let path = format!("{}.rubric.file_id", input.path);
                Some(text_of_file(&state.api, workspace, id, &path, RUBRIC_CHARACTERS_MAX).await?)
            }
            (EventKind::UserDefineOutcome, None) => {
                let content = input.body.at("rubric").at("content").as_str();
                Some(content.unwrap_or_default().to_owned())
            }
            _ => None,
        });
    }
    Ok(rubrics)
}

/// Returns the event that defines an outcome; it is taken on receipt.
pub(super) fn outcome_event(
    input: &Input,
    rubric: &str,
    primary: Option<&str>,
    now: Timestamp,
) -> NewEvent {
    let mut body = input.body.clone();
    body.set("outcome_id", json!(fresh("outc_", now)));
    NewEvent {
        id: EventId::fresh(now),
        thread_id: primary.map(ThreadId::from_text),
        is_thread_only: false,
        kind: input.kind.name().to_owned(),
        at: now,
        is_queued: false,
        body,
        private: Some(json!({ "rubric": rubric })),
    }
}

/// Puts a new outcome into the row, as the fold does.
fn show_outcome(event: &NewEvent, private: &mut Value) {
    let kept = event.private.as_ref().unwrap_or(&Value::Null);
    let outcome = Outcome::of_event(0, &event.body, kept).wire();
    match private.at_mut("outcomes").as_array_mut() {
        Some(outcomes) => outcomes.push(outcome),
        None => private.set("outcomes", json!([outcome])),
    }
}

/// Checks the files that inputs name.
pub(super) async fn check_files(
    state: &SessionState,
    workspace: &WorkspaceId,
    inputs: &[Input],
) -> Result<(), ApiError> {
    for input in inputs {
        for (block_type, id) in input.named_files() {
            check_named(&state.api, workspace, block_type, id).await?;
        }
    }
    Ok(())
}

/// Refuses system messages for a model that takes none.
pub(super) fn check_system_turns(
    state: &SessionState,
    inputs: &[Input],
    agent: &Value,
) -> Result<(), Invalid> {
    let is_system = |input: &&Input| input.kind == EventKind::SystemMessage;
    let Some(input) = inputs.iter().find(is_system) else {
        return Ok(());
    };
    let model = agent.at("model").at("id").as_str().unwrap_or_default();
    if state.brain.facts.takes_system_turns(model) {
        return Ok(());
    }
    let message = format!(
        "model_does_not_support_mid_conversation_system: the model {model:?} takes no system messages; set \
         the agent's system prompt instead"
    );
    let code = "model_does_not_support_mid_conversation_system";
    Err(Invalid::at(input.path.clone(), message).with_code(code))
}

/// Returns the environment whose work queue the session must be in once it has these inputs.
fn asks_for_worker<'a>(caller: &Caller, row: &'a Resource, inputs: &[Input]) -> Option<&'a str> {
    // A worker has the session's item.
    let is_worker = matches!(caller.credential, Credential::Work(_));
    let is_interrupt = |input: &Input| input.kind == EventKind::UserInterrupt;
    // An interrupt alone is work only where something is to be interrupted.
    let is_work = !inputs.iter().all(is_interrupt) || needs_worker(row);
    work::environment_of(row).filter(|_| is_work && !is_worker)
}

/// Puts the session into the queue if its item stopped between the first look and the append.
async fn queue_again(state: &SessionState, caller: &Caller, environment: &str, session_id: &str) {
    let queued = work::ensure(&state.api, &caller.workspace, environment, session_id).await;
    if let Err(error) = queued {
        // The input is taken, and sending it again would double it.
        tracing::error!(session = session_id, %error, "a session may wait for a worker without being queued");
    }
}

/// Returns the append that takes the inputs, `None` when none of them has an effect.
fn input_append(
    row: &Resource,
    inputs: &[Input],
    rubrics: &[Option<String>],
    now: Timestamp,
) -> Result<Option<Append>, ApiError> {
    if row.status.as_deref() == Some("terminated") {
        return Err(ApiError::invalid(
            "the session is archived or ended and takes no events; create a new session",
        ));
    }
    let for_worker = |input: &&Input| input.kind == EventKind::UserToolResult;
    if let Some(input) = inputs.iter().find(for_worker)
        && work::environment_of(row).is_none()
    {
        let message = "user.tool_result is for sessions on a self-hosted environment; \
                       this session's tools run on the server";
        return Err(Invalid::at(input.path.clone(), message).into());
    }
    let mut body = row.body.clone();
    let mut private = body.at_mut(PROJECTION_PRIVATE).take();
    let is_waiting = private.at("stop_reason").at("type") == "requires_action";
    check_system_message(inputs, is_waiting)?;
    let primary = private.at("thread_id").as_str().map(str::to_owned);
    let mut events = Vec::with_capacity(inputs.len());
    for (input, rubric) in inputs.iter().zip(rubrics) {
        let Admission::Stored(thread) = admit(input, &mut private)? else {
            continue;
        };
        if let Some(rubric) = rubric {
            let event = outcome_event(input, rubric, primary.as_deref(), now);
            show_outcome(&event, &mut private);
            events.push(event);
            continue;
        }
        // What is for an agent that was started is in the lists of its thread, and says so in the session's.
        let mut body = input.body.clone();
        if let Some(thread) = &thread {
            body.set("session_thread_id", json!(thread));
        }
        let thread = thread.or(primary.clone());
        events.push(NewEvent {
            id: EventId::fresh(now),
            thread_id: thread.map(ThreadId::from_text),
            is_thread_only: false,
            kind: input.kind.name().to_owned(),
            at: now,
            is_queued: input.is_queued(),
            body,
            private: None,
        });
    }
    if events.is_empty() {
        return Ok(None);
    }
    let expected = last_of(row);
    private.set("needs_wake", json!(true));
    private.set("last", json!(expected + events.len() as u64));
    body.set(PROJECTION_PRIVATE, private);
    Ok(Some(Append {
        session_id: id_of(row),
        expected,
        lease: None,
        events,
        projection: Some(Projection {
            body,
            status: row.status.clone().unwrap_or_default(),
            archived_at: row.archived_at,
            needs_wake: true,
        }),
        files: None,
    }))
}
