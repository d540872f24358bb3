//! The builtins: one file each, and the table that finds them by name.

mod arguments;
mod builtin;
mod colon;
mod command;
mod control;
mod echo;
mod eval;
mod exec;
mod exit;
mod source;

pub use arguments::{Flag, Flags};
pub use builtin::{Builtin, Class, Invocation, ListAssignment, ListElement, Run};

/// All builtins; sorted by name, which `find` relies on.
static ALL: &[&Builtin] = &[
    &source::DOT,
    &colon::COLON,
    &control::BREAK,
    &command::BUILTIN,
    &command::COMMAND,
    &control::CONTINUE,
    &echo::ECHO,
    &eval::EVAL,
    &exec::EXEC,
    &exit::EXIT,
    &colon::FALSE,
    &control::RETURN,
    &source::SOURCE,
    &colon::TRUE,
];

/// Returns the builtin of that name.
pub fn find(name: &[u8]) -> Option<&'static Builtin> {
    ALL.binary_search_by(|builtin| builtin.name.as_bytes().cmp(name))
        .ok()
        .and_then(|place| ALL.get(place))
        .copied()
}

/// Returns all builtins in the order of their names.
pub fn all() -> &'static [&'static Builtin] {
    ALL
}
