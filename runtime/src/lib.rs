//! Runs tools and programs as WebAssembly components in a capability-scoped filesystem.
//!
//! [`Runtime::add`] compiles and loads components, [`Runtime::provision`] makes a [`Hand`] out of [`Resources`], and
//! [`Hand::execute`] runs one tool call in a fresh process. A hand has what it was given and nothing else; whatever a
//! guest does ends in an [`Outcome`] and never in a failure of the caller or of another hand.

pub mod fs;
pub mod typed;

mod call;
mod captured;
mod compile;
mod component;
mod component_store;
mod component_witness;
mod egress;
mod engine;
mod fixed;
mod hand;
mod kernel;
mod limits;
mod outcome;
mod process;
mod progress;
mod resources;
mod runtime;
mod shell;
mod ticker;
mod tool;

pub use compile::{
    ARTEFACT_BYTES_MAX, COMPONENT_BYTES_MAX, CompileError, CompilerCommand, CompilerLimit,
    CompilerLimits, compile_worker_main,
};
pub use component::{ComponentSource, LoadedComponent};
pub use component_store::{LoadError, Trust};
pub use egress::{Egress, EgressBody, EgressError, EgressTimeouts, NoEgress};
pub use fixed::Fixed;
pub use hand::{CallOptions, Ending, Hand, ToolDefinition};
pub use kernel::{Ended, ProgramError, Programs, Sink};
pub use limits::{Limit, Limits};
pub use outcome::{CallMetrics, Execution, HostFault, Outcome};
pub use resources::{ProvisionError, Resources};
pub use runtime::{Progress, Runtime, RuntimeConfig, RuntimeError};
pub use shell::{ProgramEnd, Progress as OutputProgress, RunError, RunProgram};

// For benches, whose baseline must run on the very same engine.
#[doc(hidden)]
pub use engine::running as running_engine;
