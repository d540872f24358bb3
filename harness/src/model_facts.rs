//! The catalogue of models as the API and the drivers ask for it.

use serde_json::{Value, json};

use crate::agent::ModelFacts;
use crate::api::ModelCatalog;
use crate::api::agent_config::{Effort, ModelFacts as ConfigFacts};
use crate::clock::rfc3339;
use crate::model::catalog::Lifecycle;
use crate::model::{Catalog, Cost, ModelInfo, TokenUsage};

/// Input tokens of a model that nobody described.
const INPUT_TOKENS_DEFAULT: u64 = 200_000;

/// Answers from one catalogue.
pub(crate) struct Facts(pub(crate) Catalog);

impl ModelFacts for Facts {
    fn price_nanocents(
        &self,
        model: &str,
        speed: Option<&str>,
        usage: &TokenUsage,
    ) -> Option<u128> {
        self.0
            .price_cents(model, speed, usage)
            .map(Cost::nano_cents)
    }

    fn input_tokens_max(&self, model: &str) -> u64 {
        self.0
            .find(model)
            .and_then(|model| model.input_tokens_max)
            .unwrap_or(INPUT_TOKENS_DEFAULT)
    }
}

impl ModelCatalog for Facts {
    /// Every id is accepted: which ones a provider serves is known only there, and local servers serve
    /// models that nobody listed.
    fn facts(&self, id: &str) -> Option<ConfigFacts> {
        let known = self.0.find(id);
        let effort = known.and_then(|model| model.effort_default);
        Some(ConfigFacts {
            default_effort: effort
                .and_then(|effort| serde_json::from_value(json!(effort.as_str())).ok())
                .unwrap_or(Effort::High),
            has_fast: known.is_none_or(|model| model.has_fast),
        })
    }

    fn infos(&self) -> Vec<Value> {
        self.0.models().iter().map(info).collect()
    }
}

fn info(model: &ModelInfo) -> Value {
    let lifecycle = match model.lifecycle {
        Lifecycle::Active => "active",
        Lifecycle::Deprecated => "deprecated",
        Lifecycle::Retired => "retired",
    };
    json!({
        "id": model.id,
        "type": "model",
        "display_name": model.display_name,
        "created_at": rfc3339(model.created_at),
        "lifecycle": lifecycle,
        "line": model.line,
        "max_input_tokens": model.input_tokens_max,
        "max_tokens": model.output_tokens_max,
        "allowed_fallback_models": null,
        "capabilities": null,
        "deprecated_at": null,
        "retires_at": null,
    })
}
