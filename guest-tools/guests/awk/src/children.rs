//! Commands that a program starts: `sh -c` with its input or output as a pipe.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};

/// A started command.
pub struct Child(std::process::Child);

fn shell(command: &[u8]) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(String::from_utf8_lossy(command).as_ref());
    shell
}

/// Runs a command with this program's own input and output and returns its status as gawk's `system` does.
pub fn run(command: &[u8]) -> io::Result<f64> {
    status(shell(command).status()?)
}

/// Starts a command whose output is read.
pub fn reader(command: &[u8]) -> io::Result<(Child, Box<dyn Read>)> {
    let mut child = shell(command).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((Child(child), Box::new(output)))
}

/// Starts a command whose input is written.
pub fn writer(command: &[u8]) -> io::Result<(Child, Box<dyn Write>)> {
    let mut child = shell(command).stdin(Stdio::piped()).spawn()?;
    let input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((Child(child), Box::new(input)))
}

/// Starts a command whose input is written and whose output is read.
pub fn coprocess(command: &[u8]) -> io::Result<(Child, Box<dyn Write>, Box<dyn Read>)> {
    let mut child = shell(command).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((Child(child), Box::new(input), Box::new(output)))
}

impl Child {
    /// Waits for its end and returns its status as gawk's `close` does.
    pub fn wait(mut self) -> io::Result<f64> {
        status(self.0.wait()?)
    }
}

fn status(status: std::process::ExitStatus) -> io::Result<f64> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Ok(f64::from(256 + signal));
    }
    Ok(f64::from(status.code().unwrap_or(0)))
}
