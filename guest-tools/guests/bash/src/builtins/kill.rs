//! `kill`: sends signals to jobs and processes.

use bstr::{BString, ByteSlice};

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};
use crate::sys;

/// `kill`
pub const KILL: Builtin = Builtin {
    name: "kill",
    usage: "kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut words = invocation.arguments();
    let mut signal = sys::SIGTERM;
    let mut has_signal = false;
    while let Some((word, rest)) = words.split_first() {
        let name = match word.as_slice() {
            b"-l" | b"-L" => return Ok(list(shell, rest)),
            b"--" => {
                words = rest;
                break;
            }
            b"-s" | b"-n" => match rest.split_first() {
                Some((name, after)) => {
                    words = after;
                    name.as_slice()
                }
                None => {
                    shell.report_for(b"kill", format_args!("{word}: option requires an argument"));
                    return Ok(1);
                }
            },
            b"-?" => return Ok(shell.usage(&KILL)),
            [b'-', name @ ..] if !name.is_empty() && !has_signal => {
                words = rest;
                match name {
                    [b's' | b'n', glued @ ..]
                        if !glued.is_empty() && bash_text::signal::number(name).is_none() =>
                    {
                        glued
                    }
                    _ => name,
                }
            }
            _ => break,
        };
        has_signal = true;
        match bash_text::signal::number(name) {
            Some(number) => signal = number,
            None => {
                shell.report_for(
                    b"kill",
                    format_args!("{}: invalid signal specification", name.as_bstr()),
                );
                return Ok(1);
            }
        }
    }
    if words.is_empty() {
        return Ok(shell.usage(&KILL));
    }
    // As in bash, one that was reached is a success.
    let mut has_succeeded = false;
    for word in words {
        has_succeeded |= send(shell, word, signal);
    }
    Ok(u8::from(!has_succeeded))
}

fn send(shell: &mut Shell, word: &BString, signal: u8) -> bool {
    let pid = if word.starts_with(b"%") {
        match shell.jobs.find(word) {
            Ok(job) if job.task.ending().is_none() => sys::signed(job.task.own_pid()),
            Ok(job) => sys::signed(job.pid),
            Err(is_ambiguous) => {
                let what = if is_ambiguous {
                    "ambiguous job spec"
                } else {
                    "no such job"
                };
                shell.report_for(b"kill", format_args!("{word}: {what}"));
                return false;
            }
        }
    } else {
        match bash_text::arithmetic::parse_integer(word).and_then(|pid| i32::try_from(pid).ok()) {
            Some(pid) => pid,
            None => {
                shell.report_for(
                    b"kill",
                    format_args!("{word}: arguments must be process or job IDs"),
                );
                return false;
            }
        }
    };
    match shell.send_signal(pid, signal) {
        Ok(()) => true,
        Err(error) => {
            shell.report_for(b"kill", format_args!("({pid}) - {error}"));
            false
        }
    }
}

fn list(shell: &mut Shell, words: &[BString]) -> u8 {
    if words.is_empty() {
        shell.print(bash_text::signal::list().as_bytes());
        return 0;
    }
    let mut status = 0;
    for word in words {
        let line = match bash_text::arithmetic::parse_integer(word) {
            Some(number) => {
                // An exit status stands for the signal that caused it.
                let number = if number > 128 { number - 128 } else { number };
                u8::try_from(number)
                    .ok()
                    .and_then(bash_text::signal::name)
                    .map(|name| name.strip_prefix("SIG").unwrap_or(name).to_owned())
            }
            None => bash_text::signal::number(word).map(|number| number.to_string()),
        };
        match line {
            Some(line) => shell.print(format!("{line}\n").as_bytes()),
            None => {
                shell.report_for(
                    b"kill",
                    format_args!("{word}: invalid signal specification"),
                );
                status = 1;
            }
        }
    }
    status
}
