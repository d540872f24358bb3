//! Remote MCP servers: connecting with the credential that the session's vaults have, listing tools, calling them.
//!
//! Everything goes through the daemon's egress, and nothing of a credential comes back out of this module. Whatever a
//! server says is bounded before it is kept. Deliberately absent: which session has which server, what the log says of
//! it, and whether a call may be made; that is the brain's.

mod bearer;
mod bounds;
mod connection;
mod content;
mod error;
mod http;
mod listed;
mod name;
mod oauth;
mod probe;
mod redact;
mod sse;
mod stdio;
mod streamable;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt as _;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
};
use serde_json::Value;
use url::Url;

use self::bearer::Bearer;
use self::connection::Listener;
use self::http::Http;
use self::sse::SseTransport;
use self::streamable::Client;
use crate::clock::Clock;
use crate::egress::{self, Policy};
use crate::ids::WorkspaceId;
use crate::vault::Vaults;

pub use connection::{CallLimits, Connection, ProgressSink};
pub use content::Answer;
pub use error::{CallError, McpError};
pub use name::model_name;
pub use oauth::{Attempt, Refreshed, Refresher, Shown};
pub use probe::Validation;
pub use stdio::{SCHEME as STDIO_SCHEME, StdioServer};

/// Largest message of a server in bytes: an image or a document and what goes around it.
pub(crate) const MESSAGE_BYTES_MAX: usize = 48 << 20;
/// Longest time until a server's tools are known; a session's turn waits for it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// A server as the agent's configuration has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Its name in the agent.
    pub name: String,
    /// Its URL.
    pub url: String,
}

/// The session on whose behalf a server is asked.
#[derive(Clone, Debug)]
pub struct OnBehalfOf {
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// Its vaults, in the order in which they are looked into.
    pub vault_ids: Vec<String>,
    /// The `networking` of its environment.
    pub networking: Value,
}

/// Connects to servers.
pub struct Connector {
    egress: egress::Client,
    refresher: Arc<Refresher>,
    limits: CallLimits,
    /// Programs of this machine, by the names that agents know them by.
    stdio: BTreeMap<String, StdioServer>,
}

impl Connector {
    /// Returns a connector that sends through `egress` and takes credentials from `vaults`.
    pub fn new(
        egress: egress::Client,
        vaults: Vaults,
        clock: Arc<dyn Clock>,
        limits: CallLimits,
    ) -> Self {
        Self {
            refresher: Refresher::new(vaults, egress.clone(), clock),
            egress,
            limits,
            stdio: BTreeMap::new(),
        }
    }

    /// Adds programs of this machine that are servers.
    pub fn with_stdio(mut self, servers: BTreeMap<String, StdioServer>) -> Self {
        self.stdio = servers;
        self
    }

    /// Returns how long calls may take.
    pub fn limits(&self) -> CallLimits {
        self.limits
    }

    /// Connects to a server where the `networking` of the session's environment allows it, with the credential of the
    /// first of the vaults that has one for its URL.
    pub async fn connect(&self, who: &OnBehalfOf, server: &Server) -> Result<Connection, McpError> {
        let url = Url::parse(&server.url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let policy = Policy::for_mcp_server(&who.networking, host);
        if url.as_ref().is_some_and(|url| url.scheme() == STDIO_SCHEME) {
            if !policy.allows(host) {
                let why = "the session's environment does not allow MCP servers";
                return Err(McpError::Connection(why.to_owned()));
            }
            let mut connection = self.open_program(server, host).await?;
            connection.networking = who.networking.clone();
            return Ok(connection);
        }
        let vaults = self.refresher.vaults();
        let credential = vaults
            .credential_for_server(&who.workspace, &who.vault_ids, &server.url)
            .await?;
        let bearer = match credential {
            Some(_) if !self.egress.may_carry_secrets(&server.url) => {
                return Err(McpError::Authentication(
                    "its credential is not sent without TLS: give it an https URL, or name its host in \
                     egress.private_hosts of the daemon's configuration"
                        .to_owned(),
                ));
            }
            Some(credential) => Bearer::of(self.refresher.clone(), &credential),
            None => Bearer::none(),
        };
        let http = Http::new(self.egress.clone(), policy, bearer, &server.url);
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, open(&http, server)).await;
        match opened {
            Ok(Ok(mut connection)) => {
                connection.networking = who.networking.clone();
                Ok(connection)
            }
            Ok(Err(why)) => Err(match http.take_refusal() {
                Some(refusal) => McpError::Authentication(refusal),
                None => McpError::Connection(why),
            }),
            Err(_) => Err(McpError::Connection("it did not answer in time".to_owned())),
        }
    }
}

impl Connector {
    /// Starts a program of this machine and opens a connection to it.
    async fn open_program(&self, server: &Server, name: &str) -> Result<Connection, McpError> {
        let unknown = || {
            let why = format!(
                "the operator of this daemon has set up no server {name:?} under mcp.stdio"
            );
            McpError::Connection(why)
        };
        let transport = self.stdio.get(name).ok_or_else(unknown)?.start()?;
        let listener = Listener::default();
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, listener.clone().serve(transport)).await;
        match opened {
            Ok(Ok(service)) => Ok(Connection {
                server: server.name.clone(),
                service,
                listener,
                http: None,
                networking: Value::Null,
            }),
            Ok(Err(error)) => {
                tracing::warn!(server = name, %error, "a program is no MCP server");
                let why = "its program does not answer as an MCP server; see the daemon's log";
                Err(McpError::Connection(why.to_owned()))
            }
            Err(_) => Err(McpError::Connection("it did not answer in time".to_owned())),
        }
    }
}

/// Opens the newer transport, or the older one where the server has no other.
async fn open(http: &Http, server: &Server) -> Result<Connection, String> {
    let listener = Listener::default();
    let connection = |service, listener| Connection {
        server: server.name.clone(),
        service,
        listener,
        http: Some(http.clone()),
        networking: Value::Null,
    };
    let config = StreamableHttpClientTransportConfig::with_uri(server.url.as_str())
        .max_sse_event_size(MESSAGE_BYTES_MAX)
        .max_json_response_size(MESSAGE_BYTES_MAX);
    let transport = StreamableHttpClientTransport::with_client(Client(http.clone()), config);
    let why = match listener.clone().serve(transport).await {
        Ok(service) => return Ok(connection(service, listener)),
        Err(error) => error.to_string(),
    };
    // Such a server knows no POST to this URL.
    let is_older = http
        .last_status()
        .is_some_and(|status| matches!(status.as_u16(), 400 | 404 | 405));
    let why = http.take_failure().unwrap_or_else(|| http.clean(&why));
    if !is_older {
        return Err(why);
    }
    let transport = SseTransport::open(http.clone(), &server.url).await;
    // What the newer one said tells more of a server that has neither.
    let transport = transport.map_err(|_| why)?;
    match listener.clone().serve(transport).await {
        Ok(service) => Ok(connection(service, listener)),
        Err(error) => Err(http.clean(&error.to_string())),
    }
}
