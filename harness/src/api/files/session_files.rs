//! A session's own files: copies of what is mounted into it, and what it made. They end with it.

use serde_json::Value;

use super::record::{self, NewFile, SCOPE};
use crate::api::{ApiError, ApiState};
use crate::blobs::{Blobs, Stored};
use crate::clock::Timestamp;
use crate::ids::{FileId, SessionId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{
    Kind, NewResource, Order, ROWS_MAX, Resource, ResourceQuery, Store, StoreError, TimeRange,
    Write,
};

/// A session's copy of a file: its content is stored, its record is still to be written.
pub(in crate::api) struct SessionCopy {
    /// The copy's own id.
    pub(in crate::api) id: FileId,
    /// Its record.
    pub(in crate::api) record: NewResource,
}

/// Copies a file's content for a session. Whoever does not write the record calls [`drop_copies`].
/// Errors: 404 when there is no such file, or it has expired.
pub(in crate::api) async fn copy_into(
    api: &ApiState,
    workspace: &WorkspaceId,
    file_id: &str,
    session_id: &SessionId,
    now: Timestamp,
) -> Result<SessionCopy, ApiError> {
    let file = record::find_unexpired(api, workspace, file_id).await?;
    let id = FileId::fresh(now);
    let copied = api.blobs.copy(file_id, id.as_str()).await;
    copied.map_err(|error| record::content_missing(error, file_id))?;
    let text = |name: &str| file.body.at(name).as_str().unwrap_or_default().to_owned();
    let copy = NewFile {
        id: id.clone(),
        name: text("filename"),
        mime_type: text("mime_type"),
        stored: Stored {
            bytes: file.body.at("size_bytes").as_u64().unwrap_or(0),
            sha256: text("_sha256"),
        },
        // A copy opens nothing that the original keeps shut.
        is_downloadable: *file.body.at("downloadable") == true,
        expires_at: None,
        session: Some(session_id.clone()),
        output: Value::Null,
    };
    Ok(SessionCopy {
        id,
        record: copy.record(workspace, now),
    })
}

/// Removes copies whose records are not written, or are gone.
pub(in crate::api) async fn drop_copies(blobs: &Blobs, ids: impl IntoIterator<Item = FileId>) {
    for id in ids {
        record::drop_content(blobs, id.as_str()).await;
    }
}

/// Removes a session's copy, its record with it.
pub(in crate::api) async fn remove_copy(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
) -> Result<(), StoreError> {
    record::remove(&*api.store, &api.blobs, &record::key(workspace, id)).await
}

/// Removes every file of a session that is gone.
pub(in crate::api) async fn remove_of_session(
    store: &dyn Store,
    blobs: &Blobs,
    workspace: &WorkspaceId,
    session_id: &str,
) -> Result<(), StoreError> {
    loop {
        let files = of_session(store, workspace, session_id, None).await?;
        if files.is_empty() {
            return Ok(());
        }
        let deletions = files.iter().map(|file| Write::Delete(file.key.clone()));
        match store.write(deletions.collect()).await {
            // Someone else removed one of them: look again.
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
        for file in &files {
            record::drop_content(blobs, &file.key.id).await;
        }
    }
}

/// Returns a page of a session's files, oldest first, also of those whose content was taken away.
pub(super) async fn of_session(
    store: &dyn Store,
    workspace: &WorkspaceId,
    session_id: &str,
    after: Option<(Timestamp, String)>,
) -> Result<Vec<Resource>, StoreError> {
    let query = ResourceQuery {
        workspace: workspace.clone(),
        kind: Kind::File,
        include_archived: true,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels: vec![(SCOPE.to_owned(), session_id.to_owned())],
        order: Order::Ascending,
        after,
        limit: ROWS_MAX,
    };
    store.list(&query).await
}
