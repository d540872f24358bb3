//! What is told of each change: pure, from the change to the types of webhook events.
//!
//! Names are the contract's, which differ from those of the log. Both generations of session names are made
//! (`session.idled` and `session.status_idled`); an endpoint chooses. `session.pending` is never made: sessions
//! here are idle or running from their first moment.

use serde_json::{Map, Value, json};

use crate::json::Fields as _;
use crate::session::EventKind;
use crate::store::{Kind, NewEvent, NewResource, Resource, ResourceChange};
use crate::vault::REFRESH_FAILED_FIELD;

/// Every type that an endpoint may ask for. Those of the organization and of user profiles are never made.
pub const EVENT_TYPES: [&str; 49] = [
    "agent.archived",
    "agent.created",
    "agent.deleted",
    "agent.updated",
    "deployment.archived",
    "deployment.created",
    "deployment.deleted",
    "deployment.paused",
    "deployment.unpaused",
    "deployment.updated",
    "deployment_run.failed",
    "deployment_run.started",
    "deployment_run.succeeded",
    "environment.archived",
    "environment.created",
    "environment.deleted",
    "environment.updated",
    "external_key.failed",
    "external_key.recovered",
    "memory_store.archived",
    "memory_store.created",
    "memory_store.deleted",
    "session.archived",
    "session.budget_reached",
    "session.created",
    "session.deleted",
    "session.idled",
    "session.outcome_evaluation_ended",
    "session.pending",
    "session.requires_action",
    "session.running",
    "session.status_idled",
    "session.status_rescheduled",
    "session.status_run_started",
    "session.status_terminated",
    "session.thread_created",
    "session.thread_idled",
    "session.thread_terminated",
    "session.updated",
    "user_profile.enforcement_action_opened",
    "user_profile.enforcement_action_resolved",
    "user_profile.program_status_updated",
    "vault.archived",
    "vault.created",
    "vault.deleted",
    "vault_credential.archived",
    "vault_credential.created",
    "vault_credential.deleted",
    "vault_credential.refresh_failed",
];

/// One event to be told.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Announcement {
    /// Its type.
    pub(super) kind: &'static str,
    /// The id of what it is about.
    pub(super) id: String,
    /// Fields of its data beside those that all have.
    pub(super) extra: Map<String, Value>,
}

/// A resource's name in the types of its events; `None` for kinds that nobody hears of.
pub(super) fn noun(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Agent => Some("agent"),
        Kind::Environment => Some("environment"),
        Kind::Session => Some("session"),
        Kind::MemoryStore => Some("memory_store"),
        Kind::Vault => Some("vault"),
        Kind::Credential => Some("vault_credential"),
        Kind::Deployment => Some("deployment"),
        Kind::DeploymentRun => Some("deployment_run"),
        Kind::ApiKey
        | Kind::EnvironmentKey
        | Kind::File
        | Kind::Skill
        | Kind::SkillVersion
        | Kind::Tool
        | Kind::ToolVersion
        | Kind::Memory
        | Kind::MemoryVersion
        | Kind::MemoryContent
        | Kind::Work
        | Kind::WebhookEndpoint
        | Kind::WebhookDelivery => None,
    }
}

/// Returns what is told of a new resource. Only scheduled runs are told of.
pub(super) fn created(new: &NewResource) -> Vec<Announcement> {
    let (kind, id) = (new.key.kind, &new.key.id);
    if kind == Kind::DeploymentRun {
        if new.body.at("trigger_context").at("type") != "schedule" {
            return Vec::new();
        }
        let end = match new.body.at("error") {
            Value::Null => "succeeded",
            _ => "failed",
        };
        return told(kind, id, &new.body, &["started", end]);
    }
    let mut announcements = told(kind, id, &new.body, &["created"]);
    announcements.extend(logged(id, &new.events));
    announcements
}

/// Returns what is told of a change. Sessions are told of by their logs.
pub(super) fn updated(old: &Resource, change: &ResourceChange) -> Vec<Announcement> {
    let (kind, id) = (old.key.kind, &old.key.id);
    let happened = if kind == Kind::Session {
        return Vec::new();
    } else if old.archived_at.is_none() && change.archived_at.is_some() {
        "archived"
    } else if kind == Kind::Deployment && old.status != change.status {
        match change.status.as_deref() {
            Some("paused") => "paused",
            _ => "unpaused",
        }
    } else if is_refresh_failed(kind, &old.body, &change.body) {
        "refresh_failed"
    } else if shown(&old.body) != shown(&change.body) {
        "updated"
    } else {
        return Vec::new();
    };
    told(kind, id, &old.body, &[happened])
}

/// Tells whether the token of a credential could not be refreshed, for the first time since it was written last.
fn is_refresh_failed(kind: Kind, old: &Value, new: &Value) -> bool {
    kind == Kind::Credential
        && old.at(REFRESH_FAILED_FIELD).is_null()
        && !new.at(REFRESH_FAILED_FIELD).is_null()
}

/// Returns what is told of a resource that is gone.
pub(super) fn deleted(old: &Resource) -> Vec<Announcement> {
    told(old.key.kind, &old.key.id, &old.body, &["deleted"])
}

/// Returns what is told of new events of a session's log.
pub(super) fn logged(session_id: &str, events: &[NewEvent]) -> Vec<Announcement> {
    let mut announcements = Vec::new();
    // Whose events are in no list of the session's, nobody hears of.
    for event in events.iter().filter(|event| !event.is_thread_only) {
        let Some(kind) = EventKind::parse(&event.kind) else {
            continue;
        };
        let (of_session, of_thread) = types_of(kind, &event.body);
        let thread = event.body.at("session_thread_id").clone();
        for kind in of_session {
            announcements.push(announcement(kind, session_id, &[]));
        }
        for kind in of_thread {
            let extra = [("session_thread_id", thread.clone())];
            announcements.push(announcement(kind, session_id, &extra));
        }
    }
    announcements
}

/// Returns the types for an event of the log: those of the session and those of a thread.
fn types_of(kind: EventKind, body: &Value) -> (&'static [&'static str], &'static [&'static str]) {
    const NONE: &[&str] = &[];
    match kind {
        EventKind::SessionStatusRunning => {
            (&["session.running", "session.status_run_started"], NONE)
        }
        EventKind::SessionStatusIdle => {
            let types: &[&str] = match body.at("stop_reason").at("type").as_str() {
                Some("requires_action") => &["session.requires_action", "session.status_idled"],
                Some("budget_reached") => &[
                    "session.idled",
                    "session.budget_reached",
                    "session.status_idled",
                ],
                _ => &["session.idled", "session.status_idled"],
            };
            (types, NONE)
        }
        EventKind::SessionStatusRescheduled => (&["session.status_rescheduled"], NONE),
        // A session ends by its archive, or is archived by its end.
        EventKind::SessionStatusTerminated => {
            (&["session.status_terminated", "session.archived"], NONE)
        }
        EventKind::SessionUpdated => (&["session.updated"], NONE),
        EventKind::SpanOutcomeEvaluationEnd => (&["session.outcome_evaluation_ended"], NONE),
        EventKind::SessionThreadCreated => (NONE, &["session.thread_created"]),
        EventKind::SessionThreadStatusIdle => (NONE, &["session.thread_idled"]),
        EventKind::SessionThreadStatusTerminated => (NONE, &["session.thread_terminated"]),
        _ => (NONE, NONE),
    }
}

fn told(kind: Kind, id: &str, body: &Value, happened: &[&str]) -> Vec<Announcement> {
    let Some(noun) = noun(kind) else {
        return Vec::new();
    };
    let vault = [("vault_id", body.at("vault_id").clone())];
    let extra: &[_] = match kind {
        Kind::Credential => &vault,
        _ => &[],
    };
    happened
        .iter()
        .filter_map(|happened| {
            let name = format!("{noun}.{happened}");
            let known = EVENT_TYPES.into_iter().find(|kind| *kind == name)?;
            Some(announcement(known, id, extra))
        })
        .collect()
}

fn announcement(kind: &'static str, id: &str, extra: &[(&str, Value)]) -> Announcement {
    let extra = extra
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    Announcement {
        kind,
        id: id.to_owned(),
        extra: extra.collect(),
    }
}

/// Returns a body without what is not on the wire.
fn shown(body: &Value) -> Vec<(&String, &Value)> {
    let fields = body.as_object().into_iter().flatten();
    fields.filter(|(name, _)| !name.starts_with('_')).collect()
}

impl Announcement {
    /// Returns the payload's `data`.
    pub(super) fn data(&self, organization_id: &str, workspace_id: &str) -> Value {
        let mut data = json!({
            "type": self.kind,
            "id": self.id,
            "organization_id": organization_id,
            "workspace_id": workspace_id,
        });
        for (name, value) in &self.extra {
            data.set(name, value.clone());
        }
        data
    }
}
