//! The AWK language with the extensions of gawk that scripts use.
//!
//! A program goes from `lexer` and `parser` to the tree of `syntax`, from there through `compile` to the operations
//! of `op`, and `machine` runs those. Text is bytes throughout; characters are those of UTF-8.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail"))]

mod arguments;
mod array;
mod builtin;
mod children;
mod compile;
mod float;
mod format;
mod input;
mod lexer;
mod machine;
mod number;
mod op;
mod parser;
mod random;
mod record;
mod regex;
mod split;
mod streams;
mod syntax;
mod text;
mod time;
mod value;

use std::ffi::OsString;
use std::io::Write;

use crate::arguments::{Invocation, Parsed};
use crate::machine::Machine;
use crate::syntax::Tree;

/// Why a program did not start or did not go on.
#[derive(Debug)]
pub(crate) struct Error {
    message: String,
    status: u8,
}

impl Error {
    /// The program text is wrong.
    pub(crate) fn syntax(message: String) -> Self {
        Self { message, status: 1 }
    }

    /// It cannot go on.
    pub(crate) fn fatal(message: String) -> Self {
        Self { message, status: 2 }
    }
}

/// Runs awk; the first argument is the name it was called by. Returns the exit status.
pub fn run(arguments: &[String]) -> u8 {
    let called = arguments.first().map_or("awk", String::as_str);
    let name = called.rsplit('/').next().unwrap_or(called).to_owned();
    let rest = arguments.get(1..).unwrap_or_default();
    let result = match arguments::parse(rest, &name) {
        Parsed::Run(invocation) => run_invocation(*invocation, &name),
        Parsed::Show(text) => {
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            return 0;
        }
        Parsed::Usage(text) => {
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
            return 1;
        }
        Parsed::Wrong(error) => Err(error),
    };
    match result {
        Ok(status) => status,
        Err(error) => {
            // A syntax error shows the line and a mark below it, each with the name.
            let text = match error.message.split_once('\n') {
                Some((line, mark)) if error.status == 1 => {
                    format!("{name}: {line}\n{name}: {mark}\n")
                }
                _ => format!("{name}: {}\n", error.message),
            };
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
            error.status
        }
    }
}

fn run_invocation(invocation: Invocation, name: &str) -> Result<u8, Error> {
    let mut tree = Tree::default();
    let source_name = invocation
        .sources
        .first()
        .map_or("cmd. line", |source| source.name.as_str())
        .to_owned();
    for source in invocation.sources {
        parser::parse(source, &mut tree)?;
    }
    let program = compile::compile(&tree, &source_name)?;
    for warning in &program.warnings {
        let _ = std::io::stderr()
            .lock()
            .write_all(format!("{name}: {warning}\n").as_bytes());
    }
    let mut machine = Machine::new(program, name);
    let mut arguments = vec![name.to_owned()];
    arguments.extend(invocation.operands);
    let bytes = |text: OsString| text.into_encoded_bytes();
    machine.set_up(
        &arguments,
        std::env::vars_os().map(|(name, value)| (bytes(name), bytes(value))),
    );
    for (name, value) in &invocation.assignments {
        machine.assign_by_name(name, value)?;
    }
    machine.run_program()
}
