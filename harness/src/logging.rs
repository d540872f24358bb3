//! Logs of the process: standard error, `RUST_LOG` chooses, warnings by default.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging; does nothing when it was started before.
pub fn init() {
    let filter = EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("warn,sinew=info"));
    // Whatever is chosen: what the SDK of MCP tells of a connection is told by its user, who knows the server, its
    // session and its secrets.
    let filter = match "rmcp=off".parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    };
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}
