//! The built-in models, newest first: list prices and limits as published in November 2026.

use super::{Effort, Lifecycle, ModelInfo, Thinking, midnight};
use crate::model::price::{Price, Rates};

const FIVE: &[Effort] = &Effort::ALL;
const NO_XHIGH: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High, Effort::Max];
const THREE: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High];
const NONE: &[Effort] = &[];

const MILLION: u64 = 1_000_000;
/// Models released from here on take turns of the role `system`: Claude Opus 4.8 was the first.
const SYSTEM_TURNS_SINCE: (i16, i8, i8) = (2026, 5, 28);

/// One line of the table.
struct Row {
    id: &'static str,
    name: &'static str,
    released: (i16, i8, i8),
    input_tokens_max: u64,
    output_tokens_max: u64,
    efforts: &'static [Effort],
    effort_default: Effort,
    thinking: Thinking,
    price: Price,
}

/// Input, output and cache-read prices in tenths of a US cent per million tokens.
const fn flat(input: u64, output: u64, cache_read: u64) -> Price {
    Price::flat(Rates::per_mtok(input, output, cache_read))
}

/// A price whose fast requests cost twice as much.
const fn with_fast(price: Price) -> Price {
    Price {
        fast: Some(price.standard.times(2)),
        ..price
    }
}

const HAIKU_5_5: Price = Price {
    long_prompt: Some((100_000, Rates::per_mtok(500, 2_500, 50))),
    ..flat(100, 500, 10)
};

#[rustfmt::skip]
const ROWS: [Row; 18] = [
    row("claude-fable-5-2", "Claude Fable 5.2", (2026, 11, 9), MILLION, 128_000, FIVE, Thinking::AdaptiveAlways, with_fast(flat(8_000, 40_000, 200))),
    Row { effort_default: Effort::Medium,
        ..row("claude-haiku-5-5", "Claude Haiku 5.5", (2026, 10, 7), MILLION, 128_000, FIVE, Thinking::AdaptiveByDefault, HAIKU_5_5) },
    row("claude-sonnet-5-5", "Claude Sonnet 5.5", (2026, 9, 28), MILLION, 128_000, FIVE, Thinking::AdaptiveOrBetweenTools, flat(2_000, 10_000, 100)),
    Row { effort_default: Effort::Medium,
        ..row("claude-opus-5-5", "Claude Opus 5.5", (2026, 9, 22), MILLION, 128_000, FIVE, Thinking::AdaptiveAlways, with_fast(flat(4_000, 20_000, 200))) },
    row("claude-fable-5-1", "Claude Fable 5.1", (2026, 9, 1), MILLION, 128_000, FIVE, Thinking::AdaptiveAlways, flat(10_000, 50_000, 250)),
    row("claude-opus-5", "Claude Opus 5", (2026, 7, 24), MILLION, 128_000, FIVE, Thinking::AdaptiveByDefault, with_fast(flat(5_000, 25_000, 500))),
    row("claude-sonnet-5", "Claude Sonnet 5", (2026, 6, 30), MILLION, 128_000, FIVE, Thinking::AdaptiveByDefault, flat(2_000, 10_000, 200)),
    row("claude-fable-5", "Claude Fable 5", (2026, 6, 9), MILLION, 128_000, FIVE, Thinking::AdaptiveAlways, flat(10_000, 50_000, 1_000)),
    row("claude-opus-4-8", "Claude Opus 4.8", (2026, 5, 28), MILLION, 128_000, FIVE, Thinking::Adaptive, with_fast(flat(5_000, 25_000, 500))),
    row("claude-opus-4-7", "Claude Opus 4.7", (2026, 4, 16), MILLION, 128_000, FIVE, Thinking::Adaptive, flat(5_000, 25_000, 500)),
    row("claude-sonnet-4-6", "Claude Sonnet 4.6", (2026, 2, 17), MILLION, 64_000, NO_XHIGH, Thinking::Adaptive, flat(3_000, 15_000, 300)),
    row("claude-opus-4-6", "Claude Opus 4.6", (2026, 2, 5), MILLION, 128_000, NO_XHIGH, Thinking::Adaptive, flat(5_000, 25_000, 500)),
    row("claude-opus-4-5", "Claude Opus 4.5", (2025, 11, 24), 200_000, 64_000, THREE, Thinking::Budget, flat(5_000, 25_000, 500)),
    row("claude-opus-4-5-20251101", "Claude Opus 4.5", (2025, 11, 24), 200_000, 64_000, THREE, Thinking::Budget, flat(5_000, 25_000, 500)),
    row("claude-haiku-4-5", "Claude Haiku 4.5", (2025, 10, 15), 200_000, 64_000, NONE, Thinking::Budget, flat(1_000, 5_000, 100)),
    row("claude-haiku-4-5-20251001", "Claude Haiku 4.5", (2025, 10, 15), 200_000, 64_000, NONE, Thinking::Budget, flat(1_000, 5_000, 100)),
    row("claude-sonnet-4-5", "Claude Sonnet 4.5", (2025, 9, 29), 200_000, 64_000, NONE, Thinking::Budget, flat(3_000, 15_000, 300)),
    row("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", (2025, 9, 29), 200_000, 64_000, NONE, Thinking::Budget, flat(3_000, 15_000, 300)),
];

#[expect(
    clippy::too_many_arguments,
    reason = "a table's line, in the order of its columns"
)]
const fn row(
    id: &'static str,
    name: &'static str,
    released: (i16, i8, i8),
    input_tokens_max: u64,
    output_tokens_max: u64,
    efforts: &'static [Effort],
    thinking: Thinking,
    price: Price,
) -> Row {
    Row {
        id,
        name,
        released,
        input_tokens_max,
        output_tokens_max,
        efforts,
        effort_default: Effort::High,
        thinking,
        price,
    }
}

pub(super) fn models() -> Vec<ModelInfo> {
    ROWS.iter().map(info).collect()
}

fn info(row: &Row) -> ModelInfo {
    let (year, month, day) = row.released;
    ModelInfo {
        id: row.id.to_owned(),
        display_name: row.name.to_owned(),
        line: row.id.split('-').nth(1).map(str::to_owned),
        created_at: midnight(year, month, day),
        lifecycle: Lifecycle::Active,
        input_tokens_max: Some(row.input_tokens_max),
        output_tokens_max: Some(row.output_tokens_max),
        efforts: row.efforts.to_vec(),
        effort_default: (!row.efforts.is_empty()).then_some(row.effort_default),
        thinking: row.thinking,
        has_fast: row.price.fast.is_some(),
        has_vision: true,
        takes_system_turns: row.released >= SYSTEM_TURNS_SINCE,
        price: Some(row.price),
    }
}
