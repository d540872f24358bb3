//! The lines of the input files, one after the other or each file by itself.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read},
};

use crate::Failure;

const PIECE_BYTES: usize = 64 << 10;

/// A reader of lines that knows whether more follows.
pub(crate) struct Lines {
    file: Box<dyn Read>,
    name: String,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_over: bool,
}

impl Lines {
    pub(crate) fn new(file: Box<dyn Read>, name: String) -> Self {
        Self {
            file,
            name,
            buffer: vec![0; PIECE_BYTES],
            start: 0,
            end: 0,
            is_over: false,
        }
    }

    /// Returns whether nothing is left to read.
    pub(crate) fn at_end(&mut self) -> Result<bool, Failure> {
        if self.start < self.end {
            return Ok(false);
        }
        self.fill()?;
        Ok(self.start == self.end)
    }

    fn fill(&mut self) -> Result<(), Failure> {
        while !self.is_over && self.start == self.end {
            match self.file.read(&mut self.buffer) {
                Ok(0) => self.is_over = true,
                Ok(count) => {
                    self.start = 0;
                    self.end = count;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(Failure::trouble(format!(
                        "read error on {}: {}",
                        self.name,
                        process::message(&error)
                    )));
                }
            }
        }
        Ok(())
    }

    /// Appends the next line without its end. Returns none if there is none, otherwise whether it had an end.
    pub(crate) fn read(&mut self, line: &mut Vec<u8>, end: u8) -> Result<Option<bool>, Failure> {
        let mut has_read = false;
        while !self.at_end()? {
            has_read = true;
            let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
            match memchr::memchr(end, rest) {
                Some(length) => {
                    line.extend_from_slice(rest.get(..length).unwrap_or_default());
                    self.start += length + 1;
                    return Ok(Some(true));
                }
                None => {
                    line.extend_from_slice(rest);
                    self.start = self.end;
                }
            }
        }
        Ok(has_read.then_some(false))
    }
}

/// The input files.
pub(crate) struct Input {
    files: VecDeque<String>,
    current: Option<Lines>,
    name: String,
    line_end: u8,
    /// Every file is an input of its own.
    separate: bool,
    /// A file could not be read.
    pub(crate) has_missing: bool,
}

impl Input {
    pub(crate) fn new(files: &[String], line_end: u8, separate: bool) -> Self {
        let mut files: VecDeque<String> = files.iter().cloned().collect();
        if files.is_empty() {
            files.push_back("-".to_owned());
        }
        Self {
            files,
            current: None,
            name: "-".to_owned(),
            line_end,
            separate,
            has_missing: false,
        }
    }

    /// Returns the name of the file that is read.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Goes to the next file that can be read. Returns false if there is none. With separate files the caller
    /// does this between files; otherwise it happens by itself.
    pub(crate) fn next_file(&mut self, in_place: bool) -> bool {
        self.current = None;
        while let Some(name) = self.files.pop_front() {
            if name == "-" && !in_place {
                self.name = name;
                let file = Box::new(io::stdin());
                self.current = Some(Lines::new(file, "-".to_owned()));
                return true;
            }
            match File::open(&name) {
                Ok(file) => {
                    self.current = Some(Lines::new(Box::new(file), name.clone()));
                    self.name = name;
                    return true;
                }
                Err(error) => {
                    eprintln!("sed: can't read {name}: {}", process::message(&error));
                    self.has_missing = true;
                }
            }
        }
        false
    }

    /// Returns whether no line follows the one that was read last.
    pub(crate) fn is_last(&mut self) -> Result<bool, Failure> {
        loop {
            if let Some(lines) = &mut self.current
                && !lines.at_end()?
            {
                return Ok(false);
            }
            if self.separate || !self.next_file(false) {
                return Ok(true);
            }
        }
    }

    /// Appends the next line. Returns none at the end, otherwise whether the line had an end.
    pub(crate) fn read(&mut self, line: &mut Vec<u8>) -> Result<Option<bool>, Failure> {
        loop {
            if let Some(lines) = &mut self.current
                && let Some(has_end) = lines.read(line, self.line_end)?
            {
                return Ok(Some(has_end));
            }
            if self.separate || !self.next_file(false) {
                return Ok(None);
            }
        }
    }
}
