//! Processes.

use std::ffi::{CString, OsStr, c_char};
use std::time::Duration;

use super::bindings::sinew::process::processes as host;
use super::paths;
use crate::name::to_text;
use crate::{Command, Entry, Errno, Event, Status};

/// Set by the host where the environment has no `PWD` but for telling the working directory.
const DIRECTORY_MARK: &str = "SINEW_PWD";

/// Goes to `$PWD`: the C library begins at `/`.
pub(crate) fn prepare() {
    if let Some(directory) = std::env::var_os("PWD")
        && std::env::set_current_dir(&directory).is_err()
    {
        stay_in(&directory);
    }
    if std::env::var_os(DIRECTORY_MARK).is_some() {
        forget(DIRECTORY_MARK);
        forget("PWD");
    }
}

/// Has a directory that is not there as the working directory, so that nothing relative is found: at `/`, where the
/// C library begins, a `find . -delete` would take everything.
#[allow(unsafe_code, reason = "the C library has no call for it")]
fn stay_in(directory: &OsStr) {
    unsafe extern "C" {
        static mut __wasilibc_cwd: *mut c_char;
    }
    if let Ok(directory) = CString::new(directory.as_encoded_bytes()) {
        // SAFETY: the program has not begun, it has one thread, and the text lives as long as it does. The C library
        // frees only what its own `chdir` put there.
        unsafe { __wasilibc_cwd = directory.into_raw() }
    }
}

/// Removes a variable of the environment.
#[allow(unsafe_code, reason = "std has no safe way, for programs with threads")]
fn forget(name: &str) {
    // SAFETY: the program has not begun, and it has one thread.
    unsafe { std::env::remove_var(name) }
}

pub(crate) fn exit(status: u8) -> ! {
    super::terminate::terminate(status)
}

#[derive(Debug)]
pub(crate) struct Child(host::Child);

impl Child {
    pub(crate) fn pid(&self) -> u32 {
        self.0.pid()
    }

    pub(crate) fn status(&self) -> Option<Status> {
        self.0.status().map(|status| match status {
            host::Status::Exited(status) => Status::Exited(status),
            host::Status::Signaled(signal) => Status::Signaled(signal),
            host::Status::Stopped(signal) => Status::Stopped(signal),
        })
    }
}

pub(crate) fn spawn(command: &Command<'_>) -> Result<Child, Errno> {
    let owned = |bytes: &[u8]| to_text(bytes).into_owned();
    let mut environment = Vec::with_capacity(command.environment.len());
    for (name, value) in &command.environment {
        environment.push((owned(name), owned(value)));
    }
    let child = host::spawn(&host::Command {
        program: owned(command.program),
        arguments: command
            .arguments
            .iter()
            .map(|argument| owned(argument))
            .collect(),
        environment,
        directory: owned(command.directory),
        descriptors: command
            .descriptors
            .iter()
            .map(|(number, descriptor)| host::Inherited {
                number: *number,
                descriptor: &descriptor.0.0,
            })
            .collect(),
        group: command.group,
        umask: command.umask,
        ignored: command.ignored,
    })?;
    Ok(Child(child))
}

pub(crate) fn find(name: &str) -> Option<String> {
    host::find(name)
}

pub(crate) fn programs() -> Vec<String> {
    host::programs()
}

pub(crate) fn kill(pid: i32, signal: u8) -> Result<(), Errno> {
    host::kill(pid, u32::from(signal)).map_err(Errno::from)
}

pub(crate) fn pid() -> u32 {
    host::pid()
}

pub(crate) fn parent() -> u32 {
    host::parent()
}

pub(crate) fn group() -> u32 {
    host::group()
}

pub(crate) fn umask() -> u32 {
    host::umask()
}

pub(crate) fn set_umask(mask: u32) {
    host::set_umask(mask);
}

pub(crate) fn ignored() -> u64 {
    host::ignored()
}

pub(crate) fn set_signals(handled: u64, ignored: u64) {
    host::set_signals(handled, ignored);
}

pub(crate) fn pending() -> Vec<u8> {
    host::pending()
        .into_iter()
        .filter_map(|signal| u8::try_from(signal).ok())
        .collect()
}

pub(crate) fn wait(events: &[Event<'_>], timeout: Option<Duration>) -> Vec<usize> {
    let events: Vec<host::Event<'_>> = events
        .iter()
        .map(|event| match event {
            Event::Readable(descriptor) => host::Event::Readable(&descriptor.0.0),
            Event::Writable(descriptor) => host::Event::Writable(&descriptor.0.0),
            Event::Changed(child) => host::Event::Changed(&child.0.0),
        })
        .collect();
    let timeout = timeout.map(|timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
    host::wait(&events, timeout)
        .into_iter()
        .map(|place| place as usize)
        .collect()
}

pub(crate) fn list() -> Vec<Entry> {
    host::list()
        .into_iter()
        .map(|entry| Entry {
            pid: entry.pid,
            parent: entry.parent,
            group: entry.group,
            state: entry.state,
            started: paths::moment(entry.started),
            processor_ns: entry.processor_ns,
            memory_bytes: entry.memory_bytes,
            arguments: entry.arguments,
        })
        .collect()
}

pub(crate) fn times() -> (u64, u64) {
    host::times()
}
