//! What keeps a deployment from making a session: the errors of runs and of pauses.

use serde_json::{Value, json};

use super::config::DeploymentConfig;
use crate::api::ApiError;
use crate::api::environment_config::is_self_hosted;
use crate::api::sessions::{blocked_message, blocked_server};
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::store::{Key, Kind, Resource, SharedStore, StoreError};

/// Why an attempt made no session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Obstacle {
    kind: &'static str,
    message: String,
    /// Nobody but a person can remove it, so the deployment pauses.
    is_lasting: bool,
}

impl Obstacle {
    fn lasting(kind: &'static str, message: String) -> Self {
        Self {
            kind,
            message,
            is_lasting: true,
        }
    }

    /// Returns what the refusal of a session means; the lasting causes have been looked for before.
    pub(super) fn of_refusal(error: &ApiError) -> Self {
        let kind = match error.status().as_u16() {
            429 | 529 => "session_rate_limited_error",
            400..=499 => "session_creation_rejected_error",
            _ => "unknown_error",
        };
        Self {
            kind,
            message: error.message().to_owned(),
            is_lasting: false,
        }
    }

    /// Returns the run's `error`.
    pub(super) fn run_error(&self) -> Value {
        json!({"type": self.kind, "message": self.message})
    }

    /// Returns the deployment's `paused_reason`, if it pauses.
    pub(super) fn pause_reason(&self) -> Option<Value> {
        let reason = || json!({"type": "error", "error": {"type": self.kind}});
        self.is_lasting.then(reason)
    }
}

/// Looks for what keeps sessions of `config` from being made for good.
pub(super) async fn find(
    store: &SharedStore,
    workspace: &WorkspaceId,
    config: &DeploymentConfig,
) -> Result<Option<Obstacle>, StoreError> {
    let lookup = Lookup { store, workspace };
    let id = &config.environment_id;
    let environment = match lookup.get(Kind::Environment, id).await? {
        None => {
            let message = format!("the environment {id} was not found");
            return Ok(Some(Obstacle::lasting(
                "environment_not_found_error",
                message,
            )));
        }
        Some(environment) if environment.archived_at.is_some() => {
            let message = format!("the environment {id} is archived");
            return Ok(Some(Obstacle::lasting(
                "environment_archived_error",
                message,
            )));
        }
        Some(environment) => environment,
    };
    let is_self_hosted = is_self_hosted(&environment.body);
    if let Some(obstacle) = lookup.agent(config, &environment.body).await? {
        return Ok(Some(obstacle));
    }
    for id in &config.vault_ids {
        let (missing, archived) = ("vault_not_found_error", "vault_archived_error");
        if let Some(obstacle) = lookup
            .live(Kind::Vault, "vault", id, missing, archived)
            .await?
        {
            return Ok(Some(obstacle));
        }
    }
    for resource in &config.resources {
        if let Some(obstacle) = lookup.resource(resource, is_self_hosted).await? {
            return Ok(Some(obstacle));
        }
    }
    Ok(None)
}

struct Lookup<'a> {
    store: &'a SharedStore,
    workspace: &'a WorkspaceId,
}

impl Lookup<'_> {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Resource>, StoreError> {
        let key = Key {
            workspace: self.workspace.clone(),
            kind,
            id: id.to_owned(),
        };
        match self.store.get(&key, None).await {
            Ok(found) => Ok(Some(found)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn live(
        &self,
        kind: Kind,
        noun: &str,
        id: &str,
        missing: &'static str,
        archived: &'static str,
    ) -> Result<Option<Obstacle>, StoreError> {
        Ok(match self.get(kind, id).await? {
            None => Some(Obstacle::lasting(
                missing,
                format!("the {noun} {id} was not found"),
            )),
            Some(found) if found.archived_at.is_some() => Some(Obstacle::lasting(
                archived,
                format!("the {noun} {id} is archived"),
            )),
            Some(_) => None,
        })
    }

    async fn agent(
        &self,
        config: &DeploymentConfig,
        environment: &Value,
    ) -> Result<Option<Obstacle>, StoreError> {
        let (id, archived) = (&config.agent.id, "agent_archived_error");
        if let Some(obstacle) = self
            .live(Kind::Agent, "agent", id, archived, archived)
            .await?
        {
            return Ok(Some(obstacle));
        }
        let key = Key {
            workspace: self.workspace.clone(),
            kind: Kind::Agent,
            id: id.clone(),
        };
        let agent = self.store.get(&key, Some(config.agent.version)).await?;
        if let Some(blocked) = blocked_server(environment, &agent.body) {
            let message = blocked_message(&blocked);
            return Ok(Some(Obstacle::lasting("mcp_egress_blocked_error", message)));
        }
        let skills = agent.body.at("skills").as_array();
        for skill in skills.into_iter().flatten() {
            let id = skill.at("skill_id").as_str().unwrap_or_default();
            if skill.at("type") == "custom" && self.get(Kind::Skill, id).await?.is_none() {
                let message = format!("the skill {id} was not found");
                return Ok(Some(Obstacle::lasting("skill_not_found_error", message)));
            }
        }
        Ok(None)
    }

    async fn resource(
        &self,
        resource: &Value,
        is_self_hosted: bool,
    ) -> Result<Option<Obstacle>, StoreError> {
        let kind = resource.at("type").as_str().unwrap_or_default();
        if is_self_hosted && kind != "memory_store" {
            let message = "a self-hosted environment mounts neither files nor repositories";
            return Ok(Some(Obstacle::lasting(
                "self_hosted_resources_unsupported_error",
                message.to_owned(),
            )));
        }
        let id = |name: &str| resource.at(name).as_str().unwrap_or_default();
        match kind {
            "file" => {
                let missing = "file_not_found_error";
                self.live(Kind::File, "file", id("file_id"), missing, missing)
                    .await
            }
            "memory_store" => {
                let id = id("memory_store_id");
                let (missing, archived) = (
                    "session_resource_not_found_error",
                    "memory_store_archived_error",
                );
                self.live(Kind::MemoryStore, "memory store", id, missing, archived)
                    .await
            }
            _ => Ok(None),
        }
    }
}
