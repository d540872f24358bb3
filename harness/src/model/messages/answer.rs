//! Folds the events of a Messages API stream into an answer.
//!
//! Blocks and events of kinds that are not known are kept if they are whole and ignored otherwise: the API
//! adds kinds without a new version. What a tool call says must be an object of JSON, unless the answer was
//! cut by its output bound or a refusal, when an unfinished call is left out.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use crate::model::endpoint::Events;
use crate::model::sse::SseEvent;
use crate::model::{
    ANSWER_BLOCKS_MAX, ANSWER_BYTES_MAX, ModelAnswer, ModelError, Progress, ProgressSink,
    StopReason, TokenUsage, failure, tool_input,
};

/// A block while it grows.
struct Open {
    block: Map<String, Value>,
    /// Pieces of a tool call's input.
    json: String,
    /// A piece of a kind we do not know was part of it: what we hold is not what was said.
    is_torn: bool,
}

/// The answer so far.
pub(super) struct Fold<'a> {
    progress: ProgressSink<'a>,
    blocks: BTreeMap<u64, Open>,
    bytes: usize,
    usage: TokenUsage,
    stop_reason: Option<String>,
    stop_details: Value,
    is_started: bool,
}

impl<'a> Fold<'a> {
    pub(super) fn new(progress: ProgressSink<'a>) -> Self {
        Self {
            progress,
            blocks: BTreeMap::new(),
            bytes: 0,
            usage: TokenUsage::default(),
            stop_reason: None,
            stop_details: Value::Null,
            is_started: false,
        }
    }

    fn message_start(&mut self, event: &Value) {
        if let Some(usage) = event.pointer("/message/usage") {
            read_usage(&mut self.usage, usage);
        }
        self.is_started = true;
        (self.progress)(Progress::Started);
    }

    fn block_start(&mut self, mut event: Value) -> Result<(), ModelError> {
        let index = block_index(&event)?;
        let block = match event.get_mut("content_block").map(Value::take) {
            Some(Value::Object(block)) => block,
            _ => return Err(protocol("a content block is not an object")),
        };
        if self.blocks.len() >= ANSWER_BLOCKS_MAX {
            return Err(protocol("the answer has too many content blocks"));
        }
        let text = |field: &str| block.get(field).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "text" => {
                (self.progress)(Progress::TextStarted);
                if !text("text").is_empty() {
                    (self.progress)(Progress::TextDelta(text("text").to_owned()));
                }
            }
            "thinking" | "redacted_thinking" => (self.progress)(Progress::ThinkingStarted),
            "tool_use" => (self.progress)(Progress::ToolUseStarted(text("name").to_owned())),
            _ => {}
        }
        self.grow(Value::Object(block.clone()).to_string().len())?;
        let open = Open {
            block,
            json: String::new(),
            is_torn: false,
        };
        match self.blocks.insert(index, open) {
            None => Ok(()),
            Some(_) => Err(protocol("two content blocks have the same index")),
        }
    }

    fn block_delta(&mut self, mut event: Value) -> Result<(), ModelError> {
        let index = block_index(&event)?;
        let mut delta = event.get_mut("delta").map(Value::take).unwrap_or_default();
        let kind = delta
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let piece = match kind.as_str() {
            "text_delta" => "text",
            "thinking_delta" => "thinking",
            "signature_delta" => "signature",
            "input_json_delta" => "partial_json",
            "citations_delta" => "citation",
            _ => "",
        };
        let piece = delta.get_mut(piece).map(Value::take).unwrap_or_default();
        self.grow(
            piece
                .as_str()
                .map_or_else(|| piece.to_string().len(), str::len),
        )?;
        let Some(open) = self.blocks.get_mut(&index) else {
            return Err(protocol(
                "a piece belongs to a content block that was not begun",
            ));
        };
        match (kind.as_str(), piece) {
            ("text_delta", Value::String(text)) => {
                append(&mut open.block, "text", &text);
                (self.progress)(Progress::TextDelta(text));
            }
            ("thinking_delta", Value::String(text)) => {
                append(&mut open.block, "thinking", &text);
                (self.progress)(Progress::ThinkingDelta(text));
            }
            ("signature_delta", Value::String(text)) => append(&mut open.block, "signature", &text),
            ("input_json_delta", Value::String(text)) => open.json.push_str(&text),
            ("citations_delta", citation) if !citation.is_null() => {
                match open.block.get_mut("citations") {
                    Some(Value::Array(citations)) => citations.push(citation),
                    _ => {
                        open.block
                            .insert("citations".into(), Value::Array(vec![citation]));
                    }
                }
            }
            _ => open.is_torn = true,
        }
        Ok(())
    }

    fn message_delta(&mut self, mut event: Value) {
        if let Some(reason) = event.pointer("/delta/stop_reason").and_then(Value::as_str) {
            self.stop_reason = Some(reason.to_owned());
        }
        if let Some(usage) = event.get("usage") {
            read_usage(&mut self.usage, usage);
        }
        if let Some(details) = event.pointer_mut("/delta/stop_details") {
            self.stop_details = details.take();
        }
    }

    fn grow(&mut self, bytes: usize) -> Result<(), ModelError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > ANSWER_BYTES_MAX {
            return Err(protocol("the answer is longer than the bound of 32 MiB"));
        }
        Ok(())
    }

    /// Returns the whole answer, once the stream said that it is.
    pub(super) fn finish(self) -> Result<ModelAnswer, ModelError> {
        let Some(said) = self.stop_reason else {
            return Err(protocol("the answer ended without a stop reason"));
        };
        let is_cut = matches!(
            said.as_str(),
            "max_tokens" | "model_context_window_exceeded" | "refusal"
        );
        let mut content = Vec::with_capacity(self.blocks.len());
        let mut ids = HashSet::new();
        for open in self.blocks.into_values() {
            match close(open)? {
                Closed::Whole(block) => {
                    let id = block.get("id").and_then(Value::as_str);
                    if block.get("type").and_then(Value::as_str) == Some("tool_use")
                        && !ids.insert(id.unwrap_or_default().to_owned())
                    {
                        return Err(protocol("two tool calls have the same id"));
                    }
                    content.push(block);
                }
                Closed::Nothing => {}
                Closed::Unfinished(_) if is_cut => {}
                Closed::Unfinished(error) => return Err(error),
            }
        }
        let has_calls = !ids.is_empty();
        let stop_reason = match said.as_str() {
            "max_tokens" | "model_context_window_exceeded" => StopReason::MaxTokens,
            "pause_turn" => StopReason::PauseTurn,
            "refusal" => {
                let text = |field: &str| self.stop_details.get(field).and_then(Value::as_str);
                StopReason::Refusal {
                    category: text("category").map(str::to_owned),
                    explanation: text("explanation").map(str::to_owned),
                }
            }
            "tool_use" if !has_calls => {
                return Err(protocol("it stopped for tools without calling one"));
            }
            // `end_turn`, `stop_sequence`, and reasons that do not exist yet.
            _ if has_calls => StopReason::ToolUse,
            _ => StopReason::EndTurn,
        };
        Ok(ModelAnswer {
            content,
            stop_reason,
            usage: self.usage,
        })
    }
}

impl Events for Fold<'_> {
    fn take(&mut self, event: SseEvent) -> Result<ControlFlow<()>, ModelError> {
        let event: Value = match serde_json::from_str(&event.data) {
            Ok(event) => event,
            // Names of events repeat the type inside; a nameless non-JSON event is nobody's.
            Err(error) => return Err(protocol(&format!("an event is not JSON: {error}"))),
        };
        match event
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
        {
            "message_start" => self.message_start(&event),
            "error" => return Err(failure::from_stream(&event)),
            "content_block_start" | "content_block_delta" | "message_delta" | "message_stop"
                if !self.is_started =>
            {
                return Err(protocol("the answer does not begin with `message_start`"));
            }
            "content_block_start" => self.block_start(event)?,
            "content_block_delta" => self.block_delta(event)?,
            "message_delta" => self.message_delta(event),
            "message_stop" => return Ok(ControlFlow::Break(())),
            // `ping`, `content_block_stop`, and kinds that do not exist yet.
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }
}

enum Closed {
    Whole(Value),
    /// A block that says nothing and that the API would refuse to take back.
    Nothing,
    /// A tool call whose input is not an object of JSON.
    Unfinished(ModelError),
}

fn close(open: Open) -> Result<Closed, ModelError> {
    let mut block = open.block;
    let kind = block
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match kind {
        "text" => {
            let text = block
                .get("text")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if text.trim().is_empty() {
                return Ok(Closed::Nothing);
            }
        }
        "tool_use" => {
            for field in ["id", "name"] {
                if block
                    .get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .is_empty()
                {
                    return Err(protocol(&format!("a tool call has no {field}")));
                }
            }
        }
        "thinking" | "redacted_thinking" => {}
        _ if open.is_torn => return Ok(Closed::Nothing),
        _ => {}
    }
    let has_input = block.contains_key("input");
    if has_input || !open.json.is_empty() {
        let given = block.get("input").and_then(Value::as_object);
        let is_given = open.json.trim().is_empty() && given.is_some_and(|input| !input.is_empty());
        if !is_given {
            match tool_input(&open.json) {
                Ok(input) => block.insert("input".into(), Value::Object(input)),
                Err(error) => return Ok(Closed::Unfinished(error)),
            };
        }
    }
    Ok(Closed::Whole(Value::Object(block)))
}

fn block_index(event: &Value) -> Result<u64, ModelError> {
    let index = event.get("index").and_then(Value::as_u64);
    index.ok_or_else(|| protocol("a content block has no index"))
}

fn append(block: &mut Map<String, Value>, field: &str, piece: &str) {
    match block.get_mut(field) {
        Some(Value::String(text)) => text.push_str(piece),
        _ => {
            block.insert(field.into(), Value::String(piece.into()));
        }
    }
}

/// Takes the numbers that are there: later events repeat and correct earlier ones.
fn read_usage(usage: &mut TokenUsage, said: &Value) {
    let number = |pointer: &str| said.pointer(pointer).and_then(Value::as_u64);
    let set = |slot: &mut u64, number: Option<u64>| *slot = number.unwrap_or(*slot);
    set(&mut usage.input_tokens, number("/input_tokens"));
    set(&mut usage.output_tokens, number("/output_tokens"));
    set(
        &mut usage.cache_read_input_tokens,
        number("/cache_read_input_tokens"),
    );
    let hour = number("/cache_creation/ephemeral_1h_input_tokens");
    let minutes = number("/cache_creation/ephemeral_5m_input_tokens");
    match (minutes, hour) {
        (None, None) => {
            if let Some(written) = number("/cache_creation_input_tokens") {
                usage.cache_5m_input_tokens = written.saturating_sub(usage.cache_1h_input_tokens);
            }
        }
        _ => {
            set(&mut usage.cache_5m_input_tokens, minutes);
            set(&mut usage.cache_1h_input_tokens, hour);
        }
    }
}

fn protocol(message: &str) -> ModelError {
    ModelError::Protocol(message.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn fold(events: &[Value]) -> Result<ModelAnswer, ModelError> {
        let mut fold = Fold::new(&|_| {});
        for event in events {
            let event = SseEvent {
                name: String::new(),
                data: event.to_string(),
            };
            let _ = fold.take(event)?;
        }
        fold.finish()
    }

    fn begin() -> Value {
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1,
            "cache_creation_input_tokens": 3}}})
    }

    fn block(index: u64, block: Value) -> Value {
        json!({"type": "content_block_start", "index": index, "content_block": block})
    }

    fn piece(index: u64, delta: Value) -> Value {
        json!({"type": "content_block_delta", "index": index, "delta": delta})
    }

    fn end(reason: &str) -> Value {
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}})
    }

    #[test]
    fn blocks_are_kept_as_they_were_said() {
        let answer = fold(&[
            begin(),
            // Out of order, with kinds that do not exist yet.
            block(
                1,
                json!({"type": "tool_use", "id": "a", "name": "n", "input": {"whole": true}}),
            ),
            block(0, json!({"type": "text", "text": "see "})),
            piece(0, json!({"type": "text_delta", "text": "this"})),
            piece(
                0,
                json!({"type": "citations_delta", "citation": {"url": "u"}}),
            ),
            piece(0, json!({"type": "new_delta", "x": 1})),
            block(2, json!({"type": "new_block"})),
            piece(2, json!({"type": "new_delta", "x": 1})),
            block(3, json!({"type": "redacted_thinking", "data": "zz"})),
            block(
                4,
                json!({"type": "server_tool_use", "id": "s", "name": "web", "input": {}}),
            ),
            piece(
                4,
                json!({"type": "input_json_delta", "partial_json": "{\"q\":"}),
            ),
            piece(4, json!({"type": "input_json_delta", "partial_json": "1}"})),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "new_event"}),
            end("tool_use"),
        ]);
        let answer = answer.unwrap();
        let expected = [
            json!({"type": "text", "text": "see this", "citations": [{"url": "u"}]}),
            json!({"type": "tool_use", "id": "a", "name": "n", "input": {"whole": true}}),
            json!({"type": "redacted_thinking", "data": "zz"}),
            json!({"type": "server_tool_use", "id": "s", "name": "web", "input": {"q": 1}}),
        ];
        assert_eq!(answer.content, expected);
        // Numbers that the end does not repeat stay.
        let usage = TokenUsage {
            input_tokens: 5,
            output_tokens: 9,
            cache_5m_input_tokens: 3,
            ..TokenUsage::default()
        };
        assert_eq!(answer.usage, usage);
    }

    #[test]
    fn broken_protocols_are_errors() {
        let text = || block(0, json!({"type": "text", "text": ""}));
        let call = |index: u64| {
            block(
                index,
                json!({"type": "tool_use", "id": "a", "name": "n", "input": {}}),
            )
        };
        let nameless = json!({"type": "tool_use", "id": "a", "name": "", "input": {}});
        let cases = [
            vec![text()],
            vec![end("end_turn")],
            vec![begin()],
            vec![begin(), text(), text(), end("end_turn")],
            vec![
                begin(),
                piece(0, json!({"type": "text_delta", "text": "x"})),
                end("end_turn"),
            ],
            vec![begin(), call(0), call(1), end("tool_use")],
            vec![begin(), block(0, nameless), end("tool_use")],
            vec![begin(), block(0, json!("text")), end("end_turn")],
            vec![
                begin(),
                json!({"type": "content_block_start", "content_block": {"type": "text"}}),
            ],
            vec![begin(), end("tool_use")],
        ];
        for events in cases {
            let result = fold(&events);
            assert!(
                matches!(result, Err(ModelError::Protocol(_))),
                "{events:?} {result:?}"
            );
        }
    }

    #[test]
    fn answers_are_bounded() {
        let mut events = vec![begin(), block(0, json!({"type": "text", "text": ""}))];
        let large = "x".repeat(ANSWER_BYTES_MAX / 4);
        let more = piece(0, json!({"type": "text_delta", "text": large}));
        events.extend(std::iter::repeat_n(more, 4));
        assert!(matches!(fold(&events), Err(ModelError::Protocol(_))));
        let mut events = vec![begin()];
        let index = 0..=ANSWER_BLOCKS_MAX as u64;
        events.extend(index.map(|index| block(index, json!({"type": "text"}))));
        assert!(matches!(fold(&events), Err(ModelError::Protocol(_))));
    }
}
