//! Starting a process exactly as said: nothing is looked up, nothing inherited that is not named.
//!
//! [`crate::Program`] is the comfortable way.

use crate::{Descriptor, Errno, backend};

/// What to run.
#[derive(Clone, Debug)]
pub struct Command<'a> {
    /// An absolute path: a program of the hand, a component, or a script that begins with `#!`.
    pub program: &'a [u8],
    /// The arguments, the name (`argv[0]`) among them.
    pub arguments: Vec<&'a [u8]>,
    /// Names and values.
    pub environment: Vec<(&'a [u8], &'a [u8])>,
    /// The working directory, absolute.
    pub directory: &'a [u8],
    /// The descriptors of the child by number; it gets no others.
    pub descriptors: Vec<(u32, &'a Descriptor)>,
    /// None: the parent's process group; 0: a new one; otherwise that one.
    pub group: Option<u32>,
    /// The bits that files the child makes do not get.
    pub umask: u32,
    /// Signals that the child ignores from the start: bit n stands for signal n.
    pub ignored: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// By itself.
    Exited(u8),
    /// By a signal.
    Signaled(u8),
    /// Stopped by a signal; it can go on.
    Stopped(u8),
}

impl Status {
    /// Returns the status as the shell's `$?` has it.
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Signaled(signal) | Self::Stopped(signal) => signal.wrapping_add(128),
        }
    }

    /// Returns whether it ended by itself with 0.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

/// A process that this one started.
#[derive(Debug)]
pub struct Child(pub(crate) backend::Child);

impl Child {
    /// Returns its number.
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Returns how it ended, or that it is stopped; none while it runs.
    pub fn status(&self) -> Option<Status> {
        self.0.status()
    }
}

/// Starts a process.
///
/// [`Errno::NoEntry`], [`Errno::Access`] (not executable), [`Errno::ExecFormat`] (nothing that can be run: execvp(3)
/// and shells run it as a script of the shell), [`Errno::TooManyProcesses`], [`Errno::IsDirectory`].
pub fn spawn(command: &Command<'_>) -> Result<Child, Errno> {
    backend::spawn(command).map(Child)
}
