//! One attempt of a deployment: the session, the run that tells of it and what the deployment remembers are
//! one commit, so a crash leaves neither a session without its run nor a run twice.

use std::time::Duration;

use serde_json::{Value, json};

use super::DeploymentState;
use super::obstacle::{self, Obstacle};
use super::stored::Stored;
use crate::api::ApiError;
use crate::api::collection::UPDATE_ATTEMPTS_MAX;
use crate::api::sessions::{Prepared, prepare};
use crate::clock::{Timestamp, rfc3339};
use crate::cron::Cron;
use crate::ids::DeploymentRunId;
use crate::store::{Key, Kind, NewResource, Resource, StoreError, Write};

/// State of a run's row that made a session.
pub(super) const SUCCEEDED: &str = "succeeded";
/// State of a run's row that did not.
pub(super) const FAILED: &str = "failed";

/// What fires a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// A person; allowed while paused.
    Manual,
    /// The schedule's time.
    Schedule(Timestamp),
}

impl Trigger {
    /// Returns the name that lists filter by.
    fn name(self) -> &'static str {
        match self {
            Trigger::Manual => "manual",
            Trigger::Schedule(_) => "schedule",
        }
    }

    fn wire(self) -> Value {
        match self {
            Trigger::Manual => json!({"type": "manual"}),
            Trigger::Schedule(at) => json!({"type": "schedule", "scheduled_at": rfc3339(at)}),
        }
    }
}

/// What the scheduler knows of a deployment.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its times.
    pub cron: Cron,
    /// Only times after this one count.
    pub times_after: Timestamp,
}

/// Returns when an active, scheduled deployment runs; `None` for others. Errors: a stored deployment that
/// cannot be read, or names a zone that this machine does not know.
pub fn plan(row: &Resource) -> Result<Option<Plan>, ApiError> {
    let stored = Stored::read(row.clone())?;
    if !stored.is_active() {
        return Ok(None);
    }
    let Some(schedule) = &stored.config.schedule else {
        return Ok(None);
    };
    let cron = schedule
        .cron()
        .map_err(|error| ApiError::internal(format!("the schedule of {}: {error}", row.key.id)))?;
    Ok(Some(Plan {
        cron,
        times_after: stored.times_after,
    }))
}

/// Runs a deployment once and returns the run's row; `None` if a scheduled one is not to run any more: it was
/// paused, archived, given another schedule or run by another daemon meanwhile.
/// Errors: 404; 400 for archived ones; 5xx when the store fails, and then nothing was done.
pub async fn attempt(
    state: &DeploymentState,
    key: &Key,
    trigger: Trigger,
) -> Result<Option<Resource>, ApiError> {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        let stored = super::find(&state.sessions.api, &key.workspace, &key.id).await?;
        match trigger {
            Trigger::Manual if stored.row.archived_at.is_some() => {
                return Err(super::archived(&key.id));
            }
            Trigger::Manual => {}
            Trigger::Schedule(at) if !stored.is_active() || at <= stored.times_after => {
                return Ok(None);
            }
            Trigger::Schedule(_) => {}
        }
        match run(state, stored, trigger).await {
            Ok(row) => return Ok(Some(row)),
            Err(StoreError::RevisionConflict { .. }) => {}
            Err(StoreError::NameTaken(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Err(super::DEPLOYMENTS.too_busy())
}

async fn run(
    state: &DeploymentState,
    mut stored: Stored,
    trigger: Trigger,
) -> Result<Resource, StoreError> {
    let api = &state.sessions.api;
    let key = stored.row.key.clone();
    let now = api.clock.now();
    let outcome = make_session(state, &stored).await?;
    let (session_id, error) = match &outcome {
        Ok(session) => (Some(session.session_id.as_str().to_owned()), Value::Null),
        Err(obstacle) => (None, obstacle.run_error()),
    };
    let run = NewResource {
        key: Key {
            workspace: key.workspace.clone(),
            kind: Kind::DeploymentRun,
            id: DeploymentRunId::fresh(now).as_str().to_owned(),
        },
        body: json!({
            "deployment_id": key.id,
            "agent": {
                "type": "agent",
                "id": stored.config.agent.id,
                "version": stored.config.agent.version,
            },
            "session_id": session_id,
            "error": error,
            "trigger_context": trigger.wire(),
        }),
        unique_name: match trigger {
            Trigger::Manual => None,
            Trigger::Schedule(at) => Some(format!("{} {}", key.id, rfc3339(at))),
        },
        status: Some(match &outcome {
            Ok(_) => SUCCEEDED.to_owned(),
            Err(_) => FAILED.to_owned(),
        }),
        labels: vec![
            ("deployment_id".to_owned(), key.id.clone()),
            ("trigger_type".to_owned(), trigger.name().to_owned()),
        ],
        at: now,
        events: Vec::new(),
        needs_wake: false,
        history: None,
    };
    let pause = match &outcome {
        Err(obstacle) if stored.is_active() => obstacle.pause_reason(),
        _ => None,
    };
    let mut is_changed = pause.is_some();
    if let Some(reason) = pause {
        stored.pause(reason);
    }
    if let Trigger::Schedule(at) = trigger {
        stored.times_after = at;
        stored.last_run_at = Some(at);
        is_changed = true;
    }
    let mut writes = vec![Write::Create(run)];
    if is_changed {
        let revision = stored.row.revision;
        let change = stored.change(now, None);
        writes.push(Write::Update {
            key,
            revision,
            change,
        });
    }
    let written = match outcome {
        Ok(session) => session.store(&state.sessions, writes).await?.1,
        Err(_) => api.store.write(writes).await?,
    };
    let row = written.into_iter().next().flatten();
    row.ok_or_else(|| StoreError::Failed("a run was written but not returned".to_owned()))
}

/// Returns the session to be made, or what keeps it from being made.
async fn make_session(
    state: &DeploymentState,
    stored: &Stored,
) -> Result<Result<Prepared, Obstacle>, StoreError> {
    let (key, config) = (&stored.row.key, &stored.config);
    let store = &state.sessions.api.store;
    if let Some(obstacle) = obstacle::find(store, &key.workspace, config).await? {
        return Ok(Err(obstacle));
    }
    let request = config.session_request();
    let made = prepare(
        &state.sessions,
        &key.workspace,
        request,
        Some(&key.id),
        false,
    )
    .await;
    Ok(made.map_err(|error| {
        if let Some(internal) = error.internal_message() {
            tracing::error!(deployment = key.id, internal, "a run made no session");
        }
        Obstacle::of_refusal(&error)
    }))
}

/// Returns how long after the schedule's time a run starts: up to 15 % of `interval`, the time to the next
/// one, but never bounded below 5 seconds or above 9 minutes, nor above `delay_max`. It follows from the
/// deployment and the time alone, so a restart does not change it.
pub fn delay(
    deployment_id: &str,
    scheduled_at: Timestamp,
    interval: Duration,
    delay_max: Duration,
) -> Duration {
    const SHARE_PERCENT: u32 = 15;
    const LEAST: Duration = Duration::from_secs(5);
    const MOST: Duration = Duration::from_secs(9 * 60);
    let share = interval.saturating_mul(SHARE_PERCENT) / 100;
    let bound = share.clamp(LEAST, MOST).min(delay_max);
    let seed = format!("{deployment_id} {}", rfc3339(scheduled_at));
    let hash = blake3::hash(seed.as_bytes());
    let mut first = [0u8; 4];
    first.copy_from_slice(hash.as_bytes().first_chunk::<4>().unwrap_or(&[0; 4]));
    // A part of 2^32 of a bound below 2^40 microseconds.
    let micros = (bound.as_micros() * u128::from(u32::from_le_bytes(first))) >> 32;
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_fixed_spread_and_bounded() {
        let at = |minute: i64| Timestamp::from_second(1_800_000_000 + minute * 60).unwrap();
        let (minute, day) = (Duration::from_secs(60), Duration::from_secs(86_400));
        let most = Duration::MAX;
        for (interval, bound) in [
            (minute, Duration::from_secs(9)),
            (Duration::from_secs(10), Duration::from_secs(5)),
            (day, Duration::from_secs(540)),
        ] {
            let delays: Vec<Duration> = (0..500)
                .map(|n| delay("depl_1", at(n), interval, most))
                .collect();
            assert!(delays.iter().all(|delay| *delay <= bound), "{interval:?}");
            // Not all at one end.
            assert!(delays.iter().any(|delay| *delay < bound / 10));
            assert!(delays.iter().any(|delay| *delay > bound / 10 * 9));
        }
        assert_eq!(
            delay("depl_1", at(0), day, most),
            delay("depl_1", at(0), day, most)
        );
        assert_ne!(
            delay("depl_1", at(0), day, most),
            delay("depl_2", at(0), day, most)
        );
        assert_eq!(delay("depl_1", at(0), day, Duration::ZERO), Duration::ZERO);
    }
}
