//! Requests to one MCP server: through the daemon's egress, with the credential that the session's vaults have for it.
//!
//! The token goes into the request and nowhere else, and only to the server's own scheme, host and port. What comes back
//! is bounded and free of it before anybody reads it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use sinew_runtime::{EgressBody, EgressError, EgressTimeouts};
use url::Url;
use zeroize::Zeroizing;

use super::bearer::{Bearer, Tried};
use super::bounds::Rate;
use super::oauth::{SHOWN_BYTES_MAX, Shown};
use super::redact::Redactor;
use crate::egress::{Client, Policy, start_of, whole};
use crate::secrets::Secret;
use crate::vault::VaultError;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the body of an answer that is only shown.
const SHOWN_PATIENCE: Duration = Duration::from_secs(2);
/// Streams of events that are opened in a minute without waiting, and how long each further one waits.
const STREAMS_PER_MINUTE_MAX: u32 = 20;
const STREAM_PAUSE: Duration = Duration::from_secs(3);
/// Bytes of an answer that are looked through before its start is shown: a secret that its end cuts is not known.
pub(super) const LOOKED_THROUGH_BYTES: usize = 128 << 10;
/// Longest content type that is shown, in characters.
const CONTENT_TYPE_CHARS_MAX: usize = 128;

/// Most hops to another path of the same server.
const REDIRECTS_MAX: usize = 3;

/// Why a request got no answer that can be used. Texts name no secret.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// It did not get through.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The credential for it could not be had.
    #[error("its credential cannot be read; the operator was told")]
    Vault(#[from] VaultError),
    /// The URL is none.
    #[error("{0:?} is no URL that can be asked")]
    Url(String),
    /// It is sent elsewhere.
    #[error("the server redirects to {0}, which is not followed: name the server by that URL")]
    Redirect(String),
    /// The server does not take the credential, or wants one.
    #[error("the server answered with status {0}")]
    Refused(StatusCode),
    /// A body is larger than it may be.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl HttpError {
    /// Tells whether the request can have reached the server.
    pub(super) fn may_have_arrived(&self) -> bool {
        match self {
            HttpError::Egress(error) => !matches!(
                error,
                EgressError::Denied { .. }
                    | EgressError::NameNotFound
                    | EgressError::Unreachable
                    | EgressError::Tls
            ),
            HttpError::TooLarge(_) => true,
            HttpError::Vault(_)
            | HttpError::Url(_)
            | HttpError::Redirect(_)
            | HttpError::Refused(_) => false,
        }
    }
}

/// What to send.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: String,
    /// Headers beside the credential.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Sends requests to one server. Clones are the same sender.
#[derive(Clone)]
pub(super) struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    egress: Client,
    policy: Policy,
    bearer: Bearer,
    /// The server's URL: nothing with a credential goes to another scheme, host or port.
    origin: Option<url::Origin>,
    redactor: Mutex<Redactor>,
    notes: Mutex<Notes>,
    /// Requests of the server's own that are answered, such as pings.
    answers: Rate,
    /// Streams that are opened.
    streams: Rate,
}

/// What the SDK does not hand on of a failure.
#[derive(Default)]
struct Notes {
    /// Why the server refused the last request that it refused for want of a credential.
    refusal: Option<String>,
    /// Why the last request got no answer.
    failure: Option<String>,
    /// The status of the last answer.
    status: Option<StatusCode>,
    /// The last answer that was no good.
    shown: Option<Shown>,
}

impl Http {
    /// Returns a sender for the server at `url`, which `policy` must allow.
    pub(super) fn new(egress: Client, policy: Policy, bearer: Bearer, url: &str) -> Self {
        Self {
            inner: Arc::new(Inner {
                egress,
                policy,
                bearer,
                origin: Url::parse(url).ok().map(|url| url.origin()),
                redactor: Mutex::default(),
                notes: Mutex::default(),
                answers: Rate::of_answers(),
                streams: Rate::per_minute(STREAMS_PER_MINUTE_MAX),
            }),
        }
    }

    /// Takes why the server wanted a credential, or another one, if that is why it did not serve.
    pub(super) fn take_refusal(&self) -> Option<String> {
        self.notes().refusal.take()
    }

    /// Takes why the last request got no answer, if it got none.
    pub(super) fn take_failure(&self) -> Option<String> {
        self.notes().failure.take()
    }

    /// Returns the status of the last answer.
    pub(super) fn last_status(&self) -> Option<StatusCode> {
        self.notes().status
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        let notes = self.inner.notes.lock();
        notes.unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether one more request of the server's own is answered.
    pub(super) fn may_answer(&self) -> bool {
        self.inner.answers.take()
    }

    /// Waits before one more stream is opened, if there were many of late.
    pub(super) async fn before_stream(&self) {
        if !self.inner.streams.take() {
            tokio::time::sleep(STREAM_PAUSE).await;
        }
    }

    /// Returns a text of the server's without the secrets that were sent to it.
    pub(super) fn clean(&self, text: &str) -> String {
        self.redactor().text(text)
    }

    /// Returns a JSON text of the server's without the secrets that were sent to it.
    pub(super) fn clean_json(&self, text: &str) -> String {
        self.redactor().json(text)
    }

    fn redactor(&self) -> MutexGuard<'_, Redactor> {
        self.inner
            .redactor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and returns the answer as soon as its head is there. A token that has run out, or that the
    /// server refuses, is refreshed once. Errors: see [`HttpError`]; the statuses 401 and 403 are among them.
    pub(super) async fn send(
        &self,
        request: Request,
    ) -> Result<http::Response<EgressBody>, HttpError> {
        let sent = self.send_authorized(request).await;
        let mut notes = self.notes();
        match &sent {
            Ok(response) => {
                notes.status = Some(response.status());
                notes.failure = None;
                // Whoever serves now does not mind the credential, whatever it refused before.
                if response.status().is_success() {
                    notes.refusal = None;
                }
            }
            Err(error) => {
                if let HttpError::Vault(error) = error {
                    tracing::error!(%error, "the credential of an MCP server cannot be read");
                }
                let why = error.to_string();
                // Before anything else is locked: cleaning has a lock of its own.
                drop(notes);
                let why = self.clean(&why);
                notes = self.notes();
                notes.failure = Some(why);
            }
        }
        drop(notes);
        sent
    }

    async fn send_authorized(
        &self,
        request: Request,
    ) -> Result<http::Response<EgressBody>, HttpError> {
        let bearer = &self.inner.bearer;
        let current = bearer.current().await?;
        let token = current.as_ref().map(|current| &current.token);
        let response = self.send_with(&request, token).await?;
        if !is_refusal(response.status()) {
            return Ok(response);
        }
        let Some(current) = &current else {
            return Err(self.refused(response, false).await);
        };
        // One that could not be refreshed a moment ago is not tried again at once.
        if !current.is_stale
            && let Some(fresh) = bearer.renewed(&current.token).await?
        {
            let response = self.send_with(&request, Some(&fresh)).await?;
            return match is_refusal(response.status()) {
                true => Err(self.refused(response, true).await),
                false => Ok(response),
            };
        }
        Err(self.refused(response, true).await)
    }

    /// Notes why the server did not serve.
    async fn refused(&self, response: http::Response<EgressBody>, has_token: bool) -> HttpError {
        let status = response.status();
        let why = match (has_token, self.inner.bearer.tried()) {
            (true, Some(Tried::Failed(attempt))) => format!(
                "it does not take the credential of the vault (status {status}), whose token could not be refreshed: \
                 {attempt}"
            ),
            (true, _) => {
                format!("it does not take the credential of the vault (status {status})")
            }
            (false, _) => format!(
                "it wants a credential (status {status}), and no vault of the session has one for its URL"
            ),
        };
        let (head, body) = response.into_parts();
        let shown = start_of(body, LOOKED_THROUGH_BYTES);
        let shown = tokio::time::timeout(SHOWN_PATIENCE, shown).await;
        let (body, is_cut) = shown
            .map_or_else(|_| None, Result::ok)
            .unwrap_or((Vec::new(), true));
        self.note_shown(status, &head.headers, &body, is_cut);
        self.notes().refusal = Some(why);
        HttpError::Refused(status)
    }

    /// Notes an answer that is no good, to be shown without secrets.
    pub(super) fn note_shown(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        is_cut: bool,
    ) {
        let shown = shown(&self.redactor(), status, headers, (body, is_cut));
        self.notes().shown = Some(shown);
    }

    /// Takes the last answer that was no good.
    pub(super) fn take_shown(&self) -> Option<Shown> {
        self.notes().shown.take()
    }

    /// Returns what the last refresh of the token came to, if there was one.
    pub(super) fn tried(&self) -> Option<Tried> {
        self.inner.bearer.tried()
    }

    async fn send_with(
        &self,
        request: &Request,
        token: Option<&Secret>,
    ) -> Result<http::Response<EgressBody>, HttpError> {
        if let Some(token) = token {
            self.redactor().add(token);
        }
        let no_url = || HttpError::Url(request.url.clone());
        let mut url = Url::parse(&request.url).map_err(|_| no_url())?;
        for _ in 0..=REDIRECTS_MAX {
            if self.inner.origin.as_ref() != Some(&url.origin()) {
                return Err(HttpError::Redirect(self.clean(url.as_str())));
            }
            let sent = http::Request::builder()
                .method(request.method.clone())
                .uri(url.as_str())
                .body(whole(request.body.clone()))
                .map_err(|_| no_url())?;
            let (mut parts, body) = sent.into_parts();
            parts.headers = request.headers.clone();
            if !request.body.is_empty() {
                // Not every server takes a body of unknown length.
                parts
                    .headers
                    .insert(CONTENT_LENGTH, HeaderValue::from(request.body.len()));
            }
            if let Some(token) = token {
                parts.headers.insert(AUTHORIZATION, bearer(token)?);
            }
            let timeouts = EgressTimeouts {
                connect: Some(CONNECT_TIMEOUT),
                // A tool may work for long before it says anything; whoever calls has a bound of its own.
                ..EgressTimeouts::default()
            };
            let sent = http::Request::from_parts(parts, body);
            let inner = &self.inner;
            let response = inner.egress.send(&inner.policy, sent, timeouts).await?;
            if !is_redirect(response.status(), &request.method) {
                return Ok(response);
            }
            let to = response.headers().get(LOCATION);
            let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default();
            url = url.join(to).map_err(|_| no_url())?;
        }
        Err(HttpError::Redirect(self.clean(url.as_str())))
    }
}

/// Returns an answer to be shown: what is given of its body is cleaned as a whole, and then cut.
pub(super) fn shown(
    redactor: &Redactor,
    status: StatusCode,
    headers: &HeaderMap,
    (body, is_cut): (&[u8], bool),
) -> Shown {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = redactor.text(kind.unwrap_or_default());
    let clean = redactor.json(&String::from_utf8_lossy(body));
    let mut end = clean.len().min(SHOWN_BYTES_MAX);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    Shown {
        status: status.as_u16(),
        content_type: kind.chars().take(CONTENT_TYPE_CHARS_MAX).collect(),
        body: clean.get(..end).unwrap_or_default().to_owned(),
        is_cut: is_cut || end < clean.len(),
    }
}

fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Tells whether the same request is to be sent to another place.
fn is_redirect(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        // Whoever posts would have to get from there.
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::GET,
        _ => false,
    }
}

/// Returns the header's value, marked so that nobody shows it.
fn bearer(token: &Secret) -> Result<HeaderValue, HttpError> {
    let text = Zeroizing::new([b"Bearer ", token.expose()].concat());
    let mut value =
        HeaderValue::from_bytes(&text).map_err(|_| HttpError::Refused(StatusCode::UNAUTHORIZED))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Tells whether an answer says that it is of this type, whatever parameters come behind.
pub(super) fn is_of_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
}

/// Reads a body to its end. Errors: it breaks off, or is larger than `bytes_max`.
pub(super) async fn read(body: EgressBody, bytes_max: usize) -> Result<Vec<u8>, HttpError> {
    match start_of(body, bytes_max).await? {
        (bytes, false) => Ok(bytes),
        (_, true) => Err(HttpError::TooLarge(bytes_max)),
    }
}
