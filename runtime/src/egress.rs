//! The only way from a guest to the network.
//!
//! Guests speak `wasi:http`; every request they send is handed to the hand's [`Egress`], which decides whether it may
//! leave and sends it. This crate opens no connection itself, and without a grant every request is denied.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use wasmtime_wasi_http::{Error as HttpError, RequestOptions, WasiBody, WasiHttpHooks};

use crate::captured::Captured;
use crate::kernel::Description;

/// A streamed request or response body.
pub type EgressBody = UnsyncBoxBody<Bytes, EgressError>;

/// Decides about and sends the HTTP requests of a hand's guests.
#[async_trait]
pub trait Egress: Send + Sync {
    /// Sends the request and returns the response as soon as its head is there.
    ///
    /// The URI is absolute, with scheme and authority. The body comes from the guest while it is read and may never end;
    /// the response's body goes to the guest as it arrives. Dropping the future or the response's body ends the exchange.
    async fn send(
        &self,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, EgressError>;

    /// Tells whether processes that begin now may have sockets at all.
    fn has_sockets(&self) -> bool {
        false
    }

    /// Tells whether a guest may open a TCP connection of its own to this address. Asked for each; names are never
    /// resolved for guests, and nothing listens.
    async fn may_connect(&self, _address: SocketAddr) -> bool {
        false
    }
}

/// How long the guest is willing to wait; an egress may have shorter bounds of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EgressTimeouts {
    /// Until the connection stands.
    pub connect: Option<Duration>,
    /// Until the response starts.
    pub first_byte: Option<Duration>,
    /// Between two parts of the response's body.
    pub between_bytes: Option<Duration>,
}

/// Why a request got no response, or a body did not reach its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The hand may not send this request.
    #[error("denied: {reason}")]
    Denied {
        /// What would have to be granted, in words for the tool's log.
        reason: String,
    },
    /// The destination's name has no address.
    #[error("the destination's name is not known")]
    NameNotFound,
    /// No connection could be made.
    #[error("the destination cannot be reached")]
    Unreachable,
    /// The connection could not be secured.
    #[error("no secure connection can be made")]
    Tls,
    /// A time bound passed.
    #[error("the destination did not answer in time")]
    Timeout,
    /// A body is larger than it may be.
    #[error("the body is too large")]
    TooLarge,
    /// The exchange broke off.
    #[error("the exchange failed: {0}")]
    Failed(String),
}

/// Lets nothing out; what a hand has until it is granted more.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEgress;

#[async_trait]
impl Egress for NoEgress {
    async fn send(
        &self,
        _request: http::Request<EgressBody>,
        _timeouts: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        Err(EgressError::Denied {
            reason: "no network access is granted".to_owned(),
        })
    }
}

/// Connects one process's `wasi:http` with its hand's egress.
pub(crate) struct EgressHook {
    pub(crate) egress: Arc<dyn Egress>,
    /// Where denials are explained: `wasi:http`'s error for them carries no text.
    pub(crate) log: Log,
}

/// Where a process is told what it was denied.
#[derive(Clone)]
pub(crate) enum Log {
    /// The log of a tool's call.
    Tool(Captured),
    /// A program's standard error, if it has one.
    Program(Option<Arc<Description>>),
}

impl Log {
    fn append(&self, line: &str) {
        match self {
            Self::Tool(log) => log.append(line.as_bytes()),
            Self::Program(Some(stderr)) => {
                // Where standard error is a full pipe the line is lost, and the error still tells.
                let _ = stderr.write(line.as_bytes());
            }
            Self::Program(None) => {}
        }
    }
}

type Exchange = (
    http::Response<WasiBody>,
    Box<dyn Future<Output = Result<(), HttpError>> + Send>,
);

impl WasiHttpHooks for EgressHook {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = Result<Exchange, HttpError>> + Send> {
        let egress = Arc::clone(&self.egress);
        let log = self.log.clone();
        let options = options.unwrap_or_default();
        let timeouts = EgressTimeouts {
            connect: options.connect_timeout,
            first_byte: options.first_byte_timeout,
            between_bytes: options.between_bytes_timeout,
        };
        Box::new(async move {
            let destination = request.uri().authority().cloned();
            let request = request.map(|body| {
                body.map_err(|error| EgressError::Failed(error.to_string()))
                    .boxed_unsync()
            });
            match egress.send(request, timeouts).await {
                Ok(response) => {
                    let response = response.map(|body| body.map_err(to_guest).boxed_unsync());
                    let io: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
                    Ok((response, io))
                }
                Err(error) => {
                    if matches!(error, EgressError::Denied { .. }) {
                        let destination = destination.as_ref().map_or("", |d| d.as_str());
                        log.append(&format!("request to {destination} {error}\n"));
                    }
                    Err(to_guest(error))
                }
            }
        })
    }
}

fn to_guest(error: EgressError) -> HttpError {
    match error {
        EgressError::Denied { .. } => HttpError::HttpRequestDenied,
        EgressError::NameNotFound => HttpError::DestinationNotFound,
        EgressError::Unreachable => HttpError::DestinationUnavailable,
        EgressError::Tls => HttpError::TlsProtocolError,
        EgressError::Timeout => HttpError::ConnectionTimeout,
        EgressError::TooLarge => HttpError::HttpResponseBodySize(None),
        EgressError::Failed(reason) => HttpError::InternalError(Some(reason)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use http_body_util::Empty;

    use super::*;

    #[tokio::test]
    async fn nothing_leaves_without_a_grant_and_the_log_says_why() {
        let log = Captured::new(1000);
        let mut hook = EgressHook {
            egress: Arc::new(NoEgress),
            log: Log::Tool(log.clone()),
        };
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = http::Request::get("https://example.com/x")
            .body(body)
            .unwrap();
        let sent =
            Box::into_pin(hook.send_request(request, None, Box::new(async { Ok(()) }))).await;
        let Err(HttpError::HttpRequestDenied) = sent else {
            panic!("a request left without a grant");
        };
        assert_eq!(
            log.text(),
            "request to example.com denied: no network access is granted\n"
        );
    }
}
