//! Processes of one hand: a table, a tree, signals, pipes, and the programs that can be started.
//!
//! A process is one component instance on the guests' threads. Nothing here knows a shell's language or an agent; what
//! a process may reach is what its hand may reach. A process that is killed is gone at its next epoch, which is a
//! millisecond away; the whole hand's processes end with [`Kernel::end_all`].

mod description;
mod entry;
mod fifo;
mod host;
mod pipe;
mod programs;
mod run;
mod session;
mod signal;
mod spawn;
mod waiters;
mod wasi_streams;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use description::Description;
pub use description::Sink;
pub use entry::Ended;
pub(crate) use entry::Entry;
pub(crate) use fifo::Fifos;
pub(crate) use host::{KernelView, add_to_linker};
pub(crate) use pipe::{PipeWriter, pipe};
pub use programs::{ProgramError, Programs};
pub(crate) use session::{Done, Session};
pub(crate) use spawn::{Start, StartError};
pub(crate) use wasi_streams::Descriptors;

use crate::call::CpuTime;
use crate::egress::Egress;
use crate::fixed::Surroundings;
use crate::fs::Vfs;
use crate::limits::{HandUsage, Limits};
use crate::runtime::Shared;
use signal::KILL;

/// The processes of one hand, and what all of them may reach.
pub(crate) struct Kernel {
    pub(crate) runtime: Arc<Shared>,
    pub(crate) vfs: Arc<Vfs>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) usage: Arc<HandUsage>,
    pub(crate) egress: Arc<dyn Egress>,
    pub(crate) programs: Arc<Programs>,
    pub(crate) fifos: Arc<Fifos>,
    /// Of all processes, also those that have ended.
    pub(crate) cpu_time: CpuTime,
    /// What time it is for new processes.
    pub(crate) surroundings: Arc<Surroundings>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    last_pid: u32,
    processes: BTreeMap<u32, Arc<Entry>>,
    /// No more processes are started.
    is_closed: bool,
}

impl Kernel {
    pub(crate) fn new(
        runtime: Arc<Shared>,
        vfs: Arc<Vfs>,
        limits: Arc<Limits>,
        usage: Arc<HandUsage>,
        egress: Arc<dyn Egress>,
        programs: Arc<Programs>,
        surroundings: Arc<Surroundings>,
    ) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            vfs,
            limits,
            usage,
            egress,
            programs,
            fifos: Arc::default(),
            cpu_time: CpuTime::default(),
            surroundings,
            table: Mutex::default(),
        })
    }

    /// Kills every process; one that is dying starts no other.
    pub(crate) fn end_all(&self) {
        let processes = std::mem::take(&mut self.table().processes);
        for entry in processes.values() {
            entry.signal(KILL);
        }
    }

    /// Kills every process and returns when none is left.
    pub(crate) async fn end_all_and_wait(&self) {
        self.end_all();
        self.usage.idle().await;
    }

    /// Lets the numbers of processes begin anew, if there are none.
    pub(crate) fn forget_numbers(&self) {
        let mut table = self.table();
        if table.processes.is_empty() {
            table.last_pid = 0;
        }
    }

    /// Kills every process and starts no other one.
    pub(crate) fn close(&self) {
        self.table().is_closed = true;
        self.end_all();
    }

    /// Sends a signal as kill(2) does: to a process, a group, the caller's group (0) or all but the caller (-1).
    /// Returns whether there was one to send to.
    pub(crate) fn kill(&self, caller: &Entry, pid: i32, signal: u8) -> bool {
        let targets = self.targets(caller, pid);
        if signal > 0 {
            for target in &targets {
                target.signal(signal);
            }
        }
        !targets.is_empty()
    }

    fn targets(&self, caller: &Entry, pid: i32) -> Vec<Arc<Entry>> {
        let table = self.table();
        let all = table.processes.values();
        let wanted: Vec<_> = match pid {
            -1 => all.filter(|entry| entry.pid != caller.pid).collect(),
            0 => {
                let group = caller.group();
                all.filter(|entry| entry.group() == group).collect()
            }
            group if group < 0 => {
                let group = group.unsigned_abs();
                all.filter(|entry| entry.group() == group).collect()
            }
            pid => all
                .filter(|entry| entry.pid == pid.unsigned_abs())
                .collect(),
        };
        wanted.into_iter().map(Arc::clone).collect()
    }

    /// Returns every process, by number.
    pub(crate) fn processes(&self) -> Vec<Arc<Entry>> {
        self.table().processes.values().map(Arc::clone).collect()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
