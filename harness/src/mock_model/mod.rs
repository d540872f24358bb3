//! A scripted model behind real HTTP: the Messages API and chat completions, streamed and whole.
//!
//! The answer is chosen from the request, so a daemon that was killed and asks again hears the same. Beside
//! the two APIs there are `GET /healthz`, `GET /mock/state` (requests so far, answers that wait) and
//! `POST /mock/release`, which lets every waiting answer go on.

pub mod ask;
mod check;
mod play;
mod reply;
pub mod script;
mod wire;

#[cfg(test)]
mod provider_tests;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::ask::Ask;
use self::play::Play;
use self::reply::Reply;
use self::script::{HttpError, Step};
pub use self::script::{Script, ScriptError};
use self::wire::Format;

/// Largest request in bytes, as at the real API.
const REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How many requests are remembered; older ones are forgotten.
pub const REQUESTS_RECORDED_MAX: usize = 1024;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// E.g. `/v1/messages`.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null if it was not JSON.
    pub body: Value,
}

struct Shared {
    script: Script,
    count: AtomicU64,
    recorded: Mutex<VecDeque<RecordedRequest>>,
    hanging: watch::Sender<usize>,
    releases: watch::Sender<u64>,
    closing: CancellationToken,
}

impl Shared {
    /// Waits for a release, or for the server's end.
    async fn hang(&self) {
        struct Hanging<'a>(&'a watch::Sender<usize>);
        impl Drop for Hanging<'_> {
            fn drop(&mut self) {
                self.0.send_modify(|count| *count = count.saturating_sub(1));
            }
        }
        // Listens before it is seen to wait: a release right after that is not missed.
        let mut releases = self.releases.subscribe();
        self.hanging.send_modify(|count| *count += 1);
        let _hanging = Hanging(&self.hanging);
        tokio::select! {
            _ = releases.changed() => {}
            () = self.closing.cancelled() => {}
        }
    }

    fn release(&self) {
        self.releases.send_modify(|count| *count += 1);
    }

    fn record(&self, request: RecordedRequest) -> u64 {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.len() >= REQUESTS_RECORDED_MAX {
            recorded.pop_front();
        }
        recorded.push_back(request);
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// A running mock model; it ends when this is dropped.
pub struct MockModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<io::Result<()>>,
}

/// Begins to answer requests at `listener`.
pub fn serve(listener: TcpListener, script: Script) -> io::Result<MockModel> {
    let address = listener.local_addr()?;
    let shared = Arc::new(Shared {
        script,
        count: AtomicU64::new(0),
        recorded: Mutex::new(VecDeque::new()),
        hanging: watch::Sender::new(0),
        releases: watch::Sender::new(0),
        closing: CancellationToken::new(),
    });
    let routes = axum::Router::new()
        .route("/v1/messages", post(messages))
        .route("/v1/chat/completions", post(chat))
        .route("/healthz", get(async || "ok"))
        .route("/mock/state", get(state))
        .route("/mock/release", post(release))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(shared.clone());
    let listener = listener.tap_io(|stream| {
        // Pieces are sent as they are, not gathered. Without it they only come later.
        let _ = stream.set_nodelay(true);
    });
    let closing = shared.closing.clone();
    let server = axum::serve(listener, routes).with_graceful_shutdown(closing.cancelled_owned());
    Ok(MockModel {
        address,
        shared,
        server: tokio::spawn(server.into_future()),
    })
}

impl MockModel {
    /// Returns its address, e.g. `http://127.0.0.1:4101`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the latest requests, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        let recorded = self
            .shared
            .recorded
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        recorded.iter().cloned().collect()
    }

    /// Returns how many requests came so far.
    pub fn request_count(&self) -> u64 {
        self.shared.count.load(Ordering::SeqCst)
    }

    /// Waits until exactly `count` answers wait for a release.
    pub async fn wait_hanging(&self, count: usize) {
        let mut hanging = self.shared.hanging.subscribe();
        // The sender lives as long as `self`.
        let _ = hanging.wait_for(|now| *now == count).await;
    }

    /// Lets every waiting answer go on.
    pub fn release(&self) {
        self.shared.release();
    }

    /// Serves until the listener fails.
    pub async fn finished(&mut self) -> io::Result<()> {
        (&mut self.server).await.map_err(io::Error::other)?
    }

    /// Ends the server: waiting answers go on, running ones are completed.
    pub async fn shutdown(mut self) -> io::Result<()> {
        self.shared.closing.cancel();
        self.finished().await
    }
}

impl Drop for MockModel {
    fn drop(&mut self) {
        self.shared.closing.cancel();
        self.server.abort();
    }
}

async fn state(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let requests = shared.count.load(Ordering::SeqCst);
    let hanging = *shared.hanging.borrow();
    Json(json!({"requests": requests, "hanging": hanging}))
}

async fn release(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.release();
    StatusCode::NO_CONTENT
}

async fn messages(state: State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(state, Format::Messages, headers, body).await
}

async fn chat(state: State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(state, Format::Chat, headers, body).await
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    format: Format,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut ask = match format {
        Format::Messages => Ask::from_messages(&body),
        Format::Chat => Ask::from_chat(&body),
    };
    ask.api_key = api_key(format, &headers);
    let path = match format {
        Format::Messages => "/v1/messages",
        Format::Chat => "/v1/chat/completions",
    };
    ask.number = shared.record(RecordedRequest {
        path: path.to_owned(),
        headers: headers.clone(),
        body: body.clone(),
    });
    if let Err(refusal) = admit(&shared.script, format, &headers, &body, &ask) {
        return refused(format, &refusal, ask.number);
    }
    let Some(step) = ask.step(&shared.script) else {
        let message = format!("the script says nothing at turn {}", ask.turn);
        return refused(format, &error(400, message), ask.number);
    };
    if step.hang {
        shared.hang().await;
    }
    if let Some(error) = &step.error {
        return refused(format, error, ask.number);
    }
    let reply = Reply::new(step, &ask);
    if !ask.is_streamed {
        return Json(format.whole(&reply)).into_response();
    }
    stream(&shared, format, step, &ask, &reply)
}

fn stream(shared: &Arc<Shared>, format: Format, step: &Step, ask: &Ask, reply: &Reply) -> Response {
    let chars = step.chunk_chars.unwrap_or(shared.script.chunk_chars);
    let delay = step.delay_ms.unwrap_or(shared.script.delay_ms);
    let frames = format.frames(reply, chars, ask.includes_usage);
    let delay = Duration::from_millis(delay);
    let body = Play::new(frames, step, format, delay, shared.clone()).body();
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body).into_response()
}

/// Checks what the real API checks before any model hears of the request.
fn admit(
    script: &Script,
    format: Format,
    headers: &HeaderMap,
    body: &Value,
    ask: &Ask,
) -> Result<(), HttpError> {
    if !script.api_keys.is_empty() && !script.api_keys.contains(&ask.api_key) {
        return Err(error(401, "invalid API key".into()));
    }
    if !body.is_object() {
        return Err(error(400, "the request body is not a JSON object".into()));
    }
    if !script.strict {
        return Ok(());
    }
    let checked = match format {
        Format::Messages if ask.api_key.is_empty() => {
            return Err(error(401, "x-api-key header is required".into()));
        }
        Format::Messages if !headers.contains_key("anthropic-version") => {
            Err("anthropic-version: header is required".to_owned())
        }
        Format::Messages => check::messages(body),
        Format::Chat => check::chat(body),
    };
    checked.map_err(|message| error(400, message))
}

fn api_key(format: Format, headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|text| text.strip_prefix("Bearer "));
    let key = match format {
        Format::Messages => text("x-api-key").or(bearer),
        Format::Chat => bearer,
    };
    key.unwrap_or_default().to_owned()
}

fn error(status: u16, message: String) -> HttpError {
    HttpError {
        status,
        kind: None,
        message: Some(message),
        retry_after: None,
        should_retry: None,
    }
}

fn refused(format: Format, error: &HttpError, number: u64) -> Response {
    let kind = error.kind.as_deref().unwrap_or(match error.status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    });
    let message = error.message.as_deref().unwrap_or("scripted error");
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(format.error(kind, message))).into_response();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&format!("req_mock_{number}")) {
        headers.insert("request-id", id);
    }
    if let Some(seconds) = error.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(should) = error.should_retry {
        let should = if should { "true" } else { "false" };
        headers.insert("x-should-retry", HeaderValue::from_static(should));
    }
    response
}
