//! A scripted model, a daemon and its client in a temporary folder.

use std::path::PathBuf;

use anyhow::{Context, Result};
use sinew::mock_model::{MockModel, Script, serve};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::client::Client;
use crate::daemon::{Daemon, Options};

/// Everything a whole-system test needs; dropping it ends and removes all of it.
pub struct World {
    /// How the daemon is started. Its port is fixed after the first start, so that clients find it again.
    pub options: Options,
    /// Talks to the daemon, also to the next one after a restart.
    pub client: Client,
    /// The model.
    pub model: MockModel,
    daemon: Option<Daemon>,
    folder: TempDir,
}

impl World {
    /// Starts a model with this script (YAML) and a daemon of `program` with `configuration` (YAML).
    pub async fn start_with(program: &str, script: &str, configuration: &str) -> Result<Self> {
        Self::start_prepared(program, script, configuration, |_| Ok(())).await
    }

    /// As [`World::start_with`], after `prepare` has changed how the daemon is started.
    pub async fn start_prepared(
        program: &str,
        script: &str,
        configuration: &str,
        prepare: impl FnOnce(&mut Options) -> Result<()>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let model = serve(listener, Script::parse(script)?)?;
        let mut options = Options::new(program, &folder.path().join("data"), &model.url());
        let file = folder.path().join("sinew.yaml");
        std::fs::write(&file, configuration)?;
        options.arguments = vec!["--config".to_owned(), file.display().to_string()];
        prepare(&mut options)?;
        let daemon = Daemon::start(&options)?;
        options.listen = daemon.address().to_owned();
        Ok(Self {
            client: Client::new(&daemon.url)?,
            daemon: Some(daemon),
            options,
            model,
            folder,
        })
    }

    /// As [`World::start_with`], with these variables in the daemon's environment.
    pub async fn start_as(
        program: &str,
        script: &str,
        configuration: &str,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        Self::start_prepared(program, script, configuration, |options| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            options.variables = variables.iter().map(owned).collect();
            Ok(())
        })
        .await
    }

    /// Starts a model with this script (YAML) and a daemon of `program` with the default configuration.
    pub async fn start(program: &str, script: &str) -> Result<Self> {
        Self::start_with(program, script, "").await
    }

    /// Kills the daemon; nothing is listening afterwards.
    pub fn kill(&mut self) -> Result<()> {
        self.daemon.take().context("no daemon runs")?.kill()
    }

    /// Asks the daemon to stop and waits for its end.
    pub fn stop(&mut self) -> Result<std::process::ExitStatus> {
        self.daemon.take().context("no daemon runs")?.stop()
    }

    /// Starts the daemon again, on the same port and data.
    pub fn restart(&mut self) -> Result<()> {
        self.daemon = Some(Daemon::start(&self.options)?);
        Ok(())
    }

    /// Returns the daemon that runs.
    pub fn daemon(&self) -> Result<&Daemon> {
        self.daemon.as_ref().context("no daemon runs")
    }

    /// Waits for an end of the daemon that the test did not ask for.
    pub fn wait(&mut self) -> Result<std::process::ExitStatus> {
        self.daemon.take().context("no daemon runs")?.wait()
    }

    /// Returns the daemon's resident memory in bytes.
    pub fn memory_bytes(&self) -> Result<u64> {
        self.status_bytes("VmRSS:")
    }

    /// Returns the most resident memory the daemon had since [`World::forget_peak`], in bytes.
    pub fn peak_memory_bytes(&self) -> Result<u64> {
        self.status_bytes("VmHWM:")
    }

    /// Makes what the daemon has now the most that it had.
    pub fn forget_peak(&self) -> Result<()> {
        let daemon = self.daemon.as_ref().context("no daemon runs")?;
        // See proc_pid_clear_refs(5): 5 resets the peak alone.
        std::fs::write(format!("/proc/{}/clear_refs", daemon.id()), "5")?;
        Ok(())
    }

    fn status_bytes(&self, field: &str) -> Result<u64> {
        let daemon = self.daemon.as_ref().context("no daemon runs")?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
        let kib = kib.with_context(|| format!("no {field} in the process's status"))?;
        let kib: u64 = kib.trim().parse()?;
        Ok(kib * 1024)
    }

    /// Returns a folder of the host beside the daemon's data.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Returns the host's folder behind a session's `/workspace`.
    pub fn workspace(&self, session: &str) -> PathBuf {
        self.options
            .data
            .join("sessions")
            .join(session)
            .join("workspace")
    }
}
