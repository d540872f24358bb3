//! The bytes of all files one behind the other, in blocks; repeated blocks are reported once.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};

use streams::input::CHUNK_BYTES;

use crate::{input, report};

/// What is to be read.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) length: Option<u64>,
    pub(super) skip: u64,
    pub(super) shows_all: bool,
}

/// What comes next.
pub(super) enum Next {
    /// A block begins at `address`; beyond `end`, if there is one, are no bytes.
    Block { address: u64, end: Option<u64> },
    /// Blocks as the last one are left out from here.
    Repeats,
    /// The address behind the last byte.
    End(u64),
}

#[derive(PartialEq, Eq)]
enum Squeeze {
    First,
    Waits,
    Repeats,
}

pub(super) struct Blocks {
    program: String,
    settings: Settings,
    names: VecDeque<String>,
    is_standard: bool,
    opened: bool,
    failed: bool,
    file: Option<Box<dyn BufRead>>,
    /// Its name.
    name: String,
    address: u64,
    /// The address behind the last byte, once there is no more.
    end: Option<u64>,
    block: Vec<u8>,
    before: Vec<u8>,
    squeeze: Squeeze,
    is_first: bool,
}

impl Blocks {
    pub(super) fn new(program: &str, block: usize, settings: Settings, names: Vec<String>) -> Self {
        Self {
            program: program.to_owned(),
            settings,
            is_standard: names.is_empty(),
            names: names.into(),
            opened: false,
            failed: false,
            file: None,
            name: String::new(),
            address: 0,
            end: None,
            block: vec![0; block],
            before: vec![0; block],
            squeeze: Squeeze::First,
            is_first: true,
        }
    }

    pub(super) fn status(&self) -> u8 {
        u8::from(self.failed)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.block
    }

    pub(super) fn next(&mut self) -> io::Result<Next> {
        if !self.is_first {
            self.address += self.block.len() as u64;
            std::mem::swap(&mut self.block, &mut self.before);
        }
        let mut read = 0;
        loop {
            let space = self.block.len() - read;
            let wanted = self.settings.length.map_or(space, |length| {
                usize::try_from(length).unwrap_or(usize::MAX).min(space)
            });
            let is_open = wanted > 0 && (self.file.is_some() || self.open_next());
            // Opening may skip, which moves the address of a first block.
            if !is_open {
                if read == 0 {
                    return Ok(Next::End(self.end.unwrap_or(self.address)));
                }
                let whole = self.address + read as u64;
                if let Some(rest) = self.block.get_mut(read..) {
                    rest.fill(0);
                }
                self.end = Some(whole);
                self.is_first = false;
                return Ok(Next::Block {
                    address: self.address,
                    end: self.end,
                });
            }
            let Some(file) = &mut self.file else {
                continue;
            };
            let place = self.block.get_mut(read..read + wanted).unwrap_or(&mut []);
            let count = match input::fill(&mut **file, place) {
                Ok(count) => count,
                Err(error) => {
                    let message = process::message(&error);
                    let name = &self.name;
                    report::complain(&self.program, format_args!("{name}: {message}"));
                    self.file = None;
                    continue;
                }
            };
            if count < wanted {
                self.file = None;
            }
            if let Some(length) = &mut self.settings.length {
                *length -= count as u64;
            }
            read += count;
            if read < self.block.len() {
                continue;
            }
            if self.settings.shows_all
                || self.is_first
                || self.squeeze == Squeeze::First
                || self.block != self.before
            {
                self.is_first = false;
                self.squeeze = Squeeze::Waits;
                return Ok(Next::Block {
                    address: self.address,
                    end: None,
                });
            }
            if self.squeeze == Squeeze::Waits {
                self.squeeze = Squeeze::Repeats;
                return Ok(Next::Repeats);
            }
            self.address += self.block.len() as u64;
            read = 0;
        }
    }

    /// Opens the next file, past what is to be skipped; false where there is none.
    fn open_next(&mut self) -> bool {
        loop {
            let (name, shown) = if self.is_standard {
                if self.opened {
                    return false;
                }
                self.opened = true;
                ("-".to_owned(), "stdin".to_owned())
            } else {
                match self.names.pop_front() {
                    Some(name) => (name.clone(), name),
                    None => {
                        if !self.opened {
                            self.opened = true;
                            report::complain(&self.program, "all input file arguments failed");
                        }
                        return false;
                    }
                }
            };
            match self.open(&name) {
                Ok(true) => {
                    self.opened = true;
                    self.name = shown;
                    return true;
                }
                Ok(false) => self.opened = true,
                Err(error) => {
                    let message = process::message(&error);
                    report::complain(&self.program, format_args!("{shown}: {message}"));
                    self.failed = true;
                    if self.settings.skip > 0 && self.is_standard {
                        return false;
                    }
                }
            }
        }
    }

    /// Opens a file; false if all of it is to be skipped.
    fn open(&mut self, name: &str) -> io::Result<bool> {
        if self.is_standard {
            let mut standard = input::open(name)?;
            let skipped = input::skip(&mut *standard, self.settings.skip)?;
            self.address += skipped;
            self.settings.skip = 0;
            self.file = Some(standard);
            return Ok(true);
        }
        let mut file = std::fs::File::open(name)?;
        let known = file.metadata()?;
        if known.is_file() && self.settings.skip > 0 {
            if self.settings.skip > known.len() {
                self.settings.skip -= known.len();
                self.address += known.len();
                return Ok(false);
            }
            file.seek(SeekFrom::Start(self.settings.skip))?;
            self.address += self.settings.skip;
            self.settings.skip = 0;
        }
        self.file = Some(Box::new(BufReader::with_capacity(CHUNK_BYTES, file)));
        Ok(true)
    }
}
