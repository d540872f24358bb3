//! Reading records: the main input over the files of ARGV, and `getline` in its forms.

use std::rc::Rc;

use crate::Error;
use crate::op::{LineFrom, Special};
use crate::streams::{open_reader, reason};
use crate::value::Value;

use super::{Flow, Machine};

impl Machine {
    /// Reads the next record of the main input into `$0`; false at its end.
    pub(super) fn next_main_record(&mut self) -> Result<bool, Error> {
        loop {
            if self.main.is_none() && !self.open_next_file()? {
                return Ok(false);
            }
            let Some(reader) = self.main.as_mut() else {
                return Ok(false);
            };
            let (separator, terminator) = (&self.settings.separator, &mut self.terminator);
            // Into a buffer aside: at the end of the input the last record is still there for END.
            let mut text = std::mem::take(&mut self.buffer);
            text.clear();
            let result = reader.record(separator, &mut text, terminator);
            if matches!(result, Ok(true)) {
                self.record.refill(&self.settings.splitter, |own| {
                    std::mem::swap(own, &mut text)
                });
            }
            self.buffer = text;
            match result {
                Ok(true) => {
                    self.record_number += 1.0;
                    self.file_record_number += 1.0;
                    self.set_terminator();
                    return self.check_record();
                }
                Ok(false) => {
                    if !self.close_file()? {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(self.input_error(&error)),
            }
        }
    }

    fn input_error(&self, error: &std::io::Error) -> Error {
        let name = String::from_utf8_lossy(&self.global_bytes(Special::Filename)).into_owned();
        self.fatal(&format!(
            "error reading input file `{name}': {}",
            reason(error)
        ))
    }

    /// A record's places are 32-bit numbers.
    fn check_record(&self) -> Result<bool, Error> {
        if u32::try_from(self.record.text().len()).is_err() {
            return Err(self.fatal("record is longer than 4 GiB"));
        }
        Ok(true)
    }

    fn set_terminator(&mut self) {
        if self.program.uses_rt {
            let terminator = Value::text(&self.terminator);
            self.set_slot(Special::Rt, terminator);
        }
    }

    /// Ends the current file of the main input; false if the program is to end.
    fn close_file(&mut self) -> Result<bool, Error> {
        self.main = None;
        if let Some(end_file) = self.program.end_file {
            // ENDFILE still sees the last record.
            if self.run(end_file)? == Flow::Exit {
                self.is_exit_asked = true;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `nextfile`.
    pub(super) fn skip_file(&mut self) -> Result<Flow, Error> {
        if self.main.is_some() && !self.close_file()? {
            return Ok(Flow::Exit);
        }
        Ok(Flow::Done)
    }

    /// Opens the next file of ARGV, or standard input if it names none; false if there is no more.
    fn open_next_file(&mut self) -> Result<bool, Error> {
        if self.is_input_over {
            return Ok(false);
        }
        loop {
            let Some(name) = self.next_file_name()? else {
                self.is_input_over = true;
                return Ok(false);
            };
            let is_standard = name.is_empty();
            self.set_slot(Special::Filename, Value::input(&name));
            self.file_record_number = 0.0;
            let source: &[u8] = if is_standard { b"-" } else { &name };
            let opened = open_reader(source);
            let shown = String::from_utf8_lossy(&name).into_owned();
            let mut failure = None;
            match opened {
                Ok(reader) => {
                    self.main = Some(reader);
                    self.set_slot(Special::Errno, Value::text(b""));
                }
                Err(error) => {
                    let error = reason(&error);
                    self.set_slot(Special::Errno, Value::text(error.as_bytes()));
                    failure = Some(error);
                }
            }
            if let Some(begin_file) = self.program.begin_file {
                match self.run(begin_file)? {
                    Flow::Exit => {
                        self.is_exit_asked = true;
                        return Ok(false);
                    }
                    Flow::NextFile => {
                        if self.main.is_some() && !self.close_file()? {
                            return Ok(false);
                        }
                        continue;
                    }
                    Flow::Done | Flow::Next => {}
                }
            }
            match failure {
                None => return Ok(true),
                Some(error) if error == "is a directory" => {
                    let text = format!(
                        "{}: warning: command line argument `{shown}' is a directory: skipped\n",
                        self.name
                    );
                    self.streams.write_error(text.as_bytes());
                }
                Some(error) => {
                    return Err(
                        self.fatal(&format!("cannot open file `{shown}' for reading: {error}"))
                    );
                }
            }
        }
    }

    /// Goes on in ARGV, carrying out assignments; the empty name is standard input without an argument.
    fn next_file_name(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            let count = self
                .globals
                .get(Special::Argc.slot() as usize)
                .map_or(0.0, Value::number);
            if self.main_argument as f64 >= count {
                if self.has_read_file {
                    return Ok(None);
                }
                self.has_read_file = true;
                return Ok(Some(Vec::new()));
            }
            let place = self.main_argument;
            self.main_argument += 1;
            let argument = match self.globals.get(Special::Argv.slot() as usize) {
                Some(Value::Array(array)) => {
                    let array = array.borrow();
                    array
                        .get(place.to_string().as_bytes())
                        .map(|value| value.to_bytes(b"%.6g"))
                }
                _ => None,
            };
            let Some(argument) = argument.filter(|argument| !argument.is_empty()) else {
                continue;
            };
            if let Some((name, value)) = assignment(&argument) {
                let (name, value) = (name.to_owned(), value.to_vec());
                self.assign_by_name(&name, &value)?;
                continue;
            }
            self.has_read_file = true;
            self.set_slot(Special::Argind, Value::Number(place as f64));
            return Ok(Some(argument));
        }
    }

    /// `getline`: keeps status and, for a variable, the text. False if the program is to end.
    pub(super) fn get_line(
        &mut self,
        from: LineFrom,
        is_for_variable: bool,
    ) -> Result<bool, Error> {
        if from == LineFrom::Main {
            return self.get_main_line(is_for_variable);
        }
        let name = self.pop().to_bytes(&self.settings.number_format);
        let mut line = Vec::new();
        let opened = match from {
            LineFrom::File => self.streams.file_reader(&name),
            LineFrom::Command | LineFrom::Main => self.streams.command_reader(&name, false),
            LineFrom::Coprocess => self.streams.command_reader(&name, true),
        };
        let result = opened.and_then(|reader| {
            reader.record(&self.settings.separator, &mut line, &mut self.terminator)
        });
        match result {
            Ok(true) => {
                self.got_status = 1.0;
                self.set_terminator();
                if is_for_variable {
                    self.got_text = Value::input(&line);
                } else {
                    self.record.refill(&self.settings.splitter, |text| {
                        std::mem::swap(text, &mut line)
                    });
                    self.check_record()?;
                }
            }
            Ok(false) => self.got_status = 0.0,
            Err(error) => {
                self.set_slot(Special::Errno, Value::text(reason(&error).as_bytes()));
                self.got_status = -1.0;
            }
        }
        Ok(true)
    }

    fn get_main_line(&mut self, is_for_variable: bool) -> Result<bool, Error> {
        if !is_for_variable {
            self.got_status = if self.next_main_record()? { 1.0 } else { 0.0 };
            return Ok(!self.is_exit_asked);
        }
        // The record stays: it is put aside while the next one is read.
        let splitter = Rc::clone(&self.settings.splitter);
        let kept = std::mem::replace(&mut self.record, crate::record::Record::new(splitter));
        let got = self.next_main_record();
        let read = std::mem::replace(&mut self.record, kept);
        let got = got?;
        self.got_status = if got { 1.0 } else { 0.0 };
        if got {
            self.got_text = Value::input(read.text());
        }
        Ok(!self.is_exit_asked)
    }
}

/// Splits `name=value`, if the argument is an assignment.
pub(crate) fn assignment(argument: &[u8]) -> Option<(&str, &[u8])> {
    let equals = argument.iter().position(|byte| *byte == b'=')?;
    let (name, value) = argument.split_at_checked(equals)?;
    let first = name.first()?;
    let is_name = (first.is_ascii_alphabetic() || *first == b'_')
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if !is_name {
        return None;
    }
    Some((std::str::from_utf8(name).ok()?, value.get(1..)?))
}
