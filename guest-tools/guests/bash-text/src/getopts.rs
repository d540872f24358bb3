//! The state machine of the `getopts` builtin.

use bstr::BString;

/// Where the next call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// OPTIND: the number of the next argument, from 1.
    pub index: usize,
    /// The byte within that argument when several letters share it; 0 to start afresh. An assignment to
    /// OPTIND resets it.
    pub offset: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            index: 1,
            offset: 0,
        }
    }
}

/// What one call of `getopts` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The value for the name variable: a letter, `?` or `:`.
    pub name: u8,
    /// The value for OPTARG; `None` unsets it.
    pub argument: Option<BString>,
    /// The message for standard error, without the shell's prefix: `illegal option -- x`.
    pub diagnostic: Option<BString>,
    /// Whether the options are at an end: status 1.
    pub is_end: bool,
}

/// Looks at the next option of `arguments`. `is_reporting` is OPTERR != 0.
pub fn next(
    state: &mut State,
    specification: &[u8],
    arguments: &[&[u8]],
    is_reporting: bool,
) -> Step {
    let _ = (state, specification, arguments, is_reporting);
    Step {
        name: b'?',
        argument: None,
        diagnostic: None,
        is_end: true,
    }
}
