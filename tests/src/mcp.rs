//! An MCP server in a process of its own, made with the official SDK for servers.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::python;

/// Longest wait for something that a server must note.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server; dropping it ends it.
pub struct McpServer {
    child: Option<Child>,
    folder: TempDir,
    token: String,
    is_sse: bool,
    /// What its tools noted, whichever process it was.
    notes: watch::Sender<Vec<String>>,
    /// Where it answers, also after [`McpServer::restart`].
    pub url: String,
}

impl McpServer {
    /// Starts a server that wants this token, or none if it is empty. `is_sse` gives it the transport of 2024-11-05.
    pub fn start(token: &str, is_sse: bool) -> Result<Self> {
        let mut server = Self {
            child: None,
            folder: tempfile::tempdir()?,
            token: token.to_owned(),
            is_sse,
            notes: watch::Sender::default(),
            url: String::new(),
        };
        server.run(0)?;
        Ok(server)
    }

    fn run(&mut self, port: u16) -> Result<()> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mcp_server.py");
        let mut command = Command::new(python::mcp_server()?);
        command
            .arg("-B")
            .arg(program)
            .arg(port.to_string())
            .arg(self.folder.path())
            .arg(&self.token)
            .args(self.is_sse.then_some("sse"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start an MCP server")?;
        let stdout = child.stdout.take().context("it has no output")?;
        self.child = Some(child);
        let mut lines = BufReader::new(stdout).lines();
        let line = lines.next().context("it ended at once")??;
        ensure!(line.starts_with("http://"), "it says {line:?}");
        self.url = line.trim().to_owned();
        let notes = self.notes.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                notes.send_modify(|notes| notes.push(line));
            }
        });
        Ok(())
    }

    /// Kills it; nothing listens afterwards.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("no server runs")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Starts it again on the same port.
    pub fn restart(&mut self) -> Result<()> {
        let port = self.url.split([':', '/']).nth(4).unwrap_or_default();
        let port: u16 = port.parse().context("no port in its address")?;
        self.run(port)
    }

    /// Wants another token from now on.
    pub fn want(&self, token: &str) -> Result<()> {
        Ok(std::fs::write(self.folder.path().join("token"), token)?)
    }

    /// Lets some of its tools wait from now on, or go on.
    pub fn hold(&self, is_held: bool) -> Result<()> {
        let file = self.folder.path().join("hold");
        match is_held {
            true => std::fs::write(file, "")?,
            false => std::fs::remove_file(file)?,
        }
        Ok(())
    }

    /// Returns what its tools noted, line by line.
    pub fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }

    /// Waits until its tools noted so many lines, and returns them.
    pub async fn until_notes(&self, count: usize) -> Result<Vec<String>> {
        let mut notes = self.notes.subscribe();
        let noted = notes.wait_for(|notes: &Vec<String>| notes.len() >= count);
        match tokio::time::timeout(PATIENCE, noted).await {
            Ok(Ok(notes)) => Ok(notes.clone()),
            _ => bail!("it never noted {count} lines, but {:?}", self.notes()),
        }
    }
}

impl Drop for McpServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // One that ended answers with an error, which is fine.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
