//! What a step says to a request: blocks, stop reason and tokens, before any wire format.

use serde_json::{Value, json};

use super::ask::Ask;
use super::script::{Step, ToolCall, Usage};

/// One block.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Text(String),
    Thinking {
        text: String,
        signature: String,
    },
    Call {
        id: String,
        name: String,
        input: String,
    },
    Raw(Value),
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) blocks: Vec<Said>,
    pub(super) stop_reason: String,
    pub(super) stop_details: Value,
    pub(super) usage: Usage,
}

impl Reply {
    /// Answers `ask` with `step`.
    pub(super) fn new(step: &Step, ask: &Ask) -> Self {
        let mut blocks = Vec::new();
        let thinking = |text: &String| Said::Thinking {
            text: ask.expand(text),
            signature: format!("sig_{}", ask.digest),
        };
        let text = |text: &String| Said::Text(ask.expand(text));
        blocks.extend(step.thinking.iter().map(thinking));
        blocks.extend(step.text.iter().map(text));
        for tool in &step.tools {
            blocks.push(call(tool, ask, blocks.len()));
        }
        for block in &step.content {
            blocks.extend(block.thinking.iter().map(thinking));
            blocks.extend(block.text.iter().map(text));
            blocks.extend(block.raw.iter().cloned().map(Said::Raw));
            if let Some(tool) = &block.tool {
                blocks.push(call(tool, ask, blocks.len()));
            }
        }
        let has_calls = blocks
            .iter()
            .any(|block| matches!(block, Said::Call { .. }));
        let (stop_reason, stop_details) = match (&step.refusal, &step.stop) {
            (Some(refusal), _) => (
                "refusal",
                json!({
                    "type": "refusal",
                    "category": refusal.category,
                    "explanation": refusal.explanation,
                }),
            ),
            (None, Some(stop)) => (stop.as_str(), Value::Null),
            (None, None) if has_calls => ("tool_use", Value::Null),
            (None, None) => ("end_turn", Value::Null),
        };
        Self {
            id: format!("msg_{}", ask.digest),
            model: ask.model.clone(),
            stop_reason: stop_reason.to_owned(),
            stop_details,
            usage: step.usage.unwrap_or_else(|| Usage {
                // About four bytes to a token.
                input_tokens: ask.prompt_bytes / 4 + 1,
                output_tokens: blocks.iter().map(Said::bytes).sum::<u64>() / 4 + 1,
                ..Usage::default()
            }),
            blocks,
        }
    }
}

impl Said {
    fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Text(text) | Self::Thinking { text, .. } => text.len(),
            Self::Call { name, input, .. } => name.len() + input.len(),
            Self::Raw(block) => block.to_string().len(),
        };
        bytes as u64
    }
}

fn call(tool: &ToolCall, ask: &Ask, position: usize) -> Said {
    let input = match (&tool.input, &tool.input_text) {
        (_, Some(text)) => text.clone(),
        (Some(input), None) => ask.expand_value(input).to_string(),
        (None, None) => "{}".to_owned(),
    };
    let id = tool.id.as_ref().map(|id| ask.expand(id));
    Said::Call {
        id: id.unwrap_or_else(|| format!("toolu_{}{position:02}", ask.digest)),
        name: tool.name.clone(),
        input,
    }
}

/// Cuts a text into pieces of so many characters; an empty text has none.
pub(super) fn pieces(text: &str, chars: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters
        .chunks(chars.max(1))
        .map(|piece| piece.iter().collect())
        .collect()
}
