//! Starting processes.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process;

use nix::sys::signal::{SigHandler, Signal};
use rustix::fs::Mode;
use rustix::process::{Pid, WaitOptions, waitpid};

use super::{errno, given, paths, signals};
use crate::{Command, Errno, Kind, Status, signal};

#[derive(Debug)]
pub(crate) struct Child {
    pid: u32,
    /// What the kernel said last; it tells an ending only once.
    last: Cell<Option<Status>>,
}

impl Child {
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn status(&self) -> Option<Status> {
        if let Some(ended @ (Status::Exited(_) | Status::Signaled(_))) = self.last.get() {
            return Some(ended);
        }
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw)?;
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
        let byte = |number: i32| u8::try_from(number & 0xff).unwrap_or(u8::MAX);
        while let Ok(Some((_, status))) = waitpid(Some(pid), options) {
            let now = if let Some(status) = status.exit_status() {
                Some(Status::Exited(byte(status)))
            } else if let Some(signal) = status.terminating_signal() {
                Some(Status::Signaled(byte(signal)))
            } else {
                status
                    .stopping_signal()
                    .map(|signal| Status::Stopped(byte(signal)))
            };
            self.last.set(now);
            if matches!(now, Some(Status::Exited(_) | Status::Signaled(_))) {
                break;
            }
        }
        self.last.get()
    }
}

pub(crate) fn spawn(command: &Command<'_>) -> Result<Child, Errno> {
    // The kernel would say that access is denied.
    if paths::stat(command.program, true)?.kind == Kind::Directory {
        return Err(Errno::IsDirectory);
    }
    let mut process = process::Command::new(OsStr::from_bytes(command.program));
    let mut arguments = command
        .arguments
        .iter()
        .map(|argument| OsStr::from_bytes(argument));
    if let Some(name) = arguments.next() {
        process.arg0(name);
    }
    process
        .args(arguments)
        .env_clear()
        .current_dir(paths::as_path(command.directory));
    process.envs(
        command
            .environment
            .iter()
            .map(|(name, value)| (OsStr::from_bytes(name), OsStr::from_bytes(value))),
    );
    if let Some(group) = command.group {
        process.process_group(i32::try_from(group).map_err(|_| Errno::Invalid)?);
    }
    // CHLD must wake the wait from now on.
    signals::choose(signal::CHLD);

    let numbers = command.descriptors.iter().map(|(number, _)| *number);
    let highest = numbers.clone().chain(given()).chain([2]).max().unwrap_or(2);
    let highest = RawFd::try_from(highest).map_err(|_| Errno::Invalid)?;
    let mut mapping: Vec<(RawFd, OwnedFd)> = Vec::new();
    for (number, descriptor) in &command.descriptors {
        let number = RawFd::try_from(*number).map_err(|_| Errno::Invalid)?;
        let high =
            rustix::io::fcntl_dupfd_cloexec(descriptor.0.as_fd(), highest + 1).map_err(errno)?;
        mapping.push((number, high));
    }
    let closed: Vec<RawFd> = given()
        .into_iter()
        .chain([0, 1, 2])
        .filter_map(|number| RawFd::try_from(number).ok())
        .filter(|number| !mapping.iter().any(|(target, _)| target == number))
        .collect();
    // Numbers that mean something in the child must not be what std opens to learn of a failed exec.
    let placeholders = occupy(highest)?;
    arrange(
        &mut process,
        mapping,
        closed,
        command.umask,
        command.ignored,
    );
    let child = process.spawn();
    drop(placeholders);
    let child = child.map_err(Errno::from)?;
    Ok(Child {
        pid: child.id(),
        last: Cell::new(None),
    })
}

/// Opens descriptors until all numbers up to `highest` are in use.
fn occupy(highest: RawFd) -> Result<Vec<OwnedFd>, Errno> {
    let mut taken = Vec::new();
    loop {
        let fd: OwnedFd = std::fs::File::open("/dev/null")
            .map_err(Errno::from)?
            .into();
        if fd.as_raw_fd() > highest {
            return Ok(taken);
        }
        taken.push(fd);
    }
}

/// Says what the child does before it becomes the program.
#[allow(unsafe_code, reason = "std has no safe way to say any of this")]
fn arrange(
    process: &mut process::Command,
    mapping: Vec<(RawFd, OwnedFd)>,
    closed: Vec<RawFd>,
    umask: u32,
    ignored: u64,
) {
    let prepare = move || {
        for (number, fd) in &mapping {
            // SAFETY: between fork and exec there is one thread, and nobody else uses `number`: std's own
            // descriptors lie above all of them.
            if unsafe { nix::libc::dup2(fd.as_raw_fd(), *number) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        for number in &closed {
            // SAFETY: as above; a number that is not open only gives EBADF.
            unsafe { nix::libc::close(*number) };
        }
        rustix::process::umask(Mode::from_raw_mode(umask & 0o777));
        for signal in Signal::iterator() {
            if !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP) {
                let is_ignored = ignored >> (signal as u32) & 1 == 1;
                let action = if is_ignored {
                    SigHandler::SigIgn
                } else {
                    SigHandler::SigDfl
                };
                // SAFETY: no handler of ours is installed, only the kernel's actions.
                let _ = unsafe { nix::sys::signal::signal(signal, action) };
            }
        }
        Ok(())
    };
    // SAFETY: `prepare` makes only system calls that are async-signal-safe and allocates nothing.
    unsafe { process.pre_exec(prepare) };
}
