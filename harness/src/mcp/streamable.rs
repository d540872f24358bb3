//! The SDK's streamable HTTP transport over [`Http`].

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, HttpStatusError, SseError, StreamableHttpClient, StreamableHttpError,
    StreamableHttpPostResponse, StreamableHttpResponseLimits,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sinew_runtime::{EgressBody, EgressError};
use sse_stream::{Sse, SseStream};

use super::bounds::is_readable;
use super::http::{Http, HttpError, Request, is_of_type, read};
use crate::egress::start_of;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Characters that are shown of an answer that is no good.
const SHOWN_CHARS_MAX: usize = 200;

type Failure = StreamableHttpError<HttpError>;
type Headers = HashMap<HeaderName, HeaderValue>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Refused(status) => {
                Self::AuthRequired(AuthRequiredError::new(status.to_string()))
            }
            error => Self::Client(error),
        }
    }
}

/// The transport's client. It adds the credential itself, so it is never handed one.
#[derive(Clone)]
pub(super) struct Client(pub(super) Http);

impl StreamableHttpClient for Client {
    type Error = HttpError;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(
            uri,
            message,
            session_id,
            auth_header,
            custom_headers,
            limits,
        )
        .await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _auth_header: Option<String>,
        custom_headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let has_session = session_id.is_some();
        let mut headers = headers(custom_headers, session_id)?;
        headers.insert(ACCEPT, BOTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        let body = Bytes::from(serde_json::to_vec(&message)?);
        let request = request(Method::POST, &uri, headers, body);
        let response = self.0.send(request).await?;
        let (head, body) = response.into_parts();
        let status = head.status;
        if status == StatusCode::NOT_FOUND && has_session {
            return Err(StreamableHttpError::SessionExpired);
        }
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let session_id = text_of(&head.headers, &SESSION_ID);
        if status.is_success() && is_of_type(&head.headers, EVENTS) {
            let events = self.events(body, limits.max_sse_event_size);
            return Ok(StreamableHttpPostResponse::Sse(events, session_id));
        }
        let expects_answer = matches!(message, ClientJsonRpcMessage::Request(_));
        if is_of_type(&head.headers, JSON) {
            let body = read(body, limits.max_json_response_size).await?;
            return match self.message(&body) {
                Some(message) => Ok(StreamableHttpPostResponse::Json(message, session_id)),
                // Nobody waits for what is said to a notification.
                None if status.is_success() && !expects_answer => {
                    Ok(StreamableHttpPostResponse::Accepted)
                }
                None => Err(self.unusable(status, &head.headers, &body)),
            };
        }
        if status.is_success() && !expects_answer {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let start = start_of(body, limits.max_error_response_size).await;
        let (body, _) = start.map_err(HttpError::from)?;
        Err(self.unusable(status, &head.headers, &body))
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        _auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<(), Failure> {
        let headers = headers(custom_headers, Some(session_id))?;
        let request = request(Method::DELETE, &uri, headers, Bytes::new());
        let status = self.0.send(request).await?.status();
        // Servers need not let clients end a session.
        if status.is_success() || status == StatusCode::METHOD_NOT_ALLOWED {
            return Ok(());
        }
        Err(HttpStatusError::new(status.as_u16(), None).into())
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<Events, Failure> {
        let bytes_max = StreamableHttpResponseLimits::default().max_sse_event_size;
        self.get_stream_with_max_sse_event_size(
            uri,
            session_id,
            last_event_id,
            auth_header,
            custom_headers,
            bytes_max,
        )
        .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _auth_header: Option<String>,
        custom_headers: Headers,
        max_sse_event_size: usize,
    ) -> Result<Events, Failure> {
        // The SDK opens a stream again as soon as it ends, or whenever the server says.
        self.0.before_stream().await;
        let mut headers = headers(custom_headers, session_id)?;
        headers.insert(ACCEPT, HeaderValue::from_static(EVENTS));
        if let Some(id) = last_event_id.and_then(|id| HeaderValue::try_from(id).ok()) {
            headers.insert(LAST_EVENT_ID, id);
        }
        let request = request(Method::GET, &uri, headers, Bytes::new());
        let response = self.0.send(request).await?;
        let status = response.status();
        // A server without such a stream, also one that answers with something else.
        if status == StatusCode::METHOD_NOT_ALLOWED || status == StatusCode::NOT_FOUND {
            return Err(StreamableHttpError::ServerDoesNotSupportSse);
        }
        if !status.is_success() {
            return Err(HttpStatusError::new(status.as_u16(), None).into());
        }
        if !is_of_type(response.headers(), EVENTS) {
            return Err(StreamableHttpError::ServerDoesNotSupportSse);
        }
        Ok(self.events(response.into_body(), max_sse_event_size))
    }
}

impl Client {
    /// Reads a message after the secrets are out of it; none of what is no message, or has too many values.
    fn message(&self, body: &[u8]) -> Option<ServerJsonRpcMessage> {
        let text = String::from_utf8_lossy(body);
        if !is_readable(&text) {
            return None;
        }
        serde_json::from_str(&self.0.clean_json(&text)).ok()
    }

    fn unusable(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        self.0.note_shown(status, headers, body, false);
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let retry_after = text_of(headers, &RETRY_AFTER);
            return HttpStatusError::new(status.as_u16(), retry_after).into();
        }
        let challenge = headers.contains_key(WWW_AUTHENTICATE);
        let shown = self.0.clean_json(&String::from_utf8_lossy(body));
        let shown: String = shown.chars().take(SHOWN_CHARS_MAX).collect();
        let text = match challenge {
            true => format!("status {status} and a challenge: {shown}"),
            false => format!("status {status}: {shown}"),
        };
        StreamableHttpError::UnexpectedServerResponse(text.into())
    }

    /// Returns the events of a body, each at most `bytes_max` long and without secrets.
    pub(super) fn events(&self, body: EgressBody, bytes_max: usize) -> Events {
        let since_event = Arc::new(AtomicUsize::new(0));
        let counted = since_event.clone();
        let bytes = body
            .into_data_stream()
            .and_then(move |bytes| {
                let so_far = counted.fetch_add(bytes.len(), Ordering::Relaxed);
                let is_small = so_far.saturating_add(bytes.len()) <= bytes_max;
                std::future::ready(if is_small {
                    Ok(bytes)
                } else {
                    Err(EgressError::TooLarge)
                })
            })
            // Behind a failure there is nothing: a reader that goes on would read it for ever.
            .scan(false, |has_failed, item| {
                let item = (!*has_failed).then_some(item);
                *has_failed = matches!(item, Some(Err(_)) | None);
                std::future::ready(item)
            });
        let http = self.0.clone();
        SseStream::from_bytes_stream(bytes)
            .map(move |event| {
                let mut event = event?;
                since_event.store(0, Ordering::Relaxed);
                let data = event.data.as_deref().unwrap_or_default();
                if !is_readable(data) {
                    return Err(SseError::Body("a message has too many values".into()));
                }
                event.data = event.data.map(|data| http.clean_json(&data));
                let data = event.data.as_deref().unwrap_or_default();
                if is_request(data) && !http.may_answer() {
                    return Err(SseError::Body("the server asks too much".into()));
                }
                // The SDK may log it.
                event.id = event.id.map(|id| http.clean(&id));
                Ok(event)
            })
            // A stream that was given up brings nothing more.
            .scan(false, |has_failed, item| {
                let item = (!*has_failed).then_some(item);
                *has_failed = matches!(item, Some(Err(_)) | None);
                std::future::ready(item)
            })
            .boxed()
    }
}

/// Tells whether a message asks for an answer.
pub(super) fn is_request(message: &str) -> bool {
    #[derive(Deserialize)]
    struct Asked {
        #[serde(rename = "id")]
        _id: IgnoredAny,
        #[serde(rename = "method")]
        _method: IgnoredAny,
    }
    serde_json::from_str::<Asked>(message).is_ok()
}

fn request(method: Method, url: &str, headers: HeaderMap, body: Bytes) -> Request {
    Request {
        method,
        url: url.to_owned(),
        headers,
        body,
    }
}

fn headers(custom: Headers, session_id: Option<Arc<str>>) -> Result<HeaderMap, Failure> {
    let mut headers: HeaderMap = custom.into_iter().collect();
    if let Some(id) = session_id {
        let id = HeaderValue::from_str(&id);
        let bad = |_| StreamableHttpError::UnexpectedServerResponse("a session id".into());
        headers.insert(SESSION_ID, id.map_err(bad)?);
    }
    Ok(headers)
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    value.to_str().ok().map(str::to_owned)
}
