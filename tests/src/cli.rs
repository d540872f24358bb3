//! The program as a user runs it against a daemon.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Where and how commands run.
#[derive(Clone, Debug)]
pub struct Cli {
    program: PathBuf,
    /// Their current folder.
    pub folder: PathBuf,
    variables: Vec<(String, String)>,
}

/// What a command left.
#[derive(Debug)]
pub struct Ran {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Returns standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns whether any of its output holds `text`.
    pub fn shows(&self, text: &str) -> bool {
        self.text().contains(text) || self.stderr.contains(text)
    }
}

impl Cli {
    /// Returns commands of `program` that find the daemon at `url` and run in `folder`.
    pub fn new(program: &str, url: &str, folder: &Path) -> Self {
        Self {
            program: PathBuf::from(program),
            folder: folder.to_owned(),
            variables: vec![("SINEW_URL".to_owned(), url.to_owned())],
        }
    }

    /// Returns the same with another variable.
    pub fn with_variable(&self, name: &str, value: &str) -> Self {
        let mut with = self.clone();
        with.variables.push((name.to_owned(), value.to_owned()));
        with
    }

    /// Runs a command with this standard input.
    pub fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Result<Ran> {
        let mut child = Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.folder)
            .env_remove("SINEW_API_KEY")
            .env_remove("RUST_LOG")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // One that does not read its input may be gone before all of it is written.
        let _ = child.stdin.take().context("piped")?.write_all(stdin);
        let output = child.wait_with_output()?;
        Ok(Ran {
            status: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command.
    pub fn run(&self, arguments: &[&str]) -> Result<Ran> {
        self.run_with(arguments, b"")
    }

    /// Runs a command that must succeed, and returns what it prints.
    pub fn ok(&self, arguments: &[&str]) -> Result<String> {
        let ran = self.run(arguments)?;
        ensure!(ran.status == 0, "{arguments:?}: {ran:?}");
        Ok(ran.text())
    }

    /// Runs a command that must succeed, and returns the first word that it prints: an id.
    pub fn id(&self, arguments: &[&str]) -> Result<String> {
        let text = self.ok(arguments)?;
        let id = text.split_whitespace().next();
        Ok(id.context("nothing was printed")?.to_owned())
    }

    /// Runs a command with `--json` that must succeed, and returns each line it prints.
    pub fn json(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let text = self.ok(&[arguments, &["--json"]].concat())?;
        let lines = text.lines().map(serde_json::from_str);
        Ok(lines.collect::<Result<_, _>>()?)
    }

    /// Runs a command that must fail with one line that holds `reason`.
    pub fn fails(&self, arguments: &[&str], reason: &str) -> Result<Ran> {
        let ran = self.run(arguments)?;
        ensure!(
            ran.status != 0 && ran.stderr.contains(reason),
            "{arguments:?} should fail with {reason:?}: {ran:?}"
        );
        Ok(ran)
    }
}
