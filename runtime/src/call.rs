//! One tool call, from its input to its outcome: a fresh process that ends with the call.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use wasmtime::Engine;
use wasmtime::component::Val;

use crate::component::LoadedComponent;
use crate::limits::{Account, Limit, ProcessUsage};
use crate::outcome::{HostFault, Outcome, Stage, explain};
use crate::process::{Grants, Process};
use crate::typed::{Content, OutputError, json_to_params, results_to_output};

/// Everything that a call needs, owned, so that it can run where guests run.
pub(crate) struct Call {
    pub(crate) engine: Engine,
    pub(crate) component: Arc<LoadedComponent>,
    /// The tool's place in the component.
    pub(crate) tool: usize,
    pub(crate) input: Value,
    pub(crate) grants: Grants,
    pub(crate) account: Account,
    pub(crate) cancel: CancellationToken,
    pub(crate) deadline: Instant,
    pub(crate) cpu_time: Arc<CpuTime>,
}

impl Call {
    /// Runs the call to its end, or to the first of the reasons to end it early.
    pub(crate) async fn run(self) -> Outcome {
        let cancel = self.cancel.clone();
        let deadline = self.deadline;
        let metered = Metered {
            cpu_time: Arc::clone(&self.cpu_time),
            cpu_time_max: self.grants.limits.cpu_time,
            call: Box::pin(self.invoke()),
        };
        // Dropping the guest's future ends it wherever it stands; a running guest comes back here within an epoch.
        tokio::select! {
            biased;
            () = cancel.cancelled() => Outcome::Cancelled,
            () = tokio::time::sleep_until(deadline.into()) => Outcome::LimitHit(Limit::WallTime),
            outcome = metered => outcome,
        }
    }

    async fn invoke(self) -> Outcome {
        let Some((spec, function)) = self.component.tool(self.tool) else {
            return inconsistent("a tool without a function");
        };
        let params = match json_to_params(&function.ty, &self.input) {
            Ok(params) => params,
            Err(error) => return refusal(error.to_string()),
        };
        drop(self.input);
        let limits = Arc::clone(&self.grants.limits);
        let usage: Arc<ProcessUsage> = self.account.usage();
        let mut store = Process::store(&self.engine, self.grants, self.account);
        let instance = match self
            .component
            .instance()
            .instantiate_async(&mut store)
            .await
        {
            Ok(instance) => instance,
            Err(error) => return explain(&error, Stage::Instantiate, &usage),
        };
        let Some(func) = instance.get_func(&mut store, function.index) else {
            return inconsistent("an instance without its component's function");
        };
        let mut results = vec![Val::Bool(false); function.ty.results().len()];
        if let Err(error) = func.call_async(&mut store, &params, &mut results).await {
            return explain(&error, Stage::Call, &usage);
        }
        // The process ends before its answer is looked at: its memory is free for others.
        drop(store);
        let output = match results_to_output(&function.ty, spec.output, &results) {
            Ok(output) => output,
            Err(OutputError::TooLarge { .. }) => return Outcome::LimitHit(Limit::OutputBytes),
            Err(error @ OutputError::MediaType) => {
                return Outcome::Trapped {
                    message: error.to_string(),
                };
            }
            Err(error @ (OutputError::Unfit { .. } | OutputError::Unsupported { .. })) => {
                return inconsistent(&error.to_string());
            }
        };
        if content_bytes(&output.content) > limits.output_bytes {
            Outcome::LimitHit(Limit::OutputBytes)
        } else if output.is_error {
            Outcome::ToolError(output.content)
        } else {
            Outcome::Result(output.content)
        }
    }
}

/// Returns the outcome of a call that never started a process.
pub(crate) fn refusal(message: String) -> Outcome {
    Outcome::ToolError(vec![Content::Text(message)])
}

fn inconsistent(what: &str) -> Outcome {
    Outcome::HostFault(HostFault::Inconsistent(what.to_owned()))
}

fn content_bytes(content: &[Content]) -> u64 {
    let bytes = content.iter().map(|block| match block {
        Content::Text(text) => text.len(),
        Content::Image { media_type, data } | Content::Document { media_type, data } => {
            media_type.len() + data.len()
        }
    });
    bytes.sum::<usize>() as u64
}

/// The time that a call has spent on a processor so far; outlives the call.
#[derive(Debug, Default)]
pub(crate) struct CpuTime(AtomicU64);

impl CpuTime {
    pub(crate) fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// Measures each slice in which a call occupies its thread, and ends it when they are too much together.
struct Metered<F> {
    call: Pin<Box<F>>,
    cpu_time: Arc<CpuTime>,
    cpu_time_max: Duration,
}

impl<F: Future<Output = Outcome>> Future for Metered<F> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let start = Instant::now();
        let polled = self.call.as_mut().poll(context);
        self.cpu_time.add(start.elapsed());
        if polled.is_pending() && self.cpu_time.get() > self.cpu_time_max {
            return Poll::Ready(Outcome::LimitHit(Limit::CpuTime));
        }
        polled
    }
}
