//! The state of a shell as a script that brings a new shell to the same state.
//!
//! Descriptors and running jobs are not in it: they die with the instance.

use bstr::{BString, ByteSlice};

use bash_text::quote;

use crate::state::{SetOption, Shell, Shopt};
use crate::variables::{Attributes, Value, Variable};

/// Names that a new shell sets by itself, or that only mean something in the running one.
const LEFT_OUT: &[&[u8]] = &[
    b"BASHOPTS",
    b"BASH_VERSINFO",
    b"EUID",
    b"PPID",
    b"SHELLOPTS",
    b"UID",
    b"BASH_VERSION",
    b"PWD",
];

/// Writes the state.
pub fn write(shell: &Shell) -> BString {
    let mut script = BString::default();
    write_directories(shell, &mut script);
    for (name, variable) in shell.variables.sorted() {
        if variable.dynamic.is_none() && !LEFT_OUT.contains(&&**name) {
            script.extend_from_slice(&declaration(name, variable, false));
            script.push(b'\n');
        }
    }
    write_functions(shell, &mut script);
    for (name, value) in shell.aliases.iter() {
        line(
            &mut script,
            &[b"alias -- ", name, b"=", &quote::single_or_ansi(value)],
        );
    }
    for (name, entry) in shell.hash.iter() {
        let (path, name) = (quote::single(&entry.path), quote::single(name));
        line(&mut script, &[b"hash -p ", &path, b" -- ", &name]);
    }
    for command in crate::builtins::completion_commands(shell) {
        line(&mut script, &[&command]);
    }
    for (key, value) in shell.limits.iter() {
        let kind = if key.is_hard { 'H' } else { 'S' };
        let text = format!("ulimit -{kind}{} {value}", char::from(key.letter));
        line(&mut script, &[text.as_bytes()]);
    }
    line(
        &mut script,
        &[b"umask ", format!("{:04o}", shell.umask).as_bytes()],
    );
    script.extend_from_slice(b"set --");
    for value in shell.positional.values() {
        script.push(b' ');
        script.extend_from_slice(&quote::single_or_ansi(value));
    }
    script.push(b'\n');
    for (condition, text) in shell.traps.list() {
        let text = quote::single_or_ansi(&text);
        line(
            &mut script,
            &[b"trap -- ", &text, b" ", condition.name().as_bytes()],
        );
    }
    write_options(shell, &mut script);
    script
}

fn line(script: &mut BString, parts: &[&[u8]]) {
    for part in parts {
        script.extend_from_slice(part);
    }
    script.push(b'\n');
}

fn write_directories(shell: &Shell, script: &mut BString) {
    let mut stack: Vec<&BString> = shell.directory_stack.iter().rev().collect();
    stack.push(&shell.directory);
    for (place, directory) in stack.into_iter().enumerate() {
        let verb: &[u8] = if place == 0 { b"cd -- " } else { b"pushd -- " };
        let quoted = quote::single_or_ansi(directory);
        line(script, &[verb, &quoted, b" > /dev/null 2>&1"]);
    }
}

fn write_functions(shell: &Shell, script: &mut BString) {
    let mut functions: Vec<_> = shell.functions.iter().collect();
    functions.sort_by(|left, right| left.0.cmp(right.0));
    for (name, function) in functions {
        script.extend_from_slice(&crate::execution::function_text(name, function));
        script.push(b'\n');
        let mut flags = Vec::new();
        if function.is_exported {
            flags.push(b'x');
        }
        if function.is_traced {
            flags.push(b't');
        }
        if function.is_readonly {
            flags.push(b'r');
        }
        if !flags.is_empty() {
            line(script, &[b"declare -f", &flags, b" -- ", name]);
        }
    }
}

/// Options come last: some would get in the way of the lines before.
fn write_options(shell: &Shell, script: &mut BString) {
    let fresh = crate::state::Options::default();
    for (option, name, default) in Shopt::ALL {
        let is_on = shell.options.has_shopt(*option);
        let is_settable = !matches!(option, Shopt::LoginShell | Shopt::RestrictedShell);
        if is_on != *default && is_settable {
            let verb: &[u8] = if is_on { b"shopt -s " } else { b"shopt -u " };
            line(script, &[verb, name.as_bytes()]);
        }
    }
    for (option, name, _) in SetOption::ALL {
        let is_on = shell.options.has(*option);
        if is_on != fresh.has(*option) {
            let verb: &[u8] = if is_on { b"set -o " } else { b"set +o " };
            line(script, &[verb, name.as_bytes()]);
        }
    }
    line(
        script,
        &[b"(exit ", shell.status.to_string().as_bytes(), b")"],
    );
}

/// Returns the `declare` command that makes a variable again, as `declare -p` prints it.
pub fn declaration(name: &[u8], variable: &Variable, in_brackets: bool) -> BString {
    let mut text = BString::from("declare -");
    text.extend_from_slice(&attribute_letters(variable));
    text.push(b' ');
    text.extend_from_slice(name);
    match &variable.value {
        Value::Unset => {}
        Value::Scalar(value) => {
            text.push(b'=');
            text.extend_from_slice(&quote::double_or_ansi(value));
        }
        Value::Indexed(_) | Value::Associative(_) if variable.is_declared_only => {}
        Value::Indexed(_) | Value::Associative(_) => {
            text.push(b'=');
            text.extend_from_slice(&list(&variable.value));
        }
    }
    let _ = in_brackets;
    text
}

/// Returns the letters of a variable's attributes in bash's order, `-` when there are none.
pub fn attribute_letters(variable: &Variable) -> Vec<u8> {
    let mut letters = Vec::new();
    match variable.value {
        Value::Indexed(_) => letters.push(b'a'),
        Value::Associative(_) => letters.push(b'A'),
        Value::Unset | Value::Scalar(_) => {}
    }
    for (attribute, letter) in [
        (Attributes::INTEGER, b'i'),
        (Attributes::REFERENCE, b'n'),
        (Attributes::READONLY, b'r'),
        (Attributes::TRACE, b't'),
        (Attributes::EXPORT, b'x'),
        (Attributes::CAPITALIZE, b'c'),
        (Attributes::LOWER, b'l'),
        (Attributes::UPPER, b'u'),
    ] {
        if variable.attributes.has(attribute) {
            letters.push(letter);
        }
    }
    if letters.is_empty() {
        letters.push(b'-');
    }
    letters
}

/// Returns an array's value as `declare -p` prints it: `([0]="a" [1]="b")`.
pub fn list(value: &Value) -> BString {
    let mut text = BString::from("(");
    match value {
        Value::Indexed(array) => {
            for (place, (index, value)) in array.iter().enumerate() {
                if place > 0 {
                    text.push(b' ');
                }
                text.extend_from_slice(format!("[{index}]=").as_bytes());
                text.extend_from_slice(&quote::double_or_ansi(value));
            }
        }
        Value::Associative(array) => {
            for (key, value) in array.iter() {
                text.push(b'[');
                text.extend_from_slice(&quote::key(key));
                text.extend_from_slice(b"]=");
                text.extend_from_slice(&quote::double_or_ansi(value));
                text.push(b' ');
            }
        }
        Value::Scalar(_) | Value::Unset => {}
    }
    text.push(b')');
    let _ = text.as_bstr();
    text
}
