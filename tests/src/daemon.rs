//! A daemon in a process of its own, as an operator would start it.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result};
use tokio::sync::watch;

/// How a daemon is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program: `env!("CARGO_BIN_EXE_sinew-under-test")`.
    pub program: PathBuf,
    /// Its data folder.
    pub data: PathBuf,
    /// Its address; port 0 takes a free one.
    pub listen: String,
    /// Address of the model provider.
    pub model_url: String,
    /// Further arguments.
    pub arguments: Vec<String>,
    /// Further variables of its environment.
    pub variables: Vec<(String, String)>,
    /// A file that gets everything the daemon can log, in place of the test's own output.
    pub log: Option<PathBuf>,
}

impl Options {
    /// Returns options for a daemon on a free port.
    pub fn new(program: &str, data: &Path, model_url: &str) -> Self {
        Self {
            program: PathBuf::from(program),
            data: data.to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            model_url: model_url.to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            log: None,
        }
    }

    /// Returns the command, without starting it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .arg("--listen")
            .arg(&self.listen)
            .arg("--data")
            .arg(&self.data)
            .args(&self.arguments)
            .env("ANTHROPIC_BASE_URL", &self.model_url)
            .env("ANTHROPIC_API_KEY", "test-key")
            .env("SINEW_CACHE", cache())
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }
}

/// Folder of compiled components that all tests share, so that each is compiled once.
pub fn cache() -> PathBuf {
    std::env::temp_dir().join("sinew-tests-cache")
}

/// The end of a daemon that never listened.
#[derive(Debug)]
pub struct NeverListened(pub ExitStatus);

impl fmt::Display for NeverListened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the daemon ended with {} before it listened", self.0)
    }
}

impl std::error::Error for NeverListened {}

/// A running daemon; dropping it kills it.
pub struct Daemon {
    child: Child,
    /// Becomes true when nobody can write to its output any more, which is at its end.
    has_ended: watch::Receiver<bool>,
    /// Where it answers.
    pub url: String,
}

impl Daemon {
    /// Starts a daemon and waits until it says where it listens.
    pub fn start(options: &Options) -> Result<Self> {
        let mut command = options.command();
        if let Some(log) = &options.log {
            let log = File::options().create(true).append(true).open(log)?;
            command.env("RUST_LOG", "trace").stderr(log);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the daemon")?;
        let stdout = child.stdout.take().context("the daemon has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let Some(line) = lines.next() else {
            return Err(NeverListened(child.wait()?).into());
        };
        let line = line?;
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .with_context(|| format!("no address in {line:?}"))?
            .to_owned();
        // The rest is read so that the daemon never waits for a reader.
        let (end, has_ended) = watch::channel(false);
        std::thread::spawn(move || {
            lines.for_each(drop);
            end.send_replace(true);
        });
        Ok(Self {
            child,
            has_ended,
            url,
        })
    }

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns `host:port`.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Returns what waits for its end.
    pub fn end(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut has_ended = self.has_ended.clone();
        async move {
            // An error would say that the reader of its output is gone, which is so at its end.
            let _ = has_ended.wait_for(|ended| *ended).await;
        }
    }

    /// Waits for an end that somebody else brings about.
    pub fn wait(mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        Ok(rustix::process::kill_process(pid, signal)?)
    }

    /// Kills it as a power failure of the process would: SIGKILL, no warning.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop, and waits for its end.
    pub fn stop(self) -> Result<ExitStatus> {
        self.signal(rustix::process::Signal::TERM)?;
        self.wait()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Ended ones answer with an error, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
