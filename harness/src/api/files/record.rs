//! What is stored of a file, and what is done with one wherever it comes from.
//!
//! The content is a blob of the file's id. It is written before the record and removed after it, so that no
//! record is ever without its content.

use serde_json::{Value, json};

use crate::agent::{NAMED_BYTES_MAX, fits};
use crate::api::body::Invalid;
use crate::api::{ApiError, ApiState};
use crate::blobs::{BlobError, Blobs, Stored};
use crate::clock::{Timestamp, rfc3339};
use crate::ids::{FileId, SessionId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{Key, Kind, NewResource, Resource, Store, StoreError};

/// Largest file in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 500 << 20;
/// Longest file name in characters.
pub(super) const NAME_CHARACTERS_MAX: usize = 255;
/// Characters that no file name has, beside control characters.
const NAME_FORBIDDEN: &str = "<>:\"|?*\\/";
/// Longest MIME type in bytes.
const MIME_BYTES_MAX: usize = 255;
/// The type of which nothing is known.
const UNKNOWN_TYPE: &str = "application/octet-stream";
/// The label by which a session's files are found.
pub(super) const SCOPE: &str = "scope_id";
/// The field of an output's body that tells where in the session it lies.
pub(super) const OUTPUT: &str = "_output";

/// A file to be recorded, its content stored already.
pub(super) struct NewFile {
    pub(super) id: FileId,
    pub(super) name: String,
    pub(super) mime_type: String,
    pub(super) stored: Stored,
    pub(super) is_downloadable: bool,
    pub(super) expires_at: Option<Timestamp>,
    /// The session it belongs to and ends with.
    pub(super) session: Option<SessionId>,
    /// Where an output lies; null for other files.
    pub(super) output: Value,
}

impl NewFile {
    /// Returns the record, made at `at`.
    pub(super) fn record(self, workspace: &WorkspaceId, at: Timestamp) -> NewResource {
        let session = self.session.as_ref().map(SessionId::as_str);
        let mut body = json!({
            "filename": self.name,
            "mime_type": self.mime_type,
            "size_bytes": self.stored.bytes,
            "downloadable": self.is_downloadable,
            "expires_at": self.expires_at.map(rfc3339),
            "scope": session.map(|id| json!({"type": "session", "id": id})),
            "_sha256": self.stored.sha256,
        });
        if !self.output.is_null() {
            body.set(OUTPUT, self.output);
        }
        NewResource {
            key: key(workspace, self.id.as_str()),
            body,
            unique_name: None,
            status: None,
            labels: session
                .map(|id| (SCOPE.to_owned(), id.to_owned()))
                .into_iter()
                .collect(),
            at,
            events: Vec::new(),
            needs_wake: false,
            history: None,
        }
    }
}

/// Returns the wire's `FileMetadata`.
pub(super) fn wire(stored: &Resource) -> Value {
    let mut file = stored.body.clone();
    if let Some(fields) = file.as_object_mut() {
        fields.retain(|name, _| !name.starts_with('_'));
    }
    file.set("type", json!("file"));
    file.set("id", json!(stored.key.id));
    file.set("created_at", json!(rfc3339(stored.created_at)));
    file
}

/// Returns a file's name in the store.
pub(super) fn key(workspace: &WorkspaceId, id: &str) -> Key {
    Key {
        workspace: workspace.clone(),
        kind: Kind::File,
        id: id.to_owned(),
    }
}

/// Returns a file's record. Errors: 404.
pub(super) async fn find(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
) -> Result<Resource, ApiError> {
    match api.store.get(&key(workspace, id), None).await {
        // The record of a deleted output only keeps it from being collected again.
        Ok(file) if file.archived_at.is_none() => Ok(file),
        Ok(_) | Err(StoreError::NotFound) => Err(ApiError::not_found("file", id)),
        Err(error) => Err(error.into()),
    }
}

/// Returns a file whose content may be used. Errors: 404, also when it has expired.
pub(super) async fn find_unexpired(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
) -> Result<Resource, ApiError> {
    let file = find(api, workspace, id).await?;
    if expires_at(&file).is_some_and(|at| at <= api.clock.now()) {
        let error = ApiError::no_route(format!("the file {id} has expired"));
        return Err(error.with_code("file_expired"));
    }
    Ok(file)
}

/// Checks that a message may name a file in a block of this type. Errors: 404 for a file that is not there, 400 for
/// one that is too large or of another kind.
pub(in crate::api) async fn check_named(
    api: &ApiState,
    workspace: &WorkspaceId,
    block_type: &str,
    id: &str,
) -> Result<(), ApiError> {
    let file = find_unexpired(api, workspace, id).await?;
    let bytes = file.body.at("size_bytes").as_u64().unwrap_or(0);
    if bytes > NAMED_BYTES_MAX {
        let message = format!(
            "the file {id} has {bytes} bytes, a message can show {NAMED_BYTES_MAX}: mount it into the session \
             instead"
        );
        return Err(ApiError::invalid(message));
    }
    let mime_type = file.body.at("mime_type").as_str().unwrap_or_default();
    if !fits(block_type, mime_type) {
        let message = format!(
            "the file {id} is of type {mime_type}: an image is PNG, JPEG, GIF or WebP, a document PDF or text; \
             mount others into the session"
        );
        return Err(ApiError::invalid(message));
    }
    Ok(())
}

/// Returns the text of a file that an input names at `path`, of at most `chars_max` characters.
pub(in crate::api) async fn text_of_file(
    api: &ApiState,
    workspace: &WorkspaceId,
    id: &str,
    path: &str,
    chars_max: usize,
) -> Result<String, ApiError> {
    find_unexpired(api, workspace, id).await?;
    let refuse = || {
        let message = format!("the file {id} is no UTF-8 text of 1 to {chars_max} characters");
        ApiError::from(Invalid::at(path, message))
    };
    // No character takes more than four bytes.
    let content = match api.blobs.bytes(id, 4 * chars_max as u64).await {
        Ok(content) => content,
        Err(BlobError::TooLarge { .. }) => return Err(refuse()),
        Err(error) => return Err(ApiError::internal(error)),
    };
    match String::from_utf8(content.to_vec()) {
        Ok(text) if !text.trim().is_empty() && text.chars().count() <= chars_max => Ok(text),
        _ => Err(refuse()),
    }
}

/// Returns when a file expires, if ever.
pub(super) fn expires_at(file: &Resource) -> Option<Timestamp> {
    file.body.at("expires_at").as_str()?.parse().ok()
}

/// Removes a file: the record first. One that is gone already is removed.
pub(super) async fn remove(store: &dyn Store, blobs: &Blobs, key: &Key) -> Result<(), StoreError> {
    match store.delete(key).await {
        Ok(()) | Err(StoreError::NotFound) => {}
        Err(error) => return Err(error),
    }
    drop_content(blobs, &key.id).await;
    Ok(())
}

/// Removes a content that no record names any more; what cannot be removed now goes at the next start.
pub(super) async fn drop_content(blobs: &Blobs, id: &str) {
    if let Err(error) = blobs.delete(id).await {
        tracing::warn!(file = id, %error, "a file's content could not be removed");
    }
}

/// Refuses a file name that the contract does not allow.
pub(super) fn check_name(name: &str) -> Result<(), Invalid> {
    let count = name.chars().count();
    if !(1..=NAME_CHARACTERS_MAX).contains(&count) {
        let message =
            format!("the file name must have 1 to {NAME_CHARACTERS_MAX} characters, got {count}");
        return Err(Invalid::at("file", message));
    }
    if name.chars().any(is_forbidden) {
        let message =
            "the file name must have none of < > : \" | ? * \\ / and no control characters";
        return Err(Invalid::at("file", message));
    }
    Ok(())
}

/// Returns the nearest allowed name.
pub(super) fn allowed_name(name: &str) -> String {
    let allowed = name.chars().take(NAME_CHARACTERS_MAX);
    let allowed: String = allowed
        .map(|c| if is_forbidden(c) { '_' } else { c })
        .collect();
    match allowed.is_empty() {
        true => "_".to_owned(),
        false => allowed,
    }
}

fn is_forbidden(c: char) -> bool {
    c.is_control() || NAME_FORBIDDEN.contains(c)
}

/// Returns a file's type: what its sender said, else what its name says.
pub(super) fn mime_type(said: Option<&str>, name: &str) -> Result<String, Invalid> {
    // What clients say that do not know better.
    let said = said.filter(|said| !said.trim().eq_ignore_ascii_case(UNKNOWN_TYPE));
    let Some(said) = said else {
        return Ok(guessed_type(name));
    };
    let is_type = said.contains('/') && said.bytes().all(|b| (b' '..0x7f).contains(&b));
    if said.len() > MIME_BYTES_MAX || !is_type {
        let message =
            format!("the content type must be a MIME type of at most {MIME_BYTES_MAX} bytes");
        return Err(Invalid::at("file", message));
    }
    Ok(said.to_owned())
}

/// Returns the type that a file's name says.
pub(super) fn guessed_type(name: &str) -> String {
    let guessed = mime_guess::from_path(name).first_raw();
    guessed.unwrap_or(UNKNOWN_TYPE).to_owned()
}

/// Returns the name of a file that was sent without one.
pub(super) fn unnamed(mime_type: &str) -> String {
    let essence = mime_type.split(';').next().unwrap_or_default().trim();
    let extensions = mime_guess::get_mime_extensions_str(essence);
    match extensions.and_then(|extensions| extensions.first()) {
        Some(extension) => format!("unnamed.{extension}"),
        None => "unnamed".to_owned(),
    }
}

/// Returns what a missing content of a recorded file means.
pub(super) fn content_missing(error: BlobError, id: &str) -> ApiError {
    match error {
        // Deleted between the look at the record and this.
        BlobError::NotFound => ApiError::not_found("file", id),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_mended() {
        for (name, is_good, mended) in [
            ("a b.txt", true, "a b.txt"),
            ("é…文.csv", true, "é…文.csv"),
            ("", false, "_"),
            ("a/b", false, "a_b"),
            ("a\\b", false, "a_b"),
            ("x<y>:\"|?*", false, "x_y______"),
            ("tab\t", false, "tab_"),
            ("del\u{7f}", false, "del_"),
            ("next\u{85}", false, "next_"),
        ] {
            assert_eq!(check_name(name).is_ok(), is_good, "{name:?}");
            assert_eq!(allowed_name(name), mended, "{name:?}");
        }
        let long = "é".repeat(NAME_CHARACTERS_MAX);
        assert!(check_name(&long).is_ok());
        assert!(check_name(&format!("{long}x")).is_err());
        assert_eq!(allowed_name(&format!("{long}x")), long);
    }

    #[test]
    fn a_type_is_said_or_guessed() {
        for (said, name, expected) in [
            (Some("text/x-log"), "a.csv", "text/x-log"),
            (Some("application/octet-stream"), "a.csv", "text/csv"),
            (None, "a.json", "application/json"),
            (None, "a", "application/octet-stream"),
        ] {
            assert_eq!(mime_type(said, name).unwrap(), expected);
        }
        for bad in ["text", "text/\u{e9}", &format!("text/{}", "x".repeat(300))] {
            assert!(mime_type(Some(bad), "a").is_err(), "{bad}");
        }
    }
}
