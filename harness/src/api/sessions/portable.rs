//! `/sinew/v1/sessions/{id}/export` and `/sinew/v1/sessions/import`: a session as a file, and back.
//!
//! What is imported is a session of this daemon from then on: it has a new id, runs in an environment from here,
//! and has nothing else from here. Files, memory stores, vaults and skills that its configuration names belong to
//! whoever exported it, whatever else may have the same ids: they are left out, and the answer says which.

use std::io::{self, Read, Write};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use super::create::{TITLE_CHARACTERS_MAX, budget, check_budgetable};
use super::history::extended;
use super::{SessionState, id_of, last_of};
use crate::agent::{LoadError, fold};
use crate::api::agent_config::{AgentConfig, read_ours};
use crate::api::body::{Fields, Invalid};
use crate::api::environment_config::is_self_hosted;
use crate::api::query::Query;
use crate::api::tools::relink_tools;
use crate::api::{ApiError, Caller, live_environment, metadata, work};
use crate::ids::{EventId, ID_BYTES_MAX, SessionId, WorkspaceId};
use crate::json::Fields as _;
use crate::portable::{Bounds, PortableError, Staged, discard, export as write_file, stage};
use crate::session::{EventKind, SELF_HOSTED, State as Folded, TOOLS_FIELD, project};
use crate::store::{History, Key, Kind, NewEvent, NewResource, Write as StoreWrite};

/// The field of an imported session's configuration that tells where it comes from. Not on the official wire.
pub(super) const IMPORTED_FROM: &str = "_imported_from";
/// Parts of a file that wait between the network and a thread that reads or writes it.
const PARTS_AHEAD_MAX: usize = 8;
/// Imports at the same time: each takes a thread, and a share of the disk.
const IMPORTS_MAX: usize = 8;
static IMPORTS: Semaphore = Semaphore::const_new(IMPORTS_MAX);
/// Bytes of a file that are sent at a time.
const PART_BYTES: usize = 64 << 10;
/// What a refused import still sends is read up to here, so that its sender hears why.
const REFUSED_BYTES_MAX: usize = 256 << 20;

/// Sends a session as a file, as it is at this moment.
pub(super) async fn export(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Response, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let (id, last) = (id_of(&row), last_of(&row));
    let (store, content) = (state.api.store.clone(), state.brain.content.clone());
    let (parts, file) = mpsc::channel(PARTS_AHEAD_MAX);
    tokio::task::spawn_blocking(move || {
        let reader = content.blocking();
        let out = io::BufWriter::with_capacity(PART_BYTES, Outgoing(parts.clone()));
        if let Err(error) = write_file(&store, &reader, &id, last, out) {
            tracing::warn!(session = %id, %error, "a session could not be exported to its end");
            // A file without an end must not look like one with.
            let _ = parts.blocking_send(Err(io::Error::other(error)));
        }
    });
    let name = format!("attachment; filename=\"{}.sinew\"", row.key.id);
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    let file = futures::stream::unfold(file, |mut file| async move {
        let part = file.recv().await?;
        Some((part, file))
    });
    Ok((headers, Body::from_stream(file)).into_response())
}

/// What a thread writes for the network.
struct Outgoing(mpsc::Sender<io::Result<Bytes>>);

impl Write for Outgoing {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(part)));
        match sent {
            Ok(()) => Ok(part.len()),
            Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a thread reads from the network.
struct Incoming {
    parts: mpsc::Receiver<io::Result<Bytes>>,
    part: Bytes,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            match self.parts.blocking_recv() {
                Some(part) => self.part = part?,
                None => return Ok(0),
            }
        }
        let taken = self.part.split_to(self.part.len().min(buffer.len()));
        if let Some(room) = buffer.get_mut(..taken.len()) {
            room.copy_from_slice(&taken);
        }
        Ok(taken.len())
    }
}

/// Makes a session of a file. What was read of a file that turns out to be damaged leaves nothing.
pub(super) async fn import(
    State(state): State<SessionState>,
    caller: Caller,
    query: Query,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let environment_id = match query.text("environment_id")? {
        Some(id) if id.len() <= ID_BYTES_MAX => id.to_owned(),
        Some(_) => return Err(Invalid::at("environment_id", "this is no id").into()),
        None => return Err(Invalid::at("environment_id", "this parameter is required").into()),
    };
    let environment = live_environment(&state.api, &caller.workspace, &environment_id).await?;
    let place = Home {
        workspace: caller.workspace,
        is_self_hosted: is_self_hosted(&environment),
        environment_id,
    };
    let Ok(place_taken) = IMPORTS.try_acquire() else {
        let message = format!("{IMPORTS_MAX} sessions are being imported already; try again");
        return Err(ApiError::overloaded(message));
    };
    let (parts, file) = mpsc::channel(PARTS_AHEAD_MAX);
    // A client that goes away cuts the file off; it must not cut off what has to be removed then.
    let work = tokio::spawn(async move {
        let _place_taken = place_taken;
        take_up(&state, place, file).await
    });
    send_on(body, parts).await;
    Ok(Json(work.await.map_err(ApiError::internal)??))
}

/// Hands a body to the thread that reads it.
async fn send_on(body: Body, parts: mpsc::Sender<io::Result<Bytes>>) {
    let mut body = body.into_data_stream();
    let mut refused = 0usize;
    while let Some(part) = body.next().await {
        let part = part.map_err(io::Error::other);
        let (is_end, bytes) = (part.is_err(), part.as_ref().map_or(0, Bytes::len));
        if parts.send(part).await.is_err() {
            refused += bytes;
        }
        if is_end || refused > REFUSED_BYTES_MAX {
            return;
        }
    }
}

/// Where an imported session is to be.
struct Home {
    workspace: WorkspaceId,
    environment_id: String,
    is_self_hosted: bool,
}

async fn take_up(
    state: &SessionState,
    home: Home,
    parts: mpsc::Receiver<io::Result<Bytes>>,
) -> Result<Value, ApiError> {
    let (store, content) = (state.api.store.clone(), state.brain.content.clone());
    let (names_max, bytes_max) = state.brain.hands.files_max();
    let bounds = Bounds {
        names_max,
        bytes_max,
    };
    let now = state.api.clock.now();
    let reading = tokio::task::spawn_blocking(move || {
        let file = Incoming {
            parts,
            part: Bytes::new(),
        };
        stage(&store, &content, file, bounds, now)
    });
    let staged = reading.await.map_err(ApiError::internal)?;
    let staged = staged.map_err(refusal)?;
    let made = begin(state, &home, &staged).await;
    if made.is_err() {
        discard(&*state.api.store, &staged.key).await?;
    }
    made
}

fn refusal(error: PortableError) -> ApiError {
    match error {
        error if error.is_of_the_file() => ApiError::invalid(error.to_string()),
        PortableError::Store(error) => error.into(),
        error => ApiError::internal(error),
    }
}

/// Makes a session that begins with a staged log, in whose place it is from then on.
async fn begin(state: &SessionState, home: &Home, staged: &Staged) -> Result<Value, ApiError> {
    let last = staged.head.last;
    let folded = fold(&*state.api.store, &staged.id(), &staged.rewinds, last).await;
    let mut folded = folded.map_err(|error| match error {
        LoadError::Store(error) => error.into(),
        LoadError::Fold(error) => {
            ApiError::invalid(format!("the file's events make no session: {error}"))
        }
    })?;
    // The other machine's clock may have been ahead of ours.
    let now = state.api.clock.now().max(folded.updated_at);
    let from = json!({
        "session_id": staged.head.session_id,
        "number": last,
        "chain": staged.chain.to_string(),
    });
    let (mut config, mut dropped) = configuration(state, home, &folded.config, &from)?;
    let theirs = folded.config.at(TOOLS_FIELD);
    let (tools, missing) = relink_tools(&state.api, &home.workspace, theirs).await?;
    if !tools.is_empty() {
        config.set(TOOLS_FIELD, Value::Array(tools));
    }
    dropped.extend(
        missing
            .into_iter()
            .map(|name| json!({"type": "tool", "id": name})),
    );
    let event = NewEvent {
        id: EventId::fresh(now),
        thread_id: None,
        is_thread_only: false,
        kind: EventKind::Imported.name().to_owned(),
        at: now,
        is_queued: false,
        body: from,
        private: Some(json!({"config": config})),
    };
    folded
        .apply(&event.at_number(last + 1))
        .map_err(ApiError::internal)?;
    let id = SessionId::fresh(now);
    folded.session_id = id.clone();
    let session = row(state, home, &id, folded, event, staged);
    let item = home
        .is_self_hosted
        .then(|| work::first_item(&home.workspace, &home.environment_id, id.as_str(), now));
    let mut writes = vec![StoreWrite::Create(session)];
    writes.extend(item.map(StoreWrite::Create));
    writes.push(StoreWrite::Delete(staged.key.clone()));
    let stored = state.api.store.write(writes).await?;
    let Some(row) = stored.into_iter().next().flatten() else {
        return Err(ApiError::internal("an import was written but not returned"));
    };
    if home.is_self_hosted {
        state.api.work.announce(&home.environment_id);
    }
    Ok(json!({
        "type": "session_import",
        "session": extended(state, &row).await?,
        "dropped": dropped,
        "events": last,
        "snapshots": staged.snapshots,
        "objects": staged.objects,
    }))
}

fn row(
    state: &SessionState,
    home: &Home,
    id: &SessionId,
    folded: Folded,
    event: NewEvent,
    staged: &Staged,
) -> NewResource {
    let projection = project(&folded, &state.brain.limits);
    let agent = projection.body.at("agent");
    let agent_id = agent.at("id").as_str().unwrap_or_default().to_owned();
    NewResource {
        key: Key {
            workspace: home.workspace.clone(),
            kind: Kind::Session,
            id: id.as_str().to_owned(),
        },
        labels: vec![
            ("agent_id".to_owned(), agent_id),
            ("agent_version".to_owned(), agent.at("version").to_string()),
        ],
        body: projection.body,
        unique_name: None,
        status: Some(projection.status),
        at: event.at,
        events: vec![event],
        needs_wake: projection.needs_wake,
        history: Some(History {
            session_id: staged.id(),
            number: staged.head.last,
        }),
    }
}

/// Returns the configuration of an imported session, and what of the old one has no place here.
fn configuration(
    state: &SessionState,
    home: &Home,
    old: &Value,
    from: &Value,
) -> Result<(Value, Vec<Value>), ApiError> {
    let wrong =
        |what: &str| ApiError::invalid(format!("the file's configuration is wrong: {what}"));
    let mut agent = old.at("agent").clone();
    let is_short = |value: &Value| value.as_str().is_some_and(|id| id.len() <= ID_BYTES_MAX);
    if !is_short(agent.at("id")) || !agent.at("version").is_u64() {
        return Err(wrong("the agent has no id or version"));
    }
    if let Err(error) = AgentConfig::from_stored(&agent) {
        return Err(wrong(&format!("the agent is none: {error}")));
    }
    let dropped = dropped(home, old);
    agent.set("skills", json!([]));
    let mut fields = Fields::root(match old {
        Value::Object(fields) => fields.clone(),
        _ => serde_json::Map::new(),
    });
    let title = match fields.take("title").given() {
        Some(spot) => Some(spot.text(0, TITLE_CHARACTERS_MAX)?),
        None => None,
    };
    let metadata = metadata::create(fields.take("metadata"))?;
    let budget = budget(fields.take("budget"))?;
    if !budget.is_null() {
        check_budgetable(state, &agent)?;
    }
    let ours = read_ours(fields.take("sinew"))?;
    let mut config = json!({
        "agent": agent,
        "environment_id": home.environment_id,
        "title": title,
        "metadata": metadata,
        "budget": budget,
        "resources": [],
        "vault_ids": [],
        IMPORTED_FROM: from,
    });
    if let Some(ours) = ours {
        config.set("sinew", ours);
    }
    if home.is_self_hosted {
        config.set(SELF_HOSTED, json!(true));
    }
    Ok((config, dropped))
}

/// Returns what a configuration names that is another daemon's.
fn dropped(home: &Home, old: &Value) -> Vec<Value> {
    let mut dropped = Vec::new();
    let mut add = |kind: &str, id: &Value| {
        if let Some(id) = id.as_str() {
            dropped.push(json!({"type": kind, "id": id}));
        }
    };
    if *old.at("environment_id") != *home.environment_id {
        add("environment", old.at("environment_id"));
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for resource in list(old.at("resources")) {
        add("file", resource.at("file_id"));
        add("memory_store", resource.at("memory_store_id"));
    }
    for id in list(old.at("vault_ids")) {
        add("vault", &id);
    }
    for skill in list(old.at("agent").at("skills")) {
        add("skill", skill.at("skill_id"));
    }
    dropped
}
