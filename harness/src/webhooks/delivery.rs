//! One event on its way to one endpoint, and what became of each attempt.

use std::time::Duration;

use rand::Rng;
use serde_json::{Value, json};

use crate::clock::{Timestamp, rfc3339};
use crate::json::Fields as _;
use crate::store::{Resource, ResourceChange};

/// Attempts of one delivery.
pub(super) const ATTEMPTS_MAX: usize = 3;
/// Longest text of an error that is kept, in characters.
const ERROR_CHARACTERS_MAX: usize = 200;
/// State of a delivery that waits or is under way.
pub(super) const PENDING: &str = "pending";
/// State of one that arrived.
pub(super) const DELIVERED: &str = "delivered";
/// State of one whose attempts are used up.
pub(super) const FAILED: &str = "failed";
/// State of one whose endpoint was switched off first.
pub(super) const DROPPED: &str = "dropped";

/// What came of one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// A 2xx status.
    Acknowledged(u16),
    /// Another status, or none at all for the reason given.
    Failed(Option<u16>, String),
    /// The endpoint is none that webhooks may go to: it is switched off.
    Refused(Option<u16>, String),
}

/// Returns the body of a new delivery.
pub(super) fn new_body(endpoint_id: &str, event: Value, at: Timestamp) -> Value {
    json!({
        "endpoint_id": endpoint_id,
        "event": event,
        "attempts": [],
        "next_attempt_at": rfc3339(at),
    })
}

/// Returns when a pending delivery is tried next.
pub(super) fn next_attempt_at(row: &Resource) -> Timestamp {
    let at = row.body.at("next_attempt_at").as_str();
    at.and_then(|at| at.parse().ok()).unwrap_or(row.created_at)
}

/// Returns a delivery as it is after an attempt at `now`.
pub(super) fn after_attempt(row: &Resource, outcome: &Outcome, now: Timestamp) -> ResourceChange {
    let mut body = row.body.clone();
    let (status, error) = match outcome {
        Outcome::Acknowledged(status) => (Some(*status), None),
        Outcome::Failed(status, error) | Outcome::Refused(status, error) => {
            let error: String = error.chars().take(ERROR_CHARACTERS_MAX).collect();
            (*status, Some(error))
        }
    };
    let mut made = 0;
    if let Some(attempts) = body.at_mut("attempts").as_array_mut() {
        attempts.push(json!({"at": rfc3339(now), "status": status, "error": error}));
        made = attempts.len();
    }
    let state = match outcome {
        Outcome::Acknowledged(_) => DELIVERED,
        Outcome::Failed(..) if made < ATTEMPTS_MAX => PENDING,
        Outcome::Failed(..) | Outcome::Refused(..) => FAILED,
    };
    let next = match state {
        PENDING => now.checked_add(wait_after(made)).ok().map(rfc3339),
        _ => None,
    };
    body.set("next_attempt_at", json!(next));
    change(body, state, now)
}

/// Returns a delivery that is given up because its endpoint is off.
pub(super) fn dropped(row: &Resource, now: Timestamp) -> ResourceChange {
    let mut body = row.body.clone();
    body.set("next_attempt_at", Value::Null);
    change(body, DROPPED, now)
}

/// Ended deliveries are archived, so that looking for the others does not meet them.
fn change(body: Value, state: &str, now: Timestamp) -> ResourceChange {
    ResourceChange {
        body,
        new_version: false,
        unique_name: None,
        status: Some(state.to_owned()),
        archived_at: (state != PENDING).then_some(now),
        at: now,
    }
}

/// The wait behind this many attempts: 5 to 15, then 40 to 120 seconds, at random so that the receiver of many
/// is not met by all of them at once.
fn wait_after(attempts: usize) -> Duration {
    let (least, most) = match attempts {
        0 | 1 => (5_000, 15_000),
        _ => (40_000, 120_000),
    };
    let spread = (u64::from(rand::rng().next_u32()) * (most - least)) >> 32;
    Duration::from_millis(least + spread)
}

/// Returns a delivery as `/sinew/v1/webhooks/{id}/deliveries` shows it.
pub fn delivery_wire(row: &Resource) -> Value {
    let mut wire = row.body.clone();
    wire.set("type", json!("webhook_delivery"));
    wire.set("id", json!(row.key.id));
    wire.set("status", json!(row.status));
    wire.set("created_at", json!(rfc3339(row.created_at)));
    wire.set("updated_at", json!(rfc3339(row.updated_at)));
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_within_the_contracts_bounds() {
        let seconds = |attempts| wait_after(attempts).as_secs_f64();
        for _ in 0..1_000 {
            assert!((5.0..=15.0).contains(&seconds(1)));
            assert!((40.0..=120.0).contains(&seconds(2)));
        }
    }
}
