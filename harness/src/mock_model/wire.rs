//! Replies in the two wire formats, streamed and whole.
//!
//! A frame is one event of a stream; a piece is a frame that carries a part of the answer, and what a
//! script's `cut_after` and the like count.

use serde_json::{Value, json};

use super::reply::{Reply, Said, pieces};

/// Which API a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Messages,
    Chat,
}

/// One event of a stream, ready to send.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) text: String,
    pub(super) is_piece: bool,
}

impl Format {
    /// Returns the stream of a reply.
    pub(super) fn frames(self, reply: &Reply, chars: usize, includes_usage: bool) -> Vec<Frame> {
        match self {
            Self::Messages => messages_frames(reply, chars),
            Self::Chat => chat_frames(reply, chars, includes_usage),
        }
    }

    /// Returns a reply as one object.
    pub(super) fn whole(self, reply: &Reply) -> Value {
        match self {
            Self::Messages => messages_whole(reply),
            Self::Chat => chat_whole(reply),
        }
    }

    /// Returns the body of an error.
    pub(super) fn error(self, kind: &str, message: &str) -> Value {
        match self {
            Self::Messages => {
                json!({"type": "error", "error": {"type": kind, "message": message}})
            }
            Self::Chat => json!({"error": {"message": message, "type": kind, "code": null}}),
        }
    }

    /// Returns an error inside a stream.
    pub(super) fn error_frame(self, kind: &str, message: &str) -> Frame {
        let error = self.error(kind, message);
        match self {
            Self::Messages => named("error", &error, false),
            Self::Chat => unnamed(&error, false),
        }
    }
}

fn named(name: &str, data: &Value, is_piece: bool) -> Frame {
    Frame {
        text: format!("event: {name}\ndata: {data}\n\n"),
        is_piece,
    }
}

fn unnamed(data: &Value, is_piece: bool) -> Frame {
    Frame {
        text: format!("data: {data}\n\n"),
        is_piece,
    }
}

fn usage(reply: &Reply) -> Value {
    let usage = reply.usage;
    json!({
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "cache_creation_input_tokens": usage.cache_5m_input_tokens.saturating_add(usage.cache_1h_input_tokens),
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_5m_input_tokens,
            "ephemeral_1h_input_tokens": usage.cache_1h_input_tokens,
        },
    })
}

fn messages_frames(reply: &Reply, chars: usize) -> Vec<Frame> {
    let mut start = messages_whole(reply);
    if let Some(start) = start.as_object_mut() {
        start.insert("content".into(), json!([]));
        start.insert("stop_reason".into(), Value::Null);
        start.remove("stop_details");
        // As the API does: the real number comes at the end.
        let mut usage = usage(reply);
        if let Some(output) = usage.get_mut("output_tokens") {
            *output = json!(1);
        }
        start.insert("usage".into(), usage);
    }
    let start = json!({"type": "message_start", "message": start});
    let ping = json!({"type": "ping"});
    let mut frames = vec![
        named("message_start", &start, false),
        named("ping", &ping, false),
    ];
    for (index, block) in reply.blocks.iter().enumerate() {
        messages_block(index, block, chars, &mut frames);
    }
    let delta = json!({
        "type": "message_delta",
        "delta": {
            "stop_reason": reply.stop_reason,
            "stop_sequence": null,
            "stop_details": reply.stop_details,
        },
        "usage": usage(reply),
    });
    frames.push(named("message_delta", &delta, false));
    frames.push(named(
        "message_stop",
        &json!({"type": "message_stop"}),
        false,
    ));
    frames
}

fn messages_block(index: usize, block: &Said, chars: usize, frames: &mut Vec<Frame>) {
    let (start, deltas) = match block {
        Said::Text(text) => (
            json!({"type": "text", "text": ""}),
            deltas("text_delta", "text", text, chars),
        ),
        Said::Thinking { text, signature } => {
            let mut deltas = deltas("thinking_delta", "thinking", text, chars);
            deltas.push(json!({"type": "signature_delta", "signature": signature}));
            (
                json!({"type": "thinking", "thinking": "", "signature": ""}),
                deltas,
            )
        }
        Said::Call { id, name, input } => (
            json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
            // The API sends no piece for an empty input.
            match input.as_str() {
                "{}" => vec![json!({"type": "input_json_delta", "partial_json": ""})],
                input => deltas("input_json_delta", "partial_json", input, chars),
            },
        ),
        Said::Raw(block) => (block.clone(), Vec::new()),
    };
    let event = json!({"type": "content_block_start", "index": index, "content_block": start});
    frames.push(named("content_block_start", &event, false));
    for delta in deltas {
        let event = json!({"type": "content_block_delta", "index": index, "delta": delta});
        frames.push(named("content_block_delta", &event, true));
    }
    let event = json!({"type": "content_block_stop", "index": index});
    frames.push(named("content_block_stop", &event, false));
}

fn deltas(kind: &str, field: &str, text: &str, chars: usize) -> Vec<Value> {
    let pieces = pieces(text, chars).into_iter();
    pieces
        .map(|piece| json!({"type": kind, field: piece}))
        .collect()
}

fn messages_whole(reply: &Reply) -> Value {
    let content: Vec<Value> = reply
        .blocks
        .iter()
        .map(|block| match block {
            Said::Text(text) => json!({"type": "text", "text": text}),
            Said::Thinking { text, signature } => {
                json!({"type": "thinking", "thinking": text, "signature": signature})
            }
            Said::Call { id, name, input } => {
                let input: Value = serde_json::from_str(input).unwrap_or(Value::Null);
                json!({"type": "tool_use", "id": id, "name": name, "input": input})
            }
            Said::Raw(block) => block.clone(),
        })
        .collect();
    json!({
        "id": reply.id,
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": reply.stop_reason,
        "stop_sequence": null,
        "stop_details": reply.stop_details,
        "usage": usage(reply),
    })
}

fn chat_usage(reply: &Reply) -> Value {
    let usage = reply.usage;
    let prompt = [
        usage.cache_read_input_tokens,
        usage.cache_5m_input_tokens,
        usage.cache_1h_input_tokens,
    ]
    .into_iter()
    .fold(usage.input_tokens, u64::saturating_add);
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt.saturating_add(usage.output_tokens),
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_input_tokens},
    })
}

fn finish_reason(reply: &Reply) -> &str {
    match reply.stop_reason.as_str() {
        "tool_use" => "tool_calls",
        "max_tokens" => "length",
        "refusal" => "content_filter",
        _ => "stop",
    }
}

fn chat_frames(reply: &Reply, chars: usize, includes_usage: bool) -> Vec<Frame> {
    let chunk = |delta: Value, finish: Option<&str>, is_piece: bool| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let chunk = json!({
            "id": reply.id,
            "object": "chat.completion.chunk",
            "model": reply.model,
            "choices": [choice],
        });
        unnamed(&chunk, is_piece)
    };
    let mut frames = vec![chunk(
        json!({"role": "assistant", "content": ""}),
        None,
        false,
    )];
    let mut calls = 0;
    for block in &reply.blocks {
        let (field, text) = match block {
            Said::Text(text) => ("content", text),
            Said::Thinking { text, .. } => ("reasoning_content", text),
            Said::Call { id, name, input } => {
                let call = json!({
                    "index": calls,
                    "id": id,
                    "type": "function",
                    "function": {"name": name, "arguments": ""},
                });
                frames.push(chunk(json!({"tool_calls": [call]}), None, false));
                for piece in pieces(input, chars) {
                    let call = json!({"index": calls, "function": {"arguments": piece}});
                    frames.push(chunk(json!({"tool_calls": [call]}), None, true));
                }
                calls += 1;
                continue;
            }
            // Blocks of the other format have no place here.
            Said::Raw(_) => continue,
        };
        for piece in pieces(text, chars) {
            frames.push(chunk(json!({field: piece}), None, true));
        }
    }
    frames.push(chunk(json!({}), Some(finish_reason(reply)), false));
    if includes_usage {
        let usage = json!({"id": reply.id, "choices": [], "usage": chat_usage(reply)});
        frames.push(unnamed(&usage, false));
    }
    frames.push(Frame {
        text: "data: [DONE]\n\n".into(),
        is_piece: false,
    });
    frames
}

fn chat_whole(reply: &Reply) -> Value {
    let texts: Vec<&str> = reply
        .blocks
        .iter()
        .filter_map(|block| match block {
            Said::Text(text) => Some(text.as_str()),
            Said::Thinking { .. } | Said::Call { .. } | Said::Raw(_) => None,
        })
        .collect();
    let calls: Vec<Value> = reply
        .blocks
        .iter()
        .filter_map(|block| match block {
            Said::Call { id, name, input } => Some(json!({
                "id": id,
                "type": "function",
                "function": {"name": name, "arguments": input},
            })),
            Said::Text(_) | Said::Thinking { .. } | Said::Raw(_) => None,
        })
        .collect();
    let mut message = json!({"role": "assistant", "content": texts.join("\n")});
    if let (Some(message), false) = (message.as_object_mut(), calls.is_empty()) {
        message.insert("tool_calls".into(), calls.into());
    }
    json!({
        "id": reply.id,
        "object": "chat.completion",
        "model": reply.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(reply)}],
        "usage": chat_usage(reply),
    })
}
