//! `GET /sinew/v1/sessions/{id}/supervision`: the plans of a session's agents and how far they are, and what it learns.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::history::fold_at;
use super::{SessionState, last_of};
use crate::api::{ApiError, Caller};
use crate::json::Fields as _;
use crate::session::{PREFERENCES_FIELD, PREFERENCES_PATH, State as Folded, Supervision};

/// Returns the agents that are supervised, and the preferences.
pub(super) async fn retrieve(
    State(state): State<SessionState>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let row = state.row(&caller, &session_id).await?;
    let folded = fold_at(&state, &row, last_of(&row)).await?;
    let agents = folded.threads.iter().filter_map(|thread| {
        let rules = Supervision::of(&folded, thread);
        let mut agent = thread.supervised.wire();
        agent.set("session_thread_id", json!(thread.id.as_str()));
        agent.set("agent_name", json!(folded.name_of(thread)));
        agent.set("questions_required", json!(rules.questions));
        (!rules.is_empty()).then_some(agent)
    });
    let limits = folded
        .threads
        .iter()
        .filter(|thread| thread.grant.is_narrowing() && thread.is_live());
    let limits = limits.map(|thread| {
        let mut limits = thread.grant.wire();
        limits.set("session_thread_id", json!(thread.id.as_str()));
        limits.set("agent_name", json!(folded.name_of(thread)));
        limits
    });
    Ok(Json(json!({
        "limits": limits.collect::<Vec<_>>(),
        "agents": agents.collect::<Vec<_>>(),
        "preferences": preferences(&folded),
    })))
}

fn preferences(folded: &Folded) -> Value {
    let Some(store_id) = folded.preferences_store() else {
        return Value::Null;
    };
    json!({
        "memory_store_id": store_id,
        "path": PREFERENCES_PATH,
        "applied": folded.config.at(PREFERENCES_FIELD),
        "corrections": folded.corrections.iter().map(|said| said.as_str()).collect::<Vec<_>>(),
    })
}
