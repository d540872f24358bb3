//! The pure parts of bash 5.2: what can be computed from bytes alone.
//!
//! Nothing here knows the shell's state, its processes or its syntax tree; what a module must ask for comes
//! in through a small trait. Text is bytes: characters are UTF-8 where the bytes are valid UTF-8, and single
//! bytes otherwise, as bash treats them in C.UTF-8. Messages carry no `bash: line 1: ` prefix: the caller
//! knows it. Nothing may panic.

pub mod arithmetic;
pub mod brace;
pub mod case;
pub mod characters;
pub mod echo;
pub mod float;
pub mod getopts;
pub mod glob;
pub mod mode;
pub mod pattern;
pub mod printf;
pub mod prompt;
pub mod quote;
pub mod read;
pub mod signal;
pub mod split;
pub mod test;
pub mod time;
