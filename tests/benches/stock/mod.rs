//! A component in bare wasmtime, as the baseline of a hand: the product's own engine, a fresh instance per
//! call, and nothing of ours around it.
//!
//! WASI, where a component needs it, is wasmtime-wasi's in its fastest form: synchronous, with system calls
//! on the calling thread.

#![allow(dead_code, reason = "each bench uses its part")]

use std::path::Path;

use sinew_runtime::running_engine;
use wasmtime::component::{
    Component, ComponentExportIndex, InstancePre, Linker, ResourceTable, Val,
};
use wasmtime::error::Context as _;
use wasmtime::{Engine, Result, Store, bail};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// Instances that exist at once; a bench has one.
const INSTANCES_MAX: u32 = 10;

/// Epochs that a call may last; nobody advances the epoch of this engine.
const EPOCHS_MAX: u64 = 1_000_000;

/// A component without imports.
pub struct Bare {
    engine: Engine,
    instance: InstancePre<()>,
    function: ComponentExportIndex,
}

impl Bare {
    /// Compiles `wasm` and finds its function.
    pub fn new(wasm: &[u8], function: &str) -> Result<Self> {
        let engine = running_engine(INSTANCES_MAX)?;
        let component = Component::new(&engine, wasm)?;
        let function = component
            .get_export_index(None, function)
            .with_context(|| format!("the component has no function {function}"))?;
        Ok(Self {
            instance: Linker::new(&engine).instantiate_pre(&component)?,
            engine,
            function,
        })
    }

    /// Calls the function, which has no parameters and one result, in a fresh instance, as a hand does: on a
    /// stack of its own that gives way to others.
    pub async fn call(&self) -> Result<Val> {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let instance = self.instance.instantiate_async(&mut store).await?;
        let function = instance
            .get_func(&mut store, self.function)
            .context("the instance lacks the function")?;
        let mut results = [Val::Bool(false)];
        function.call_async(&mut store, &[], &mut results).await?;
        let [result] = results;
        Ok(result)
    }
}

/// The embedded file tools over a folder.
pub struct Stock<'a> {
    engine: Engine,
    component: Component,
    instance: InstancePre<Host>,
    folder: &'a Path,
}

/// What one instance has.
struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl<'a> Stock<'a> {
    /// Compiles `wasm`; its calls see `folder` as `/workspace`.
    pub fn new(wasm: &[u8], folder: &'a Path) -> Result<Self> {
        let engine = running_engine(INSTANCES_MAX)?;
        let component = Component::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        Ok(Self {
            instance: linker.instantiate_pre(&component)?,
            engine,
            component,
            folder,
        })
    }

    /// Calls a function of an exported interface in a fresh instance and returns its text.
    pub fn call(&self, interface: &str, function: &str, params: &[Val]) -> Result<String> {
        let wasi = WasiCtxBuilder::new()
            // Read by the preopened folder, so it comes first.
            .allow_blocking_current_thread(true)
            .env("PWD", "/workspace")
            .preopened_dir(self.folder, "/workspace", FsPerms::ReadWrite)?
            .build();
        let host = Host {
            wasi,
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&self.engine, host);
        store.set_epoch_deadline(EPOCHS_MAX);
        let instance = self.instance.instantiate(&mut store)?;
        let export = self
            .component
            .get_export_index(None, interface)
            .and_then(|interface| self.component.get_export_index(Some(&interface), function))
            .with_context(|| format!("the component has no {interface}#{function}"))?;
        let func = instance
            .get_func(&mut store, export)
            .context("the instance lacks the function")?;
        let mut results = [Val::Bool(false)];
        func.call(&mut store, params, &mut results)?;
        text(&results)
    }
}

/// Finds the text in what a file tool returned.
fn text(results: &[Val]) -> Result<String> {
    match results {
        [Val::Result(Ok(Some(value)))] => match &**value {
            Val::String(text) => Ok(text.clone()),
            Val::List(blocks) => match blocks.as_slice() {
                [Val::Variant(_, Some(text))] => match &**text {
                    Val::String(text) => Ok(text.clone()),
                    other => bail!("the tool returned {other:?}"),
                },
                other => bail!("the tool returned {other:?}"),
            },
            other => bail!("the tool returned {other:?}"),
        },
        other => bail!("the tool failed: {other:?}"),
    }
}

/// Turns wasmtime's errors into the benches'.
pub fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}
