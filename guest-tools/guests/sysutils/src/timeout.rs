//! timeout: runs a program and ends it when its time is over.

use std::time::Duration;

use process::Status;

use crate::child::{self, Start};
use crate::quoting;
use crate::report::{self, complain, usage};
use crate::signal;
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "foreground k/kill-after= preserve-status s/signal= v/verbose";
const KILL: u8 = 9;
const CONTINUE: u8 = 18;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::First) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 125),
    };
    let (mut stays_in_group, mut keeps_status, mut is_verbose) = (false, false, false);
    let (mut kill_after, mut signal) = (None, 15);
    let mut words = Vec::new();
    for item in items {
        match item {
            Item::Operand(word) => words.push(word),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("foreground", _) => stays_in_group = true,
            Item::Option("preserve-status", _) => keeps_status = true,
            Item::Option("verbose", _) => is_verbose = true,
            Item::Option(name, value) => {
                let text = value.unwrap_or_default();
                if name == "signal" {
                    match signal::number(&text) {
                        Some(number) => signal = number,
                        None => {
                            return usage(
                                program,
                                format_args!("{}: invalid signal", quoting::curly(&text)),
                                125,
                            );
                        }
                    }
                } else {
                    match duration(&text) {
                        Some(time) => kill_after = time,
                        None => return invalid(program, &text),
                    }
                }
            }
        }
    }
    if words.len() < 2 {
        return usage(program, "missing operand", 125);
    }
    let text = words.remove(0);
    let Some(time) = duration(&text) else {
        return invalid(program, &text);
    };
    let mut start = Start::new(&words);
    start.leads_group = !stays_in_group;
    let child = match child::spawn(program, &start) {
        Ok(child) => child,
        Err(status) => return status,
    };
    let pid = i32::try_from(child.pid()).unwrap_or(0);
    let target = if stays_in_group { pid } else { -pid };
    let name = words.first().map_or("", String::as_str);
    let send = |signal: u8| {
        if is_verbose {
            let signal = signal::name(signal).unwrap_or("?");
            complain(
                program,
                format_args!(
                    "sending signal {signal} to command {}",
                    quoting::curly(name)
                ),
            );
        }
        // It may have ended by now.
        let _ = process::kill(target, signal);
        if !matches!(signal, KILL | CONTINUE) {
            let _ = process::kill(target, CONTINUE);
        }
    };
    if let Some(status) = child::wait_for(&child, time) {
        return status.code();
    }
    send(signal);
    let mut was_killed = signal == KILL;
    let ended = match kill_after {
        Some(time) => child::wait_for(&child, Some(time)),
        None => Some(child::wait(&child)),
    };
    let status = ended.unwrap_or_else(|| {
        send(KILL);
        was_killed = true;
        child::wait(&child)
    });
    match status {
        _ if keeps_status => status.code(),
        // A program that had to be killed is told apart from one that obeyed.
        Status::Signaled(KILL) if was_killed => 137,
        _ => 124,
    }
}

fn invalid(program: &str, text: &str) -> u8 {
    usage(
        program,
        format_args!("invalid time interval {}", quoting::curly(text)),
        125,
    )
}

/// Reads a time such as `1.5m`; within, none stands for no limit (0).
fn duration(text: &str) -> Option<Option<Duration>> {
    let (number, factor) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        None => (text, 1.0),
        Some(number) => {
            let factor = match text.chars().last() {
                Some('m') => 60.0,
                Some('h') => 3600.0,
                Some('d') => 86_400.0,
                _ => 1.0,
            };
            (number, factor)
        }
    };
    let seconds = number
        .parse::<f64>()
        .ok()
        .filter(|seconds| *seconds >= 0.0)?
        * factor;
    if seconds == 0.0 {
        return Some(None);
    }
    // What is too long for the clock is no limit either.
    Some(Duration::try_from_secs_f64(seconds).ok())
}

const HELP: &str = "\
Usage: timeout [OPTION] DURATION COMMAND [ARG]...
Start COMMAND, and kill it if still running after DURATION.

      --preserve-status   exit with the same status as COMMAND, even when it times out
      --foreground        do not give COMMAND a process group of its own
  -k, --kill-after=DURATION
                          also send a KILL signal if COMMAND is still running this long after the first one
  -s, --signal=SIGNAL     the signal to be sent on timeout
  -v, --verbose           diagnose to stderr any signal sent upon timeout

DURATION is a number with an optional suffix: s, m, h or d. A duration of 0 disables the timeout.
If the command times out, and --preserve-status is not set, the status is 124, or 137 if it was killed.
";
