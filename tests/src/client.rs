//! A plain HTTP client of the daemon. Every body and every event it receives is held against the contract.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sinew::model::sse::SseDecoder;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::wire::Wire;

/// Longest wait for something that must happen; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Events of a stream that a slow test may be behind.
const EVENTS_AHEAD_MAX: usize = 1_024;
/// The beta that opens the paths of agents, environments and sessions.
pub const BETA: &str = "managed-agents-2026-04-01";

/// Talks to one daemon.
#[derive(Clone)]
pub struct Client {
    /// Address of the daemon.
    pub url: String,
    key: Option<String>,
    http: reqwest::Client,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON body, null if it is none.
    pub body: Value,
    /// The `request-id` header, empty if there is none.
    pub request_id: String,
}

impl Client {
    /// Returns a client of the daemon at `url`.
    pub fn new(url: &str) -> Result<Self> {
        sinew::model::install_tls();
        Ok(Self {
            url: url.to_owned(),
            key: None,
            http: reqwest::Client::builder().no_proxy().build()?,
        })
    }

    /// Returns a client of the same daemon that sends this API key.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    /// Returns a request with the headers that every client sends.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare_request(method, path)
            .header("anthropic-beta", BETA)
    }

    /// Returns a request without a beta.
    pub fn bare_request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Sends a request with a JSON body and returns whatever comes. Errors: no answer, or one that breaks
    /// the contract.
    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Result<Answer> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        self.answer(request).await
    }

    /// Sends a prepared request. Errors as in [`Client::send`].
    pub async fn answer(&self, request: RequestBuilder) -> Result<Answer> {
        let request = request.build()?;
        let method = request.method().to_string();
        let path = request.url().path().to_owned();
        let response = self.http.execute(request).await?;
        let status = response.status().as_u16();
        let request_id = response
            .headers()
            .get("request-id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let text = response.text().await?;
        let body: Value = serde_json::from_str(&text).with_context(|| {
            format!("{method} {path} answered {status} with no JSON: {text:.200}")
        })?;
        let problems = Wire::contract().problems_of_answer(&method, &path, status, &body);
        ensure!(
            problems.is_empty(),
            "{method} {path} answered {status} against the contract:\n  {}\n{body}",
            problems.join("\n  ")
        );
        ensure!(
            request_id.starts_with("req_"),
            "{method} {path} answered without a request-id header: {request_id:?}"
        );
        Ok(Answer {
            status,
            body,
            request_id,
        })
    }

    /// Gets an object; anything but 200 is an error.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.send(Method::GET, path, None).await?;
        ensure!(answer.status == 200, "GET {path}: {answer:?}");
        Ok(answer.body)
    }

    /// Posts an object; anything but 200 is an error.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self
            .send(Method::POST, path, Some(body.to_string()))
            .await?;
        ensure!(answer.status == 200, "POST {path}: {answer:?}");
        Ok(answer.body)
    }

    /// Deletes an object; anything but 200 is an error.
    pub async fn delete(&self, path: &str) -> Result<Value> {
        let answer = self.send(Method::DELETE, path, None).await?;
        ensure!(answer.status == 200, "DELETE {path}: {answer:?}");
        Ok(answer.body)
    }

    /// Creates an agent with the built-in tools, an environment and a session; returns the session's id.
    pub async fn new_session(&self, model: &str) -> Result<String> {
        let tools = json!([{"type": "agent_toolset_20260401"}]);
        self.new_session_with(model, &tools).await
    }

    /// Creates an agent with these tools, an environment and a session; returns the session's id.
    pub async fn new_session_with(&self, model: &str, tools: &Value) -> Result<String> {
        let agent = json!({"name": "tester", "model": model, "tools": tools});
        let agent = self.post("/v1/agents", &agent).await?;
        let environment = self
            .post("/v1/environments", &json!({"name": agent["id"]}))
            .await?;
        let session = self
            .post(
                "/v1/sessions",
                &json!({"agent": agent["id"], "environment_id": environment["id"]}),
            )
            .await?;
        Ok(session["id"].as_str().context("no id")?.to_owned())
    }

    /// Sends a user message.
    pub async fn message(&self, session: &str, text: &str) -> Result<Value> {
        let event = json!({"type": "user.message", "content": [{"type": "text", "text": text}]});
        self.send_events(session, json!([event])).await
    }

    /// Sends events.
    pub async fn send_events(&self, session: &str, events: Value) -> Result<Value> {
        let path = format!("/v1/sessions/{session}/events");
        self.post(&path, &json!({ "events": events })).await
    }

    /// Returns all events of a session in order.
    pub async fn events(&self, session: &str) -> Result<Vec<Value>> {
        self.list(&format!("/v1/sessions/{session}/events?limit=1000"))
            .await
    }

    /// Returns all items of a list with cursors; `path` has a query.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut page = String::new();
        loop {
            let mut answer = self.get(&format!("{path}{page}")).await?;
            if let Some(data) = answer["data"].as_array_mut() {
                items.append(data);
            }
            match answer["next_page"].as_str() {
                Some(next) => page = format!("&page={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Opens a session's stream; what happens after the return is on it.
    pub async fn stream(&self, session: &str, query: &str) -> Result<Stream> {
        self.stream_at(&format!("/v1/sessions/{session}/events/stream{query}"))
            .await
    }

    /// Opens the stream at `path`.
    pub async fn stream_at(&self, path: &str) -> Result<Stream> {
        let response = self.request(Method::GET, path).send().await?;
        ensure!(response.status() == 200, "stream: {}", response.status());
        let content_type = response.headers().get("content-type");
        ensure!(
            content_type.is_some_and(|value| value == "text/event-stream"),
            "stream: content-type {content_type:?}"
        );
        let (send, events) = mpsc::channel(EVENTS_AHEAD_MAX);
        let path = path.to_owned();
        let reader = tokio::spawn(async move {
            let mut chunks = response.bytes_stream();
            let mut decoder = SseDecoder::default();
            let mut decoded = Vec::new();
            while let Some(Ok(chunk)) = chunks.next().await {
                if let Err(error) = decoder.push(&chunk, &mut decoded) {
                    let _ = send.send(Err(error.to_string())).await;
                    return;
                }
                for event in decoded.drain(..) {
                    if event.name == "ping" {
                        continue;
                    }
                    if send
                        .send(read_event(&path, &event.name, &event.data))
                        .await
                        .is_err()
                    {
                        return;
                    }
                }
            }
        });
        Ok(Stream { events, reader })
    }

    /// Waits until the session's newest event is an idle one with this stop reason, and returns all events.
    pub async fn until_idle(&self, session: &str, reason: &str) -> Result<Vec<Value>> {
        let mut stream = self.stream(session, "").await?;
        let waiting = async {
            loop {
                let events = self.events(session).await?;
                if idle_reason(&events) == Some(reason) {
                    return Ok(events);
                }
                // Whatever happens next is a reason to look again.
                if stream.next().await?.is_none() {
                    stream = self.stream(session, "").await?;
                }
            }
        };
        if let Ok(result) = tokio::time::timeout(PATIENCE, waiting).await {
            return result;
        }
        let events = self.events(session).await?;
        let newest: Vec<String> = events.iter().rev().take(5).map(Value::to_string).collect();
        bail!("the session did not become idle ({reason}); newest first: {newest:#?}")
    }
}

/// Returns the stop reason if the session's newest event is an idle one and nothing waits in its queue.
pub fn idle_reason(events: &[Value]) -> Option<&str> {
    if events.iter().any(|event| event["processed_at"].is_null()) {
        return None;
    }
    let last = events.last()?;
    match last["type"].as_str() {
        Some("session.status_idle") => last["stop_reason"]["type"].as_str(),
        _ => None,
    }
}

fn read_event(path: &str, name: &str, data: &str) -> Result<Value, String> {
    let value = serde_json::from_str(data).map_err(|error| format!("{error}: {data}"))?;
    let problems = Wire::contract().problems_of_event(path, name, &value);
    if problems.is_empty() {
        return Ok(value);
    }
    Err(format!(
        "an event breaks the contract:\n  {}\n{data}",
        problems.join("\n  ")
    ))
}

/// An open stream; dropping it closes its connection.
pub struct Stream {
    events: mpsc::Receiver<Result<Value, String>>,
    reader: JoinHandle<()>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // It would hold the connection until the next event.
        self.reader.abort();
    }
}

impl Stream {
    /// Returns the next event, `None` at the end of the stream. Errors: it breaks the contract, or nothing
    /// comes.
    pub async fn next(&mut self) -> Result<Option<Value>> {
        let next = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        match next.context("nothing came on the stream")? {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(problem)) => bail!(problem),
        }
    }

    /// Reads until an event of this type, and returns everything up to it.
    pub async fn until(&mut self, kind: &str) -> Result<Vec<Value>> {
        let mut seen = Vec::new();
        while let Some(event) = self.next().await? {
            let is_it = event["type"] == kind;
            seen.push(event);
            if is_it {
                return Ok(seen);
            }
        }
        bail!("the stream ended before {kind}; it held {seen:?}")
    }

    /// Reads to the end of the stream.
    pub async fn rest(&mut self) -> Result<Vec<Value>> {
        let mut seen = Vec::new();
        while let Some(event) = self.next().await? {
            seen.push(event);
        }
        Ok(seen)
    }
}
