//! Folds the chunks of a chat completion into an answer of the Messages API.
//!
//! Servers differ: some leave out the index of a tool call or give all calls the same, some send arguments
//! whole or as an object, some end with `stop` after a tool call, some send no usage and no `[DONE]`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use serde_json::{Value, json};

use crate::model::endpoint::Events;
use crate::model::sse::SseEvent;
use crate::model::{
    ANSWER_BLOCKS_MAX, ANSWER_BYTES_MAX, ModelAnswer, ModelError, Progress, ProgressSink,
    StopReason, TokenUsage, failure, tool_input,
};

/// Longest id of a tool call that other providers take, in bytes.
const CALL_ID_BYTES_MAX: usize = 64;

#[derive(Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

/// The answer so far.
pub(super) struct Fold<'a> {
    progress: ProgressSink<'a>,
    /// Makes an id for a call whose server gave none that can be sent back.
    fresh_id: &'a (dyn Fn() -> String + Send + Sync),
    text: String,
    refusal: String,
    calls: Vec<Call>,
    bytes: usize,
    usage: TokenUsage,
    finish_reason: Option<String>,
    is_started: bool,
    is_thinking: bool,
}

impl<'a> Fold<'a> {
    pub(super) fn new(
        progress: ProgressSink<'a>,
        fresh_id: &'a (dyn Fn() -> String + Send + Sync),
    ) -> Self {
        Self {
            progress,
            fresh_id,
            text: String::new(),
            refusal: String::new(),
            calls: Vec::new(),
            bytes: 0,
            usage: TokenUsage::default(),
            finish_reason: None,
            is_started: false,
            is_thinking: false,
        }
    }

    /// Tells whether the server said why it ended.
    pub(super) fn has_stopped(&self) -> bool {
        self.finish_reason.is_some()
    }

    fn delta(&mut self, delta: &Value) -> Result<(), ModelError> {
        for field in ["reasoning_content", "reasoning"] {
            let thought = text_of(delta, field);
            if !thought.is_empty() {
                self.grow(thought.len())?;
                if !std::mem::replace(&mut self.is_thinking, true) {
                    (self.progress)(Progress::ThinkingStarted);
                }
                (self.progress)(Progress::ThinkingDelta(thought.to_owned()));
                break;
            }
        }
        let text = match delta.get("content") {
            Some(Value::Array(parts)) => parts.iter().map(|part| text_of(part, "text")).collect(),
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        };
        if !text.is_empty() {
            self.grow(text.len())?;
            if self.text.is_empty() {
                (self.progress)(Progress::TextStarted);
            }
            self.text.push_str(&text);
            (self.progress)(Progress::TextDelta(text));
        }
        let refusal = text_of(delta, "refusal");
        self.grow(refusal.len())?;
        self.refusal.push_str(refusal);
        for piece in delta
            .get("tool_calls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            self.call(piece)?;
        }
        Ok(())
    }

    fn call(&mut self, piece: &Value) -> Result<(), ModelError> {
        let index = piece.get("index").and_then(Value::as_u64);
        let id = text_of(piece, "id");
        let function = piece.get("function").unwrap_or(&Value::Null);
        let name = text_of(function, "name");
        let arguments = match function.get("arguments") {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(whole) => whole.to_string(),
        };
        self.grow(id.len() + name.len() + arguments.len())?;
        // A piece continues the call of its index, without one the last call; another id is another call.
        let same = match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index),
            None if id.is_empty() && name.is_empty() => self.calls.len().checked_sub(1),
            None => self
                .calls
                .iter()
                .rposition(|call| !id.is_empty() && call.id == id),
        };
        let same = same.filter(|&at| {
            self.calls
                .get(at)
                .is_some_and(|call| id.is_empty() || call.id.is_empty() || call.id == id)
        });
        if same.is_none() {
            if self.calls.len() >= ANSWER_BLOCKS_MAX {
                return Err(protocol("the answer has too many tool calls"));
            }
            self.calls.push(Call {
                index,
                ..Call::default()
            });
        }
        let at = same.unwrap_or(self.calls.len().saturating_sub(1));
        let Some(call) = self.calls.get_mut(at) else {
            return Ok(());
        };
        if call.id.is_empty() {
            call.id = id.to_owned();
        }
        if call.name.is_empty() && !name.is_empty() {
            call.name = name.to_owned();
            (self.progress)(Progress::ToolUseStarted(call.name.clone()));
        }
        call.arguments.push_str(&arguments);
        Ok(())
    }

    fn grow(&mut self, bytes: usize) -> Result<(), ModelError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > ANSWER_BYTES_MAX {
            return Err(protocol("the answer is longer than the bound of 32 MiB"));
        }
        Ok(())
    }

    /// Returns the whole answer.
    pub(super) fn finish(self) -> Result<ModelAnswer, ModelError> {
        let reason = self.finish_reason.unwrap_or_default();
        let is_cut = matches!(reason.as_str(), "length" | "content_filter");
        let mut content = Vec::with_capacity(self.calls.len() + 1);
        if !self.text.trim().is_empty() {
            content.push(json!({"type": "text", "text": self.text}));
        }
        let mut ids = HashSet::new();
        for call in self.calls {
            let input = match tool_input(&call.arguments) {
                Ok(input) if !call.name.is_empty() => input,
                _ if is_cut => continue,
                Ok(_) => return Err(protocol("a tool call has no name")),
                Err(error) => return Err(error),
            };
            let is_usable = !call.id.is_empty()
                && call.id.len() <= CALL_ID_BYTES_MAX
                && call
                    .id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
                && !ids.contains(&call.id);
            let id = if is_usable {
                call.id
            } else {
                (self.fresh_id)()
            };
            ids.insert(id.clone());
            content.push(json!({"type": "tool_use", "id": id, "name": call.name, "input": input}));
        }
        let stop_reason = match reason.as_str() {
            "length" => StopReason::MaxTokens,
            "content_filter" => StopReason::Refusal {
                category: None,
                explanation: (!self.refusal.is_empty()).then_some(self.refusal),
            },
            _ if !ids.is_empty() => StopReason::ToolUse,
            _ if !self.refusal.is_empty() => StopReason::Refusal {
                category: None,
                explanation: Some(self.refusal),
            },
            "tool_calls" | "function_call" => {
                return Err(protocol("it stopped for tools without calling one"));
            }
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
        let data = event.data.trim();
        if data == "[DONE]" {
            return if self.has_stopped() {
                Ok(ControlFlow::Break(()))
            } else {
                Err(protocol("the answer ended without a finish reason"))
            };
        }
        let chunk: Value = serde_json::from_str(data)
            .map_err(|error| protocol(&format!("a chunk is not JSON: {error}")))?;
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(failure::from_stream(&chunk));
        }
        if !std::mem::replace(&mut self.is_started, true) {
            (self.progress)(Progress::Started);
        }
        if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
            self.usage = read_usage(usage);
        }
        // One answer was asked for.
        if let Some(choice) = chunk.pointer("/choices/0") {
            // Some servers put a whole message where a piece is expected.
            if let Some(delta) = choice.get("delta").or_else(|| choice.get("message")) {
                self.delta(delta)?;
            }
            if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
                self.finish_reason = Some(reason.to_owned());
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn read_usage(said: &Value) -> TokenUsage {
    let number = |pointer: &str| said.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let cached = number("/prompt_tokens_details/cached_tokens");
    TokenUsage {
        input_tokens: number("/prompt_tokens").saturating_sub(cached),
        output_tokens: number("/completion_tokens"),
        cache_read_input_tokens: cached,
        ..TokenUsage::default()
    }
}

fn text_of<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn protocol(message: &str) -> ModelError {
    ModelError::Protocol(message.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;

    fn fold(chunks: &[Value]) -> Result<ModelAnswer, ModelError> {
        let fresh_id = || "call_fresh".to_owned();
        let mut fold = Fold::new(&|_| {}, &fresh_id);
        for chunk in chunks {
            let data = chunk.to_string();
            let name = String::new();
            let _ = fold.take(SseEvent { name, data })?;
        }
        fold.finish()
    }

    fn calls(pieces: &[Value], reason: &str) -> Result<ModelAnswer, ModelError> {
        let mut chunks: Vec<Value> = pieces
            .iter()
            .map(|piece| json!({"choices": [{"delta": {"tool_calls": [piece]}}]}))
            .collect();
        chunks.push(json!({"choices": [{"delta": {}, "finish_reason": reason}]}));
        fold(&chunks)
    }

    fn call(id: &str, name: &str, input: Value) -> Value {
        json!({"type": "tool_use", "id": id, "name": name, "input": input})
    }

    #[test]
    fn tool_calls_of_every_server() {
        let streamed = [
            json!({"index": 0, "id": "a", "type": "function", "function": {"name": "ls", "arguments": ""}}),
            json!({"index": 1, "id": "b", "function": {"name": "cat"}}),
            json!({"index": 0, "function": {"arguments": "{\"p\""}}),
            json!({"index": 0, "function": {"arguments": ":1}"}}),
        ];
        let both = vec![
            call("a", "ls", json!({"p": 1})),
            call("b", "cat", json!({})),
        ];
        let cases: &[(&[Value], &str, Vec<Value>)] = &[
            (&streamed, "tool_calls", both.clone()),
            // `stop` though there are calls.
            (&streamed, "stop", both.clone()),
            // No index, arguments whole.
            (
                &[
                    json!({"id": "a", "function": {"name": "ls", "arguments": "{\"p\":1}"}}),
                    json!({"id": "b", "function": {"name": "cat", "arguments": "{}"}}),
                ],
                "stop",
                both.clone(),
            ),
            // Every call has index 0; arguments are an object.
            (
                &[
                    json!({"index": 0, "id": "a", "function": {"name": "ls", "arguments": {"p": 1}}}),
                    json!({"index": 0, "id": "b", "function": {"name": "cat", "arguments": {}}}),
                ],
                "tool_calls",
                both,
            ),
            // No index, in pieces.
            (
                &[
                    json!({"id": "a", "function": {"name": "ls", "arguments": "{"}}),
                    json!({"function": {"arguments": "}"}}),
                ],
                "tool_calls",
                vec![call("a", "ls", json!({}))],
            ),
            // Ids that others would refuse, or none.
            (
                &[json!({"index": 0, "id": "functions.ls:0", "function": {"name": "ls"}})],
                "tool_calls",
                vec![call("call_fresh", "ls", json!({}))],
            ),
            (
                &[json!({"function": {"name": "ls", "arguments": "{}"}})],
                "tool_calls",
                vec![call("call_fresh", "ls", json!({}))],
            ),
        ];
        for (pieces, reason, expected) in cases {
            let answer = calls(pieces, reason).unwrap();
            assert_eq!(&answer.content, expected, "{pieces:?}");
            assert_eq!(answer.stop_reason, StopReason::ToolUse, "{pieces:?}");
        }
    }

    #[test]
    fn bad_calls_are_errors_unless_the_answer_was_cut() {
        let half =
            [json!({"index": 0, "id": "a", "function": {"name": "ls", "arguments": "{\"p\":"}})];
        assert!(matches!(
            calls(&half, "tool_calls"),
            Err(ModelError::Protocol(_))
        ));
        let cut = calls(&half, "length").unwrap();
        assert_eq!(
            (cut.content.len(), cut.stop_reason),
            (0, StopReason::MaxTokens)
        );
        let list = [json!({"index": 0, "id": "a", "function": {"name": "ls", "arguments": "[]"}})];
        assert!(matches!(calls(&list, "stop"), Err(ModelError::Protocol(_))));
        let nameless = [json!({"index": 0, "id": "a", "function": {"arguments": "{}"}})];
        assert!(matches!(
            calls(&nameless, "stop"),
            Err(ModelError::Protocol(_))
        ));
        assert!(matches!(
            calls(&[], "tool_calls"),
            Err(ModelError::Protocol(_))
        ));
    }

    #[test]
    fn usage_refusals_and_errors() {
        let usage = json!({"prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}});
        let answer = fold(&[
            json!({"choices": [{"delta": {"role": "assistant", "content": ""}}]}),
            json!({"choices": [{"delta": {"refusal": "no"}, "finish_reason": "stop"}], "usage": null}),
            json!({"choices": [], "usage": usage}),
        ]);
        let answer = answer.unwrap();
        assert_eq!(answer.usage.input_tokens, 7);
        assert_eq!(answer.usage.cache_read_input_tokens, 3);
        assert_eq!(answer.usage.output_tokens, 4);
        let explanation = Some("no".to_owned());
        let category = None;
        assert_eq!(
            answer.stop_reason,
            StopReason::Refusal {
                category,
                explanation
            }
        );

        let error = fold(&[json!({"error": {"message": "busy", "code": 503}})]);
        assert!(matches!(error, Err(ModelError::Overloaded { .. })));
    }
}
