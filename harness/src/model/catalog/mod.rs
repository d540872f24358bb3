//! The models we know: limits, efforts, thinking, list prices; with the operator's additions on top.
//!
//! Nothing here stops a request: a model that is not listed is asked all the same, without a price.

mod known;

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::TokenUsage;
use super::price::{Cost, Price, Rates};
use crate::clock::Timestamp;

/// When a model was made that does not say it: the day of the Messages API's first version.
pub const CREATED_AT_UNKNOWN: (i16, i8, i8) = (2023, 6, 1);

/// How hard a model tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Least tokens.
    Low,
    /// Between low and high.
    Medium,
    /// What most models do unasked.
    High,
    /// For work of hours.
    Xhigh,
    /// Without regard to tokens.
    Max,
}

impl Effort {
    /// All efforts, from least to most.
    pub const ALL: [Self; 5] = [Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max];

    /// Returns the wire's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// Reads the wire's word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.as_str() == text)
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a model thinks and how a request says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// It does not.
    Unsupported,
    /// With a budget of tokens; off unless asked for.
    Budget,
    /// As much as it wants; off unless asked for.
    Adaptive,
    /// As much as it wants unless the request says `disabled`, which efforts up to high allow.
    AdaptiveByDefault,
    /// As much as it wants unless the request says `between_tools`, which efforts up to high allow.
    AdaptiveOrBetweenTools,
    /// Always.
    AdaptiveAlways,
}

/// Where a model is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// In use.
    Active,
    /// Still answers.
    Deprecated,
    /// Answers no more.
    Retired,
}

/// One model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The id that requests name.
    pub id: String,
    /// The name for people.
    pub display_name: String,
    /// `haiku`, `sonnet`, `opus`, `fable` or `mythos`.
    pub line: Option<String>,
    /// When it was released.
    pub created_at: Timestamp,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// Longest prompt in tokens.
    pub input_tokens_max: Option<u64>,
    /// Longest answer in tokens.
    pub output_tokens_max: Option<u64>,
    /// Efforts it knows, from least to most; empty if it knows none.
    pub efforts: Vec<Effort>,
    /// What it does unasked; `None` if it knows no efforts.
    pub effort_default: Option<Effort>,
    /// How it thinks.
    pub thinking: Thinking,
    /// It accepts `speed: fast`.
    pub has_fast: bool,
    /// It looks at images and PDF files.
    pub has_vision: bool,
    /// It takes turns of the role `system` within a conversation.
    pub takes_system_turns: bool,
    /// List price; `None` where we know none, and such a model cannot have a budget.
    pub price: Option<Price>,
}

impl ModelInfo {
    fn unknown(id: &str) -> Self {
        let (year, month, day) = CREATED_AT_UNKNOWN;
        Self {
            id: id.to_owned(),
            display_name: id.to_owned(),
            line: None,
            created_at: midnight(year, month, day),
            lifecycle: Lifecycle::Active,
            input_tokens_max: None,
            output_tokens_max: None,
            efforts: Vec::new(),
            effort_default: None,
            thinking: Thinking::Unsupported,
            has_fast: false,
            has_vision: true,
            takes_system_turns: !id.starts_with("claude"),
            price: None,
        }
    }

    /// Returns the effort to send for a wish: itself or the next lower one that the model knows.
    pub fn effort_for(&self, wish: Effort) -> Option<Effort> {
        let lower = self
            .efforts
            .iter()
            .copied()
            .filter(|effort| *effort <= wish);
        lower.max().or_else(|| self.efforts.iter().copied().min())
    }
}

fn midnight(year: i16, month: i8, day: i8) -> Timestamp {
    Date::new(year, month, day)
        .and_then(|date| date.to_zoned(TimeZone::UTC))
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

/// What an operator says about a model: changes a known one or adds a new one. Unknown fields are refused,
/// fields that are left out keep what is known.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelOverride {
    /// The name for people.
    pub display_name: Option<String>,
    /// Longest prompt in tokens.
    pub input_tokens_max: Option<u64>,
    /// Longest answer in tokens.
    pub output_tokens_max: Option<u64>,
    /// Efforts it knows.
    pub efforts: Option<Vec<Effort>>,
    /// What it does unasked.
    pub effort_default: Option<Effort>,
    /// How it thinks.
    pub thinking: Option<Thinking>,
    /// It takes turns of the role `system` within a conversation.
    pub takes_system_turns: Option<bool>,
    /// Where it is in its life.
    pub lifecycle: Option<Lifecycle>,
    /// US dollars per million tokens; replaces the whole price.
    pub price: Option<Rates>,
}

/// All known models.
#[derive(Clone, Debug)]
pub struct Catalog {
    models: Vec<ModelInfo>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self {
            models: known::models(),
        }
    }
}

impl Catalog {
    /// Tells whether a model takes turns of the role `system` within a conversation. One that nobody described does,
    /// as servers of chat completions do, unless its name says that it is behind the Messages API.
    pub fn takes_system_turns(&self, model: &str) -> bool {
        match self.find(model) {
            Some(known) => known.takes_system_turns,
            None => !normalise(model).starts_with("claude"),
        }
    }

    /// Returns the built-in models with an operator's additions, new ones last.
    pub fn with_overrides(overrides: &BTreeMap<String, ModelOverride>) -> Self {
        let mut catalog = Self::default();
        for (id, change) in overrides {
            let id = normalise(id);
            let model = match catalog.models.iter_mut().position(|model| model.id == id) {
                Some(index) => catalog.models.get_mut(index),
                None => {
                    catalog.models.push(ModelInfo::unknown(&id));
                    catalog.models.last_mut()
                }
            };
            if let Some(model) = model {
                apply(model, change);
            }
        }
        catalog
    }

    /// Returns all models, newest first, additions last.
    pub fn models(&self) -> &[ModelInfo] {
        &self.models
    }

    /// Finds a model by any spelling that [`normalise`] understands.
    pub fn find(&self, model: &str) -> Option<&ModelInfo> {
        let id = normalise(model);
        self.models.iter().find(|model| model.id == id)
    }

    /// Returns what a request cost at list price; `None` for a model without one. `speed` is the request's.
    pub fn price_cents(
        &self,
        model: &str,
        speed: Option<&str>,
        usage: &TokenUsage,
    ) -> Option<Cost> {
        let price = self.find(model)?.price?;
        Some(price.cost(usage, speed == Some("fast")))
    }
}

fn apply(model: &mut ModelInfo, change: &ModelOverride) {
    fn set<T: Clone>(slot: &mut T, value: &Option<T>) {
        if let Some(value) = value {
            slot.clone_from(value);
        }
    }
    set(&mut model.display_name, &change.display_name);
    set(&mut model.efforts, &change.efforts);
    set(&mut model.thinking, &change.thinking);
    set(&mut model.takes_system_turns, &change.takes_system_turns);
    set(&mut model.lifecycle, &change.lifecycle);
    model.efforts.sort_unstable();
    model.efforts.dedup();
    model.input_tokens_max = change.input_tokens_max.or(model.input_tokens_max);
    model.output_tokens_max = change.output_tokens_max.or(model.output_tokens_max);
    model.effort_default = change
        .effort_default
        .or(model.effort_default)
        .filter(|effort| model.efforts.contains(effort))
        .or(model.efforts.last().copied());
    model.price = change.price.map(Price::flat).or(model.price);
}

/// Returns the id that a spelling means: no spaces around it, no `anthropic/` before it, no `[1m]` after it,
/// and Claude versions with dashes. Other models' ids keep their case and dots.
pub fn normalise(model: &str) -> String {
    let model = model.trim();
    let bare = model.strip_prefix("anthropic/").unwrap_or(model);
    let bare = bare.strip_prefix("anthropic.").unwrap_or(bare);
    let lower = bare.to_ascii_lowercase();
    if !lower.starts_with("claude-") {
        return model.to_owned();
    }
    let lower = lower.strip_suffix("[1m]").unwrap_or(&lower);
    lower.replace('.', "-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_known_model_is_consistent() {
        let catalog = Catalog::default();
        assert_eq!(catalog.models().len(), 18);
        for model in catalog.models() {
            assert_eq!(normalise(&model.id), model.id);
            assert_eq!(
                model.efforts.is_empty(),
                model.effort_default.is_none(),
                "{}",
                model.id
            );
            assert!(
                model
                    .effort_default
                    .is_none_or(|e| model.efforts.contains(&e))
            );
            assert!(model.created_at > Timestamp::UNIX_EPOCH);
            let price = model.price.unwrap();
            assert!(
                price.standard.cache_read < price.standard.input,
                "{}",
                model.id
            );
            assert_eq!(model.has_fast, price.fast.is_some(), "{}", model.id);
            // An alias and its dated id are the same model.
            let dated = catalog.models().iter().find(|other| {
                other
                    .id
                    .strip_prefix(&model.id)
                    .is_some_and(|rest| rest.starts_with("-20"))
            });
            if let Some(dated) = dated {
                assert_eq!(
                    (dated.price, dated.created_at),
                    (model.price, model.created_at)
                );
            }
        }
    }

    #[test]
    fn spellings_mean_one_model() {
        for spelling in [
            "claude-opus-4-6",
            " claude-opus-4.6 ",
            "anthropic/claude-opus-4.6",
            "anthropic.claude-opus-4-6",
            "Claude-Opus-4-6[1m]",
        ] {
            assert_eq!(
                Catalog::default().find(spelling).unwrap().id,
                "claude-opus-4-6"
            );
        }
        assert_eq!(normalise("Qwen/Qwen3.5"), "Qwen/Qwen3.5");
        assert!(Catalog::default().find("claude-opus-4-60").is_none());
    }

    #[test]
    fn list_prices_in_cents() {
        let million = |kind: fn(&mut TokenUsage) -> &mut u64| {
            let mut usage = TokenUsage::default();
            *kind(&mut usage) = 1_000_000;
            usage
        };
        let input = million(|usage| &mut usage.input_tokens);
        let output = million(|usage| &mut usage.output_tokens);
        let read = million(|usage| &mut usage.cache_read_input_tokens);
        let write = million(|usage| &mut usage.cache_5m_input_tokens);
        let small = TokenUsage {
            input_tokens: 60_000,
            cache_read_input_tokens: 40_000,
            ..TokenUsage::default()
        };
        let larger = TokenUsage {
            input_tokens: 60_001,
            ..small
        };
        let cases = [
            ("claude-sonnet-4-6", None, input, "300"),
            ("claude-sonnet-4-6", None, output, "1500"),
            ("claude-sonnet-4-6", None, read, "30"),
            ("claude-sonnet-4-6", None, write, "375"),
            ("claude-opus-4-8", None, input, "500"),
            ("claude-opus-4-8", Some("fast"), input, "1000"),
            ("claude-sonnet-5", Some("fast"), input, "200"),
            ("claude-fable-5-1", None, read, "25"),
            // Up to 100 000 tokens of prompt, caches included, Haiku 5.5 costs a fifth.
            ("claude-haiku-5-5", None, small, "0.64"),
            ("claude-haiku-5-5", None, larger, "3.20005"),
        ];
        for (model, speed, usage, cents) in cases {
            let cost = Catalog::default()
                .price_cents(model, speed, &usage)
                .unwrap();
            assert_eq!(cost.to_string(), cents, "{model} {speed:?}");
        }
        assert_eq!(Catalog::default().price_cents("llama", None, &input), None);
    }

    #[test]
    fn operators_change_and_add_models() {
        let overrides = serde_json::from_str(
            r#"{"claude-haiku-4.5": {"price": {"input": 7, "output": 8}},
                "local": {"efforts": ["high", "low"], "input_tokens_max": 8192}}"#,
        );
        let catalog = Catalog::with_overrides(&overrides.unwrap());
        let haiku = catalog.find("claude-haiku-4-5").unwrap();
        assert_eq!(haiku.price.unwrap().standard.input, 700_000);
        assert_eq!(haiku.input_tokens_max, Some(200_000));
        let local = catalog.find("local").unwrap();
        assert_eq!(local.effort_default, Some(Effort::High));
        assert_eq!(local.effort_for(Effort::Max), Some(Effort::High));
        assert_eq!(local.effort_for(Effort::Medium), Some(Effort::Low));
        assert_eq!(local.price, None);
    }
}
