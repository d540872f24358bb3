//! The script of a mock model: YAML, checked as a whole before the server answers anything.
//!
//! ```yaml
//! turns:                      # by the number of assistant turns in the request
//!   - text: I will look.
//!     tools: [{name: bash, input: {command: ls}}]
//!   - branches:
//!       - when: {tool_result_contains: error}
//!         text: "It failed: ${last_tool_result}"
//!       - text: Done.
//! rules:                      # looked at before any turn
//!   - when: {request: 2}
//!     error: {status: 529}
//! ```

use serde::Deserialize;
use serde_json::Value;

/// Longest script in bytes.
pub const SCRIPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longest pause between two pieces of an answer, in milliseconds.
pub const DELAY_MS_MAX: u64 = 60_000;

/// Why a script cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// It is not the YAML of a script; the text names line and field.
    #[error("the script cannot be read: {0}")]
    Yaml(String),
    /// It is well formed, but contradicts itself.
    #[error("the script cannot be played: {at}: {why}")]
    Invalid {
        /// Where, e.g. `turns[1].branches[0]`.
        at: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// A whole script.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Characters per streamed piece. Default 24.
    #[serde(default = "chunk_chars")]
    pub chunk_chars: usize,
    /// Pause before each piece, in milliseconds. Default 0.
    #[serde(default)]
    pub delay_ms: u64,
    /// Refuses requests that the real API would refuse. Default true.
    #[serde(default = "yes")]
    pub strict: bool,
    /// Accepts only these keys. Default: any key.
    #[serde(default)]
    pub api_keys: Vec<String>,
    /// Steps with a condition, looked at first, in order.
    #[serde(default)]
    pub rules: Vec<Step>,
    /// Lists of turns for conversations that meet a condition; the first that does is played.
    #[serde(default)]
    pub conversations: Vec<Conversation>,
    /// The turns of every other conversation.
    #[serde(default)]
    pub turns: Vec<Step>,
    /// What is said where nothing above fits. Default: an error that says so.
    #[serde(default)]
    pub otherwise: Option<Box<Step>>,
}

/// One conversation of a script.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// For people.
    #[serde(default)]
    pub name: Option<String>,
    /// Which requests belong to it. Default: all.
    #[serde(default)]
    pub when: Condition,
    /// Its turns.
    pub turns: Vec<Step>,
}

/// One answer, or several of which a condition chooses one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// When a rule or a branch applies.
    pub when: Option<Condition>,
    /// Answers to choose from: the first whose `when` holds; one without `when` may come last.
    pub branches: Vec<Step>,
    /// A thought, said first.
    pub thinking: Option<String>,
    /// A text, said next. Texts and tool inputs may hold `${...}`, see [`super::ask::Ask::expand`].
    pub text: Option<String>,
    /// Tool calls, made last.
    pub tools: Vec<ToolCall>,
    /// Blocks in any order, in place of the three above.
    pub content: Vec<Block>,
    /// The stop reason. Default: `tool_use` if there are calls, else `end_turn`.
    pub stop: Option<String>,
    /// Refuses, after whatever was said.
    pub refusal: Option<Refusal>,
    /// Answers with an HTTP error.
    pub error: Option<HttpError>,
    /// Breaks off with an error event inside the stream.
    pub stream_error: Option<StreamError>,
    /// Breaks the connection after so many pieces.
    pub cut_after: Option<usize>,
    /// Ends the stream properly, but too early, after so many pieces.
    pub end_after: Option<usize>,
    /// Waits for a release after so many pieces.
    pub hang_after: Option<usize>,
    /// Waits for a release before the answer begins.
    pub hang: bool,
    /// Token numbers. Default: from the sizes.
    pub usage: Option<Usage>,
    /// Characters per piece of this answer.
    pub chunk_chars: Option<usize>,
    /// Pause before each piece of this answer, in milliseconds.
    pub delay_ms: Option<u64>,
}

/// What must hold of a request; everything that is given must.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// It is the server's nth request, from 1. Makes the answer depend on what came before.
    pub request: Option<Numbers>,
    /// The conversation has so many assistant turns.
    pub turn: Option<Numbers>,
    /// The model's id contains this.
    pub model: Option<String>,
    /// The system prompt contains this.
    pub system_contains: Option<String>,
    /// The first text of the user contains this.
    pub first_user_text_contains: Option<String>,
    /// The latest text of the user contains this.
    pub last_user_text_contains: Option<String>,
    /// A tool result of the latest turn contains this.
    pub tool_result_contains: Option<String>,
    /// Whether a tool result of the latest turn is an error.
    pub tool_result_is_error: Option<bool>,
    /// A tool of this name is offered.
    pub has_tool: Option<String>,
    /// The request carries this key.
    pub api_key: Option<String>,
}

/// A number or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Numbers {
    /// One.
    One(u64),
    /// Any of several.
    Many(Vec<u64>),
}

impl Numbers {
    /// Tells whether `number` is among them.
    pub fn contains(&self, number: u64) -> bool {
        match self {
            Self::One(one) => *one == number,
            Self::Many(many) => many.contains(&number),
        }
    }
}

/// A block of content: exactly one of its fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Block {
    /// A text.
    pub text: Option<String>,
    /// A thought.
    pub thinking: Option<String>,
    /// A tool call.
    pub tool: Option<ToolCall>,
    /// A Messages API block, sent as it is.
    pub raw: Option<Value>,
}

/// A tool call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// Its id. Default: derived from the request, so that asking again gives the same.
    #[serde(default)]
    pub id: Option<String>,
    /// The tool.
    pub name: String,
    /// Its input. Default `{}`.
    #[serde(default)]
    pub input: Option<Value>,
    /// The input as text, to send what is not JSON.
    #[serde(default)]
    pub input_text: Option<String>,
}

/// A refusal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Refusal {
    /// E.g. `cyber`.
    pub category: Option<String>,
    /// Text for people.
    pub explanation: Option<String>,
}

/// An HTTP error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpError {
    /// 400 to 599.
    pub status: u16,
    /// The error's type. Default: the API's for this status.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// The error's message.
    #[serde(default)]
    pub message: Option<String>,
    /// `retry-after` header, in seconds.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// `x-should-retry` header.
    #[serde(default)]
    pub should_retry: Option<bool>,
}

/// An error event inside a stream.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamError {
    /// After so many pieces. Default 0.
    #[serde(default)]
    pub after: usize,
    /// The error's type, e.g. `overloaded_error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The error's message.
    #[serde(default)]
    pub message: String,
}

/// Token numbers.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Usage {
    /// Uncached input.
    pub input_tokens: u64,
    /// Generated.
    pub output_tokens: u64,
    /// Read from the cache.
    pub cache_read_input_tokens: u64,
    /// Written to the 5-minute cache.
    pub cache_5m_input_tokens: u64,
    /// Written to the 1-hour cache.
    pub cache_1h_input_tokens: u64,
}

fn chunk_chars() -> usize {
    24
}

fn yes() -> bool {
    true
}

impl Script {
    /// Reads and checks a script.
    pub fn parse(yaml: &str) -> Result<Self, ScriptError> {
        if yaml.len() > SCRIPT_BYTES_MAX {
            return Err(ScriptError::Yaml(format!(
                "it is longer than {SCRIPT_BYTES_MAX} bytes"
            )));
        }
        let script: Self =
            serde_saphyr::from_str(yaml).map_err(|error| ScriptError::Yaml(error.to_string()))?;
        script.check()?;
        Ok(script)
    }

    fn check(&self) -> Result<(), ScriptError> {
        check_pace("the script", Some(self.chunk_chars), Some(self.delay_ms))?;
        for (i, rule) in self.rules.iter().enumerate() {
            let at = format!("rules[{i}]");
            require(rule.when.is_some(), &at, "a rule needs `when`")?;
            require(rule.branches.is_empty(), &at, "branches belong in turns")?;
            rule.check(&at)?;
        }
        for (i, conversation) in self.conversations.iter().enumerate() {
            check_turns(&format!("conversations[{i}].turns"), &conversation.turns)?;
        }
        check_turns("turns", &self.turns)?;
        if let Some(step) = &self.otherwise {
            require(step.when.is_none(), "otherwise", "it has no condition")?;
            step.check("otherwise")?;
        }
        let is_empty = self.rules.is_empty()
            && self.conversations.is_empty()
            && self.turns.is_empty()
            && self.otherwise.is_none();
        require(!is_empty, "the script", "it says nothing: give it `turns`")
    }
}

impl Step {
    fn says_something(&self) -> bool {
        self.thinking.is_some()
            || self.text.is_some()
            || !self.tools.is_empty()
            || !self.content.is_empty()
            || self.stop.is_some()
            || self.refusal.is_some()
            || self.stream_error.is_some()
            || self.cut_after.is_some()
            || self.end_after.is_some()
            || self.hang_after.is_some()
            || self.hang
    }

    fn check(&self, at: &str) -> Result<(), ScriptError> {
        check_pace(at, self.chunk_chars, self.delay_ms)?;
        if !self.branches.is_empty() {
            let is_bare = !self.says_something() && self.error.is_none();
            require(is_bare, at, "a turn has either branches or an answer")?;
            return self.check_branches(at);
        }
        let has_short = self.thinking.is_some() || self.text.is_some() || !self.tools.is_empty();
        require(
            !has_short || self.content.is_empty(),
            at,
            "`content` replaces `thinking`, `text` and `tools`",
        )?;
        require(
            self.error.is_some() || self.says_something(),
            at,
            "it says nothing: give it `text`, `tools`, `error` or the like",
        )?;
        if let Some(error) = &self.error {
            let is_status = (400..=599).contains(&error.status);
            require(is_status, at, "an error's status is 400 to 599")?;
            let is_alone = !has_short && self.content.is_empty() && self.stream_error.is_none();
            require(is_alone, at, "an HTTP error has no content")?;
        }
        for block in &self.content {
            let fields = [
                block.text.is_some(),
                block.thinking.is_some(),
                block.tool.is_some(),
                block.raw.is_some(),
            ];
            let count = fields.into_iter().filter(|given| *given).count();
            require(
                count == 1,
                at,
                "a block is one of `text`, `thinking`, `tool`, `raw`",
            )?;
            let raw = block.raw.as_ref();
            let is_block = raw.is_none_or(|raw| raw.get("type").is_some_and(Value::is_string));
            require(is_block, at, "a raw block is an object with a `type`")?;
        }
        let calls = self.content.iter().filter_map(|block| block.tool.as_ref());
        for call in calls.chain(&self.tools) {
            let is_one = call.input.is_none() || call.input_text.is_none();
            require(is_one, at, "a call has `input` or `input_text`")?;
        }
        Ok(())
    }

    fn check_branches(&self, at: &str) -> Result<(), ScriptError> {
        for (i, branch) in self.branches.iter().enumerate() {
            let at = format!("{at}.branches[{i}]");
            let is_last = i + 1 == self.branches.len();
            require(
                branch.when.is_some() || is_last,
                &at,
                "only the last branch may be without `when`",
            )?;
            require(branch.branches.is_empty(), &at, "branches have no branches")?;
            branch.check(&at)?;
        }
        Ok(())
    }
}

fn check_turns(at: &str, turns: &[Step]) -> Result<(), ScriptError> {
    for (i, turn) in turns.iter().enumerate() {
        let at = format!("{at}[{i}]");
        require(
            turn.when.is_none(),
            &at,
            "a turn has no `when`: use `branches` or `rules`",
        )?;
        turn.check(&at)?;
    }
    Ok(())
}

fn check_pace(at: &str, chunk: Option<usize>, delay: Option<u64>) -> Result<(), ScriptError> {
    require(chunk != Some(0), at, "`chunk_chars` is at least 1")?;
    require(
        delay.is_none_or(|delay| delay <= DELAY_MS_MAX),
        at,
        "`delay_ms` is at most a minute",
    )
}

fn require(holds: bool, at: &str, why: &'static str) -> Result<(), ScriptError> {
    if holds {
        return Ok(());
    }
    Err(ScriptError::Invalid {
        at: at.to_owned(),
        why,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn bad_scripts_say_where() {
        let cases = [
            ("turns:\n  - text: a\n    txet: b\n", "txet"),
            ("turns:\n  - text: a\n    txet: b\n", "line 3"),
            ("turns:\n  - text: [a]\n", "line 2"),
            ("turns: x", "turns"),
            ("{}", "says nothing"),
            ("turns: [{}]", "turns[0]: it says nothing"),
            (
                "turns: [{text: a, when: {turn: 1}}]",
                "turns[0]: a turn has no `when`",
            ),
            ("rules: [{text: a}]", "rules[0]: a rule needs `when`"),
            (
                "turns: [{branches: [{text: a}, {text: b}]}]",
                "turns[0].branches[0]",
            ),
            ("turns: [{text: a, branches: [{text: b}]}]", "either"),
            ("turns: [{error: {status: 200}}]", "400 to 599"),
            ("turns: [{error: {status: 500}, text: a}]", "no content"),
            (
                "turns: [{content: [{text: a, thinking: b}]}]",
                "a block is one of",
            ),
            ("turns: [{content: [{raw: {a: 1}}]}]", "a raw block"),
            ("turns: [{text: a, content: [{text: b}]}]", "replaces"),
            ("turns: [{text: a, chunk_chars: 0}]", "at least 1"),
            ("turns: [{text: a, delay_ms: 60001}]", "at most a minute"),
            (
                "conversations: [{turns: [{}]}]",
                "conversations[0].turns[0]",
            ),
            (
                "turns: [{tools: [{name: a, input: {}, input_text: b}]}]",
                "`input_text`",
            ),
        ];
        for (yaml, expected) in cases {
            let error = Script::parse(yaml).err().unwrap().to_string();
            assert!(error.contains(expected), "{yaml}\n{error}");
        }
    }
}
