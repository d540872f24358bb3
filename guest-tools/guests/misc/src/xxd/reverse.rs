//! From a dump back to bytes.

use std::io::{self, BufRead, BufWriter, Read, Seek, SeekFrom, Write};

use crate::{input, report};

use super::{Form, Settings};

/// Where the bytes go: a file can be patched at any place, a pipe only be written on.
enum Target {
    File(BufWriter<std::fs::File>),
    Pipe(BufWriter<io::Stdout>),
}

/// Reads the dump and writes what it stands for.
pub(super) fn run(
    program: &str,
    settings: &Settings,
    source: &mut dyn BufRead,
    target: Option<&str>,
) -> u8 {
    let mut out = match target {
        None => Target::Pipe(BufWriter::with_capacity(input::CHUNK_BYTES, io::stdout())),
        Some(name) => {
            let mut options = std::fs::OpenOptions::new();
            // The bytes that the dump does not name stay as they are.
            match options.write(true).create(true).truncate(false).open(name) {
                Ok(file) => Target::File(BufWriter::new(file)),
                Err(error) => {
                    let message = process::message(&error);
                    report::complain(program, format_args!("{name}: {message}"));
                    return 3;
                }
            }
        }
    };
    let copied = copy(settings, source, &mut out);
    let flushed = match &mut out {
        Target::File(file) => file.flush(),
        Target::Pipe(pipe) => pipe.flush(),
    };
    match copied {
        Ok(true) => report::finish(program, flushed, 0),
        Ok(false) => {
            report::complain(program, "Sorry, cannot seek backwards.");
            5
        }
        Err(error) => report::finish(program, Err(error), 0),
    }
}

/// Returns false where a pipe would have to go back.
fn copy(settings: &Settings, source: &mut dyn BufRead, out: &mut Target) -> io::Result<bool> {
    let is_plain = settings.form == Form::Plain;
    let columns = settings
        .columns
        .filter(|columns| *columns > 0)
        .unwrap_or(16);
    let (mut wanted, mut written) = (0_i64, 0_i64);
    let (mut first, mut second): (Option<u8>, Option<u8>) = (None, Some(0));
    let mut column = columns;
    let mut is_before = true;
    let mut rest = Vec::new();
    while let Some(mut byte) = next(source)? {
        if byte == b'\r' || is_plain && matches!(byte, b' ' | b'\n' | b'\t') {
            continue;
        }
        let third = second;
        second = first;
        first = char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok());
        if first.is_none() && is_before {
            continue;
        }
        is_before = false;
        if !is_plain && column >= columns {
            match first {
                None => column = 0,
                Some(digit) => wanted = wanted.wrapping_shl(4) | i64::from(digit),
            }
            continue;
        }
        let place = wanted.wrapping_add(settings.seek);
        if place != written {
            if !out.go(written, place)? {
                return Ok(false);
            }
            written = place;
        }
        let mut ends_line = false;
        match (second, first) {
            (Some(high), Some(low)) => {
                out.write(&[high << 4 | low])?;
                written += 1;
                wanted += 1;
                first = None;
                column += 1;
                ends_line = !is_plain && column >= columns;
            }
            (None, None) if third.is_none() => ends_line = true,
            _ => {}
        }
        if ends_line && byte != b'\n' {
            rest.clear();
            source.read_until(b'\n', &mut rest)?;
            byte = rest.last().copied().unwrap_or(b' ');
        }
        if byte == b'\n' {
            if !is_plain {
                wanted = 0;
            }
            column = columns;
            is_before = true;
        }
    }
    Ok(true)
}

fn next(source: &mut dyn BufRead) -> io::Result<Option<u8>> {
    let byte = source.fill_buf()?.first().copied();
    source.consume(usize::from(byte.is_some()));
    Ok(byte)
}

impl Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.write_all(bytes),
            Self::Pipe(pipe) => pipe.write_all(bytes),
        }
    }

    fn go(&mut self, from: i64, to: i64) -> io::Result<bool> {
        match (self, u64::try_from(to)) {
            (Self::File(file), Ok(to)) => {
                file.seek(SeekFrom::Start(to))?;
                Ok(true)
            }
            (Self::Pipe(pipe), Ok(_)) if to > from => {
                let gap = u64::try_from(to - from).unwrap_or(0);
                io::copy(&mut io::repeat(0).take(gap), pipe)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
