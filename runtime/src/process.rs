//! One process: a component instance, its store, and everything that it can reach.
//!
//! Every instance of every component is linked the same way, against all of WASI 0.2 and 0.3 and `wasi:http`; what a
//! process may do with them is decided by the data in its store, and that grants nothing by itself.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use wasmtime::component::{Linker, ResourceTable, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::egress::{Egress, EgressHook, Log};
use crate::fixed::Fixed;
use crate::fs::{FsView, Vfs, add_wasi_to_linker};
use crate::kernel::{self, Descriptors, Entry, Kernel, KernelView, Session};
use crate::limits::{Account, Limits, ProcessUsage};
use crate::progress::{self, Reports};
use crate::shell::Progress;

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

/// Permission bits that files made by tools do not get.
const UMASK_OF_TOOLS: u32 = 0o022;

/// What a new process is given.
pub(crate) struct Grants {
    /// The name it was called by, and its arguments.
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Arc<Vec<(String, String)>>,
    pub(crate) egress: Arc<dyn Egress>,
    pub(crate) vfs: Arc<Vfs>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) descriptors: Descriptors,
    /// None for the process of a tool, which is in no kernel's table and starts no others.
    pub(crate) process: Option<(Arc<Kernel>, Arc<Entry>)>,
    /// For the persistent shell.
    pub(crate) session: Option<Session>,
    /// Where denied requests are told.
    pub(crate) log: Log,
    /// Its time and its random bytes; the real ones, if none.
    pub(crate) fixed: Option<Fixed>,
    /// Hears how far the call of a tool is.
    pub(crate) progress: Option<Progress>,
}

/// The state of one process, the data of its store.
pub(crate) struct Process {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    egress: EgressHook,
    vfs: Arc<Vfs>,
    descriptors: Descriptors,
    process: Option<(Arc<Kernel>, Arc<Entry>)>,
    session: Option<Session>,
    reports: Reports,
    table: ResourceTable,
    account: Account,
}

impl Process {
    /// Returns a store for one process, which lives as long as the store.
    pub(crate) fn store(engine: &Engine, grants: Grants, account: Account) -> Store<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.args(&grants.arguments)
            .envs(&grants.environment)
            .stdin(grants.descriptors.stream(0))
            .stdout(grants.descriptors.stream(1))
            .stderr(grants.descriptors.stream(2))
            .max_random_size(RANDOM_BYTES_MAX)
            .allow_udp(false)
            .allow_tcp(grants.egress.has_sockets())
            .socket_addr_check(check(Arc::clone(&grants.egress)));
        if let Some(fixed) = &grants.fixed {
            fixed.give(&mut wasi);
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        let process = Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            egress: EgressHook {
                egress: grants.egress,
                log: grants.log,
            },
            vfs: grants.vfs,
            descriptors: grants.descriptors,
            process: grants.process,
            session: grants.session,
            reports: Reports::to(grants.progress),
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

    pub(crate) fn reports(&mut self) -> &mut Reports {
        &mut self.reports
    }

    /// Returns what the process used so far.
    pub(crate) fn usage(&self) -> Arc<ProcessUsage> {
        self.account.usage()
    }
}

/// Returns what decides about addresses of sockets: connections are the egress's to allow, all else is denied.
fn check(
    egress: Arc<dyn Egress>,
) -> impl Fn(SocketAddr, SocketAddrUse) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>> {
    move |address, how| {
        let egress = Arc::clone(&egress);
        Box::pin(async move {
            match how {
                SocketAddrUse::TcpConnect => {}
                // What a connection does first by itself; listening is asked for apart.
                SocketAddrUse::TcpBind => {
                    return address.ip().is_unspecified() && address.port() == 0;
                }
                _ => return false,
            }
            // A task of its own, because the egress's future cannot be shared between threads.
            let asked = tokio::spawn(async move { egress.may_connect(address).await });
            asked.await.unwrap_or(false)
        })
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

fn files(process: &mut Process) -> FsView<'_> {
    FsView {
        vfs: &process.vfs,
        table: &mut process.table,
        fds: &process.descriptors,
        umask: process
            .process
            .as_ref()
            .map_or(UMASK_OF_TOOLS, |(_, entry)| entry.umask()),
    }
}

fn kernel(process: &mut Process) -> KernelView<'_> {
    KernelView {
        table: &mut process.table,
        vfs: &process.vfs,
        descriptors: &process.descriptors,
        process: process.process.as_ref(),
        session: process.session.as_ref(),
    }
}

/// Returns the linker that all processes share.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Process>> {
    let mut linker = Linker::new(engine);
    add_wasi_to_linker(&mut linker, files)?;
    kernel::add_to_linker(&mut linker, kernel)?;
    progress::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    Ok(linker)
}
