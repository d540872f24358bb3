//! base64, base32 and basenc: bytes as text and back.

mod codec;

use std::io::{self, BufWriter, Read, Write};

use gnu_options::named::{self, Item, Order};

use crate::input::{self, CHUNK_BYTES};
use crate::quoting::{self, curly};
use crate::report::{self, complain, reason, usage};

use codec::{Decoder, Encoding};

const PLAIN: &str = "d/decode i/ignore-garbage w/wrap=";
const ANY: &str = "d/decode i/ignore-garbage w/wrap= base64 base64url base32 base32hex base16 base2msbf base2lsbf z85";

/// Columns of a line.
const WRAP: usize = 76;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let specification = if program == "basenc" { ANY } else { PLAIN };
    let items = match named::parse(arguments, specification, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut encoding = Encoding::named(program);
    let (mut decodes, mut ignores, mut wrap) = (false, false, WRAP);
    let mut names = Vec::new();
    for item in items {
        match item {
            Item::Operand(name) => names.push(name),
            Item::Option("help", _) => {
                return report::help(&format!(
                    "Usage: {program} [OPTION]... [FILE]\nEncode or decode FILE, or standard input, to standard output.\n\n  -d, --decode          decode data\n  -i, --ignore-garbage  when decoding, ignore non-alphabet characters\n  -w, --wrap=COLS       wrap encoded lines after COLS characters (default 76); 0 disables it\n"
                ));
            }
            Item::Option("version", _) => return report::version(program),
            Item::Option("decode", _) => decodes = true,
            Item::Option("ignore-garbage", _) => ignores = true,
            Item::Option("wrap", value) => {
                let text = value.unwrap_or_default();
                match text.parse::<u64>() {
                    Ok(columns) => wrap = usize::try_from(columns).unwrap_or(0),
                    // So many that no line is ever full.
                    Err(_)
                        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) =>
                    {
                        wrap = 0;
                    }
                    Err(_) => {
                        complain(program, format_args!("invalid wrap size: {}", curly(&text)));
                        return 1;
                    }
                }
            }
            Item::Option(name, _) => encoding = Encoding::named(name),
        }
    }
    if let Some(extra) = names.get(1) {
        return usage(program, format_args!("extra operand {}", curly(extra)), 1);
    }
    let Some(encoding) = encoding else {
        return usage(program, "missing encoding type", 1);
    };
    let name = names.pop().unwrap_or_else(|| "-".to_owned());
    let mut input = match input::open(&name) {
        Ok(input) => input,
        Err(error) if matches!(error.kind(), io::ErrorKind::IsADirectory) => {
            complain(program, format_args!("read error: {}", reason(&error)));
            return 1;
        }
        Err(error) => {
            let name = quoting::shell(&name);
            complain(program, format_args!("{name}: {}", reason(&error)));
            return 1;
        }
    };
    let mut out = BufWriter::with_capacity(CHUNK_BYTES, io::stdout().lock());
    let outcome = if decodes {
        decode(encoding, ignores, &mut input, &mut out)
    } else {
        encode(encoding, wrap, &mut input, &mut out)
    };
    let flushed = out.flush();
    drop(out);
    match outcome {
        Ok(()) => report::finish(program, flushed),
        Err(Stop::Write(error)) => report::finish(program, Err(error)),
        Err(Stop::Read(error)) => {
            complain(program, format_args!("read error: {}", reason(&error)));
            1
        }
        Err(Stop::Invalid(message)) => {
            let written = report::finish(program, flushed);
            if written != 0 {
                return written;
            }
            complain(program, message);
            1
        }
    }
}

/// What ends the work early.
enum Stop {
    Read(io::Error),
    Write(io::Error),
    Invalid(&'static str),
}

fn read(input: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, Stop> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Stop::Read(error)),
        }
    }
    Ok(done)
}

fn encode(
    encoding: Encoding,
    wrap: usize,
    input: &mut dyn Read,
    out: &mut impl Write,
) -> Result<(), Stop> {
    // Whole groups of every encoding.
    let mut buffer = vec![0; 60 * 1024];
    let mut text = Vec::new();
    let mut column = 0;
    loop {
        let length = read(input, &mut buffer)?;
        if length == 0 {
            break;
        }
        text.clear();
        let bytes = buffer.get(..length).unwrap_or_default();
        encoding.encode(bytes, &mut text).map_err(Stop::Invalid)?;
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            if wrap > 0 && column == wrap {
                out.write_all(b"\n").map_err(Stop::Write)?;
                column = 0;
            }
            let room = if wrap == 0 { rest.len() } else { wrap - column };
            let (line, after) = rest.split_at(room.min(rest.len()));
            out.write_all(line).map_err(Stop::Write)?;
            column += line.len();
            rest = after;
        }
    }
    if wrap > 0 && column > 0 {
        out.write_all(b"\n").map_err(Stop::Write)?;
    }
    Ok(())
}

fn decode(
    encoding: Encoding,
    ignores: bool,
    input: &mut dyn Read,
    out: &mut impl Write,
) -> Result<(), Stop> {
    let mut decoder = Decoder::new(encoding, ignores);
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut bytes = Vec::new();
    loop {
        let length = match input.read(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Stop::Read(error)),
        };
        bytes.clear();
        let outcome = if length == 0 {
            decoder.finish(&mut bytes)
        } else {
            decoder.decode(buffer.get(..length).unwrap_or_default(), &mut bytes)
        };
        out.write_all(&bytes).map_err(Stop::Write)?;
        outcome.map_err(Stop::Invalid)?;
        if length == 0 {
            return Ok(());
        }
    }
}
