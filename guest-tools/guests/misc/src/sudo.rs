//! sudo: runs a command as it is, because a hand has one user.

use std::io::{self, Write};

use crate::report;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut words = arguments.iter().peekable();
    while let Some(option) = words.next_if(|word| word.starts_with('-')) {
        match option.as_str() {
            "--" => break,
            // These have an argument of their own.
            "-u" | "-g" | "-p" | "-h" | "-C" | "-T" | "-r" | "-t" | "-D" | "-R" => {
                words.next();
            }
            "-v" | "-k" | "-K" => return 0,
            _ => {}
        }
    }
    let mut assigned = Vec::new();
    while let Some(word) = words.next_if(|word| word.contains('=') && !word.contains('/')) {
        assigned.extend(word.split_once('='));
    }
    let Some(name) = words.next() else {
        let _ = writeln!(
            io::stderr(),
            "usage: sudo [-nE] [-u user] [VAR=value] command [arg ...]"
        );
        return 1;
    };
    let mut child = process::Program::new(name);
    child.args(words);
    for (name, value) in assigned {
        child.env(name, value);
    }
    match child.status() {
        Ok(status) => status.code(),
        Err(process::Errno::NoEntry) => {
            report::complain(program, format_args!("{name}: command not found"));
            1
        }
        Err(error) => {
            report::complain(program, format_args!("unable to execute {name}: {error}"));
            1
        }
    }
}
