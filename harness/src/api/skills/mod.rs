//! `/v1/skills`: folders of instructions that agents read when they need them.
//!
//! A skill has at least one version, always. A version's files are a blob of the version's id: a zip archive
//! with one top folder, which is the skill's name. The name never changes.

mod bundle;
mod resolve;
mod upload;
mod versions;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

pub(crate) use bundle::BOUNDS as SKILL_BOUNDS;
pub(in crate::api) use resolve::{check_skills, resolve_skills};

use crate::api::body::Invalid;
use crate::api::collection::{Answer, Collection, Selection, UPDATE_ATTEMPTS_MAX};
use crate::api::multipart::Parts;
use crate::api::page;
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::rfc3339;
use crate::ids::{SkillId, SkillVersionId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{Key, Kind, NewResource, Resource, StoreError, Write};

/// Largest page.
const LIMIT_MAX: usize = 1_000;
/// Largest upload in bytes: the files and what a form puts around them.
const UPLOAD_BYTES_MAX: usize = bundle::BOUNDS.bytes_max as usize + (2 << 20);

const SKILLS: Collection = Collection {
    kind: Kind::Skill,
    list: "skills",
    noun: "skill",
    wire,
    missing_code: None,
};

/// Returns the routes.
pub(super) fn routes() -> Router<ApiState> {
    let limit = || DefaultBodyLimit::max(UPLOAD_BYTES_MAX);
    let skills = get(list).post(create).layer(limit());
    let of_skill = get(versions::list).post(versions::create).layer(limit());
    Router::new()
        .route("/v1/skills", skills)
        .route("/v1/skills/{skill_id}", get(retrieve).delete(delete))
        .route("/v1/skills/{skill_id}/versions", of_skill)
        .route(
            "/v1/skills/{skill_id}/versions/{version}",
            get(versions::retrieve).delete(versions::delete),
        )
        .route(
            "/v1/skills/{skill_id}/versions/{version}/content",
            get(versions::content),
        )
}

/// Creates a skill with its first version.
async fn create(State(api): State<ApiState>, caller: Caller, parts: Parts) -> Answer {
    let upload = upload::read(parts, true).await?;
    let now = api.clock.now();
    let id = SkillId::fresh(now);
    let version_id = SkillVersionId::fresh(now);
    let bundle = upload.bundle;
    let skill = NewResource {
        key: key(&caller.workspace, id.as_str()),
        body: json!({
            "display_name": upload.display_name.unwrap_or_else(|| bundle.name.clone()),
            "latest_version_id": version_id.as_str(),
            "source": {"type": "custom"},
            "_name": bundle.name,
        }),
        unique_name: None,
        status: None,
        labels: Vec::new(),
        at: now,
        events: Vec::new(),
        needs_wake: false,
        history: None,
    };
    let version =
        versions::store(&api, &caller.workspace, id.as_str(), &version_id, bundle).await?;
    let writes = vec![Write::Create(skill), Write::Create(version)];
    match api.store.write(writes).await {
        Ok(stored) => match stored.into_iter().next().flatten() {
            Some(skill) => Ok(Json(wire(&skill))),
            None => Err(ApiError::internal("the store answered without the skill")),
        },
        Err(error) => {
            versions::drop_content(&api, version_id.as_str()).await;
            Err(error.into())
        }
    }
}

/// Returns a skill.
async fn retrieve(State(api): State<ApiState>, caller: Caller, Path(id): Path<String>) -> Answer {
    Ok(Json(wire(&find(&api, &caller.workspace, &id).await?)))
}

/// Returns the workspace's skills, newest first.
async fn list(State(api): State<ApiState>, caller: Caller, query: Query) -> Answer {
    match query.text("source")? {
        None | Some("custom") => {}
        // This server has none of these.
        Some("anthropic") => {
            query.limit(LIMIT_MAX, LIMIT_MAX)?;
            return Ok(Json(page::cursor_page(Vec::new(), None)));
        }
        Some(_) => {
            let message = "expected custom or anthropic";
            return Err(Invalid::at("source", message).into());
        }
    }
    let selection = Selection {
        limit_max: LIMIT_MAX,
        ..Selection::default()
    };
    SKILLS.list_selected(&api, caller, &query, selection).await
}

/// Removes a skill with its versions. Sessions that have it unpacked already keep it as long as they can.
async fn delete(State(api): State<ApiState>, caller: Caller, Path(id): Path<String>) -> Answer {
    for _ in 0..UPDATE_ATTEMPTS_MAX {
        find(&api, &caller.workspace, &id).await?;
        let versions = versions::all(&api, &caller.workspace, &id).await?;
        let mut writes = vec![Write::Delete(key(&caller.workspace, &id))];
        writes.extend(
            versions
                .iter()
                .map(|version| Write::Delete(version.key.clone())),
        );
        match api.store.write(writes).await {
            Ok(_) => {
                for version in &versions {
                    versions::drop_content(&api, &version.key.id).await;
                }
                return Ok(Json(json!({ "id": id, "type": "skill_deleted" })));
            }
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SKILLS.too_busy())
}

async fn find(api: &ApiState, workspace: &WorkspaceId, id: &str) -> Result<Resource, ApiError> {
    let found = api.store.get(&key(workspace, id), None).await;
    found.map_err(|error| SKILLS.missing(error, id))
}

fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::Skill,
        id: id.to_owned(),
    }
}

/// Returns the wire's `Skill`.
fn wire(stored: &Resource) -> Value {
    let mut skill = stored.body.clone();
    if let Some(fields) = skill.as_object_mut() {
        fields.retain(|name, _| !name.starts_with('_'));
    }
    skill.set("type", json!("skill"));
    skill.set("id", json!(stored.key.id));
    skill.set("created_at", json!(rfc3339(stored.created_at)));
    skill.set("updated_at", json!(rfc3339(stored.updated_at)));
    skill
}
