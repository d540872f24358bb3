//! Splits xargs' input into items: by blanks and quotes, by lines, or by a delimiter.

use std::io::{BufReader, Read};

use crate::messages::report;

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// One item.
pub struct Item {
    /// The item.
    pub text: String,
    /// Whether its line ends with it: a blank in front of the newline joins the next line.
    pub ends_line: bool,
}

/// The input.
pub struct Input {
    source: BufReader<Box<dyn Read>>,
    delimiter: Option<u8>,
    end_marker: Option<String>,
    is_by_line: bool,
    is_over: bool,
    has_warned: bool,
}

/// What a byte of the input does outside of quotes.
enum Quote {
    None,
    Within(u8),
}

impl Input {
    /// Reads from a source; `is_by_line` as `-I` has it.
    pub fn new(
        source: Box<dyn Read>,
        delimiter: Option<u8>,
        end_marker: Option<String>,
        is_by_line: bool,
    ) -> Self {
        Self {
            source: BufReader::with_capacity(READ_BYTES, source),
            delimiter,
            end_marker,
            is_by_line,
            is_over: false,
            has_warned: false,
        }
    }

    fn byte(&mut self) -> Result<Option<u8>, String> {
        let mut byte = [0];
        match self.source.read(&mut byte) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(byte.first().copied()),
            Err(error) => Err(format!("read error: {}", crate::messages::reason(&error))),
        }
    }

    /// Returns the next item.
    pub fn next(&mut self) -> Result<Option<Item>, String> {
        if self.is_over {
            return Ok(None);
        }
        let item = match self.delimiter {
            Some(delimiter) => self.delimited(delimiter)?,
            None => self.quoted()?,
        };
        match (&item, &self.end_marker) {
            (Some(item), Some(marker)) if item.text == *marker => {
                self.is_over = true;
                Ok(None)
            }
            _ => Ok(item),
        }
    }

    fn delimited(&mut self, delimiter: u8) -> Result<Option<Item>, String> {
        let mut bytes = Vec::new();
        let mut has_any = false;
        loop {
            match self.byte()? {
                Some(byte) if byte == delimiter => break,
                Some(byte) => {
                    has_any = true;
                    bytes.push(byte);
                }
                None => {
                    self.is_over = true;
                    if !has_any {
                        return Ok(None);
                    }
                    break;
                }
            }
        }
        Ok(Some(Item {
            text: text_of(bytes),
            ends_line: true,
        }))
    }

    fn quoted(&mut self) -> Result<Option<Item>, String> {
        let mut bytes: Vec<u8> = Vec::new();
        let mut quote = Quote::None;
        // Quotes make an item even of nothing.
        let mut has_item = false;
        loop {
            let Some(byte) = self.byte()? else {
                self.is_over = true;
                if let Quote::Within(mark) = quote {
                    return Err(unmatched(mark));
                }
                return Ok(has_item.then(|| Item {
                    text: text_of(bytes),
                    ends_line: true,
                }));
            };
            match quote {
                Quote::Within(mark) => match byte {
                    b'\n' => return Err(unmatched(mark)),
                    byte if byte == mark => quote = Quote::None,
                    byte => bytes.push(byte),
                },
                Quote::None => match byte {
                    b'\'' | b'"' => {
                        quote = Quote::Within(byte);
                        has_item = true;
                    }
                    b'\\' => {
                        has_item = true;
                        if let Some(escaped) = self.byte()? {
                            bytes.push(escaped);
                        }
                    }
                    b'\n' if has_item => {
                        return Ok(Some(Item {
                            text: text_of(bytes),
                            ends_line: true,
                        }));
                    }
                    b'\n' => {}
                    b' ' | b'\t' if self.is_by_line && has_item => bytes.push(byte),
                    b' ' | b'\t' if has_item => {
                        // The newline behind a blank does not end the line, as POSIX has it for -L.
                        return Ok(Some(Item {
                            text: text_of(bytes),
                            ends_line: false,
                        }));
                    }
                    b' ' | b'\t' => {}
                    0 => {
                        if !std::mem::replace(&mut self.has_warned, true) {
                            report(
                                "xargs",
                                "WARNING: a NUL character occurred in the input.  It cannot be passed through in the argument list.  Did you mean to use the --null option?",
                            );
                        }
                        // As in C, what follows on the line is not seen.
                        self.skip_item()?;
                        return Ok(Some(Item {
                            text: text_of(bytes),
                            ends_line: true,
                        }));
                    }
                    byte => {
                        has_item = true;
                        bytes.push(byte);
                    }
                },
            }
        }
    }

    fn skip_item(&mut self) -> Result<(), String> {
        while let Some(byte) = self.byte()? {
            if matches!(byte, b'\n' | b' ' | b'\t') {
                break;
            }
        }
        Ok(())
    }
}

fn text_of(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

fn unmatched(mark: u8) -> String {
    let name = if mark == b'\'' { "single" } else { "double" };
    format!(
        "unmatched {name} quote; by default quotes are special to xargs unless you use the -0 option"
    )
}
