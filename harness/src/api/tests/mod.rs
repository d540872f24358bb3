//! The whole router over a real store: one request, one answer, no network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod access;
mod agents;
pub(crate) mod deployments;
mod environments;
mod files;
mod mcp_oauth;
mod memory;
mod models;
mod skills;
mod surface;
mod vaults;
mod webhooks;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum::routing::get;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::deployments::DeploymentState;
use super::sessions::SessionState;
use super::{ApiState, AuthMode, DEFAULT_WORKSPACE, WorkQueue, router};
use crate::agent::{Backoff, Brain, Drivers, LeaseOptions, Live};
use crate::blobs::Blobs;
use crate::clock::{ManualClock, Timestamp};
use crate::content::{Content, Packs};
use crate::egress::EgressOptions;
use crate::hands::{Hand, HandError, Hands, Mounts};
use crate::ids::{SessionId, WorkspaceId};
use crate::mcp::{CallLimits, Connector};
use crate::model::catalog::{Lifecycle, ModelOverride};
use crate::model::keys::ApiKey;
use crate::model::{Catalog, ProviderConfig, ProviderKind, Router as Models};
use crate::secrets::{Keyring, MasterKey};
use crate::session::Limits;
use crate::store::{SharedStore, SqliteOptions, SqliteStore};
use crate::vault::Vaults;
use crate::webhooks::{Outbox, Queue, UrlRules};

const BETA: &str = "managed-agents-2026-04-01";

/// The built-in models, and behind them five of every state.
fn catalog() -> Catalog {
    let model = |lifecycle| ModelOverride {
        lifecycle: Some(lifecycle),
        ..ModelOverride::default()
    };
    Catalog::with_overrides(&BTreeMap::from([
        ("m1".to_owned(), model(Lifecycle::Active)),
        ("m2".to_owned(), model(Lifecycle::Active)),
        ("m3".to_owned(), model(Lifecycle::Retired)),
        ("m4".to_owned(), model(Lifecycle::Deprecated)),
        ("m5".to_owned(), model(Lifecycle::Active)),
    ]))
}

pub(crate) struct Server {
    router: Router,
    pub(crate) state: ApiState,
    pub(crate) store: SharedStore,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) deployments: DeploymentState,
    pub(crate) queue: Arc<Queue>,
    _folder: tempfile::TempDir,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Value,
}

/// No session is driven here, so no hand is made.
struct NoHands;

#[async_trait::async_trait]
impl Hands for NoHands {
    fn definitions(&self) -> &[Value] {
        &[]
    }

    async fn provision(
        &self,
        _: &SessionId,
        _: &Mounts,
        _: Option<crate::store::Files>,
    ) -> Result<Box<dyn Hand>, HandError> {
        Err(HandError::Full)
    }

    async fn condemn(&self, _: &SessionId) -> Result<(), HandError> {
        Ok(())
    }

    async fn discard(&self, _: &SessionId) -> Result<(), HandError> {
        Ok(())
    }
}

/// Sessions that are made and read, but never driven.
fn sessions(state: &ApiState) -> SessionState {
    let provider = ProviderConfig {
        base_url: Some("http://127.0.0.1:9".to_owned()),
        api_keys: ApiKey::new("key").into_iter().collect(),
        ..ProviderConfig::new(ProviderKind::Anthropic)
    };
    let models = Models::new(
        &[provider],
        &|_| None,
        state.models.clone(),
        state.clock.clone(),
    );
    let brain = Arc::new(Brain {
        live: Live::follow(&state.store),
        store: state.store.clone(),
        blobs: state.blobs.clone(),
        content: Content::new(
            state.store.clone(),
            Packs::in_store(Arc::new(object_store::memory::InMemory::new())),
        ),
        clock: state.clock.clone(),
        model: Arc::new(models.unwrap()),
        facts: state.models.clone(),
        hands: Arc::new(NoHands),
        mcp: state.mcp.clone(),
        limits: Limits::default(),
        backoff: Backoff {
            first: Duration::from_millis(1),
            max: Duration::from_millis(1),
            ..Backoff::default()
        },
        lease: LeaseOptions {
            holder: "test".to_owned(),
            ttl: Duration::from_secs(60),
        },
    });
    let drivers = Drivers::new(brain.clone());
    // Nothing is driven once they are shut down.
    let shut = futures::FutureExt::now_or_never(drivers.shut_down());
    shut.expect("nothing to wait for");
    SessionState {
        api: state.clone(),
        brain,
        drivers,
    }
}

impl Server {
    fn new(auth: AuthMode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).unwrap();
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_second(1_800_000_000).unwrap(),
        ));
        let outbox = Outbox::new(Arc::new(store), clock.clone(), "org_1".into());
        let queue = outbox.queue();
        let store: SharedStore = Arc::new(outbox);
        let secrets = Arc::new(Keyring::of(MasterKey::fresh().unwrap()));
        // The servers of tests are on this machine.
        let options = EgressOptions {
            private_hosts: vec!["127.0.0.1".parse().unwrap()],
            ..EgressOptions::default()
        };
        let mcp = Connector::new(
            crate::egress::Client::new(options).unwrap(),
            Vaults::new(store.clone(), secrets.clone()),
            clock.clone(),
            CallLimits {
                quiet_max: Duration::from_secs(10),
                total_max: Duration::from_secs(10),
            },
        );
        let state = ApiState {
            store: store.clone(),
            blobs: Blobs::in_folder(&folder.path().join("blobs")).unwrap(),
            secrets,
            clock: clock.clone(),
            auth,
            models: Arc::new(catalog()),
            organization_id: "org_1".into(),
            default_workspace: WorkspaceId::from_text(DEFAULT_WORKSPACE),
            work: Arc::new(WorkQueue::new(Duration::from_secs(300))),
            mcp: Arc::new(mcp),
            components: None,
        };
        let sessions = sessions(&state);
        let deployments = DeploymentState::new(sessions.clone());
        let more = Router::new()
            .route("/v1/panics", get(panics))
            .merge(super::sessions::routes(sessions))
            .merge(super::deployments::routes(deployments.clone()))
            .merge(super::webhooks::routes(
                state.clone(),
                UrlRules {
                    allow_private: true,
                },
            ));
        Self {
            router: router(state.clone(), more),
            state,
            store,
            clock,
            deployments,
            queue,
            _folder: folder,
        }
    }

    pub(crate) fn open() -> Self {
        Self::new(AuthMode::Open)
    }

    /// Sends a request as it is, and checks what holds for every response.
    async fn send(&self, request: Request<Body>) -> Reply {
        // Nothing made at the same instant: lists sort by it.
        self.clock.advance(Duration::from_secs(1));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&bytes).expect("every answer is JSON");
        let status = parts.status.as_u16();
        let request_id = parts.headers["request-id"].to_str().unwrap();
        assert!(request_id.starts_with("req_"));
        assert_eq!(parts.headers["anthropic-organization-id"], "org_1");
        assert!(parts.headers.contains_key("anthropic-workspace-id"));
        assert_eq!(parts.headers["content-type"], "application/json");
        if status >= 400 {
            assert_eq!(body["type"], "error", "{status}: {body}");
            assert_eq!(body["request_id"], request_id);
            assert!(body["error"]["type"].is_string() && body["error"]["message"].is_string());
        }
        Reply {
            status,
            headers: parts.headers,
            body,
        }
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("anthropic-beta", BETA);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, Some(body)).await
    }

    /// Posts what must succeed.
    #[track_caller]
    pub(crate) fn made(&self, path: &str, body: Value) -> impl Future<Output = Value> {
        let path = path.to_owned();
        async move {
            let reply = self.post(&path, body).await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.body);
            reply.body
        }
    }
}

impl Reply {
    /// Fails unless this is an error of this status and type whose message holds `fragment`.
    #[track_caller]
    fn refused(&self, status: u16, kind: &str, fragment: &str) -> &Self {
        let error = &self.body["error"];
        assert!(
            self.status == status
                && error["type"] == kind
                && error["message"]
                    .as_str()
                    .is_some_and(|m| m.contains(fragment)),
            "expected {status} {kind} ...{fragment}..., got {} {}",
            self.status,
            self.body
        );
        self
    }

    #[track_caller]
    fn invalid(&self, fragment: &str) -> &Self {
        self.refused(400, "invalid_request_error", fragment)
    }

    /// Returns one field of each item of a page.
    pub(crate) fn column(&self, field: &str) -> Vec<Value> {
        let data = self.body["data"].as_array().expect("a page has data");
        data.iter().map(|item| item[field].clone()).collect()
    }
}

async fn panics() {
    panic!("on purpose");
}
