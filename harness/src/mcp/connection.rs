//! One open connection to an MCP server: its tools, and calls of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, CancelledNotificationParam,
    ClientCapabilities, ClientRequest, ErrorCode, Implementation, InitializeRequestParams,
    PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion, RequestMetaObject,
    ServerResult,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RunningService, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::content::{Answer, answer};
use super::error::{CallError, McpError};
use super::http::{Http, HttpError};
use super::listed::Listing;
use super::sse::SseTransportError;
use super::stdio::{self, StdioError};
use super::{CONNECT_TIMEOUT, OnBehalfOf};

/// Field of `_meta` with a call's idempotency key: the same for a call that is made again after a crash.
const IDEMPOTENCY_KEY: &str = "io.sinew/idempotency-key";
/// Pages of one list of tools.
const PAGES_MAX: usize = 64;
/// Longest wait for a server to hear that a call is cancelled, or that the connection ends.
const GOODBYE_PATIENCE: Duration = Duration::from_secs(2);
/// Characters of a line of progress.
const PROGRESS_LINE_CHARS_MAX: usize = 2_000;
/// Characters of a server's own words on a failure.
const TOLD_CHARS_MAX: usize = 2_000;

/// Takes what a call says of its progress.
pub type ProgressSink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// How long a call may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallLimits {
    /// Without a word of progress.
    pub quiet_max: Duration,
    /// At all.
    pub total_max: Duration,
}

/// What listens to the server.
#[derive(Clone, Default)]
pub(super) struct Listener {
    has_changed: Arc<AtomicBool>,
    /// Where the progress of the call under way goes; a session makes one call at a time.
    progress: Arc<Mutex<Option<ProgressSink>>>,
}

impl Listener {
    fn set_progress(&self, sink: Option<ProgressSink>) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = sink;
    }
}

impl ClientHandler for Listener {
    fn get_info(&self) -> InitializeRequestParams {
        // No sampling, no roots, no questions to a person: nobody here would answer them.
        let capabilities = ClientCapabilities::default();
        let own = Implementation::new("sinew", env!("CARGO_PKG_VERSION"));
        InitializeRequestParams::new(capabilities, own)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        let sink = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sink) = sink.clone() else { return };
        let how_far = match params.total {
            Some(total) => format!("{}/{total}", params.progress),
            None => params.progress.to_string(),
        };
        let message = params.message.unwrap_or_default();
        let message: String = message.chars().take(PROGRESS_LINE_CHARS_MAX).collect();
        sink(format!("[{how_far}] {message}\n").as_bytes());
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.has_changed.store(true, Ordering::Release);
    }
}

/// An open connection. Dropping it ends it without a word to the server; [`Connection::close`] says goodbye.
pub struct Connection {
    pub(super) server: String,
    pub(super) service: RunningService<RoleClient, Listener>,
    pub(super) listener: Listener,
    /// None of a server that is reached in another way.
    pub(super) http: Option<Http>,
    /// What the environment allowed when it was opened.
    pub(super) networking: Value,
}

impl Connection {
    /// Returns whether the server ended the connection.
    pub fn is_closed(&self) -> bool {
        self.service.is_closed() || self.service.peer().is_transport_closed()
    }

    /// Returns whether the session's environment allows what it did when the connection was opened.
    pub fn is_within(&self, who: &OnBehalfOf) -> bool {
        self.networking == who.networking
    }

    /// Returns whether the server said that its tools are others than the last that were listed.
    pub fn has_changed(&self) -> bool {
        self.listener.has_changed.load(Ordering::Acquire)
    }

    /// Returns the server's tools, each with `name`, `description`, `input_schema` and `is_repeatable`, as far as they
    /// can be offered to a model.
    pub async fn tools(&self) -> Result<Vec<Value>, McpError> {
        self.listener.has_changed.store(false, Ordering::Release);
        let listed = tokio::time::timeout(CONNECT_TIMEOUT, self.list()).await;
        let late = || McpError::Connection("it did not list its tools in time".to_owned());
        let listed = listed.unwrap_or_else(|_| Err(late()));
        let info = self.service.peer().peer_info();
        let says_none = info.is_some_and(|info| info.capabilities.tools.is_none());
        match listed {
            // Some have tools and do not say so.
            Err(McpError::Connection(_)) if says_none => Ok(Vec::new()),
            listed => listed,
        }
    }

    async fn list(&self) -> Result<Vec<Value>, McpError> {
        let mut listing = Listing::default();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let params = PaginatedRequestParams::default().with_cursor(cursor);
            let page = self.service.peer().list_tools(Some(params)).await;
            let page = page.map_err(|error| self.failed("its tools cannot be listed", &error))?;
            if !listing.add(page.tools) {
                break;
            }
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        Ok(listing.finish(&self.server))
    }

    /// Calls a tool. `key` is the same for a call that is made again. Once `cancel` is cancelled, the server is told and
    /// nothing more is waited for. Errors: see [`CallError`].
    pub async fn call(
        &self,
        tool: &str,
        input: Map<String, Value>,
        key: &str,
        limits: CallLimits,
        progress: ProgressSink,
        cancel: &CancellationToken,
    ) -> Result<Answer, CallError> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(input);
        let request = CallToolRequest::new(params);
        let mut meta = RequestMetaObject::new();
        meta.insert(IDEMPOTENCY_KEY.to_owned(), Value::String(key.to_owned()));
        let options = PeerRequestOptions::with_timeout(limits.quiet_max)
            .reset_timeout_on_progress()
            .with_max_total_timeout(limits.total_max)
            .with_meta(meta);
        self.listener.set_progress(Some(progress));
        let asked = self.ask(ClientRequest::CallToolRequest(request), options, cancel);
        let asked = asked.await;
        self.listener.set_progress(None);
        asked.map(answer)
    }

    async fn ask(
        &self,
        request: ClientRequest,
        options: PeerRequestOptions,
        cancel: &CancellationToken,
    ) -> Result<CallToolResult, CallError> {
        let peer = self.service.peer();
        let handle = peer.send_request_with_option(request, options).await;
        let handle = handle.map_err(|error| self.call_error(&error))?;
        let id = handle.id.clone();
        tokio::select! {
            response = handle.await_response() => match response {
                Ok(ServerResult::CallToolResult(result)) => Ok(result),
                Ok(ServerResult::EmptyResult(_)) => Ok(CallToolResult::success(Vec::new())),
                Ok(ServerResult::InputRequiredResult(_)) => Err(CallError::Refused(
                    "the tool asks for something that only a person could answer".to_owned(),
                )),
                Ok(_) => Err(CallError::Unknown(
                    "the server answered with something that is no result".to_owned(),
                )),
                Err(error) => Err(self.call_error(&error)),
            },
            () = cancel.cancelled() => {
                let reason = Some("the session was interrupted".to_owned());
                let cancelled = CancelledNotificationParam::new(Some(id), reason);
                let told = peer.notify_cancelled(cancelled);
                if !matches!(tokio::time::timeout(GOODBYE_PATIENCE, told).await, Ok(Ok(()))) {
                    tracing::debug!(server = self.server, "a server did not hear of a cancellation");
                }
                Err(CallError::Interrupted)
            }
        }
    }

    fn call_error(&self, error: &ServiceError) -> CallError {
        match error {
            ServiceError::McpError(error) => {
                let message = self.clean(&error.message);
                match error.code {
                    ErrorCode::INVALID_PARAMS
                    | ErrorCode::INVALID_REQUEST
                    | ErrorCode::METHOD_NOT_FOUND
                    | ErrorCode::PARSE_ERROR => CallError::Refused(message),
                    _ => CallError::Unknown(format!("the server failed: {message}")),
                }
            }
            ServiceError::TransportSend(sent) => match is_unsent(&*sent.error) {
                true => CallError::NotMade(self.failed("the call was not made", error)),
                false => CallError::Unknown(self.why(error)),
            },
            ServiceError::Timeout { .. } => {
                CallError::Unknown("the server did not answer in time".to_owned())
            }
            ServiceError::TransportClosed => {
                CallError::Unknown("the connection to the server was lost".to_owned())
            }
            error => CallError::Unknown(self.clean(&error.to_string())),
        }
    }

    /// Returns why the server does not serve.
    fn failed(&self, what: &str, error: &ServiceError) -> McpError {
        if let Some(refusal) = self.http.as_ref().and_then(Http::take_refusal) {
            return McpError::Authentication(refusal);
        }
        McpError::Connection(format!("{what}: {}", self.why(error)))
    }

    fn why(&self, error: &ServiceError) -> String {
        match self.http.as_ref().and_then(Http::take_failure) {
            Some(failure) => failure,
            None => self.clean(&error.to_string()),
        }
    }

    fn clean(&self, text: &str) -> String {
        let text = match &self.http {
            Some(http) => http.clean(text),
            None => text.to_owned(),
        };
        text.chars().take(TOLD_CHARS_MAX).collect()
    }

    /// Ends the connection and tells the server, within bounded time.
    pub async fn close(mut self) {
        let closed = self.service.close_with_timeout(GOODBYE_PATIENCE).await;
        if !matches!(closed, Ok(Some(_))) {
            tracing::debug!(server = self.server, "an MCP server did not say goodbye");
        }
    }
}

/// Tells whether a request that failed cannot have reached the server.
fn is_unsent(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<StreamableHttpError<HttpError>>() {
        return match error {
            StreamableHttpError::Client(error) => !error.may_have_arrived(),
            StreamableHttpError::AuthRequired(_)
            | StreamableHttpError::InsufficientScope(_)
            | StreamableHttpError::SessionExpired
            | StreamableHttpError::ReinitializationFailed(_) => true,
            _ => false,
        };
    }
    match error.downcast_ref::<SseTransportError>() {
        Some(SseTransportError::Http(error)) => !error.may_have_arrived(),
        Some(SseTransportError::Message(_)) => true,
        _ => error
            .downcast_ref::<StdioError>()
            .is_some_and(stdio::is_unsent),
    }
}
