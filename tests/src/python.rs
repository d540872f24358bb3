//! Python with the official SDK, set up once and kept beside cargo's output.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

/// The SDK version that the tests are written for.
pub const SDK_VERSION: &str = "2.11.0";

/// Returns the interpreter of a virtual environment that has the official SDK, making it on first use.
/// Errors name what is missing and how to get it.
pub fn interpreter() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("sinew-tests-python-{SDK_VERSION}-webhooks"));
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    // Tests run side by side; one of them makes the environment, the others wait.
    flock(&lock, FlockOperation::LockExclusive)?;
    let python = folder.join("venv/bin/python");
    let done = folder.join("done");
    if !done.exists() {
        make(&folder, &python)?;
        std::fs::write(done, SDK_VERSION)?;
    }
    Ok(python)
}

fn make(folder: &Path, python: &Path) -> Result<()> {
    eprintln!(
        "setting up the official Python SDK {SDK_VERSION} in {}",
        folder.display()
    );
    run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder.join("venv")),
        "python3 with its venv module is needed: install it (Debian: apt-get install python3 python3-venv)",
    )?;
    run(
        Command::new(python).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            // With what checks the signatures of webhooks.
            &format!("anthropic[webhooks]=={SDK_VERSION}"),
        ]),
        "the package \"anthropic\" could not be installed with pip: check the network or pip's configuration",
    )
}

fn run(command: &mut Command, remedy: &str) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}; {remedy}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}; {remedy}");
    }
    Ok(())
}
