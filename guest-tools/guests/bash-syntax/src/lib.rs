//! The grammar of bash 5.2: tokens, syntax tree, printing.
//!
//! Text is bytes. A script is read one complete command at a time, as bash does, so that what it runs can
//! change how the rest is read (aliases, `extglob`), and an error is only met where it stands. Nothing is
//! expanded or looked up here, and nothing may panic or take the stack: nesting is bounded.

pub mod ast;
mod error;
mod options;
mod parser;
mod print;

pub use error::{ErrorKind, Recovery, SyntaxError, Warning};
pub use options::{Aliases, NoAliases, ParseOptions};
pub use parser::{
    Parser, WordContext, is_reserved_word, parse_array_elements, parse_parameter, parse_word,
};
pub use print::{
    print_command, print_command_line, print_function, print_list_line, print_parameter,
    print_redirection, print_simple, print_word,
};
