//! Hands as the daemon makes them, over a folder of the bench.

#![allow(dead_code, reason = "each bench uses its part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sinew_runtime::fs::Rights;
use sinew_runtime::typed::Content;
use sinew_runtime::typed::docs::WitSources;
use sinew_runtime::{
    CallOptions, CompilerCommand, CompilerLimits, ComponentSource, Hand, LoadedComponent, Outcome,
    Resources, Runtime, RuntimeConfig, Trust,
};

/// A runtime and the executor that its callers live on.
pub struct Hands {
    /// Runs the components.
    pub runtime: Runtime,
    callers: tokio::runtime::Runtime,
    _data: tempfile::TempDir,
}

impl Hands {
    /// Starts a runtime with an empty store.
    pub fn new() -> Result<Self> {
        Self::with(|_| {})
    }

    /// Starts a runtime with an empty store, set up by `change`.
    pub fn with(change: impl FnOnce(&mut RuntimeConfig)) -> Result<Self> {
        let data = tempfile::tempdir()?;
        // Only components that we answer for are loaded, which are compiled in this process.
        let compiler = CompilerCommand {
            program: PathBuf::new(),
            args: Vec::new(),
            limits: CompilerLimits::default(),
        };
        let mut config = RuntimeConfig::new(data.path().to_owned(), compiler);
        change(&mut config);
        Ok(Self {
            runtime: Runtime::new(config)?,
            callers: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            _data: data,
        })
    }

    /// Waits for `work` on the calling thread.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.callers.block_on(work)
    }

    /// Loads a component.
    pub fn load(&self, name: &str, wasm: Vec<u8>) -> Result<Arc<LoadedComponent>> {
        let source = ComponentSource {
            name: name.to_owned(),
            wasm: wasm.into(),
            digest: None,
            wit: None::<WitSources>,
            trust: Trust::Embedded,
        };
        Ok(self.wait(self.runtime.add(source))?)
    }

    /// Makes a hand with one component, and `folder` as its workspace if there is one.
    pub fn hand(&self, component: &Arc<LoadedComponent>, folder: Option<&Path>) -> Result<Hand> {
        let mut resources = Resources::default()
            .component(Arc::clone(component))
            .env("PWD", "/workspace");
        if let Some(folder) = folder {
            let authority = cap_std::ambient_authority();
            let dir = cap_std::fs::Dir::open_ambient_dir(folder, authority)?;
            resources = resources.mount("/workspace", dir, Rights::ReadWrite);
        }
        Ok(self.runtime.provision(resources)?)
    }

    /// Calls a tool and returns its text; anything but a result is an error.
    pub fn call(&self, hand: &Hand, tool: &str, input: &Value) -> Result<String> {
        let execution = self.wait(hand.execute(tool, input, CallOptions::default()));
        match execution.outcome {
            Outcome::Result(content) => match content.as_slice() {
                [Content::Text(text)] => Ok(text.clone()),
                other => bail!("{tool} returned {other:?}"),
            },
            other => bail!("{tool} ended with {other:?}"),
        }
    }
}

/// Returns the embedded component with the file tools.
pub fn files_wasm() -> Result<&'static [u8]> {
    sinew_guest_tools::components()
        .iter()
        .find(|embedded| embedded.name == "files")
        .map(|embedded| embedded.wasm)
        .context("no file tools are embedded")
}

/// The interface that the file tools export.
pub const FILES_INTERFACE: &str = "sinew:files/files@0.1.0";
