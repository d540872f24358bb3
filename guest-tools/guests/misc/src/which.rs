//! which: shows where commands are found in `PATH`.

use std::io::{self, Write};

use crate::report;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut shows_all = false;
    let mut is_silent = false;
    let mut operands = arguments;
    while let Some((first, rest)) = operands.split_first() {
        let Some(letters) = first
            .strip_prefix('-')
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        operands = rest;
        if letters == "-" {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'a' => shows_all = true,
                's' => is_silent = true,
                _ => {
                    let _ = writeln!(
                        io::stderr(),
                        "Illegal option -{letter}\nUsage: {program} [-as] args"
                    );
                    return 2;
                }
            }
        }
    }
    let mut status = u8::from(operands.is_empty());
    let mut out = Vec::new();
    for name in operands {
        let found = find(name, shows_all);
        if found.is_empty() {
            status = 1;
        }
        for path in found.iter().filter(|_| !is_silent) {
            out.extend_from_slice(path);
            out.push(b'\n');
        }
    }
    report::print(program, out).max(status)
}

fn find(name: &str, all: bool) -> Vec<Vec<u8>> {
    if name.contains('/') {
        let fits = process::is_executable(name.as_bytes());
        return if fits { vec![name.into()] } else { Vec::new() };
    }
    if name.is_empty() {
        return Vec::new();
    }
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    let mut found = Vec::new();
    for folder in path.split(':') {
        let folder = if folder.is_empty() { "." } else { folder };
        let candidate = format!("{folder}/{name}").into_bytes();
        if process::is_executable(&candidate) {
            found.push(candidate);
            if !all {
                break;
            }
        }
    }
    if found.is_empty() {
        found.extend(process::find(name).map(String::into_bytes));
    }
    found
}
