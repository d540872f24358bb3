//! The runtime: one engine, one component store, and the threads that guests run on.
//!
//! Guests have an executor of their own, apart from whatever executor the caller lives on, so that busy guests never
//! hold up the caller's sockets and timers. Within it, timers and sockets are looked at after every slice of a guest.

use std::path::PathBuf;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio_util::task::AbortOnDropHandle;
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::compile::CompilerCommand;
use crate::component::{ComponentSource, LoadedComponent};
use crate::component_store::{ComponentStore, LoadError};
use crate::engine;
use crate::hand::Hand;
use crate::process::{self, Process};
use crate::resources::{ProvisionError, Resources};
use crate::ticker::{Epochs, Ticker};

/// Folder of the component store inside the data folder.
const COMPONENTS_FOLDER: &str = "components";

/// Tasks that an executor thread runs before it looks for new ones from outside; its own otherwise keep it for long.
const OUTSIDE_INTERVAL: u32 = 2;

/// How a runtime is set up.
#[derive(Clone, Debug)]
pub struct RuntimeConfig {
    /// Folder for compiled components; created if it is missing.
    pub data_folder: PathBuf,
    /// How to start the compiler for untrusted components.
    pub compiler: CompilerCommand,
    /// Processes of all hands at the same time, for which a pool of memories is reserved; 0: no pool, and the hands'
    /// own limits alone.
    pub processes_max: u32,
    /// Threads that guests run on.
    pub guest_threads: usize,
}

impl RuntimeConfig {
    /// Returns a configuration for 1,000 processes on as many threads as the machine has processors.
    pub fn new(data_folder: PathBuf, compiler: CompilerCommand) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            data_folder,
            compiler,
            processes_max: 1_000,
            guest_threads: processors.max(2),
        }
    }
}

/// Why a runtime could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine cannot work on this machine.
    #[error("the WebAssembly engine cannot be set up: {0}")]
    Engine(String),
    /// A thread could not be started.
    #[error("the guests' threads cannot be started: {0}")]
    Threads(#[from] std::io::Error),
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] LoadError),
}

/// How far [`Runtime::add_all`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The component that is ready now.
    pub name: &'a str,
    /// Components that are ready.
    pub done: usize,
    /// Components in all.
    pub total: usize,
}

/// Loads components and provisions hands; dropping it ends its threads once no hand uses it.
#[derive(Clone)]
pub struct Runtime(Arc<Shared>);

/// What hands share with their runtime.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    /// Only held: its thread ends with it.
    _ticker: Ticker,
    pub(crate) epochs: Epochs,
    /// `None` only while it is being dropped.
    guests: Option<tokio::runtime::Runtime>,
    store: ComponentStore,
    linker: Linker<Process>,
}

impl Runtime {
    /// Sets up the engine, the store and the threads.
    pub fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        let engine_error = |error: wasmtime::Error| RuntimeError::Engine(format!("{error:#}"));
        let engine = engine::running(config.processes_max).map_err(engine_error)?;
        let linker = process::linker(&engine).map_err(engine_error)?;
        let guests = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(config.guest_threads.max(1))
            .thread_name("sinew-guest")
            // Without this, timers and sockets wait for 61 slices of other guests.
            .event_interval(1)
            .global_queue_interval(OUTSIDE_INTERVAL)
            .enable_all()
            .build()?;
        let store = ComponentStore::open(
            engine.clone(),
            config.data_folder.join(COMPONENTS_FOLDER),
            config.compiler,
        )?;
        let ticker = Ticker::start(engine.clone())?;
        Ok(Self(Arc::new(Shared {
            epochs: ticker.epochs(),
            _ticker: ticker,
            engine,
            guests: Some(guests),
            store,
            linker,
        })))
    }

    /// Loads a component, compiling it if that was never done; the only place where anything is compiled.
    pub async fn add(&self, source: ComponentSource) -> Result<Arc<LoadedComponent>, LoadError> {
        self.0.load(source).await
    }

    /// Loads several components side by side and returns them in the order given.
    ///
    /// `progress` is called as each becomes ready. The first error ends the rest.
    pub async fn add_all(
        &self,
        sources: Vec<ComponentSource>,
        mut progress: impl FnMut(Progress<'_>),
    ) -> Result<Vec<Arc<LoadedComponent>>, LoadError> {
        let total = sources.len();
        let side_by_side = std::thread::available_parallelism().map_or(2, usize::from);
        let mut loaded = stream::iter(sources.into_iter().enumerate())
            .map(async |(place, source)| self.add(source).await.map(|component| (place, component)))
            .buffer_unordered(side_by_side);
        let mut components = Vec::with_capacity(total);
        while let Some((place, component)) = loaded.try_next().await? {
            progress(Progress {
                name: component.name(),
                done: components.len() + 1,
                total,
            });
            components.push((place, component));
        }
        components.sort_by_key(|(place, _)| *place);
        Ok(components
            .into_iter()
            .map(|(_, component)| component)
            .collect())
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    /// Returns how many components this runtime compiled rather than found.
    pub fn compilations(&self) -> u64 {
        self.0.store.compilations()
    }

    /// Makes a hand that has `resources` and nothing else.
    pub fn provision(&self, resources: Resources) -> Result<Hand, ProvisionError> {
        Hand::new(Arc::clone(&self.0), resources)
    }
}

impl Shared {
    /// Loads a component, compiling it if that was never done.
    pub(crate) async fn load(
        &self,
        source: ComponentSource,
    ) -> Result<Arc<LoadedComponent>, LoadError> {
        let name = source.name.clone();
        let stored = self.store.load(source).await?;
        let component = LoadedComponent::link(name, stored, &self.linker)?;
        Ok(Arc::new(component))
    }

    /// Starts a task on the guests' threads that ends by itself. Returns whether it was started.
    pub(crate) fn spawn_detached(&self, task: impl Future<Output = ()> + Send + 'static) -> bool {
        match &self.guests {
            Some(guests) => {
                guests.spawn(task);
                true
            }
            None => false,
        }
    }

    /// Starts a task on the guests' threads, which is aborted when the handle is dropped.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<AbortOnDropHandle<T>> {
        let guests = self.guests.as_ref()?;
        Some(AbortOnDropHandle::new(guests.spawn(task)))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(guests) = self.guests.take() {
            // Waiting is not allowed where the last owner may be a task.
            guests.shutdown_background();
        }
    }
}
