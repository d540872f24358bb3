//! Acknowledging an item, and keeping it with heartbeats.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::item::{Item, WorkState};
use super::queue::LEASE_SECONDS_MAX;
use crate::api::collection::{Answer, UPDATE_ATTEMPTS_MAX};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller, Credential};
use crate::clock::{Timestamp, rfc3339};

/// What a worker names as its last heartbeat before the first one.
const NO_HEARTBEAT: &str = "NO_HEARTBEAT";

/// Tells that a worker has the item; again changes nothing.
pub(super) async fn acknowledge(
    State(api): State<ApiState>,
    caller: Caller,
    Path((environment_id, work_id)): Path<(String, String)>,
) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let mut item = Item::find(&api, &caller.workspace, &environment_id, &work_id).await?;
        match item.state {
            WorkState::Claimed => {}
            WorkState::Starting | WorkState::Active | WorkState::Stopping => {
                return Ok(Json(item.wire()));
            }
            WorkState::Queued => return Err(refused("is not claimed: poll for it again")),
            WorkState::Stopped => return Err(refused("has stopped")),
        }
        let now = api.clock.now();
        item.state = WorkState::Starting;
        item.content.acknowledged_at = Some(now);
        item.content.ttl_seconds = api.work.lease_seconds(None);
        item.content.lease_until = Some(later(now, item.content.ttl_seconds));
        if let Some(stored) = item.save(&api, now).await? {
            return Ok(Json(stored.wire()));
        }
    }
    Err(too_busy())
}

/// Extends the lease of the worker whose last heartbeat is still the item's.
pub(super) async fn heartbeat(
    State(api): State<ApiState>,
    caller: Caller,
    Path((environment_id, work_id)): Path<(String, String)>,
    query: Query,
) -> Answer {
    // Longer wishes are cut, not refused.
    let wished = query
        .integer("desired_ttl_seconds", 1, u64::from(u32::MAX))?
        .map(|wished| wished.min(LEASE_SECONDS_MAX));
    let expected = query.text("expected_last_heartbeat")?;
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let mut item = Item::find(&api, &caller.workspace, &environment_id, &work_id).await?;
        check_holder(&caller, &item, expected)?;
        if item.state == WorkState::Stopped {
            return Ok(Json(response(&item, false)));
        }
        let now = api.clock.now();
        if item.state != WorkState::Stopping {
            item.state = WorkState::Active;
        }
        let content = &mut item.content;
        content.acknowledged_at.get_or_insert(now);
        content.started_at.get_or_insert(now);
        content.ttl_seconds = match wished {
            None if content.ttl_seconds > 0 => content.ttl_seconds,
            wished => api.work.lease_seconds(wished),
        };
        content.lease_until = Some(later(now, content.ttl_seconds));
        // Each heartbeat has a value of its own, also within one tick of the clock.
        let after_last = content
            .latest_heartbeat_at
            .and_then(|last| last.checked_add(Duration::from_micros(1)).ok());
        content.latest_heartbeat_at = Some(after_last.map_or(now, |after| now.max(after)));
        if let Some(stored) = item.save(&api, now).await? {
            return Ok(Json(response(&stored, true)));
        }
    }
    Err(too_busy())
}

/// Refuses a worker that does not hold the item.
fn check_holder(caller: &Caller, item: &Item, expected: Option<&str>) -> Result<(), ApiError> {
    let is_taken = matches!(&caller.credential, Credential::Work(grant) if !grant.is_held)
        && item.state != WorkState::Stopped;
    let is_waiting = item.state == WorkState::Queued;
    let last = item.content.latest_heartbeat_at.map(rfc3339);
    let differs =
        expected.is_some_and(|expected| expected != last.as_deref().unwrap_or(NO_HEARTBEAT));
    if !(is_taken || is_waiting || differs) {
        return Ok(());
    }
    let mut state = response(item, false);
    if let Some(state) = state.as_object_mut() {
        state.remove("type");
        state.insert("last_heartbeat".to_owned(), json!(last));
    }
    let message =
        "the work item's lease is another worker's or was given up: stop without stopping the item";
    Err(ApiError::precondition_failed(message).with_details(json!({
        "error_code": "heartbeat_precondition_failed",
        "current_state": state,
    })))
}

fn response(item: &Item, is_extended: bool) -> serde_json::Value {
    let last = item.content.latest_heartbeat_at.map(rfc3339);
    json!({
        "type": "work_heartbeat",
        "last_heartbeat": last.as_deref().unwrap_or(NO_HEARTBEAT),
        "lease_extended": is_extended,
        "state": item.state.wire(),
        "ttl_seconds": item.content.ttl_seconds,
    })
}

fn later(now: Timestamp, seconds: u64) -> Timestamp {
    now.checked_add(Duration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

fn refused(why: &str) -> ApiError {
    ApiError::conflict(format!("the work item {why}"), false)
}

pub(super) fn too_busy() -> ApiError {
    ApiError::conflict("the work item is changed by others all the time", true)
}
