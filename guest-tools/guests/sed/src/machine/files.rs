//! What a script prints, reads from other files, and has other programs do.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Write as _},
};

use process::{Program, Stdio};

use super::Machine;
use crate::{
    Failure,
    input::Lines,
    output::Output,
    script::{OutputNumber, STANDARD_OUTPUT},
};

const COPY_BYTES: usize = 64 << 10;

/// What is to follow a line, in order.
pub(super) enum Queued<'a> {
    Text(&'a [u8]),
    /// A file, which need not be there.
    File(&'a str),
    /// A line of a file and whether it had an end.
    Line((Vec<u8>, bool)),
}

/// The files that `R` reads, each from where it stands.
#[derive(Default)]
pub(super) struct ReadFiles(HashMap<String, Option<Lines>>);

impl ReadFiles {
    /// Returns the next line of a file, if it has one.
    pub(super) fn line(&mut self, name: &str, end: u8) -> Result<Option<(Vec<u8>, bool)>, Failure> {
        let lines = self.0.entry(name.to_owned()).or_insert_with(|| {
            let file = open(name).ok()?;
            Some(Lines::new(file, name.to_owned()))
        });
        let Some(lines) = lines else {
            return Ok(None);
        };
        let mut line = Vec::new();
        let has_end = lines.read(&mut line, end)?;
        Ok(has_end.map(|has_end| (line, has_end)))
    }
}

fn open(name: &str) -> io::Result<Box<dyn Read>> {
    match name {
        "/dev/stdin" => Ok(Box::new(io::stdin())),
        name => Ok(Box::new(File::open(name)?)),
    }
}

impl Machine<'_> {
    /// Returns an output; number 0 is the file that is edited, or standard output.
    pub(super) fn output(&mut self, number: OutputNumber) -> &mut Output {
        if number == 0
            && let Some((_, output)) = &mut self.edited
        {
            return output;
        }
        let file = number
            .checked_sub(1)
            .and_then(|number| self.outputs.get_mut(number));
        match file {
            Some(output) => output,
            None => &mut self.standard,
        }
    }

    /// Writes out what the outputs hold back.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.standard.flush()?;
        self.outputs.iter_mut().try_for_each(Output::flush)
    }

    /// Prints the line.
    pub(super) fn print_line(&mut self, number: OutputNumber) -> Result<(), Failure> {
        let line = std::mem::take(&mut self.line);
        let end = self.has_end.then_some(self.settings.line_end);
        let result = match number {
            STANDARD_OUTPUT => self
                .standard
                .line_aside(&line, end, &mut self.aside_lacks_end),
            number => self.output(number).line(&line, end),
        };
        self.line = line;
        result
    }

    /// Prints the line up to its first line feed.
    pub(super) fn print_first(&mut self, number: OutputNumber) -> Result<(), Failure> {
        let end = self.settings.line_end;
        let Some(length) = memchr::memchr(end, &self.line) else {
            return self.print_line(number);
        };
        let first = self.line.get(..length).unwrap_or_default().to_vec();
        self.output(number).line(&first, Some(end))
    }

    /// Prints what is to follow the line.
    pub(super) fn flush_queue(&mut self) -> Result<(), Failure> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let end = self.settings.line_end;
        for queued in std::mem::take(&mut self.queue) {
            match queued {
                Queued::Text(text) => self.output(0).text(text)?,
                Queued::Line((line, has_end)) => {
                    let mut line = line;
                    line.extend(has_end.then_some(end));
                    self.output(0).text(&line)?;
                }
                Queued::File(name) => self.copy(name)?,
            }
        }
        Ok(())
    }

    /// Copies a file to the output. One that cannot be read is empty.
    pub(super) fn copy(&mut self, name: &str) -> Result<(), Failure> {
        // What the script has written may be what it reads.
        self.flush()?;
        let Ok(mut file) = open(name) else {
            return Ok(());
        };
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    let piece = buffer.get(..count).unwrap_or_default();
                    self.output(0).text(piece)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Ok(()),
            }
        }
    }

    /// Runs the command `e`: of a text the output is printed at once; without one the line is run.
    pub(super) fn execute(&mut self, text: &[u8]) -> Result<(), Failure> {
        if text.is_empty() {
            return self.evaluate();
        }
        let printed = self.shell(text)?;
        self.output(0).text(&printed)
    }

    /// Runs the line as a command, whose output takes its place.
    pub(super) fn evaluate(&mut self) -> Result<(), Failure> {
        let command = std::mem::take(&mut self.line);
        self.line = self.shell(&command)?;
        if self.line.last() == Some(&self.settings.line_end) {
            self.line.pop();
        }
        Ok(())
    }

    fn shell(&mut self, command: &[u8]) -> Result<Vec<u8>, Failure> {
        self.flush()?;
        let command = String::from_utf8_lossy(command).into_owned();
        let output = Program::new("sh")
            .arg("-c")
            .arg(command)
            .stdin(Stdio::Inherit)
            .output();
        output
            .map(|output| {
                // An error that cannot be shown is no error of the command.
                let _ = io::stderr().write_all(&output.stderr);
                output.stdout
            })
            .map_err(|error| Failure::trouble(format!("error running sh: {}", error.words())))
    }
}
