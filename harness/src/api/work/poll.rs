//! `GET .../work/poll`: one item for one worker.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::item::{Item, WorkState};
use super::queue::{self, all, live};
use super::token;
use crate::api::body::Invalid;
use crate::api::collection::Answer;
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller, environments};
use crate::clock::Timestamp;
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::store::{Key, Kind, StoreError};

/// Longest wait for work in milliseconds.
const BLOCK_MS_MAX: u64 = 999;
/// How long a worker may take to acknowledge an item, in milliseconds, unless the poll says otherwise.
const RECLAIM_MS_DEFAULT: u64 = 5_000;
/// Longest time to acknowledge that a poll may ask for.
const RECLAIM_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// Items looked at together for one that may be claimed.
const CANDIDATES: usize = 32;
/// Longest name of a worker in characters.
const WORKER_ID_CHARACTERS_MAX: usize = 256;

/// Claims an item; null when there is none.
pub(super) async fn poll(
    State(api): State<ApiState>,
    caller: Caller,
    Path(environment_id): Path<String>,
    headers: HeaderMap,
    query: Query,
) -> Answer {
    let block_ms = query.integer("block_ms", 1, BLOCK_MS_MAX)?;
    let reclaim_ms = query.integer("reclaim_older_than_ms", 0, RECLAIM_MS_MAX)?;
    let worker_id = worker_id(&headers)?;
    environments::find(&api, &caller.workspace, &environment_id).await?;
    let asked = Asked {
        api: &api,
        workspace: &caller.workspace,
        environment_id: &environment_id,
        reclaim: Duration::from_millis(reclaim_ms.unwrap_or(RECLAIM_MS_DEFAULT)),
    };
    if let Some(worker_id) = worker_id {
        api.work
            .note_poll(&environment_id, worker_id, api.clock.now());
    }
    // Before the first look, so that what is queued in between is heard of.
    let mut queued = api.work.listen();
    if let Some(found) = asked.claim().await? {
        return Ok(Json(found));
    }
    let Some(block_ms) = block_ms else {
        return Ok(Json(Value::Null));
    };
    let mut end = api.clock.sleep(Duration::from_millis(block_ms));
    loop {
        tokio::select! {
            () = &mut end => return Ok(Json(asked.claim().await?.unwrap_or(Value::Null))),
            heard = queued.recv() => match heard {
                Ok(other) if other != environment_id => {}
                // Behind: something may have been for us.
                Ok(_) | Err(RecvError::Lagged(_)) => {
                    if let Some(found) = asked.claim().await? {
                        return Ok(Json(found));
                    }
                }
                Err(RecvError::Closed) => return Ok(Json(Value::Null)),
            },
        }
    }
}

fn worker_id(headers: &HeaderMap) -> Result<Option<&str>, Invalid> {
    let Some(value) = headers.get("anthropic-worker-id") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(id) if id.len() <= WORKER_ID_CHARACTERS_MAX => Ok(Some(id).filter(|id| !id.is_empty())),
        _ => Err(Invalid::at(
            "Anthropic-Worker-ID",
            format!("expected plain text of at most {WORKER_ID_CHARACTERS_MAX} characters"),
        )),
    }
}

struct Asked<'a> {
    api: &'a ApiState,
    workspace: &'a WorkspaceId,
    environment_id: &'a str,
    reclaim: Duration,
}

impl Asked<'_> {
    /// Takes back what lost its worker, and claims the oldest item that may be handed out.
    async fn claim(&self) -> Result<Option<Value>, ApiError> {
        let now = self.api.clock.now();
        self.sweep(now).await?;
        let label = ("environment_id", self.environment_id);
        let mut waiting = live(self.workspace, label, &[WorkState::Queued]);
        waiting.limit = CANDIDATES;
        loop {
            let page = self.api.store.list(&waiting).await?;
            for stored in &page {
                let claimed = self.claim_one(Item::read(stored)?, now).await?;
                if claimed.is_some() {
                    return Ok(claimed);
                }
            }
            waiting.after = match page.last() {
                Some(last) if page.len() == CANDIDATES => {
                    Some((last.created_at, last.key.id.clone()))
                }
                _ => return Ok(None),
            };
        }
    }

    /// Claims this item, unless it may not be handed out yet, needs nobody, or another poller is faster.
    async fn claim_one(&self, mut item: Item, now: Timestamp) -> Result<Option<Value>, ApiError> {
        if item.content.not_before.is_some_and(|at| at > now) {
            return Ok(None);
        }
        if !self.is_live(&item).await? {
            item.content.is_final = true;
            queue::end(self.api, item, now).await?;
            return Ok(None);
        }
        let (token, hash) = token::fresh(&item.key);
        item.state = WorkState::Claimed;
        item.content.claimed_at = Some(now);
        item.content.not_before = None;
        item.give(hash);
        let Some(claimed) = item.save(self.api, now).await? else {
            return Ok(None);
        };
        let mut wire = claimed.wire();
        wire.set("secret", json!(token::secret(&token)));
        Ok(Some(wire))
    }

    /// Lets items wait again whose worker did not acknowledge them or whose lease ran out.
    async fn sweep(&self, now: Timestamp) -> Result<(), ApiError> {
        let label = ("environment_id", self.environment_id);
        let [_, handed_out @ ..] = WorkState::LIVE;
        for mut item in all(self.api, live(self.workspace, label, &handed_out)).await? {
            let is_lost = match (item.state, item.content.claimed_at) {
                (WorkState::Claimed, Some(at)) => {
                    at.checked_add(self.reclaim).unwrap_or(Timestamp::MAX) <= now
                }
                _ => item.content.lease_until.is_none_or(|until| until <= now),
            };
            if !is_lost {
                continue;
            }
            if item.state == WorkState::Stopping {
                queue::end(self.api, item, now).await?;
            } else {
                item.requeue(now);
                item.save(self.api, now).await?;
            }
        }
        Ok(())
    }

    /// Tells whether the item's session takes events.
    async fn is_live(&self, item: &Item) -> Result<bool, ApiError> {
        let session = Key {
            workspace: self.workspace.clone(),
            kind: Kind::Session,
            id: item.content.session_id.clone(),
        };
        match self.api.store.get(&session, None).await {
            Ok(session) => Ok(session.archived_at.is_none()),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
