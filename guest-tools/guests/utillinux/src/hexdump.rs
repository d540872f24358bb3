//! hexdump and hd: what a file holds, as util-linux 2.38 shows it.

mod format;
mod input;
mod printf;
mod show;

use std::io::{self, BufWriter, Write};

use gnu_options::{Item, Takes};

use crate::report;

use format::Line;

/// A block longer than this is refused instead of taking the memory.
const BLOCK_BYTES_MAX: usize = 16 << 20;

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "bcCdoxe:f:L::n:s:vhV",
    long: &[
        ("one-byte-octal", Takes::Nothing, 'b'),
        ("one-byte-char", Takes::Nothing, 'c'),
        ("canonical", Takes::Nothing, 'C'),
        ("two-bytes-decimal", Takes::Nothing, 'd'),
        ("two-bytes-octal", Takes::Nothing, 'o'),
        ("two-bytes-hex", Takes::Nothing, 'x'),
        ("color", Takes::Optional, 'L'),
        ("format", Takes::Argument, 'e'),
        ("format-file", Takes::Argument, 'f'),
        ("length", Takes::Argument, 'n'),
        ("skip", Takes::Argument, 's'),
        ("no-squeezing", Takes::Nothing, 'v'),
        ("help", Takes::Nothing, 'h'),
        ("version", Takes::Nothing, 'V'),
    ],
};

const CANONICAL: &[&str] = &[
    r#""%08.8_Ax\n""#,
    r#""%08.8_ax  " 8/1 "%02x " "  " 8/1 "%02x ""#,
    r#""  |" 16/1 "%_p" "|\n""#,
];
const END: &str = r#""%07.7_Ax\n""#;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&OPTIONS, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let mut formats: Vec<Vec<u8>> = Vec::new();
    let mut settings = input::Settings::default();
    let mut names = Vec::new();
    let mut add =
        |lines: &[&str]| formats.extend(lines.iter().map(|line| line.as_bytes().to_vec()));
    if program == "hd" {
        add(CANONICAL);
    }
    let mut others: Vec<Vec<u8>> = Vec::new();
    for item in items {
        match item {
            Item::Operand(name) => names.push(name),
            Item::Option(letter, value, _) => {
                let value = value.unwrap_or_default();
                match letter {
                    'b' => add(&[END, r#""%07.7_ax " 16/1 "%03o " "\n""#]),
                    'c' => add(&[END, r#""%07.7_ax " 16/1 "%3_c " "\n""#]),
                    'C' => add(CANONICAL),
                    'd' => add(&[END, r#""%07.7_ax " 8/2 "  %05u " "\n""#]),
                    'o' => add(&[END, r#""%07.7_ax " 8/2 " %06o " "\n""#]),
                    'x' => add(&[END, r#""%07.7_ax " 8/2 "   %04x " "\n""#]),
                    'e' => add(&[&value]),
                    'f' => match std::fs::read(&value) {
                        Ok(text) => others.extend(
                            text.split(|byte| *byte == b'\n')
                                .map(<[u8]>::trim_ascii)
                                .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
                                .map(<[u8]>::to_vec),
                        ),
                        Err(error) => {
                            let message = process::message(&error);
                            report::complain(
                                program,
                                format_args!("can't read {value}: {message}"),
                            );
                            return 1;
                        }
                    },
                    'n' | 's' => {
                        let Some(bytes) = size(&value) else {
                            let what = if letter == 'n' { "length" } else { "offset" };
                            report::complain(
                                program,
                                format_args!("failed to parse {what}: '{value}': Invalid argument"),
                            );
                            return 1;
                        };
                        if letter == 'n' {
                            settings.length = Some(bytes);
                        } else {
                            settings.skip = bytes;
                        }
                    }
                    'v' => settings.shows_all = true,
                    'h' => return report::print(program, USAGE),
                    'V' => {
                        return report::print(
                            program,
                            format!("{program} (Sinew, as util-linux) 2.38.1\n"),
                        );
                    }
                    // Colours are for terminals.
                    _ => {}
                }
            }
        }
    }
    formats.extend(others);
    if formats.is_empty() {
        formats = [END, r#""%07.7_ax " 8/2 "%04x " "\n""#]
            .map(|line| line.as_bytes().to_vec())
            .into();
    }
    let mut lines = Vec::new();
    for format in &formats {
        match format::read(format) {
            Ok(line) => lines.push(line),
            Err(message) => {
                report::complain(program, message);
                return 1;
            }
        }
    }
    dump(program, lines, settings, names)
}

fn dump(program: &str, mut lines: Vec<Line>, settings: input::Settings, names: Vec<String>) -> u8 {
    let block = format::fit(&mut lines);
    if block > BLOCK_BYTES_MAX {
        report::complain(program, "the format takes too many bytes at once");
        return 1;
    }
    let mut source = input::Blocks::new(program, block, settings, names);
    let mut out = BufWriter::with_capacity(streams::input::CHUNK_BYTES, io::stdout().lock());
    // Formats that take no bytes show none.
    let written = match block {
        0 => Ok(()),
        _ => show::all(&lines, &mut source, &mut out),
    };
    let written = written.and_then(|()| out.flush());
    drop(out);
    report::finish(program, written, source.status())
}

/// Reads a number of bytes: decimal, octal or hexadecimal, with a suffix of util-linux's.
fn size(text: &str) -> Option<u64> {
    let (base, digits) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if text.len() > 1 && text.starts_with('0') => (8, text.get(1..)?),
        None => (10, text),
    };
    let end = digits
        .find(|digit: char| !digit.is_digit(base))
        .unwrap_or(digits.len());
    let (digits, suffix) = digits.split_at_checked(end)?;
    let number = u64::from_str_radix(digits, base).ok()?;
    let mut letters = suffix.chars();
    let power = match letters.next() {
        None => return Some(number),
        Some(letter) => "KMGTPEZY".find(letter.to_ascii_uppercase())? + 1,
    };
    let unit: u64 = match letters.as_str() {
        "" | "iB" => 1024,
        "B" => 1000,
        _ => return None,
    };
    number.checked_mul(unit.checked_pow(u32::try_from(power).ok()?)?)
}

const USAGE: &str = "\
Usage: hexdump [options] [file...]
  -b, --one-byte-octal      bytes in octal
  -c, --one-byte-char       bytes as characters
  -C, --canonical           hexadecimal and characters
  -d, --two-bytes-decimal   16-bit numbers in decimal
  -o, --two-bytes-octal     16-bit numbers in octal
  -x, --two-bytes-hex       16-bit numbers in hexadecimal
  -e, --format FORMAT       as the format says
  -f, --format-file FILE    formats from a file
  -n, --length LENGTH       only so many bytes
  -s, --skip OFFSET         begin behind so many bytes
  -v, --no-squeezing        repeated lines too
";
