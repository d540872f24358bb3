//! Why a component was not built, and how the programs of a toolchain are run.
//!
//! What such a program prints goes to our standard error as it comes: standard output is the result's.

use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use thiserror::Error;

/// Why a component was not built.
#[derive(Debug, Error)]
pub(in crate::cli) enum BuildError {
    /// Something has to be installed first.
    #[error("{what} is missing\n\nto get it: {remedy}")]
    Missing { what: String, remedy: String },
    /// The toolchain said no; its words were shown as they came.
    #[error("{program} failed ({status}); what it said stands above")]
    Failed { program: String, status: ExitStatus },
    #[error("cannot run {program}")]
    CannotRun {
        program: String,
        #[source]
        source: io::Error,
    },
    #[error("{program} made no component: {reason}")]
    NoComponent { program: String, reason: String },
    #[error("the WIT in {} is wrong: {reason}", folder.display())]
    Wit { folder: PathBuf, reason: String },
    #[error("cannot use {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl BuildError {
    pub(super) fn missing(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Missing {
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Returns a command in a project's folder. It gets the user's environment but what is ours: a daemon's API key is
/// nothing for the build scripts of other people's packages.
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"SINEW_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end. `program` is what it is called in errors.
pub(super) fn run(command: &mut Command, program: &str) -> Result<(), BuildError> {
    let cannot = |source| BuildError::CannotRun {
        program: program.to_owned(),
        source,
    };
    let own = io::stderr().as_fd().try_clone_to_owned().map_err(cannot)?;
    let status = command.stdout(own).status().map_err(cannot)?;
    match status.success() {
        true => Ok(()),
        false => Err(BuildError::Failed {
            program: program.to_owned(),
            status,
        }),
    }
}

/// Returns what a command prints, or nothing if it cannot be run or fails: the question whether something is there.
pub(super) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
