//! One daemon of the simulation: the real API and the real drivers over a simulated store, model and hands.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::Value;
use sinew::agent::{Backoff, Brain, Drivers, LeaseOptions, Live};
use sinew::api::deployments::DeploymentState;
use sinew::api::sessions::SessionState;
use sinew::api::{self, ApiState, AuthMode, DEFAULT_WORKSPACE, WorkQueue};
use sinew::blobs::Blobs;
use sinew::clock::Clock;
use sinew::content::{Content, Packs};
use sinew::ids::{SessionId, WorkspaceId};
use sinew::mcp::{CallLimits, Connector};
use sinew::model::Catalog;
use sinew::scheduler::{Scheduler, SchedulerOptions};
use sinew::secrets::Keyring;
use sinew::session::Limits;
use sinew::store::{Memory, SharedStore};
use sinew::vault::Vaults;
use sinew::webhooks::Outbox;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::hands::{Disk, SimHands};
use crate::model::SimModel;
use crate::power::Power;

/// How long a driver's lease lasts.
const LEASE: Duration = Duration::from_secs(60);
/// Wait before a process that could not start tries again.
const START_PAUSE: Duration = Duration::from_secs(1);

/// What all processes share, besides the store.
#[derive(Clone)]
pub struct Shared {
    pub blobs: Blobs,
    pub packs: Packs,
    pub catalog: Arc<Catalog>,
    pub secrets: Arc<Keyring>,
    /// No session of the simulation has an MCP server.
    pub egress: sinew::egress::Client,
}

pub struct Process {
    pub power: Arc<Power>,
    router: Router,
    drivers: Arc<Drivers>,
}

impl Process {
    /// Starts a process on a machine with this disk. It drives what waits as soon as the store lets it.
    pub fn start(
        memory: &Memory,
        shared: &Shared,
        power: Arc<Power>,
        disk: Disk,
        holder: &str,
    ) -> Arc<Self> {
        let store = Arc::new(memory.store(power.clone()));
        let outbox = Outbox::new(store, power.clock.clone(), "org_1".into());
        let store: SharedStore = Arc::new(outbox);
        let api = ApiState {
            store: store.clone(),
            blobs: shared.blobs.clone(),
            secrets: shared.secrets.clone(),
            clock: power.clock.clone(),
            auth: AuthMode::Open,
            models: shared.catalog.clone(),
            organization_id: "org_1".into(),
            default_workspace: WorkspaceId::from_text(DEFAULT_WORKSPACE),
            work: Arc::new(WorkQueue::new(Duration::from_secs(300))),
            mcp: Arc::new(Connector::new(
                shared.egress.clone(),
                Vaults::new(store.clone(), shared.secrets.clone()),
                power.clock.clone(),
                CallLimits {
                    quiet_max: LEASE,
                    total_max: LEASE,
                },
            )),
            components: None,
        };
        let brain = Arc::new(Brain {
            live: Live::follow(&store),
            store: store.clone(),
            blobs: shared.blobs.clone(),
            content: Content::new(store.clone(), shared.packs.clone()),
            clock: power.clock.clone(),
            model: Arc::new(SimModel {
                power: power.clone(),
            }),
            facts: shared.catalog.clone(),
            hands: Arc::new(SimHands::new(power.clone(), disk, store.clone())),
            mcp: api.mcp.clone(),
            limits: Limits::default(),
            backoff: Backoff {
                spread: 0.0,
                ..Backoff::default()
            },
            lease: LeaseOptions {
                holder: holder.to_owned(),
                ttl: LEASE,
            },
        });
        let drivers = Drivers::new(brain.clone());
        let sessions = SessionState {
            api: api.clone(),
            brain,
            drivers: drivers.clone(),
        };
        let deployments = DeploymentState::new(sessions.clone());
        let options = SchedulerOptions {
            delay_max: Duration::ZERO,
            ..SchedulerOptions::default()
        };
        let scheduler = Scheduler::new(deployments.clone(), options);
        tokio::spawn(scheduler.run(CancellationToken::new()));
        let scanner = drivers.clone();
        let (clock, holder) = (power.clock.clone(), holder.to_owned());
        tokio::spawn(async move {
            // What is held under this name is a dead process's.
            while store.release_leases_of(&holder).await.is_err() {
                clock.sleep(START_PAUSE).await;
            }
            scanner.run().await;
        });
        Arc::new(Self {
            power,
            // Given its state now, or every request would make the routes anew.
            router: api::router(
                api,
                api::sessions::routes(sessions).merge(api::deployments::routes(deployments)),
            )
            .with_state(()),
            drivers,
        })
    }

    /// Wakes a session that may have nothing to do.
    pub fn wake(&self, session: &str) {
        self.drivers.wake(&SessionId::from_text(session));
    }

    /// Answers a request; never, if the process dies first.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.power.alive().await;
        let mut request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("anthropic-beta", "managed-agents-2026-04-01");
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = match request.body(body) {
            Ok(request) => self.router.clone().oneshot(request).await,
            Err(error) => panic!("{path} is no request: {error}"),
        };
        let Ok(answer) = answer;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await;
        let bytes = bytes.map(|body| body.to_bytes()).unwrap_or_default();
        // A dead process's answer reaches nobody.
        self.power.alive().await;
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}
