//! What the benches share: paired rounds, percentiles, and the printed result.
//!
//! Ours and its baselines take turns within one run, so that a machine whose speed drifts slows both down;
//! a ratio is the median of the rounds' own ratios. Nothing here asserts a time.

#![allow(dead_code, unused_imports, reason = "each bench uses its part")]

mod contest;
mod machine;
mod report;
mod samples;

pub use contest::Contest;
pub use report::{Group, Report, Subject};
pub use samples::Samples;

use clap::Parser;

/// The command line that every bench has.
#[derive(Parser, Clone, Copy, Debug)]
#[command(
    about = "Measures against a bare baseline; run it as: cargo bench -p sinew-tests --bench NAME -- [OPTIONS]"
)]
pub struct Options {
    /// Prints JSON instead of tables
    #[arg(long)]
    pub json: bool,
    /// Small inputs and few rounds: shows that the bench works, not how fast anything is
    #[arg(long)]
    pub quick: bool,
    /// Given by cargo; means nothing
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Reads the command line; ends the process for `--help` and for what it does not know.
    pub fn read() -> Self {
        Self::parse()
    }

    /// Returns `quick` in quick mode, else `full`.
    pub fn pick<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }
}
