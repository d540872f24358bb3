//! Tokens, cost and time of a session, summed from its log.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::json::Fields as _;
use crate::model::TokenUsage;

/// Nano-cents in a cent: costs are summed exactly and rounded only when shown.
pub(super) const NANOCENTS_PER_CENT: u128 = 1_000_000_000;
/// Runtime is priced at 8 cents an hour.
const RUNTIME_NANOCENTS_PER_SECOND: u128 = 8 * NANOCENTS_PER_CENT / 3_600;

/// Cumulative usage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub struct Usage {
    /// Tokens of all model requests.
    pub tokens: TokenUsage,
    /// List price of those tokens in nano-cents; requests of unpriced models add nothing.
    pub cost_nanocents: u128,
    /// Finished running time in microseconds.
    pub active_micros: u64,
    /// Searches of the web that gave a result.
    pub web_searches: u64,
}

impl From<Usage> for Value {
    fn from(usage: Usage) -> Self {
        usage.to_json()
    }
}

impl TryFrom<Value> for Usage {
    type Error = &'static str;

    fn try_from(kept: Value) -> Result<Self, Self::Error> {
        Self::from_json(&kept).ok_or("it is no usage")
    }
}

impl Usage {
    /// Returns it as rows and events keep it.
    pub fn to_json(&self) -> Value {
        json!({
            "tokens": self.tokens,
            "cost_nanocents": self.cost_nanocents.to_string(),
            "active_micros": self.active_micros,
            "web_searches": self.web_searches,
        })
    }

    /// Reads what [`Usage::to_json`] made; none where there is nothing of it.
    pub fn from_json(kept: &Value) -> Option<Self> {
        Some(Self {
            tokens: serde_json::from_value(kept.at("tokens").clone()).ok()?,
            cost_nanocents: kept.at("cost_nanocents").as_str()?.parse().ok()?,
            active_micros: kept.at("active_micros").as_u64()?,
            web_searches: kept.at("web_searches").as_u64().unwrap_or(0),
        })
    }

    /// Adds one model request.
    pub fn add(&mut self, tokens: &TokenUsage, cost_nanocents: u128) {
        let sum = &mut self.tokens;
        sum.input_tokens = sum.input_tokens.saturating_add(tokens.input_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(tokens.output_tokens);
        sum.cache_read_input_tokens = sum
            .cache_read_input_tokens
            .saturating_add(tokens.cache_read_input_tokens);
        sum.cache_5m_input_tokens = sum
            .cache_5m_input_tokens
            .saturating_add(tokens.cache_5m_input_tokens);
        sum.cache_1h_input_tokens = sum
            .cache_1h_input_tokens
            .saturating_add(tokens.cache_1h_input_tokens);
        self.cost_nanocents = self.cost_nanocents.saturating_add(cost_nanocents);
    }

    /// Returns the total list cost in nano-cents, runtime included.
    pub fn total_nanocents(&self) -> u128 {
        self.cost_nanocents.saturating_add(
            u128::from(self.active_micros) * RUNTIME_NANOCENTS_PER_SECOND / 1_000_000,
        )
    }

    /// Returns the wire object (the same shape for sessions, threads and `session.usage` events), with
    /// `extra_micros` of running time that has not ended yet.
    pub fn wire(&self, extra_micros: u64) -> Value {
        let mut with_extra = *self;
        with_extra.active_micros = with_extra.active_micros.saturating_add(extra_micros);
        let nanocents = with_extra.total_nanocents();
        let cents = (nanocents + NANOCENTS_PER_CENT / 2) / NANOCENTS_PER_CENT;
        let tokens = &self.tokens;
        json!({
            "active_seconds": seconds(with_extra.active_micros),
            "cache_creation": {
                "ephemeral_1h_input_tokens": tokens.cache_1h_input_tokens,
                "ephemeral_5m_input_tokens": tokens.cache_5m_input_tokens,
            },
            "cache_read_input_tokens": tokens.cache_read_input_tokens,
            "input_tokens": tokens.input_tokens,
            "list_cost": {"amount": cents.to_string(), "currency": "USD"},
            "output_tokens": tokens.output_tokens,
            "server_tool_use": {"web_fetch_requests": 0, "web_search_requests": self.web_searches},
        })
    }
}

/// Returns the nano-cents that a session's budget (the wire's object) allows, `None` without a budget.
pub fn budget_nanocents(budget: &Value) -> Option<u128> {
    let cents: u128 = budget
        .at("max_list_cost")
        .at("amount")
        .as_str()?
        .parse()
        .ok()?;
    Some(cents.saturating_mul(NANOCENTS_PER_CENT))
}

/// Returns the microseconds from one instant to a later one, 0 if it is not later.
pub(super) fn micros(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_microsecond() - from.as_microsecond()).unwrap_or(0)
}

/// Returns microseconds as seconds with millisecond precision.
pub(super) fn seconds(micros: u64) -> Value {
    json!((micros / 1_000) as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_exact_until_it_is_shown() {
        let mut usage = Usage::default();
        for _ in 0..3 {
            usage.add(&TokenUsage::default(), 400_000_000);
        }
        assert_eq!(usage.wire(0)["list_cost"]["amount"], "1");
        usage.active_micros = 3_600_000_000;
        assert_eq!(usage.wire(0)["list_cost"]["amount"], "9");
        assert_eq!(usage.wire(500_000)["active_seconds"], 3600.5);
    }
}
