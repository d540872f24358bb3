//! How the hand drives its persistent shell. Only that one process gets calls.
//!
//! Native, for tests: a process whose environment has `SINEW_SESSION` gets frames on descriptor 3 and answers on
//! descriptor 4. A frame is a letter, the length of what follows as four bytes (little-endian), and that. To the
//! shell: `r` the state to begin from (only as the very first), `c` a script, `b` break off (empty). From the
//! shell: `d` the exit status (one byte), whether the shell is over (one byte), the state.

use crate::{Descriptor, backend};

/// One call of the `bash` tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What to run.
    pub script: String,
}

/// Takes the next call, if one has come.
pub fn next() -> Option<Call> {
    backend::session::next().map(|script| Call { script })
}

/// Returns a descriptor that is readable while a call waits to be taken or the call that runs is to be broken off.
///
/// It is only to be waited for, never read. Native: none once the driver is gone.
pub fn notify() -> Option<Descriptor> {
    backend::session::notify().map(Descriptor)
}

/// Returns whether the call that runs is to be broken off: the shell ends its foreground processes and reports at
/// once.
pub fn is_broken_off() -> bool {
    backend::session::is_broken_off()
}

/// Reports the end of a call with its exit status and the state of the shell, from which [`restored`] begins.
///
/// `ended` says that the shell itself is over (`exit`): the hand starts a new one for the next call.
pub fn done(status: u8, state: &[u8], ended: bool) {
    backend::session::done(status, state, ended);
}

/// Returns the state that this shell is to begin from.
pub fn restored() -> Option<Vec<u8>> {
    backend::session::restored()
}
