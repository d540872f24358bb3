//! OpenAI-compatible chat completions, streamed: vLLM, Ollama, llama.cpp, OpenAI.
//!
//! [`request`] translates a conversation of the Messages API, [`answer`] translates back; both are pure.

mod answer;
mod request;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;

use self::answer::Fold;
use super::config::ProviderConfig;
use super::endpoint::{Endpoint, KeyHeader, StreamEnd};
use super::keys::ApiKey;
use super::{Model, ModelAnswer, ModelError, ModelRequest, ProgressSink, RouterError};
use crate::clock::Clock;
use crate::ids;

/// Where chat completions are by default.
pub(super) const BASE_URL: &str = "https://api.openai.com/v1";

/// The host whose newer models refuse the field that every other server knows.
const OPENAI_HOST: &str = "api.openai.com";

/// A chat completions provider.
pub(super) struct OpenAi {
    endpoint: Endpoint,
    send_model: Option<String>,
    max_tokens_field: String,
    reasoning_effort: bool,
    clock: Arc<dyn Clock>,
}

impl OpenAi {
    pub(super) fn new(
        config: &ProviderConfig,
        base: &str,
        keys: Vec<ApiKey>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RouterError> {
        let path = "/chat/completions";
        let endpoint = Endpoint::new(config, base, path, KeyHeader::Bearer, keys, clock.clone())?;
        let field = match &config.max_tokens_field {
            Some(field) => field,
            None if endpoint.is_at(OPENAI_HOST) => "max_completion_tokens",
            None => "max_tokens",
        };
        Ok(Self {
            max_tokens_field: field.to_owned(),
            endpoint,
            send_model: config.send_model.clone(),
            reasoning_effort: config.reasoning_effort,
            clock,
        })
    }
}

#[async_trait]
impl Model for OpenAi {
    async fn ask(
        &self,
        request: &ModelRequest,
        progress: ProgressSink<'_>,
    ) -> Result<ModelAnswer, ModelError> {
        let model = self.send_model.as_ref().unwrap_or(&request.model);
        let mut body = request::body(request, model);
        body.insert(
            self.max_tokens_field.clone(),
            request.output_tokens_max.into(),
        );
        if self.reasoning_effort
            && let Some(effort) = request::reasoning_effort(request)
        {
            body.insert("reasoning_effort".into(), effort.into());
        }
        let body = serde_json::to_vec(&body)
            .map_err(|error| ModelError::Refused(format!("cannot write the request: {error}")))?;
        let fresh_id = || ids::fresh("call_", self.clock.now());
        let mut fold = Fold::new(progress, &fresh_id);
        let end = self
            .endpoint
            .ask(Bytes::from(body), HeaderMap::new(), &mut fold)
            .await?;
        if end == StreamEnd::Cut && !fold.has_stopped() {
            return Err(ModelError::Transient {
                message: "the answer ended before its last chunk".into(),
                retry_after: None,
            });
        }
        fold.finish()
    }
}
