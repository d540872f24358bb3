//! The daemon's configuration: one structure, every field with a default, unknown fields refused.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::egress::{EgressOptions, PrivateHost};
use crate::model::{ModelOverride, ProviderConfig};
use crate::place::PlaceUrl;
use crate::secrets::MasterKeySource;

/// The whole configuration. Read from YAML with `--config`; printed without secrets by `--print-config`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address of the HTTP API. Default `127.0.0.1:4100`. An address that others can reach needs API keys.
    pub listen: SocketAddr,
    /// Data folder: database, compiled components, the sessions' files.
    /// Default `$XDG_DATA_HOME/sinew`, else `~/.local/share/sinew`.
    pub data: PathBuf,
    /// Folder for compiled components, which several data folders may share. Whoever can write there owns
    /// the daemon. Default: the data folder.
    pub cache: Option<PathBuf>,
    /// A folder of the host that every session gets as its `/workspace`, in place of one of its own.
    /// For `sinew run` and trusted single-user daemons. Default none.
    pub workspace: Option<PathBuf>,
    /// Where the master keys come from, under which the credentials of vaults are encrypted: `file`, `env` or
    /// `command`, each with one key a line (32 bytes in base64), the current one first.
    /// Default: `master-key` in the data folder, made at the first start.
    pub master_key: Option<MasterKeySource>,
    /// Model providers; the first whose pattern matches a model id is asked. Default: one Messages API
    /// provider for every model, from `ANTHROPIC_BASE_URL` and `ANTHROPIC_API_KEY`.
    pub providers: Vec<ProviderConfig>,
    /// Facts about models beside the built-in catalogue, by model id; not printed. Default none.
    #[serde(skip_serializing)]
    pub models: BTreeMap<String, ModelOverride>,
    /// How model requests are tried again.
    pub retries: Retries,
    /// Bounds of one tool call and one hand.
    pub hand: HandLimits,
    /// Bounds of calls to MCP servers.
    pub mcp: Mcp,
    /// The web tools.
    pub web: Web,
    /// When scheduled deployments start.
    pub schedules: Schedules,
    /// Where webhooks may go.
    pub webhooks: Webhooks,
    /// What leaves the sessions' hands.
    pub egress: Egress,
    /// Where contents of files lie that are too large for the database, and uploaded files.
    pub content: ContentPlace,
    /// When contents of files go that no session needs any more.
    pub collection: Collection,
    /// How long a session's lease lasts without renewal, in milliseconds. Default 60 000.
    pub lease_ms: u64,
    /// How long a worker of a self-hosted environment keeps its work without a heartbeat, unless it asks for
    /// another time, in milliseconds. Default 300 000.
    pub work_lease_ms: u64,
    /// Model requests that one user input may lead to. Default 1 000.
    pub requests_per_turn_max: u32,
    /// Threads for guests; 0 is one for each processor. Default 0.
    pub guest_threads: usize,
}

/// How model requests are tried again.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retries {
    /// Attempts of one request, the first included. Default 8.
    pub attempts_max: u32,
    /// Wait before the second attempt in milliseconds, doubled each time. Default 500.
    pub first_ms: u64,
    /// Longest wait in milliseconds. Default 60 000.
    pub max_ms: u64,
}

/// MCP servers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mcp {
    /// Longest wait for a word of a call, its result or its progress, in milliseconds. Default 120 000.
    pub quiet_ms_max: u64,
    /// Longest call in milliseconds. Default 900 000.
    pub call_ms_max: u64,
    /// Programs of this machine that are MCP servers on their standard input and output, by the names that agents
    /// know them by: `stdio://NAME`. Every agent of the daemon may use them. Default none.
    pub stdio: BTreeMap<String, StdioProgram>,
}

/// A program that is an MCP server. Each session that uses it has a process of its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StdioProgram {
    /// The program's path and its arguments.
    pub command: Vec<String>,
    /// Variables of its environment. Not for secrets: they are printed with the configuration. Default none.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Variables of the daemon's own environment that it gets; their values are masked in what it says. Default none.
    #[serde(default)]
    pub env_from: Vec<String>,
    /// Files and folders that it may read, beside the system's programs and libraries. Default none.
    #[serde(default)]
    pub readable: Vec<PathBuf>,
    /// Files and folders that it may write, beside a `/tmp` of its own. Default none.
    #[serde(default)]
    pub writable: Vec<PathBuf>,
    /// It may use the network, this machine's own included. Default false.
    #[serde(default)]
    pub network: bool,
    /// What it runs in. Default `bubblewrap`.
    #[serde(default)]
    pub sandbox: StdioSandbox,
    /// Most processes of it at a time. Default 16.
    #[serde(default = "sixteen")]
    pub processes_max: u32,
}

/// What a program runs in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StdioSandbox {
    /// Namespaces of its own, made by `bwrap`.
    #[default]
    Bubblewrap,
    /// Nothing: it may do all that the daemon may.
    None,
}

fn sixteen() -> u32 {
    16
}

/// The web tools: `web_fetch`, and `web_search` where there is somebody to ask.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Whom `web_search` asks. Default none: then the tool is not offered.
    pub search: Option<Search>,
}

/// A provider of web searches.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Its kind.
    pub provider: SearchProvider,
    /// Its API: the endpoint of Brave or Tavily, the base of a SearXNG instance, which has no default. The host may be
    /// of a private network.
    #[serde(default)]
    pub url: Option<String>,
    /// Environment variable with the API's key. Default `BRAVE_API_KEY` or `TAVILY_API_KEY`; none for SearXNG.
    #[serde(default)]
    pub api_key_env: Option<String>,
}

/// The kinds of providers of web searches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchProvider {
    /// Brave's search API.
    Brave,
    /// Tavily's.
    Tavily,
    /// An instance of SearXNG.
    Searxng,
}

/// When scheduled deployments start.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedules {
    /// Longest delay of a start behind its time in milliseconds, so that not all of an hour's runs start at
    /// once; a run's delay is at most 15 % of its interval. 0 for none. Default 540 000.
    pub delay_ms_max: u64,
    /// How old the newest missed time of a deployment may be, in milliseconds, to be made up for once the
    /// daemon runs again. Default 3 600 000.
    pub late_ms_max: u64,
}

/// Where webhooks may go.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Also to plain HTTP, other ports than 443, and addresses that are not public: whoever may make an
    /// endpoint can then call into this machine's network. Default false.
    pub allow_private: bool,
}

/// What leaves the sessions' hands, beside what each session's environment says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Egress {
    /// Hosts that hands may reach although they are not of the public internet: `HOST:PORT`, or `HOST` for all its
    /// ports; an IPv6 address in brackets. Credentials may go to them without TLS. Default none.
    pub private_hosts: Vec<PrivateHost>,
    /// A file with certificates (PEM) of authorities that are trusted beside the system's, for hosts of a company's
    /// own. Default none.
    pub ca_certificates: Option<PathBuf>,
    /// Largest body of a request in bytes. Default 1 GiB.
    pub request_bytes_max: u64,
    /// Largest body of a response in bytes. Default 4 GiB.
    pub response_bytes_max: u64,
    /// Longest exchange in milliseconds, from the request to the end of the response. Default 1 800 000.
    pub exchange_ms_max: u64,
    /// Exchanges of one hand at a time; further ones wait. Default 64.
    pub exchanges_per_hand_max: usize,
}

/// Where contents lie that are too large for the database, and uploaded files.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContentPlace {
    /// A place by URL: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or `file:///folder`.
    /// Credentials come from the environment, as `AWS_ACCESS_KEY_ID`, `GOOGLE_SERVICE_ACCOUNT` or
    /// `AZURE_STORAGE_ACCOUNT_KEY`; the URL holds none. Default: the folders `packs` and `blobs` in the data folder.
    pub url: Option<PlaceUrl>,
}

/// When contents of files go that no session needs any more, nor any fork of one.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Collection {
    /// Time between two collections in milliseconds; the first comes at most ten minutes after the start.
    /// 0 for none. Default 86 400 000, a day.
    pub period_ms: u64,
    /// How old a file among the packs must be that the database does not know, in milliseconds. Default 3 600 000.
    pub grace_ms: u64,
    /// Bytes of contents in the database beyond which the oldest move into packs. Default 256 MiB.
    pub row_bytes_max: u64,
}

/// Bounds of one tool call and one hand.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HandLimits {
    /// Linear memory of one process in bytes. Default 1 GiB.
    pub memory_bytes_max: u64,
    /// Longest tool call in milliseconds. Default 150 000.
    pub call_ms_max: u64,
    /// Bytes that a session's tools may add to its files. Default 4 GiB.
    pub written_bytes_max: u64,
    /// Files and directories that a session's tools may create. Default 1 000 000.
    pub files_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4100)),
            data: default_data(),
            cache: None,
            workspace: None,
            master_key: None,
            providers: Vec::new(),
            models: BTreeMap::new(),
            retries: Retries::default(),
            hand: HandLimits::default(),
            schedules: Schedules::default(),
            mcp: Mcp::default(),
            web: Web::default(),
            webhooks: Webhooks::default(),
            egress: Egress::default(),
            content: ContentPlace::default(),
            collection: Collection::default(),
            lease_ms: 60_000,
            work_lease_ms: 300_000,
            requests_per_turn_max: 1_000,
            guest_threads: 0,
        }
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts_max: 8,
            first_ms: 500,
            max_ms: 60_000,
        }
    }
}

impl Default for Mcp {
    fn default() -> Self {
        Self {
            quiet_ms_max: 120_000,
            call_ms_max: 900_000,
            stdio: BTreeMap::new(),
        }
    }
}

impl Default for Egress {
    fn default() -> Self {
        let options = EgressOptions::default();
        Self {
            private_hosts: options.private_hosts,
            ca_certificates: options.ca_certificates,
            request_bytes_max: options.request_bytes_max,
            response_bytes_max: options.response_bytes_max,
            exchange_ms_max: u64::try_from(options.exchange_max.as_millis()).unwrap_or(u64::MAX),
            exchanges_per_hand_max: options.exchanges_per_hand_max,
        }
    }
}

impl Egress {
    /// Returns the same as the egress takes it.
    pub fn options(&self) -> EgressOptions {
        EgressOptions {
            private_hosts: self.private_hosts.clone(),
            ca_certificates: self.ca_certificates.clone(),
            request_bytes_max: self.request_bytes_max,
            response_bytes_max: self.response_bytes_max,
            exchange_max: Duration::from_millis(self.exchange_ms_max),
            exchanges_per_hand_max: self.exchanges_per_hand_max.max(1),
        }
    }
}

impl Default for Schedules {
    fn default() -> Self {
        Self {
            delay_ms_max: 540_000,
            late_ms_max: 3_600_000,
        }
    }
}

impl Default for Collection {
    fn default() -> Self {
        Self {
            period_ms: 86_400_000,
            grace_ms: 3_600_000,
            row_bytes_max: 256 << 20,
        }
    }
}

impl Default for HandLimits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 1 << 30,
            call_ms_max: 150_000,
            written_bytes_max: 4 << 30,
            files_max: 1_000_000,
        }
    }
}

/// A configuration file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read the configuration {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not what it should be.
    #[error("the configuration {} is invalid: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
}

impl Config {
    /// Reads a YAML file. An empty one is all defaults.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(&text).map_err(|error| ConfigError::Invalid {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Returns the effective configuration as YAML, without keys.
    pub fn print(&self) -> String {
        serde_saphyr::to_string(self)
            .unwrap_or_else(|error| format!("# cannot be printed: {error}\n"))
    }

    /// Returns how long a lease lasts.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms.max(1_000))
    }
}

fn default_data() -> PathBuf {
    if let Some(dir) = std::env::var_os("XDG_DATA_HOME").filter(|dir| !dir.is_empty()) {
        return PathBuf::from(dir).join("sinew");
    }
    match std::env::var_os("HOME").filter(|home| !home.is_empty()) {
        Some(home) => PathBuf::from(home).join(".local/share/sinew"),
        None => PathBuf::from("sinew-data"),
    }
}
