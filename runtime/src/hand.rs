//! A hand: tools, and what they may reach and use.
//!
//! A hand is cheap. It holds no process between calls; every call runs in a fresh one, so that a trapped, hostile or
//! leaking guest is gone with its call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::call::{Call, CpuTime, refusal};
use crate::captured::Captured;
use crate::component::LoadedComponent;
use crate::egress::{Egress, NoEgress};
use crate::limits::{Account, HandUsage, Limits};
use crate::outcome::{CallMetrics, HostFault, Outcome};
use crate::process::Grants;
use crate::runtime::Shared;

/// What a hand is given. The default is nothing: no tools, no files, no environment, no network.
#[derive(Default)]
pub struct Resources {
    components: Vec<Arc<LoadedComponent>>,
    environment: Vec<(String, String)>,
    limits: Limits,
    egress: Option<Arc<dyn Egress>>,
}

impl Resources {
    /// Adds a component's tools.
    pub fn component(mut self, component: Arc<LoadedComponent>) -> Self {
        self.components.push(component);
        self
    }

    /// Sets an environment variable of all processes.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Replaces the default limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets the hand's HTTP requests go to `egress`.
    pub fn egress(mut self, egress: Arc<dyn Egress>) -> Self {
        self.egress = Some(egress);
        self
    }
}

/// Why a hand cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// Two components have a tool of the same name.
    #[error("the tool {tool} is in {first} and in {second}")]
    ToolNameClash {
        /// The tool's name.
        tool: String,
        /// One component.
        first: String,
        /// The other one.
        second: String,
    },
}

/// A tool as a model is told about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolDefinition {
    /// Its name, unique in the hand.
    pub name: String,
    /// What it does, in the words of its author; may be empty.
    pub description: String,
    /// The JSON Schema of its input.
    pub input_schema: Value,
}

/// How a call is made.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// Ends the call after this time; the hand's limit on wall time holds anyway.
    pub timeout: Option<Duration>,
    /// Ends the call when it is cancelled.
    pub cancel: CancellationToken,
}

/// A call that has ended.
#[derive(Debug)]
pub struct Execution {
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub metrics: CallMetrics,
    /// What the tool wrote to its standard output, up to a bound.
    pub stdout: String,
    /// What the tool wrote to its standard error, and why requests of it were denied, up to a bound.
    pub stderr: String,
}

/// A set of tools with what they may reach and use.
pub struct Hand {
    runtime: Arc<Shared>,
    components: Vec<Arc<LoadedComponent>>,
    /// From a tool's name to its component's and its own place.
    tools: BTreeMap<String, (usize, usize)>,
    environment: Arc<Vec<(String, String)>>,
    limits: Arc<Limits>,
    egress: Arc<dyn Egress>,
    usage: Arc<HandUsage>,
}

impl Hand {
    pub(crate) fn new(runtime: Arc<Shared>, resources: Resources) -> Result<Self, ProvisionError> {
        Ok(Self {
            runtime,
            tools: name_tools(&resources.components)?,
            components: resources.components,
            environment: Arc::new(resources.environment),
            limits: Arc::new(resources.limits),
            egress: resources.egress.unwrap_or_else(|| Arc::new(NoEgress)),
            usage: Arc::default(),
        })
    }

    /// Returns the hand's tools, by name.
    pub fn definitions(&self) -> Vec<ToolDefinition> {
        self.tools
            .iter()
            .filter_map(|(name, (component, tool))| {
                let (spec, _) = self.components.get(*component)?.tool(*tool)?;
                Some(ToolDefinition {
                    name: name.clone(),
                    description: spec.description.clone(),
                    input_schema: spec.input_schema.clone(),
                })
            })
            .collect()
    }

    /// Calls a tool in a fresh process.
    ///
    /// Never fails by itself: whatever happens is the execution's outcome. Dropping the future ends the process.
    pub async fn execute(&self, name: &str, input: &Value, options: CallOptions) -> Execution {
        let start = Instant::now();
        let stdout = Captured::new(self.limits.log_bytes);
        let stderr = Captured::new(self.limits.log_bytes);
        let cpu_time = Arc::new(CpuTime::default());
        let mut metrics = CallMetrics::default();
        let outcome = match self.prepare(name, &stdout, &stderr) {
            Ok((component, tool, grants, account)) => {
                let usage = account.usage();
                let timeout = options.timeout.unwrap_or(Duration::MAX);
                let call = Call {
                    engine: self.runtime.engine.clone(),
                    component,
                    tool,
                    input: input.clone(),
                    grants,
                    account,
                    cancel: options.cancel,
                    deadline: start + timeout.min(self.limits.wall_time),
                    cpu_time: Arc::clone(&cpu_time),
                };
                let outcome = self.run(call).await;
                metrics.memory_peak_bytes = usage.memory_peak_bytes();
                outcome
            }
            Err(outcome) => outcome,
        };
        metrics.cpu_time = cpu_time.get();
        metrics.wall_time = start.elapsed();
        if let Outcome::HostFault(fault) = &outcome {
            tracing::error!(tool = name, error = %fault, "a tool call failed in the host");
        }
        Execution {
            outcome,
            metrics,
            stdout: stdout.text(),
            stderr: stderr.text(),
        }
    }

    fn prepare(
        &self,
        name: &str,
        stdout: &Captured,
        stderr: &Captured,
    ) -> Result<(Arc<LoadedComponent>, usize, Grants, Account), Outcome> {
        let found = self.tools.get(name).and_then(|(component, tool)| {
            Some((Arc::clone(self.components.get(*component)?), *tool))
        });
        let Some((component, tool)) = found else {
            let known: Vec<_> = self.tools.keys().map(String::as_str).collect();
            let name = name
                .get(..name.floor_char_boundary(100))
                .unwrap_or_default();
            return Err(refusal(format!(
                "there is no tool {name:?}; the tools are: {}",
                known.join(", ")
            )));
        };
        let account = Account::open(Arc::clone(&self.limits), Arc::clone(&self.usage))
            .map_err(Outcome::LimitHit)?;
        let grants = Grants {
            name: component.name().to_owned(),
            environment: Arc::clone(&self.environment),
            egress: Arc::clone(&self.egress),
            limits: Arc::clone(&self.limits),
            stdout: stdout.clone(),
            stderr: stderr.clone(),
        };
        Ok((component, tool, grants, account))
    }

    async fn run(&self, call: Call) -> Outcome {
        let _ticking = self.runtime.ticker.run();
        let Some(task) = self.runtime.spawn(call.run()) else {
            return Outcome::HostFault(HostFault::Start("the runtime is ending".to_owned()));
        };
        match task.await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::HostFault(HostFault::Panicked(error.to_string())),
        }
    }
}

fn name_tools(
    components: &[Arc<LoadedComponent>],
) -> Result<BTreeMap<String, (usize, usize)>, ProvisionError> {
    let mut tools = BTreeMap::new();
    for (place, component) in components.iter().enumerate() {
        for (index, tool) in component.tools().tools.iter().enumerate() {
            if let Some((other, _)) = tools.insert(tool.name.clone(), (place, index)) {
                return Err(ProvisionError::ToolNameClash {
                    tool: tool.name.clone(),
                    first: components
                        .get::<usize>(other)
                        .map_or_else(String::new, |other| other.name().to_owned()),
                    second: component.name().to_owned(),
                });
            }
        }
    }
    Ok(tools)
}
