//! What an operator says about model providers. The keys can be read from a file but never written back.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::keys::ApiKey;

/// Which wire format a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// The Anthropic Messages API.
    Anthropic,
    /// OpenAI's chat completions, as vLLM, Ollama, llama.cpp and many others offer them.
    Openai,
}

/// How a Messages API request asks for thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingMode {
    /// As the catalogue says for the model; nothing for models it does not know.
    #[default]
    Catalog,
    /// `{"type": "adaptive"}`.
    Adaptive,
    /// `{"type": "enabled", "budget_tokens": ...}`.
    Budget,
    /// Never mentions thinking.
    Off,
}

/// One provider. Unknown fields are refused.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Which model ids go here: `*` stands for any run of characters, `?` for one. The first provider
    /// whose pattern matches is asked. Default `*`.
    #[serde(default = "any")]
    pub pattern: String,
    /// The wire format.
    pub kind: ProviderKind,
    /// Where it is. Default `https://api.anthropic.com` (`/v1/messages` is appended) or
    /// `https://api.openai.com/v1` (`/chat/completions` is appended).
    #[serde(default)]
    pub base_url: Option<String>,
    /// Keys, tried in rotation. Default: those of `api_key_env`.
    #[serde(default, skip_serializing)]
    pub api_keys: Vec<ApiKey>,
    /// Environment variable that holds one or more keys, separated by commas or spaces; used where
    /// `api_keys` is empty. Default `ANTHROPIC_API_KEY` or `OPENAI_API_KEY` for a provider without
    /// `base_url`; none with one, because a key must not travel to a server it was not made for.
    #[serde(default)]
    pub api_key_env: Option<String>,
    /// Lets requests go out without a key, for servers that ask for none. Default false.
    #[serde(default)]
    pub without_key: bool,
    /// Model id to send in place of the agent's: serves e.g. `claude-*` from a local model. Default: the
    /// agent's own.
    #[serde(default)]
    pub send_model: Option<String>,
    /// `anthropic-version` header of the Messages API. Default [`super::messages::API_VERSION`].
    #[serde(default)]
    pub api_version: Option<String>,
    /// Further headers of every request, e.g. `anthropic-beta`. Not for secrets: they are printed with the
    /// configuration. Default none.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How to ask for thinking (Messages API). Default `catalog`.
    #[serde(default)]
    pub thinking: ThinkingMode,
    /// Marks prompt-cache breakpoints (Messages API). Default true.
    #[serde(default = "yes")]
    pub prompt_cache: bool,
    /// Sends the effort as `reasoning_effort` (chat completions). Default false: many servers refuse it.
    #[serde(default)]
    pub reasoning_effort: bool,
    /// Name of the chat completions' output bound. Default `max_completion_tokens` at api.openai.com,
    /// `max_tokens` elsewhere.
    #[serde(default)]
    pub max_tokens_field: Option<String>,
    /// Longest time to make a connection, in milliseconds. Default 10 000.
    #[serde(default = "connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// Longest silence of the provider, in milliseconds, before and inside an answer. Default 120 000.
    #[serde(default = "idle_timeout_ms")]
    pub idle_timeout_ms: u64,
    /// Longest time of a whole answer, in milliseconds. Default 7 200 000: without it a server that only
    /// ever sends pings would hold a session forever.
    #[serde(default = "answer_timeout_ms")]
    pub answer_timeout_ms: u64,
}

fn any() -> String {
    "*".into()
}

fn yes() -> bool {
    true
}

fn connect_timeout_ms() -> u64 {
    10_000
}

fn idle_timeout_ms() -> u64 {
    120_000
}

fn answer_timeout_ms() -> u64 {
    7_200_000
}

impl ProviderConfig {
    /// Returns a provider of `kind` with every default.
    pub fn new(kind: ProviderKind) -> Self {
        Self {
            pattern: any(),
            kind,
            base_url: None,
            api_keys: Vec::new(),
            api_key_env: None,
            without_key: false,
            send_model: None,
            api_version: None,
            headers: BTreeMap::new(),
            thinking: ThinkingMode::Catalog,
            prompt_cache: yes(),
            reasoning_effort: false,
            max_tokens_field: None,
            connect_timeout_ms: connect_timeout_ms(),
            idle_timeout_ms: idle_timeout_ms(),
            answer_timeout_ms: answer_timeout_ms(),
        }
    }

    /// Returns the environment variable that holds this provider's keys, if one may.
    pub fn key_variable(&self) -> Option<&str> {
        match (&self.api_key_env, &self.base_url, self.kind) {
            (Some(name), _, _) => Some(name),
            (None, Some(_), _) => None,
            (None, None, ProviderKind::Anthropic) => Some("ANTHROPIC_API_KEY"),
            (None, None, ProviderKind::Openai) => Some("OPENAI_API_KEY"),
        }
    }
}

/// Tells which provider it is and how many keys it has, nothing that could be secret.
impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderConfig")
            .field("pattern", &self.pattern)
            .field("kind", &self.kind)
            .field("base_url", &self.base_url)
            .field("api_keys", &self.api_keys.len())
            .finish_non_exhaustive()
    }
}
