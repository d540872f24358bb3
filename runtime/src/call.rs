//! One call of an exported function, from its input to its end: a fresh process that ends with the call.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wasmtime::Engine;
use wasmtime::component::Val;

use crate::component::{Function, LoadedComponent};
use crate::limits::{Account, Limit, Limits};
use crate::outcome::{HostFault, Outcome, Stage, explain};
use crate::process::{Grants, Process};
use crate::ticker::Epochs;
use crate::typed::Content;

/// Everything that a call needs, owned, so that it can run where guests run.
pub(crate) struct Call {
    pub(crate) engine: Engine,
    pub(crate) component: Arc<LoadedComponent>,
    pub(crate) grants: Grants,
    pub(crate) account: Account,
    pub(crate) cancel: CancellationToken,
    pub(crate) deadline: Instant,
    pub(crate) cpu_time: Arc<CpuTime>,
    pub(crate) epochs: Epochs,
}

/// What is called and what its values mean; both ways of conversion run where guests run, since they can be long.
pub(crate) trait Request: Send + 'static {
    /// What a call that goes well yields.
    type Answer: Send + 'static;

    /// Returns the function and its parameters, or how the call ends without a process.
    fn params<'a>(
        &self,
        component: &'a LoadedComponent,
    ) -> Result<(&'a Function, Vec<Val>), Outcome>;

    /// Reads what the function returned.
    fn answer(
        self,
        component: &LoadedComponent,
        limits: &Limits,
        results: Vec<Val>,
    ) -> Result<Self::Answer, Outcome>;
}

impl Call {
    /// Runs the call to its end, or to the first of the reasons to end it early.
    pub(crate) async fn run<R: Request>(self, request: R) -> Result<R::Answer, Outcome> {
        let cancel = self.cancel.clone();
        let deadline = self.deadline;
        let metered = Metered {
            cpu_time: Arc::clone(&self.cpu_time),
            cpu_time_max: self.grants.limits.cpu_time,
            epochs: self.epochs.clone(),
            call: Box::pin(self.invoke(request)),
        };
        // Dropping the guest's future ends it wherever it stands; a running guest comes back here within an epoch.
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Outcome::Cancelled),
            () = tokio::time::sleep_until(deadline.into()) => Err(Outcome::LimitHit(Limit::WallTime)),
            answer = metered => answer,
        }
    }

    async fn invoke<R: Request>(self, request: R) -> Result<R::Answer, Outcome> {
        let (function, params) = request.params(&self.component)?;
        let limits = Arc::clone(&self.grants.limits);
        let usage = self.account.usage();
        let vfs = Arc::clone(&self.grants.vfs);
        let limit_reached = || usage.limit_hit().or(vfs.limit_hit().map(Limit::from));
        let mut store = Process::store(&self.engine, self.grants, self.account);
        let instance = self.component.instance();
        let instance = instance
            .instantiate_async(&mut store)
            .await
            .map_err(|error| explain(&error, Stage::Instantiate, limit_reached()))?;
        let func = instance
            .get_func(&mut store, function.index)
            .ok_or_else(|| inconsistent("an instance lacks its component's function"))?;
        let mut results = vec![Val::Bool(false); function.ty.results().len()];
        func.call_async(&mut store, &params, &mut results)
            .await
            .map_err(|error| explain(&error, Stage::Call, limit_reached()))?;
        // The process ends before its answer is looked at: its memory is free for others.
        drop(store);
        request.answer(&self.component, &limits, results)
    }
}

/// Returns the outcome of a call that is refused without running anything.
pub(crate) fn refusal(message: String) -> Outcome {
    Outcome::ToolError(vec![Content::Text(message)])
}

/// Returns the outcome of a call that met a component which is not what it was.
pub(crate) fn inconsistent(what: &str) -> Outcome {
    Outcome::HostFault(HostFault::Inconsistent(what.to_owned()))
}

/// The time that a call has spent on a processor so far; outlives the call.
#[derive(Debug, Default)]
pub(crate) struct CpuTime(AtomicU64);

impl CpuTime {
    pub(crate) fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// Measures each slice in which a call occupies its thread, and ends it when they are too much together.
struct Metered<F> {
    call: Pin<Box<F>>,
    cpu_time: Arc<CpuTime>,
    cpu_time_max: Duration,
    epochs: Epochs,
}

impl<A, F: Future<Output = Result<A, Outcome>>> Future for Metered<F> {
    type Output = Result<A, Outcome>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let start = Instant::now();
        let ticking = this.epochs.run();
        let polled = this.call.as_mut().poll(context);
        drop(ticking);
        self.cpu_time.add(start.elapsed());
        if polled.is_pending() && self.cpu_time.get() > self.cpu_time_max {
            return Poll::Ready(Err(Outcome::LimitHit(Limit::CpuTime)));
        }
        polled
    }
}
