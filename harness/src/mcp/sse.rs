//! The transport of 2024-11-05, HTTP with server-sent events, for servers that have no other.
//!
//! One `GET` stays open and brings all messages; its first event names where to post.

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::Sse;
use url::Url;

use super::http::{Http, HttpError, Request, is_of_type};
use super::streamable::Client;

/// Largest message in bytes.
const MESSAGE_BYTES_MAX: usize = super::MESSAGE_BYTES_MAX;
/// Events that may come before the one that names the endpoint.
const EVENTS_BEFORE_ENDPOINT_MAX: usize = 8;

/// Why the old transport does not work either.
#[derive(Debug, thiserror::Error)]
pub(super) enum SseTransportError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("status {0}")]
    Status(http::StatusCode),
    #[error("the server offers no stream of events")]
    NoStream,
    #[error("the server's stream names no endpoint")]
    NoEndpoint,
    #[error("a message cannot be written: {0}")]
    Message(#[from] serde_json::Error),
}

/// An open stream and where to post.
pub(super) struct SseTransport {
    http: Http,
    endpoint: String,
    events: BoxStream<'static, Result<Sse, SseError>>,
}

impl SseTransport {
    /// Opens the stream at `url` and waits for the event that names the endpoint.
    pub(super) async fn open(http: Http, url: &str) -> Result<Self, SseTransportError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let request = Request {
            method: Method::GET,
            url: url.to_owned(),
            headers,
            body: Bytes::new(),
        };
        let response = http.send(request).await?;
        if !response.status().is_success() {
            return Err(SseTransportError::Status(response.status()));
        }
        if !is_of_type(response.headers(), "text/event-stream") {
            return Err(SseTransportError::NoStream);
        }
        let client = Client(http.clone());
        let mut events = client.events(response.into_body(), MESSAGE_BYTES_MAX);
        for _ in 0..EVENTS_BEFORE_ENDPOINT_MAX {
            let Some(Ok(event)) = events.next().await else {
                break;
            };
            if event.event.as_deref() != Some("endpoint") {
                continue;
            }
            let named = event.data.unwrap_or_default();
            let endpoint = Url::parse(url).and_then(|base| base.join(named.trim()));
            let endpoint = endpoint.map_err(|_| SseTransportError::NoEndpoint)?;
            return Ok(Self {
                http,
                // The sender refuses another scheme, host or port.
                endpoint: endpoint.into(),
                events,
            });
        }
        Err(SseTransportError::NoEndpoint)
    }
}

impl Transport<RoleClient> for SseTransport {
    type Error = SseTransportError;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let (http, url) = (self.http.clone(), self.endpoint.clone());
        async move {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let request = Request {
                method: Method::POST,
                url,
                headers,
                body: Bytes::from(serde_json::to_vec(&message)?),
            };
            let status = http.send(request).await?.status();
            match status.is_success() {
                true => Ok(()),
                false => Err(SseTransportError::Status(status)),
            }
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let event = self.events.next().await?.ok()?;
            let is_message = matches!(event.event.as_deref(), None | Some("message" | ""));
            let data = event.data.filter(|_| is_message);
            // What cannot be read is nobody's answer.
            if let Some(message) = data.and_then(|data| serde_json::from_str(&data).ok()) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.events = futures::stream::empty().boxed();
        Ok(())
    }
}
