//! The shell: GNU bash 5.2's language over the processes of a hand.
//!
//! One instance runs all that bash would fork for and that is no program: subshells, pipeline stages, background
//! lists are tasks of an executor, each with a shell state of its own that shares what nobody changed. Programs
//! are processes that get the shell's descriptors directly. The executor is the only place that blocks.

pub mod builtins;
pub mod descriptors;
pub mod execution;
pub mod expansion;
mod input;
mod invocation;
pub mod jobs;
pub mod redirection;
pub mod runtime;
mod session;
pub mod snapshot;
mod startup;
pub mod state;
pub mod sys;
pub mod traps;
pub mod variables;

pub use invocation::run;
