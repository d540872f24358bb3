//! A request as a script sees it, whichever wire format it came in, and the choice of the step that answers.
//!
//! Apart from conditions on `request`, the choice is a function of the request alone: who asks again after a
//! crash gets the same answer.

use serde_json::{Map, Value};

use super::script::{Condition, Script, Step};

/// Longest text that one `${...}` inserts, in bytes.
const INSERTED_BYTES_MAX: usize = 64 * 1024;

/// A tool's result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolResult {
    /// Its text.
    pub text: String,
    /// The tool failed.
    pub is_error: bool,
}

/// One request.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// The server's nth request, from 1.
    pub number: u64,
    /// Assistant turns so far.
    pub turn: u64,
    /// The model's id.
    pub model: String,
    /// The system prompt.
    pub system: String,
    /// The user's first text.
    pub first_user_text: String,
    /// The user's latest text.
    pub last_user_text: String,
    /// The tool results since the last assistant turn.
    pub tool_results: Vec<ToolResult>,
    /// The tool results of the whole conversation that are JSON objects.
    pub objects: Vec<Map<String, Value>>,
    /// Names of the tools on offer.
    pub tools: Vec<String>,
    /// The key.
    pub api_key: String,
    /// A stream is wanted.
    pub is_streamed: bool,
    /// The stream of chat completions ends with usage.
    pub includes_usage: bool,
    /// Size of the prompt in bytes of JSON.
    pub prompt_bytes: u64,
    /// Identifies the prompt: equal requests have equal digests.
    pub digest: String,
}

impl Ask {
    /// Reads a Messages API request.
    pub fn from_messages(body: &Value) -> Self {
        let mut ask = Self::common(body);
        ask.system = text_of(body.get("system"));
        let tools = list(body, "tools");
        ask.tools = tools.filter_map(|tool| word(tool, "name")).collect();
        for message in list(body, "messages") {
            let content = message.get("content");
            match message.get("role").and_then(Value::as_str) {
                Some("assistant") => ask.assistant_turn(),
                Some("user") => {
                    ask.user_text(&text_of(content));
                    let blocks = content.and_then(Value::as_array).into_iter().flatten();
                    for block in blocks {
                        if word(block, "type").as_deref() == Some("tool_result") {
                            ask.tool_result(
                                text_of(block.get("content")),
                                block.get("is_error") == Some(&Value::Bool(true)),
                            );
                        }
                    }
                }
                _ => {}
            }
        }
        ask
    }

    /// Reads a chat completions request.
    pub fn from_chat(body: &Value) -> Self {
        let mut ask = Self::common(body);
        let usage = body.pointer("/stream_options/include_usage");
        ask.includes_usage = usage == Some(&Value::Bool(true));
        let tools = list(body, "tools");
        ask.tools = tools
            .filter_map(|tool| word(tool.get("function")?, "name"))
            .collect();
        for message in list(body, "messages") {
            let text = text_of(message.get("content"));
            match message.get("role").and_then(Value::as_str) {
                Some("system" | "developer") => ask.system.push_str(&text),
                Some("assistant") => ask.assistant_turn(),
                Some("tool") => {
                    let is_error = text.starts_with("Error: ");
                    ask.tool_result(text, is_error);
                }
                Some("user") => ask.user_text(&text),
                _ => {}
            }
        }
        ask
    }

    fn tool_result(&mut self, text: String, is_error: bool) {
        if let Ok(Value::Object(object)) = serde_json::from_str(&text) {
            self.objects.push(object);
        }
        self.tool_results.push(ToolResult { text, is_error });
    }

    fn common(body: &Value) -> Self {
        let prompt = ["model", "system", "tools", "messages"]
            .into_iter()
            .filter_map(|field| Some((field.to_owned(), body.get(field)?.clone())))
            .collect::<Map<_, _>>();
        let prompt = Value::Object(prompt).to_string();
        let digest = blake3::hash(prompt.as_bytes()).to_hex();
        Self {
            model: word(body, "model").unwrap_or_default(),
            is_streamed: body.get("stream") == Some(&Value::Bool(true)),
            prompt_bytes: prompt.len() as u64,
            digest: digest.chars().take(20).collect(),
            ..Self::default()
        }
    }

    fn assistant_turn(&mut self) {
        self.turn += 1;
        self.tool_results.clear();
    }

    fn user_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.first_user_text.is_empty() {
            self.first_user_text = text.to_owned();
        }
        self.last_user_text = text.to_owned();
    }

    /// Finds the step that answers this request.
    pub fn step<'a>(&self, script: &'a Script) -> Option<&'a Step> {
        let applies = |step: &&Step| step.when.as_ref().is_none_or(|when| self.meets(when));
        if let Some(rule) = script.rules.iter().find(applies) {
            return Some(rule);
        }
        let conversation = script.conversations.iter().find(|c| self.meets(&c.when));
        let turns = conversation.map_or(&script.turns, |conversation| &conversation.turns);
        let turn = usize::try_from(self.turn)
            .ok()
            .and_then(|turn| turns.get(turn));
        let step = match turn {
            Some(turn) if turn.branches.is_empty() => Some(turn),
            Some(turn) => turn.branches.iter().find(applies),
            None => None,
        };
        step.or(script.otherwise.as_deref())
    }

    fn meets(&self, when: &Condition) -> bool {
        let contains = |text: &str, part: &Option<String>| {
            part.as_ref()
                .is_none_or(|part| text.contains(part.as_str()))
        };
        let any_result = |test: &dyn Fn(&ToolResult) -> bool| self.tool_results.iter().any(test);
        when.request
            .as_ref()
            .is_none_or(|numbers| numbers.contains(self.number))
            && when
                .turn
                .as_ref()
                .is_none_or(|numbers| numbers.contains(self.turn))
            && contains(&self.model, &when.model)
            && contains(&self.system, &when.system_contains)
            && contains(&self.first_user_text, &when.first_user_text_contains)
            && contains(&self.last_user_text, &when.last_user_text_contains)
            && when
                .tool_result_contains
                .as_ref()
                .is_none_or(|part| any_result(&|result| result.text.contains(part.as_str())))
            && when
                .tool_result_is_error
                .is_none_or(|wanted| any_result(&|result| result.is_error) == wanted)
            && when
                .has_tool
                .as_ref()
                .is_none_or(|name| self.tools.contains(name))
            && when.api_key.as_ref().is_none_or(|key| *key == self.api_key)
    }

    /// Replaces `${last_tool_result}`, `${tool_result.N}` (from 0, in the latest turn), `${last_user_text}`,
    /// `${first_user_text}`, `${system}`, `${model}`, `${turn}` and `${request}`. Everything else that looks
    /// alike stays, because scripts hold shell scripts.
    pub fn expand(&self, text: &str) -> String {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            expanded.push_str(before);
            let found = after
                .split_once('}')
                .and_then(|(name, tail)| Some((self.value(name)?, tail)));
            rest = match found {
                Some((value, tail)) => {
                    let cut = value.floor_char_boundary(INSERTED_BYTES_MAX);
                    expanded.push_str(value.get(..cut).unwrap_or_default());
                    tail
                }
                None => {
                    expanded.push_str("${");
                    after
                }
            };
        }
        expanded.push_str(rest);
        expanded
    }

    /// Expands every text inside a tool's input.
    pub fn expand_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.expand(text)),
            Value::Array(items) => items.iter().map(|item| self.expand_value(item)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.expand_value(value)))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// Returns a text of the objects: `name` is that of the newest that has one of this name, `2.name` that of the third.
    fn field(&self, name: &str) -> Option<String> {
        let (place, name) = match name.split_once('.') {
            Some((place, name)) => (Some(place.parse::<usize>().ok()?), name),
            None => (None, name),
        };
        let mut texts = self
            .objects
            .iter()
            .filter_map(|object| object.get(name)?.as_str());
        let text = match place {
            Some(place) => texts.nth(place),
            None => texts.next_back(),
        };
        text.map(str::to_owned)
    }

    fn value(&self, name: &str) -> Option<String> {
        let result = |result: Option<&ToolResult>| {
            Some(result.map(|result| result.text.clone()).unwrap_or_default())
        };
        match name {
            "last_tool_result" => result(self.tool_results.last()),
            "last_user_text" => Some(self.last_user_text.clone()),
            "first_user_text" => Some(self.first_user_text.clone()),
            "system" => Some(self.system.clone()),
            "model" => Some(self.model.clone()),
            "turn" => Some(self.turn.to_string()),
            "request" => Some(self.number.to_string()),
            _ => {
                if let Some(field) = name.strip_prefix("field.") {
                    return Some(self.field(field).unwrap_or_default());
                }
                let index: usize = name.strip_prefix("tool_result.")?.parse().ok()?;
                result(self.tool_results.get(index))
            }
        }
    }
}

fn list<'a>(body: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    body.get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn word(value: &Value, field: &str) -> Option<String> {
    value.get(field).and_then(Value::as_str).map(str::to_owned)
}

/// Returns the texts of a content, whether it is a text or a list of blocks.
fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => {
            let texts: Vec<&str> = blocks
                .iter()
                .filter(|block| block.get("type").and_then(Value::as_str) == Some("text"))
                .filter_map(|block| block.get("text").and_then(Value::as_str))
                .collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn messages_ask(results: &[&str]) -> Ask {
        let results: Vec<Value> = results
            .iter()
            .map(|text| json!({"type": "tool_result", "tool_use_id": "t", "content": text}))
            .collect();
        Ask::from_messages(&json!({
            "model": "m", "system": [{"type": "text", "text": "sys"}],
            "tools": [{"name": "bash"}],
            "messages": [
                {"role": "user", "content": "hello"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "bash", "input": {}}]},
                {"role": "user", "content": results},
            ]
        }))
    }

    #[test]
    fn both_formats_look_alike() {
        let chat = Ask::from_chat(&json!({
            "model": "m", "stream": true,
            "tools": [{"type": "function", "function": {"name": "bash"}}],
            "messages": [
                {"role": "system", "content": "sys"},
                {"role": "user", "content": "hello"},
                {"role": "assistant", "content": null, "tool_calls": []},
                {"role": "tool", "tool_call_id": "t", "content": "out"},
            ]
        }));
        let messages = messages_ask(&["out"]);
        for ask in [chat, messages] {
            assert_eq!(
                (ask.turn, ask.model.as_str(), ask.system.as_str()),
                (1, "m", "sys")
            );
            assert_eq!(
                (ask.first_user_text.as_str(), ask.last_user_text.as_str()),
                ("hello", "hello")
            );
            assert_eq!(ask.tools, ["bash"]);
            assert_eq!(ask.tool_results.first().unwrap().text, "out");
        }
    }

    #[test]
    fn templates() {
        let ask = messages_ask(&["first", "second ${model}"]);
        for (text, expected) in [
            ("", ""),
            ("a ${last_tool_result} b", "a second ${model} b"),
            ("${tool_result.0}${tool_result.9}${turn}", "first1"),
            ("echo ${HOME} ${model", "echo ${HOME} ${model"),
            ("${x ${model}", "${x m"),
        ] {
            assert_eq!(ask.expand(text), expected, "{text}");
        }
        let ask = messages_ask(&[r#"{"thread_id": "sthr_1", "n": 2}"#]);
        assert_eq!(ask.expand("to ${field.thread_id}${field.n}"), "to sthr_1");
        let ask = messages_ask(&[r#"{"id": "a"}"#, r#"{"x": "b"}"#, r#"{"id": "c"}"#]);
        assert_eq!(
            ask.expand("${field.id} ${field.1.id} ${field.0.id}${field.9.id}"),
            "c c a"
        );
        let value = json!({"a": ["${model}", 1]});
        assert_eq!(ask.expand_value(&value), json!({"a": ["m", 1]}));
    }

    #[test]
    fn steps_are_chosen_by_turn_then_condition() {
        let script = Script::parse(
            "rules:\n  - {when: {request: [3, 4]}, text: rule}\n\
             conversations:\n  - when: {first_user_text_contains: bye}\n    turns: [{text: bye0}]\n\
             turns:\n  - text: t0\n  - branches:\n      - {when: {tool_result_contains: err}, text: bad}\n      - {text: good}\n\
             otherwise: {text: else}\n",
        )
        .unwrap();
        let said = |ask: &Ask| {
            ask.step(&script)
                .and_then(|step| step.text.clone())
                .unwrap()
        };
        assert_eq!(said(&messages_ask(&["an error"])), "bad");
        assert_eq!(said(&messages_ask(&["fine"])), "good");
        let at = |turn, number, first: &str| Ask {
            turn,
            number,
            first_user_text: first.into(),
            ..Ask::default()
        };
        assert_eq!(said(&at(0, 1, "")), "t0");
        assert_eq!(said(&at(0, 4, "")), "rule");
        assert_eq!(said(&at(2, 1, "")), "else");
        assert_eq!(said(&at(0, 1, "bye now")), "bye0");
        assert_eq!(said(&at(1, 1, "bye now")), "else");
    }
}
