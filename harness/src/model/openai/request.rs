//! From a conversation of the Messages API to one of chat completions.
//!
//! What has no place there is dropped (thinking, tools that the other provider runs) or said in words
//! (documents, images in tool results). Tool results come right after the call they answer, before
//! whatever else the user's turn holds, because servers insist on that order.

use serde_json::{Map, Value, json};

use crate::model::ModelRequest;
use crate::model::catalog::Effort;

/// Writes everything but the output bound and the effort, whose names differ between servers.
pub(super) fn body(request: &ModelRequest, model: &str) -> Map<String, Value> {
    let mut messages = Vec::with_capacity(request.messages.len() + 1);
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": request.system}));
    }
    for turn in &request.messages {
        match turn.get("role").and_then(Value::as_str) {
            Some("assistant") => messages.push(assistant(turn)),
            Some("system") => messages.push(json!({"role": "system", "content": texts(turn)})),
            _ => user(turn, &mut messages),
        }
    }
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    body.insert("messages".into(), messages.into());
    body.insert("stream".into(), true.into());
    body.insert("stream_options".into(), json!({"include_usage": true}));
    let tools: Vec<Value> = request.tools.iter().filter_map(tool).collect();
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
    }
    body
}

/// Returns the effort in chat completions' words, which end at `high`.
pub(super) fn reasoning_effort(request: &ModelRequest) -> Option<&'static str> {
    let effort = Effort::parse(request.effort.as_deref()?)?;
    Some(effort.min(Effort::High).as_str())
}

fn tool(tool: &Value) -> Option<Value> {
    // A tool without a schema is run by the Messages API's server.
    let parameters = tool.get("input_schema")?;
    let mut function = Map::new();
    function.insert("name".into(), tool.get("name")?.clone());
    if let Some(description) = tool.get("description") {
        function.insert("description".into(), description.clone());
    }
    function.insert("parameters".into(), parameters.clone());
    Some(json!({"type": "function", "function": function}))
}

/// Returns a turn's blocks; a bare text is one block.
fn blocks(content: Option<&Value>) -> Vec<Value> {
    match content {
        Some(Value::Array(blocks)) => blocks.clone(),
        Some(Value::String(text)) => vec![json!({"type": "text", "text": text})],
        _ => Vec::new(),
    }
}

fn text_of<'a>(block: &'a Value, field: &str) -> &'a str {
    block.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn texts(turn: &Value) -> String {
    let blocks = blocks(turn.get("content"));
    let texts: Vec<&str> = blocks
        .iter()
        .filter(|block| text_of(block, "type") == "text")
        .map(|block| text_of(block, "text"))
        .collect();
    texts.join("\n")
}

fn assistant(turn: &Value) -> Value {
    let calls: Vec<Value> = blocks(turn.get("content"))
        .iter()
        .filter(|block| text_of(block, "type") == "tool_use")
        .map(|block| {
            let arguments = block
                .get("input")
                .map_or_else(|| "{}".into(), Value::to_string);
            json!({
                "id": text_of(block, "id"),
                "type": "function",
                "function": {"name": text_of(block, "name"), "arguments": arguments},
            })
        })
        .collect();
    let text = texts(turn);
    let mut message = Map::new();
    message.insert("role".into(), "assistant".into());
    if calls.is_empty() {
        // Also when it is empty: a turn that only thought keeps its place.
        message.insert("content".into(), text.into());
    } else {
        let content = if text.is_empty() {
            Value::Null
        } else {
            text.into()
        };
        message.insert("content".into(), content);
        message.insert("tool_calls".into(), calls.into());
    }
    Value::Object(message)
}

fn user(turn: &Value, messages: &mut Vec<Value>) {
    let mut rest = Vec::new();
    for block in blocks(turn.get("content")) {
        if text_of(&block, "type") == "tool_result" {
            messages.push(tool_result(&block, &mut rest));
        } else {
            rest.extend(part(&block));
        }
    }
    if rest.is_empty() {
        return;
    }
    let is_text = rest.iter().all(|part| text_of(part, "type") == "text");
    let content = if is_text {
        // Templates of local models often know texts only.
        let texts: Vec<&str> = rest.iter().map(|part| text_of(part, "text")).collect();
        Value::String(texts.join("\n\n"))
    } else {
        Value::Array(rest)
    };
    messages.push(json!({"role": "user", "content": content}));
}

/// Translates a tool's result; its images go into the user message that follows, as only texts fit here.
fn tool_result(block: &Value, rest: &mut Vec<Value>) -> Value {
    let mut texts = Vec::new();
    for part in blocks(block.get("content")).iter().filter_map(part) {
        if text_of(&part, "type") == "text" {
            texts.push(text_of(&part, "text").to_owned());
        } else {
            texts.push("[the image follows]".to_owned());
            rest.push(part);
        }
    }
    let mut content = texts.join("\n");
    if block.get("is_error").and_then(Value::as_bool) == Some(true) {
        content.insert_str(0, "Error: ");
    }
    json!({
        "role": "tool",
        "tool_call_id": text_of(block, "tool_use_id"),
        "content": content,
    })
}

/// Translates what a user may say.
fn part(block: &Value) -> Option<Value> {
    let text = |text: String| Some(json!({"type": "text", "text": text}));
    let source = |field: &str| {
        let source = block.get("source");
        source
            .and_then(|source| source.get(field))
            .and_then(Value::as_str)
    };
    match (text_of(block, "type"), source("type")) {
        ("text", _) => text(text_of(block, "text").to_owned()),
        ("image", Some("base64")) => {
            let (kind, data) = (source("media_type")?, source("data")?);
            let url = format!("data:{kind};base64,{data}");
            Some(json!({"type": "image_url", "image_url": {"url": url}}))
        }
        ("image", Some("url")) => {
            Some(json!({"type": "image_url", "image_url": {"url": source("url")?}}))
        }
        ("document", Some("text")) => text(source("data")?.to_owned()),
        ("image" | "document", _) => {
            let title = text_of(block, "title");
            text(format!(
                "[a {} that cannot be shown: {title}]",
                text_of(block, "type")
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_translation() {
        let request = ModelRequest {
            model: "local".into(),
            system: "be brief".into(),
            messages: vec![
                json!({"role": "user", "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]}),
                json!({"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "secret", "signature": "s"},
                    {"type": "text", "text": "ok"},
                    {"type": "tool_use", "id": "t1", "name": "ls", "input": {"path": "/"}},
                    {"type": "tool_use", "id": "t2", "name": "cat", "input": {}}]}),
                json!({"role": "user", "content": [
                    {"type": "text", "text": "and"},
                    {"type": "tool_result", "tool_use_id": "t1", "content": "a\nb"},
                    {"type": "tool_result", "tool_use_id": "t2", "is_error": true, "content": [
                        {"type": "text", "text": "no"},
                        {"type": "image", "source": {"type": "url", "url": "https://x/i.png"}}]}]}),
                json!({"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}]}),
                json!({"role": "user", "content": [
                    {"type": "text", "text": "one"},
                    {"type": "document", "source": {"type": "text", "data": "two"}},
                    {"type": "document", "title": "z.pdf", "source": {"type": "base64", "data": "AA"}}]}),
            ],
            tools: vec![
                json!({"name": "ls", "description": "Lists.", "input_schema": {"type": "object"}}),
                json!({"type": "web_search_20250305", "name": "web_search"}),
            ],
            output_tokens_max: 100,
            effort: Some("max".into()),
            speed: Some("fast".into()),
            thinking: true,
        };
        let expected = json!({
            "model": "m",
            "stream": true,
            "stream_options": {"include_usage": true},
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
                {"role": "assistant", "content": "ok", "tool_calls": [
                    {"id": "t1", "type": "function", "function": {"name": "ls", "arguments": "{\"path\":\"/\"}"}},
                    {"id": "t2", "type": "function", "function": {"name": "cat", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "t1", "content": "a\nb"},
                {"role": "tool", "tool_call_id": "t2", "content": "Error: no\n[the image follows]"},
                {"role": "user", "content": [
                    {"type": "text", "text": "and"},
                    {"type": "image_url", "image_url": {"url": "https://x/i.png"}}]},
                {"role": "assistant", "content": ""},
                {"role": "user", "content": "one\n\ntwo\n\n[a document that cannot be shown: z.pdf]"},
            ],
            "tools": [{"type": "function", "function":
                {"name": "ls", "description": "Lists.", "parameters": {"type": "object"}}}],
        });
        assert_eq!(Value::Object(body(&request, "m")), expected);
        assert_eq!(reasoning_effort(&request), Some("high"));
    }
}
