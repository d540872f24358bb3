//! time: runs a command and says what it took, as GNU time 1.9.

mod form;

use std::io::{self, Write};
use std::time::Instant;

use gnu_options::{Item, Takes};
use process::Status;

use crate::report;

use form::Taken;

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "+af:ho:pqvV",
    long: &[
        ("append", Takes::Nothing, 'a'),
        ("format", Takes::Argument, 'f'),
        ("help", Takes::Nothing, 'h'),
        ("output", Takes::Argument, 'o'),
        ("portability", Takes::Nothing, 'p'),
        ("quiet", Takes::Nothing, 'q'),
        ("verbose", Takes::Nothing, 'v'),
        ("version", Takes::Nothing, 'V'),
    ],
};

const DEFAULT: &str = "%Uuser %Ssystem %Eelapsed %PCPU (%Xavgtext+%Davgdata %Mmaxresident)k\\n%Iinputs+%Ooutputs (%Fmajor+%Rminor)pagefaults %Wswaps";
const PORTABLE: &str = "real %e\\nuser %U\\nsys %S";

/// Runs the command: its status, 126 or 127 if it could not be run, 125 for wrong use.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut own = 0;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if !word.starts_with('-') || word == "-" {
            break;
        }
        own += 1;
        if word == "--" {
            break;
        }
        let takes_next = matches!(word.as_str(), "--format" | "--output")
            || !word.starts_with("--") && word.ends_with(['f', 'o']);
        if takes_next && words.next().is_some() {
            own += 1;
        }
    }
    let (before, command) = arguments.split_at_checked(own).unwrap_or((arguments, &[]));
    let (items, error) = gnu_options::parse(&OPTIONS, before);
    if let Some(error) = error {
        return report::usage(program, error, 125);
    }
    let mut format = std::env::var("TIME").unwrap_or_else(|_| DEFAULT.to_owned());
    let mut output = None;
    let (mut appends, mut is_quiet) = (false, false);
    for item in items {
        let Item::Option(letter, value, _) = item else {
            continue;
        };
        match letter {
            'a' => appends = true,
            'f' => format = value.unwrap_or_default(),
            'o' => output = value,
            'p' => format = PORTABLE.to_owned(),
            'q' => is_quiet = true,
            'v' => format = form::VERBOSE.to_owned(),
            'h' => return report::print(program, USAGE),
            _ => return report::print(program, "time (Sinew, as GNU Time) 1.9\n"),
        }
    }
    let Some((name, rest)) = command.split_first() else {
        return report::usage(program, "missing program to run", 125);
    };
    let mut to: Box<dyn Write> = match &output {
        None => Box::new(io::stderr()),
        Some(path) => match std::fs::OpenOptions::new()
            .create(true)
            .write(true)
            .append(appends)
            .truncate(!appends)
            .open(path)
        {
            Ok(file) => Box::new(file),
            Err(error) => {
                let message = process::message(&error);
                report::complain(program, format_args!("cannot open '{path}': {message}"));
                return 125;
            }
        },
    };
    let (_, before_ns) = process::times();
    let begin = Instant::now();
    let mut child = process::Program::new(name);
    child.args(rest);
    let status = child.status();
    let elapsed = begin.elapsed();
    let (_, after_ns) = process::times();
    let (code, told) = match status {
        Ok(Status::Exited(code)) => (
            code,
            (code != 0).then(|| format!("Command exited with non-zero status {code}")),
        ),
        Ok(Status::Signaled(signal) | Status::Stopped(signal)) => (
            signal.wrapping_add(128),
            Some(format!("Command terminated by signal {signal}")),
        ),
        Err(error) => {
            report::complain(program, format_args!("cannot run {name}: {error}"));
            let code = if error == process::Errno::NoEntry {
                127
            } else {
                126
            };
            (
                code,
                Some(format!("Command exited with non-zero status {code}")),
            )
        }
    };
    let taken = Taken {
        command: command.join(" "),
        elapsed,
        processor_ns: after_ns.saturating_sub(before_ns),
        // A signal is told of in words, not here.
        status: match status {
            Ok(Status::Signaled(_) | Status::Stopped(_)) => 0,
            _ => code,
        },
    };
    let mut text = String::new();
    if let Some(told) = told.filter(|_| !is_quiet) {
        text.push_str(&told);
        text.push('\n');
    }
    text.push_str(&form::show(&format, &taken));
    if to
        .write_all(text.as_bytes())
        .and_then(|()| to.flush())
        .is_err()
    {
        return 125;
    }
    code
}

const USAGE: &str = "\
Usage: time [OPTION]... COMMAND [ARG]...
Runs COMMAND and writes what it took to standard error.
  -a, --append          append to the file of -o
  -f, --format=FORMAT   as FORMAT says: %e %E real, %U user, %S system, %P processor, %M memory, %x status, %C command
  -o, --output=FILE     to FILE
  -p, --portability     as POSIX has it
  -q, --quiet           nothing about the status
  -v, --verbose         everything
";
