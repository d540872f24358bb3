//! The block `sinew`: what an agent or a session may say that the official wire does not know.

use globset::Glob;
use serde_json::{Value, json};

use super::{bindings, components, delegation, supervision};
use crate::api::body::{Field, Invalid, Spot};
use crate::json::Fields as _;
use crate::rules::{self, CONDITION_BYTES_MAX, On, REASON_CHARACTERS_MAX, RULES_MAX};

/// Most path patterns of a review.
const PATTERNS_MAX: usize = 100;
/// Largest bound against circles.
const LOOPS_MAX: u64 = 1_000_000;
/// Longest pattern in characters.
const PATTERN_CHARACTERS_MAX: usize = 1_000;

/// Reads the block; null and absent are none. What is read is stored and shown in full form.
pub fn read(field: Field) -> Result<Option<Value>, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(None);
    };
    let mut fields = spot.object()?;
    let mut block = json!({});
    if let Some(spot) = fields.take("review").given() {
        block.set("review", review(spot)?);
    }
    if let Some(spot) = fields.take("policy").given() {
        let rules = spot.array(RULES_MAX)?.into_iter().map(rule);
        block.set("policy", json!(rules.collect::<Result<Vec<Value>, _>>()?));
    }
    if let Some(spot) = fields.take("loops").given() {
        block.set("loops", loops(spot)?);
    }
    supervision::read(&mut fields, &mut block)?;
    if let Some(spot) = fields.take("delegation").given() {
        block.set("delegation", delegation::read(spot)?);
    }
    if let Some(spot) = fields.take("tools").given() {
        block.set("tools", components::read(spot)?);
    }
    if let Some(spot) = fields.take("bindings").given() {
        block.set("bindings", bindings::read(spot)?);
    }
    if let Some(spot) = fields.take("deterministic").given() {
        block.set("deterministic", json!(spot.boolean()?));
    }
    fields.finish()?;
    let is_empty = block.as_object().is_none_or(|block| block.is_empty());
    Ok((!is_empty).then_some(block))
}

/// As [`read`], of a session, which has no tools of its own.
pub fn read_of_session(field: Field) -> Result<Option<Value>, Invalid> {
    let path = match &field {
        Field::Given(spot) => spot.path.clone(),
        Field::Absent | Field::Null => String::new(),
    };
    let block = read(field)?;
    for part in ["tools", "bindings"] {
        if block
            .as_ref()
            .is_some_and(|block| block.at(part).is_array())
        {
            let message = "tools are an agent's: give them in the agent's block sinew";
            return Err(Invalid::at(format!("{path}.{part}"), message));
        }
    }
    Ok(block)
}

/// Reads `{on, when, then, reason}` of [`rules`]; `on` is `call` and `reason` empty where they are left out.
fn rule(spot: Spot) -> Result<Value, Invalid> {
    let mut fields = spot.object()?;
    let on = match fields.take("on").given() {
        Some(spot) => spot.one_of(&["call", "request"])?,
        None => "call",
    };
    let on = match on {
        "request" => On::Request,
        _ => On::Call,
    };
    let when = fields.required("when")?;
    let path = when.path.clone();
    let when = when.text(1, CONDITION_BYTES_MAX)?;
    rules::check(&when, on).map_err(|error| Invalid::at(path, error.to_string()))?;
    let then = fields.required("then")?;
    let path = then.path.clone();
    let then = then.one_of(&["allow", "ask", "deny"])?;
    if on == On::Request && then == "ask" {
        let message = "nobody can be asked while a call runs: a rule on requests allows or denies";
        return Err(Invalid::at(path, message));
    }
    let reason = match fields.take("reason").given() {
        Some(spot) => spot.text(0, REASON_CHARACTERS_MAX)?,
        None => String::new(),
    };
    fields.finish()?;
    Ok(json!({"on": on.as_str(), "when": when, "then": then, "reason": reason}))
}

/// Reads `{same_call, messages}`: bounds against agents that go round in circles.
fn loops(spot: Spot) -> Result<Value, Invalid> {
    let path = spot.path.clone();
    let mut fields = spot.object()?;
    let mut loops = json!({});
    for name in ["same_call", "messages"] {
        if let Some(spot) = fields.take(name).given() {
            loops.set(name, json!(spot.integer(1, LOOPS_MAX)?));
        }
    }
    fields.finish()?;
    match loops.as_object().is_some_and(|loops| loops.is_empty()) {
        true => Err(Invalid::at(path, "give same_call, messages or both")),
        false => Ok(loops),
    }
}

/// Reads `"none"`, `"writes"`, or `{type: writes, paths: [...]}`.
fn review(spot: Spot) -> Result<Value, Invalid> {
    if spot.value.is_string() {
        let kind = spot.one_of(&["none", "writes"])?;
        return Ok(match kind {
            "writes" => json!({"type": "writes", "paths": null}),
            _ => json!({"type": "none"}),
        });
    }
    let (tag, mut fields) = spot.tagged()?;
    let kind = tag.one_of(&["none", "writes"])?;
    let paths = match fields.take("paths").given() {
        Some(spot) if kind == "none" => return Err(spot.refuse("paths go with type \"writes\"")),
        Some(spot) => json!(
            spot.array(PATTERNS_MAX)?
                .into_iter()
                .map(pattern)
                .collect::<Result<Vec<String>, _>>()?
        ),
        None => Value::Null,
    };
    fields.finish()?;
    Ok(match kind {
        "writes" => json!({"type": "writes", "paths": paths}),
        _ => json!({"type": "none"}),
    })
}

fn pattern(spot: Spot) -> Result<String, Invalid> {
    let path = spot.path.clone();
    let pattern = spot.text(1, PATTERN_CHARACTERS_MAX)?;
    if !pattern.starts_with('/') {
        let message = "expected a pattern of whole paths, e.g. \"/workspace/src/**\"";
        return Err(Invalid::at(path, message));
    }
    match Glob::new(&pattern) {
        Ok(_) => Ok(pattern),
        Err(error) => Err(Invalid::at(path, error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_block(value: Value) -> Result<Option<Value>, String> {
        let spot = Spot {
            path: "sinew".to_owned(),
            value,
        };
        read(Field::Given(spot)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_review_is_stored_in_full() {
        for (given, stored) in [
            (json!({}), None),
            (
                json!({"review": "writes"}),
                Some(json!({"review": {"type": "writes", "paths": null}})),
            ),
            (
                json!({"review": {"type": "writes", "paths": ["/workspace/**/*.rs"]}}),
                Some(json!({"review": {"type": "writes", "paths": ["/workspace/**/*.rs"]}})),
            ),
            (
                json!({"deterministic": true, "review": null}),
                Some(json!({"deterministic": true})),
            ),
            (
                json!({"review": "none"}),
                Some(json!({"review": {"type": "none"}})),
            ),
            (
                json!({"loops": {"same_call": 3}}),
                Some(json!({"loops": {"same_call": 3}})),
            ),
            (
                json!({"plan": "required", "questions": 2, "validation": {}, "confidence": {"threshold": 0.5}}),
                Some(json!({
                    "plan": {"type": "required", "approval": "none", "free_tools": []},
                    "questions": {"min": 2},
                    "validation": {"retries": 3, "command": null},
                    "confidence": {"threshold": 0.5, "below": {"type": "person"}},
                })),
            ),
            (
                json!({
                    "plan": {"type": "required", "approval": "person", "free_tools": ["bash"]},
                    "confidence": {"threshold": 1, "below": {"type": "advisor", "model": "m"}},
                    "preferences": {"memory_store_id": "memstore_1"},
                }),
                Some(json!({
                    "plan": {"type": "required", "approval": "person", "free_tools": ["bash"]},
                    "confidence": {"threshold": 1.0, "below": {"type": "advisor", "model": "m"}},
                    "preferences": {"memory_store_id": "memstore_1", "from": "users_and_reviewers"},
                })),
            ),
            (
                json!({"policy": [
                    {"when": "tool == 'bash'", "then": "ask"},
                    {"on": "request", "when": "method != 'GET'", "then": "deny", "reason": "Only reading."},
                ]}),
                Some(json!({"policy": [
                    {"on": "call", "when": "tool == 'bash'", "then": "ask", "reason": ""},
                    {"on": "request", "when": "method != 'GET'", "then": "deny", "reason": "Only reading."},
                ]})),
            ),
        ] {
            assert_eq!(read_block(given.clone()), Ok(stored.clone()), "{given}");
            if let Some(stored) = stored {
                assert_eq!(read_block(stored.clone()), Ok(Some(stored)), "{given}");
            }
        }
    }

    #[test]
    fn a_wrong_block_is_refused_with_its_place() {
        for (given, fragment) in [
            (json!("writes"), "sinew"),
            (json!({"reviews": "writes"}), "reviews"),
            (json!({"review": "all"}), "sinew.review"),
            (json!({"review": 7}), "sinew.review"),
            (json!({"deterministic": "yes"}), "sinew.deterministic"),
            (json!({"plan": "optional"}), "sinew.plan"),
            (
                json!({"plan": {"type": "required", "approval": "dog"}}),
                "sinew.plan.approval",
            ),
            (json!({"questions": 0}), "sinew.questions"),
            (
                json!({"delegation": {"depth": 6}}),
                "sinew.delegation.depth",
            ),
            (
                json!({"delegation": {"spend": {"amount": "1.5", "currency": "USD"}}}),
                "sinew.delegation.spend.amount",
            ),
            (json!({"delegation": {"width": 6}}), "width"),
            (
                json!({"confidence": {"threshold": 7}}),
                "sinew.confidence.threshold",
            ),
            (
                json!({"confidence": {"threshold": 0.5, "below": {"type": "advisor"}}}),
                "sinew.confidence.below.model",
            ),
            (
                json!({"validation": {"retries": 1000}}),
                "sinew.validation.retries",
            ),
            (
                json!({"preferences": {}}),
                "sinew.preferences.memory_store_id",
            ),
            (json!({"loops": {}}), "sinew.loops"),
            (json!({"loops": {"same_call": 0}}), "sinew.loops.same_call"),
            (json!({"loops": {"calls": 3}}), "calls"),
            (json!({"policy": {}}), "sinew.policy"),
            (json!({"policy": [{"then": "deny"}]}), "when"),
            (json!({"policy": [{"when": "true"}]}), "then"),
            (
                json!({"policy": [{"when": "true", "then": "deny"}, {"when": "tol == 1", "then": "deny"}]}),
                "sinew.policy.1.when",
            ),
            (
                json!({"policy": [{"when": "true", "then": "maybe"}]}),
                "sinew.policy.0.then",
            ),
            (
                json!({"policy": [{"on": "request", "when": "true", "then": "ask"}]}),
                "sinew.policy.0.then",
            ),
            (
                json!({"policy": vec![json!({"when": "true", "then": "deny"}); 51]}),
                "50",
            ),
            (json!({"review": {"type": "none", "paths": []}}), "paths"),
            (
                json!({"review": {"type": "writes", "paths": ["src/**"]}}),
                "sinew.review.paths.0",
            ),
            (
                json!({"review": {"type": "writes", "paths": ["/a/[x"]}}),
                "sinew.review.paths.0",
            ),
            (
                json!({"review": {"type": "writes", "paths": vec!["/a"; 101]}}),
                "100",
            ),
        ] {
            let error = read_block(given.clone()).unwrap_err();
            assert!(error.contains(fragment), "{given}: {error}");
        }
    }
}
