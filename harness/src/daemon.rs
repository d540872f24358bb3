//! The daemon: everything put together, started and stopped in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use sinew_runtime::fs::FsLimits;
use sinew_runtime::{
    CompilerCommand, Limits as RuntimeLimits, LoadError, LoadedComponent, ProgramError, Programs,
    ProvisionError, Runtime, RuntimeConfig, RuntimeError,
};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::agent::{Backoff, Brain, Drivers, LeaseOptions, Live};
use crate::api::deployments::DeploymentState;
use crate::api::files::{Collector, FileWorkers, Sweeper};
use crate::api::sessions::SessionState;
use crate::api::{self, ApiState, AuthMode, DEFAULT_WORKSPACE, WorkQueue, list_keys};
use crate::blobs::{BlobError, Blobs};
use crate::clock::{Clock, SystemClock};
use crate::collect;
use crate::config::{Config, StdioProgram, StdioSandbox};
use crate::content::{Content, ContentError, Packs, remove_unfinished};
use crate::data_dir::{DataDir, DataDirError};
use crate::egress::{Client, ClientError, Networks};
use crate::hands::{self, Components, Hands, WasmHands, WasmHandsOptions, WebTools};
use crate::ids::WorkspaceId;
use crate::mcp::{CallLimits, Connector, StdioServer};
use crate::memory::retention;
use crate::model::{Catalog, Router, RouterError};
use crate::place::{Place, PlaceError};
use crate::portable;
use crate::scheduler::{Scheduler, SchedulerOptions};
use crate::secrets::{self, Keyring, RotateError, Secret, SourceError};
use crate::session::Limits;
use crate::store::{SharedStore, SqliteOptions, SqliteStore, Store, StoreError};
use crate::vault::Vaults;
use crate::web_search::{self, SearchError};
use crate::webhooks::{Courier, Outbox, Sender, UrlRules};

/// Names the organization in response headers.
const ORGANIZATION: &str = "org_sinew";
/// Names the one daemon of a data folder as the holder of leases.
const HOLDER: &str = "daemon";
/// Time between two looks for space on a full disk.
const SPACE_PERIOD: Duration = Duration::from_secs(1);
/// How long open requests may take to end at a stop.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// Why a daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The data folder is held or unusable.
    #[error(transparent)]
    Data(#[from] DataDirError),
    /// The database is unusable.
    #[error("cannot open the database: {0}")]
    Store(#[from] StoreError),
    /// The place of blobs is unusable.
    #[error("cannot open the place of blobs: {0}")]
    Blobs(#[from] BlobError),
    /// The place of packs is unusable.
    #[error("cannot open the place of packs: {0}")]
    Content(#[from] ContentError),
    /// The place of contents is unusable.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The packs are elsewhere: what is written here would be missing there.
    #[error(
        "none of the packs that the database knows lies in {0}: name their place with --content-url, or put them back"
    )]
    PacksElsewhere(String),
    /// Searches of the web cannot be set up.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// There are no master keys.
    #[error(transparent)]
    MasterKey(#[from] SourceError),
    /// The stored credentials cannot be checked.
    #[error(transparent)]
    Credentials(#[from] RotateError),
    /// Credentials need a master key that was not given.
    #[error(
        "stored credentials need the master key {0}, which was not given: give it too, behind the \
         current one"
    )]
    MasterKeyMissing(String),
    /// The Wasm engine does not start.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A built-in component cannot be loaded.
    #[error("cannot load a built-in tool: {0}")]
    Component(#[from] LoadError),
    /// A built-in program cannot be loaded.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The built-in components clash.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// Others could reach a server that asks for no key.
    #[error(
        "{0} can be reached from other machines, so API keys are needed: make one with \"sinew key create\""
    )]
    KeysNeeded(SocketAddr),
    /// A model provider's configuration cannot be used.
    #[error("the configuration of a model provider cannot be used: {0}")]
    Model(#[from] RouterError),
    /// An HTTP client cannot be made.
    #[error("no HTTP client can be made: {0}")]
    Http(#[from] reqwest::Error),
    /// A program that is an MCP server is to get a variable that there is not.
    #[error("mcp.stdio: the environment variable {0} of env_from is not set")]
    NoVariable(String),
    /// The way out for hands cannot be made.
    #[error(transparent)]
    Egress(#[from] ClientError),
    /// The program's own file is gone.
    #[error("cannot find this program's own file: {0}")]
    OwnFile(std::io::Error),
}

/// How far the start is: a component that is ready, its place, and how many there are.
pub struct StartProgress<'a> {
    /// What became ready.
    pub name: &'a str,
    /// Ready ones.
    pub done: usize,
    /// All.
    pub total: usize,
}

/// A running daemon. [`Daemon::stop`] ends it in order; after a crash the next one goes on from the logs.
pub struct Daemon {
    address: SocketAddr,
    drivers: Arc<Drivers>,
    server: JoinHandle<()>,
    scanner: JoinHandle<()>,
    scheduler: JoinHandle<()>,
    courier: JoinHandle<()>,
    file_workers: FileWorkers,
    sweeper: JoinHandle<()>,
    collector: JoinHandle<()>,
    stopping: CancellationToken,
    _data: DataDir,
}

impl Daemon {
    /// Starts a daemon and returns once it answers requests.
    pub async fn start(
        config: Config,
        mut progress: impl FnMut(StartProgress<'_>),
    ) -> Result<Self, DaemonError> {
        raise_open_files();
        let mut data = DataDir::lock(&config.data)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let database = Arc::new(SqliteStore::open(SqliteOptions::new(data.database()))?);
        let outbox = Outbox::new(database, clock.clone(), ORGANIZATION.into());
        outbox.read_subscribers().await?;
        let queue = outbox.queue();
        let store: SharedStore = Arc::new(outbox);
        let secrets = Arc::new(keyring(&store, &config, &data).await?);
        let auth = auth_mode(&store, &config).await?;
        let listener =
            TcpListener::bind(config.listen)
                .await
                .map_err(|error| DaemonError::Listen {
                    address: config.listen,
                    error,
                })?;
        let address = listener.local_addr().map_err(|error| DaemonError::Listen {
            address: config.listen,
            error,
        })?;
        // The note is for people; a full disk must not keep the daemon from starting.
        let note = format!("process {}, listening on {address}", std::process::id());
        if let Err(error) = data.note(&note) {
            tracing::warn!(%error, "cannot write the lock's note");
        }
        let (blobs, content) = contents(&config, &data, &store).await?;
        let collector = collector(&config, content.clone(), clock.clone());
        let client = Client::new(config.egress.options())?;
        let networks = Networks::new(
            client.clone(),
            store.clone(),
            secrets.clone(),
            clock.clone(),
        )
        .await?;
        let hands = make_hands(
            &config,
            &data,
            &blobs,
            content.clone(),
            Some(networks),
            &mut progress,
        );
        let hands = Arc::new(hands.await?);
        let components = hands.registered();
        sweep(&store, &hands).await;
        // Nobody imports yet: what is staged is a dead daemon's.
        portable::sweep(&*store).await?;
        let catalog = catalog(&config);
        let mcp = Arc::new(connector(&config, client, &store, &secrets, &clock)?);
        let brain = brain(
            &config,
            store.clone(),
            blobs.clone(),
            content,
            hands,
            mcp.clone(),
            catalog.clone(),
        )?;
        // Nobody drives for this folder but us, and we have not begun: what is held is a dead daemon's.
        let holder = brain.lease.holder.clone();
        let has_dead_leases = match store.release_leases_of(&holder).await {
            // What there is can be read all the same.
            Err(StoreError::Full) => {
                tracing::warn!("the disk is full; sessions at work go on once there is space");
                true
            }
            released => {
                released?;
                false
            }
        };
        let drivers = Drivers::new(brain.clone());
        let api_state = ApiState {
            store: store.clone(),
            blobs,
            secrets,
            clock: clock.clone(),
            auth,
            models: catalog,
            organization_id: ORGANIZATION.into(),
            default_workspace: WorkspaceId::from_text(DEFAULT_WORKSPACE),
            work: Arc::new(WorkQueue::new(Duration::from_millis(config.work_lease_ms))),
            mcp,
            components,
        };
        let stopping = CancellationToken::new();
        let file_workers = start_file_workers(&api_state, &brain, &stopping).await?;
        let sessions = SessionState {
            api: api_state.clone(),
            brain,
            drivers: drivers.clone(),
        };
        let deployments = DeploymentState::new(sessions.clone());
        let rules = UrlRules {
            allow_private: config.webhooks.allow_private,
        };
        let keyring = api_state.secrets.clone();
        let courier = Courier::new(
            store.clone(),
            queue,
            clock.clone(),
            keyring,
            Sender::new(rules)?,
        );
        let router = api::router(
            api_state.clone(),
            api::sessions::routes(sessions)
                .merge(api::deployments::routes(deployments.clone()))
                .merge(api::webhooks::routes(api_state, rules)),
        );
        let courier = tokio::spawn(courier.run(stopping.clone()));
        let scheduler = Scheduler::new(deployments, scheduler_options(&config));
        let scheduler = tokio::spawn(scheduler.run(stopping.clone()));
        let server = tokio::spawn(serve(listener, router, stopping.clone()));
        let sweeper = tokio::spawn(retention::run(
            store.clone(),
            clock.clone(),
            stopping.clone(),
        ));
        let collector = tokio::spawn(collector.run(stopping.clone()));
        let scanner = {
            let drivers = drivers.clone();
            let stopping = stopping.clone();
            tokio::spawn(async move {
                if has_dead_leases {
                    tokio::select! {
                        () = release_once_there_is_space(&*store, &*clock, &holder) => {}
                        () = stopping.cancelled() => return,
                    }
                }
                drivers.run().await;
            })
        };
        Ok(Self {
            address,
            drivers,
            server,
            scanner,
            scheduler,
            courier,
            file_workers,
            sweeper,
            collector,
            stopping,
            _data: data,
        })
    }

    /// Returns the address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops taking requests, gives up work under way, and ends.
    pub async fn stop(self) {
        self.stopping.cancel();
        // It ends behind the run that it is making.
        let _ = self.scheduler.await;
        let _ = self.courier.await;
        self.drivers.shut_down().await;
        let abort = self.server.abort_handle();
        if tokio::time::timeout(STOP_PATIENCE, self.server)
            .await
            .is_err()
        {
            // Streams have no end of their own.
            abort.abort();
        }
        // It ends by itself once the drivers are shut down.
        let _ = self.scanner.await;
        self.file_workers.ended().await;
        let _ = self.sweeper.await;
        let _ = self.collector.await;
    }
}

/// Every handle of a guest is one of the host, so the daemon takes as many as the system lets it have.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

async fn serve(listener: TcpListener, router: axum::Router, stopping: CancellationToken) {
    // Events are sent as they are made, not gathered; without it they only come later.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, router.into_make_service())
        .with_graceful_shutdown(async move { stopping.cancelled().await });
    if let Err(error) = server.await {
        tracing::error!(%error, "the server ended");
    }
}

/// Loads the master keys, and checks that they open what is stored.
async fn keyring(
    store: &SharedStore,
    config: &Config,
    data: &DataDir,
) -> Result<Keyring, DaemonError> {
    let keyring = match &config.master_key {
        Some(source) => secrets::load(source).await?,
        None => {
            let is_needed = secrets::has_sealed(&**store).await?;
            secrets::load_or_create(&data.master_key(), is_needed)?
        }
    };
    match secrets::missing_key(&**store, &keyring).await? {
        Some(id) => Err(DaemonError::MasterKeyMissing(id)),
        None => Ok(keyring),
    }
}

async fn auth_mode(store: &SharedStore, config: &Config) -> Result<AuthMode, DaemonError> {
    if !list_keys(&**store, 1).await?.is_empty() {
        return Ok(AuthMode::Keys);
    }
    if config.listen.ip().is_loopback() {
        return Ok(AuthMode::Open);
    }
    Err(DaemonError::KeysNeeded(config.listen))
}

/// A runtime with everything that ships inside this program, loaded.
pub struct BuiltIn {
    /// Runs it.
    pub runtime: Runtime,
    /// The tools.
    pub components: Vec<Arc<LoadedComponent>>,
    /// The programs.
    pub programs: Arc<Programs>,
}

/// Starts a runtime that compiles into the configured folder; nothing is loaded yet.
pub fn runtime(
    config: &Config,
    data: &Path,
    processes_max: Option<u32>,
) -> Result<Runtime, DaemonError> {
    let compiler = CompilerCommand::this_program("compile-worker").map_err(DaemonError::OwnFile)?;
    let cache = config.cache.as_deref().unwrap_or(data);
    let mut runtime_config = RuntimeConfig::new(cache.to_owned(), compiler);
    if config.guest_threads > 0 {
        runtime_config.guest_threads = config.guest_threads;
    }
    if let Some(processes_max) = processes_max {
        runtime_config.processes_max = processes_max;
    }
    Ok(Runtime::new(runtime_config)?)
}

/// Starts a runtime and loads the built-in tools, compiling those that were never compiled.
pub async fn load_tools(
    config: &Config,
    data: &Path,
    progress: &mut impl FnMut(StartProgress<'_>),
) -> Result<BuiltIn, DaemonError> {
    let runtime = runtime(config, data, None)?;
    let (tools, programs) = (hands::tools(), hands::programs()?);
    let (first, total) = (tools.len(), tools.len() + programs.components());
    let mut report = |name: &str, done| progress(StartProgress { name, done, total });
    let components = runtime
        .add_all(tools, |step| report(step.name, step.done))
        .await?;
    programs
        .load_all(&runtime, |step| report(step.name, first + step.done))
        .await?;
    Ok(BuiltIn {
        runtime,
        components,
        programs: Arc::new(programs),
    })
}

/// Makes hands whose sessions' files lie in `data`, with all that ships inside this program loaded. Without `networks`
/// nothing leaves them.
pub async fn make_hands(
    config: &Config,
    data: &DataDir,
    blobs: &Blobs,
    content: Content,
    networks: Option<Networks>,
    progress: &mut impl FnMut(StartProgress<'_>),
) -> Result<WasmHands, DaemonError> {
    let search = web_search::provider(config)?;
    let BuiltIn {
        runtime,
        mut components,
        programs,
    } = load_tools(config, data.path(), progress).await?;
    let call_timeout = Duration::from_millis(config.hand.call_ms_max);
    let limits = RuntimeLimits {
        memory_bytes: config.hand.memory_bytes_max,
        hand_memory_bytes: config.hand.memory_bytes_max.saturating_mul(2),
        wall_time: call_timeout,
        cpu_time: call_timeout,
        fs: FsLimits {
            bytes_max: config.hand.written_bytes_max,
            inodes_max: config.hand.files_max,
            ..FsLimits::default()
        },
        output_bytes: OUTPUT_BYTES_MAX,
        ..RuntimeLimits::default()
    };
    let web = components.iter().position(|one| one.name() == hands::WEB);
    let web = web.map(|place| components.remove(place));
    let web =
        web.map(|component| WebTools::new(runtime.clone(), component, limits.clone(), search));
    let registered = Components::new(runtime.clone(), blobs.clone(), limits.clone());
    Ok(WasmHands::new(WasmHandsOptions {
        registered: Some(Arc::new(registered)),
        runtime,
        components,
        web,
        programs,
        sessions: data.sessions(),
        skills: data.skills(),
        blobs: blobs.clone(),
        content,
        workspace: config.workspace.clone(),
        limits,
        call_timeout,
        networks,
    })?)
}

/// Opens the places of what is too large for the database.
async fn contents(
    config: &Config,
    data: &DataDir,
    store: &SharedStore,
) -> Result<(Blobs, Content), DaemonError> {
    let place = place_of(config, data.packs(), &**store, "packs").await?;
    if let Place::Folder(folder) = &place {
        remove_unfinished(folder).map_err(BlobError::from_io)?;
    }
    let content = Content::new(store.clone(), Packs::at(&place)?);
    let has_packs = !content.index().packs(None, 1).await?.is_empty();
    if has_packs && content.packs().is_empty().await? {
        let place = match &config.content.url {
            Some(url) => url.to_string(),
            None => data.packs().display().to_string(),
        };
        return Err(DaemonError::PacksElsewhere(place));
    }
    let blobs = Blobs::at(&place_of(config, data.blobs(), &**store, "blobs").await?)?;
    Ok((blobs, content))
}

/// Returns where a part, `packs` or `blobs`, of what is too large for the database lies: in `folder` unless the
/// configuration names a place.
pub async fn place_of(
    config: &Config,
    folder: PathBuf,
    store: &dyn Store,
    part: &str,
) -> Result<Place, DaemonError> {
    let Some(url) = &config.content.url else {
        return Ok(Place::Folder(folder));
    };
    let place = Place::at(url, &store.files().name().await?, part)?;
    place.check(url).await?;
    Ok(place)
}

/// Returns what removes the contents that no session needs.
/// Gives back a dead daemon's leases as soon as that can be written; until then nobody can take one.
async fn release_once_there_is_space(store: &dyn Store, clock: &dyn Clock, holder: &str) {
    while let Err(error) = store.release_leases_of(holder).await {
        if !matches!(error, StoreError::Full) {
            tracing::error!(%error, "cannot give back leases; they will run out");
            return;
        }
        clock.sleep(SPACE_PERIOD).await;
    }
}

fn collector(config: &Config, content: Content, clock: Arc<dyn Clock>) -> collect::Worker {
    let settings = &config.collection;
    collect::Worker {
        content,
        clock,
        period: (settings.period_ms > 0).then(|| Duration::from_millis(settings.period_ms)),
        rules: collect::Rules {
            grace: Duration::from_millis(settings.grace_ms),
            row_bytes_max: settings.row_bytes_max,
        },
    }
}

/// Starts what looks after files. Before the first request, so that nothing is missed.
async fn start_file_workers(
    api: &ApiState,
    brain: &Brain,
    stopping: &CancellationToken,
) -> Result<FileWorkers, DaemonError> {
    let (store, blobs, clock) = (api.store.clone(), api.blobs.clone(), api.clock.clone());
    let hints = store.subscribe();
    let sweeper = Sweeper::new(store.clone(), blobs.clone(), clock.clone()).await?;
    let collector = Collector::new(store, blobs, clock, brain.hands.clone());
    Ok(FileWorkers::start(sweeper, collector, hints, stopping))
}

/// Finishes deletions that a crash cut in half: the record is gone, the files are not.
async fn sweep(store: &SharedStore, hands: &WasmHands) {
    for session_id in hands.condemned().await {
        if !matches!(store.session(&session_id).await, Err(StoreError::NotFound)) {
            continue;
        }
        if let Err(error) = hands.discard(&session_id).await {
            tracing::warn!(session = %session_id, %error, "files of a deleted session could not be removed");
        }
    }
}

/// Largest result of one call in bytes: a document of 20 MiB and what goes around it.
const OUTPUT_BYTES_MAX: u64 = 48 << 20;

fn scheduler_options(config: &Config) -> SchedulerOptions {
    SchedulerOptions {
        delay_max: Duration::from_millis(config.schedules.delay_ms_max),
        late_max: Duration::from_millis(config.schedules.late_ms_max),
    }
}

/// Returns the catalogue of models with the operator's facts laid over it.
pub fn catalog(config: &Config) -> Arc<Catalog> {
    Arc::new(Catalog::with_overrides(&config.models))
}

/// Makes the model providers that the configuration names. Sends nothing.
pub fn router(config: &Config, catalog: Arc<Catalog>) -> Result<Router, RouterError> {
    let variable = |name: &str| std::env::var(name).ok();
    Router::new(&config.providers, &variable, catalog, Arc::new(SystemClock))
}

/// Makes what connects to MCP servers. Sends nothing.
fn connector(
    config: &Config,
    client: Client,
    store: &SharedStore,
    secrets: &Arc<Keyring>,
    clock: &Arc<dyn Clock>,
) -> Result<Connector, DaemonError> {
    let limits = CallLimits {
        quiet_max: Duration::from_millis(config.mcp.quiet_ms_max),
        total_max: Duration::from_millis(config.mcp.call_ms_max),
    };
    let vaults = Vaults::new(store.clone(), secrets.clone());
    let programs = config.mcp.stdio.iter();
    let programs = programs.map(|(name, program)| Ok((name.clone(), stdio_server(program)?)));
    let programs = programs.collect::<Result<_, DaemonError>>()?;
    Ok(Connector::new(client, vaults, clock.clone(), limits).with_stdio(programs))
}

fn stdio_server(program: &StdioProgram) -> Result<StdioServer, DaemonError> {
    let secret = |name: &String| match std::env::var(name) {
        Ok(value) => Ok((name.clone(), Secret::from_text(value))),
        Err(_) => Err(DaemonError::NoVariable(name.clone())),
    };
    let secrets = program.env_from.iter().map(secret);
    let places = usize::try_from(program.processes_max).unwrap_or(usize::MAX);
    Ok(StdioServer {
        command: program.command.clone(),
        environment: program.env.clone(),
        secrets: secrets.collect::<Result<_, _>>()?,
        readable: program.readable.clone(),
        writable: program.writable.clone(),
        has_network: program.network,
        is_sandboxed: program.sandbox == StdioSandbox::Bubblewrap,
        places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
    })
}

fn brain(
    config: &Config,
    store: SharedStore,
    blobs: Blobs,
    content: Content,
    hands: Arc<dyn Hands>,
    mcp: Arc<Connector>,
    catalog: Arc<Catalog>,
) -> Result<Arc<Brain>, DaemonError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Arc::new(Brain {
        live: Live::follow(&store),
        store,
        blobs,
        content,
        model: Arc::new(router(config, catalog.clone())?),
        clock,
        facts: catalog,
        hands,
        mcp,
        limits: Limits {
            attempts_max: config.retries.attempts_max.max(1),
            requests_per_turn_max: config.requests_per_turn_max.max(1),
            ..Limits::default()
        },
        backoff: Backoff {
            first: Duration::from_millis(config.retries.first_ms),
            max: Duration::from_millis(config.retries.max_ms),
            ..Backoff::default()
        },
        lease: LeaseOptions {
            // One daemon at a time has the folder, wherever it lies, so all of them go by one name.
            holder: HOLDER.to_owned(),
            ttl: config.lease(),
        },
    }))
}
