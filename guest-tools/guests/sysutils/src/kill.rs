//! kill: sends signals to processes.

use crate::quoting;
use crate::report::{self, complain, finish, reason, usage};
use crate::signal;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut signal = 15;
    let mut left = arguments.iter().map(String::as_str).peekable();
    if let Some(first) = left.peek().copied() {
        match first {
            "--help" => return report::help(HELP),
            "--version" => return report::version(program),
            "-l" | "--list" | "-L" | "--table" => {
                left.next();
                return list(program, &left.collect::<Vec<_>>());
            }
            "-s" | "-n" | "--signal" => {
                left.next();
                let Some(text) = left.next() else {
                    return usage(
                        program,
                        format_args!(
                            "option requires an argument -- '{}'",
                            first.trim_start_matches('-')
                        ),
                        1,
                    );
                };
                match signal::number(text) {
                    Some(number) => signal = number,
                    None => return invalid(program, text),
                }
            }
            "--" => {
                left.next();
            }
            _ => {
                if let Some(text) = first
                    .strip_prefix("--signal=")
                    .or_else(|| first.strip_prefix('-'))
                {
                    left.next();
                    let text = text
                        .strip_prefix('s')
                        .filter(|rest| rest.starts_with(|one: char| one.is_ascii_uppercase()))
                        .unwrap_or(text);
                    match signal::number(text) {
                        Some(number) => signal = number,
                        None => return invalid(program, text),
                    }
                }
            }
        }
    }
    if left.peek() == Some(&"--") {
        left.next();
    }
    let targets: Vec<&str> = left.collect();
    if targets.is_empty() {
        return usage(program, "no process ID specified", 1);
    }
    let mut status = 0;
    for text in targets {
        let Ok(pid) = text.parse::<i32>() else {
            complain(
                program,
                format_args!("{}: invalid process id", quoting::quoted(text)),
            );
            status = 1;
            continue;
        };
        if let Err(error) = process::kill(pid, signal) {
            complain(
                program,
                format_args!("sending signal to {pid} failed: {}", reason(&error.into())),
            );
            status = 1;
        }
    }
    status
}

fn invalid(program: &str, text: &str) -> u8 {
    usage(
        program,
        format_args!("{}: invalid signal", quoting::quoted(text)),
        1,
    )
}

fn list(program: &str, wanted: &[&str]) -> u8 {
    if wanted.is_empty() {
        let names: Vec<&str> = signal::names().collect();
        println!("{}", names.join("\n"));
        return finish(program, Ok(()));
    }
    let mut status = 0;
    for text in wanted {
        // A status of the shell stands for the signal that it tells of.
        match text.parse::<u8>() {
            Ok(number) => match signal::name(if number > 128 { number - 128 } else { number }) {
                Some(name) => println!("{name}"),
                None => status = invalid(program, text),
            },
            Err(_) => match signal::number(text) {
                Some(number) => println!("{number}"),
                None => status = invalid(program, text),
            },
        }
    }
    finish(program, Ok(())).max(status)
}

const HELP: &str = "\
Usage: kill [-s SIGNAL | -SIGNAL] PID...
  or:  kill -l [SIGNAL]...
Send signals to processes, or list signals.
";
