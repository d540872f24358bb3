//! A plain HTTP client of the daemon.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use sinew::model::sse::SseDecoder;
use tokio::sync::mpsc;

/// Longest wait for something that must happen; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Talks to one daemon.
#[derive(Clone)]
pub struct Client {
    /// Address of the daemon.
    pub url: String,
    http: reqwest::Client,
}

/// Status and body of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON body, null if it is none.
    pub body: Value,
}

impl Client {
    /// Returns a client of the daemon at `url`.
    pub fn new(url: &str) -> Result<Self> {
        sinew::model::install_tls();
        Ok(Self {
            url: url.to_owned(),
            http: reqwest::Client::builder().no_proxy().build()?,
        })
    }

    /// Sends a request and returns whatever comes.
    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Result<Answer> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header("anthropic-beta", "managed-agents-2026-04-01");
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
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

    /// Creates an agent with the built-in tools, an environment and a session; returns the session's id.
    pub async fn new_session(&self, model: &str) -> Result<String> {
        let agent = self
            .post(
                "/v1/agents",
                &json!({"name": "tester", "model": model,
                    "tools": [{"type": "agent_toolset_20260401"}]}),
            )
            .await?;
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
        let path = format!("/v1/sessions/{session}/events");
        self.post(&path, &json!({"events": [event]})).await
    }

    /// Returns all events of a session in order.
    pub async fn events(&self, session: &str) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        let mut page = String::new();
        loop {
            let path = format!("/v1/sessions/{session}/events?limit=1000{page}");
            let mut answer = self.get(&path).await?;
            if let Some(data) = answer["data"].as_array_mut() {
                events.append(data);
            }
            match answer["next_page"].as_str() {
                Some(next) => page = format!("&page={next}"),
                None => return Ok(events),
            }
        }
    }

    /// Opens a session's stream; what happens after the return is on it.
    pub async fn stream(&self, session: &str, query: &str) -> Result<Stream> {
        let response = self
            .http
            .get(format!(
                "{}/v1/sessions/{session}/events/stream{query}",
                self.url
            ))
            .header("anthropic-beta", "managed-agents-2026-04-01")
            .send()
            .await?;
        ensure!(response.status() == 200, "stream: {}", response.status());
        let (send, events) = mpsc::channel(1_024);
        tokio::spawn(async move {
            let mut chunks = response.bytes_stream();
            let mut decoder = SseDecoder::default();
            let mut decoded = Vec::new();
            while let Some(Ok(chunk)) = chunks.next().await {
                if decoder.push(&chunk, &mut decoded).is_err() {
                    return;
                }
                for event in decoded.drain(..) {
                    let Ok(value) = serde_json::from_str::<Value>(&event.data) else {
                        continue;
                    };
                    if event.name != "ping" && send.send(value).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Stream { events })
    }

    /// Waits until the session's newest event is an idle one with this stop reason, and returns all events.
    pub async fn until_idle(&self, session: &str, reason: &str) -> Result<Vec<Value>> {
        let mut stream = self.stream(session, "").await?;
        let waiting = async {
            loop {
                let events = self.events(session).await?;
                let last = events
                    .iter()
                    .rev()
                    .find(|event| !event["processed_at"].is_null());
                let is_idle = last.is_some_and(|last| {
                    last["type"] == "session.status_idle" && last["stop_reason"]["type"] == reason
                });
                if is_idle {
                    return Ok(events);
                }
                // Whatever happens next is a reason to look again.
                if stream.next().await.is_none() {
                    stream = self.stream(session, "").await?;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .with_context(|| format!("the session did not become idle ({reason})"))?
    }
}

/// An open stream.
pub struct Stream {
    events: mpsc::Receiver<Value>,
}

impl Stream {
    /// Returns the next event, `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Value> {
        self.events.recv().await
    }

    /// Reads until an event of this type, and returns everything up to it.
    pub async fn until(&mut self, kind: &str) -> Result<Vec<Value>> {
        let reading = async {
            let mut seen = Vec::new();
            while let Some(event) = self.next().await {
                let is_it = event["type"] == kind;
                seen.push(event);
                if is_it {
                    return Ok(seen);
                }
            }
            anyhow::bail!("the stream ended before {kind}; it held {seen:?}")
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .with_context(|| format!("no {kind} came"))?
    }
}
