//! Running another program in this one's place: env, timeout, nohup, nice, setsid, stdbuf.
//!
//! There is no exec in a hand: the program is a child that gets all descriptors, and its end is ours. Statuses as
//! POSIX has them: 126 if it is there but cannot be run, 127 if it is not there.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use process::{Child, Command, Descriptor, Event, Status};

use crate::quoting;
use crate::report::{complain, reason};

/// What to run, and how.
pub(crate) struct Start<'a> {
    /// The name and the arguments.
    pub(crate) words: &'a [String],
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// None: this program's.
    pub(crate) directory: Option<Vec<u8>>,
    /// Whether it leads a process group of its own.
    pub(crate) leads_group: bool,
    /// Signals that it ignores: bit n stands for signal n.
    pub(crate) ignored: u64,
    /// Descriptors in place of this program's own.
    pub(crate) replaced: Vec<(u32, Descriptor)>,
}

impl<'a> Start<'a> {
    pub(crate) fn new(words: &'a [String]) -> Self {
        Start {
            words,
            environment: std::env::vars_os().collect(),
            directory: None,
            leads_group: false,
            ignored: process::ignored(),
            replaced: Vec::new(),
        }
    }
}

/// Starts a program and waits for its end; returns the status to end with.
pub(crate) fn run(program: &str, start: &Start<'_>) -> u8 {
    match spawn(program, start) {
        Ok(child) => wait(&child).code(),
        Err(status) => status,
    }
}

/// Waits for the end of a child.
pub(crate) fn wait(child: &Child) -> Status {
    loop {
        if let Some(status) = wait_for(child, None) {
            return status;
        }
    }
}

/// Waits for the end of a child, but not longer than a time.
pub(crate) fn wait_for(child: &Child, time: Option<Duration>) -> Option<Status> {
    process::wait(&[Event::Changed(child)], time);
    // A child that is stopped goes on sometime.
    child
        .status()
        .filter(|status| !matches!(status, Status::Stopped(_)))
}

/// Starts a program; complains and returns the status if it cannot be run.
pub(crate) fn spawn(program: &str, start: &Start<'_>) -> Result<Child, u8> {
    let name = start.words.first().map_or("", String::as_str);
    // What was printed so far comes before what the program prints.
    let _ = io::stdout().flush();
    let outcome = find(name, start).and_then(|path| attempt(&path, start));
    outcome.map_err(|error| {
        let message = reason(&error);
        let what = match program {
            "timeout" => format!("failed to run command {}", quoting::curly(name)),
            "nohup" => format!("failed to run command {}", quoting::quoted(name)),
            _ => quoting::curly(name),
        };
        complain(program, format_args!("{what}: {message}"));
        if error.kind() == ErrorKind::NotFound {
            127
        } else {
            126
        }
    })
}

fn attempt(path: &[u8], start: &Start<'_>) -> io::Result<Child> {
    let words: Vec<&[u8]> = start.words.iter().map(String::as_bytes).collect();
    match spawn_path(path, words, start) {
        // Text without `#!` is a script of the shell, as execvp has it.
        Err(error) if reason(&error) == "Exec format error" => {
            let mut words: Vec<&[u8]> = vec![b"sh", path];
            words.extend(start.words.iter().skip(1).map(String::as_bytes));
            let shell = find("sh", start)?;
            spawn_path(&shell, words, start)
        }
        outcome => outcome,
    }
}

fn spawn_path(path: &[u8], arguments: Vec<&[u8]>, start: &Start<'_>) -> io::Result<Child> {
    let directory = start
        .directory
        .clone()
        .unwrap_or_else(process::current_directory);
    let own: Vec<(u32, Descriptor)> = process::given()
        .into_iter()
        .filter(|number| {
            !start
                .replaced
                .iter()
                .any(|(replaced, _)| replaced == number)
        })
        .filter_map(|number| Some((number, process::take(number)?)))
        .collect();
    let descriptors = own
        .iter()
        .chain(&start.replaced)
        .map(|(number, descriptor)| (*number, descriptor))
        .collect();
    let environment = start
        .environment
        .iter()
        .map(|(name, value)| (name.as_encoded_bytes(), value.as_encoded_bytes()));
    let child = process::spawn(&Command {
        program: path,
        arguments,
        environment: environment.collect(),
        directory: &directory,
        descriptors,
        group: start.leads_group.then_some(0),
        umask: process::umask(),
        ignored: start.ignored,
    })?;
    Ok(child)
}

/// Looks for a program in the `PATH` that the child gets, and among the hand's own.
fn find(name: &str, start: &Start<'_>) -> io::Result<Vec<u8>> {
    let directory = start
        .directory
        .clone()
        .unwrap_or_else(process::current_directory);
    let absolute = |path: &str| {
        if path.starts_with('/') {
            path.as_bytes().to_vec()
        } else {
            [&directory, b"/".as_slice(), path.as_bytes()].concat()
        }
    };
    if name.is_empty() {
        return Err(ErrorKind::NotFound.into());
    }
    if name.contains('/') {
        let path = absolute(name);
        return match process::stat(&path, true) {
            Ok(_) if process::is_executable(&path) => Ok(path),
            Ok(_) => Err(denied()),
            Err(error) => Err(error.into()),
        };
    }
    let path = start
        .environment
        .iter()
        .find(|(variable, _)| variable == "PATH");
    let path = path.map_or_else(
        || "/bin:/usr/bin".to_owned(),
        |(_, value)| value.to_string_lossy().into_owned(),
    );
    let mut is_denied = false;
    for folder in path.split(':') {
        let folder = if folder.is_empty() { "." } else { folder };
        let candidate = absolute(&Path::new(folder).join(name).to_string_lossy());
        if process::is_executable(&candidate) {
            return Ok(candidate);
        }
        is_denied |= process::stat(&candidate, true).is_ok();
    }
    match process::find(name) {
        Some(path) => Ok(path.into_bytes()),
        None if is_denied => Err(denied()),
        None => Err(ErrorKind::NotFound.into()),
    }
}

fn denied() -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, "Permission denied")
}
