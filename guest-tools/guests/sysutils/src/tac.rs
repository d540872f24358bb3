//! tac: prints files with their lines in reverse order.
//!
//! A file that can be sought is read backwards, block by block; a pipe has to be held whole.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use crate::quoting;
use crate::report::{self, complain, reason, usage};
use gnu_options::named::{self, Item, Order};
use posix_regex::{Options, Regex, Syntax};

/// Bytes that are read at once.
const BLOCK_BYTES: u64 = 256 * 1024;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, "b/before r/regex s/separator=", Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let (mut is_before, mut is_regex, mut separator) = (false, false, b"\n".to_vec());
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => {
                return report::help(
                    "Usage: tac [-b] [-r] [-s STRING] [FILE]...\nWrite each FILE to standard output, last line first.\n",
                );
            }
            Item::Option("version", _) => return report::version(program),
            Item::Option("before", _) => is_before = true,
            Item::Option("separator", value) => {
                let text = value.unwrap_or_default();
                separator = if text.is_empty() {
                    vec![0]
                } else {
                    text.into_bytes()
                };
            }
            Item::Option(..) => is_regex = true,
        }
    }
    if operands.is_empty() {
        operands.push("-".to_owned());
    }
    let expression = if is_regex {
        match Regex::new(&extended(&separator), Syntax::Extended, &Options::default()) {
            Ok(expression) => Some(expression),
            Err(error) => {
                complain(program, error);
                return 1;
            }
        }
    } else {
        None
    };
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let mut status = 0;
    for operand in &operands {
        let outcome = if operand == "-" {
            let mut all = Vec::new();
            io::stdin()
                .lock()
                .read_to_end(&mut all)
                .map(|_| Source::Whole(all))
        } else {
            File::open(operand).and_then(open)
        };
        let printed = outcome.and_then(|source| match &expression {
            Some(expression) => matched(&mut out, &source.whole()?, expression, is_before),
            None => print(&mut out, source, &separator, is_before),
        });
        match printed {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return 141,
            Err(error) => {
                let why = reason(&error);
                let name = quoting::shell(operand);
                let message = match error.kind() {
                    io::ErrorKind::IsADirectory => format!("{name}: read error: {why}"),
                    _ => format!(
                        "failed to open {} for reading: {why}",
                        quoting::quoted(operand)
                    ),
                };
                complain(program, message);
                status = 1;
            }
        }
    }
    let flushed = out.flush();
    report::finish(program, flushed).max(status)
}

enum Source {
    Whole(Vec<u8>),
    Seekable(File, u64),
}

impl Source {
    /// Returns all of it, as what an expression is looked for in.
    fn whole(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Whole(all) => Ok(all),
            Self::Seekable(mut file, _) => {
                file.rewind()?;
                let mut all = Vec::new();
                file.read_to_end(&mut all)?;
                Ok(all)
            }
        }
    }
}

/// Returns an expression in the syntax of Emacs, which tac takes, as an extended one: there, `\(`, `\)` and `\|` are
/// operators, and the bare characters stand for themselves.
fn extended(expression: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(expression.len());
    let mut rest = expression;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.first()) {
            (b'\\', Some(next)) => {
                rest = after.get(1..).unwrap_or(&[]);
                if !b"()|".contains(next) {
                    written.push(b'\\');
                }
                written.push(*next);
            }
            (b'[', _) => {
                // To its bracket, which may also stand first.
                let first = after.iter().take(2).position(|one| !b"^]".contains(one));
                let skipped = first.unwrap_or(2);
                let close = after.iter().skip(skipped).position(|one| *one == b']');
                let length = close.map_or(after.len(), |close| skipped + close + 1);
                written.push(b'[');
                written.extend_from_slice(after.get(..length).unwrap_or(after));
                rest = after.get(length..).unwrap_or(&[]);
            }
            (b'(' | b')' | b'|' | b'{' | b'}', _) => written.extend([b'\\', *byte]),
            _ => written.push(*byte),
        }
    }
    written
}

/// Prints the records of a text from the last one on, as separators match: looked for from the end, so that each is as
/// near to the end as it can be.
fn matched(
    out: &mut impl Write,
    text: &[u8],
    separator: &Regex,
    is_before: bool,
) -> io::Result<()> {
    let mut starts = Vec::new();
    let mut from = 0;
    while let Some((start, end)) = separator.find_at(text, from) {
        if end > start {
            starts.push(start);
        }
        from = start + 1;
        if from > text.len() {
            break;
        }
    }
    let (mut end, mut limit) = (text.len(), text.len());
    for start in starts.into_iter().rev() {
        let ahead = text.get(..limit).unwrap_or(text);
        let Some((_, close)) = separator
            .find_at(ahead, start)
            .filter(|(found, close)| *found == start && close > found)
        else {
            continue;
        };
        limit = start;
        // The separator that ends the text belongs to the last record.
        if !is_before && close == text.len() {
            continue;
        }
        let cut = if is_before { start } else { close };
        out.write_all(text.get(cut..end).unwrap_or(&[]))?;
        end = cut;
    }
    out.write_all(text.get(..end).unwrap_or(&[]))
}

fn open(mut file: File) -> io::Result<Source> {
    match file.seek(SeekFrom::End(0)) {
        Ok(size) if size > BLOCK_BYTES => Ok(Source::Seekable(file, size)),
        _ => {
            let _ = file.rewind();
            let mut all = Vec::new();
            file.read_to_end(&mut all)?;
            Ok(Source::Whole(all))
        }
    }
}

fn print(
    out: &mut impl Write,
    source: Source,
    separator: &[u8],
    is_before: bool,
) -> io::Result<()> {
    let (mut file, mut left) = match source {
        Source::Whole(all) => return records(out, &all, separator, is_before, true).map(|_| ()),
        Source::Seekable(file, size) => (file, size),
    };
    // What is before the first separator of a block may go on in the block before it.
    let mut held = Vec::new();
    while left > 0 {
        let count = left.min(BLOCK_BYTES);
        left -= count;
        file.seek(SeekFrom::Start(left))?;
        let mut block = Vec::new();
        (&mut file).take(count).read_to_end(&mut block)?;
        block.extend_from_slice(&held);
        let kept = records(out, &block, separator, is_before, left == 0)?;
        block.truncate(kept);
        held = block;
    }
    Ok(())
}

/// Prints the records of a text from the last one on, and returns where the first one ends: that one is printed only
/// if the text `is_all`.
fn records(
    out: &mut impl Write,
    text: &[u8],
    separator: &[u8],
    is_before: bool,
    is_all: bool,
) -> io::Result<usize> {
    let mut end = text.len();
    // Where a search for a separator may end: the one that ends the last record is part of it.
    let mut limit = text
        .len()
        .saturating_sub(if is_before { 0 } else { separator.len() });
    if !is_before && !text.ends_with(separator) {
        limit = text.len();
    }
    while let Some(at) = last(text.get(..limit).unwrap_or(text), separator) {
        let start = if is_before { at } else { at + separator.len() };
        out.write_all(text.get(start..end).unwrap_or(&[]))?;
        end = start;
        limit = at;
    }
    if is_all {
        out.write_all(text.get(..end).unwrap_or(&[]))?;
        return Ok(0);
    }
    Ok(end)
}

fn last(text: &[u8], separator: &[u8]) -> Option<usize> {
    match separator {
        [byte] => text.iter().rposition(|one| one == byte),
        _ => text
            .windows(separator.len())
            .rposition(|window| window == separator),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn reversed(text: &str, separator: &str, is_before: bool) -> String {
        let mut out = Vec::new();
        records(
            &mut out,
            text.as_bytes(),
            separator.as_bytes(),
            is_before,
            true,
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn reverses_as_tac() {
        assert_eq!(reversed("a\nb\nc\n", "\n", false), "c\nb\na\n");
        assert_eq!(reversed("a\nb\nc", "\n", false), "cb\na\n");
        assert_eq!(reversed("a,b,c\n", ",", false), "c\nb,a,");
        assert_eq!(reversed("a,b,c", ",", true), ",c,ba");
        assert_eq!(reversed("", "\n", false), "");
    }

    #[test]
    fn reverses_by_expressions() {
        for (text, expression, is_before, expected) in [
            ("a1b22c", "[0-9]+", false, "c2b2a1"),
            ("a1b2", "[0-9]", false, "b2a1"),
            ("xaybzc", "\\(a\\|b\\)", true, "bzcayx"),
            ("a(b(c", "(", false, "cb(a("),
        ] {
            let expression = extended(expression.as_bytes());
            let options = Options::default();
            let regex = Regex::new(&expression, Syntax::Extended, &options).unwrap();
            let mut out = Vec::new();
            matched(&mut out, text.as_bytes(), &regex, is_before).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn reads_large_files_backwards() {
        let lines: Vec<String> = (0..200_000).map(|number| format!("{number}\n")).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(lines.concat().as_bytes()).unwrap();
        let mut out = Vec::new();
        print(&mut out, open(file).unwrap(), b"\n", false).unwrap();
        let expected: Vec<&str> = lines.iter().rev().map(String::as_str).collect();
        assert!(out == expected.concat().as_bytes());
    }
}
