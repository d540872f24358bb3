//! The parts of the block `sinew` that supervise an agent: plan, questions, confidence, validation, preferences.

use serde_json::{Value, json};

use crate::api::body::{Fields, Invalid, Spot};
use crate::json::Fields as _;

/// Most questions that may be asked for.
const QUESTIONS_MAX: u64 = 20;
/// Most retries of a validation.
const RETRIES_MAX: u64 = 100;
/// Retries where none are given.
const RETRIES_DEFAULT: u64 = 3;
/// Longest command of a validation, in bytes.
const COMMAND_BYTES_MAX: usize = 4_000;
/// Most tools that may be used without a plan, and the longest name of one.
const FREE_TOOLS_MAX: usize = 100;
const NAME_CHARACTERS_MAX: usize = 256;

/// Takes the parts from the fields of a block, and puts them into what is stored.
pub(super) fn read(fields: &mut Fields, block: &mut Value) -> Result<(), Invalid> {
    type Reader = fn(Spot) -> Result<Value, Invalid>;
    let readers: [(&str, Reader); 5] = [
        ("plan", plan),
        ("questions", questions),
        ("confidence", confidence),
        ("validation", validation),
        ("preferences", preferences),
    ];
    for (name, reader) in readers {
        if let Some(spot) = fields.take(name).given() {
            block.set(name, reader(spot)?);
        }
    }
    Ok(())
}

/// Reads `"required"`, or `{type: required, approval: none | person, free_tools: [names]}`.
fn plan(spot: Spot) -> Result<Value, Invalid> {
    if spot.value.is_string() {
        spot.one_of(&["required"])?;
        return Ok(json!({"type": "required", "approval": "none", "free_tools": []}));
    }
    let (tag, mut fields) = spot.tagged()?;
    tag.one_of(&["required"])?;
    let approval = match fields.take("approval").given() {
        Some(spot) => spot.one_of(&["none", "person"])?,
        None => "none",
    };
    let free = match fields.take("free_tools").given() {
        Some(spot) => {
            let names = spot.array(FREE_TOOLS_MAX)?.into_iter();
            let names = names.map(|name| name.text(1, NAME_CHARACTERS_MAX));
            names.collect::<Result<Vec<String>, _>>()?
        }
        None => Vec::new(),
    };
    fields.finish()?;
    Ok(json!({"type": "required", "approval": approval, "free_tools": free}))
}

/// Reads a number, or `{min: number}`.
fn questions(spot: Spot) -> Result<Value, Invalid> {
    if spot.value.is_number() {
        return Ok(json!({"min": spot.integer(1, QUESTIONS_MAX)?}));
    }
    let mut fields = spot.object()?;
    let min = fields.required("min")?.integer(1, QUESTIONS_MAX)?;
    fields.finish()?;
    Ok(json!({"min": min}))
}

/// Reads `{threshold, below: person | {type: person} | {type: advisor, model}}`.
fn confidence(spot: Spot) -> Result<Value, Invalid> {
    let mut fields = spot.object()?;
    let threshold = fields.required("threshold")?;
    let score = threshold
        .value
        .as_f64()
        .filter(|score| (0.0..=1.0).contains(score));
    let Some(score) = score.filter(|score| *score > 0.0) else {
        return Err(threshold.refuse("expected a number above 0 and up to 1"));
    };
    let below = match fields.take("below").given() {
        None => json!({"type": "person"}),
        Some(spot) if spot.value.is_string() => {
            spot.one_of(&["person"])?;
            json!({"type": "person"})
        }
        Some(spot) => {
            let (tag, mut fields) = spot.tagged()?;
            let below = match tag.one_of(&["person", "advisor"])? {
                "advisor" => {
                    let model = fields.required("model")?.text(1, NAME_CHARACTERS_MAX)?;
                    json!({"type": "advisor", "model": model})
                }
                _ => json!({"type": "person"}),
            };
            fields.finish()?;
            below
        }
    };
    fields.finish()?;
    Ok(json!({"threshold": score, "below": below}))
}

/// Reads `{retries, command}`; without a command every step has one of its own.
fn validation(spot: Spot) -> Result<Value, Invalid> {
    let mut fields = spot.object()?;
    let retries = match fields.take("retries").given() {
        Some(spot) => spot.integer(0, RETRIES_MAX)?,
        None => RETRIES_DEFAULT,
    };
    let command = match fields.take("command").given() {
        Some(spot) => Some(spot.text(1, COMMAND_BYTES_MAX)?),
        None => None,
    };
    fields.finish()?;
    Ok(json!({"retries": retries, "command": command}))
}

/// Reads `{memory_store_id, from: users | users_and_reviewers}`.
fn preferences(spot: Spot) -> Result<Value, Invalid> {
    let mut fields = spot.object()?;
    let store = fields
        .required("memory_store_id")?
        .text(1, NAME_CHARACTERS_MAX)?;
    let from = match fields.take("from").given() {
        Some(spot) => spot.one_of(&["users", "users_and_reviewers"])?,
        None => "users_and_reviewers",
    };
    fields.finish()?;
    Ok(json!({"memory_store_id": store, "from": from}))
}
