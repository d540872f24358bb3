//! What the real APIs refuse: a harness that passes here would not fail there.
//!
//! Only rules that a harness can break by mistake: order of turns, calls without results, empty texts,
//! parameters that are gone, too many cache breakpoints.

use std::collections::HashSet;

use serde_json::Value;

/// Cache breakpoints that the Messages API allows.
const BREAKPOINTS_MAX: usize = 4;

/// Parameters that API version 2026-10-21 no longer knows.
const GONE: [&str; 3] = ["temperature", "top_p", "top_k"];

type Checked = Result<(), String>;

/// Checks a Messages API request; the error is the API's message.
pub(super) fn messages(body: &Value) -> Checked {
    require(
        body.get("model").is_some_and(Value::is_string),
        "model: Field required",
    )?;
    let max_tokens = body.get("max_tokens").and_then(Value::as_u64);
    require(
        max_tokens.is_some_and(|max| max > 0),
        "max_tokens: Field required",
    )?;
    for field in GONE {
        require(
            body.get(field).is_none(),
            &format!("{field}: Extra inputs are not permitted"),
        )?;
    }
    let budget = body
        .pointer("/thinking/budget_tokens")
        .and_then(Value::as_u64);
    require(
        budget.is_none_or(|budget| budget >= 1024 && Some(budget) < max_tokens),
        "thinking.budget_tokens: must be at least 1024 and below max_tokens",
    )?;
    require(
        count_breakpoints(body) <= BREAKPOINTS_MAX,
        "A maximum of 4 blocks with cache_control may be provided",
    )?;
    let turns = body.get("messages").and_then(Value::as_array);
    let turns = turns.map(Vec::as_slice).unwrap_or_default();
    require(
        !turns.is_empty(),
        "messages: at least one message is required",
    )?;
    require(
        role(turns.first()) == "user",
        "messages.0: the first message must use the user role",
    )?;
    require(
        matches!(role(turns.last()), "user" | "system"),
        "This model does not support assistant message prefill: the conversation must end with a user message",
    )?;
    for (i, turn) in turns.iter().enumerate() {
        content(i, turn)?;
        let open: HashSet<&str> = ids(turn, "tool_use", "id");
        let answered = turns
            .get(i + 1)
            .map(|next| ids(next, "tool_result", "tool_use_id"));
        let answered = answered.unwrap_or_default();
        if let Some(id) = open.difference(&answered).next() {
            return Err(format!(
                "messages.{i}: `tool_use` ids were found without `tool_result` blocks immediately after: {id}"
            ));
        }
        let before = i.checked_sub(1).and_then(|i| turns.get(i));
        let called = before
            .map(|turn| ids(turn, "tool_use", "id"))
            .unwrap_or_default();
        if let Some(id) = ids(turn, "tool_result", "tool_use_id")
            .difference(&called)
            .next()
        {
            return Err(format!(
                "messages.{i}: unexpected `tool_use_id` found in `tool_result` blocks: {id}"
            ));
        }
    }
    Ok(())
}

/// Checks a chat completions request.
pub(super) fn chat(body: &Value) -> Checked {
    require(
        body.get("model").is_some_and(Value::is_string),
        "you must provide a model parameter",
    )?;
    let messages = body.get("messages").and_then(Value::as_array);
    let messages = messages.map(Vec::as_slice).unwrap_or_default();
    require(
        !messages.is_empty(),
        "messages: at least one message is required",
    )?;
    let mut open: HashSet<&str> = HashSet::new();
    for message in messages {
        if role(Some(message)) == "tool" {
            let id = message
                .get("tool_call_id")
                .and_then(Value::as_str)
                .unwrap_or_default();
            require(
                open.remove(id),
                "messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
            )?;
            continue;
        }
        require(
            open.is_empty(),
            "an assistant message with 'tool_calls' must be followed by tool messages",
        )?;
        let calls = message.get("tool_calls").and_then(Value::as_array);
        let ids = calls
            .into_iter()
            .flatten()
            .filter_map(|call| call.get("id")?.as_str());
        open.extend(ids);
    }
    require(
        open.is_empty(),
        "an assistant message with 'tool_calls' must be followed by tool messages",
    )
}

fn content(i: usize, turn: &Value) -> Checked {
    let role = role(Some(turn));
    require(
        matches!(role, "user" | "assistant" | "system"),
        &format!("messages.{i}.role: unexpected role"),
    )?;
    let blocks = match turn.get("content") {
        Some(Value::String(text)) => return require(!text.is_empty(), &empty(i)),
        Some(Value::Array(blocks)) if !blocks.is_empty() => blocks,
        _ => return Err(format!("messages.{i}: content must not be empty")),
    };
    let mut had_other = false;
    for block in blocks {
        let text = |field: &str| block.get(field).and_then(Value::as_str);
        match text("type") {
            Some("text") => {
                let text = text("text").unwrap_or_default();
                require(!text.trim().is_empty(), &empty(i))?;
                had_other = true;
            }
            Some("thinking") => {
                require(
                    role == "assistant",
                    &format!("messages.{i}: thinking of a user"),
                )?;
                require(
                    text("signature").is_some_and(|signature| !signature.is_empty()),
                    &format!("messages.{i}: thinking blocks need their signature"),
                )?;
                let marked = block.get("cache_control").is_some();
                require(
                    !marked,
                    &format!("messages.{i}: cache_control on a thinking block"),
                )?;
            }
            Some("tool_use") => {
                require(
                    role == "assistant",
                    &format!("messages.{i}: tool_use of a user"),
                )?;
                let input = block.get("input").is_some_and(Value::is_object);
                require(
                    input,
                    &format!("messages.{i}: tool_use.input must be an object"),
                )?;
                let id = text("id").unwrap_or_default();
                let is_word = !id.is_empty()
                    && id
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
                require(
                    is_word,
                    &format!("messages.{i}: tool_use.id must match ^[a-zA-Z0-9_-]+$"),
                )?;
            }
            Some("tool_result") => {
                require(
                    role == "user",
                    &format!("messages.{i}: tool_result of an assistant"),
                )?;
                require(
                    !had_other,
                    &format!("messages.{i}: tool_result blocks must come first"),
                )?;
            }
            Some("document") if role == "assistant" => {
                return Err(format!(
                    "messages.{i}: document blocks are not permitted here"
                ));
            }
            Some(_) => had_other = true,
            None => return Err(format!("messages.{i}: a content block needs a type")),
        }
    }
    Ok(())
}

fn empty(i: usize) -> String {
    format!("messages.{i}: text content blocks must be non-empty")
}

fn role(turn: Option<&Value>) -> &str {
    let role = turn.and_then(|turn| turn.get("role"));
    role.and_then(Value::as_str).unwrap_or_default()
}

fn ids<'a>(turn: &'a Value, kind: &str, field: &str) -> HashSet<&'a str> {
    let blocks = turn
        .get("content")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    blocks
        .filter(|block| block.get("type").and_then(Value::as_str) == Some(kind))
        .filter_map(|block| block.get(field)?.as_str())
        .collect()
}

fn count_breakpoints(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count_breakpoints).sum(),
        Value::Object(fields) => {
            let own = usize::from(fields.get("cache_control").is_some_and(Value::is_object));
            // What a tool call says is not the request's own.
            let inner = fields.iter().filter(|(name, _)| *name != "input");
            own + inner
                .map(|(_, value)| count_breakpoints(value))
                .sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn require(holds: bool, message: &str) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(message.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn mistakes_of_a_harness_are_refused() {
        let user = json!({"role": "user", "content": "hi"});
        let call = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {}}]});
        let result = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]});
        let thought =
            json!({"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}]});
        let blank = json!({"role": "user", "content": [{"type": "text", "text": " "}]});
        let late = json!({"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "t"}]});
        let marked = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
        let cases = [
            (json!([user, call, result]), ""),
            (json!([]), "at least one"),
            (json!([call, result]), "first message"),
            (
                json!([user, {"role": "assistant", "content": "x"}]),
                "prefill",
            ),
            (json!([user, call, user]), "without `tool_result`"),
            (json!([user, result]), "unexpected `tool_use_id`"),
            (json!([user, thought, user]), "signature"),
            (json!([blank]), "non-empty"),
            (json!([user, call, late]), "come first"),
            (
                json!([{"role": "user", "content": [marked, marked, marked, marked, marked]}]),
                "cache_control",
            ),
        ];
        for (turns, expected) in cases {
            let checked = messages(&json!({"model": "m", "max_tokens": 1, "messages": turns}));
            let error = checked.err().unwrap_or_default();
            assert!(
                error.contains(expected) && error.is_empty() == expected.is_empty(),
                "{turns} {error}"
            );
        }
        let warm = json!({"model": "m", "max_tokens": 1, "messages": [user], "temperature": 1});
        assert!(messages(&warm).is_err());
    }
}
