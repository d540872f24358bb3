//! One process as the others see it: how it stands, what may be done to it, and how it ended.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, SystemTime};

use super::signal::{Effect, Signals};
use super::waiters::Waiters;
use crate::call::CpuTime;
use crate::limits::ProcessUsage;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with a status.
    Exited(u8),
    /// By a signal.
    Signaled(u8),
}

impl Ended {
    /// Returns the status as a shell shows it: 128 and the signal's number for one that was killed.
    pub fn status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Signaled(signal) => 128u8.saturating_add(signal),
        }
    }
}

/// How a process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    Stopped(u8),
    Ended(Ended),
}

pub(crate) struct Entry {
    pub(crate) pid: u32,
    pub(crate) parent: AtomicU32,
    pub(crate) group: AtomicU32,
    pub(crate) arguments: Vec<String>,
    pub(crate) started: SystemTime,
    pub(crate) cpu_time: Arc<CpuTime>,
    /// What of `cpu_time` does not count towards the limit: a shell spends it on one call after the other.
    cpu_nanos_settled: AtomicU64,
    /// Of children that have ended, in nanoseconds.
    pub(crate) children_cpu_nanos: AtomicU64,
    pub(crate) usage: Arc<ProcessUsage>,
    pub(crate) umask: AtomicU32,
    state: Mutex<State>,
    pub(crate) signals: Mutex<Signals>,
}

struct State {
    phase: Phase,
    /// What ends the process as soon as it comes back from its guest.
    fate: Option<Ended>,
    /// Runs the process.
    task: Option<Waker>,
    /// Wait for a change of the phase.
    waiters: Waiters,
    /// The process waits for something rather than computes; for `ps`.
    is_waiting: bool,
}

/// What a new entry is made of.
pub(crate) struct NewEntry {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) arguments: Vec<String>,
    pub(crate) usage: Arc<ProcessUsage>,
    pub(crate) umask: u32,
    pub(crate) ignored: u64,
}

impl Entry {
    pub(crate) fn new(new: NewEntry) -> Self {
        Self {
            pid: new.pid,
            parent: AtomicU32::new(new.parent),
            group: AtomicU32::new(new.group),
            arguments: new.arguments,
            started: SystemTime::now(),
            cpu_time: Arc::default(),
            cpu_nanos_settled: AtomicU64::new(0),
            children_cpu_nanos: AtomicU64::new(0),
            usage: new.usage,
            umask: AtomicU32::new(new.umask),
            state: Mutex::new(State {
                phase: Phase::Running,
                fate: None,
                task: None,
                waiters: Waiters::default(),
                is_waiting: false,
            }),
            signals: Mutex::new(Signals::new(new.ignored)),
        }
    }

    /// Lets what was spent so far count no longer towards the limit.
    pub(crate) fn settle_cpu_time(&self) {
        let nanos = u64::try_from(self.cpu_time.get().as_nanos()).unwrap_or(u64::MAX);
        self.cpu_nanos_settled.store(nanos, Ordering::Relaxed);
    }

    /// Returns the processor time that counts towards the limit.
    pub(crate) fn unsettled_cpu_time(&self) -> Duration {
        let settled = Duration::from_nanos(self.cpu_nanos_settled.load(Ordering::Relaxed));
        self.cpu_time.get().saturating_sub(settled)
    }

    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.phase(), Phase::Ended(_))
    }

    pub(crate) fn phase(&self) -> Phase {
        self.state().phase
    }

    /// Returns the phase if the process does not run; if it does, `waker` is woken when that changes.
    pub(crate) fn poll_changed(&self, waker: &Waker) -> Option<Phase> {
        let mut state = self.state();
        if state.phase == Phase::Running {
            state.waiters.add(waker);
            return None;
        }
        Some(state.phase)
    }

    /// Returns how it ended, once it has.
    pub(crate) async fn ended(&self) -> Ended {
        std::future::poll_fn(|context| {
            let mut state = self.state();
            match state.phase {
                Phase::Ended(ended) => Poll::Ready(ended),
                Phase::Running | Phase::Stopped(_) => {
                    state.waiters.add(context.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: u8) {
        let effect = self.signals().receive(signal);
        let mut state = self.state();
        match effect {
            Effect::Nothing => return,
            // A stopped process hears of it when it goes on.
            Effect::Queued => {}
            Effect::Ends => {
                state.fate.get_or_insert(Ended::Signaled(signal));
            }
            Effect::Stops => {
                if state.phase == Phase::Running {
                    state.phase = Phase::Stopped(signal);
                    state.waiters.wake();
                }
            }
            Effect::Continues => {
                if matches!(state.phase, Phase::Stopped(_)) {
                    state.phase = Phase::Running;
                }
            }
        }
        if let Some(task) = &state.task {
            task.wake_by_ref();
        }
    }

    /// What the process's task asks before each time it enters the guest; `waker` is woken when the answer changes.
    pub(crate) fn may_run(&self, waker: &Waker) -> MayRun {
        let mut state = self.state();
        if !state
            .task
            .as_ref()
            .is_some_and(|task| task.will_wake(waker))
        {
            state.task = Some(waker.clone());
        }
        match (state.fate, state.phase) {
            (Some(fate), _) => MayRun::Never(fate),
            (None, Phase::Stopped(_)) => MayRun::NotNow,
            (None, _) => {
                state.is_waiting = false;
                MayRun::Now
            }
        }
    }

    pub(crate) fn set_waiting(&self) {
        self.state().is_waiting = true;
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.state().is_waiting
    }

    /// Records the end, once.
    pub(crate) fn set_ended(&self, ended: Ended) {
        let mut state = self.state();
        if !matches!(state.phase, Phase::Ended(_)) {
            state.phase = Phase::Ended(ended);
            state.task = None;
            state.waiters.wake();
        }
    }

    pub(crate) fn signals(&self) -> MutexGuard<'_, Signals> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn parent(&self) -> u32 {
        self.parent.load(Ordering::Relaxed)
    }

    pub(crate) fn group(&self) -> u32 {
        self.group.load(Ordering::Relaxed)
    }

    pub(crate) fn umask(&self) -> u32 {
        self.umask.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a process may enter its guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MayRun {
    Now,
    /// It is stopped.
    NotNow,
    Never(Ended),
}
