//! How a call ended, kept apart by whom it concerns.
//!
//! A result, a tool's refusal, a trap and a reached limit go to the model; a fault of the host goes to the operator.

use std::time::Duration;

use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::fs::DirtySet;
use crate::limits::Limit;
use crate::typed::Content;

/// Longest description of a trap, in bytes.
const TRAP_MESSAGE_BYTES_MAX: usize = 2 << 10;

/// Functions that a trap's description names, the innermost first.
const TRAP_FRAMES_MAX: usize = 10;

/// How a call ended.
#[derive(Debug)]
pub enum Outcome {
    /// The tool's answer.
    Result(Vec<Content>),
    /// The tool, or the check of its input, said no; the model can try something else.
    ToolError(Vec<Content>),
    /// The guest failed in a way it did not plan for.
    Trapped {
        /// What happened and in which functions.
        message: String,
    },
    /// The guest reached one of the hand's limits and was ended by it.
    LimitHit(Limit),
    /// The caller cancelled the call.
    Cancelled,
    /// The host failed; the guest is not to blame.
    HostFault(HostFault),
}

/// A failure of the host.
#[derive(Debug, thiserror::Error)]
pub enum HostFault {
    /// Every place for a process is taken; try again later.
    #[error("no more processes can be started at the moment: {0}")]
    Busy(String),
    /// The operating system refused something that a process needs.
    #[error("the process cannot be started: {0}")]
    Start(String),
    /// A component is not what it was when it was loaded; a bug in the host.
    #[error("the component does not fit its description: {0}")]
    Inconsistent(String),
    /// A bug in the host; the call was isolated and nothing else is affected.
    #[error("the host failed while it ran the tool: {0}")]
    Panicked(String),
}

/// What a call used.
#[derive(Clone, Debug, Default)]
pub struct CallMetrics {
    /// From start to end.
    pub wall_time: Duration,
    /// On a processor.
    pub cpu_time: Duration,
    /// The largest sum of the process's linear memories.
    pub memory_peak_bytes: u64,
    /// By how much files grew; calls of one hand that overlap count each other's.
    pub written_bytes: u64,
}

/// A call that has ended.
#[derive(Debug)]
pub struct Execution {
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub metrics: CallMetrics,
    /// The limit at which the guest was first refused something, though it may have gone on to another outcome.
    pub limit_reached: Option<Limit>,
    /// What may have changed in the hand's mounts since the last execution; calls that overlap share their changes.
    pub dirty: DirtySet,
    /// What the tool wrote to its standard output, up to a bound.
    pub stdout: String,
    /// What the tool wrote to its standard error, and why requests of it were denied, up to a bound.
    pub stderr: String,
}

/// What a call leaves behind besides its outcome.
#[derive(Default)]
pub(crate) struct Trace {
    pub(crate) metrics: CallMetrics,
    pub(crate) limit_reached: Option<Limit>,
    pub(crate) dirty: DirtySet,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Trace {
    pub(crate) fn ended(self, outcome: Outcome) -> Execution {
        let Self {
            metrics,
            limit_reached,
            dirty,
            stdout,
            stderr,
        } = self;
        Execution {
            outcome,
            metrics,
            limit_reached,
            dirty,
            stdout,
            stderr,
        }
    }
}

/// At which point a guest was when it failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Instantiate,
    Call,
}

/// Decides what an error from the engine means, given the limit at which the guest was refused something.
pub(crate) fn explain(
    error: &wasmtime::Error,
    stage: Stage,
    limit_reached: Option<Limit>,
) -> Outcome {
    if let Some(error) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        return Outcome::HostFault(HostFault::Busy(error.to_string()));
    }
    if let Some(limit) = limit(error).or(limit_reached) {
        return Outcome::LimitHit(limit);
    }
    if stage == Stage::Instantiate
        && let Some(error) = error.downcast_ref::<std::io::Error>()
    {
        return Outcome::HostFault(HostFault::Start(error.to_string()));
    }
    Outcome::Trapped {
        message: trap_message(error),
    }
}

/// Returns the limit that the engine itself keeps and that `error` reports.
fn limit(error: &wasmtime::Error) -> Option<Limit> {
    if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        return Some(Limit::Stack);
    }
    // The engine has no types for these two; the tests with real guests fail if its words change.
    let root = error.root_cause().to_string();
    if root.contains("fuel allocated for hostcalls has been exhausted") {
        Some(Limit::OutputBytes)
    } else if root.starts_with("resource limit exceeded:") {
        Some(Limit::Instances)
    } else {
        None
    }
}

fn trap_message(error: &wasmtime::Error) -> String {
    let mut message = match error.downcast_ref::<I32Exit>() {
        Some(I32Exit(status)) => format!("the tool ended itself with exit status {status}"),
        None => error.root_cause().to_string(),
    };
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        let names = backtrace
            .frames()
            .iter()
            .filter_map(|frame| frame.func_name());
        for name in names.take(TRAP_FRAMES_MAX) {
            message.push_str("\n  in ");
            message.push_str(name);
        }
    }
    message.truncate(message.floor_char_boundary(TRAP_MESSAGE_BYTES_MAX));
    message
}
