//! MCP servers that are programs of this machine: an operator's, each for one session at a time, in a sandbox of the
//! operating system.
//!
//! They are off unless the operator names them. Such a program is native code, so what a component cannot do is kept
//! from it by bubblewrap: namespaces of its own for processes, users, IPC and network, a root of which it may read
//! the system's programs and libraries and what else the operator says, and a `/tmp` in memory. It ends with the
//! connection, and with the daemon; one without a sandbox may leave programs of its own behind. Deliberately absent: credentials of vaults; what such a server needs the operator
//! gives it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::bounds::{Rate, is_readable};
use super::error::McpError;
use super::redact::Redactor;
use super::streamable::is_request;
use crate::secrets::Secret;

/// The scheme of such a server's URL in an agent: `stdio://NAME`.
pub const SCHEME: &str = "stdio";
/// The program that makes the sandbox.
const SANDBOX: &str = "bwrap";
/// Largest message in bytes.
const MESSAGE_BYTES_MAX: usize = super::MESSAGE_BYTES_MAX;
/// Most bytes in the sandbox's `/tmp`.
const SCRATCH_BYTES_MAX: u64 = 256 << 20;
/// How long a program may take to end once its input has.
const END_PATIENCE: Duration = Duration::from_secs(2);
/// What every sandbox shows of the system, as far as it is there: programs, libraries, and what resolving names and
/// checking certificates needs.
const SHOWN: [&str; 13] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/ssl",
];

/// A program that is an MCP server.
pub struct StdioServer {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Its environment, beside `PATH` and `HOME`.
    pub environment: BTreeMap<String, String>,
    /// Secrets in its environment, which are masked in what it says.
    pub secrets: BTreeMap<String, Secret>,
    /// What it may read beside the system's programs.
    pub readable: Vec<PathBuf>,
    /// What it may write beside `/tmp`.
    pub writable: Vec<PathBuf>,
    /// It may use the network.
    pub has_network: bool,
    /// It runs in a sandbox; otherwise as the daemon does.
    pub is_sandboxed: bool,
    /// How many may run at a time.
    pub places: Arc<Semaphore>,
}

impl StdioServer {
    /// Starts the program. Errors: it cannot be started, or as many run as may.
    pub(super) fn start(&self) -> Result<StdioTransport, McpError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| failed("as many of this server run as may"))?;
        let mut redactor = Redactor::default();
        for secret in self.secrets.values() {
            redactor.add(secret);
        }
        // It dies with the thread that starts it, which is one of the runtime's own and lives as long as the daemon.
        let mut child = self.command()?.spawn().map_err(|error| {
            let program = match self.is_sandboxed {
                true => format!(
                    "{SANDBOX}, which makes its sandbox (Debian: apt-get install bubblewrap)"
                ),
                false => "its program".to_owned(),
            };
            failed(format!("{program} cannot be started: {error}"))
        })?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(failed("its program has no input or output"));
        };
        Ok(StdioTransport {
            child,
            stdin: Arc::new(Mutex::new(Some(stdin))),
            stdout: BufReader::new(stdout),
            line: Vec::new(),
            answers: Rate::of_answers(),
            redactor,
            _place: place,
        })
    }

    fn command(&self) -> Result<Command, McpError> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| failed("its command is empty"))?;
        let mut command = match self.is_sandboxed {
            true => {
                let mut command = Command::new(SANDBOX);
                command.args(self.walls()).arg("--").arg(program);
                command
            }
            false => Command::new(program),
        };
        command
            .args(arguments)
            // On the command line others could read it.
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", "/tmp")
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for (name, secret) in &self.secrets {
            command.env(name, secret.expose_text().unwrap_or_default());
        }
        Ok(command)
    }

    /// Returns the sandbox's own arguments.
    fn walls(&self) -> Vec<String> {
        let mut walls: Vec<String> = [
            "--unshare-all",
            "--unshare-user",
            "--disable-userns",
            "--cap-drop",
            "ALL",
            "--die-with-parent",
            "--new-session",
        ]
        .map(str::to_owned)
        .to_vec();
        if self.has_network {
            walls.push("--share-net".to_owned());
        }
        let mut bind = |how: &str, path: &str| {
            walls.extend([how, path, path].map(str::to_owned));
        };
        for path in SHOWN {
            bind("--ro-bind-try", path);
        }
        walls.extend(["--proc", "/proc", "--dev", "/dev", "--size"].map(str::to_owned));
        walls.push(SCRATCH_BYTES_MAX.to_string());
        walls.extend(["--tmpfs", "/tmp", "--chdir", "/tmp"].map(str::to_owned));
        let mut bind = |how: &str, path: &PathBuf| {
            let path = path.display().to_string();
            walls.extend([how.to_owned(), path.clone(), path]);
        };
        for path in &self.readable {
            bind("--ro-bind", path);
        }
        for path in &self.writable {
            bind("--bind", path);
        }
        walls.extend(["--remount-ro", "/"].map(str::to_owned));
        walls
    }
}

fn failed(why: impl Into<String>) -> McpError {
    McpError::Connection(why.into())
}

/// Why a message does not reach a program.
#[derive(Debug, thiserror::Error)]
pub(super) enum StdioError {
    #[error("the server's program takes no more input: {0}")]
    Input(#[from] std::io::Error),
    #[error("a message cannot be written: {0}")]
    Message(#[from] serde_json::Error),
    #[error("the connection was closed")]
    Closed,
}

/// A program that runs, with its input and output: one message a line.
pub(super) struct StdioTransport {
    child: Child,
    stdin: Arc<Mutex<Option<ChildStdin>>>,
    stdout: BufReader<ChildStdout>,
    /// What was read of the next line: whoever reads may be called off.
    line: Vec<u8>,
    answers: Rate,
    redactor: Redactor,
    _place: OwnedSemaphorePermit,
}

impl Transport<RoleClient> for StdioTransport {
    type Error = StdioError;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let stdin = Arc::clone(&self.stdin);
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let mut stdin = stdin.lock().await;
            let stdin = stdin.as_mut().ok_or(StdioError::Closed)?;
            stdin.write_all(&line).await?;
            Ok(stdin.flush().await?)
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let room = (MESSAGE_BYTES_MAX + 1).saturating_sub(self.line.len());
            let mut stdout = (&mut self.stdout).take(room as u64);
            stdout.read_until(b'\n', &mut self.line).await.ok()?;
            if self.line.last() != Some(&b'\n') {
                // It ended, or says more than it may.
                return None;
            }
            let line = std::mem::take(&mut self.line);
            let text = String::from_utf8_lossy(&line);
            if !is_readable(&text) {
                return None;
            }
            let text = self.redactor.json(&text);
            if is_request(&text) && !self.answers.take() {
                return None;
            }
            // What cannot be read is nobody's answer.
            if let Ok(message) = serde_json::from_str(&text) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        let (stdin, child) = (Arc::clone(&self.stdin), &mut self.child);
        // Whoever writes to a program that reads nothing has its input.
        let ended = tokio::time::timeout(END_PATIENCE, async {
            stdin.lock().await.take();
            child.wait().await
        });
        if ended.await.is_err() {
            self.child.start_kill()?;
            self.child.wait().await?;
        }
        Ok(())
    }
}

/// Tells whether a failure to send means that the program cannot have read the whole message.
pub(super) fn is_unsent(error: &StdioError) -> bool {
    // Of a broken pipe nobody knows how much was read before.
    matches!(error, StdioError::Message(_) | StdioError::Closed)
}
