//! What a hand may use, and the accounting that holds it to that.
//!
//! A process is one component instance. Its memory and tables are counted as they grow, for itself and summed over all
//! processes of its hand. Growth beyond a limit fails inside the guest as the Wasm specification says (the guest may
//! cope with it); the limit is remembered, so that if the guest dies of it the caller learns which limit it was.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use wasmtime::ResourceLimiter;

use crate::fs::{FsLimit, FsLimits};

/// Upper bounds on what the calls of one hand may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one process, in bytes. Default 1 GiB.
    pub memory_bytes: u64,
    /// Linear memory of all processes of the hand together, in bytes. Default 2 GiB.
    pub hand_memory_bytes: u64,
    /// Entries in all tables of one process. Default 200,000.
    pub table_elements: u64,
    /// Core module instances in one process; also the bound on its memories and tables. Default 100.
    pub instances: u32,
    /// Processes of the hand that exist at the same time. Default 64.
    pub processes: u32,
    /// Time from the start of a call to its end; a call's own timeout can only be shorter. Default 2 minutes.
    pub wall_time: Duration,
    /// Time that a call, or a process that a shell started, occupies a processor, measured in slices of about a
    /// millisecond. Default 2 minutes.
    pub cpu_time: Duration,
    /// Size of a call's result, in bytes of text and media. Default 4 MiB.
    pub output_bytes: u64,
    /// What is kept of each of a tool's standard output and error, in bytes; the rest is dropped. Default 64 KiB.
    pub log_bytes: u64,
    /// What the hand may use of its file system, all processes together.
    pub fs: FsLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            hand_memory_bytes: 2 << 30,
            table_elements: 200_000,
            instances: 100,
            processes: 64,
            wall_time: Duration::from_secs(120),
            cpu_time: Duration::from_secs(120),
            output_bytes: 4 << 20,
            log_bytes: 64 << 10,
            fs: FsLimits::default(),
        }
    }
}

/// A bound that a call reached and was ended by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Linear memory of the process.
    Memory,
    /// Linear memory of all processes of the hand.
    HandMemory,
    /// Table entries of the process.
    TableElements,
    /// Core instances, memories or tables of the process.
    Instances,
    /// Processes of the hand at the same time.
    Processes,
    /// Depth of calls inside the guest.
    Stack,
    /// Time from start to end.
    WallTime,
    /// Time on a processor.
    CpuTime,
    /// Size of the result.
    OutputBytes,
    /// Open files and directories.
    OpenFiles,
    /// Bytes written to files.
    WrittenBytes,
    /// Files created.
    Files,
}

impl Limit {
    /// Returns the limit's stable name, as logs and events spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::HandMemory => "hand_memory",
            Self::TableElements => "table_elements",
            Self::Instances => "instances",
            Self::Processes => "processes",
            Self::Stack => "stack",
            Self::WallTime => "wall_time",
            Self::CpuTime => "cpu_time",
            Self::OutputBytes => "output_bytes",
            Self::OpenFiles => "open_files",
            Self::WrittenBytes => "written_bytes",
            Self::Files => "files",
        }
    }
}

impl From<FsLimit> for Limit {
    fn from(limit: FsLimit) -> Self {
        match limit {
            FsLimit::Bytes => Self::WrittenBytes,
            FsLimit::Inodes => Self::Files,
            FsLimit::Handles => Self::OpenFiles,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "the tool used more memory than it may",
            Self::HandMemory => "the running tools together used more memory than they may",
            Self::TableElements => "the tool's function tables grew larger than they may",
            Self::Instances => "the tool consists of more module instances than it may",
            Self::Processes => "too many tools and programs run at the same time",
            Self::Stack => "the tool's calls are nested too deeply",
            Self::WallTime => "the tool did not finish in time",
            Self::CpuTime => "the tool used more processor time than it may",
            Self::OutputBytes => "the tool's result is larger than it may be",
            Self::OpenFiles => "the tool has more files open than it may",
            Self::WrittenBytes => "the tool wrote more bytes to files than it may",
            Self::Files => "the tool created more files than it may",
        })
    }
}

/// What all processes of one hand use at the moment.
#[derive(Debug, Default)]
pub(crate) struct HandUsage {
    memory_bytes: AtomicU64,
    memory_peak_bytes: AtomicU64,
    processes: AtomicU32,
    /// Told when the last process is gone.
    idle: Notify,
}

impl HandUsage {
    /// Begins to look for the peak anew.
    pub(crate) fn begin_peak(&self) {
        let now = self.memory_bytes.load(Ordering::Relaxed);
        self.memory_peak_bytes.store(now, Ordering::Relaxed);
    }

    /// Returns the largest sum of linear memory of all processes since [`HandUsage::begin_peak`].
    pub(crate) fn memory_peak_bytes(&self) -> u64 {
        self.memory_peak_bytes.load(Ordering::Relaxed)
    }

    /// Returns as soon as the hand has no process.
    pub(crate) async fn idle(&self) {
        loop {
            let mut told = pin!(self.idle.notified());
            // Before looking, so that no end is missed in between.
            told.as_mut().enable();
            if self.processes.load(Ordering::Acquire) == 0 {
                return;
            }
            told.await;
        }
    }
}

/// What one process used; outlives the process, so that an aborted call can still be measured.
#[derive(Debug, Default)]
pub(crate) struct ProcessUsage {
    memory_bytes: AtomicU64,
    memory_peak_bytes: AtomicU64,
    table_elements: AtomicU64,
    limit_hit: OnceLock<Limit>,
}

impl ProcessUsage {
    /// Returns the largest sum of linear memory that the process had.
    pub(crate) fn memory_peak_bytes(&self) -> u64 {
        self.memory_peak_bytes.load(Ordering::Relaxed)
    }

    /// Returns the sum of linear memory that the process has now.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes.load(Ordering::Relaxed)
    }

    /// Returns the first limit at which a growth was refused.
    pub(crate) fn limit_hit(&self) -> Option<Limit> {
        self.limit_hit.get().copied()
    }
}

/// One process's account with its hand; dropping it gives back what it holds.
pub(crate) struct Account {
    limits: Arc<Limits>,
    hand: Arc<HandUsage>,
    process: Arc<ProcessUsage>,
    /// The growth that was granted last, taken back if the engine then cannot perform it.
    granted: Growth,
}

#[derive(Clone, Copy)]
enum Growth {
    None,
    Memory(u64),
    Table(u64),
}

impl Account {
    /// Opens an account, unless the hand has as many processes as it may.
    pub(crate) fn open(limits: Arc<Limits>, hand: Arc<HandUsage>) -> Result<Self, Limit> {
        take(&hand.processes, 1, limits.processes).ok_or(Limit::Processes)?;
        Ok(Self {
            limits,
            hand,
            process: Arc::default(),
            granted: Growth::None,
        })
    }

    /// Returns what the process used so far.
    pub(crate) fn usage(&self) -> Arc<ProcessUsage> {
        Arc::clone(&self.process)
    }

    fn refuse(&self, limit: Limit) -> wasmtime::Result<bool> {
        // Only the first one is kept: what follows is usually the guest failing because of it.
        let _ = self.process.limit_hit.set(limit);
        Ok(false)
    }

    fn take_back(&mut self) {
        match std::mem::replace(&mut self.granted, Growth::None) {
            Growth::None => {}
            Growth::Memory(bytes) => {
                self.process
                    .memory_bytes
                    .fetch_sub(bytes, Ordering::Relaxed);
                self.hand.memory_bytes.fetch_sub(bytes, Ordering::Relaxed);
            }
            Growth::Table(elements) => {
                self.process
                    .table_elements
                    .fetch_sub(elements, Ordering::Relaxed);
            }
        }
    }
}

impl ResourceLimiter for Account {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.granted = Growth::None;
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false); // the module's own maximum, no limit of ours
        }
        let bytes = desired.saturating_sub(current) as u64;
        let process = &self.process;
        let Some(total) = take_u64(&process.memory_bytes, bytes, self.limits.memory_bytes) else {
            return self.refuse(Limit::Memory);
        };
        let in_hand = take_u64(
            &self.hand.memory_bytes,
            bytes,
            self.limits.hand_memory_bytes,
        );
        let Some(in_hand) = in_hand else {
            process.memory_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return self.refuse(Limit::HandMemory);
        };
        self.hand
            .memory_peak_bytes
            .fetch_max(in_hand, Ordering::Relaxed);
        process
            .memory_peak_bytes
            .fetch_max(total, Ordering::Relaxed);
        self.granted = Growth::Memory(bytes);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        tracing::debug!(error = format!("{error:#}"), "memory could not grow");
        self.take_back();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.granted = Growth::None;
        if maximum.is_some_and(|maximum| desired > maximum) {
            // The pool's size of one table counts as ours, a smaller maximum is the module's own.
            return match maximum {
                Some(crate::engine::TABLE_ELEMENTS_MAX) => self.refuse(Limit::TableElements),
                _ => Ok(false),
            };
        }
        let elements = desired.saturating_sub(current) as u64;
        if take_u64(
            &self.process.table_elements,
            elements,
            self.limits.table_elements,
        )
        .is_none()
        {
            return self.refuse(Limit::TableElements);
        }
        self.granted = Growth::Table(elements);
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        tracing::debug!(error = format!("{error:#}"), "table could not grow");
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.limits.instances as usize
    }

    fn tables(&self) -> usize {
        self.limits.instances as usize
    }

    fn memories(&self) -> usize {
        self.limits.instances as usize
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let bytes = self.process.memory_bytes.swap(0, Ordering::Relaxed);
        self.hand.memory_bytes.fetch_sub(bytes, Ordering::Relaxed);
        // What the process did to files happened before its end is seen.
        if self.hand.processes.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.hand.idle.notify_waiters();
        }
    }
}

/// Adds `amount` to `counter` unless that exceeds `max`; returns the new value.
fn take_u64(counter: &AtomicU64, amount: u64, max: u64) -> Option<u64> {
    let mut total = 0;
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            total = used.checked_add(amount).filter(|total| *total <= max)?;
            Some(total)
        })
        .ok()
        .map(|_| total)
}

fn take(counter: &AtomicU32, amount: u32, max: u32) -> Option<u32> {
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(amount).filter(|total| *total <= max)
        })
        .ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn account(hand: &Arc<HandUsage>) -> Account {
        let limits = Limits {
            memory_bytes: 100,
            hand_memory_bytes: 150,
            table_elements: 10,
            processes: 2,
            ..Limits::default()
        };
        Account::open(Arc::new(limits), Arc::clone(hand)).unwrap()
    }

    #[test]
    fn growth_is_summed_over_the_hand_and_given_back() {
        let hand = Arc::new(HandUsage::default());
        let mut first = account(&hand);
        assert!(first.memory_growing(0, 60, None).unwrap());
        assert!(first.memory_growing(0, 30, None).unwrap(), "second memory");
        assert!(!first.memory_growing(30, 50, None).unwrap());
        assert_eq!(first.usage().limit_hit(), Some(Limit::Memory));
        assert_eq!(first.usage().memory_peak_bytes(), 90);

        let mut second = account(&hand);
        assert!(!second.memory_growing(0, 61, None).unwrap());
        assert_eq!(second.usage().limit_hit(), Some(Limit::HandMemory));
        drop(first);
        assert!(second.memory_growing(0, 61, None).unwrap());
        drop(second);
        assert_eq!(hand.memory_bytes.load(Ordering::Relaxed), 0);
        assert_eq!(hand.processes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_growth_that_then_fails_costs_nothing() {
        let hand = Arc::new(HandUsage::default());
        let mut account = account(&hand);
        assert!(account.memory_growing(0, 60, None).unwrap());
        account
            .memory_grow_failed(wasmtime::format_err!("no memory"))
            .unwrap();
        assert!(account.memory_growing(0, 100, None).unwrap());
        assert!(account.table_growing(0, 10, None).unwrap());
        account
            .table_grow_failed(wasmtime::format_err!("no memory"))
            .unwrap();
        assert!(account.table_growing(0, 10, None).unwrap());
        assert!(!account.table_growing(10, 11, None).unwrap());
        assert!(!account.memory_growing(0, 10, Some(5)).unwrap());
        assert_eq!(account.usage().limit_hit(), Some(Limit::TableElements));
    }

    #[test]
    fn processes_are_counted() {
        let hand = Arc::new(HandUsage::default());
        let (first, _second) = (account(&hand), account(&hand));
        let third = || Account::open(Arc::clone(&first.limits), Arc::clone(&hand));
        assert_eq!(third().err(), Some(Limit::Processes));
        let limits = Arc::clone(&first.limits);
        drop(first);
        assert!(Account::open(limits, hand).is_ok());
    }
}
