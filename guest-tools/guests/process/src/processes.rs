//! This process and the others of the hand: identity, signals, the table.

use crate::{Errno, Moment, backend};

/// A process as `ps` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub pid: u32,
    /// Its parent's.
    pub parent: u32,
    /// Its process group's.
    pub group: u32,
    /// `R` running, `S` waiting, `T` stopped, `Z` ended and not yet waited for.
    pub state: char,
    /// When it was started.
    pub started: Moment,
    /// The processor time it took.
    pub processor_ns: u64,
    /// The memory it has.
    pub memory_bytes: u64,
    /// Its arguments, the name among them.
    pub arguments: Vec<String>,
}

/// Returns the path of a program of the hand by its name, and none for any other name. Native: looks in `PATH`.
pub fn find(name: &str) -> Option<String> {
    backend::find(name)
}

/// Returns the names of the hand's programs, in order. Native: none.
pub fn programs() -> Vec<String> {
    backend::programs()
}

/// Sends a signal: to a process, to a group (`pid` < -1, or 0 for the own one), or to all (-1). Signal 0 only looks.
pub fn kill(pid: i32, signal: u8) -> Result<(), Errno> {
    backend::kill(pid, signal)
}

/// Returns this process's number.
pub fn pid() -> u32 {
    backend::pid()
}

/// Returns its parent's number.
pub fn parent() -> u32 {
    backend::parent()
}

/// Returns its process group's number.
pub fn group() -> u32 {
    backend::group()
}

/// Returns the bits that files this process makes do not get.
pub fn umask() -> u32 {
    backend::umask()
}

/// Sets them, also for files that std makes.
pub fn set_umask(mask: u32) {
    backend::set_umask(mask);
}

/// Returns the signals that the process was started to ignore: bit n stands for signal n.
pub fn ignored() -> u64 {
    backend::ignored()
}

/// Chooses the signals that are queued for [`pending`] (`handled`) and those that do nothing (`ignored`).
///
/// Bit n stands for signal n. All others act as POSIX says; KILL and STOP cannot be chosen.
pub fn set_signals(handled: u64, ignored: u64) {
    backend::set_signals(handled, ignored);
}

/// Takes the handled signals that came in since the last time, oldest first.
pub fn pending() -> Vec<u8> {
    backend::pending()
}

/// Returns all processes of the hand. Native: those of `/proc`, if there is one.
pub fn list() -> Vec<Entry> {
    backend::list()
}

/// Returns the processor time of this process and of its ended children, in nanoseconds.
pub fn times() -> (u64, u64) {
    backend::times()
}
