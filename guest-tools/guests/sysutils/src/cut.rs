//! cut: prints parts of every line, counted in bytes or fields. A character is a byte, as with GNU's.

use std::io::{self, BufWriter, Read, Write};

use gnu_options::named::{self, Item, Order};

use crate::input::{self, CHUNK_BYTES, Failure, each_line};
use crate::ranges::{self, Of, Range};
use crate::report::{self, usage};

const SPECIFICATION: &str = "b/bytes= c/characters= d/delimiter= f/fields= n complement s/only-delimited \
    output-delimiter= z/zero-terminated";

const HELP: &str = "Usage: cut OPTION... [FILE]...
Print selected parts of lines from each FILE to standard output.

  -b, --bytes=LIST        only these bytes
  -c, --characters=LIST   only these characters
  -d, --delimiter=DELIM   DELIM instead of TAB between fields
  -f, --fields=LIST       only these fields; also lines without a delimiter, unless -s
  -n                      (ignored)
      --complement        all but the selected
  -s, --only-delimited    no lines without delimiters
      --output-delimiter=STRING  STRING between what is printed
  -z, --zero-terminated   lines end with NUL
";

/// What is cut out of each line.
struct Cut {
    ranges: Vec<Range>,
    /// The byte between fields; without it, bytes are counted.
    delimiter: Option<u8>,
    output_delimiter: Option<Vec<u8>>,
    skips_undelimited: bool,
    end: u8,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let (mut list, mut delimiter, mut names) = (None, None, Vec::new());
    let mut cut = Cut {
        ranges: Vec::new(),
        delimiter: None,
        output_delimiter: None,
        skips_undelimited: false,
        end: b'\n',
    };
    let mut is_complement = false;
    for item in items {
        match item {
            Item::Operand(name) => names.push(name),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option(kind @ ("bytes" | "characters" | "fields"), value) => {
                let of = if kind == "fields" {
                    Of::Fields
                } else {
                    Of::Positions
                };
                if list.replace((value.unwrap_or_default(), of)).is_some() {
                    return usage(program, "only one list may be specified", 1);
                }
            }
            Item::Option("delimiter", value) => {
                // An empty one is NUL.
                delimiter = match value.unwrap_or_default().as_bytes() {
                    [] => Some(0),
                    [byte] => Some(*byte),
                    _ => {
                        let message = "the delimiter must be a single character";
                        return usage(program, message, 1);
                    }
                };
            }
            Item::Option("output-delimiter", value) => {
                let text = value.unwrap_or_default().into_bytes();
                cut.output_delimiter = Some(if text.is_empty() { vec![0] } else { text });
            }
            Item::Option("complement", _) => is_complement = true,
            Item::Option("only-delimited", _) => cut.skips_undelimited = true,
            Item::Option("zero-terminated", _) => cut.end = 0,
            Item::Option(..) => {}
        }
    }
    let Some((list, of)) = list else {
        let message = "you must specify a list of bytes, characters, or fields";
        return usage(program, message, 1);
    };
    if of == Of::Positions && delimiter.is_some() {
        let message = "an input delimiter may be specified only when operating on fields";
        return usage(program, message, 1);
    }
    if of == Of::Positions && cut.skips_undelimited {
        let message =
            "suppressing non-delimited lines makes sense\n\tonly when operating on fields";
        return usage(program, message, 1);
    }
    cut.ranges = match ranges::parse(&list, of) {
        Ok(ranges) if is_complement => ranges::complement(&ranges),
        Ok(ranges) => ranges,
        Err(message) => return usage(program, message, 1),
    };
    if of == Of::Fields {
        cut.delimiter = Some(delimiter.unwrap_or(b'\t'));
    }
    let mut out = BufWriter::with_capacity(CHUNK_BYTES, io::stdout().lock());
    let (status, written) = input::for_each(program, &names, |input| cut.file(input, &mut out));
    let written = written.and_then(|()| out.flush());
    drop(out);
    report::finish(program, written).max(status)
}

impl Cut {
    fn file(&self, input: &mut dyn Read, out: &mut impl Write) -> Result<(), Failure> {
        let Some(delimiter) = self.delimiter else {
            return each_line(input, self.end, |line, _| {
                self.bytes(line, out)?;
                out.write_all(&[self.end])
            });
        };
        if delimiter == self.end {
            return self.lines_as_fields(input, out);
        }
        each_line(input, self.end, |line, _| self.fields(line, delimiter, out))
    }

    fn bytes(&self, line: &[u8], out: &mut impl Write) -> io::Result<()> {
        let mut is_first = true;
        for (low, high) in &self.ranges {
            let Some(part) = line.get(low - 1..line.len().min(*high)) else {
                break;
            };
            if part.is_empty() {
                break;
            }
            if let Some(delimiter) = self.output_delimiter.as_ref().filter(|_| !is_first) {
                out.write_all(delimiter)?;
            }
            is_first = false;
            out.write_all(part)?;
        }
        Ok(())
    }

    fn fields(&self, line: &[u8], delimiter: u8, out: &mut impl Write) -> io::Result<()> {
        let Some(first) = memchr::memchr(delimiter, line) else {
            if self.skips_undelimited {
                return Ok(());
            }
            out.write_all(line)?;
            return out.write_all(&[self.end]);
        };
        let own = [delimiter];
        let between = self.output_delimiter.as_deref().unwrap_or(&own);
        // The field that `rest` begins with, and where it ends.
        let (mut number, mut rest) = (1, line);
        let mut stop = Some(first);
        let mut is_first = true;
        'ranges: for (low, high) in &self.ranges {
            while number < *low {
                let Some(at) = stop else {
                    break 'ranges;
                };
                rest = rest.get(at + 1..).unwrap_or_default();
                number += 1;
                stop = memchr::memchr(delimiter, rest);
            }
            if *high == usize::MAX && self.output_delimiter.is_none() {
                if !is_first {
                    out.write_all(between)?;
                }
                out.write_all(rest)?;
                break;
            }
            while number <= *high {
                if !is_first {
                    out.write_all(between)?;
                }
                is_first = false;
                let Some(at) = stop else {
                    out.write_all(rest)?;
                    break 'ranges;
                };
                let (field, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
                out.write_all(field)?;
                rest = after.get(1..).unwrap_or_default();
                number += 1;
                stop = memchr::memchr(delimiter, rest);
            }
        }
        out.write_all(&[self.end])
    }

    /// A newline parts fields: each line is one, and the file is the only record.
    fn lines_as_fields(&self, input: &mut dyn Read, out: &mut impl Write) -> Result<(), Failure> {
        let own = [self.end];
        let between = self.output_delimiter.as_deref().unwrap_or(&own);
        let (mut number, mut any, mut was_ended) = (0, false, true);
        let mut ranges = self.ranges.iter().peekable();
        each_line(input, self.end, |line, has_end| {
            number += 1;
            was_ended = has_end;
            if number == 1 && !has_end {
                // There is no delimiter at all.
                if !self.skips_undelimited {
                    out.write_all(line)?;
                    out.write_all(&own)?;
                }
                return Ok(());
            }
            while ranges.next_if(|(_, high)| *high < number).is_some() {}
            if ranges.peek().is_some_and(|(low, _)| *low <= number) {
                if any {
                    out.write_all(between)?;
                }
                any = true;
                out.write_all(line)?;
            }
            Ok(())
        })?;
        if any || (number > 1 && was_ended) {
            out.write_all(&own).map_err(Failure::Write)?;
        }
        Ok(())
    }
}
