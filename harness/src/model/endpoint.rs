//! One HTTP address that answers with an event stream: the client, the keys, the bounds.
//!
//! A request is sent once per key until a key is accepted; after that nothing is repeated. Redirects are not
//! followed, because they would carry the key to another host. Every error leaves through
//! [`Endpoint::clean`], which takes keys out of it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use url::{Host, Url};

use super::config::ProviderConfig;
use super::failure::{self, Failure};
use super::keys::{ApiKey, KeyPool};
use super::sse::{SseDecoder, SseEvent};
use super::{ModelError, RouterError};
use crate::clock::{Clock, Timestamp};

/// Most bytes of one answer's stream. Each token costs about a hundred bytes of framing.
const STREAM_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Most bytes read of a refusal's body.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// How long an unused connection is kept.
const CONNECTION_IDLE: Duration = Duration::from_secs(90);

/// Where the key goes in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyHeader {
    /// `x-api-key: {key}`.
    XApiKey,
    /// `authorization: Bearer {key}`.
    Bearer,
}

/// Consumes the events of one answer.
pub(super) trait Events: Send {
    /// Takes the next event; `Break` once the answer is whole.
    fn take(&mut self, event: SseEvent) -> Result<ControlFlow<()>, ModelError>;
}

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// The answer is whole.
    Whole,
    /// The connection ended first.
    Cut,
}

pub(super) struct Endpoint {
    client: Client,
    url: Url,
    keys: KeyPool,
    key_header: KeyHeader,
    without_key: bool,
    /// What to do about a missing key, for the operator.
    remedy: String,
    headers: HeaderMap,
    idle: Duration,
    answer: Duration,
    clock: Arc<dyn Clock>,
}

impl Endpoint {
    /// Makes the endpoint `{base}{path}` of a configured provider, with its keys.
    pub(super) fn new(
        config: &ProviderConfig,
        base: &str,
        path: &str,
        key_header: KeyHeader,
        keys: Vec<ApiKey>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RouterError> {
        let url = parse_url(base, path)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let bad = || RouterError::Header { name: name.clone() };
            let header = HeaderName::try_from(name).map_err(|_| bad())?;
            let value = HeaderValue::from_str(value).map_err(|_| bad())?;
            headers.insert(header, value);
        }
        let way = match config.key_variable() {
            Some(variable) => format!("set {variable}"),
            None => "name its environment variable in `api_key_env`".to_owned(),
        };
        let remedy = format!(
            "no API key for models that match `{}`: {way}, or set `api_keys` of the provider",
            config.pattern
        );
        Ok(Self {
            client: client(config, &url)?,
            url,
            keys: KeyPool::new(keys, clock.clone()),
            key_header,
            without_key: config.without_key,
            remedy,
            headers,
            idle: Duration::from_millis(config.idle_timeout_ms.max(1)),
            answer: Duration::from_millis(config.answer_timeout_ms.max(1)),
            clock,
        })
    }

    /// Tells whether requests go to `host`.
    pub(super) fn is_at(&self, host: &str) -> bool {
        self.url.host_str() == Some(host)
    }

    /// Sends `body` and feeds the answer's events to `events`.
    pub(super) async fn ask(
        &self,
        body: Bytes,
        headers: HeaderMap,
        events: &mut dyn Events,
    ) -> Result<StreamEnd, ModelError> {
        let until = self.clock.now().checked_add(self.answer);
        let until = until.unwrap_or(Timestamp::MAX);
        let response = match self.send_with_keys(body, headers).await {
            Ok(response) => response,
            Err(error) => return Err(self.clean(error)),
        };
        let end = self.read(response, until, events).await;
        end.map_err(|error| self.clean(error))
    }

    async fn send_with_keys(
        &self,
        body: Bytes,
        headers: HeaderMap,
    ) -> Result<Response, ModelError> {
        let candidates = self.keys.candidates()?;
        if candidates.is_empty() {
            if !self.without_key {
                return Err(ModelError::Authentication(self.remedy.clone()));
            }
            let sent = self.send(body, headers, None).await?;
            return sent.map_err(|failure| failure.error);
        }
        let mut refused = None;
        for (index, key) in candidates {
            let failure = match self.send(body.clone(), headers.clone(), Some(&key)).await? {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let Some(fault) = failure.key_fault else {
                return Err(failure.error);
            };
            self.keys.report(index, fault);
            refused = Some(worth_waiting_for(refused, failure.error));
        }
        Err(refused.unwrap_or_else(|| ModelError::Authentication(self.remedy.clone())))
    }

    /// Makes one request. The outer error is a transport's, the inner one the provider's.
    async fn send(
        &self,
        body: Bytes,
        headers: HeaderMap,
        key: Option<&ApiKey>,
    ) -> Result<Result<Response, Failure>, ModelError> {
        let mut all = HeaderMap::new();
        all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        all.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        all.extend(headers);
        for (name, value) in &self.headers {
            if name.as_str() == "anthropic-beta" {
                all.append(name, value.clone());
            } else {
                all.insert(name, value.clone());
            }
        }
        let header = match self.key_header {
            KeyHeader::XApiKey => key
                .and_then(|key| key.header(""))
                .map(|value| (X_API_KEY, value)),
            KeyHeader::Bearer => key
                .and_then(|key| key.header("Bearer "))
                .map(|value| (AUTHORIZATION, value)),
        };
        all.extend(header);
        let request = self.client.post(self.url.clone()).headers(all).body(body);
        let response = self
            .before_idle(request.send())
            .await?
            .map_err(|error| broken(error, "could not reach the provider"))?;
        if response.status().as_u16() != 200 {
            return Ok(Err(self.refusal(response).await));
        }
        Ok(Ok(response))
    }

    async fn refusal(&self, mut response: Response) -> Failure {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        // A refusal whose body breaks is still a refusal: its status is known.
        while let Ok(Ok(Some(piece))) = self.before_idle(response.chunk()).await {
            let room = REFUSAL_BYTES_MAX.saturating_sub(body.len());
            body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if body.len() >= REFUSAL_BYTES_MAX {
                break;
            }
        }
        if headers.contains_key(LOCATION) && (300..400).contains(&status) {
            body = b"the provider redirects; set `base_url` to where it is now".to_vec();
        }
        // Taken out before anything is cut: half a key would not be recognised.
        let body = self.keys.redact(&String::from_utf8_lossy(&body));
        failure::from_response(status, &headers, body.as_bytes(), self.clock.now())
    }

    async fn read(
        &self,
        mut response: Response,
        until: Timestamp,
        events: &mut dyn Events,
    ) -> Result<StreamEnd, ModelError> {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind
            .and_then(|value| value.to_str().ok())
            .unwrap_or("no type");
        if !kind.starts_with("text/event-stream") {
            let kind = failure::one_line(kind);
            let message = format!("expected an event stream, the content type is {kind}");
            return Err(ModelError::Protocol(message));
        }
        let mut decoder = SseDecoder::default();
        let mut decoded = Vec::new();
        let mut bytes = 0u64;
        loop {
            let piece = match self.before_idle(response.chunk()).await? {
                Ok(Some(piece)) => piece,
                Ok(None) => return Ok(StreamEnd::Cut),
                Err(error) => return Err(broken(error, "the answer broke off")),
            };
            bytes = bytes.saturating_add(piece.len() as u64);
            if bytes > STREAM_BYTES_MAX {
                let message = format!("the stream is longer than {STREAM_BYTES_MAX} bytes");
                return Err(ModelError::Protocol(message));
            }
            if self.clock.now() > until {
                return Err(transient("the answer took longer than `answer_timeout_ms`"));
            }
            decoder
                .push(&piece, &mut decoded)
                .map_err(|error| ModelError::Protocol(error.to_string()))?;
            for event in decoded.drain(..) {
                if events.take(event)?.is_break() {
                    return Ok(StreamEnd::Whole);
                }
            }
        }
    }

    async fn before_idle<T>(&self, work: impl Future<Output = T>) -> Result<T, ModelError> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.clock.sleep(self.idle) => {
                Err(transient("the provider was silent for longer than `idle_timeout_ms`"))
            }
        }
    }

    /// Takes keys out of an error's text.
    fn clean(&self, error: ModelError) -> ModelError {
        error.map_message(|text| failure::one_line(&self.keys.redact(&text)))
    }
}

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Of two keys' refusals keeps the one that says more: a rate limit passes, a refused key does not.
fn worth_waiting_for(before: Option<ModelError>, now: ModelError) -> ModelError {
    match (before, now) {
        (
            Some(ModelError::RateLimited {
                message,
                retry_after,
            }),
            now,
        ) => match now {
            ModelError::RateLimited {
                retry_after: other, ..
            } => ModelError::RateLimited {
                message,
                // The pool is usable again as soon as its first key is.
                retry_after: retry_after.zip(other).map(|(a, b)| a.min(b)),
            },
            _ => ModelError::RateLimited {
                message,
                retry_after,
            },
        },
        (_, now) => now,
    }
}

fn transient(message: &str) -> ModelError {
    ModelError::Transient {
        message: message.to_owned(),
        retry_after: None,
    }
}

/// Reports a transport's error with its causes but without the address, which may be private.
fn broken(error: reqwest::Error, what: &str) -> ModelError {
    let error = error.without_url();
    let mut message = format!("{what}: {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        message.push_str(": ");
        message.push_str(&inner.to_string());
        cause = inner.source();
    }
    if error.is_builder() {
        return ModelError::Refused(message);
    }
    transient(&message)
}

fn parse_url(base: &str, path: &str) -> Result<Url, RouterError> {
    let bad = |why: &str| RouterError::BaseUrl {
        why: why.to_owned(),
    };
    let url = Url::parse(&format!("{}{path}", base.trim_end_matches('/')))
        .map_err(|error| bad(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("it must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it holds a password; use `api_keys`"));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        tracing::warn!(
            host = url.host_str(),
            "model keys and conversations travel unencrypted"
        );
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Chooses the cryptography of every TLS connection of the process; without it the HTTP client panics.
/// May be called any number of times.
pub fn install_tls() {
    // Fails if one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn client(config: &ProviderConfig, url: &Url) -> Result<Client, RouterError> {
    install_tls();
    let mut builder = Client::builder()
        .user_agent(concat!("sinew/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_millis(config.connect_timeout_ms.max(1)))
        .pool_idle_timeout(CONNECTION_IDLE)
        .tcp_nodelay(true);
    if is_loopback(url) {
        // A proxy of the machine's environment is not the way to the machine itself.
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| RouterError::Client {
        why: error.without_url().to_string(),
    })
}
