//! The brain: wakes sessions and drives each from its log, step by step.
//!
//! A driver owns nothing that matters: kill it at any instant and the next one goes on from the log. The
//! driver holds the session's lease, and every append names it.

mod answer;
mod attach;
mod backoff;
mod brain;
mod component_tools;
mod context;
mod delegation;
mod distil;
mod drivers;
mod evaluate;
mod fold;
mod judge;
mod live;
mod mcp;
mod memory;
mod model_call;
mod review;
#[cfg(test)]
mod rights_tests;
mod ruling;
mod runner;
mod session;
mod supervise;
#[cfg(test)]
mod tests;
mod tool_call;
mod tool_output;
mod toolset;
mod url_sources;

pub use attach::{NAMED_BYTES_MAX, fits, named};
pub use backoff::Backoff;
pub use brain::{Brain, LeaseOptions, ModelFacts};
pub use context::request_digest;
pub use drivers::Drivers;
pub use fold::{LoadError, fold, rewinds};
pub use live::{Live, Preview, PreviewPart, Watcher};
pub use tool_call::{call_of, is_of_no_run};
pub use toolset::AGENT_TOOLSET;
