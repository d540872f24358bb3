//! Files that messages name by id: the log keeps the id, and a request to the model carries the content.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::brain::Brain;
use crate::blobs::BlobError;
use crate::ids::{SessionId, WorkspaceId};
use crate::json::Fields as _;
use crate::model::ModelRequest;
use crate::store::{Key, Kind, StoreError};

/// Largest file that a message can name, in bytes.
pub const NAMED_BYTES_MAX: u64 = 20 << 20;
/// Most bytes of files in one request, as they are sent; those that come after are only named. The largest file
/// fits in base64.
const REQUEST_BYTES_MAX: u64 = 28 << 20;

/// Tells what a block of type `image` or `document` that has a file of this MIME type holds.
pub fn fits(block_type: &str, mime_type: &str) -> bool {
    let essence = essence(mime_type);
    match block_type {
        "image" => matches!(
            essence,
            "image/png" | "image/jpeg" | "image/gif" | "image/webp"
        ),
        _ => essence == "application/pdf" || is_text(essence),
    }
}

/// Returns the ids of the files that blocks name, each with its block's type.
pub fn named(blocks: &[Value]) -> impl Iterator<Item = (&str, &str)> {
    blocks.iter().filter_map(|block| {
        let source = block.at("source");
        let id = source.at("file_id").as_str()?;
        (*source.at("type") == "file").then_some((block.at("type").as_str()?, id))
    })
}

fn essence(mime_type: &str) -> &str {
    mime_type.split(';').next().unwrap_or_default().trim()
}

fn is_text(essence: &str) -> bool {
    essence.starts_with("text/") || essence == "application/json"
}

/// Returns the request with the contents of files in the place of their ids; `None` if it names none. A file that
/// is gone, or that the request has no room for, is told of in words.
pub(super) async fn attach(
    brain: &Brain,
    session_id: &SessionId,
    request: &ModelRequest,
) -> Result<Option<ModelRequest>, StoreError> {
    if !request.messages.iter().any(names_file) {
        return Ok(None);
    }
    let mut request = request.clone();
    let mut blocks: Vec<&mut Value> = Vec::new();
    for message in &mut request.messages {
        for block in message
            .at_mut("content")
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            if *block.at("type") == "tool_result" {
                let inner = block.at_mut("content").as_array_mut();
                blocks.extend(inner.into_iter().flatten().filter(|block| has_file(block)));
            } else if has_file(block) {
                blocks.push(block);
            }
        }
    }
    let workspace = brain.store.session(session_id).await?.key.workspace;
    let mut known: HashMap<String, Value> = HashMap::new();
    let mut room = REQUEST_BYTES_MAX;
    // The newest files are the ones that the conversation is about.
    for block in blocks.into_iter().rev() {
        let id = block.at("source").at("file_id").as_str();
        let id = id.unwrap_or_default().to_owned();
        // Only what is sent is kept: a conversation may name any number of files.
        let found = match known.get(&id) {
            Some(source) => content_of(source, room),
            None => source(brain, &workspace, &id, room).await?,
        };
        let source = match found {
            Found::Content(source) => source,
            Found::Nothing => {
                *block = told(&id, "is not there any more");
                continue;
            }
            Found::TooMuch => {
                *block = told(&id, "is left out here, other files take all the room");
                continue;
            }
        };
        room = room.saturating_sub(bytes_of(&source));
        known.entry(id).or_insert_with(|| source.clone());
        block.set("source", source);
    }
    Ok(Some(request))
}

/// What becomes of a file that a block names.
enum Found {
    /// The source that carries it.
    Content(Value),
    /// It is gone.
    Nothing,
    /// The request has no room for it.
    TooMuch,
}

fn content_of(source: &Value, room: u64) -> Found {
    match bytes_of(source) <= room {
        true => Found::Content(source.clone()),
        false => Found::TooMuch,
    }
}

fn bytes_of(source: &Value) -> u64 {
    source.at("data").as_str().map_or(0, str::len) as u64
}

fn told(id: &str, why: &str) -> Value {
    json!({"type": "text", "text": format!("[The file {id} {why}.]")})
}

fn names_file(message: &Value) -> bool {
    let blocks = message.at("content").as_array();
    blocks.into_iter().flatten().any(|block| {
        let inner = block.at("content").as_array();
        has_file(block) || inner.into_iter().flatten().any(has_file)
    })
}

fn has_file(block: &Value) -> bool {
    *block.at("source").at("type") == "file"
}

/// Returns the source of a block that carries the file's content, if it has room; what has none is not read.
async fn source(
    brain: &Brain,
    workspace: &WorkspaceId,
    id: &str,
    room: u64,
) -> Result<Found, StoreError> {
    let key = Key {
        workspace: workspace.clone(),
        kind: Kind::File,
        id: id.to_owned(),
    };
    let file = match brain.store.get(&key, None).await {
        Ok(file) if file.archived_at.is_none() => file,
        Ok(_) | Err(StoreError::NotFound) => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let bytes = file.body.at("size_bytes").as_u64().unwrap_or(0);
    let mime_type = file.body.at("mime_type").as_str().unwrap_or_default();
    let essence = essence(mime_type);
    let sent = match is_text(essence) {
        true => bytes,
        false => bytes.div_ceil(3).saturating_mul(4),
    };
    if sent > room {
        return Ok(Found::TooMuch);
    }
    let content = match brain.blobs.bytes(id, NAMED_BYTES_MAX).await {
        Ok(content) => content,
        Err(BlobError::NotFound | BlobError::TooLarge { .. }) => return Ok(Found::Nothing),
        Err(error) => return Err(StoreError::Failed(error.to_string())),
    };
    Ok(Found::Content(match is_text(essence) {
        true => json!({
            "type": "text",
            "media_type": "text/plain",
            "data": String::from_utf8_lossy(&content),
        }),
        false => json!({
            "type": "base64",
            "media_type": essence,
            "data": STANDARD.encode(&content),
        }),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_take_files_of_their_kind() {
        for (block_type, mime_type, is_good) in [
            ("image", "image/png", true),
            ("image", "image/svg+xml", false),
            ("image", "application/pdf", false),
            ("document", "application/pdf", true),
            ("document", "text/plain; charset=utf-8", true),
            ("document", "text/csv", true),
            ("document", "image/png", false),
            ("document", "application/zip", false),
        ] {
            assert_eq!(
                fits(block_type, mime_type),
                is_good,
                "{block_type} {mime_type}"
            );
        }
    }

    #[test]
    fn files_are_found_among_blocks() {
        let blocks = [
            json!({"type": "text", "text": "x"}),
            json!({"type": "image", "source": {"type": "file", "file_id": "file_1"}}),
            json!({"type": "image", "source": {"type": "url", "url": "https://example.com"}}),
        ];
        assert_eq!(named(&blocks).collect::<Vec<_>>(), [("image", "file_1")]);
    }
}
