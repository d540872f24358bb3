//! Asking a model: one request, one streamed answer, typed failures.
//!
//! A provider makes exactly one attempt per [`Model::ask`] (with failover between the keys of its pool);
//! whether and when to try again is the driver's decision, so that every retry is an event in the log.
//! Deliberately absent: sessions, events and tools' meaning.

pub mod catalog;
pub mod config;
mod endpoint;
mod failure;
pub mod keys;
pub mod messages;
mod openai;
pub mod price;
mod router;
pub mod sse;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::catalog::{Catalog, ModelInfo, ModelOverride};
pub use self::config::{ProviderConfig, ProviderKind};
pub use self::endpoint::install_tls;
pub use self::price::Cost;
pub use self::router::{Router, RouterError};

/// Most bytes of an answer's texts, thoughts and tool inputs together (32 MiB).
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most content blocks, and so most parallel tool calls, of an answer.
pub const ANSWER_BLOCKS_MAX: usize = 4096;

/// One request to a model, in the terms of the Messages API; other providers translate.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// Model id as the agent names it.
    pub model: String,
    /// System prompt; empty for none. Cached by the provider where it can be.
    pub system: String,
    /// Turns as Messages API objects `{"role", "content": [blocks]}`. Alternate, first is `user`.
    pub messages: Vec<Value>,
    /// Tool definitions `{"name", "description", "input_schema"}`, in a stable order (it is cached).
    pub tools: Vec<Value>,
    /// Upper bound on generated tokens.
    pub output_tokens_max: u32,
    /// `low`, `medium`, `high`, `xhigh` or `max`, where the model knows efforts.
    pub effort: Option<String>,
    /// `fast` or `standard`, where the model knows speeds.
    pub speed: Option<String>,
    /// Asks for extended thinking, where the model has it.
    pub thinking: bool,
}

/// A piece of an answer while it is being made.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The provider accepted the request and started to answer.
    Started,
    /// The model began to think.
    ThinkingStarted,
    /// More thinking text, where the provider shows it. Never leaves the host.
    ThinkingDelta(String),
    /// A text block began.
    TextStarted,
    /// The next piece of the current text block.
    TextDelta(String),
    /// The model began a tool call of this name.
    ToolUseStarted(String),
}

/// Receives the pieces of an answer; must return at once.
pub type ProgressSink<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq)]
pub enum StopReason {
    /// It is done.
    EndTurn,
    /// It wants tools to run.
    ToolUse,
    /// It reached `output_tokens_max`.
    MaxTokens,
    /// It refused; `category` and `explanation` where the provider tells them.
    Refusal {
        /// E.g. `cyber`, `bio`.
        category: Option<String>,
        /// Text for people.
        explanation: Option<String>,
    },
    /// The provider paused a long turn; ask again with the answer so far.
    PauseTurn,
}

/// Tokens of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Uncached input.
    pub input_tokens: u64,
    /// Generated.
    pub output_tokens: u64,
    /// Read from the prompt cache.
    pub cache_read_input_tokens: u64,
    /// Written to the 5-minute cache.
    pub cache_5m_input_tokens: u64,
    /// Written to the 1-hour cache.
    pub cache_1h_input_tokens: u64,
}

impl TokenUsage {
    /// Returns the sum of both; numbers of a provider cannot overflow it.
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cache_read_input_tokens: self
                .cache_read_input_tokens
                .saturating_add(other.cache_read_input_tokens),
            cache_5m_input_tokens: self
                .cache_5m_input_tokens
                .saturating_add(other.cache_5m_input_tokens),
            cache_1h_input_tokens: self
                .cache_1h_input_tokens
                .saturating_add(other.cache_1h_input_tokens),
        }
    }
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelAnswer {
    /// Content blocks as Messages API objects: `text`, `thinking`, `redacted_thinking`, `tool_use` (with
    /// `id`, `name`, `input` an object). Sent back verbatim in the next request.
    pub content: Vec<Value>,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// What it cost in tokens.
    pub usage: TokenUsage,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// No credentials, or all keys of the pool were refused (401, 403).
    #[error("the model provider refused the credentials: {0}")]
    Authentication(String),
    /// The account cannot pay (402, or a billing error).
    #[error("the model provider asks for payment: {0}")]
    Billing(String),
    /// Too many requests (429) on every key.
    #[error("the model provider limits the rate: {message}")]
    RateLimited {
        /// The provider's words.
        message: String,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The provider is overloaded (529, 503 or an `overloaded_error` in the stream).
    #[error("the model provider is overloaded: {message}")]
    Overloaded {
        /// The provider's words.
        message: String,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// 408, 409, other 5xx, a broken connection or a stream that ended early.
    #[error("the model request failed: {message}")]
    Transient {
        /// What happened.
        message: String,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The conversation no longer fits the model's context.
    #[error("the conversation does not fit the model's context: {0}")]
    ContextTooLong(String),
    /// The provider refused the request (400, 404, 413): repeating it is useless.
    #[error("the model provider refused the request: {0}")]
    Refused(String),
    /// An answer that breaks the protocol or a bound of ours.
    #[error("the model provider's answer is unusable: {0}")]
    Protocol(String),
}

impl ModelError {
    /// Tells whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. } | Self::Overloaded { .. } | Self::Transient { .. }
        )
    }

    /// Changes the error's text, keeping what kind it is.
    pub(crate) fn map_message(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Authentication(message) => Self::Authentication(change(message)),
            Self::Billing(message) => Self::Billing(change(message)),
            Self::RateLimited {
                message,
                retry_after,
            } => Self::RateLimited {
                message: change(message),
                retry_after,
            },
            Self::Overloaded {
                message,
                retry_after,
            } => Self::Overloaded {
                message: change(message),
                retry_after,
            },
            Self::Transient {
                message,
                retry_after,
            } => Self::Transient {
                message: change(message),
                retry_after,
            },
            Self::ContextTooLong(message) => Self::ContextTooLong(change(message)),
            Self::Refused(message) => Self::Refused(change(message)),
            Self::Protocol(message) => Self::Protocol(change(message)),
        }
    }

    /// Returns how long the provider asked us to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. }
            | Self::Overloaded { retry_after, .. }
            | Self::Transient { retry_after, .. } => *retry_after,
            Self::Authentication(_)
            | Self::Billing(_)
            | Self::ContextTooLong(_)
            | Self::Refused(_)
            | Self::Protocol(_) => None,
        }
    }
}

/// A model provider.
#[async_trait]
pub trait Model: Send + Sync + 'static {
    /// Makes one attempt. Dropping the future cancels the request.
    async fn ask(
        &self,
        request: &ModelRequest,
        progress: ProgressSink<'_>,
    ) -> Result<ModelAnswer, ModelError>;
}

/// Reads the input of a tool call as it was streamed; nothing at all means no arguments.
fn tool_input(json: &str) -> Result<Map<String, Value>, ModelError> {
    if json.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(json) {
        Ok(Value::Object(input)) => Ok(input),
        Ok(_) => Err(ModelError::Protocol(
            "a tool call's input is not an object".into(),
        )),
        Err(error) => Err(ModelError::Protocol(format!(
            "a tool call's input is not JSON: {error}"
        ))),
    }
}
