//! Logs of the process: standard error, `RUST_LOG` chooses, warnings by default.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging; does nothing when it was started before.
pub fn init() {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,sinew=info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}
