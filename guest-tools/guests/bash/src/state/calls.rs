//! The stack of function calls and sourced files: FUNCNAME, BASH_SOURCE, BASH_LINENO, `caller`.

use std::rc::Rc;

use bstr::BString;

use super::options::Options;

/// What a call is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// A shell function.
    Function,
    /// `source`.
    Source,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// What it is of.
    pub kind: CallKind,
    /// The function's name, or `source`.
    pub name: BString,
    /// The file that defines the function, or that is sourced.
    pub source: Rc<BString>,
    /// The line of the call.
    pub line: u32,
    /// The options to put back at the end: `local -`.
    pub saved_options: Option<Options>,
    /// The arguments, for BASH_ARGC and BASH_ARGV; kept only with extdebug.
    pub arguments: Vec<BString>,
}
