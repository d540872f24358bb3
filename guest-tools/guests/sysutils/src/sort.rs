//! sort: sorts lines, in memory that is bounded.
//!
//! What does not fit is sorted in parts; each part goes into a file in `$TMPDIR` and all are merged at the end. Lines
//! that compare equal are in order of their bytes (C.UTF-8), unless `-s`, `-u` or a check says otherwise.

mod compare;
mod input;
mod merge;
mod options;
mod spill;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use crate::quoting;
use crate::report::{complain, reason};

use compare::Comparison;
use input::Lines;
use options::{Check, Settings, Start};

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let settings = match options::read(program, arguments) {
        Start::Run(settings) => settings,
        Start::Done(status) => return status,
    };
    match sort(&settings) {
        Ok(status) => status,
        Err(Failure::Read(name, error)) => {
            let what = if error.kind() == io::ErrorKind::IsADirectory {
                "read failed"
            } else {
                "cannot read"
            };
            complain(
                program,
                format_args!("{what}: {}: {}", quoting::shell(&name), reason(&error)),
            );
            2
        }
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => 141,
        Err(Failure::Write(error)) => {
            complain(program, format_args!("write failed: {}", reason(&error)));
            2
        }
        Err(Failure::Temporary(error)) => {
            complain(
                program,
                format_args!("cannot use a temporary file: {}", reason(&error)),
            );
            2
        }
        Err(Failure::Open(name, error)) => {
            complain(
                program,
                format_args!("open failed: {}: {}", quoting::shell(&name), reason(&error)),
            );
            2
        }
        Err(Failure::Disorder(message)) => {
            if let Some(message) = message {
                complain(program, message);
            }
            1
        }
    }
}

/// Why there is no sorted output.
#[derive(Debug)]
pub(crate) enum Failure {
    Read(String, io::Error),
    Write(io::Error),
    Temporary(io::Error),
    Open(String, io::Error),
    /// A check found a line out of order.
    Disorder(Option<String>),
}

fn sort(settings: &Settings) -> Result<u8, Failure> {
    let comparison = Comparison::new(settings);
    if settings.check != Check::No {
        return check(settings, &comparison).map(|()| 0);
    }
    // All must be there before anything is sorted, as a missing file is no reason for half a result.
    for name in settings.files.iter().filter(|name| *name != "-") {
        File::open(name).map_err(|error| Failure::Read(name.clone(), error))?;
    }
    if settings.merges {
        let mut inputs = Vec::new();
        for name in &settings.files {
            let source = input::open(name).map_err(|error| Failure::Read(name.clone(), error))?;
            inputs.push(merge::Input::new(source, name, settings.end));
        }
        // A file that is also the output is held before it is emptied.
        if settings
            .output
            .as_ref()
            .is_some_and(|output| settings.files.contains(output))
        {
            let mut held = Vec::new();
            merge::merge(inputs, &comparison, settings, &mut held)?;
            let mut out = open_output(settings)?;
            return out
                .write_all(&held)
                .and_then(|()| out.flush())
                .map_err(Failure::Write)
                .map(|()| 0);
        }
        let mut out = open_output(settings)?;
        merge::merge(inputs, &comparison, settings, &mut out)?;
        return out.flush().map_err(Failure::Write).map(|()| 0);
    }
    let mut parts = spill::Parts::new(settings);
    let mut lines = Lines::new(settings);
    for name in &settings.files {
        let mut source = input::open(name).map_err(|error| Failure::Read(name.clone(), error))?;
        while lines
            .fill(&mut source)
            .map_err(|error| Failure::Read(name.clone(), error))?
        {
            lines.sort(&comparison, settings);
            parts.add(&lines)?;
            lines.clear();
        }
    }
    lines.sort(&comparison, settings);
    if parts.is_empty() {
        let mut out = open_output(settings)?;
        let written = lines.iter().try_for_each(|line| {
            out.write_all(line)?;
            out.write_all(&[settings.end])
        });
        return written
            .and_then(|()| out.flush())
            .map_err(Failure::Write)
            .map(|()| 0);
    }
    parts.add(&lines)?;
    drop(lines);
    let inputs = parts.inputs(&comparison)?;
    let mut out = open_output(settings)?;
    merge::merge(inputs, &comparison, settings, &mut out)?;
    out.flush().map_err(Failure::Write).map(|()| 0)
}

fn open_output(settings: &Settings) -> Result<BufWriter<Box<dyn Write>>, Failure> {
    let out: Box<dyn Write> = match &settings.output {
        Some(name) => {
            Box::new(File::create(name).map_err(|error| Failure::Open(name.clone(), error))?)
        }
        // Not the line-buffered handle of std: it would write line by line.
        None => Box::new(io::stdout().lock()),
    };
    Ok(BufWriter::with_capacity(BUFFER_BYTES, out))
}

/// Looks whether the one input is in order.
fn check(settings: &Settings, comparison: &Comparison<'_>) -> Result<(), Failure> {
    let name = settings.files.first().map_or("-", String::as_str);
    let source = input::open(name).map_err(|error| Failure::Read(name.to_owned(), error))?;
    let mut input = merge::Input::new(source, name, settings.end);
    let mut before: Option<Vec<u8>> = None;
    let mut number = 0_u64;
    while input.advance()? {
        number += 1;
        let line = input.line();
        if let Some(before) = &before {
            let ordering = comparison.compare(before, line);
            if ordering.is_gt() || (settings.unique && ordering.is_eq()) {
                let text = String::from_utf8_lossy(line);
                let message = format!("{name}:{number}: disorder: {text}");
                return Err(Failure::Disorder(
                    (settings.check == Check::Loud).then_some(message),
                ));
            }
        }
        let kept = before.get_or_insert_default();
        kept.clear();
        kept.extend_from_slice(line);
    }
    Ok(())
}
