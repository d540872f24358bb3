//! What a credential opens, as a table of methods and paths.
//!
//! API keys open everything but what only a worker may do and what their role forbids. Environment keys and
//! the tokens of work items open their rows of the tables here and nothing else. In a pattern, `{name}`
//! stands for one segment; the ids that the credential is bound to must be its own, and another one's are
//! answered as ids that do not exist.

use axum::http::Method;
use serde_json::Value;

use crate::api::auth::{Caller, Credential, WorkGrant};
use crate::api::environments::ENVIRONMENTS;
use crate::api::keys::Role;
use crate::api::{ApiError, ApiState};
use crate::json::Fields as _;
use crate::store::{Key, Kind, StoreError};

type Row = (&'static str, &'static str);

/// What an environment key opens, for its own environment.
const ENVIRONMENT_KEY: &[Row] = &[
    ("GET", "/v1/environments/{environment_id}/work"),
    ("GET", "/v1/environments/{environment_id}/work/poll"),
    ("GET", "/v1/environments/{environment_id}/work/stats"),
    (
        "POST",
        "/v1/environments/{environment_id}/work/{work_id}/ack",
    ),
    (
        "POST",
        "/v1/environments/{environment_id}/work/{work_id}/heartbeat",
    ),
    (
        "POST",
        "/v1/environments/{environment_id}/work/{work_id}/stop",
    ),
];

/// What only workers do: closed to API keys.
const WORKERS_ONLY: &[Row] = &[
    ("GET", "/v1/environments/{environment_id}/work"),
    ("GET", "/v1/environments/{environment_id}/work/poll"),
    (
        "POST",
        "/v1/environments/{environment_id}/work/{work_id}/ack",
    ),
    (
        "POST",
        "/v1/environments/{environment_id}/work/{work_id}/heartbeat",
    ),
];

/// What the token of a work item opens as long as its text is known: its own item.
const WORK_TOKEN: &[Row] = &[
    (
        "POST",
        "/v1/environments/{environment_id}/work/{work_id}/heartbeat",
    ),
    (
        "POST",
        "/v1/environments/{environment_id}/work/{work_id}/stop",
    ),
];

/// What the token of a work item opens beside, as long as its holder is the item's worker: its session,
/// the skills of the session's agent, and the session's memory stores.
const WORKERS_SESSION: &[Row] = &[
    ("GET", "/v1/sessions/{session_id}"),
    ("GET", "/v1/sessions/{session_id}/events"),
    ("POST", "/v1/sessions/{session_id}/events"),
    ("GET", "/v1/sessions/{session_id}/events/stream"),
    ("GET", "/v1/sessions/{session_id}/resources"),
    ("GET", "/v1/sessions/{session_id}/resources/{resource_id}"),
    ("GET", "/v1/sessions/{session_id}/threads"),
    ("GET", "/v1/sessions/{session_id}/threads/{thread_id}"),
    (
        "GET",
        "/v1/sessions/{session_id}/threads/{thread_id}/events",
    ),
    (
        "GET",
        "/v1/sessions/{session_id}/threads/{thread_id}/stream",
    ),
    ("GET", "/v1/skills/{skill_id}/versions/{version}"),
    ("GET", "/v1/skills/{skill_id}/versions/{version}/content"),
    ("GET", "/v1/memory_stores/{memory_store_id}"),
    ("GET", "/v1/memory_stores/{memory_store_id}/memories"),
    ("POST", "/v1/memory_stores/{memory_store_id}/memories"),
    (
        "GET",
        "/v1/memory_stores/{memory_store_id}/memories/{memory_id}",
    ),
    (
        "POST",
        "/v1/memory_stores/{memory_store_id}/memories/{memory_id}",
    ),
    (
        "DELETE",
        "/v1/memory_stores/{memory_store_id}/memories/{memory_id}",
    ),
];

/// Root of the organization's administration.
const ORGANIZATION: &str = "/v1/organizations/";

/// Refuses what the caller's credential does not open.
pub(super) async fn check(
    api: &ApiState,
    caller: &Caller,
    method: &Method,
    path: &str,
) -> Result<(), ApiError> {
    // Whoever may read may ask whether there is something to read.
    let method = if method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    match &caller.credential {
        // Who needs no key needs no worker's key either.
        Credential::Open => Ok(()),
        Credential::Key(role) => check_key(*role, method, path),
        Credential::Environment(own) => {
            let names = row(ENVIRONMENT_KEY, method, path).ok_or_else(|| {
                ApiError::forbidden("an environment key opens only its environment's work queue")
            })?;
            own_or_missing(&names, "environment_id", own.as_str(), missing_environment)
        }
        Credential::Work(grant) => check_work(api, caller, grant, method, path).await,
    }
}

fn check_key(role: Role, method: &str, path: &str) -> Result<(), ApiError> {
    if row(WORKERS_ONLY, method, path).is_some() {
        return Err(ApiError::forbidden(
            "this endpoint is for workers: it takes an environment key, not an API key",
        ));
    }
    if role == Role::Admin {
        return Ok(());
    }
    if path.starts_with(ORGANIZATION) {
        return Err(ApiError::forbidden(
            "the administration of the organization needs an API key with the role admin",
        ));
    }
    if role == Role::ReadOnly && method != "GET" {
        return Err(ApiError::forbidden(
            "the API key has the role read-only, which opens GET requests alone",
        ));
    }
    Ok(())
}

async fn check_work(
    api: &ApiState,
    caller: &Caller,
    grant: &WorkGrant,
    method: &str,
    path: &str,
) -> Result<(), ApiError> {
    if let Some(names) = row(WORK_TOKEN, method, path) {
        let own = grant.environment_id.as_str();
        own_or_missing(&names, "environment_id", own, missing_environment)?;
        return own_or_missing(&names, "work_id", grant.work_id.as_str(), |id| {
            ApiError::not_found("work item", id)
        });
    }
    let names = row(WORKERS_SESSION, method, path).ok_or_else(|| {
        ApiError::forbidden(
            "the token of a work item opens only that item, its session, and the session's skills \
             and memory stores",
        )
    })?;
    if !grant.is_held {
        return Err(ApiError::forbidden(
            "the work item was stopped or went to another worker",
        ));
    }
    let own = grant.session_id.as_str();
    own_or_missing(&names, "session_id", own, |id| {
        ApiError::not_found("session", id)
    })?;
    for (name, id) in &names {
        match *name {
            "skill_id" => {
                let session = session(api, caller, grant).await?;
                let skills = session.at("agent").at("skills").as_array();
                let has_it = |skill: &Value| skill.at("skill_id") == id;
                if !skills.is_some_and(|skills| skills.iter().any(has_it)) {
                    return Err(ApiError::not_found("skill", id));
                }
            }
            "memory_store_id" => {
                let session = session(api, caller, grant).await?;
                let resources = session.at("resources").as_array();
                let is_it = |resource: &&Value| resource.at("memory_store_id") == id;
                let store = resources
                    .and_then(|resources| resources.iter().find(is_it))
                    .ok_or_else(|| ApiError::not_found("memory store", id))?;
                if method != "GET" && store.at("access") == "read_only" {
                    return Err(ApiError::forbidden(
                        "the session has this memory store read-only",
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

async fn session(api: &ApiState, caller: &Caller, grant: &WorkGrant) -> Result<Value, ApiError> {
    let key = Key {
        workspace: caller.workspace.clone(),
        kind: Kind::Session,
        id: grant.session_id.as_str().to_owned(),
    };
    match api.store.get(&key, None).await {
        Ok(session) => Ok(session.body),
        Err(StoreError::NotFound) => Err(ApiError::not_found("session", &key.id)),
        Err(error) => Err(error.into()),
    }
}

fn own_or_missing(
    names: &[(&str, &str)],
    name: &str,
    own: &str,
    missing: impl Fn(&str) -> ApiError,
) -> Result<(), ApiError> {
    match names
        .iter()
        .find(|(found, id)| *found == name && *id != own)
    {
        Some((_, id)) => Err(missing(id)),
        None => Ok(()),
    }
}

fn missing_environment(id: &str) -> ApiError {
    ENVIRONMENTS.missing(StoreError::NotFound, id)
}

/// Returns what the names stand for in the table's row for this request. A literal segment wins over a
/// name, as it does in the router.
fn row<'a>(table: &[Row], method: &str, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    table
        .iter()
        .filter(|(own, _)| *own == method)
        .filter_map(|(_, pattern)| names(pattern, path))
        .min_by_key(Vec::len)
}

fn names<'a>(pattern: &'static str, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    let mut names = Vec::new();
    let mut given = path.split('/');
    for own in pattern.split('/') {
        let segment = given.next()?;
        match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => names.push((name, segment)),
            None if own == segment => {}
            _ => return None,
        }
    }
    given.next().is_none().then_some(names)
}
