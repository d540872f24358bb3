//! What is mounted into a session: at its creation, and files also while it lives.
//!
//! The list is part of the session's configuration, so it follows from the log; the hand makes its folders
//! what the list says before the next call.

mod endpoints;
mod memory;
mod read;

use serde_json::{Value, json};

pub(super) use endpoints::{add, list, remove, retrieve, update};
pub(super) use memory::labels;
pub(super) use read::{Wanted, WantedFile, read};

use memory::mount_store;

use crate::api::body::Invalid;
use crate::api::environment_config::is_self_hosted;
use crate::api::files::{SessionCopy, copy_into, drop_copies};
use crate::api::{ApiError, ApiState};
use crate::clock::{Timestamp, rfc3339};
use crate::ids::{SessionId, SessionResourceId, WorkspaceId};
use crate::json::Fields as _;

/// Most files of one session.
pub(super) const FILES_MAX: usize = 500;

/// What a session to be created mounts.
#[derive(Default)]
pub(super) struct Mounted {
    /// The wire's resources.
    pub(super) resources: Vec<Value>,
    /// The copies whose records are written with the session.
    pub(super) copies: Vec<SessionCopy>,
}

/// Makes what a session's creation asks for; for a rehearsal no files. Whoever does not create the session calls [`unmount`].
/// Errors: 404 for a file or a store that is not there, 400 for an archived store; then nothing is left.
pub(super) async fn mount(
    api: &ApiState,
    workspace: &WorkspaceId,
    session_id: &SessionId,
    wanted: Vec<Wanted>,
    now: Timestamp,
    is_rehearsal: bool,
) -> Result<Mounted, ApiError> {
    let mut mounted = Mounted::default();
    let mut taken = Vec::new();
    for wanted in wanted {
        let made = match wanted {
            Wanted::File(_) if is_rehearsal => continue,
            Wanted::File(file) => mount_file(api, workspace, session_id, &file, now)
                .await
                .map(|(resource, copy)| (resource, Some(copy))),
            Wanted::Store(store) => mount_store(api, workspace, store, &mut taken)
                .await
                .map(|resource| (resource, None)),
        };
        match made {
            Ok((resource, copy)) => {
                mounted.resources.push(resource);
                mounted.copies.extend(copy);
            }
            Err(error) => {
                unmount(api, mounted).await;
                return Err(error);
            }
        }
    }
    Ok(mounted)
}

/// Makes for a new session what another one has mounted: copies of its files, and the same stores. Files that are
/// gone by now are left out. As [`mount`] otherwise.
pub(super) async fn copy(
    api: &ApiState,
    workspace: &WorkspaceId,
    session_id: &SessionId,
    resources: &Value,
    now: Timestamp,
) -> Result<Mounted, ApiError> {
    let mut mounted = Mounted::default();
    for resource in resources.as_array().into_iter().flatten() {
        if *resource.at("type") != "file" {
            mounted.resources.push(resource.clone());
            continue;
        }
        let text = |name: &str| resource.at(name).as_str().unwrap_or_default().to_owned();
        let file = WantedFile {
            file_id: text("file_id"),
            mount_path: text("mount_path"),
        };
        match mount_file(api, workspace, session_id, &file, now).await {
            Ok((resource, copy)) => {
                mounted.resources.push(resource);
                mounted.copies.push(copy);
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                unmount(api, mounted).await;
                return Err(error);
            }
        }
    }
    Ok(mounted)
}

/// Takes back what was mounted for a session that is not created.
pub(super) async fn unmount(api: &ApiState, mounted: Mounted) {
    let ids = mounted.copies.into_iter().map(|copy| copy.id);
    drop_copies(&api.blobs, ids).await;
}

/// Returns the wire's `FileResource` of a file's session copy, and the copy.
async fn mount_file(
    api: &ApiState,
    workspace: &WorkspaceId,
    session_id: &SessionId,
    file: &WantedFile,
    now: Timestamp,
) -> Result<(Value, SessionCopy), ApiError> {
    let copy = copy_into(api, workspace, &file.file_id, session_id, now).await?;
    let at = rfc3339(now);
    let resource = json!({
        "type": "file",
        "id": SessionResourceId::fresh(now).as_str(),
        "file_id": copy.id.as_str(),
        "mount_path": file.mount_path,
        "created_at": at,
        "updated_at": at,
    });
    Ok((resource, copy))
}

/// Refuses what an environment cannot mount: the files of self-hosted workers are their own.
pub(super) fn check_environment(environment: &Value, wanted: &[Wanted]) -> Result<(), Invalid> {
    let has_files = wanted
        .iter()
        .any(|wanted| matches!(wanted, Wanted::File(_)));
    if has_files && is_self_hosted(environment) {
        let message =
            "a session in a self-hosted environment can mount neither files nor repositories";
        return Err(Invalid::at("resources", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn self_hosted_environments_mount_no_files() {
        let of = |kind: &str| json!({"config": {"type": kind}});
        let file = Wanted::File(WantedFile {
            file_id: "file_1".to_owned(),
            mount_path: "/mnt/session/uploads/a".to_owned(),
        });
        for (kind, wanted, is_good) in [
            ("cloud", vec![file.clone()], true),
            ("self_hosted", vec![], true),
            ("self_hosted", vec![file], false),
        ] {
            assert_eq!(
                check_environment(&of(kind), &wanted).is_ok(),
                is_good,
                "{kind}"
            );
        }
    }
}
