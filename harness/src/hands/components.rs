//! Registered components: looked through when they are sent, loaded when they are used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sinew_runtime::typed::ToolSet;
use sinew_runtime::typed::docs::{WitSources, embed};
use sinew_runtime::{
    COMPONENT_BYTES_MAX, CallOptions, ComponentSource, Execution, Limits, LoadError,
    LoadedComponent, ProvisionError, Resources, Runtime, ToolDefinition, Trust,
};
use tokio::sync::OnceCell;

use super::grants::Grants;
use super::{HandError, ToolCall};
use crate::blobs::Blobs;
use crate::egress::SessionEgress;

/// Components kept loaded. Each maps its machine code; one that is dropped is found on disk again.
const LOADED_MAX: usize = 256;

/// Which function of which component a call is of, and what it is granted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ComponentCall {
    /// The component's registered name.
    pub name: String,
    /// Its version, which names the blob that holds it.
    pub version_id: String,
    /// The function's own name.
    pub function: String,
    /// What it may reach and use.
    pub grants: Grants,
}

/// What a component turned out to be.
#[derive(Debug)]
pub struct Examined {
    /// The component with its documentation.
    pub wasm: Bytes,
    /// What it offers and asks for.
    pub tools: ToolSet,
    /// Every function that can be called, those that it names only when it is asked among them.
    pub definitions: Vec<ToolDefinition>,
}

/// Why a component was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// It cannot be loaded, or what came with it cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its tools do not fit together, or it does not tell them.
    #[error(transparent)]
    Tools(#[from] ProvisionError),
    /// The host failed.
    #[error("the host failed: {0}")]
    Host(String),
}

type Place = Arc<OnceCell<Arc<LoadedComponent>>>;

/// The components of a daemon's registry.
pub struct Components {
    runtime: Runtime,
    blobs: Blobs,
    limits: Limits,
    loaded: Mutex<HashMap<String, Place>>,
}

impl Components {
    /// Returns those whose bytes are in `blobs`; a call has at most `limits`.
    pub fn new(runtime: Runtime, blobs: Blobs, limits: Limits) -> Self {
        Self {
            runtime,
            blobs,
            limits,
            loaded: Mutex::default(),
        }
    }

    /// Compiles a component in a confined process, puts its documentation into it, and asks it for its tools if it names
    /// them only then. What it was is kept on disk for its first call.
    pub async fn examine(
        &self,
        name: &str,
        wasm: Bytes,
        wit: Option<WitSources>,
    ) -> Result<Examined, ExamineError> {
        let wasm = match wit {
            Some(wit) => {
                let embedded = tokio::task::spawn_blocking(move || embed(&wasm, &wit)).await;
                let embedded = embedded.map_err(|error| ExamineError::Host(error.to_string()))?;
                embedded.map_err(LoadError::from)?.into()
            }
            None => wasm,
        };
        let component = self.load(name, wasm.clone()).await?;
        let bare = Resources::default()
            .component(Arc::clone(&component))
            .limits(self.limits.clone());
        let mut hand = self.runtime.provision(bare)?;
        hand.discover(CallOptions::default()).await?;
        Ok(Examined {
            wasm,
            tools: component.tools().clone(),
            definitions: hand.definitions(),
        })
    }

    async fn load(&self, name: &str, wasm: Bytes) -> Result<Arc<LoadedComponent>, LoadError> {
        let source = ComponentSource::new(name, wasm, Trust::Untrusted);
        self.runtime.add(source).await
    }

    /// Returns a component, loading it if nobody used it lately.
    async fn loaded(&self, call: &ComponentCall) -> Result<Arc<LoadedComponent>, HandError> {
        let place = self.place(&call.version_id);
        let load = || async {
            let bytes_max = COMPONENT_BYTES_MAX as u64;
            let wasm = self.blobs.bytes(&call.version_id, bytes_max).await;
            let wasm = wasm.map_err(|error| {
                HandError::Host(format!(
                    "the component {} cannot be read: {error}",
                    call.name
                ))
            })?;
            let loaded = self.load(&call.name, wasm).await;
            loaded.map_err(|error| {
                HandError::Host(format!(
                    "the component {} cannot be loaded: {error}",
                    call.name
                ))
            })
        };
        place.get_or_try_init(load).await.cloned()
    }

    fn place(&self, version_id: &str) -> Place {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.len() >= LOADED_MAX && !loaded.contains_key(version_id) {
            // Any will do: what is in use stays in memory, and what is not is soon there again.
            if let Some(other) = loaded.keys().next().cloned() {
                loaded.remove(&other);
            }
        }
        Arc::clone(loaded.entry(version_id.to_owned()).or_default())
    }

    /// Runs a call in a process that sees of `hand` and of the session's network what is granted.
    pub(super) async fn execute(
        &self,
        hand: &sinew_runtime::Hand,
        egress: Option<&SessionEgress>,
        call: &ToolCall,
        component: &ComponentCall,
        options: CallOptions,
    ) -> Result<Result<Execution, ProvisionError>, HandError> {
        let loaded = self.loaded(component).await?;
        let grants = &component.grants;
        let mut resources = Resources::default()
            .component(Arc::clone(&loaded))
            .limits(grants.limits(&self.limits));
        for (name, value) in &grants.environment {
            resources = resources.env(name, value);
        }
        if let Some(egress) = egress {
            let egress = egress.scoped(grants.scope());
            let variables = egress.variables().await;
            let variables = variables.map_err(|error| {
                HandError::Host(format!("the credentials cannot be read: {error}"))
            })?;
            for (name, placeholder) in variables {
                resources = resources.env(name, placeholder);
            }
            resources = resources.egress(Arc::new(egress));
        }
        let mut part = match hand.part(resources, &grants.shown()) {
            Ok(part) => part,
            Err(error) => return Ok(Err(error)),
        };
        if let Err(error) = part.discover(options.clone()).await {
            return Ok(Err(error));
        }
        Ok(Ok(part
            .execute(&component.function, &call.input, options)
            .await))
    }
}
