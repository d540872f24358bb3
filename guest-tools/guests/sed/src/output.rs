//! The outputs: standard output or the file that is edited, and the files of `w`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use crate::{Failure, settings::Settings};

const BUFFER_BYTES: usize = 64 << 10;

/// An output. A line without an end gets one only if something follows it.
pub(crate) struct Output {
    out: BufWriter<Box<dyn Write>>,
    name: String,
    lacks_end: bool,
    line_end: u8,
    unbuffered: bool,
}

impl Output {
    pub(crate) fn new(out: Box<dyn Write>, name: String, line_end: u8) -> Self {
        Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, out),
            name,
            lacks_end: false,
            line_end,
            unbuffered: false,
        }
    }

    pub(crate) fn standard(settings: &Settings) -> Self {
        let mut output = Self::new(
            Box::new(io::stdout()),
            "stdout".to_owned(),
            settings.line_end,
        );
        output.unbuffered = settings.unbuffered;
        output
    }

    /// Opens a file that the script writes.
    pub(crate) fn open(name: &str, line_end: u8) -> Result<Self, Failure> {
        if name == "/dev/stderr" {
            let mut output = Self::new(Box::new(io::stderr()), name.to_owned(), line_end);
            output.unbuffered = true;
            return Ok(output);
        }
        let file = File::create(name).map_err(|error| {
            Failure::trouble(format!(
                "couldn't open file {name}: {}",
                process::message(&error)
            ))
        })?;
        Ok(Self::new(Box::new(file), name.to_owned(), line_end))
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

    /// As `line`, with what was left open before kept by the caller.
    pub(crate) fn line_aside(
        &mut self,
        line: &[u8],
        end: Option<u8>,
        lacks_end: &mut bool,
    ) -> Result<(), Failure> {
        std::mem::swap(&mut self.lacks_end, lacks_end);
        let result = self.line(line, end);
        std::mem::swap(&mut self.lacks_end, lacks_end);
        result
    }

    /// Writes text that ends in a line feed, which becomes the end that lines have.
    pub(crate) fn text_line(&mut self, text: &[u8]) -> Result<(), Failure> {
        let line_end = self.line_end;
        match text.strip_suffix(b"\n") {
            Some(line) => self.line(line, Some(line_end)),
            None => self.text(text),
        }
    }

    /// Writes text as it is.
    pub(crate) fn text(&mut self, text: &[u8]) -> Result<(), Failure> {
        let result = self.write_end().and_then(|()| self.out.write_all(text));
        self.done(result)
    }

    fn write_end(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.lacks_end) {
            true => self.out.write_all(&[self.line_end]),
            false => Ok(()),
        }
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out
            .flush()
            .map_err(|error| Failure::writing(&self.name, &error))
    }
}
