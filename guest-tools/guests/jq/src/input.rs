//! What filters work on: the values, lines or bytes of the files, one after the other.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use process::Errno;

use crate::parse::Parser;
use crate::value::Val;

const READ_BYTES: usize = 64 * 1024;

/// How the bytes of the files become values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// `-R`: lines.
    pub is_raw: bool,
    /// `-s`: everything together.
    pub is_slurped: bool,
    /// `--stream`: paths and leaves.
    pub is_streamed: bool,
    /// `--seq`.
    pub is_sequence: bool,
}

/// The inputs.
pub struct Source {
    files: VecDeque<String>,
    reader: Option<Box<dyn BufRead>>,
    name: Option<String>,
    line: usize,
    mode: Mode,
    parser: Parser,
    piece: Vec<u8>,
    used: usize,
    ready: VecDeque<Val>,
    is_over: bool,
    /// A file could not be read.
    pub has_failed: bool,
}

impl Source {
    /// Returns the inputs of the files; without any, of standard input.
    pub fn new(files: Vec<String>, mode: Mode) -> Self {
        let mut source = Self {
            files: files.into(),
            reader: None,
            name: None,
            line: 0,
            mode,
            parser: Parser::new(mode.is_sequence),
            piece: Vec::new(),
            used: 0,
            ready: VecDeque::new(),
            is_over: false,
            has_failed: false,
        };
        if source.files.is_empty() {
            source.files.push_back("-".to_owned());
        }
        source
    }

    /// Returns where reading stands, for messages.
    pub fn position(&self) -> String {
        match (&self.reader, &self.name) {
            (None, _) => "<unknown>".to_owned(),
            (Some(_), None) => format!("<stdin>:{}", self.line),
            (Some(_), Some(name)) => format!("{name}:{}", self.line),
        }
    }

    /// Returns the file that is being read.
    pub fn file_name(&self) -> Val {
        match (&self.reader, &self.name) {
            (Some(_), Some(name)) => Val::text(name),
            _ => Val::Null,
        }
    }

    /// Returns how many lines of it were read.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Reads the next line into `piece`; false at the end of the last file.
    fn read_line(&mut self) -> bool {
        loop {
            if self.reader.is_none() && !self.open() {
                return false;
            }
            self.piece.clear();
            self.used = 0;
            let Some(reader) = &mut self.reader else {
                continue;
            };
            let limit = READ_BYTES as u64;
            match reader.take(limit).read_until(b'\n', &mut self.piece) {
                Ok(0) if self.files.is_empty() => {
                    return false;
                }
                Ok(0) => self.reader = None,
                Ok(_) => {
                    if self.piece.last() == Some(&b'\n') {
                        self.line += 1;
                    }
                    return true;
                }
                Err(error) => {
                    let name = self.name.as_deref().unwrap_or("stdin");
                    eprintln!(
                        "jq: error: Input error: {name}: {}",
                        Errno::from(&error).words()
                    );
                    self.has_failed = true;
                    self.reader = None;
                }
            }
        }
    }

    fn open(&mut self) -> bool {
        let Some(file) = self.files.pop_front() else {
            return false;
        };
        self.line = 0;
        if file == "-" {
            self.name = None;
            self.reader = Some(Box::new(BufReader::with_capacity(READ_BYTES, io::stdin())));
            return true;
        }
        match File::open(&file) {
            Ok(opened) => {
                self.name = Some(file);
                self.reader = Some(Box::new(BufReader::with_capacity(READ_BYTES, opened)));
            }
            Err(error) => {
                eprintln!(
                    "jq: error: Could not open file {file}: {}",
                    Errno::from(&error).words()
                );
                self.has_failed = true;
            }
        }
        true
    }

    fn next_raw(&mut self) -> Option<Val> {
        if self.mode.is_slurped {
            if self.is_over {
                return None;
            }
            self.is_over = true;
            let mut all = Vec::new();
            while self.read_line() {
                all.extend_from_slice(&self.piece);
            }
            return Some(Val::text(&String::from_utf8_lossy(&all)));
        }
        let mut line = Vec::new();
        let mut is_any = false;
        while self.read_line() {
            is_any = true;
            line.extend_from_slice(&self.piece);
            if line.last() == Some(&b'\n') {
                line.pop();
                break;
            }
        }
        is_any.then(|| Val::text(&String::from_utf8_lossy(&line)))
    }

    fn next_json(&mut self) -> Option<Result<Val, String>> {
        loop {
            if self.is_over {
                return None;
            }
            let mut rest = self.piece.get(self.used..).unwrap_or_default();
            let found = self.parser.next(&mut rest);
            self.used = self.piece.len() - rest.len();
            match found {
                Ok(None) => {}
                Ok(Some(value)) => return Some(Ok(value)),
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
            if !self.read_line() {
                self.is_over = true;
                return self.parser.finish().transpose();
            }
        }
    }

    fn next_value(&mut self) -> Option<Result<Val, String>> {
        if let Some(value) = self.ready.pop_front() {
            return Some(Ok(value));
        }
        if self.mode.is_streamed {
            let value = match self.next_json()? {
                Ok(value) => value,
                Err(error) => return Some(Err(error)),
            };
            let mut path = Vec::new();
            stream(&value, &mut path, &mut self.ready);
            return self.ready.pop_front().map(Ok);
        }
        self.next_json()
    }
}

impl Iterator for Source {
    type Item = Result<Val, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.mode.is_raw {
            return self.next_raw().map(Ok);
        }
        if !self.mode.is_slurped {
            return self.next_value();
        }
        if self.is_over {
            return None;
        }
        let mut all = Vec::new();
        while let Some(value) = self.next_value() {
            match value {
                Ok(value) => all.push(value),
                Err(error) => return Some(Err(error)),
            }
        }
        self.is_over = true;
        Some(Ok(Val::array(all)))
    }
}

/// Appends the events of a value: each leaf with its path, and the last path of each array and object.
pub fn stream(value: &Val, path: &mut Vec<Val>, events: &mut VecDeque<Val>) {
    let mut last = None;
    match value {
        Val::Arr(items) if !items.is_empty() => {
            for (place, item) in items.iter().enumerate() {
                path.push(Val::from(place));
                stream(item, path, events);
                last = path.pop();
            }
        }
        Val::Obj(members) if !members.is_empty() => {
            for (key, item) in members.iter() {
                path.push(Val::Str(key.clone()));
                stream(item, path, events);
                last = path.pop();
            }
        }
        leaf => {
            events.push_back(Val::array(vec![Val::array(path.clone()), leaf.clone()]));
            return;
        }
    }
    if let Some(last) = last {
        path.push(last);
        events.push_back(Val::array(vec![Val::array(path.clone())]));
        path.pop();
    }
}
