//! The one HTTP client of everything that leaves for hosts which others chose: hands, MCP servers, web pages.
//!
//! Redirects are not followed here: whoever asked follows them itself, so that each hop is a request that is checked.
//! Nothing is decompressed here either, and no proxy of the environment is asked, which would resolve the names again.

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use reqwest::redirect;
use sinew_runtime::{EgressBody, EgressError, EgressTimeouts};
use tokio::time::{Instant, timeout};
use url::Url;

use super::body::{BodyBounds, of_parts, parts};
use super::headers::{clean_request, clean_response};
use super::hosts::{PrivateHost, normal};
use super::policy::{Denial, Policy, Target, check, is_granted, may_carry_secrets};
use super::resolve::{CheckedNames, NameUnknown, Names, NotAllowed, SystemNames};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for the next part of a body: a peer that keeps a connection and says nothing is gone.
const BETWEEN_BYTES_MAX: Duration = Duration::from_secs(300);
/// Idle connections kept for each host, and for how long.
const IDLE_PER_HOST_MAX: usize = 32;
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Bounds of the egress, and what the operator grants beyond the public internet.
#[derive(Clone, Debug)]
pub struct EgressOptions {
    /// Hosts that need not be of the public internet.
    pub private_hosts: Vec<PrivateHost>,
    /// A file with certificates (PEM) of authorities that are trusted beside the system's.
    pub ca_certificates: Option<PathBuf>,
    /// Largest body of a request in bytes.
    pub request_bytes_max: u64,
    /// Largest body of a response in bytes.
    pub response_bytes_max: u64,
    /// Longest exchange, its bodies included.
    pub exchange_max: Duration,
    /// Most exchanges of one hand at a time; further ones wait.
    pub exchanges_per_hand_max: usize,
}

impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            private_hosts: Vec::new(),
            ca_certificates: None,
            request_bytes_max: 1 << 30,
            response_bytes_max: 4 << 30,
            exchange_max: Duration::from_secs(1_800),
            exchanges_per_hand_max: 64,
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The certificates of further authorities cannot be read.
    #[error("egress.ca_certificates: {}: {why}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No HTTP client can be made.
    #[error("no HTTP client can be made: {0}")]
    Http(#[from] reqwest::Error),
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let unusable = |why: String| ClientError::Certificates {
        path: path.to_owned(),
        why,
    };
    let text = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&text);
    let found = found.map_err(|error| unusable(error.to_string()))?;
    match found.is_empty() {
        true => Err(unusable("it holds no certificate in PEM".to_owned())),
        false => Ok(found),
    }
}

/// Why a request got no response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    /// It may not leave.
    Denied(Denial),
    /// It may, but nothing came of it.
    Failed(EgressError),
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<Failure> for EgressError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Failed(error) => error,
            Failure::Denied(Denial { reason, setting }) if setting.is_empty() => {
                Self::Denied { reason }
            }
            Failure::Denied(Denial { reason, setting }) => Self::Denied {
                reason: format!("{reason} (the operator can allow it: {setting})"),
            },
        }
    }
}

/// Sends requests where a [`Policy`] and the operator allow it. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    /// For hosts of the public internet.
    public: reqwest::Client,
    /// For hosts that the operator granted; apart, so that no connection is shared between the two.
    granted: reqwest::Client,
    options: EgressOptions,
}

impl Client {
    /// Returns a client that resolves names as the system does. Errors: see [`ClientError`].
    pub fn new(options: EgressOptions) -> Result<Self, ClientError> {
        Self::with_names(options, Arc::new(SystemNames))
    }

    /// Returns a client that resolves names with `names`; what they mean is checked all the same.
    pub fn with_names(options: EgressOptions, names: Arc<dyn Names>) -> Result<Self, ClientError> {
        crate::model::install_tls();
        let authorities = match &options.ca_certificates {
            Some(path) => certificates(path)?,
            None => Vec::new(),
        };
        let client = |is_granted| {
            let names = Arc::clone(&names);
            reqwest::Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .retry(reqwest::retry::never())
                .dns_resolver(CheckedNames { names, is_granted })
                .tls_certs_merge(authorities.iter().cloned())
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .build()
        };
        Ok(Self {
            inner: Arc::new(Inner {
                public: client(false)?,
                granted: client(true)?,
                options,
            }),
        })
    }

    /// Returns its bounds.
    pub fn options(&self) -> &EgressOptions {
        &self.inner.options
    }

    /// Sends a request and returns the response as soon as its head is there; the bodies pass as they come, within the
    /// bounds of [`EgressOptions`]. A redirect is a response like any other.
    ///
    /// Errors: `Denied` with the reason and the setting that would allow it; the others say what failed, and nothing
    /// of the request.
    pub async fn send(
        &self,
        policy: &Policy,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        let target = self.check(policy, &request).map_err(Failure::from)?;
        Ok(self.exchange(&target, request, timeouts).await?)
    }

    /// Tells whether a secret may go to a URL: nobody on the way reads along, or the operator granted its host and port.
    pub fn may_carry_secrets(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else {
            return false;
        };
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let private = &self.inner.options.private_hosts;
        may_carry_secrets(&url, is_granted(private, &normal(host), port))
    }

    pub(super) fn check<B>(
        &self,
        policy: &Policy,
        request: &http::Request<B>,
    ) -> Result<Target, Denial> {
        let private = &self.inner.options.private_hosts;
        check(policy, private, request.method(), request.uri())
    }

    /// Sends a request whose target was checked.
    pub(super) async fn exchange(
        &self,
        target: &Target,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, Failure> {
        let options = &self.inner.options;
        let (mut head, body) = request.into_parts();
        clean_request(&mut head.headers, &target.url)?;
        let between = timeouts.between_bytes.unwrap_or(BETWEEN_BYTES_MAX);
        let bounds = |bytes_max| BodyBounds {
            bytes_max,
            between: between.min(BETWEEN_BYTES_MAX),
            deadline: Instant::now() + options.exchange_max,
        };
        let mut out = reqwest::Request::new(head.method, target.url.clone());
        *out.headers_mut() = head.headers;
        if !body.is_end_stream() {
            let parts = parts(body, bounds(options.request_bytes_max));
            *out.body_mut() = Some(reqwest::Body::wrap_stream(parts));
        }
        let client = match target.is_granted {
            true => &self.inner.granted,
            false => &self.inner.public,
        };
        let patience = match (timeouts.connect, timeouts.first_byte) {
            (Some(connect), Some(first)) => connect.saturating_add(first),
            (None, Some(first)) => first.saturating_add(CONNECT_TIMEOUT),
            _ => options.exchange_max,
        };
        let sent = timeout(patience.min(options.exchange_max), client.execute(out)).await;
        let response = sent
            .map_err(|_| Failure::Failed(EgressError::Timeout))?
            .map_err(|error| failure(&error, target))?;
        let (mut head, body) = http::Response::from(response).into_parts();
        clean_response(&mut head.headers);
        let body = body.map_err(|error| broken(&error)).boxed_unsync();
        let body = of_parts(parts(body, bounds(options.response_bytes_max)));
        Ok(http::Response::from_parts(head, body))
    }
}

/// Returns a body of bytes that are there already.
pub fn whole(bytes: impl Into<Bytes>) -> EgressBody {
    let bytes = bytes.into();
    if bytes.is_empty() {
        return http_body_util::Empty::new()
            .map_err(|never| match never {})
            .boxed_unsync();
    }
    http_body_util::Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Returns the parts of a body as they come.
pub fn parts_of(
    body: EgressBody,
) -> impl futures::Stream<Item = Result<Bytes, EgressError>> + Unpin {
    body.into_data_stream()
}

/// Reads a whole body of at most `bytes_max` bytes. Errors: `TooLarge`, and those of the body.
pub async fn collect(body: EgressBody, bytes_max: usize) -> Result<Vec<u8>, EgressError> {
    match start_of(body, bytes_max).await? {
        (all, false) => Ok(all),
        (_, true) => Err(EgressError::TooLarge),
    }
}

/// Reads a body's first `bytes_max` bytes, and tells whether there are more. Errors: those of the body.
pub async fn start_of(body: EgressBody, bytes_max: usize) -> Result<(Vec<u8>, bool), EgressError> {
    let mut all = Vec::new();
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part?;
        let room = bytes_max.saturating_sub(all.len());
        all.extend_from_slice(part.get(..room).unwrap_or(&part));
        if part.len() > room {
            return Ok((all, true));
        }
    }
    Ok((all, false))
}

/// Returns what a failed request came to. The client's own texts name the URL, so none of them is used.
fn failure(error: &reqwest::Error, target: &Target) -> Failure {
    let mut cause = error.source();
    let mut is_refused = false;
    // Later failures of TLS are of a connection that the request may have gone through already.
    let is_connecting = error.is_connect();
    while let Some(inner) = cause {
        if let Some(NotAllowed(address)) = inner.downcast_ref() {
            let setting = format!(
                "egress.private_hosts in the daemon's configuration: \"{}:{}\"",
                target.host, target.port
            );
            let reason = match target.is_granted {
                true => format!("the name means {address}, which can be granted only as such"),
                false => format!("the name means {address}, which is not of the public internet"),
            };
            return Failure::Denied(Denial::new(reason, setting));
        }
        if inner.is::<NameUnknown>() {
            return Failure::Failed(EgressError::NameNotFound);
        }
        if let Some(error) = inner.downcast_ref::<EgressError>() {
            // What the body of the request broke with.
            return Failure::Failed(error.clone());
        }
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            if is_connecting && is_of_tls(error) {
                return Failure::Failed(EgressError::Tls);
            }
            is_refused |= error.kind() == io::ErrorKind::ConnectionRefused;
        }
        if is_connecting && inner.is::<rustls::Error>() {
            return Failure::Failed(EgressError::Tls);
        }
        cause = inner.source();
    }
    Failure::Failed(match error {
        _ if is_refused => EgressError::Unreachable,
        error if error.is_timeout() => EgressError::Timeout,
        error if error.is_connect() => EgressError::Unreachable,
        error => broken(error),
    })
}

/// Tells whether the connection failed where it was to be secured; the cause lies in one error within another.
fn is_of_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| {
        inner.is::<rustls::Error>() || inner.downcast_ref::<io::Error>().is_some_and(is_of_tls)
    })
}

fn broken(error: &reqwest::Error) -> EgressError {
    let mut cause = error.source();
    // The outermost text would name the URL, and the deepest may be the peer's own words.
    let mut why = "the connection broke off".to_owned();
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<EgressError>() {
            return error.clone();
        }
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            why = error.kind().to_string();
        } else if let Some(error) = inner.downcast_ref::<hyper::Error>() {
            why = error.to_string();
        }
        cause = inner.source();
    }
    match error.is_timeout() {
        true => EgressError::Timeout,
        false => EgressError::Failed(why),
    }
}
