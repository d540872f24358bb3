//! The builtins: one file each, and the table that finds them by name.

mod alias;
mod arguments;
mod arithmetic;
mod bind;
mod builtin;
mod caller;
mod cd;
mod colon;
mod command;
mod compgen;
mod complete;
mod control;
mod declaration;
mod declaration_print;
mod declare;
mod directory_stack;
mod echo;
mod enable;
mod eval;
mod exec;
mod exit;
mod export;
mod fc;
mod getopts;
mod hash;
mod help;
mod history;
mod job_control;
mod kill;
mod logout;
mod mapfile;
mod place;
mod printf;
mod read;
mod set;
mod shift;
mod shopt;
mod source;
mod test;
mod times;
mod trap;
mod type_name;
mod ulimit;
mod umask;
mod unset;
mod wait;

pub use arguments::{Flag, Flags};
pub use builtin::{Builtin, Class, Invocation, ListAssignment, ListElement, Run};
pub use compgen::Completion;
pub use complete::commands as completion_commands;
pub use ulimit::Key as LimitKey;

/// All builtins; sorted by name, which `find` relies on.
static ALL: &[&Builtin] = &[
    &source::DOT,
    &colon::COLON,
    &test::BRACKET,
    &alias::ALIAS,
    &job_control::BG,
    &bind::BIND,
    &control::BREAK,
    &command::BUILTIN,
    &caller::CALLER,
    &cd::CD,
    &command::COMMAND,
    &compgen::COMPGEN,
    &complete::COMPLETE,
    &complete::COMPOPT,
    &control::CONTINUE,
    &declare::DECLARE,
    &directory_stack::DIRS,
    &job_control::DISOWN,
    &echo::ECHO,
    &enable::ENABLE,
    &eval::EVAL,
    &exec::EXEC,
    &exit::EXIT,
    &export::EXPORT,
    &colon::FALSE,
    &fc::FC,
    &job_control::FG,
    &getopts::GETOPTS,
    &hash::HASH,
    &help::HELP,
    &history::HISTORY,
    &job_control::JOBS,
    &kill::KILL,
    &arithmetic::LET,
    &declare::LOCAL,
    &logout::LOGOUT,
    &mapfile::MAPFILE,
    &directory_stack::POPD,
    &printf::PRINTF,
    &directory_stack::PUSHD,
    &cd::PWD,
    &read::READ,
    &mapfile::READARRAY,
    &export::READONLY,
    &control::RETURN,
    &set::SET,
    &shift::SHIFT,
    &shopt::SHOPT,
    &source::SOURCE,
    &job_control::SUSPEND,
    &test::TEST,
    &times::TIMES,
    &trap::TRAP,
    &colon::TRUE,
    &type_name::TYPE,
    &declare::TYPESET,
    &ulimit::ULIMIT,
    &umask::UMASK,
    &alias::UNALIAS,
    &unset::UNSET,
    &wait::WAIT,
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
