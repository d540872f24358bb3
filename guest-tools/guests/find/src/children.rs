//! Commands that are started for files.

use process::{Errno, Program, Running, Status, Stdio};

/// How a command ended, or why it did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It ended.
    Ended(Status),
    /// It could not be started.
    NotStarted(Errno),
}

fn program(command: &[String], folder: Option<&str>) -> Option<Program> {
    let (name, arguments) = command.split_first()?;
    let mut program = Program::new(name);
    program.args(arguments);
    if let Some(folder) = folder {
        program.dir(folder);
    }
    Some(program)
}

/// Runs a command to its end, in a folder if one is given.
pub fn run(command: &[String], folder: Option<&str>) -> Outcome {
    let Some(program) = program(command, folder) else {
        return Outcome::NotStarted(Errno::NoEntry);
    };
    match program.status() {
        Ok(status) => Outcome::Ended(status),
        Err(errno) => Outcome::NotStarted(errno),
    }
}

/// Starts a command without input (or with this program's own) and with a variable if one is given.
pub fn start(
    command: &[String],
    has_input: bool,
    variable: Option<(&str, String)>,
) -> Result<Running, Errno> {
    let Some(mut program) = program(command, None) else {
        return Err(Errno::NoEntry);
    };
    if !has_input {
        program.stdin(Stdio::Null);
    }
    if let Some((name, value)) = variable {
        program.env(name, value);
    }
    program.spawn()
}
