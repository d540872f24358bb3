//! What a tool answered, as content blocks of the wire.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{CallToolResult, ContentBlock, Resource, ResourceContents};
use serde_json::{Value, json};

use crate::json::Fields as _;
use crate::session::text_block;

/// Types of images that models read.
const IMAGES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/// Largest image in characters of base64.
const IMAGE_CHARS_MAX: usize = 5 << 20;
/// Largest document in characters of base64.
const DOCUMENT_CHARS_MAX: usize = 20 << 20;
/// Most blocks of one result.
const BLOCKS_MAX: usize = 100;
/// Most characters of all images and documents of one result.
const MEDIA_CHARS_MAX: usize = 24 << 20;

/// What a call came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// Content blocks: text, images, documents. Never empty.
    pub content: Vec<Value>,
    /// The tool says that it failed.
    pub is_error: bool,
}

/// Returns a result in terms of the wire. What has no form there is told in words.
pub(super) fn answer(result: CallToolResult) -> Answer {
    let mut media = 0;
    let mut content = Vec::new();
    let left_out = result.content.len().saturating_sub(BLOCKS_MAX);
    for block in result.content.into_iter().take(BLOCKS_MAX) {
        content.push(shown(block, &mut media));
    }
    if left_out > 0 {
        content.push(text_block(&format!("[{left_out} more blocks left out]")));
    }
    if let Some(structured) = &result.structured_content
        && !is_told(&content, structured)
    {
        content.push(text_block(&structured.to_string()));
    }
    if content.is_empty() {
        content.push(text_block(""));
    }
    Answer {
        content,
        is_error: result.is_error == Some(true),
    }
}

/// Tells whether a text block holds this structured content already, as servers should have it.
fn is_told(content: &[Value], structured: &Value) -> bool {
    let is_it = |text: &str| {
        let parsed: Option<Value> = serde_json::from_str(text).ok();
        // Some wrap what is no object.
        let inner = structured.get("result");
        parsed.is_some_and(|parsed| parsed == *structured || Some(&parsed) == inner)
            || inner.and_then(Value::as_str) == Some(text)
    };
    content
        .iter()
        .filter_map(|block| block.at("text").as_str())
        .any(is_it)
}

fn shown(block: ContentBlock, media: &mut usize) -> Value {
    match block {
        ContentBlock::Text(text) => text_block(&text.text),
        ContentBlock::Image(image) => medium(&image.mime_type, image.data, "an image", media),
        ContentBlock::Audio(audio) => text_block(&format!(
            "[sound of type {}, {} bytes, which is not shown]",
            audio.mime_type,
            bytes_of(&audio.data)
        )),
        ContentBlock::ResourceLink(link) => text_block(&link_text(&link)),
        ContentBlock::Resource(resource) => embedded(resource.resource, media),
        other => text_block(&format!(
            "[content of a kind that is not known: {}]",
            kind_of(&other)
        )),
    }
}

fn kind_of(block: &ContentBlock) -> String {
    let value = serde_json::to_value(block).unwrap_or_default();
    value.at("type").as_str().unwrap_or("none").to_owned()
}

fn link_text(link: &Resource) -> String {
    let mut text = format!("[resource {}: {}", link.name, link.uri);
    if let Some(kind) = &link.mime_type {
        text.push_str(&format!(" ({kind})"));
    }
    text.push(']');
    if let Some(description) = &link.description {
        text.push('\n');
        text.push_str(description);
    }
    text
}

fn embedded(contents: ResourceContents, media: &mut usize) -> Value {
    match contents {
        ResourceContents::TextResourceContents { uri, text, .. } => {
            text_block(&format!("[resource {uri}]\n{text}"))
        }
        ResourceContents::BlobResourceContents {
            uri,
            mime_type,
            blob,
            ..
        } => {
            let kind = mime_type.unwrap_or_else(|| "application/octet-stream".to_owned());
            medium(&kind, blob, &format!("the resource {uri}"), media)
        }
        _ => text_block("[a resource of a kind that is not known]"),
    }
}

/// Returns an image or a document, or words in its place.
fn medium(kind: &str, data: String, what: &str, media: &mut usize) -> Value {
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let (block, chars_max) = match essence.as_str() {
        kind if IMAGES.contains(&kind) => ("image", IMAGE_CHARS_MAX),
        "application/pdf" => ("document", DOCUMENT_CHARS_MAX),
        _ => {
            return text_block(&format!(
                "[{what} of type {kind}, {} bytes, which is not shown]",
                bytes_of(&data)
            ));
        }
    };
    if data.len() > chars_max || media.saturating_add(data.len()) > MEDIA_CHARS_MAX {
        let bytes = bytes_of(&data);
        return text_block(&format!("[{what} of {bytes} bytes, which is too large]"));
    }
    // A provider would refuse the whole conversation.
    let Ok(bytes) = STANDARD.decode(&data) else {
        return text_block(&format!("[{what} that is not in base64]"));
    };
    if !begins_as(&essence, &bytes) {
        return text_block(&format!("[{what} that is no {essence}]"));
    }
    *media += data.len();
    json!({
        "type": block,
        "source": {"type": "base64", "media_type": essence, "data": data},
    })
}

/// Tells whether bytes begin as a file of this type does.
fn begins_as(kind: &str, bytes: &[u8]) -> bool {
    match kind {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => bytes.starts_with(b"\xff\xd8\xff"),
        "image/gif" => bytes.starts_with(b"GIF8"),
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        // Readers of PDF look for its mark a little further on, too.
        "application/pdf" => {
            let start = bytes.get(..1_024).unwrap_or(bytes);
            start.windows(5).any(|window| window == b"%PDF-")
        }
        _ => false,
    }
}

fn bytes_of(base64: &str) -> usize {
    base64.trim_end_matches('=').len() / 4 * 3 + base64.trim_end_matches('=').len() % 4 * 3 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: Value) -> Vec<Value> {
        answer(serde_json::from_value(value).unwrap()).content
    }

    #[test]
    fn every_kind_of_content_has_a_form() {
        let data = STANDARD.encode("0123456789");
        let picture = STANDARD.encode(b"\x89PNG\r\n\x1a\n..");
        let paper = STANDARD.encode("%PDF-1.7 ..");
        let content = of(json!({"content": [
            {"type": "text", "text": "hello"},
            {"type": "image", "mimeType": "image/PNG", "data": picture},
            {"type": "image", "mimeType": "image/tiff", "data": data},
            {"type": "image", "mimeType": "image/png", "data": "no base64!"},
            {"type": "audio", "mimeType": "audio/wav", "data": data},
            {"type": "resource_link", "uri": "file:///a", "name": "a", "mimeType": "text/plain", "description": "d"},
            {"type": "resource", "resource": {"uri": "r://t", "text": "inside"}},
            {"type": "resource", "resource": {"uri": "r://p", "mimeType": "application/pdf", "blob": paper}},
            {"type": "image", "mimeType": "image/jpeg", "data": picture},
            {"type": "resource", "resource": {"uri": "r://z", "mimeType": "application/zip", "blob": data}},
        ]}));
        let kinds: Vec<&str> = content.iter().filter_map(|b| b["type"].as_str()).collect();
        assert_eq!(
            kinds,
            [
                "text", "image", "text", "text", "text", "text", "text", "document", "text", "text"
            ]
        );
        assert_eq!(content[1]["source"]["media_type"], "image/png");
        assert_eq!(
            content[2]["text"],
            "[an image of type image/tiff, 10 bytes, which is not shown]"
        );
        assert_eq!(content[3]["text"], "[an image that is not in base64]");
        assert_eq!(
            content[5]["text"],
            "[resource a: file:///a (text/plain)]\nd"
        );
        assert_eq!(content[8]["text"], "[an image that is no image/jpeg]");
        assert_eq!(content[6]["text"], "[resource r://t]\ninside");
        assert_eq!(of(json!({"content": []}))[0]["text"], "(no output)");
    }

    #[test]
    fn structured_content_is_told_once() {
        let structured = json!({"a": [1, 2]});
        let only = of(json!({"content": [], "structuredContent": structured}));
        assert_eq!(only[0]["text"], "{\"a\":[1,2]}");
        let both = of(json!({
            "content": [{"type": "text", "text": "{\n \"a\": [1, 2]}"}], "structuredContent": structured,
        }));
        assert_eq!(both.len(), 1);
        let wrapped = of(json!({
            "content": [{"type": "text", "text": "42"}], "structuredContent": {"result": 42},
        }));
        assert_eq!(wrapped.len(), 1);
        let other = of(json!({
            "content": [{"type": "text", "text": "done"}], "structuredContent": structured,
        }));
        assert_eq!(other.len(), 2);
    }

    #[test]
    fn results_without_end_are_cut() {
        let many = vec![json!({"type": "text", "text": "x"}); 150];
        let content = of(json!({"content": many}));
        assert_eq!(content.len(), 101);
        assert_eq!(content[100]["text"], "[50 more blocks left out]");
        let large = json!({"type": "image", "mimeType": "image/png", "data": "A".repeat(IMAGE_CHARS_MAX + 4)});
        assert_eq!(of(json!({"content": [large]}))[0]["type"], "text");
    }
}
