//! A recording proxy between an SDK and the daemon: it hands everything on as it comes, holds every JSON body
//! and every event against the contract, and remembers which calls were made by whom.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::wire::Wire;

/// Largest request body that is handed on.
const BODY_BYTES_MAX: usize = 64 << 20;
/// By this header a scenario says its name.
const SCENARIO: &str = "x-scenario";
/// Headers that belong to one connection.
const HOP_BY_HOP: [header::HeaderName; 3] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::CONTENT_LENGTH,
];

/// Which SDK made a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sdk {
    /// Python's blocking client.
    Python,
    /// Python's asyncio client.
    PythonAsync,
    /// TypeScript's client.
    TypeScript,
}

/// One call that went through.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who made it; `None` for what is no official SDK.
    pub sdk: Option<Sdk>,
    /// The scenario that it belongs to; empty when it did not say.
    pub scenario: String,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
}

/// What went through.
#[derive(Default)]
struct Record {
    calls: Vec<Call>,
    problems: Vec<String>,
}

/// A running proxy; it ends when it is dropped.
pub struct Proxy {
    /// Where it listens: `http://127.0.0.1:port`.
    pub url: String,
    record: Arc<Mutex<Record>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    upstream: Arc<str>,
    http: reqwest::Client,
    record: Arc<Mutex<Record>>,
}

impl Proxy {
    /// Starts a proxy in front of the server at `upstream`.
    pub async fn start(upstream: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address: SocketAddr = listener.local_addr()?;
        let record = Arc::new(Mutex::new(Record::default()));
        let shared = Shared {
            upstream: upstream.into(),
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()?,
            record: record.clone(),
        };
        let router = Router::new().fallback(hand_on).with_state(shared);
        let server = tokio::spawn(async move {
            // It ends with its task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            url: format!("http://{address}"),
            record,
            server,
        })
    }

    /// Returns the calls so far, in the order of their answers.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.record).calls.clone()
    }

    /// Returns what broke the contract so far.
    pub fn problems(&self) -> Vec<String> {
        lock(&self.record).problems.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn hand_on(State(shared): State<Shared>, request: Request) -> Response {
    match exchange(&shared, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn exchange(shared: &Shared, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().map(|query| format!("?{query}"));
    let url = format!("{}{path}{}", shared.upstream, query.unwrap_or_default());
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await?;
    let mut headers = parts.headers.clone();
    headers.remove(header::HOST);
    let has_body = headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING);
    strip(&mut headers);
    let mut outgoing = shared
        .http
        .request(parts.method.clone(), url)
        .headers(headers);
    if has_body {
        outgoing = outgoing.body(body);
    }
    let answer = outgoing.send().await?;
    let status = answer.status();
    lock(&shared.record).calls.push(Call {
        sdk: sdk(&parts.headers),
        scenario: text(&parts.headers, SCENARIO).to_owned(),
        method: parts.method.to_string(),
        path: path.clone(),
        status: status.as_u16(),
    });
    let mut headers = answer.headers().clone();
    strip(&mut headers);
    let mut check = Check {
        method: parts.method.to_string(),
        path,
        status: status.as_u16(),
        kind: text(&headers, "content-type").to_owned(),
        bytes: answer.content_length(),
        seen: Vec::new(),
        record: shared.record.clone(),
    };
    let content = answer.bytes_stream().map(move |part| {
        if let Ok(part) = &part {
            check.feed(part);
        }
        part
    });
    let mut response = Response::new(Body::from_stream(content));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn strip(headers: &mut HeaderMap) {
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn sdk(headers: &HeaderMap) -> Option<Sdk> {
    match (
        text(headers, "x-stainless-lang"),
        text(headers, "x-stainless-async"),
    ) {
        ("python", "false") => Some(Sdk::Python),
        ("python", _) => Some(Sdk::PythonAsync),
        ("js", _) => Some(Sdk::TypeScript),
        _ => None,
    }
}

/// Reads along with one answer. What is checked at the end is checked when it is dropped: a reader that
/// leaves early has seen no more.
struct Check {
    method: String,
    path: String,
    status: u16,
    kind: String,
    /// Size of the body, where it was told.
    bytes: Option<u64>,
    seen: Vec<u8>,
    record: Arc<Mutex<Record>>,
}

impl Check {
    fn feed(&mut self, part: &Bytes) {
        if self.kind.starts_with("text/event-stream") {
            self.seen.extend_from_slice(part);
            while let Some(end) = self.seen.windows(2).position(|pair| pair == b"\n\n") {
                let frame: Vec<u8> = self.seen.drain(..end + 2).collect();
                self.frame(&String::from_utf8_lossy(&frame));
            }
        } else if self.kind.starts_with("application/json") {
            self.seen.extend_from_slice(part);
        }
    }

    fn frame(&self, frame: &str) {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
        let (Some(name), Some(data)) = (field("event: "), field("data: ")) else {
            return;
        };
        match serde_json::from_str::<Value>(data) {
            Ok(event) if event["type"] == "ping" => {}
            Ok(event) => {
                let problems = Wire::contract().problems_of_event(&self.path, name, &event);
                self.report(problems, data);
            }
            Err(error) => self.report(vec![error.to_string()], data),
        }
    }

    fn report(&self, problems: Vec<String>, shown: &str) {
        let mut record = lock(&self.record);
        for problem in problems {
            let Self { method, path, .. } = self;
            record.problems.push(format!(
                "{method} {path} ({}): {problem}\n    {shown:.2000}",
                self.status
            ));
        }
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        let is_whole = self
            .bytes
            .is_none_or(|bytes| bytes == self.seen.len() as u64);
        if !self.kind.starts_with("application/json") || !is_whole {
            return;
        }
        let shown = String::from_utf8_lossy(&self.seen);
        let problems = match serde_json::from_slice::<Value>(&self.seen) {
            Ok(body) => {
                Wire::contract().problems_of_answer(&self.method, &self.path, self.status, &body)
            }
            Err(error) => vec![format!("no JSON: {error}")],
        };
        self.report(problems, &shown);
    }
}
