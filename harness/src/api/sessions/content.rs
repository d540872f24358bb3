//! Content blocks that clients send: text, images, documents, search results.

use serde_json::{Value, json};

use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::ids::ID_BYTES_MAX;
use crate::json::Fields as _;

/// Most blocks of one event.
const BLOCKS_MAX: usize = 1_000;
/// Longest text of one block in characters; the body limit bounds the request as a whole.
const TEXT_CHARACTERS_MAX: usize = 10_000_000;
/// Longest label (title, URL, media type) in characters.
const LABEL_CHARACTERS_MAX: usize = 8_192;

/// Block types that an event accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Accepts {
    /// Text, images and documents.
    Message,
    /// Those, and search results.
    Result,
    /// Text alone.
    System,
}

/// Reads the content of an event, at least `least` blocks.
pub(super) fn blocks(spot: Spot, accepts: Accepts, least: usize) -> Result<Vec<Value>, Invalid> {
    let path = spot.path.clone();
    let items = spot.array(BLOCKS_MAX)?;
    if items.len() < least {
        return Err(Invalid::at(path, "must hold at least one content block"));
    }
    items.into_iter().map(|item| block(item, accepts)).collect()
}

fn block(spot: Spot, accepts: Accepts) -> Result<Value, Invalid> {
    let path = spot.path.clone();
    let (tag, mut fields) = spot.tagged()?;
    let known: &[&str] = match accepts {
        Accepts::Message => &["text", "image", "document"],
        Accepts::Result => &["text", "image", "document", "search_result"],
        Accepts::System => &["text"],
    };
    if tag.value == "redacted" {
        return Err(Invalid::at(
            path,
            "redacted blocks are made by the server and cannot be sent",
        ));
    }
    let block = match tag.one_of(known)? {
        "text" => {
            let text = fields.required("text")?.text(1, TEXT_CHARACTERS_MAX)?;
            json!({"type": "text", "text": text})
        }
        "image" => {
            let source = source(fields.required("source")?, &["base64", "url", "file"])?;
            json!({"type": "image", "source": source})
        }
        "document" => {
            let kinds = ["base64", "text", "url", "file"];
            let mut block = json!({
                "type": "document",
                "source": source(fields.required("source")?, &kinds)?,
            });
            for name in ["title", "context"] {
                if let Some(label) = fields.take(name).given() {
                    block.set(name, json!(label.text(0, TEXT_CHARACTERS_MAX)?));
                }
            }
            block
        }
        _ => search_result(&mut fields)?,
    };
    fields.finish()?;
    Ok(block)
}

fn source(spot: Spot, kinds: &[&str]) -> Result<Value, Invalid> {
    let (tag, mut fields) = spot.tagged()?;
    let source = match tag.one_of(kinds)? {
        "base64" => {
            let data = fields.required("data")?;
            let data_path = data.path.clone();
            let data = data.text(1, usize::MAX)?;
            if !is_base64(&data) {
                return Err(Invalid::at(
                    data_path,
                    "expected base64 in the standard alphabet",
                ));
            }
            let media_type = fields
                .required("media_type")?
                .text(1, LABEL_CHARACTERS_MAX)?;
            json!({"type": "base64", "data": data, "media_type": media_type})
        }
        "text" => {
            let data = fields.required("data")?.text(1, TEXT_CHARACTERS_MAX)?;
            let media_type = fields.required("media_type")?.one_of(&["text/plain"])?;
            json!({"type": "text", "data": data, "media_type": media_type})
        }
        "url" => {
            let url = fields.required("url")?.text(1, LABEL_CHARACTERS_MAX)?;
            json!({"type": "url", "url": url})
        }
        _ => {
            let id = fields.required("file_id")?.text(1, ID_BYTES_MAX)?;
            json!({"type": "file", "file_id": id})
        }
    };
    fields.finish()?;
    Ok(source)
}

fn search_result(fields: &mut Fields) -> Result<Value, Invalid> {
    let citations = match fields.take("citations") {
        Field::Given(spot) => {
            let mut inner = spot.object()?;
            let enabled = inner.required("enabled")?.boolean()?;
            inner.finish()?;
            enabled
        }
        Field::Absent | Field::Null => false,
    };
    let content = fields.required("content")?.array(BLOCKS_MAX)?;
    let mut texts = Vec::with_capacity(content.len());
    for item in content {
        let (tag, mut inner) = item.tagged()?;
        tag.one_of(&["text"])?;
        let text = inner.required("text")?.text(1, TEXT_CHARACTERS_MAX)?;
        inner.finish()?;
        texts.push(json!({"type": "text", "text": text}));
    }
    Ok(json!({
        "type": "search_result",
        "citations": {"enabled": citations},
        "content": texts,
        "source": fields.required("source")?.text(1, LABEL_CHARACTERS_MAX)?,
        "title": fields.required("title")?.text(0, LABEL_CHARACTERS_MAX)?,
    }))
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
