//! This process and others.

use std::os::unix::ffi::OsStrExt as _;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::Signal;
use rustix::fs::Mode;

use super::{given, signals};
use crate::{Errno, signal};

/// Makes the process like one of a hand: SIGPIPE ends it, although Rust's start made the kernel ignore it.
pub(crate) fn prepare() {
    given();
    signals::choose(signal::PIPE);
}

pub(crate) fn exit(status: u8) -> ! {
    std::process::exit(i32::from(status))
}

pub(crate) fn find(name: &str) -> Option<String> {
    let found = crate::find_in_path(name.as_bytes(), std::env::var_os("PATH")?.as_bytes())?;
    String::from_utf8(found).ok()
}

pub(crate) fn programs() -> Vec<String> {
    Vec::new()
}

pub(crate) fn kill(pid: i32, number: u8) -> Result<(), Errno> {
    let signal = match number {
        0 => None,
        number => Some(Signal::try_from(i32::from(number)).map_err(|_| Errno::Invalid)?),
    };
    // The own process has it before this returns, as it has in a hand.
    if let Some(signal) = signal
        && u32::try_from(pid).is_ok_and(|pid| pid == std::process::id())
    {
        return nix::sys::signal::raise(signal).map_err(|error| Errno::from_number(error as i32));
    }
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal)
        .map_err(|error| Errno::from_number(error as i32))
}

pub(crate) fn pid() -> u32 {
    std::process::id()
}

pub(crate) fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

pub(crate) fn group() -> u32 {
    rustix::process::getpgrp().as_raw_pid().unsigned_abs()
}

pub(crate) fn umask() -> u32 {
    // There is no call that only looks.
    let mask = rustix::process::umask(Mode::empty());
    rustix::process::umask(mask);
    mask.as_raw_mode()
}

pub(crate) fn set_umask(mask: u32) {
    rustix::process::umask(Mode::from_raw_mode(mask & 0o777));
}

pub(crate) fn times() -> (u64, u64) {
    (
        time_of(UsageWho::RUSAGE_SELF),
        time_of(UsageWho::RUSAGE_CHILDREN),
    )
}

fn time_of(who: UsageWho) -> u64 {
    let Ok(usage) = getrusage(who) else { return 0 };
    let total = usage.user_time() + usage.system_time();
    let seconds = u64::try_from(total.tv_sec()).unwrap_or(0);
    let microseconds = u64::try_from(total.tv_usec()).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(microseconds.saturating_mul(1000))
}
