//! The shell's only way to the world outside: a thin layer over the crate `process`.
//!
//! Paths are absolute here: each subshell has a working directory of its own, which the process knows nothing of.

use std::rc::Rc;

use bstr::BString;

pub use process::{
    Child, Descriptor, Errno, Event, GROUP, Kind, OpenHow, Stat, Status, USER, Whence, chmod, find,
    host_name, open, parent, pending, pid, pipe, programs, session, set_signals, set_umask, stat,
    take, times, umask, wait,
};
pub use process::{given, ignored};

/// SIGHUP
pub const SIGHUP: u8 = process::signal::HUP;
/// SIGINT
pub const SIGINT: u8 = process::signal::INT;
/// SIGKILL
pub const SIGKILL: u8 = process::signal::KILL;
/// SIGPIPE
pub const SIGPIPE: u8 = process::signal::PIPE;
/// SIGTERM
pub const SIGTERM: u8 = process::signal::TERM;
/// SIGCONT
pub const SIGCONT: u8 = process::signal::CONT;

/// A program to run.
pub struct Program<'a> {
    /// Its absolute path.
    pub path: &'a [u8],
    /// Its arguments, the name among them.
    pub words: &'a [BString],
    /// Its environment.
    pub environment: &'a [(BString, BString)],
    /// Its working directory, absolute.
    pub directory: &'a [u8],
    /// Its descriptors.
    pub descriptors: &'a [(u32, Rc<Descriptor>)],
    /// The umask.
    pub umask: u32,
    /// The signals it ignores.
    pub ignored: u64,
}

/// Starts a program.
pub fn spawn(program: &Program<'_>) -> Result<Child, Errno> {
    process::spawn(&process::Command {
        program: program.path,
        arguments: program.words.iter().map(|word| word.as_slice()).collect(),
        environment: program
            .environment
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
            .collect(),
        directory: program.directory,
        descriptors: program
            .descriptors
            .iter()
            .map(|(number, descriptor)| (*number, &**descriptor))
            .collect(),
        group: None,
        umask: program.umask,
        ignored: program.ignored,
    })
}

/// Returns the words for an error.
pub fn words(error: Errno) -> &'static str {
    error.words()
}

/// Sends a signal to a process of ours, whether it is still there or not.
pub fn kill(pid: i32, signal: u8) {
    let _ = process::kill(pid, signal);
}

/// Sends a signal.
pub fn send(pid: i32, signal: u8) -> Result<(), Errno> {
    process::kill(pid, signal)
}

/// Returns a process id as `kill` takes it.
pub fn signed(pid: u32) -> i32 {
    i32::try_from(pid).unwrap_or(i32::MAX)
}

/// Returns whether a descriptor is a terminal.
pub fn is_terminal(descriptor: &Descriptor) -> bool {
    descriptor.is_terminal()
}

/// Returns whether a file may be read (`r`), written (`w`) or run (`x`).
pub fn may(path: &[u8], stat: &Stat, operation: u8) -> bool {
    let _ = path;
    let bits = match operation {
        b'r' => 0o444,
        b'w' => 0o222,
        _ => 0o111,
    };
    // The superuser of a machine may read and write everything; in a hand the one user owns everything.
    let is_superuser = cfg!(not(target_family = "wasm")) && operation != b'x';
    is_superuser || stat.mode & bits != 0 || (stat.kind == Kind::Directory && operation == b'x')
}

/// Lists a directory with the kinds of its entries; `None` when it cannot be read.
pub fn list(path: &[u8]) -> Option<Vec<(BString, Kind)>> {
    let entries = std::fs::read_dir(process::name_path(path)).ok()?;
    let mut all = Vec::new();
    for entry in entries.flatten() {
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_dir() => Kind::Directory,
            Ok(kind) if kind.is_symlink() => Kind::Symlink,
            Ok(_) => Kind::Regular,
            Err(_) => Kind::Unknown,
        };
        let name = process::name_bytes(&entry.file_name()).into_owned();
        all.push((BString::from(name), kind));
    }
    Some(all)
}

/// Returns the number of the user.
pub fn user() -> u32 {
    if cfg!(target_family = "wasm") {
        return USER;
    }
    // Native, for tests: /proc belongs to whoever runs.
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(USER)
}
