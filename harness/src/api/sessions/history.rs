//! `/sinew/v1/sessions/{id}`, `.../fork` and `.../rewind`: a session's history, a copy of it, and the way back.
//!
//! A fork shares events and files with the session that it comes from, so it costs the same whatever their size. A
//! rewind is an event; what lies behind the point stays readable.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::create::TITLE_CHARACTERS_MAX;
use super::portable::IMPORTED_FROM;
use super::{
    APPEND_ATTEMPTS_MAX, SessionState, id_of, is_at_work, last_of, private, resources, too_busy,
};
use crate::agent::{LoadError, fold, rewinds};
use crate::api::body::{Field, Fields, Invalid, JsonBody};
use crate::api::{ApiError, Caller, metadata};
use crate::ids::{EventId, ID_BYTES_MAX, SessionId};
use crate::json::Fields as _;
use crate::session::{EventKind, PROJECTION_PRIVATE, State as Folded, project, session_wire};
use crate::store::{
    Append, FilesChange, History, Key, Kind, NewEvent, NewObjects, NewResource, Resource,
    StoreError, StoredEvent, Write,
};
use crate::tree::no_files;

/// The field of a fork's configuration that tells where it comes from. Not on the official wire.
pub(super) const FORKED_FROM: &str = "_forked_from";

/// A point in a log: everything up to the number has happened.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) number: u64,
    /// The event that names it; none for the end of the log.
    pub(super) event_id: Option<String>,
}

/// Returns a session with where it comes from, what it went back behind, and what its files are now.
pub(super) async fn retrieve(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    Ok(Json(extended(&state, &row).await?))
}

/// Returns the wire's session with our own fields.
pub(super) async fn extended(state: &SessionState, row: &Resource) -> Result<Value, ApiError> {
    let mut session = session_wire(row, state.api.clock.now());
    let id = id_of(row);
    let files = state.api.store.files().files_at(&id, u64::MAX);
    let files = files
        .await?
        .map(|files| json!({"digest": files.digest.to_string()}));
    let rewinds = rewinds(row);
    session.set("forked_from", row.body.at(FORKED_FROM).clone());
    session.set("imported_from", row.body.at(IMPORTED_FROM).clone());
    session.set("files", json!(files));
    session.set(
        "rewinds",
        rewinds
            .iter()
            .map(|rewind| json!({"number": rewind.at, "to": rewind.to}))
            .collect(),
    );
    Ok(session)
}

/// Makes a session that begins as another one was at a point.
pub(super) async fn fork(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    JsonBody(mut fields): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let wanted = wanted_point(&mut fields)?;
    let title = match fields.take("title").given() {
        Some(spot) => Some(spot.text(0, TITLE_CHARACTERS_MAX)?),
        None => None,
    };
    let metadata = match fields.take("metadata") {
        Field::Absent => None,
        field => Some(metadata::create(field)?),
    };
    fields.finish()?;
    let point = match wanted {
        Some(wanted) => find_point(&state, &row, &wanted).await?,
        None => Point {
            number: last_of(&row),
            event_id: None,
        },
    };
    let mut folded = fold_at(&state, &row, point.number).await?;
    let now = state.time_in(&row);
    let new_id = SessionId::fresh(now);
    let mut config = (*folded.config).clone();
    let mounted = resources::copy(
        &state.api,
        &caller.workspace,
        &new_id,
        config.at("resources"),
        now,
    )
    .await?;
    config.set("resources", json!(mounted.resources));
    if let Some(title) = title {
        config.set("title", json!(title));
    }
    if let Some(metadata) = metadata {
        config.set("metadata", json!(metadata));
    }
    let from = json!({
        "session_id": session_id,
        "event_id": point.event_id,
        "number": point.number,
    });
    config.set(FORKED_FROM, from.clone());
    if let Some(fields) = config.as_object_mut() {
        fields.remove(IMPORTED_FROM);
    }
    let event = NewEvent {
        id: EventId::fresh(now),
        thread_id: None,
        is_thread_only: false,
        kind: EventKind::Forked.name().to_owned(),
        at: now,
        is_queued: false,
        body: from,
        private: Some(json!({"config": config})),
    };
    folded
        .apply(&event.at_number(point.number + 1))
        .map_err(ApiError::internal)?;
    folded.session_id = new_id.clone();
    let projection = project(&folded, &state.brain.limits);
    let agent = projection.body.at("agent");
    let mut labels = resources::labels(projection.body.at("resources"));
    labels.push(("agent_id".to_owned(), text(agent.at("id"))));
    labels.push(("agent_version".to_owned(), agent.at("version").to_string()));
    labels.push(("forked_from".to_owned(), session_id));
    let new = NewResource {
        key: Key {
            workspace: caller.workspace.clone(),
            kind: Kind::Session,
            id: new_id.as_str().to_owned(),
        },
        body: projection.body,
        unique_name: None,
        status: Some(projection.status),
        labels,
        at: now,
        events: vec![event],
        needs_wake: projection.needs_wake,
        history: Some(History {
            session_id: id_of(&row),
            number: point.number,
        }),
    };
    let copies = mounted.copies.iter().map(|copy| copy.record.clone());
    let writes = std::iter::once(new).chain(copies).map(Write::Create);
    let stored = match state.api.store.write(writes.collect()).await {
        Ok(stored) => stored,
        Err(error) => {
            resources::unmount(&state.api, mounted).await;
            return Err(match error {
                StoreError::NotFound => ApiError::not_found("session", row.key.id.as_str()),
                error => error.into(),
            });
        }
    };
    match stored.into_iter().next().flatten() {
        Some(row) => Ok(Json(extended(&state, &row).await?)),
        None => Err(ApiError::internal("a fork was written but not returned")),
    }
}

/// Takes a session back to a point.
pub(super) async fn rewind(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
    JsonBody(mut fields): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let wanted = wanted_point(&mut fields)?;
    fields.finish()?;
    let Some(wanted) = wanted else {
        let message = "name the event to go back to by event_id, or the one to go back behind by before_event_id";
        return Err(Invalid::at("event_id", message).into());
    };
    for _ in 0..APPEND_ATTEMPTS_MAX {
        let row = state.row(&caller, &session_id).await?;
        if row.archived_at.is_some() || row.status.as_deref() == Some("terminated") {
            return Err(ApiError::invalid(
                "the session is archived or ended and cannot go back; fork it at the event instead",
            ));
        }
        if is_at_work(&row) {
            return Err(ApiError::invalid(
                "the session is running and cannot go back; send a user.interrupt and wait for \
                 session.status_idle first",
            ));
        }
        let point = find_point(&state, &row, &wanted).await?;
        let append = rewind_append(&state, &row, &point).await?;
        match state.api.store.append(append).await {
            Ok(_) => {
                // A driver that still holds the session must let go of what it knows.
                state.drivers.wake(&id_of(&row));
                let row = state.row(&caller, &session_id).await?;
                return Ok(Json(extended(&state, &row).await?));
            }
            Err(StoreError::LogMoved { .. }) => {}
            Err(StoreError::NotFound) => return Err(ApiError::not_found("session", &session_id)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_busy())
}

async fn rewind_append(
    state: &SessionState,
    row: &Resource,
    point: &Point,
) -> Result<Append, ApiError> {
    let (session_id, last) = (id_of(row), last_of(row));
    let mut folded = fold_at(state, row, point.number).await?;
    let mut config = row.body.clone();
    if let Some(fields) = config.as_object_mut() {
        fields.remove(PROJECTION_PRIVATE);
    }
    let now = state.time_in(row);
    let event = NewEvent {
        id: EventId::fresh(now),
        thread_id: None,
        is_thread_only: false,
        kind: EventKind::Rewound.name().to_owned(),
        at: now,
        is_queued: false,
        body: json!({"to": point.number, "event_id": point.event_id}),
        private: Some(json!({
            "config": config,
            "usage": private(row).at("usage"),
            "rewinds": private(row).at("rewinds"),
        })),
    };
    folded
        .apply(&event.at_number(last + 1))
        .map_err(ApiError::internal)?;
    let index = state.api.store.files();
    let current = index.files_at(&session_id, last).await?;
    let then = index.files_at(&session_id, point.number).await?;
    let files = match (current, then) {
        (current, then) if current == then => None,
        (_, Some(then)) => Some(FilesChange {
            files: then,
            also: Vec::new(),
            objects: NewObjects::default(),
        }),
        (_, None) => {
            let made = no_files(&state.brain.content).await;
            let (files, objects) = made.map_err(ApiError::internal)?;
            Some(FilesChange {
                files,
                also: Vec::new(),
                objects,
            })
        }
    };
    Ok(Append {
        session_id,
        expected: last,
        lease: None,
        events: vec![event],
        projection: Some(project(&folded, &state.brain.limits)),
        files: files.map(Box::new),
    })
}

/// Returns the session as it was at a number.
pub(super) async fn fold_at(
    state: &SessionState,
    row: &Resource,
    number: u64,
) -> Result<Folded, ApiError> {
    fold(&*state.api.store, &id_of(row), &rewinds(row), number)
        .await
        .map_err(|error| match error {
            LoadError::Store(error) => error.into(),
            LoadError::Fold(error) => ApiError::internal(error),
        })
}

/// A point as a client names it.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// Once this event has happened.
    At(String),
    /// Just before this event.
    Before(String),
}

/// Reads `event_id` or `before_event_id`; none of them is the end.
fn wanted_point(fields: &mut Fields) -> Result<Option<Wanted>, Invalid> {
    let at = fields.take("event_id").given();
    let before = fields.take("before_event_id").given();
    match (at, before) {
        (Some(_), Some(before)) => Err(Invalid::at(
            before.path,
            "give event_id or before_event_id, not both",
        )),
        (Some(spot), None) => Ok(Some(Wanted::At(spot.text(1, ID_BYTES_MAX)?))),
        (None, Some(spot)) => Ok(Some(Wanted::Before(spot.text(1, ID_BYTES_MAX)?))),
        (None, None) => Ok(None),
    }
}

/// Finds a point in a session's log. Input that waited in the queue happened when it was taken from there.
pub(super) async fn find_point(
    state: &SessionState,
    row: &Resource,
    wanted: &Wanted,
) -> Result<Point, ApiError> {
    let (Wanted::At(id) | Wanted::Before(id)) = wanted;
    let found: Option<StoredEvent> = state.api.store.find_event(&id_of(row), id).await?;
    let Some(event) = found else {
        return Err(ApiError::not_found("event", id));
    };
    let number = event.position.unwrap_or(event.number);
    let number = match wanted {
        Wanted::At(_) => number,
        Wanted::Before(_) => number - 1,
    };
    Ok(Point {
        number: number.clamp(1, last_of(row).max(1)),
        event_id: Some(id.clone()),
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
