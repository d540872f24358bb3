//! One process: a component instance, its store, and everything that it can reach.
//!
//! Every instance of every component is linked the same way, against all of WASI 0.2 and 0.3 and `wasi:http`; what a
//! process may do with them is decided by the data in its store, and that grants nothing by itself.

use std::sync::Arc;

use wasmtime::component::{Linker, ResourceTable, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::pipe::ClosedInputStream;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::captured::Captured;
use crate::egress::{Egress, EgressHook};
use crate::fs::{FdTable, FsView, ProcessFds, Vfs, add_wasi_to_linker};
use crate::limits::{Account, Limits};

/// Streams, files, requests and the like that one process can hold; each costs the host memory.
const RESOURCES_MAX: usize = 10_000;

/// Handles that one process can hold in the engine's own tables.
const HANDLES_MAX: usize = 20_000;

/// Random bytes that a process can ask for at a time.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// What a guest can pass to the host in one call at least, in bytes; a write to a file is such a call.
const TRANSFER_BYTES_MIN: usize = 16 << 20;

/// Epochs that a process runs before it lets others run.
const EPOCHS_PER_SLICE: u64 = 1;

/// What a new process is given.
pub(crate) struct Grants {
    pub(crate) name: String,
    pub(crate) environment: Arc<Vec<(String, String)>>,
    pub(crate) egress: Arc<dyn Egress>,
    pub(crate) vfs: Arc<Vfs>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) stdout: Captured,
    pub(crate) stderr: Captured,
}

/// The state of one process, the data of its store.
pub(crate) struct Process {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    egress: EgressHook,
    vfs: Arc<Vfs>,
    fds: StandardFds,
    table: ResourceTable,
    account: Account,
}

impl Process {
    /// Returns a store for one process, which lives as long as the store.
    pub(crate) fn store(engine: &Engine, grants: Grants, account: Account) -> Store<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.arg(&grants.name)
            .envs(&grants.environment)
            .stdout(grants.stdout.clone())
            .stderr(grants.stderr.clone())
            .max_random_size(RANDOM_BYTES_MAX)
            .allow_udp(false)
            .allow_tcp(false);
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        let process = Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            egress: EgressHook {
                egress: grants.egress,
                log: grants.stderr.clone(),
            },
            vfs: grants.vfs,
            fds: StandardFds {
                stdout: grants.stdout,
                stderr: grants.stderr,
            },
            table,
            account,
        };
        let mut store = Store::new(engine, process);
        store.limiter(|process| &mut process.account);
        store.set_epoch_deadline(EPOCHS_PER_SLICE);
        store.epoch_deadline_async_yield_and_update(EPOCHS_PER_SLICE);
        store.set_max_component_handles(HANDLES_MAX);
        // A byte of a result can take a whole value in the host.
        let output_bytes = usize::try_from(grants.limits.output_bytes).unwrap_or(usize::MAX);
        let transfer_bytes = output_bytes.saturating_mul(size_of::<Val>());
        store.set_hostcall_fuel(transfer_bytes.max(TRANSFER_BYTES_MIN));
        store
    }
}

impl WasiView for Process {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Process {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.egress,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// The descriptors of a tool's process: nothing to read, and the two logs.
struct StandardFds {
    stdout: Captured,
    stderr: Captured,
}

impl FdTable for StandardFds {
    fn numbers(&self) -> Vec<u32> {
        vec![0, 1, 2]
    }

    fn is_open(&self, number: u32) -> bool {
        number <= 2
    }
}

impl ProcessFds for StandardFds {
    fn input(&self, number: u32) -> Option<DynInputStream> {
        (number == 0).then(|| Box::new(ClosedInputStream) as DynInputStream)
    }

    fn output(&self, number: u32) -> Option<DynOutputStream> {
        match number {
            1 => Some(Box::new(self.stdout.clone())),
            2 => Some(Box::new(self.stderr.clone())),
            _ => None,
        }
    }
}

fn files(process: &mut Process) -> FsView<'_> {
    FsView {
        vfs: &process.vfs,
        table: &mut process.table,
        fds: &process.fds,
    }
}

/// Returns the linker that all processes share.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Process>> {
    let mut linker = Linker::new(engine);
    add_wasi_to_linker(&mut linker, files)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    Ok(linker)
}
