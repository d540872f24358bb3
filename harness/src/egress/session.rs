//! The way out of one session's hand: its environment's policy, its credentials, its journal.
//!
//! Environment and credentials are read anew for each request, so whatever is changed, archived or deleted counts at
//! once. A secret exists in the request that leaves and nowhere behind it: what comes back is masked before the guest
//! sees it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::Method;
use http::header::{ACCEPT_ENCODING, HeaderValue, IF_RANGE, RANGE};
use hyper::body::Body as _;
use serde_json::Value;
use sinew_runtime::{Egress, EgressBody, EgressError, EgressTimeouts};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::address::is_public;
use super::body::counted;
use super::client::{Client, Failure};
use super::credentials::{Credentials, Usable};
use super::inject::mask_headers;
use super::journal::{HttpRequest, Journal};
use super::masker::Masker;
use super::outgoing::{Used, ask_rules, facts_of, inject, is_encoded, refuse_in_url};
use super::placeholder::PlaceholderKey;
use super::policy::{Denial, Policy, is_granted};
use super::rewrite;
use super::scope::Scope;
use super::sent::Sent;
use crate::clock::Clock;
use crate::ids::{EventId, SessionId, WorkspaceId};
use crate::json::Fields as _;
use crate::rules::{On, RequestFacts, Rules};
use crate::secrets::Keyring;
use crate::session::agents_of;
use crate::store::{Key, Kind, SharedStore, StoreError};
use crate::vault::{VaultError, Vaults};

/// Hosts remembered that may have got a secret.
const INFORMED_MAX: usize = 1_000;
/// Longest wait for one of the hand's exchanges to end, where all are under way.
const PLACE_PATIENCE: Duration = Duration::from_secs(120);

/// What the ways out of all sessions are made of.
#[derive(Clone)]
pub struct Networks {
    client: Client,
    store: SharedStore,
    vaults: Vaults,
    clock: Arc<dyn Clock>,
    key: PlaceholderKey,
}

impl Networks {
    /// Returns the networks of the sessions in `store`, whose credentials `keyring` opens.
    pub async fn new(
        client: Client,
        store: SharedStore,
        keyring: Arc<Keyring>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let key = PlaceholderKey::of_store(&store.files().name().await?);
        let vaults = Vaults::new(store.clone(), keyring);
        Ok(Self {
            client,
            store,
            vaults,
            clock,
            key,
        })
    }

    /// Returns the way out of a session's hand. What must be known after a crash is noted in `notes`.
    pub async fn of_session(
        &self,
        session_id: &SessionId,
        notes: &Path,
    ) -> Result<SessionEgress, StoreError> {
        let row = self.store.session(session_id).await?;
        let first = self.store.read(session_id, 0, 1).await?;
        let first = first.into_iter().next().ok_or(StoreError::NotFound)?.id;
        let vault_ids = row.body.at("vault_ids").as_array();
        let vault_ids = vault_ids.into_iter().flatten().filter_map(Value::as_str);
        let credentials = Credentials::new(
            self.vaults.clone(),
            self.key.clone(),
            row.key.workspace.clone(),
            vault_ids.map(str::to_owned).collect(),
            first,
        );
        // The hand is everybody's, so is what holds for its requests.
        let rules = Rules::of(&row.body, agents_of(&row.body), On::Request);
        let places = self.client.options().exchanges_per_hand_max;
        Ok(SessionEgress(Arc::new(Inner {
            networks: self.clone(),
            session_id: session_id.clone(),
            environment_id: text(row.body.at("environment_id")),
            workspace: row.key.workspace,
            credentials,
            rules: Arc::new(rules),
            journal: Journal::default(),
            places: Arc::new(Semaphore::new(places)),
            sent: Sent::in_folder(notes),
            has_sockets: AtomicBool::default(),
            informed: Mutex::default(),
        })))
    }
}

/// The way out of one session's hand. Clones are the same one.
#[derive(Clone)]
pub struct SessionEgress(Arc<Inner>);

struct Inner {
    networks: Networks,
    session_id: SessionId,
    workspace: WorkspaceId,
    environment_id: String,
    credentials: Credentials,
    /// Those of the session and its agents, which never change.
    rules: Arc<Rules>,
    journal: Journal,
    /// Exchanges that may be under way.
    places: Arc<Semaphore>,
    sent: Sent,
    /// The environment granted connections when the last call began.
    has_sockets: AtomicBool,
    /// Hosts that may have got a secret.
    informed: Mutex<BTreeSet<String>>,
}

impl SessionEgress {
    /// Returns the variables of the hand's environment that stand for credentials: names and placeholders.
    pub async fn variables(&self) -> Result<Vec<(String, String)>, VaultError> {
        let usable = self.0.credentials.look().await?;
        let variable = |usable: Usable| (usable.name, usable.placeholder);
        Ok(usable.into_iter().map(variable).collect())
    }

    /// Says that requests belong to this call from now on, and learns which secrets there are to mask.
    pub async fn begin_call(&self, call: &EventId) -> Result<(), VaultError> {
        self.0.credentials.look().await?;
        let has_sockets = !self.0.sockets().await?.is_empty();
        self.0.has_sockets.store(has_sockets, Ordering::Release);
        self.0.journal.begin_call(Some(call.clone()));
        Ok(())
    }

    /// Tells whether a request that may have changed something left during this call: it must not be made again.
    pub fn has_sent(&self, call: &EventId) -> bool {
        self.0.sent.is_noted(call)
    }

    /// Says that requests belong to no call.
    pub fn end_call(&self) {
        self.0.journal.begin_call(None);
    }

    /// Returns the body of a `sinew.http_requests` event with the requests that ended since the last time; none
    /// without any.
    pub fn take_requests(&self) -> Option<Value> {
        self.0.journal.take()
    }

    /// Waits until the hand has one exchange less under way than it may.
    pub(super) async fn place(
        &self,
        timeouts: &EgressTimeouts,
    ) -> Result<OwnedSemaphorePermit, EgressError> {
        self.0.place(timeouts).await
    }

    /// Makes an exchange, as far as `scope` lets it.
    pub(super) async fn send_within(
        &self,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
        scope: Option<&Scope>,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        let place = self.place(&timeouts).await?;
        let noted = self.begin(&request, place);
        self.finish(self.0.exchange(request, timeouts, noted, scope).await)
    }

    /// Begins an exchange, for which there is a place.
    pub(super) fn begin(
        &self,
        request: &http::Request<EgressBody>,
        place: OwnedSemaphorePermit,
    ) -> Noted {
        let inner = &*self.0;
        Noted {
            record: record(inner, request),
            start: Instant::now(),
            up: Arc::default(),
            down: Arc::default(),
            used: Arc::default(),
            journal: inner.journal.clone(),
            _place: place,
        }
    }

    /// Returns what the guest sees of an exchange.
    pub(super) fn finish(
        &self,
        done: Result<http::Response<EgressBody>, Ended>,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        done.map_err(|ended| {
            let (failure, mut noted) = *ended;
            self.0.told(failure, &mut noted.record)
        })
    }

    /// Tells whether the session's environment lets its hand ask a host.
    pub(super) async fn allows_hand(&self, host: &str) -> bool {
        match self.0.policy().await {
            Ok(policy) => policy.allows(host),
            Err(error) => {
                tracing::error!(session = %self.0.session_id, %error, "the environment cannot be read");
                false
            }
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.networks.client
    }

    pub(super) fn rules(&self) -> &Arc<Rules> {
        &self.0.rules
    }

    pub(super) fn workspace(&self) -> &WorkspaceId {
        &self.0.workspace
    }

    /// Returns what masks the session's secrets in one stream of output.
    pub fn masker(&self) -> Masker {
        Masker::new(self.0.credentials.masks())
    }
}

impl Inner {
    /// Returns what the session's environment allows now.
    async fn policy(&self) -> Result<Policy, StoreError> {
        let store = &self.networks.store;
        let environment = match store.get(&self.environment(), None).await {
            Ok(environment) => environment,
            Err(StoreError::NotFound) => {
                return Ok(Policy::closed(Denial::new(
                    "the session's environment was deleted",
                    "",
                )));
            }
            Err(error) => return Err(error),
        };
        let networking = environment.body.at("config").at("networking");
        let mut mcp_hosts = Vec::new();
        if *networking.at("allow_mcp_servers") == true {
            let session = store.session(&self.session_id).await?;
            let servers = session.body.at("agent").at("mcp_servers").as_array();
            let urls = servers.into_iter().flatten().map(|server| server.at("url"));
            let urls = urls.filter_map(Value::as_str);
            mcp_hosts.extend(urls.filter_map(|url| {
                let url = url::Url::parse(url).ok()?;
                url.host_str().map(str::to_owned)
            }));
        }
        Ok(Policy::of_environment(networking, &mcp_hosts))
    }

    /// Tells whether the session's environment grants a guest this connection, and the operator the address.
    async fn may_connect(&self, address: SocketAddr) -> bool {
        let granted = match self.sockets().await {
            Ok(granted) => granted.contains(&address),
            Err(error) => {
                tracing::error!(session = %self.session_id, %error, "the environment cannot be read");
                false
            }
        };
        let private = &self.networks.client.options().private_hosts;
        let host = address.ip().to_string();
        let is_reachable = is_public(address.ip()) || is_granted(private, &host, address.port());
        let mut record = HttpRequest::connection(self.networks.clock.now(), address);
        record.tool_use_id = self.journal.call();
        let facts = RequestFacts {
            scheme: record.scheme.clone(),
            host,
            port: address.port(),
            method: record.method.clone(),
            path: String::new(),
            query: String::new(),
        };
        let is_allowed = granted && is_reachable;
        if is_allowed && let Err(failure) = ask_rules(&self.rules, facts).await {
            self.told(failure, &mut record);
            self.journal.add(record);
            return false;
        }
        if !is_allowed {
            let (why, setting) = match granted {
                true => (
                    "the address is not of the public internet",
                    format!("egress.private_hosts in the daemon's configuration: \"{address}\""),
                ),
                false => (
                    "the session's environment does not grant this connection",
                    "sinew.sockets of the session's environment".to_owned(),
                ),
            };
            record.error = Some(why.to_owned());
            record.setting = Some(setting);
        } else if let Some(call) = &record.tool_use_id
            && let Err(error) = self.sent.note(call).await
        {
            // What leaves over it nobody sees; after a crash the call must not be made again.
            tracing::error!(session = %self.session_id, %error, "cannot note that a connection is made");
            return false;
        }
        self.journal.add(record);
        is_allowed
    }

    /// Returns the connections that the session's environment grants now.
    async fn sockets(&self) -> Result<Vec<SocketAddr>, StoreError> {
        let store = &self.networks.store;
        let environment = match store.get(&self.environment(), None).await {
            Ok(environment) => environment,
            Err(StoreError::NotFound) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let sockets = environment.body.at("sinew").at("sockets").as_array();
        let sockets = sockets.into_iter().flatten().filter_map(Value::as_str);
        Ok(sockets.filter_map(|text| text.parse().ok()).collect())
    }

    fn environment(&self) -> Key {
        Key {
            workspace: self.workspace.clone(),
            kind: Kind::Environment,
            id: self.environment_id.clone(),
        }
    }

    async fn exchange(
        &self,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
        mut noted: Noted,
        scope: Option<&Scope>,
    ) -> Result<http::Response<EgressBody>, Ended> {
        let looked = async {
            let policy = self.policy().await?;
            Ok::<_, VaultError>((policy, self.credentials.look().await?))
        };
        let (policy, mut credentials) = match looked.await {
            Ok(looked) => looked,
            Err(error) => {
                tracing::error!(session = %self.session_id, %error, "credentials or environment cannot be read");
                let text = "the host cannot look up what is allowed; the operator was told";
                let failure = Failure::Failed(EgressError::Failed(text.to_owned()));
                return Err(noted.ended(failure));
            }
        };
        let checked = refuse_in_url(request.uri(), &credentials)
            .and_then(|()| self.networks.client.check(&policy, &request));
        let target = match checked {
            Ok(target) => target,
            Err(denial) => return Err(noted.ended(denial)),
        };
        if let Err(denial) = scope.map_or(Ok(()), |scope| scope.check(&target.host)) {
            return Err(noted.ended(denial));
        }
        let facts = facts_of(&target, request.method());
        if let Err(failure) = ask_rules(&self.rules, facts).await {
            return Err(noted.ended(failure));
        }
        let others_know = credentials.iter().any(|one| one.goes_to(&target.host));
        if let Some(scope) = scope {
            credentials.retain(|credential| scope.has(credential));
        }
        let injected = inject(request, &target, &credentials, &noted.used).await;
        let (mut request, may_have_secret) = match injected {
            Ok(injected) => injected,
            Err(failure) => return Err(noted.ended(failure)),
        };
        // Also a host that another hand of the session may have given a secret to.
        let may_know = may_have_secret || others_know;
        let may_echo = self.may_echo(&target.host, may_know);
        if may_echo {
            let identity = HeaderValue::from_static("identity");
            let headers = request.headers_mut();
            headers.insert(ACCEPT_ENCODING, identity);
            // A part may begin in the middle of what is looked for.
            headers.remove(RANGE);
            headers.remove(IF_RANGE);
        }
        if !matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::OPTIONS
        ) && let Some(call) = &noted.record.tool_use_id
            && let Err(error) = self.sent.note(call).await
        {
            tracing::error!(session = %self.session_id, %error, "cannot note that a request leaves");
            let text = "the host cannot note that the request leaves; the operator was told";
            let failure = Failure::Failed(EgressError::Failed(text.to_owned()));
            return Err(noted.ended(failure));
        }
        let up = Arc::clone(&noted.up);
        let request = request.map(|body| match body.is_end_stream() {
            true => body,
            false => counted(body, up, (), |(), _| {}),
        });
        let client = &self.networks.client;
        let response = match client.exchange(&target, request, timeouts).await {
            Ok(response) => response,
            Err(failure) => return Err(noted.ended(failure)),
        };
        let (mut head, body) = response.into_parts();
        noted.answered(head.status);
        if may_echo && is_encoded(&head.headers) {
            let reason = "the response of a host that may have a credential's secret came compressed although it \
                          must not, so it cannot be looked through for the secret";
            return Err(noted.ended(Denial::new(reason, "")));
        }
        let masks = self.credentials.masks();
        let mut body = body;
        if !masks.is_empty() {
            mask_headers(&mut head.headers, &masks);
            body = rewrite::body(body, masks, |_| Ok(()));
        }
        let body = counted(body, noted.down(), noted, Noted::fail);
        Ok(http::Response::from_parts(head, body))
    }

    /// Tells whether a host may know a secret, now or since earlier: its credential may have been archived meanwhile.
    fn may_echo(&self, host: &str, may_know: bool) -> bool {
        let mut informed = self.informed.lock().unwrap_or_else(PoisonError::into_inner);
        if may_know && informed.len() < INFORMED_MAX {
            informed.insert(host.to_owned());
        }
        // Of more hosts than are remembered every one may have got one.
        may_know || informed.contains(host) || informed.len() >= INFORMED_MAX
    }

    /// Returns a text without the session's secrets.
    fn masked(&self, text: String) -> String {
        Masker::new(self.credentials.masks()).text(text)
    }

    /// Waits until the hand has one exchange less under way than it may.
    async fn place(&self, timeouts: &EgressTimeouts) -> Result<OwnedSemaphorePermit, EgressError> {
        let patience = timeouts.first_byte.unwrap_or(PLACE_PATIENCE);
        let place = Arc::clone(&self.places).acquire_owned();
        let place = tokio::time::timeout(patience.min(PLACE_PATIENCE), place).await;
        place
            .map_err(|_| EgressError::Timeout)?
            .map_err(|error| EgressError::Failed(error.to_string()))
    }

    /// Returns an error as the guest may see it, and tells the operator of a denial.
    fn told(&self, failure: Failure, record: &mut HttpRequest) -> EgressError {
        if let Failure::Denied(Denial { reason, setting }) = &failure {
            tracing::warn!(session = %self.session_id, host = %record.host, %reason, %setting, "a request was denied");
            record.setting = Some(setting.clone()).filter(|setting| !setting.is_empty());
        }
        let error = match EgressError::from(failure) {
            EgressError::Failed(text) => EgressError::Failed(self.masked(text)),
            EgressError::Denied { reason } => EgressError::Denied {
                reason: self.masked(reason),
            },
            other => other,
        };
        record.fail(&error);
        error
    }
}

#[async_trait]
impl Egress for SessionEgress {
    async fn send(
        &self,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        self.send_within(request, timeouts, None).await
    }

    fn has_sockets(&self) -> bool {
        self.0.has_sockets.load(Ordering::Acquire)
    }

    async fn may_connect(&self, address: SocketAddr) -> bool {
        self.0.may_connect(address).await
    }
}

/// Why there is no response, and the request that it was.
pub(super) type Ended = Box<(Failure, Noted)>;

/// A request under way. Dropping it, with the last part of the response or before, puts it into the journal.
pub(super) struct Noted {
    record: HttpRequest,
    start: Instant,
    up: Arc<AtomicU64>,
    down: Arc<AtomicU64>,
    /// The ids of the credentials that were put in.
    used: Used,
    journal: Journal,
    _place: OwnedSemaphorePermit,
}

impl Noted {
    /// Returns that it got no response.
    pub(super) fn ended(self, failure: impl Into<Failure>) -> Ended {
        Box::new((failure.into(), self))
    }

    /// Notes the response's status.
    pub(super) fn answered(&mut self, status: http::StatusCode) {
        self.record.status = Some(status.as_u16());
    }

    /// Notes what went wrong with a body.
    pub(super) fn fail(&mut self, error: &EgressError) {
        self.record.fail(error);
    }

    /// Returns what counts the bytes that come back.
    pub(super) fn down(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.down)
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        let record = &mut self.record;
        record.bytes_up = self.up.load(Ordering::Relaxed);
        record.bytes_down = self.down.load(Ordering::Relaxed);
        record.duration_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        record.credential_ids = std::mem::take(&mut *used);
        if record.status.is_none() && record.error.is_none() {
            record.error = Some("given up before a response came".to_owned());
        }
        self.journal.add(record.clone());
    }
}

fn record(inner: &Inner, request: &http::Request<EgressBody>) -> HttpRequest {
    let uri = request.uri();
    let host = uri.host().unwrap_or_default().chars().take(255);
    HttpRequest {
        at: inner.networks.clock.now(),
        tool_use_id: inner.journal.call(),
        method: request.method().as_str().chars().take(32).collect(),
        scheme: uri.scheme_str().unwrap_or_default().to_owned(),
        host: inner.masked(host.collect()),
        port: uri.port_u16(),
        path: HttpRequest::kept_path(&inner.masked(uri.path().to_owned())),
        status: None,
        error: None,
        setting: None,
        bytes_up: 0,
        bytes_down: 0,
        duration_ms: 0,
        credential_ids: BTreeSet::new(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
