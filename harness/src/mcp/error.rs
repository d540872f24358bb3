//! Why an MCP server does not serve.

use crate::vault::VaultError;

/// Why a server cannot be used. Texts name no secret.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// It cannot be reached, or does not speak the protocol.
    #[error("{0}")]
    Connection(String),
    /// It wants a credential, or another one.
    #[error("{0}")]
    Authentication(String),
    /// The credential for it cannot be read: the operator's problem.
    #[error("its credential cannot be read; the operator was told")]
    Vault(#[from] VaultError),
}

impl McpError {
    /// Returns the wire's type of a `session.error`.
    pub fn kind(&self) -> &'static str {
        match self {
            McpError::Connection(_) => "mcp_connection_failed_error",
            McpError::Authentication(_) | McpError::Vault(_) => "mcp_authentication_failed_error",
        }
    }
}

/// How a call of a server's tool ended without a result of the tool.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It never reached the tool.
    #[error(transparent)]
    NotMade(McpError),
    /// The server refused it: the arguments are wrong, or there is no such tool.
    #[error("{0}")]
    Refused(String),
    /// It may have reached the tool, and nobody knows what it came to.
    #[error("{0}")]
    Unknown(String),
    /// The session was interrupted.
    #[error("the call was interrupted")]
    Interrupted,
}
