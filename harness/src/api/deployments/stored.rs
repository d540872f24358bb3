//! A deployment as it is stored, and the wire object made from it.
//!
//! The body holds the configuration and, in a field that is not on the wire, how far the schedule was served.

use serde::Deserialize;
use serde_json::{Value, json};

use super::config::{DeploymentConfig, Schedule};
use crate::api::ApiError;
use crate::clock::{Timestamp, rfc3339};
use crate::json::Fields as _;
use crate::store::{Resource, ResourceChange};

/// The body's field for what is not on the wire.
const PRIVATE: &str = "_sinew";
/// The body's field with the wire's reason of a pause, null while active.
const PAUSED_REASON: &str = "paused_reason";
/// Most times in `upcoming_runs_at`.
const UPCOMING_MAX: usize = 5;
/// State of a deployment that runs.
pub(super) const ACTIVE: &str = "active";
/// State of one that does not run by itself.
pub(super) const PAUSED: &str = "paused";

/// A deployment, read.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) row: Resource,
    pub(super) config: DeploymentConfig,
    /// Only times after this one count: it moves with the schedule, with a pause's end and with every run.
    pub(super) times_after: Timestamp,
    /// The last time that made a scheduled run.
    pub(super) last_run_at: Option<Timestamp>,
    pub(super) paused_reason: Value,
}

impl Stored {
    /// Reads a row.
    pub(super) fn read(row: Resource) -> Result<Self, ApiError> {
        let unreadable = |error: &dyn std::fmt::Display| {
            let id = &row.key.id;
            ApiError::internal(format!("the stored deployment {id} is unreadable: {error}"))
        };
        let config =
            DeploymentConfig::deserialize(&row.body).map_err(|error| unreadable(&error))?;
        let private = row.body.at(PRIVATE);
        let time = |name: &str| private.at(name).as_str().and_then(|at| at.parse().ok());
        Ok(Self {
            times_after: time("times_after").unwrap_or(row.created_at),
            last_run_at: time("last_run_at"),
            paused_reason: row.body.at(PAUSED_REASON).clone(),
            config,
            row,
        })
    }

    /// Tells whether its schedule counts.
    pub(super) fn is_active(&self) -> bool {
        self.row.archived_at.is_none() && self.row.status.as_deref() == Some(ACTIVE)
    }

    /// Pauses it for the wire's reason `reason`.
    pub(super) fn pause(&mut self, reason: Value) {
        self.row.status = Some(PAUSED.to_owned());
        self.paused_reason = reason;
    }

    /// Ends a pause; what would have run meanwhile does not.
    pub(super) fn unpause(&mut self, now: Timestamp) {
        self.row.status = Some(ACTIVE.to_owned());
        self.paused_reason = Value::Null;
        self.times_after = now;
    }

    /// Returns the write that stores it as it is now, archived if `archived_at` says so: archived ones count as
    /// active.
    pub(super) fn change(
        mut self,
        now: Timestamp,
        archived_at: Option<Timestamp>,
    ) -> ResourceChange {
        if archived_at.is_some() {
            self.unpause(now);
        }
        ResourceChange {
            body: body(
                &self.config,
                &self.paused_reason,
                self.times_after,
                self.last_run_at,
            ),
            new_version: false,
            unique_name: None,
            status: self.row.status,
            archived_at,
            at: now,
        }
    }

    /// Returns the wire's `Deployment` as of `now`.
    pub(super) fn wire(&self, now: Timestamp) -> Value {
        let config = &self.config;
        let row = &self.row;
        json!({
            "type": "deployment",
            "id": row.key.id,
            "name": config.name,
            "description": config.description,
            "agent": {"type": "agent", "id": config.agent.id, "version": config.agent.version},
            "environment_id": config.environment_id,
            "initial_events": config.initial_events,
            "resources": config.resources.iter().map(shown_resource).collect::<Vec<_>>(),
            "vault_ids": config.vault_ids,
            "budget": config.budget,
            "metadata": config.metadata,
            "schedule": config.schedule.as_ref().map(|schedule| self.schedule_wire(schedule, now)),
            "status": row.status,
            "paused_reason": self.paused_reason,
            "created_at": rfc3339(row.created_at),
            "updated_at": rfc3339(row.updated_at),
            "archived_at": row.archived_at.map(rfc3339),
        })
    }

    fn schedule_wire(&self, schedule: &Schedule, now: Timestamp) -> Value {
        let upcoming = match (self.row.archived_at, schedule.cron()) {
            (None, Ok(cron)) => cron.upcoming(now.max(self.times_after), UPCOMING_MAX),
            _ => Vec::new(),
        };
        json!({
            "type": "cron",
            "expression": schedule.expression,
            "timezone": schedule.timezone,
            "last_run_at": self.last_run_at.map(rfc3339),
            "upcoming_runs_at": upcoming.into_iter().map(rfc3339).collect::<Vec<_>>(),
        })
    }
}

/// Returns the body of a new deployment.
pub(super) fn new_body(config: &DeploymentConfig, now: Timestamp) -> Value {
    body(config, &Value::Null, now, None)
}

fn body(
    config: &DeploymentConfig,
    paused_reason: &Value,
    times_after: Timestamp,
    last_run_at: Option<Timestamp>,
) -> Value {
    // Cannot fail: every map in here has strings as keys.
    let mut body = serde_json::to_value(config).unwrap_or_default();
    body.set(PAUSED_REASON, paused_reason.clone());
    body.set(
        PRIVATE,
        json!({
            "times_after": rfc3339(times_after),
            "last_run_at": last_run_at.map(rfc3339),
        }),
    );
    body
}

/// Returns the wire's configuration of a mounted resource: what was asked for, without any secret.
fn shown_resource(asked: &Value) -> Value {
    let shown: &[&str] = match asked.at("type").as_str() {
        Some("file") => &["type", "file_id", "mount_path"],
        Some("github_repository") => &["type", "url", "checkout", "mount_path"],
        Some("memory_store") => &["type", "memory_store_id", "access", "instructions"],
        _ => &["type"],
    };
    let mut resource = asked.clone();
    if let Some(fields) = resource.as_object_mut() {
        fields.retain(|name, _| shown.contains(&name.as_str()));
    }
    resource
}
