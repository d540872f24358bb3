//! The body of a Messages API request.
//!
//! Everything that stays the same from turn to turn comes first and carries a cache breakpoint (tools,
//! system), then the last two user turns do: the newest one writes the cache, the one before it finds what
//! the previous request wrote. Four breakpoints are all that the API allows.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::ModelRequest;
use crate::model::catalog::{Effort, ModelInfo, Thinking};
use crate::model::config::ThinkingMode;

/// Output bounds below this leave no room for a thinking budget.
const BUDGET_TOKENS_MIN: u32 = 1024;

/// Largest thinking budget that we ask for; more is for `adaptive` models.
const BUDGET_TOKENS_MAX: u32 = 32_000;

/// What the provider knows beyond the request.
pub(super) struct Options<'a> {
    /// The id to send.
    pub(super) model: &'a str,
    /// The catalogue's entry, if any.
    pub(super) known: Option<&'a ModelInfo>,
    pub(super) thinking: ThinkingMode,
    pub(super) prompt_cache: bool,
}

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Cow<'a, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Value>,
    messages: Vec<Cow<'a, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) speed: Option<&'a str>,
    stream: bool,
}

/// Writes a request in the API's terms.
pub(super) fn body<'a>(request: &'a ModelRequest, options: &Options<'a>) -> Body<'a> {
    let mut tools: Vec<_> = request.tools.iter().map(Cow::Borrowed).collect();
    let mut messages: Vec<_> = request.messages.iter().map(Cow::Borrowed).collect();
    let mut system = json!({"type": "text", "text": request.system});
    if options.prompt_cache {
        mark(&mut system);
        if let Some(last) = tools.last_mut() {
            mark(last.to_mut());
        }
        mark_user_turns(&mut messages);
    }
    let known_max = options.known.and_then(|known| known.output_tokens_max);
    let known_max = known_max.and_then(|max| u32::try_from(max).ok());
    let max_tokens = request
        .output_tokens_max
        .min(known_max.unwrap_or(u32::MAX))
        .max(1);
    let effort = effort(request, options.known);
    let has_fast = options.known.is_none_or(|known| known.has_fast);
    Body {
        model: options.model,
        max_tokens,
        tools,
        system: (!request.system.is_empty()).then(|| json!([system])),
        messages,
        thinking: thinking(request, options, max_tokens, effort.as_deref()),
        output_config: effort.map(|effort| json!({"effort": effort})),
        speed: request
            .speed
            .as_deref()
            .filter(|speed| *speed == "fast" && has_fast),
        stream: true,
    }
}

/// Returns the effort to send: the nearest one a known model has, the wish itself for an unknown model.
fn effort(request: &ModelRequest, known: Option<&ModelInfo>) -> Option<String> {
    let wish = request.effort.as_deref()?;
    let (Some(known), Some(effort)) = (known, Effort::parse(wish)) else {
        return Some(wish.to_owned());
    };
    known
        .effort_for(effort)
        .map(|effort| effort.as_str().to_owned())
}

/// Says how to think, in the words that this model accepts; each generation refuses the others' words.
fn thinking(
    request: &ModelRequest,
    options: &Options<'_>,
    max_tokens: u32,
    effort: Option<&str>,
) -> Option<Value> {
    let kind = match options.thinking {
        ThinkingMode::Off => return None,
        ThinkingMode::Adaptive => Thinking::Adaptive,
        ThinkingMode::Budget => Thinking::Budget,
        ThinkingMode::Catalog => options.known?.thinking,
    };
    // Above `high` thinking cannot be switched off.
    let may_be_off = !matches!(effort, Some("xhigh" | "max"));
    match (kind, request.thinking) {
        (Thinking::Unsupported, _)
        | (Thinking::Budget | Thinking::Adaptive | Thinking::AdaptiveAlways, false) => None,
        (Thinking::AdaptiveByDefault, false) => may_be_off.then(|| json!({"type": "disabled"})),
        (Thinking::AdaptiveOrBetweenTools, false) => {
            may_be_off.then(|| json!({"type": "between_tools"}))
        }
        (Thinking::Budget, true) => {
            let budget = (max_tokens / 2).min(BUDGET_TOKENS_MAX);
            (budget >= BUDGET_TOKENS_MIN)
                .then(|| json!({"type": "enabled", "budget_tokens": budget}))
        }
        (
            Thinking::Adaptive
            | Thinking::AdaptiveByDefault
            | Thinking::AdaptiveOrBetweenTools
            | Thinking::AdaptiveAlways,
            true,
        ) => Some(json!({"type": "adaptive"})),
    }
}

fn mark(block: &mut Value) {
    if let Some(block) = block.as_object_mut() {
        block.insert("cache_control".into(), json!({"type": "ephemeral"}));
    }
}

fn mark_user_turns(messages: &mut [Cow<'_, Value>]) {
    let turns = messages.iter_mut().rev();
    let user_turns = turns.filter(|turn| turn.get("role").and_then(Value::as_str) == Some("user"));
    for turn in user_turns.take(2) {
        let Some(index) = markable(turn) else {
            continue;
        };
        let block = turn
            .to_mut()
            .get_mut("content")
            .and_then(|content| content.get_mut(index));
        if let Some(block) = block {
            mark(block);
        }
    }
}

/// Finds the last block that may carry a breakpoint: empty texts may not.
fn markable(turn: &Value) -> Option<usize> {
    let blocks = turn.get("content")?.as_array()?;
    blocks.iter().rposition(|block| {
        let text = block.get("text").and_then(Value::as_str);
        block.is_object() && text.is_none_or(|text| !text.is_empty())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::model::catalog::Catalog;

    fn request() -> ModelRequest {
        let text = |text: &str| json!({"type": "text", "text": text});
        ModelRequest {
            model: "claude-sonnet-4-6".into(),
            system: "be brief".into(),
            messages: vec![
                json!({"role": "user", "content": [text("one")]}),
                json!({"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "tool_use", "id": "t1", "name": "ls", "input": {}}]}),
                json!({"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}]}),
                json!({"role": "assistant", "content": [text("fine")]}),
                json!({"role": "user", "content": [text("two"), text("")]}),
            ],
            tools: vec![
                json!({"name": "ls", "description": "Lists.", "input_schema": {"type": "object"}}),
                json!({"name": "rm", "description": "Removes.", "input_schema": {"type": "object"}}),
            ],
            output_tokens_max: 200_000,
            effort: Some("xhigh".into()),
            speed: Some("fast".into()),
            thinking: true,
        }
    }

    fn sent(request: &ModelRequest, mode: ThinkingMode, prompt_cache: bool) -> Value {
        let catalog = Catalog::default();
        let options = Options {
            model: &request.model,
            known: catalog.find(&request.model),
            thinking: mode,
            prompt_cache,
        };
        serde_json::to_value(body(request, &options)).unwrap()
    }

    #[test]
    fn golden_request() {
        let cache = json!({"type": "ephemeral"});
        let request = request();
        let body = sent(&request, ThinkingMode::Catalog, true);
        let expected = json!({
            "model": "claude-sonnet-4-6",
            // The model's own bound.
            "max_tokens": 64_000,
            "stream": true,
            "system": [{"type": "text", "text": "be brief", "cache_control": cache}],
            "tools": [
                {"name": "ls", "description": "Lists.", "input_schema": {"type": "object"}},
                {"name": "rm", "description": "Removes.", "input_schema": {"type": "object"}, "cache_control": cache},
            ],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "one"}]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "tool_use", "id": "t1", "name": "ls", "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "ok", "cache_control": cache}]},
                {"role": "assistant", "content": [{"type": "text", "text": "fine"}]},
                {"role": "user", "content": [
                    {"type": "text", "text": "two", "cache_control": cache}, {"type": "text", "text": ""}]},
            ],
            "thinking": {"type": "adaptive"},
            // The next lower effort that this model has; it has no fast mode.
            "output_config": {"effort": "high"},
        });
        assert_eq!(body, expected);

        let plain = sent(&request, ThinkingMode::Off, false);
        assert!(!plain.to_string().contains("cache_control"));
        assert_eq!(plain.get("thinking"), None);
    }

    #[test]
    fn nothing_is_sent_empty() {
        let request = ModelRequest {
            system: String::new(),
            tools: vec![],
            effort: None,
            speed: None,
            ..request()
        };
        let body = sent(&request, ThinkingMode::Catalog, true);
        for field in ["system", "tools", "output_config", "speed"] {
            assert_eq!(body.get(field), None, "{field}");
        }
    }

    #[test]
    fn each_model_hears_its_own_words_about_thinking() {
        let adaptive = Some(json!({"type": "adaptive"}));
        let disabled = Some(json!({"type": "disabled"}));
        let between = Some(json!({"type": "between_tools"}));
        let budget = |tokens: u32| Some(json!({"type": "enabled", "budget_tokens": tokens}));
        let cases = [
            ("claude-haiku-4-5", true, "high", 8_000, budget(4_000)),
            ("claude-haiku-4-5", true, "high", 200_000, budget(32_000)),
            ("claude-haiku-4-5", true, "high", 2_000, None),
            ("claude-haiku-4-5", false, "high", 8_000, None),
            ("claude-opus-4-8", true, "high", 8_000, adaptive.clone()),
            ("claude-opus-4-8", false, "high", 8_000, None),
            ("claude-opus-5", false, "high", 8_000, disabled.clone()),
            ("claude-opus-5", false, "max", 8_000, None),
            ("claude-sonnet-5-5", false, "low", 8_000, between),
            ("claude-opus-5-5", true, "low", 8_000, adaptive),
            ("claude-opus-5-5", false, "low", 8_000, None),
            ("some-new-model", true, "low", 8_000, None),
        ];
        for (model, thinking, effort, output_tokens_max, expected) in cases {
            let request = ModelRequest {
                model: model.into(),
                thinking,
                effort: Some(effort.into()),
                output_tokens_max,
                ..request()
            };
            let body = sent(&request, ThinkingMode::Catalog, true);
            assert_eq!(
                body.get("thinking").cloned(),
                expected,
                "{model} {thinking} {effort}"
            );
        }
        let request = ModelRequest {
            model: "claude-opus-5-5".into(),
            ..request()
        };
        let body = sent(&request, ThinkingMode::Catalog, true);
        assert_eq!(body.get("speed"), Some(&json!("fast")));
    }
}
