//! Everything a program reads and writes by name: files, pipes, standard output.
//!
//! Output is buffered and handed on before anything else can see its absence: before a command runs, before a
//! stream is closed, and at the end.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};

use crate::children::{self, Child};
use crate::input::Reader;
use crate::syntax::Redirect;

/// How much output is gathered before it is written.
const WRITE_BYTES: usize = 64 * 1024;

enum Sink {
    Stdout,
    Stderr,
    File(File),
    Pipe(Option<Box<dyn Write>>, Option<Child>),
}

struct Output {
    sink: Sink,
    buffer: Vec<u8>,
    /// When it was opened, in order of openings.
    serial: u64,
}

struct Input {
    reader: Reader,
    child: Option<Child>,
}

/// The streams of a program.
pub struct Streams {
    stdout: Vec<u8>,
    files: HashMap<Vec<u8>, Output>,
    pipes: HashMap<Vec<u8>, Output>,
    read_files: HashMap<Vec<u8>, Input>,
    read_commands: HashMap<Vec<u8>, Input>,
    serial: u64,
}

/// Returns an error in words, without the number that std adds.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// Ends the program as SIGPIPE would: nobody reads on.
fn write_out(mut to: impl Write, bytes: &[u8]) -> Result<(), String> {
    match to.write_all(bytes).and_then(|()| to.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => process::exit(141),
        Err(error) => Err(reason(&error)),
    }
}

impl Streams {
    /// Returns streams of which none is open.
    pub fn new() -> Self {
        Self {
            stdout: Vec::with_capacity(WRITE_BYTES + 4096),
            files: HashMap::new(),
            pipes: HashMap::new(),
            read_files: HashMap::new(),
            read_commands: HashMap::new(),
            serial: 0,
        }
    }

    /// Writes to standard output by `fill`.
    #[inline]
    pub fn print(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Result<(), String> {
        fill(&mut self.stdout);
        if self.stdout.len() >= WRITE_BYTES {
            return self.flush_stdout();
        }
        Ok(())
    }

    /// Hands on what was printed.
    pub fn flush_stdout(&mut self) -> Result<(), String> {
        if self.stdout.is_empty() {
            return Ok(());
        }
        let result = write_out(io::stdout().lock(), &self.stdout);
        self.stdout.clear();
        result.map_err(|reason| format!("write failure (\"standard output\": {reason})"))
    }

    /// Writes a message to standard error.
    pub fn write_error(&mut self, text: &[u8]) {
        // The order on a shared terminal or file stays that of the program.
        let _ = self.flush_stdout();
        let _ = io::stderr().lock().write_all(text);
    }

    /// Writes to a named file or command by `fill`.
    pub fn print_to(
        &mut self,
        redirect: Redirect,
        goal: &[u8],
        fill: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), String> {
        let is_file = matches!(redirect, Redirect::Truncate | Redirect::Append);
        let known = if is_file {
            self.files.contains_key(goal)
        } else {
            self.pipes.contains_key(goal)
        };
        if !known {
            let output = self.open(redirect, goal)?;
            let outputs = if is_file {
                &mut self.files
            } else {
                &mut self.pipes
            };
            outputs.insert(goal.to_vec(), output);
        }
        let outputs = if is_file {
            &mut self.files
        } else {
            &mut self.pipes
        };
        let Some(output) = outputs.get_mut(goal) else {
            return Ok(());
        };
        match output.sink {
            Sink::Stdout => return self.print(fill),
            Sink::Stderr => {
                fill(&mut output.buffer);
                let buffer = std::mem::take(&mut output.buffer);
                self.write_error(&buffer);
            }
            Sink::File(_) | Sink::Pipe(..) => {
                fill(&mut output.buffer);
                if output.buffer.len() >= WRITE_BYTES {
                    return output.flush();
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, redirect: Redirect, goal: &[u8]) -> Result<Output, String> {
        self.serial += 1;
        let name = String::from_utf8_lossy(goal).into_owned();
        let cannot = |error: &io::Error| match redirect {
            Redirect::Truncate | Redirect::Append => {
                format!("cannot redirect to `{name}': {}", reason(error))
            }
            Redirect::Pipe => format!("cannot open pipe `{name}' for output: {}", reason(error)),
            Redirect::Coprocess => format!(
                "cannot open two way pipe `{name}' for input/output: {}",
                reason(error)
            ),
        };
        if goal.is_empty() {
            let sign = match redirect {
                Redirect::Truncate => ">",
                Redirect::Append => ">>",
                Redirect::Pipe => "|",
                Redirect::Coprocess => "|&",
            };
            return Err(format!(
                "expression for `{sign}' redirection has null string value"
            ));
        }
        let sink = match redirect {
            Redirect::Truncate | Redirect::Append => match goal {
                b"/dev/stdout" | b"/dev/fd/1" | b"-" => Sink::Stdout,
                b"/dev/stderr" | b"/dev/fd/2" => Sink::Stderr,
                _ => {
                    let mut options = OpenOptions::new();
                    if redirect == Redirect::Append {
                        options.append(true);
                    } else {
                        options.write(true).truncate(true);
                    }
                    Sink::File(
                        options
                            .create(true)
                            .open(&name)
                            .map_err(|error| cannot(&error))?,
                    )
                }
            },
            Redirect::Pipe => {
                self.flush_all()?;
                let (child, input) = children::writer(goal).map_err(|error| cannot(&error))?;
                Sink::Pipe(Some(input), Some(child))
            }
            Redirect::Coprocess => {
                self.flush_all()?;
                let (child, (input, output)) =
                    children::coprocess(goal).map_err(|error| cannot(&error))?;
                let reader = Reader::new(output);
                self.read_commands.insert(
                    goal.to_vec(),
                    Input {
                        reader,
                        child: None,
                    },
                );
                Sink::Pipe(Some(input), Some(child))
            }
        };
        Ok(Output {
            sink,
            buffer: Vec::new(),
            serial: self.serial,
        })
    }

    /// Hands on all output; the first error.
    pub fn flush_all(&mut self) -> Result<(), String> {
        let mut result = self.flush_stdout();
        for output in self.files.values_mut().chain(self.pipes.values_mut()) {
            let flushed = output.flush();
            if result.is_ok() {
                result = flushed;
            }
        }
        result
    }

    /// Hands on the output of one stream; false if there is none of that name.
    pub fn flush(&mut self, goal: &[u8]) -> Result<bool, String> {
        let mut found = false;
        if matches!(goal, b"/dev/stdout") {
            self.flush_stdout()?;
            found = true;
        }
        for outputs in [&mut self.files, &mut self.pipes] {
            if let Some(output) = outputs.get_mut(goal) {
                output.flush()?;
                found = true;
            }
        }
        Ok(found)
    }

    /// Runs a command with this program's own input and output.
    pub fn system(&mut self, command: &[u8]) -> Result<f64, String> {
        self.flush_all()?;
        children::run(command).map_err(|error| reason(&error))
    }

    /// Returns the reader of a file, opening it if need be.
    pub fn file_reader(&mut self, name: &[u8]) -> io::Result<&mut Reader> {
        if !self.read_files.contains_key(name) {
            // What the program wrote itself must be there to be read.
            if let Some(output) = self.files.get_mut(name) {
                let _ = output.flush();
            }
            let reader = open_reader(name)?;
            self.read_files.insert(
                name.to_vec(),
                Input {
                    reader,
                    child: None,
                },
            );
        }
        match self.read_files.get_mut(name) {
            Some(input) => Ok(&mut input.reader),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Returns the reader of a command's output, starting it if need be.
    pub fn command_reader(
        &mut self,
        command: &[u8],
        is_coprocess: bool,
    ) -> io::Result<&mut Reader> {
        if !self.read_commands.contains_key(command) {
            self.flush_all().map_err(io::Error::other)?;
            if is_coprocess {
                let output = self
                    .open(Redirect::Coprocess, command)
                    .map_err(io::Error::other)?;
                self.pipes.insert(command.to_vec(), output);
            } else {
                let (child, output) = children::reader(command)?;
                let input = Input {
                    reader: Reader::new(output),
                    child: Some(child),
                };
                self.read_commands.insert(command.to_vec(), input);
            }
        } else if is_coprocess && let Some(output) = self.pipes.get_mut(command) {
            output.flush().map_err(io::Error::other)?;
        }
        match self.read_commands.get_mut(command) {
            Some(input) => Ok(&mut input.reader),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Closes what is open under a name; none if nothing is. `Some("to")` closes only the writing end.
    pub fn close(&mut self, name: &[u8], end: Option<&[u8]>) -> Result<Option<f64>, String> {
        if end == Some(b"to") {
            let Some(output) = self.pipes.get_mut(name) else {
                return Ok(None);
            };
            output.flush()?;
            if let Sink::Pipe(input, _) = &mut output.sink {
                *input = None;
            }
            return Ok(Some(0.0));
        }
        let mut status = None;
        if let Some(output) = self.files.remove(name) {
            if matches!(output.sink, Sink::Stdout) {
                self.flush_stdout()?;
            }
            status = Some(output.close()?);
        }
        if let Some(output) = self.pipes.remove(name) {
            self.flush_stdout()?;
            status = Some(output.close()?);
        }
        if self.read_files.remove(name).is_some() {
            status = status.or(Some(0.0));
        }
        if let Some(Input { reader, child }) = self.read_commands.remove(name) {
            // The command must see that nobody reads on, or it might never end.
            drop(reader);
            let ended = match child {
                Some(child) => child.wait(),
                None => 0.0,
            };
            status = status.or(Some(ended));
        }
        Ok(status)
    }

    /// Closes everything, pipes in the order they were opened.
    pub fn close_all(&mut self) -> Result<(), String> {
        let mut result = self.flush_stdout();
        let mut outputs: Vec<Output> = self
            .files
            .drain()
            .chain(self.pipes.drain())
            .map(|entry| entry.1)
            .collect();
        outputs.sort_by_key(|output| output.serial);
        for output in outputs {
            let closed = output.close().map(|_| ());
            if result.is_ok() {
                result = closed;
            }
        }
        self.read_files.clear();
        for (_, Input { reader, child }) in self.read_commands.drain() {
            drop(reader);
            if let Some(child) = child {
                let _ = child.wait();
            }
        }
        result
    }
}

impl Output {
    fn flush(&mut self) -> Result<(), String> {
        let result = match &mut self.sink {
            Sink::File(file) => file.write_all(&self.buffer).map_err(|error| reason(&error)),
            // A command that has stopped reading is no failure of this program.
            Sink::Pipe(Some(input), _) => {
                match input.write_all(&self.buffer).and_then(|()| input.flush()) {
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(reason(&error)),
                    _ => Ok(()),
                }
            }
            Sink::Pipe(None, _) | Sink::Stdout | Sink::Stderr => Ok(()),
        };
        self.buffer.clear();
        result.map_err(|reason| format!("write failure: {reason}"))
    }

    fn close(mut self) -> Result<f64, String> {
        self.flush()?;
        match self.sink {
            Sink::Pipe(input, Some(child)) => {
                drop(input);
                Ok(child.wait())
            }
            _ => Ok(0.0),
        }
    }
}

/// Opens a file, or standard input, to be read.
pub fn open_reader(name: &[u8]) -> io::Result<Reader> {
    if matches!(name, b"-" | b"/dev/stdin" | b"/dev/fd/0") {
        return Ok(Reader::new(Box::new(io::stdin())));
    }
    let name = String::from_utf8_lossy(name).into_owned();
    let file = File::open(&name)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Reader::new(Box::new(file)))
}
