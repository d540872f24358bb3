//! What tokens cost, exactly: integers all the way, one rounding where a person reads the sum.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::TokenUsage;

/// A billionth of a cent, per token: one US dollar per million tokens is 100 000 of them.
pub type NanoCents = u64;

/// Nano-cents per token that make one US dollar per million tokens.
const PER_USD_PER_MTOK: u64 = 100_000;

/// Nano-cents in a cent.
const PER_CENT: u128 = 1_000_000_000;

/// An amount of money, exact to a billionth of a cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u128);

impl Cost {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Returns a cost of so many billionths of a cent.
    pub const fn from_nano_cents(nano_cents: u128) -> Self {
        Self(nano_cents)
    }

    /// Returns a cost of so many cents.
    pub const fn from_cents(cents: u64) -> Self {
        Self(cents as u128 * PER_CENT)
    }

    /// Returns the cost in billionths of a cent.
    pub const fn nano_cents(self) -> u128 {
        self.0
    }

    /// Returns the nearest whole number of cents, half a cent upwards, as the wire shows costs.
    pub const fn rounded_cents(self) -> u128 {
        self.0.saturating_add(PER_CENT / 2) / PER_CENT
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, Add::add)
    }
}

/// Writes cents as a decimal without needless zeros, e.g. `12.345`.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / PER_CENT, self.0 % PER_CENT);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let part = format!("{part:09}");
        write!(f, "{whole}.{}", part.trim_end_matches('0'))
    }
}

/// Prices of the kinds of tokens.
///
/// Read from configuration as US dollars per million tokens, e.g. `{input: 3, output: 15}`; what is left out
/// follows from `input` (cache writes 1.25 and 2 times, cache reads a tenth).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Uncached input.
    pub input: NanoCents,
    /// Generated tokens.
    pub output: NanoCents,
    /// Written to the 5-minute cache.
    pub cache_write_5m: NanoCents,
    /// Written to the 1-hour cache.
    pub cache_write_1h: NanoCents,
    /// Read from the cache.
    pub cache_read: NanoCents,
}

impl Rates {
    /// Returns rates given in tenths of a US cent per million tokens (so `$0.125` is 125), with the usual
    /// surcharges for writing to the cache.
    pub(super) const fn per_mtok(input: u64, output: u64, cache_read: u64) -> Self {
        const UNIT: u64 = PER_USD_PER_MTOK / 1000;
        Self {
            input: input * UNIT,
            output: output * UNIT,
            cache_write_5m: input * UNIT * 5 / 4,
            cache_write_1h: input * UNIT * 2,
            cache_read: cache_read * UNIT,
        }
    }

    /// Returns every rate `factor` times.
    pub(super) const fn times(self, factor: u64) -> Self {
        Self {
            input: self.input * factor,
            output: self.output * factor,
            cache_write_5m: self.cache_write_5m * factor,
            cache_write_1h: self.cache_write_1h * factor,
            cache_read: self.cache_read * factor,
        }
    }

    fn cost(&self, usage: &TokenUsage) -> Cost {
        [
            (usage.input_tokens, self.input),
            (usage.output_tokens, self.output),
            (usage.cache_5m_input_tokens, self.cache_write_5m),
            (usage.cache_1h_input_tokens, self.cache_write_1h),
            (usage.cache_read_input_tokens, self.cache_read),
        ]
        .into_iter()
        // A product of two u64 fits u128.
        .map(|(tokens, rate)| Cost(u128::from(tokens) * u128::from(rate)))
        .sum()
    }
}

/// The list price of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// What applies where nothing below does.
    pub standard: Rates,
    /// From how long a prompt on (exclusive, in tokens, caches included) which rates apply to all tokens of
    /// the request.
    pub long_prompt: Option<(u64, Rates)>,
    /// What fast requests cost.
    pub fast: Option<Rates>,
}

impl Price {
    /// Returns a price without exceptions.
    pub const fn flat(standard: Rates) -> Self {
        Self {
            standard,
            long_prompt: None,
            fast: None,
        }
    }

    /// Returns what one request cost.
    pub fn cost(&self, usage: &TokenUsage, is_fast: bool) -> Cost {
        let prompt = [
            usage.cache_read_input_tokens,
            usage.cache_5m_input_tokens,
            usage.cache_1h_input_tokens,
        ]
        .into_iter()
        .fold(usage.input_tokens, u64::saturating_add);
        let rates = match (self.fast, self.long_prompt) {
            (Some(fast), _) if is_fast => fast,
            (_, Some((from, rates))) if prompt > from => rates,
            _ => self.standard,
        };
        rates.cost(usage)
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Wire {
            input: Usd,
            output: Usd,
            cache_write_5m: Option<Usd>,
            cache_write_1h: Option<Usd>,
            cache_read: Option<Usd>,
        }
        let wire = Wire::deserialize(deserializer)?;
        let input = wire.input.0;
        let or = |given: Option<Usd>, default: u64| given.map_or(default, |usd| usd.0);
        Ok(Self {
            input,
            output: wire.output.0,
            cache_write_5m: or(wire.cache_write_5m, input * 5 / 4),
            cache_write_1h: or(wire.cache_write_1h, input * 2),
            cache_read: or(wire.cache_read, input / 10),
        })
    }
}

/// Writes what is read: decimal texts, every field.
impl Serialize for Rates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = [
            ("input", self.input),
            ("output", self.output),
            ("cache_write_5m", self.cache_write_5m),
            ("cache_write_1h", self.cache_write_1h),
            ("cache_read", self.cache_read),
        ];
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for (name, rate) in fields {
            let (whole, part) = (rate / PER_USD_PER_MTOK, rate % PER_USD_PER_MTOK);
            map.serialize_entry(name, &format!("{whole}.{part:05}"))?;
        }
        map.end()
    }
}

/// Nano-cents per token, written as US dollars per million tokens: a number or a decimal text.
struct Usd(NanoCents);

/// Largest price that is believed, in US dollars per million tokens; keeps the arithmetic far from overflow.
const USD_PER_MTOK_MAX: u64 = 1_000_000;

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Whole(u64),
            // Its shortest decimal form is what the file says.
            Float(f64),
            Text(String),
        }
        let text = match Wire::deserialize(deserializer)? {
            Wire::Whole(whole) => whole.to_string(),
            Wire::Float(float) => float.to_string(),
            Wire::Text(text) => text,
        };
        parse_usd(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(
                "a price is a decimal number of US dollars per million tokens with at most 5 decimals",
            )
        })
    }
}

fn parse_usd(text: &str) -> Option<NanoCents> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(part) || part.len() > 5 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = format!("{part:0<5}").parse().ok()?;
    (whole <= USD_PER_MTOK_MAX).then_some(whole * PER_USD_PER_MTOK + part)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn costs_are_exact() {
        let rates = Rates::per_mtok(3_000, 15_000, 300);
        let usage = TokenUsage {
            input_tokens: 1,
            output_tokens: 1,
            cache_read_input_tokens: 1,
            cache_5m_input_tokens: 1,
            cache_1h_input_tokens: 1,
        };
        // 0.0003 + 0.0015 + 0.00003 + 0.000375 + 0.0006 cents.
        let cost = Price::flat(rates).cost(&usage, false);
        assert_eq!(cost.to_string(), "0.002805");
        let many: Cost = std::iter::repeat_n(cost, 1_000_000).sum();
        assert_eq!(many.to_string(), "2805");
        let huge = TokenUsage {
            input_tokens: u64::MAX,
            output_tokens: u64::MAX,
            ..TokenUsage::default()
        };
        assert!(Price::flat(rates).cost(&huge, false) > many);
    }

    #[test]
    fn cents_round_half_up() {
        for (nano, cents) in [
            (0, 0),
            (499_999_999, 0),
            (500_000_000, 1),
            (1_500_000_000, 2),
        ] {
            assert_eq!(Cost::from_nano_cents(nano).rounded_cents(), cents, "{nano}");
        }
        assert_eq!(
            Cost::from_nano_cents(u128::MAX) + Cost::from_cents(1),
            Cost(u128::MAX)
        );
    }

    #[test]
    fn prices_are_read_as_decimals() {
        let rates: Rates =
            serde_json::from_str(r#"{"input": 0.1, "output": "0.50", "cache_read": 0.005}"#)
                .unwrap();
        assert_eq!(rates.input, 10_000);
        assert_eq!(rates.output, 50_000);
        assert_eq!(rates.cache_write_5m, 12_500);
        assert_eq!(rates.cache_write_1h, 20_000);
        assert_eq!(rates.cache_read, 500);
        let written = serde_json::to_string(&rates).unwrap();
        assert_eq!(
            serde_json::from_str::<Rates>(&written).unwrap(),
            rates,
            "{written}"
        );
        for bad in [
            "-1", "\"1e3\"", "1e300", "\"\"", "\".5\"", "0.000001", "1000001", "\"x\"",
        ] {
            let text = format!(r#"{{"input": {bad}, "output": 1}}"#);
            assert!(serde_json::from_str::<Rates>(&text).is_err(), "{bad}");
        }
    }
}
