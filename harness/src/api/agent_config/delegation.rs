//! The part of the block `sinew` that lets an agent's agents start others, and limits them.

use serde_json::{Value, json};

use crate::api::body::{Invalid, Spot};
use crate::json::Fields as _;
use crate::session::{DEPTH_MAX, LIVE_MAX};

/// Longest time that may be given, in seconds: 30 days.
const SECONDS_MAX: u64 = 30 * 24 * 3_600;
/// Most names of tools, and the longest one.
const TOOLS_MAX: usize = 200;
const NAME_CHARACTERS_MAX: usize = 256;
/// Digits of an amount of cents.
const AMOUNT_DIGITS_MAX: usize = 9;

/// Reads `{depth, breadth, agents, spend: {amount, currency}, seconds, tools}`; without a depth it is 1.
pub(super) fn read(spot: Spot) -> Result<Value, Invalid> {
    let mut fields = spot.object()?;
    let mut block = json!({"depth": 1});
    let counts = [
        ("depth", u64::from(DEPTH_MAX)),
        ("breadth", u64::from(LIVE_MAX)),
        ("agents", u64::from(LIVE_MAX)),
        ("seconds", SECONDS_MAX),
    ];
    for (name, most) in counts {
        if let Some(spot) = fields.take(name).given() {
            block.set(name, json!(spot.integer(1, most)?));
        }
    }
    if let Some(spot) = fields.take("spend").given() {
        block.set("spend", spend(spot)?);
    }
    if let Some(spot) = fields.take("tools").given() {
        let names = spot.array(TOOLS_MAX)?.into_iter();
        let names = names.map(|name| name.text(1, NAME_CHARACTERS_MAX));
        block.set("tools", json!(names.collect::<Result<Vec<String>, _>>()?));
    }
    fields.finish()?;
    Ok(block)
}

/// Reads `{amount, currency}`: whole cents as a string, as budgets have them.
fn spend(spot: Spot) -> Result<Value, Invalid> {
    let mut fields = spot.object()?;
    let amount = fields.required("amount")?;
    let path = amount.path.clone();
    let amount = amount.text(1, AMOUNT_DIGITS_MAX)?;
    if !amount.bytes().all(|b| b.is_ascii_digit()) || amount.starts_with('0') {
        let message = "expected a positive whole number of cents as a string without leading zeros";
        return Err(Invalid::at(path, message));
    }
    let currency = fields.required("currency")?.one_of(&["USD"])?;
    fields.finish()?;
    Ok(json!({"amount": amount, "currency": currency}))
}
