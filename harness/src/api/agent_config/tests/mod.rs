//! Tables of good and bad configurations.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod create;
mod multiagent;
mod session;
mod tools;
mod update;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{AgentConfig, Roster};
use crate::api::body::{Fields, Invalid};
use crate::model::Catalog;
use crate::model::catalog::{Effort, ModelOverride};

/// `opus` works hard, `haiku` less; both only at standard speed.
pub(super) fn models() -> Catalog {
    let model = |effort| ModelOverride {
        efforts: Some(Effort::ALL.to_vec()),
        effort_default: Some(effort),
        ..ModelOverride::default()
    };
    Catalog::with_overrides(&BTreeMap::from([
        ("opus".to_owned(), model(Effort::High)),
        ("haiku".to_owned(), model(Effort::Medium)),
    ]))
}

pub(super) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(map) => Fields::root(map),
        other => panic!("not an object: {other}"),
    }
}

/// Creates `agent_own` from `{name, model}` and the given fields.
pub(super) fn create(extra: Value) -> Result<AgentConfig, Invalid> {
    create_with(extra, &Roster::new())
}

pub(super) fn create_with(extra: Value, roster: &Roster) -> Result<AgentConfig, Invalid> {
    let mut body = json!({"name": "n", "model": "opus"});
    for (key, value) in extra.as_object().unwrap() {
        body[key] = value.clone();
    }
    super::create(fields(body), &models())?.finish("agent_own", 1, roster)
}

/// Updates `agent_own`, now at version 3.
pub(super) fn update(
    stored: &AgentConfig,
    change: Value,
    roster: &Roster,
) -> Result<AgentConfig, Invalid> {
    super::update(stored, "agent_own", 3, fields(change), &models())?.finish("agent_own", 4, roster)
}

/// Fails unless `result` is a refusal at `path` whose message holds `fragment`.
#[track_caller]
pub(super) fn refused<T: std::fmt::Debug>(
    result: Result<T, Invalid>,
    path: &str,
    fragment: &str,
    case: &Value,
) {
    match result {
        Ok(passed) => panic!("{case} passed: {passed:?}"),
        Err(error) => assert!(
            error.path == path && error.message.contains(fragment),
            "{case}\n  got      {error}\n  expected {path}: ...{fragment}..."
        ),
    }
}
