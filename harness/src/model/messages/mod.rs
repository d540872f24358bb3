//! The Anthropic Messages API, streamed.
//!
//! [`request`] writes what is sent, [`answer`] folds the stream into a [`ModelAnswer`]; both are pure. This
//! file joins them with an [`Endpoint`].

mod answer;
mod request;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use self::answer::Fold;
use super::catalog::Catalog;
use super::config::{ProviderConfig, ThinkingMode};
use super::endpoint::{Endpoint, KeyHeader, StreamEnd};
use super::keys::ApiKey;
use super::{Model, ModelAnswer, ModelError, ModelRequest, ProgressSink, RouterError};
use crate::clock::Clock;

/// The version of the Messages API that this provider speaks.
pub const API_VERSION: &str = "2026-10-21";

/// Where the Messages API is by default.
pub const BASE_URL: &str = "https://api.anthropic.com";

/// The beta that lets older models accept `speed: fast`.
const FAST_BETA: &str = "fast-mode-2026-02-01";

/// A Messages API provider.
pub(super) struct Messages {
    endpoint: Endpoint,
    catalog: Arc<Catalog>,
    version: HeaderValue,
    send_model: Option<String>,
    thinking: ThinkingMode,
    prompt_cache: bool,
}

impl Messages {
    pub(super) fn new(
        config: &ProviderConfig,
        base: &str,
        keys: Vec<ApiKey>,
        catalog: Arc<Catalog>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RouterError> {
        let version = config.api_version.as_deref().unwrap_or(API_VERSION);
        let version = HeaderValue::from_str(version).map_err(|_| RouterError::Header {
            name: "anthropic-version".into(),
        })?;
        Ok(Self {
            endpoint: Endpoint::new(
                config,
                base,
                "/v1/messages",
                KeyHeader::XApiKey,
                keys,
                clock,
            )?,
            catalog,
            version,
            send_model: config.send_model.clone(),
            thinking: config.thinking,
            prompt_cache: config.prompt_cache,
        })
    }
}

#[async_trait]
impl Model for Messages {
    async fn ask(
        &self,
        request: &ModelRequest,
        progress: ProgressSink<'_>,
    ) -> Result<ModelAnswer, ModelError> {
        let known = self.catalog.find(&request.model);
        let options = request::Options {
            model: match (&self.send_model, known) {
                (Some(model), _) => model,
                (None, Some(known)) => &known.id,
                (None, None) => &request.model,
            },
            known,
            thinking: self.thinking,
            prompt_cache: self.prompt_cache,
        };
        let body = request::body(request, &options);
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static("anthropic-version"),
            self.version.clone(),
        );
        if body.speed.is_some() {
            let beta = HeaderName::from_static("anthropic-beta");
            headers.insert(beta, HeaderValue::from_static(FAST_BETA));
        }
        let body = serde_json::to_vec(&body)
            .map_err(|error| ModelError::Refused(format!("cannot write the request: {error}")))?;
        let mut fold = Fold::new(progress);
        match self
            .endpoint
            .ask(Bytes::from(body), headers, &mut fold)
            .await?
        {
            StreamEnd::Whole => fold.finish(),
            StreamEnd::Cut => Err(ModelError::Transient {
                message: "the answer ended before its last event".into(),
                retry_after: None,
            }),
        }
    }
}
