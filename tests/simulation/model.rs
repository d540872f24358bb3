//! A model that says and does what chance has it do, and fails as providers do.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sinew::model::{
    Model, ModelAnswer, ModelError, ModelRequest, Progress, ProgressSink, StopReason, TokenUsage,
};

use crate::chance::Chance;
use crate::hands::TOOL;
use crate::power::Power;

/// The tool that the client runs.
pub const CUSTOM_TOOL: &str = "ask";
/// Longest time of a step of an answer.
const STEP: Duration = Duration::from_secs(30);
/// Turns after which it calls no tools, so that sessions end.
const TURNS_MAX: usize = 60;

pub struct SimModel {
    pub power: Arc<Power>,
}

#[async_trait::async_trait]
impl Model for SimModel {
    async fn ask(
        &self,
        request: &ModelRequest,
        progress: ProgressSink<'_>,
    ) -> Result<ModelAnswer, ModelError> {
        self.power.alive().await;
        self.power.work(STEP).await;
        progress(Progress::Started);
        if self.power.fails(self.power.weather.roughness.model) {
            return Err(self.power.draw(failure));
        }
        progress(Progress::TextStarted);
        progress(Progress::TextDelta("Well".to_owned()));
        self.power.work(STEP).await;
        if self.power.fails(self.power.weather.roughness.model) {
            return Err(ModelError::Transient {
                message: "the stream ended early".to_owned(),
                retry_after: None,
            });
        }
        Ok(self.power.draw(|chance| answer(request, chance)))
    }
}

fn failure(chance: &mut Chance) -> ModelError {
    let retry_after = chance
        .happens(0.3)
        .then(|| chance.wait(Duration::from_secs(100)));
    let message = "not now".to_owned();
    match chance.below(6) {
        0 => ModelError::RateLimited {
            message,
            retry_after,
        },
        1 | 2 => ModelError::Overloaded {
            message,
            retry_after,
        },
        3 => ModelError::Protocol(message),
        4 => ModelError::ContextTooLong(message),
        _ => ModelError::Transient {
            message,
            retry_after,
        },
    }
}

fn answer(request: &ModelRequest, chance: &mut Chance) -> ModelAnswer {
    let calls = match chance.happens(0.55) && request.messages.len() < TURNS_MAX {
        true if !request.tools.is_empty() => 1 + chance.below(3),
        _ => 0,
    };
    let mut content = Vec::new();
    if calls == 0 || chance.happens(0.5) {
        content.push(json!({"type": "text", "text": "Well."}));
    }
    let has_team = request
        .tools
        .iter()
        .any(|tool| tool["name"] == "start_agent");
    let is_supervised = |name: &str| request.tools.iter().any(|tool| tool["name"] == name);
    let own: Vec<&str> = ["make_plan", "finish_step", "ask_user"]
        .into_iter()
        .filter(|name| is_supervised(name))
        .collect();
    for _ in 0..calls {
        if !own.is_empty() && chance.happens(0.4) {
            let name = own[chance.below(own.len())];
            content.push(tool_use(name, supervision(name, chance), chance));
            continue;
        }
        if has_team && chance.happens(0.4) {
            content.push(delegation(request, chance));
            continue;
        }
        let name = match chance.happens(0.8) {
            true => TOOL,
            false => CUSTOM_TOOL,
        };
        content.push(tool_use(name, json!({"command": "append"}), chance));
    }
    ModelAnswer {
        content,
        stop_reason: match calls {
            0 => StopReason::EndTurn,
            _ => StopReason::ToolUse,
        },
        usage: TokenUsage {
            input_tokens: 10,
            output_tokens: 5,
            ..TokenUsage::default()
        },
    }
}

/// Returns the input of a call of a supervision tool, which need not be right.
fn supervision(name: &str, chance: &mut Chance) -> Value {
    let score = [0.1, 0.4, 0.6, 0.9][chance.below(4)];
    match name {
        "make_plan" => {
            let step = json!({"title": "Append.", "validation": "true", "confidence": score});
            json!({"steps": vec![step; chance.below(4)]})
        }
        "finish_step" => json!({
            "step": 1 + chance.below(3),
            "outcome": chance.of(&["done", "done", "done", "given_up"]),
            "confidence": score,
            "summary": "Appended.",
        }),
        _ => json!({"questions": vec![json!({"question": "Which?"}); chance.below(3)]}),
    }
}

/// Returns a call that starts an agent or speaks with one, which need not be there.
fn delegation(request: &ModelRequest, chance: &mut Chance) -> Value {
    let said = json!(request.messages).to_string();
    let started: Vec<&str> = said
        .match_indices("sthr_")
        .map(|(at, _)| said[at..].split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter_map(|mut words| words.next())
        .collect();
    let thread = match started.is_empty() {
        true => "sthr_none",
        false => started[chance.below(started.len())],
    };
    let (name, input) = match chance.below(7) {
        0 | 1 => ("start_agent", json!({"agent": "a", "message": "Do it."})),
        2 | 3 => (
            "send_to_agent",
            json!({"thread_id": thread, "message": "Go on."}),
        ),
        4 => (
            "wait_for_agents",
            json!({"for": chance.of(&["all", "any"])}),
        ),
        5 => ("list_agents", json!({})),
        _ => ("ask_advisor", json!({"question": "How?"})),
    };
    tool_use(name, input, chance)
}

fn tool_use(name: &str, input: Value, chance: &mut Chance) -> Value {
    let id = format!(
        "toolu_{:x}{:x}",
        chance.below(1 << 30),
        chance.below(1 << 30)
    );
    json!({"type": "tool_use", "id": id, "name": name, "input": input})
}
