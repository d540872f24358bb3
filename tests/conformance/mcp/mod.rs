//! MCP servers as agents use them: a real server of the official SDK, a daemon, a scripted model.

mod failing;
mod package;
mod stdio;
mod working;
