//! Where actions write to: standard output and the files of `-fprint` and its kin, buffered.

use std::fs::File;
use std::io::{self, Write};

/// How much is gathered before it is written.
const WRITE_BYTES: usize = 64 * 1024;

enum Sink {
    Stdout,
    Stderr,
    File(File),
}

/// One output.
pub struct Output {
    sink: Sink,
    name: String,
    buffer: Vec<u8>,
    failure: Option<String>,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            sink: Sink::Stdout,
            name: "standard output".to_owned(),
            buffer: Vec::new(),
            failure: None,
        }
    }
}

impl Output {
    fn open(name: &str) -> io::Result<Self> {
        let sink = match name {
            "/dev/stdout" => Sink::Stdout,
            "/dev/stderr" => Sink::Stderr,
            _ => Sink::File(File::create(name)?),
        };
        Ok(Self {
            sink,
            name: name.to_owned(),
            buffer: Vec::new(),
            failure: None,
        })
    }

    /// Writes.
    pub fn print(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= WRITE_BYTES {
            self.flush();
        }
    }

    /// Returns the buffer, to write into it; `filled` must follow.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Hands on what was gathered if it is much.
    pub fn filled(&mut self) {
        if self.buffer.len() >= WRITE_BYTES {
            self.flush();
        }
    }

    /// Hands on what was gathered.
    pub fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let result = match &mut self.sink {
            Sink::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(&self.buffer).and_then(|()| stdout.flush())
            }
            Sink::Stderr => io::stderr().lock().write_all(&self.buffer),
            Sink::File(file) => file.write_all(&self.buffer),
        };
        self.buffer.clear();
        if let Err(error) = result {
            if error.kind() == io::ErrorKind::BrokenPipe {
                process::exit(141);
            }
            self.failure
                .get_or_insert_with(|| crate::messages::reason(&error));
        }
    }

    /// Hands on the rest; returns 1 if anything could not be written.
    pub fn finish(&mut self) -> u8 {
        self.flush();
        match self.failure.take() {
            Some(reason) => {
                crate::messages::report("find", &format!("{}: {reason}", self.name));
                1
            }
            None => 0,
        }
    }
}

/// All outputs of a search; the first is standard output.
pub struct Outputs(Vec<Output>);

impl Default for Outputs {
    fn default() -> Self {
        Self(vec![Output::default()])
    }
}

impl Outputs {
    /// Returns the place of a file, opening it if no action has it yet.
    pub fn open(&mut self, name: &str) -> io::Result<usize> {
        if let Some(place) = self.0.iter().position(|output| output.name == name) {
            return Ok(place);
        }
        self.0.push(Output::open(name)?);
        Ok(self.0.len() - 1)
    }

    /// Returns an output.
    pub fn get(&mut self, place: usize) -> Option<&mut Output> {
        self.0.get_mut(place)
    }

    /// Hands on everything, so that a command's own output comes behind it.
    pub fn flush(&mut self) {
        self.0.iter_mut().for_each(Output::flush);
    }

    /// Hands on the rest; returns 1 if anything could not be written.
    pub fn finish(&mut self) -> u8 {
        self.0.iter_mut().map(Output::finish).max().unwrap_or(0)
    }
}
