//! Refreshing OAuth tokens: one refresh of a credential at a time, however many sessions want it.
//!
//! What the token endpoint gives is stored, sealed, before anybody uses it: a refresh token that was exchanged for
//! another one is worth nothing any more. Between the endpoint's answer and that commit a crash loses both; then the
//! user has to connect the server again, which `vault_credential.refresh_failed` tells.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sinew_runtime::{EgressBody, EgressTimeouts};
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::bearer::token_of;
use super::http::{LOOKED_THROUGH_BYTES, shown};
use super::redact::Redactor;
use crate::clock::{Clock, Timestamp, rfc3339};
use crate::egress::{Client, Policy, collect, start_of, whole};
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::secrets::{Bundle, Secret};
use crate::store::StoreError;
use crate::vault::{ACCESS_TOKEN, CLIENT_SECRET, Credential, REFRESH_TOKEN, VaultError, Vaults};

/// Longest wait for a token endpoint.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Largest answer of a token endpoint in bytes; tokens are a few kilobytes.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// Bytes of a refusal that are kept to be shown.
pub(super) const SHOWN_BYTES_MAX: usize = 4 << 10;
/// Attempts to store what was granted, where others write the credential at the same time.
const WRITE_ATTEMPTS_MAX: usize = 8;
/// Wait before a failed write is made again.
const WRITE_PAUSE: Duration = Duration::from_secs(1);
/// Shortest life of a token that is believed, in seconds: with a shorter one every request would refresh it first.
const LIFE_SECONDS_MIN: i64 = 60;
/// Longest secret that is taken from an answer, in bytes.
const GRANTED_BYTES_MAX: usize = 65_536;
/// Longest life of a token that is believed, in seconds: ten years.
const LIFE_SECONDS_MAX: i64 = 315_360_000;

/// What came of a refresh.
pub enum Refreshed {
    /// There is a token that was not refused yet: a new one, or one that somebody else got meanwhile.
    Token(Secret),
    /// The credential cannot be refreshed, or is gone.
    NotRefreshable,
    /// It could be refreshed and was not.
    Failed(Attempt),
}

/// A refresh that gave no token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// The token endpoint did not answer, or not as one.
    NoConnection(String),
    /// It refused.
    Refused(Shown),
}

/// An HTTP answer to be shown, without secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Its status.
    pub status: u16,
    /// Its type.
    pub content_type: String,
    /// The start of its body.
    pub body: String,
    /// There is more of it.
    pub is_cut: bool,
}

impl Shown {
    /// Returns the wire's `RefreshHTTPResponse`.
    pub fn wire(&self) -> Value {
        json!({
            "status_code": self.status,
            "content_type": self.content_type,
            "body": self.body,
            "body_truncated": self.is_cut,
        })
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attempt::NoConnection(why) => write!(f, "its token endpoint cannot be used: {why}"),
            Attempt::Refused(shown) => {
                write!(
                    f,
                    "its token endpoint answered with status {}",
                    shown.status
                )
            }
        }
    }
}

/// The fields of a token endpoint's answer that count.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    expires_in: Option<Value>,
}

/// Refreshes the tokens of stored credentials.
pub struct Refresher {
    vaults: Vaults,
    egress: Client,
    clock: Arc<dyn Clock>,
    /// What whoever refreshes a credential holds. Entries that nobody holds go at the next one.
    flights: Mutex<HashMap<String, Weak<Flight>>>,
}

/// The refreshes of one credential, while anybody wants one.
#[derive(Default)]
struct Flight {
    turn: tokio::sync::Mutex<()>,
    /// Refreshes that ended, and why the last one failed if it did.
    ended: Mutex<(u64, Option<Attempt>)>,
}

impl Flight {
    fn ended(&self) -> MutexGuard<'_, (u64, Option<Attempt>)> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, failed: Option<Attempt>) {
        let mut ended = self.ended();
        *ended = (ended.0 + 1, failed);
    }
}

impl Refresher {
    /// Returns what refreshes the credentials of `vaults` through `egress`.
    pub fn new(vaults: Vaults, egress: Client, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            vaults,
            egress,
            clock,
            flights: Mutex::default(),
        })
    }

    /// Returns the credentials.
    pub fn vaults(&self) -> &Vaults {
        &self.vaults
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Gets another token than the one that was refused. Whoever comes while somebody is at it waits, and gets what
    /// that came to. It goes on when nobody waits for it any more: a refresh token may be spent by then.
    pub async fn refresh(
        self: &Arc<Self>,
        workspace: &WorkspaceId,
        id: &str,
        refused: &Secret,
    ) -> Result<Refreshed, VaultError> {
        let (own, workspace, id) = (Arc::clone(self), workspace.clone(), id.to_owned());
        let refused = refused.copy();
        let task = tokio::spawn(async move { own.refresh_once(&workspace, &id, &refused).await });
        match task.await {
            Ok(refreshed) => refreshed,
            Err(error) => Err(StoreError::Failed(error.to_string()).into()),
        }
    }

    async fn refresh_once(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        refused: &Secret,
    ) -> Result<Refreshed, VaultError> {
        let flight = self.flight(id);
        let ended_before = flight.ended().0;
        let _turn = flight.turn.lock().await;
        if let (ended, Some(failed)) = &*flight.ended()
            && *ended != ended_before
        {
            return Ok(Refreshed::Failed(failed.clone()));
        }
        let Some(credential) = self.vaults.credential(workspace, id).await? else {
            return Ok(Refreshed::NotRefreshable);
        };
        let secrets = self.vaults.open(&credential)?;
        if let Some(token) = token_of(&credential, &secrets)
            && token.expose() != refused.expose()
        {
            return Ok(Refreshed::Token(token));
        }
        let Some(used) = secrets.get(REFRESH_TOKEN) else {
            return Ok(Refreshed::NotRefreshable);
        };
        match self.ask(&credential, &secrets).await {
            Ok(granted) => {
                flight.end(None);
                self.keep(credential.clone(), used, granted).await
            }
            Err(attempt) => {
                flight.end(Some(attempt.clone()));
                let why = attempt.to_string();
                tracing::warn!(credential = id, why, "a token was not refreshed");
                let noted = self
                    .vaults
                    .note_refresh_failure(&credential, &why, self.now());
                noted.await?;
                Ok(Refreshed::Failed(attempt))
            }
        }
    }

    fn flight(&self, id: &str) -> Arc<Flight> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(id).and_then(Weak::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::<Flight>::default();
        flights.insert(id.to_owned(), Arc::downgrade(&flight));
        flight
    }

    /// Stores what was granted, unless somebody gave the credential another refresh token meanwhile: then what that one
    /// has counts.
    async fn keep(
        &self,
        mut credential: Credential,
        used: &Secret,
        granted: Granted,
    ) -> Result<Refreshed, VaultError> {
        let life = granted.expires_in.as_ref().and_then(seconds);
        let expires_at = life.and_then(|life| self.now().checked_add(life).ok());
        let access = Secret::from_text(granted.access_token);
        let rotated = granted.refresh_token.filter(|token| !token.is_empty());
        let rotated = rotated.map(Secret::from_text);
        for attempt in 0..WRITE_ATTEMPTS_MAX {
            let mut secrets = self.vaults.open(&credential)?;
            let current = secrets.get(REFRESH_TOKEN).map(Secret::expose);
            if current != Some(used.expose()) {
                let token = token_of(&credential, &secrets);
                return Ok(token.map_or(Refreshed::NotRefreshable, Refreshed::Token));
            }
            secrets.set(ACCESS_TOKEN, access.copy());
            if let Some(rotated) = &rotated {
                secrets.set(REFRESH_TOKEN, rotated.copy());
            }
            let mut auth = credential.auth().clone();
            auth.set("expires_at", json!(expires_at.map(rfc3339)));
            let kept = self.vaults.replace(&credential, auth, &secrets, self.now());
            match kept.await {
                Ok(_) => return Ok(Refreshed::Token(access)),
                Err(VaultError::Store(StoreError::RevisionConflict { .. })) => {}
                Err(VaultError::Store(StoreError::NotFound)) => {
                    return Ok(Refreshed::NotRefreshable);
                }
                // The old refresh token may be worth nothing by now.
                Err(error) if attempt + 1 < WRITE_ATTEMPTS_MAX => {
                    tracing::error!(credential = credential.id(), %error, "a refreshed token is not stored yet");
                    tokio::time::sleep(WRITE_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
            let again = self
                .vaults
                .credential(credential.workspace(), credential.id())
                .await?;
            match again {
                Some(again) => credential = again,
                None => return Ok(Refreshed::NotRefreshable),
            }
        }
        Err(StoreError::Failed("a credential is changed without end".to_owned()).into())
    }

    async fn ask(&self, credential: &Credential, secrets: &Bundle) -> Result<Granted, Attempt> {
        let no_connection = |why: String| Attempt::NoConnection(why);
        let endpoint = credential.auth().at("refresh").at("token_endpoint");
        if !self
            .egress
            .may_carry_secrets(endpoint.as_str().unwrap_or_default())
        {
            return Err(no_connection("no secret is sent without TLS".to_owned()));
        }
        let request = token_request(credential.auth().at("refresh"), secrets);
        let request = request.map_err(no_connection)?;
        // The user named it, and the operator says what may be reached at all.
        let policy = Policy::unrestricted();
        let asked = async {
            let timeouts = EgressTimeouts::default();
            let response = self.egress.send(&policy, request, timeouts).await;
            let response = response.map_err(|error| no_connection(error.to_string()))?;
            let (head, body) = response.into_parts();
            if head.status == StatusCode::OK {
                let body = collect(body, ANSWER_BYTES_MAX).await;
                let body = Zeroizing::new(body.map_err(|e| no_connection(e.to_string()))?);
                return granted(&body)
                    .ok_or_else(|| no_connection("its answer holds no access_token".to_owned()));
            }
            if head.status == StatusCode::TOO_MANY_REQUESTS || head.status.is_server_error() {
                return Err(no_connection(format!("status {}", head.status)));
            }
            let (body, is_cut) = start_of(body, LOOKED_THROUGH_BYTES)
                .await
                .map_err(|error| no_connection(error.to_string()))?;
            let mut redactor = Redactor::default();
            for name in [ACCESS_TOKEN, REFRESH_TOKEN, CLIENT_SECRET] {
                if let Some(secret) = secrets.get(name) {
                    redactor.add(secret);
                }
            }
            let shown = shown(&redactor, head.status, &head.headers, (&body, is_cut));
            Err(Attempt::Refused(shown))
        };
        match tokio::time::timeout(TIMEOUT, asked).await {
            Ok(done) => done,
            Err(_) => Err(no_connection("it did not answer in time".to_owned())),
        }
    }
}

/// Returns the request that RFC 6749 (section 6) and RFC 8707 describe.
fn token_request(refresh: &Value, secrets: &Bundle) -> Result<http::Request<EgressBody>, String> {
    let text = |name: &str| refresh.at(name).as_str().unwrap_or_default();
    let client_id = text("client_id");
    let secret_text = |name: &str| {
        let secret = secrets.get(name).and_then(Secret::expose_text);
        secret.unwrap_or_default()
    };
    let secret = secret_text(CLIENT_SECRET);
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token");
    form.append_pair("refresh_token", secret_text(REFRESH_TOKEN));
    let mut basic = None;
    match refresh.at("token_endpoint_auth").at("type").as_str() {
        Some("client_secret_basic") => {
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let pair = Zeroizing::new(format!("{}:{}", encoded(client_id), encoded(secret)));
            let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
            let mut value = HeaderValue::from_str(&value).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            basic = Some(value);
        }
        Some("client_secret_post") => {
            form.append_pair("client_id", client_id);
            form.append_pair("client_secret", secret);
        }
        _ => {
            form.append_pair("client_id", client_id);
        }
    }
    for name in ["scope", "resource"] {
        if !text(name).is_empty() {
            form.append_pair(name, text(name));
        }
    }
    let body = form.finish();
    let mut request = http::Request::post(text("token_endpoint"))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(CONTENT_LENGTH, body.len())
        .body(whole(Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    if let Some(basic) = basic {
        request.headers_mut().insert(AUTHORIZATION, basic);
    }
    Ok(request)
}

/// Reads what a token endpoint grants; none of what has no token that a header can have.
fn granted(answer: &[u8]) -> Option<Granted> {
    let granted: Granted = serde_json::from_slice(answer).ok()?;
    let is_fit = |token: &str| token.len() <= GRANTED_BYTES_MAX;
    let token = &granted.access_token;
    let is_usable = !token.is_empty() && is_fit(token) && HeaderValue::from_str(token).is_ok();
    let rotated = granted.refresh_token.as_deref().unwrap_or_default();
    (is_usable && is_fit(rotated)).then_some(granted)
}

/// Reads `expires_in`, which some endpoints give as text.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))
        .or_else(|| value.as_str()?.parse().ok())?;
    let seconds = seconds.clamp(LIFE_SECONDS_MIN, LIFE_SECONDS_MAX);
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_sent_is_granted() {
        let of = |text: &str| granted(text.as_bytes()).map(|granted| granted.access_token);
        assert_eq!(of(r#"{"access_token": "a"}"#).as_deref(), Some("a"));
        for text in [
            "",
            "[]",
            r#"{"access_token": ""}"#,
            r#"{"access_token": "a\nb"}"#,
            r#"{"access_token": 7}"#,
            r#"{"refresh_token": "r"}"#,
        ] {
            assert!(of(text).is_none(), "{text}");
        }
        let long = "x".repeat(GRANTED_BYTES_MAX + 1);
        assert!(of(&format!("{{\"access_token\": \"{long}\"}}")).is_none());
    }
}
