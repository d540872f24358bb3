//! Runs one process on the guests' threads: meters it, stops it, ends it, and says how it ended.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use wasmtime::Store;

use super::entry::{Ended, Entry, MayRun};
use super::signal::{ABRT, SEGV, XCPU};
use super::{Description, Kernel};
use crate::component::LoadedComponent;
use crate::limits::Limit;
use crate::outcome::{HostFault, Outcome, Stage, explain};
use crate::process::Process;
use crate::ticker::Epochs;

/// Longest message about a process's end that goes to its standard error, in bytes.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

/// The error by which a guest's call of `exit` unwinds it.
#[derive(Debug, thiserror::Error)]
#[error("the process ended itself")]
pub(crate) struct ProcessEnd(pub(crate) Ended);

/// Runs `wasi:cli/run` of a component to its end and records it in `entry`.
pub(super) async fn run(
    kernel: Arc<Kernel>,
    entry: Arc<Entry>,
    component: Arc<LoadedComponent>,
    store: Store<Process>,
    stderr: Option<Arc<Description>>,
) {
    let ended = Guarded {
        cpu_time_max: kernel.limits.cpu_time,
        epochs: kernel.runtime.epochs.clone(),
        kernel: Arc::clone(&kernel),
        entry: Arc::clone(&entry),
        guest: Some(Box::pin(invoke(Arc::clone(&component), store))),
    }
    .await;
    let (ended, message) = match ended {
        Ok(ended) => (ended, None),
        Err(outcome) => describe(&outcome),
    };
    if let (Some(message), Some(stderr)) = (message, &stderr) {
        let name = entry.arguments.first().map_or("process", String::as_str);
        let mut line = format!("{name}: {message}\n");
        line.truncate(line.floor_char_boundary(MESSAGE_BYTES_MAX));
        // Where standard error is a full pipe the message is lost, and the status still tells.
        let _ = stderr.write(line.as_bytes());
    }
    // Its ends of pipes go before its end is seen, as they do on Unix.
    drop(stderr);
    kernel.end(&entry, ended);
}

async fn invoke(
    component: Arc<LoadedComponent>,
    mut store: Store<Process>,
) -> Result<Ended, Outcome> {
    let ended = enter(&component, &mut store).await;
    let usage = store.data().usage();
    let failed = match ended {
        Ok(ended) => return Ok(ended),
        Err((error, stage)) => (error, stage),
    };
    let (error, stage) = failed;
    if let Some(ProcessEnd(ended)) = error.downcast_ref::<ProcessEnd>() {
        return Ok(*ended);
    }
    if let Some(wasmtime_wasi::I32Exit(status)) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return Ok(Ended::Exited(u8::try_from(*status & 0xff).unwrap_or(1)));
    }
    Err(explain(&error, stage, usage.limit_hit()))
}

async fn enter(
    component: &LoadedComponent,
    store: &mut Store<Process>,
) -> Result<Ended, (wasmtime::Error, Stage)> {
    let instance = component
        .instance()
        .instantiate_async(&mut *store)
        .await
        .map_err(|error| (error, Stage::Instantiate))?;
    let run = component
        .program()
        .and_then(|index| instance.get_func(&mut *store, index))
        .ok_or_else(|| {
            let error = wasmtime::format_err!("the component does not export wasi:cli/run");
            (error, Stage::Instantiate)
        })?;
    let run = run
        .typed::<(), (Result<(), ()>,)>(&mut *store)
        .map_err(|error| (error, Stage::Instantiate))?;
    let (result,) = run
        .call_async(&mut *store, ())
        .await
        .map_err(|error| (error, Stage::Call))?;
    Ok(Ended::Exited(u8::from(result.is_err())))
}

/// Returns the status that stands for an outcome that is none of the process's own, and what to say about it.
fn describe(outcome: &Outcome) -> (Ended, Option<String>) {
    match outcome {
        Outcome::LimitHit(Limit::CpuTime) => {
            (Ended::Signaled(XCPU), Some(Limit::CpuTime.to_string()))
        }
        Outcome::LimitHit(Limit::Stack) => (Ended::Signaled(SEGV), Some(Limit::Stack.to_string())),
        Outcome::LimitHit(limit) => (
            Ended::Signaled(super::signal::KILL),
            Some(limit.to_string()),
        ),
        Outcome::Trapped { message } => (Ended::Signaled(ABRT), Some(message.clone())),
        Outcome::HostFault(HostFault::Busy(_)) => (
            Ended::Exited(126),
            Some("no more processes can be started at the moment".to_owned()),
        ),
        Outcome::HostFault(fault) => {
            tracing::error!(error = %fault, "a process failed in the host");
            (
                Ended::Exited(126),
                Some("the process could not be run".to_owned()),
            )
        }
        Outcome::Result(_) | Outcome::ToolError(_) | Outcome::Cancelled => {
            (Ended::Signaled(super::signal::KILL), None)
        }
    }
}

/// Enters the guest only while its process may run, and measures each time it does.
struct Guarded<F> {
    kernel: Arc<Kernel>,
    entry: Arc<Entry>,
    cpu_time_max: Duration,
    epochs: Epochs,
    /// `None` once it has ended.
    guest: Option<Pin<Box<F>>>,
}

impl<F: Future<Output = Result<Ended, Outcome>>> Future for Guarded<F> {
    type Output = Result<Ended, Outcome>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = match self.entry.may_run(context.waker()) {
            MayRun::NotNow => return Poll::Pending,
            MayRun::Never(fate) => Ok(fate),
            MayRun::Now => match self.enter(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(ended) => ended,
            },
        };
        // Dropping the guest ends it wherever it stands.
        self.guest = None;
        Poll::Ready(ended)
    }
}

impl<F: Future<Output = Result<Ended, Outcome>>> Guarded<F> {
    fn enter(&mut self, context: &mut Context<'_>) -> Poll<Result<Ended, Outcome>> {
        let Some(guest) = &mut self.guest else {
            return Poll::Pending;
        };
        let start = Instant::now();
        let ticking = self.epochs.run();
        let polled = guest.as_mut().poll(context);
        drop(ticking);
        let time = start.elapsed();
        self.entry.cpu_time.add(time);
        self.kernel.cpu_time.add(time);
        if polled.is_pending() {
            self.entry.set_waiting();
            if self.entry.unsettled_cpu_time() > self.cpu_time_max {
                return Poll::Ready(Err(Outcome::LimitHit(Limit::CpuTime)));
            }
        }
        polled
    }
}
