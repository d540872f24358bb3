//! The outputs: standard output or the file that is edited, and the files of `w`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use crate::Failure;

const BUFFER_BYTES: usize = 64 << 10;

/// An output. A line without an end gets one only if something follows it.
pub(crate) struct Output {
    out: BufWriter<Box<dyn Write>>,
    name: String,
    lacks_end: bool,
    unbuffered: bool,
}

impl Output {
    pub(crate) fn new(out: Box<dyn Write>, name: String, unbuffered: bool) -> Self {
        Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, out),
            name,
            lacks_end: false,
            unbuffered,
        }
    }

    pub(crate) fn standard(unbuffered: bool) -> Self {
        Self::new(Box::new(io::stdout()), "stdout".to_owned(), unbuffered)
    }

    /// Opens a file that the script writes.
    pub(crate) fn open(name: &str) -> Result<Self, Failure> {
        if name == "/dev/stderr" {
            return Ok(Self::new(Box::new(io::stderr()), name.to_owned(), true));
        }
        let file = File::create(name).map_err(|error| {
            Failure::trouble(format!(
                "couldn't open file {name}: {}",
                process::message(&error)
            ))
        })?;
        Ok(Self::new(Box::new(file), name.to_owned(), false))
    }

    fn done(&mut self, result: io::Result<()>) -> Result<(), Failure> {
        let result = match self.unbuffered {
            true => result.and_then(|()| self.out.flush()),
            false => result,
        };
        result.map_err(|error| Failure::writing(&self.name, &error))
    }

    /// Writes a line and its end, if it is to have one.
    pub(crate) fn line(&mut self, line: &[u8], end: Option<u8>) -> Result<(), Failure> {
        let result = self.write_end().and_then(|()| self.out.write_all(line));
        let result = match end {
            Some(end) => result.and_then(|()| self.out.write_all(&[end])),
            None => {
                self.lacks_end = true;
                result
            }
        };
        self.done(result)
    }

    /// Writes text as it is.
    pub(crate) fn text(&mut self, text: &[u8]) -> Result<(), Failure> {
        let result = self.write_end().and_then(|()| self.out.write_all(text));
        self.done(result)
    }

    fn write_end(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.lacks_end) {
            true => self.out.write_all(b"\n"),
            false => Ok(()),
        }
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out
            .flush()
            .map_err(|error| Failure::writing(&self.name, &error))
    }
}
