//! Stopping an item: in peace, or at once.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};

use super::item::{Item, WorkState};
use super::lease::too_busy;
use super::queue;
use crate::api::body::parse_object;
use crate::api::collection::{Answer, UPDATE_ATTEMPTS_MAX};
use crate::api::{ApiError, ApiState, Caller, Credential};
use crate::clock::Timestamp;

/// How long a worker that asked for its own end may still be heard, before the item counts as left.
const LEAVING: Duration = Duration::from_secs(5);

/// Asks an item's worker to stop, or with `force` ends the item at once.
pub(super) async fn stop(
    State(api): State<ApiState>,
    caller: Caller,
    Path((environment_id, work_id)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let is_forced = is_forced(&body)?;
    let is_worker = matches!(
        caller.credential,
        Credential::Environment(_) | Credential::Work(_)
    );
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let mut item = Item::find(&api, &caller.workspace, &environment_id, &work_id).await?;
        if item.state == WorkState::Stopped {
            return Err(ApiError::conflict(
                "the work item has stopped already",
                false,
            ));
        }
        if matches!(&caller.credential, Credential::Work(grant) if !grant.is_held) {
            return Err(ApiError::conflict(
                "the work item went to another worker",
                false,
            ));
        }
        let now = api.clock.now();
        item.content.is_final |= !is_worker;
        let is_nobodys = matches!(item.state, WorkState::Queued | WorkState::Claimed);
        let stored = if is_forced || is_nobodys {
            queue::end(&api, item, now).await?
        } else {
            if is_worker {
                let soon = now.checked_add(LEAVING).unwrap_or(Timestamp::MAX);
                let until = item.content.lease_until.unwrap_or(soon);
                item.content.lease_until = Some(until.min(soon));
            }
            item.state = WorkState::Stopping;
            item.content.stop_requested_at.get_or_insert(now);
            item.save(&api, now).await?
        };
        if let Some(stored) = stored {
            return Ok(Json(stored.wire()));
        }
    }
    Err(too_busy())
}

/// Reads `{force?}`; clients also send no body at all.
fn is_forced(body: &[u8]) -> Result<bool, ApiError> {
    if body.is_empty() {
        return Ok(false);
    }
    let mut fields = parse_object(body)?;
    let is_forced = match fields.take("force").given() {
        Some(spot) => spot.boolean()?,
        None => false,
    };
    fields.finish()?;
    Ok(is_forced)
}
