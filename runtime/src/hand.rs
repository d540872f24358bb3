//! A hand: tools, and what they may reach and use.
//!
//! A hand is cheap. It holds no process between calls; every call runs in a fresh one, so that a trapped, hostile or
//! leaking guest is gone with its call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::call::{Call, CpuTime, Request, refusal};
use crate::captured::Captured;
use crate::component::LoadedComponent;
use crate::egress::{Egress, Log, NoEgress};
use crate::fixed::{Fixed, Surroundings};
use crate::fs::{Rights, Vfs};
use crate::kernel::{Description, Descriptors, Kernel};
use crate::limits::{Account, HandUsage, Limit, Limits};
use crate::outcome::{CallMetrics, Execution, HostFault, Outcome, Trace};
use crate::process::Grants;
use crate::resources::{ProvisionError, Resources};
use crate::runtime::Shared;
use crate::shell::{self, ProgramEnd, Progress, RunError, RunProgram, Shell};
use crate::tool::{DynamicCall, ListTools, TypedCall};
use crate::typed::NAME_BYTES_MAX;

/// What is repeated of a name that no tool has or can have, in bytes.
const NAME_SHOWN_BYTES_MAX: usize = 100;

/// The longest that any call can last, so that no limit exceeds the clock's range.
const WALL_TIME_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

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
#[derive(Clone, Default)]
pub struct CallOptions {
    /// Ends the call after this time; the hand's limit on wall time holds anyway.
    pub timeout: Option<Duration>,
    /// Ends the call when it is cancelled.
    pub cancel: CancellationToken,
    /// Names the file in `/tmp/tool-output` that takes a long output of the shell; unique for the call.
    pub output_name: String,
    /// Hears what the shell's programs write while they write it, and what other tools report of how far they are.
    pub progress: Option<Progress>,
    /// The time that the call's processes see, and what their random bytes follow from. The shell then begins anew
    /// from the state of its last call, and what it leaves in the background ends with the call.
    pub fixed: Option<Fixed>,
    /// A call of the shell is made in a fresh one, which neither knows nor changes the state of the hand's.
    pub is_apart: bool,
}

/// The processes of a hand, which may outlive it for a moment.
#[derive(Clone)]
pub struct Ending(Arc<HandUsage>);

impl Ending {
    /// Returns as soon as there is none.
    pub async fn ended(&self) {
        self.0.idle().await;
    }
}

/// A set of tools with what they may reach and use.
pub struct Hand {
    runtime: Arc<Shared>,
    /// Each with the prefix of its tools' names.
    components: Vec<(Arc<LoadedComponent>, String)>,
    tools: BTreeMap<String, Tool>,
    environment: Arc<Vec<(String, String)>>,
    limits: Arc<Limits>,
    egress: Arc<dyn Egress>,
    vfs: Arc<Vfs>,
    usage: Arc<HandUsage>,
    surroundings: Arc<Surroundings>,
    kernel: Arc<Kernel>,
    shell: Option<Arc<Shell>>,
}

/// Where a tool is.
struct Tool {
    /// Its component's place in the hand; none for the shell.
    component: Option<usize>,
    /// Its place in the component's list; none if the component named it when it was asked.
    place: Option<usize>,
    /// Its name in the component, without the prefix.
    own_name: String,
    definition: ToolDefinition,
}

impl Hand {
    pub(crate) fn new(
        runtime: Arc<Shared>,
        mut resources: Resources,
    ) -> Result<Self, ProvisionError> {
        let files = std::mem::take(&mut resources.files);
        let vfs = files.limits(resources.limits.fs).build()?;
        Self::with_files(runtime, resources, vfs, Arc::default())
    }

    /// Returns a hand of other tools, environment and network that shows some directories of this one, at the same paths.
    ///
    /// The two share the files' limits, what changed, and the count of processes and memory: each call's changes are in the
    /// dirty set of whichever hand is asked next. `resources` grants no mounts and files of its own, and its limits on files
    /// say nothing. Errors: a directory is not there or behind a link, or would be written where this hand only reads.
    pub fn part(
        &self,
        resources: Resources,
        shown: &[(String, Rights)],
    ) -> Result<Self, ProvisionError> {
        let vfs = self.vfs.part(shown)?;
        Self::with_files(
            Arc::clone(&self.runtime),
            resources,
            vfs,
            Arc::clone(&self.usage),
        )
    }

    fn with_files(
        runtime: Arc<Shared>,
        resources: Resources,
        vfs: Arc<Vfs>,
        usage: Arc<HandUsage>,
    ) -> Result<Self, ProvisionError> {
        let limits = Arc::new(resources.limits);
        let egress = resources.egress.unwrap_or_else(|| Arc::new(NoEgress));
        let environment = Arc::new(resources.environment);
        let surroundings = Arc::<Surroundings>::default();
        let kernel = Kernel::new(
            Arc::clone(&runtime),
            Arc::clone(&vfs),
            Arc::clone(&limits),
            Arc::clone(&usage),
            Arc::clone(&egress),
            resources.programs,
            Arc::clone(&surroundings),
        );
        if resources.has_shell && kernel.programs.get(shell::tool_name()).is_none() {
            return Err(ProvisionError::NoShell);
        }
        let shell = resources
            .has_shell
            .then(|| Arc::new(Shell::new(Arc::clone(&kernel), Arc::clone(&environment))));
        let mut hand = Self {
            runtime,
            tools: BTreeMap::new(),
            components: resources.components,
            environment,
            limits,
            egress,
            vfs,
            usage,
            surroundings,
            kernel,
            shell,
        };
        if hand.shell.is_some() {
            hand.add_tool(None, None, shell::definition())?;
        }
        for (component, (loaded, _)) in hand.components.clone().iter().enumerate() {
            for (place, tool) in loaded.tools().tools.iter().enumerate() {
                let definition = ToolDefinition {
                    name: tool.name.clone(),
                    description: tool.description.clone(),
                    input_schema: tool.input_schema.clone(),
                };
                hand.add_tool(Some(component), Some(place), definition)?;
            }
        }
        Ok(hand)
    }

    fn add_tool(
        &mut self,
        component: Option<usize>,
        place: Option<usize>,
        mut definition: ToolDefinition,
    ) -> Result<(), ProvisionError> {
        let prefix = component.and_then(|place| self.components.get(place));
        let prefix = prefix.map_or("", |(_, prefix)| prefix.as_str());
        let own_name = std::mem::take(&mut definition.name);
        let name = format!("{prefix}{own_name}");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_plain) {
            let name = start_of(&name).to_owned();
            return Err(ProvisionError::ToolName { name });
        }
        let component_name = |place: Option<usize>| {
            let component = place.and_then(|place| self.components.get(place));
            component.map_or_else(
                || "the shell".to_owned(),
                |(component, _)| component.name().to_owned(),
            )
        };
        if let Some(other) = self.tools.get(&name) {
            return Err(ProvisionError::ToolNameClash {
                tool: name,
                first: component_name(other.component),
                second: component_name(component),
            });
        }
        definition.name.clone_from(&name);
        let tool = Tool {
            component,
            place,
            own_name,
            definition,
        };
        self.tools.insert(name, tool);
        Ok(())
    }

    /// Asks the components that name their tools only when asked, and adds these tools to the hand.
    ///
    /// To be called once, before the definitions are given to a model; without such components it does nothing. Each
    /// component is asked in a process of its own, with `options` for each.
    pub async fn discover(&mut self, options: CallOptions) -> Result<(), ProvisionError> {
        for (place, (component, _)) in self.components.clone().iter().enumerate() {
            if component.dynamic().is_none() {
                continue;
            }
            let (answer, _) = self.call(component, ListTools, options.clone()).await;
            let definitions = answer.map_err(|outcome| ProvisionError::ToolsUnknown {
                component: component.name().to_owned(),
                outcome: Box::new(outcome),
            })?;
            for definition in definitions {
                self.add_tool(Some(place), None, definition)?;
            }
        }
        Ok(())
    }

    /// Returns the hand's tools, by name.
    pub fn definitions(&self) -> Vec<ToolDefinition> {
        let tools = self.tools.values();
        tools.map(|tool| tool.definition.clone()).collect()
    }

    /// Calls a tool in a fresh process.
    ///
    /// Never fails by itself: whatever happens is the execution's outcome. Dropping the future ends the process within
    /// about a millisecond ([`Hand::idle`] waits for it); what it changed until then is in the next dirty set.
    pub async fn execute(&self, name: &str, input: &Value, options: CallOptions) -> Execution {
        self.vfs
            .fix_random(options.fixed.as_ref().map(|fixed| fixed.seed));
        self.surroundings.begin(options.fixed.clone());
        if let Some(shell) = &self.shell
            && name == shell::tool_name()
        {
            return self.call_shell(shell, input, options).await;
        }
        let found = self
            .tools
            .get(name)
            .and_then(|tool| Some((tool, self.components.get(tool.component?)?)));
        let Some((tool, (component, _))) = found else {
            return Trace::default().ended(self.unknown_tool(name));
        };
        let input = input.clone();
        let (answer, trace) = match tool.place {
            Some(tool) => {
                self.call(component, TypedCall { tool, input }, options)
                    .await
            }
            None => {
                let name = tool.own_name.clone();
                self.call(component, DynamicCall { name, input }, options)
                    .await
            }
        };
        let outcome = answer.unwrap_or_else(|outcome| outcome);
        if let Outcome::HostFault(fault) = &outcome {
            tracing::error!(tool = name, error = %fault, "a tool call failed in the host");
        }
        trace.ended(outcome)
    }

    /// Runs a program to its end with streams of the caller's, and kills whatever it left.
    pub async fn run_program(&self, run: RunProgram) -> Result<ProgramEnd, RunError> {
        shell::run_program(&self.kernel, run).await
    }

    /// Returns what the shell would go on from: the source text that it reported after its last call.
    pub async fn shell_state(&self) -> Option<Bytes> {
        match &self.shell {
            Some(shell) => shell.state().await,
            None => None,
        }
    }

    /// Lets the next shell begin from a state that [`Hand::shell_state`] returned, here or in another hand.
    pub async fn restore_shell(&self, state: Bytes) {
        if let Some(shell) = &self.shell {
            shell.restore(state).await;
        }
    }

    async fn call_shell(
        &self,
        shell: &Arc<Shell>,
        input: &Value,
        options: CallOptions,
    ) -> Execution {
        let start = Instant::now();
        self.vfs.clear_limit_hit();
        let written_bytes = self.vfs.usage().bytes;
        let cpu_time = self.kernel.cpu_time.get();
        let is_fixed = options.fixed.is_some();
        if is_fixed {
            shell.begin_anew().await;
        }
        self.usage.begin_peak();
        let outcome = shell::call_tool(shell, input, options, self.limits.wall_time).await;
        if is_fixed {
            // What would go on in the background would see the time of another call.
            shell.begin_anew().await;
        }
        if let Outcome::HostFault(fault) = &outcome {
            tracing::error!(error = %fault, "a call of the shell failed in the host");
        }
        let trace = Trace {
            metrics: CallMetrics {
                wall_time: start.elapsed(),
                cpu_time: self.kernel.cpu_time.get().saturating_sub(cpu_time),
                memory_peak_bytes: self.usage.memory_peak_bytes(),
                written_bytes: self.vfs.usage().bytes.saturating_sub(written_bytes),
            },
            limit_reached: self.vfs.limit_hit().map(Limit::from),
            dirty: self.vfs.take_dirty(),
            ..Trace::default()
        };
        trace.ended(outcome)
    }

    /// Returns as soon as the hand has no process, also none of a call that was dropped.
    pub async fn idle(&self) {
        self.usage.idle().await;
    }

    /// Returns what tells the end of the hand's processes even when the hand is gone.
    pub fn ending(&self) -> Ending {
        Ending(Arc::clone(&self.usage))
    }

    /// Returns whether no process could still change a file: there is none, or only a shell that waits for its
    /// next call.
    pub fn is_quiet(&self) -> bool {
        let shells = usize::from(self.shell.is_some());
        self.kernel.processes().len() <= shells
    }

    /// Returns the hand's file system, for the host's own work in it: what changed, what is used.
    pub fn vfs(&self) -> &Arc<Vfs> {
        &self.vfs
    }

    fn unknown_tool(&self, name: &str) -> Outcome {
        let known: Vec<_> = self.tools.keys().map(String::as_str).collect();
        let name = start_of(name);
        refusal(format!(
            "there is no tool {name:?}; the tools are: {}",
            known.join(", ")
        ))
    }

    /// Runs a request in a fresh process.
    async fn call<R: Request>(
        &self,
        component: &Arc<LoadedComponent>,
        request: R,
        options: CallOptions,
    ) -> (Result<R::Answer, Outcome>, Trace) {
        let start = Instant::now();
        let account = match Account::open(Arc::clone(&self.limits), Arc::clone(&self.usage)) {
            Ok(account) => account,
            Err(limit) => return (Err(Outcome::LimitHit(limit)), Trace::default()),
        };
        self.vfs.clear_limit_hit();
        let written_bytes = self.vfs.usage().bytes;
        let stdout = Captured::new(self.limits.log_bytes);
        let stderr = Captured::new(self.limits.log_bytes);
        let cpu_time = Arc::new(CpuTime::default());
        let usage = account.usage();
        let timeout = options.timeout.unwrap_or(Duration::MAX);
        let call = Call {
            engine: self.runtime.engine.clone(),
            component: Arc::clone(component),
            grants: Grants {
                arguments: vec![component.name().to_owned()],
                environment: Arc::clone(&self.environment),
                egress: Arc::clone(&self.egress),
                vfs: Arc::clone(&self.vfs),
                limits: Arc::clone(&self.limits),
                descriptors: Descriptors::new(
                    BTreeMap::from([
                        (0, Arc::new(Description::Empty)),
                        (1, Arc::new(Description::Sink(Arc::new(stdout.clone())))),
                        (2, Arc::new(Description::Sink(Arc::new(stderr.clone())))),
                    ]),
                    None,
                ),
                process: None,
                session: None,
                log: Log::Tool(stderr.clone()),
                fixed: self.surroundings.of_next_process(),
                progress: options.progress,
            },
            account,
            cancel: options.cancel,
            deadline: start + timeout.min(self.limits.wall_time).min(WALL_TIME_MAX),
            cpu_time: Arc::clone(&cpu_time),
            epochs: self.runtime.epochs.clone(),
        };
        let answer = self.run(call, request).await;
        let trace = Trace {
            metrics: CallMetrics {
                wall_time: start.elapsed(),
                cpu_time: cpu_time.get(),
                memory_peak_bytes: usage.memory_peak_bytes(),
                written_bytes: self.vfs.usage().bytes.saturating_sub(written_bytes),
            },
            limit_reached: usage.limit_hit().or(self.vfs.limit_hit().map(Limit::from)),
            dirty: self.vfs.take_dirty(),
            stdout: stdout.text(),
            stderr: stderr.text(),
        };
        (answer, trace)
    }

    /// Runs a call on the guests' threads, apart from which nothing of it can fail.
    async fn run<R: Request>(&self, call: Call, request: R) -> Result<R::Answer, Outcome> {
        let Some(task) = self.runtime.spawn(call.run(request)) else {
            let fault = HostFault::Start("the runtime is ending".to_owned());
            return Err(Outcome::HostFault(fault));
        };
        task.await
            .unwrap_or_else(|error| Err(Outcome::HostFault(HostFault::Panicked(error.to_string()))))
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.kernel.close();
    }
}

/// Returns what of a name is worth showing.
fn start_of(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_SHOWN_BYTES_MAX))
        .unwrap_or_default()
}
