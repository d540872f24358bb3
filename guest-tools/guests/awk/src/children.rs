//! Commands that a program starts: `sh -c` with its input or output as a pipe.

use std::io::{self, Read, Write};

use process::{Program, Running, Status, Stdio, Stream};

/// What is written to a command and what is read from it.
pub type Ends = (Box<dyn Write>, Box<dyn Read>);

/// A started command.
pub struct Child(Running);

fn shell(command: &[u8]) -> Program {
    let mut shell = Program::new("sh");
    shell.arg("-c").arg(command);
    shell
}

/// Runs a command with this program's own input and output and returns its status as gawk's `system` does.
pub fn run(command: &[u8]) -> io::Result<f64> {
    Ok(number(shell(command).status()?))
}

/// Starts a command whose output is read.
pub fn reader(command: &[u8]) -> io::Result<(Child, Box<dyn Read>)> {
    let mut running = shell(command).stdout(Stdio::Piped).spawn()?;
    let output = running.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((Child(running), Box::new(Stream(output))))
}

/// Starts a command whose input is written.
pub fn writer(command: &[u8]) -> io::Result<(Child, Box<dyn Write>)> {
    let mut running = shell(command).stdin(Stdio::Piped).spawn()?;
    let input = running.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((Child(running), Box::new(Stream(input))))
}

/// Starts a command whose input is written and whose output is read.
pub fn coprocess(command: &[u8]) -> io::Result<(Child, Ends)> {
    let mut running = shell(command)
        .stdin(Stdio::Piped)
        .stdout(Stdio::Piped)
        .spawn()?;
    let input = running.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let output = running.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let ends: Ends = (Box::new(Stream(input)), Box::new(Stream(output)));
    Ok((Child(running), ends))
}

impl Child {
    /// Waits for its end and returns its status as gawk's `close` does.
    pub fn wait(mut self) -> f64 {
        number(self.0.wait())
    }
}

fn number(status: Status) -> f64 {
    match status {
        Status::Exited(status) => f64::from(status),
        Status::Signaled(signal) | Status::Stopped(signal) => 256.0 + f64::from(signal),
    }
}
