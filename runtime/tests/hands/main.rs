//! The runtime with real guests: what they may do, and what ends them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod calls;
mod compiling;
mod granted;
mod guests;
mod hostile;
mod http_guest;
mod network;

use std::path::Path;
use std::sync::Arc;

use sinew_runtime::{
    CompilerCommand, CompilerLimits, ComponentSource, LoadedComponent, Runtime, RuntimeConfig,
    Trust,
};

/// Few enough that many runtimes fit into one address space.
const PROCESSES_MAX: u32 = 20;

/// A runtime whose data folder is gone with it.
struct Fixture {
    runtime: Runtime,
    _data: tempfile::TempDir,
}

fn compiler() -> CompilerCommand {
    CompilerCommand {
        program: env!("CARGO_BIN_EXE_sinew-compile-worker").into(),
        args: Vec::new(),
        limits: CompilerLimits::default(),
    }
}

fn runtime_in(data: &Path, compiler: CompilerCommand) -> Runtime {
    let mut config = RuntimeConfig::new(data.to_owned(), compiler);
    config.processes_max = PROCESSES_MAX;
    config.guest_threads = 2;
    Runtime::new(config).unwrap()
}

fn fixture() -> Fixture {
    let data = tempfile::tempdir().unwrap();
    Fixture {
        runtime: runtime_in(data.path(), compiler()),
        _data: data,
    }
}

fn source(name: &str, wat: &str, trust: Trust) -> ComponentSource {
    ComponentSource {
        name: name.to_owned(),
        wasm: wat::parse_str(wat).unwrap().into(),
        digest: None,
        wit: None,
        trust,
    }
}

async fn add(runtime: &Runtime, name: &str, wat: &str) -> Arc<LoadedComponent> {
    runtime
        .add(source(name, wat, Trust::Embedded))
        .await
        .unwrap()
}
