//! fold: breaks long lines. A column is a byte, as with GNU's.

use std::io::{self, BufWriter, Read, Write};

use gnu_options::named::{self, Item, Order};

use crate::input::{self, CHUNK_BYTES, Failure};
use crate::quoting::curly;
use crate::report::{self, complain, usage};

const SPECIFICATION: &str = "b/bytes s/spaces w/width= 0=? 1=? 2=? 3=? 4=? 5=? 6=? 7=? 8=? 9=?";

const HELP: &str = "Usage: fold [OPTION]... [FILE]...
Wrap input lines in each FILE, writing to standard output.

  -b, --bytes         count bytes rather than columns
  -s, --spaces        break at spaces
  -w, --width=WIDTH   use WIDTH columns instead of 80
";

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut fold = Fold {
        width: 80,
        counts_bytes: false,
        at_spaces: false,
        column: 0,
        line: Vec::new(),
    };
    let mut names = Vec::new();
    for item in items {
        match item {
            Item::Operand(name) => names.push(name),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("bytes", _) => fold.counts_bytes = true,
            Item::Option("spaces", _) => fold.at_spaces = true,
            Item::Option(name, value) => {
                let mut text = value.unwrap_or_default();
                if name != "width" {
                    text.insert_str(0, name);
                }
                match width(&text) {
                    Ok(width) => fold.width = width,
                    Err(message) => {
                        complain(program, message);
                        return 1;
                    }
                }
            }
        }
    }
    let mut out = BufWriter::with_capacity(CHUNK_BYTES, io::stdout().lock());
    let (status, written) = input::for_each(program, &names, |input| fold.file(input, &mut out));
    let written = written.and_then(|()| out.flush());
    drop(out);
    report::finish(program, written).max(status)
}

fn width(text: &str) -> Result<usize, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("invalid number of columns: {}", curly(text)));
    }
    match text.parse() {
        Ok(0) => Err(format!(
            "invalid number of columns: {}: Numerical result out of range",
            curly(text)
        )),
        Ok(width) => Ok(width),
        Err(_) => Ok(usize::MAX),
    }
}

struct Fold {
    width: usize,
    counts_bytes: bool,
    at_spaces: bool,
    column: usize,
    /// What of the line is not written yet.
    line: Vec<u8>,
}

impl Fold {
    fn file(&mut self, input: &mut dyn Read, out: &mut impl Write) -> Result<(), Failure> {
        let mut buffer = vec![0; CHUNK_BYTES];
        self.column = 0;
        loop {
            let length = match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Read(error)),
            };
            for byte in buffer.get(..length).unwrap_or_default() {
                self.byte(*byte, out).map_err(Failure::Write)?;
            }
        }
        out.write_all(&self.line).map_err(Failure::Write)?;
        self.line.clear();
        Ok(())
    }

    fn byte(&mut self, byte: u8, out: &mut impl Write) -> io::Result<()> {
        if byte == b'\n' {
            self.line.push(byte);
            return self.end(out);
        }
        loop {
            let column = self.after(self.column, byte);
            if column <= self.width {
                self.column = column;
                break;
            }
            if self.at_spaces
                && let Some(blank) = self
                    .line
                    .iter()
                    .rposition(|byte| matches!(byte, b' ' | b'\t'))
            {
                let rest = self.line.split_off(blank + 1);
                self.line.push(b'\n');
                self.end(out)?;
                self.column = rest
                    .iter()
                    .fold(0, |column, byte| self.after(column, *byte));
                self.line = rest;
                continue;
            }
            if self.line.is_empty() {
                self.column = column;
                break;
            }
            self.line.push(b'\n');
            self.end(out)?;
        }
        self.line.push(byte);
        Ok(())
    }

    fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.line)?;
        self.line.clear();
        self.column = 0;
        Ok(())
    }

    fn after(&self, column: usize, byte: u8) -> usize {
        match byte {
            _ if self.counts_bytes => column + 1,
            b'\x08' => column.saturating_sub(1),
            b'\r' => 0,
            b'\t' => column + 8 - column % 8,
            _ => column + 1,
        }
    }
}
