//! A small client of the daemon's HTTP API, for the commands.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use reqwest::multipart::Form;
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::json::Fields as _;
use crate::model::sse::{SseDecoder, SseEvent};

/// Events that a stream may be ahead of its reader.
const EVENTS_AHEAD_MAX: usize = 256;
const BETA: &str = "managed-agents-2026-04-01";

/// Talks to one daemon.
#[derive(Clone)]
pub(super) struct Client {
    base: String,
    key: Option<String>,
    http: reqwest::Client,
}

impl Client {
    pub(super) fn new(base: &str, key: Option<String>) -> Result<Self> {
        crate::model::install_tls();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .no_proxy()
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            key,
            http,
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Value> {
        self.call(Method::DELETE, path, None).await
    }

    /// Reads every page of a list; `path` may carry a query.
    pub(super) async fn all(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut page: Option<String> = None;
        loop {
            let with_page = match &page {
                None => path.to_owned(),
                Some(page) => {
                    let joint = if path.contains('?') { '&' } else { '?' };
                    format!("{path}{joint}page={page}")
                }
            };
            let mut answer = self.get(&with_page).await?;
            if let Some(data) = answer.at_mut("data").as_array_mut() {
                items.append(data);
            }
            match answer.at("next_page").as_str() {
                Some(next) => page = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    /// Sends a form; its parts are made as they are sent.
    pub(super) async fn post_form(&self, path: &str, form: Form) -> Result<Value> {
        self.answer(self.request(Method::POST, path).multipart(form))
            .await
    }

    /// Sends a content of any size, as it is.
    pub(super) async fn post_body(&self, path: &str, body: Body) -> Result<Value> {
        self.answer(self.request(Method::POST, path).body(body))
            .await
    }

    /// Asks for a content of any size; it is still to be read.
    pub(super) async fn content(&self, path: &str) -> Result<Response> {
        self.accepted(self.request(Method::GET, path)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.answer(request).await
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Value> {
        let response = self.accepted(request).await?;
        let text = response.text().await.context("the answer broke off")?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Sends a request. Errors: the daemon does not answer, or refuses it.
    async fn accepted(&self, request: RequestBuilder) -> Result<Response> {
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.context("the answer broke off")?;
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        match answer.at("error").at("message").as_str() {
            Some(message) if status == StatusCode::UNAUTHORIZED => bail!(
                "{message} ({status}); give a key with --api-key or SINEW_API_KEY, \"sinew key create\" makes one"
            ),
            Some(message) => bail!("{message} ({status})"),
            None => bail!(
                "{} answered {status}, but not as a sinew daemon does",
                self.base
            ),
        }
    }

    /// Opens a session's stream. Returns once the daemon has accepted it, so what is sent afterwards is
    /// seen on it.
    pub(super) async fn stream(
        &self,
        session_id: &str,
        previews: bool,
    ) -> Result<mpsc::Receiver<Result<Value>>> {
        self.stream_of(&path_of_stream(session_id, previews)).await
    }

    /// Opens the stream at a path.
    pub(super) async fn stream_of(&self, path: &str) -> Result<mpsc::Receiver<Result<Value>>> {
        let response = self.content(path).await?;
        let (send, receive) = mpsc::channel(EVENTS_AHEAD_MAX);
        tokio::spawn(async move {
            let mut chunks = response.bytes_stream();
            let mut decoder = SseDecoder::default();
            let mut events: Vec<SseEvent> = Vec::new();
            while let Some(chunk) = chunks.next().await {
                let decoded = match chunk {
                    Ok(chunk) => decoder
                        .push(&chunk, &mut events)
                        .context("the stream is malformed"),
                    Err(error) => Err(anyhow::Error::new(error).context("the stream broke off")),
                };
                if let Err(error) = decoded {
                    let _ = send.send(Err(error)).await;
                    return;
                }
                for event in events.drain(..) {
                    let Ok(value) = serde_json::from_str::<Value>(&event.data) else {
                        continue;
                    };
                    if event.name != "ping" && send.send(Ok(value)).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(receive)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("anthropic-beta", BETA);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        request
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        if error.is_connect() {
            anyhow::anyhow!(
                "no daemon answers at {}; start one with \"sinew serve\", or name another with --url",
                self.base
            )
        } else {
            anyhow::Error::new(error).context(format!("the request to {} failed", self.base))
        }
    }
}

fn path_of_stream(session_id: &str, previews: bool) -> String {
    if previews {
        let deltas = "event_deltas[]=agent.message&event_deltas[]=agent.thinking";
        format!("/sinew/v1/sessions/{session_id}/stream?{deltas}")
    } else {
        format!("/v1/sessions/{session_id}/events/stream")
    }
}
