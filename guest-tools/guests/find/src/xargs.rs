//! `xargs`: builds commands from its input and runs them, several at a time if asked.

mod input;
mod options;
mod runner;

use std::io::Read;

use crate::messages::report;

use input::{Input, Item};
use options::{Options, Parsed};
use runner::Runner;

/// Runs xargs with the arguments behind its name; returns the exit status.
pub fn run(arguments: &[String]) -> u8 {
    let options = match options::parse(arguments) {
        Parsed::Run(options) => *options,
        Parsed::Show(text) => {
            let mut output = crate::output::Output::default();
            output.print(text.as_bytes());
            return output.finish();
        }
        Parsed::Wrong => return 1,
    };
    let source: Box<dyn Read> = match &options.file {
        Some(file) => match std::fs::File::open(file) {
            Ok(file) => Box::new(file),
            Err(error) => {
                let reason = crate::messages::reason(&error);
                report(
                    "xargs",
                    &format!(
                        "Cannot open input file {}: {reason}",
                        crate::messages::quoted(file)
                    ),
                );
                return 1;
            }
        },
        None => Box::new(std::io::stdin()),
    };
    let mut input = Input::new(
        source,
        options.delimiter,
        options.end_marker.clone(),
        options.replace.is_some(),
    );
    let mut runner = Runner::new(&options);
    let result = match &options.replace {
        Some(marker) => replace(&options, marker, &mut input, &mut runner),
        None => gather(&options, &mut input, &mut runner),
    };
    if let Err(Stop::Wrong(message)) = &result {
        report("xargs", message);
    }
    let status = runner.finish();
    match result {
        Ok(()) => status,
        Err(Stop::Wrong(_)) => 1.max(if status > 1 { status } else { 1 }),
        Err(Stop::Status(status)) => status,
    }
}

/// Why no more commands are run.
pub(super) enum Stop {
    /// The input or its length is wrong.
    Wrong(String),
    /// A command decided so.
    Status(u8),
}

/// `-I`: one command for each line.
fn replace(
    options: &Options,
    marker: &str,
    input: &mut Input,
    runner: &mut Runner<'_>,
) -> Result<(), Stop> {
    while let Some(item) = input.next().map_err(Stop::Wrong)? {
        let mut command = Vec::with_capacity(options.command.len());
        for (place, word) in options.command.iter().enumerate() {
            // As GNU: the command's name stays as it is written only if it has no marker.
            let word = if place == 0 || !marker.is_empty() {
                word.replace(marker, &item.text)
            } else {
                word.clone()
            };
            command.push(word);
        }
        let length: usize = command.iter().map(|word| word.len() + 1).sum();
        if length > options.bytes_max {
            return Err(Stop::Wrong("argument list too long".to_owned()));
        }
        runner.run(command)?;
    }
    Ok(())
}

/// Gathers items until a command is full.
fn gather(options: &Options, input: &mut Input, runner: &mut Runner<'_>) -> Result<(), Stop> {
    let fixed: usize = options.command.iter().map(|word| word.len() + 1).sum();
    if fixed > options.bytes_max {
        return Err(Stop::Wrong(
            "cannot fit single argument within argument list size limit".to_owned(),
        ));
    }
    let mut batch: Vec<String> = Vec::new();
    let mut bytes = fixed;
    let mut lines = 0;
    let mut has_run = false;
    let full_command = |batch: &mut Vec<String>| {
        let mut command = options.command.clone();
        command.append(batch);
        command
    };
    while let Some(Item { text, ends_line }) = input.next().map_err(Stop::Wrong)? {
        let length = text.len() + 1;
        if bytes + length > options.bytes_max {
            if batch.is_empty() {
                return Err(Stop::Wrong("argument line too long".to_owned()));
            }
            if options.exits_if_too_long {
                return Err(Stop::Wrong("argument list too long".to_owned()));
            }
            if fixed + length > options.bytes_max {
                runner.run(full_command(&mut batch))?;
                return Err(Stop::Wrong("argument line too long".to_owned()));
            }
            has_run = true;
            runner.run(full_command(&mut batch))?;
            (bytes, lines) = (fixed, 0);
        }
        bytes += length;
        batch.push(text);
        lines += usize::from(ends_line);
        let is_full = options
            .arguments_max
            .is_some_and(|most| batch.len() >= most)
            || options.lines_max.is_some_and(|most| lines >= most);
        if is_full {
            has_run = true;
            runner.run(full_command(&mut batch))?;
            (bytes, lines) = (fixed, 0);
        }
    }
    if !batch.is_empty() || (!has_run && !options.needs_input) {
        runner.run(full_command(&mut batch))?;
    }
    Ok(())
}
