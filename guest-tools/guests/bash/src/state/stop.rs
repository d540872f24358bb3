//! Why a command list stops before its end.

/// What unwinds the execution of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// `break n`
    Break(u32),
    /// `continue n`
    Continue(u32),
    /// `return`
    Return(u8),
    /// `exit`, errexit, and errors that end a shell that nobody sits at.
    Exit(u8),
    /// An error that abandons the whole command read from the input; the next one runs.
    Discard(u8),
    /// An error that ends a shell which nobody sits at (`set -u`, `${x?}`), and in a session only the call.
    Fatal(u8),
    /// A signal that the shell does not handle ends it.
    Signal(u8),
}

/// The status of a command, or why there is none.
pub type Outcome = Result<u8, Stop>;
