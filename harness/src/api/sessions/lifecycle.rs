//! Reading, archiving and deleting a session.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::history::fold_at;
use super::{APPEND_ATTEMPTS_MAX, SessionState, id_of, is_at_work, last_of, session_key, too_busy};
use crate::api::ApiError;
use crate::api::Caller;
use crate::api::files::remove_of_session;
use crate::api::work;
use crate::session::{Draft, Speaker, complete, project, session_wire};
use crate::store::{Append, StoreError};

/// Returns a session.
pub(super) async fn retrieve(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    Ok(Json(session_wire(&row, state.api.clock.now())))
}

/// Ends a session for good; its history stays readable.
pub(super) async fn archive(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    for _ in 0..APPEND_ATTEMPTS_MAX {
        let row = state.row(&caller, &session_id).await?;
        let now = state.time_in(&row);
        if row.archived_at.is_some() {
            return Ok(Json(session_wire(&row, now)));
        }
        if is_at_work(&row) {
            return Err(ApiError::invalid(
                "the session is running and cannot be archived; send a user.interrupt and wait for \
                 session.status_idle first",
            ));
        }
        let folded = fold_at(&state, &row, last_of(&row)).await?;
        if folded.last != last_of(&row) {
            continue;
        }
        let mut draft = Draft::new(now, Speaker::of(&folded, folded.primary()));
        for thread in folded.live_threads() {
            draft.speak_as(Speaker::of(&folded, thread));
            draft.thread_terminated();
        }
        draft.terminated();
        let (ahead, events) = complete(&folded, draft.into_events()).map_err(ApiError::internal)?;
        let append = Append {
            session_id: id_of(&row),
            expected: last_of(&row),
            lease: None,
            events,
            projection: Some(project(&ahead, &state.brain.limits)),
            files: None,
        };
        match state.api.store.append(append).await {
            Ok(_) => {
                let row = state.row(&caller, &session_id).await?;
                return Ok(Json(session_wire(&row, now)));
            }
            Err(StoreError::LogMoved { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_busy())
}

/// Removes a session with everything it made.
pub(super) async fn delete(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    if is_at_work(&row) {
        return Err(ApiError::invalid(
            "the session is running and cannot be deleted; send a user.interrupt and wait for \
             session.status_idle first",
        ));
    }
    // A mark that cannot be made (a full disk) must not keep anyone from deleting.
    if let Err(error) = state.brain.hands.condemn(&id_of(&row)).await {
        tracing::warn!(session = session_id, %error, "a session's files could not be marked for removal");
    }
    match state
        .api
        .store
        .delete(&session_key(&caller, &session_id))
        .await
    {
        Ok(()) => {}
        Err(StoreError::NotFound) => return Err(ApiError::not_found("session", &session_id)),
        Err(error) => return Err(error.into()),
    }
    if let Err(error) = work::forget_session(&state.api, &caller.workspace, &session_id).await {
        tracing::error!(session = session_id, %error, "a deleted session's work items could not be removed");
    }
    let (store, blobs) = (&*state.api.store, &state.api.blobs);
    if let Err(error) = remove_of_session(store, blobs, &caller.workspace, &session_id).await {
        tracing::error!(session = session_id, %error, "files of a deleted session could not be removed; the next start does it");
    }
    // The record is gone, so the session is: what is left of its files is the operator's to see.
    if let Err(error) = state.brain.hands.discard(&id_of(&row)).await {
        tracing::error!(session = session_id, %error, "a deleted session's files could not be removed");
    }
    Ok(Json(json!({"id": session_id, "type": "session_deleted"})))
}
