//! gzip, bzip2, xz and zstd, and their other names: files are replaced by compressed ones or the other way.

mod list;
mod one;
mod words;

use gnu_options::{Item, Long, Options, Takes, parse};
use lzma_rust2::CheckType;

use crate::codec::{Format, How};

const LONG: &[Long] = &[
    ("stdout", Takes::Nothing, 'c'),
    ("to-stdout", Takes::Nothing, 'c'),
    ("decompress", Takes::Nothing, 'd'),
    ("uncompress", Takes::Nothing, 'd'),
    ("compress", Takes::Nothing, 'z'),
    ("force", Takes::Nothing, 'f'),
    ("keep", Takes::Nothing, 'k'),
    ("list", Takes::Nothing, 'l'),
    ("quiet", Takes::Nothing, 'q'),
    ("silent", Takes::Nothing, 'q'),
    ("test", Takes::Nothing, 't'),
    ("verbose", Takes::Nothing, 'v'),
    ("fast", Takes::Optional, '1'),
    ("best", Takes::Nothing, '9'),
    ("help", Takes::Nothing, 'h'),
    ("version", Takes::Nothing, 'V'),
];
const GZIP: &[Long] = &[
    ("license", Takes::Nothing, 'L'),
    ("name", Takes::Nothing, 'N'),
    ("no-name", Takes::Nothing, 'n'),
    ("recursive", Takes::Nothing, 'r'),
    ("suffix", Takes::Argument, 'S'),
    ("rsyncable", Takes::Nothing, 'R'),
    ("synchronous", Takes::Nothing, 'Y'),
];
const BZIP2: &[Long] = &[
    ("small", Takes::Nothing, 's'),
    ("license", Takes::Nothing, 'L'),
];
const XZ: &[Long] = &[
    ("suffix", Takes::Argument, 'S'),
    ("threads", Takes::Argument, 'T'),
    ("format", Takes::Argument, 'F'),
    ("check", Takes::Argument, 'C'),
    ("extreme", Takes::Nothing, 'e'),
    ("memlimit", Takes::Argument, 'M'),
    ("memlimit-compress", Takes::Argument, 'M'),
    ("memlimit-decompress", Takes::Argument, 'M'),
    ("memory", Takes::Argument, 'M'),
    ("no-warn", Takes::Nothing, 'Q'),
    ("no-sparse", Takes::Nothing, 'Y'),
    ("no-adjust", Takes::Nothing, 'Y'),
    ("robot", Takes::Nothing, 'O'),
    ("block-size", Takes::Argument, 'M'),
    ("single-stream", Takes::Nothing, 'Y'),
    ("ignore-check", Takes::Nothing, 'Y'),
];
const ZSTD: &[Long] = &[
    ("rm", Takes::Nothing, 'R'),
    ("ultra", Takes::Nothing, 'Y'),
    ("long", Takes::Optional, 'Y'),
    ("no-check", Takes::Nothing, 'Y'),
    ("no-progress", Takes::Nothing, 'Y'),
    ("progress", Takes::Nothing, 'Y'),
    ("threads", Takes::Argument, 'T'),
    ("rsyncable", Takes::Nothing, 'Y'),
    ("adapt", Takes::Optional, 'Y'),
    ("sparse", Takes::Nothing, 'Y'),
    ("no-sparse", Takes::Nothing, 'Y'),
    ("content-size", Takes::Nothing, 'Y'),
    ("no-content-size", Takes::Nothing, 'Y'),
    ("exclude-compressed", Takes::Nothing, 'Y'),
    ("memory", Takes::Argument, 'M'),
];

/// Which program's manners to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

struct Request {
    program: Program,
    /// The name to complain under.
    called: String,
    how: How,
    decompress: bool,
    test: bool,
    list: bool,
    standard_output: bool,
    keep: bool,
    force: bool,
    quiet: u32,
    verbose: u32,
    recursive: bool,
    /// Use little memory.
    small: bool,
    /// Whether to keep the name and time of a file in a header, where that is told.
    name: Option<bool>,
    robot: bool,
    suffix: String,
    output: Option<String>,
}

fn request(name: &str) -> Option<Request> {
    let (program, format, decompress, standard_output) = match name {
        "gzip" => (Program::Gzip, Format::Gzip, false, false),
        "gunzip" => (Program::Gzip, Format::Gzip, true, false),
        "gzcat" | "zcat" => (Program::Gzip, Format::Gzip, true, true),
        "bzip2" => (Program::Bzip2, Format::Bzip2, false, false),
        "bunzip2" => (Program::Bzip2, Format::Bzip2, true, false),
        "bzcat" => (Program::Bzip2, Format::Bzip2, true, true),
        "xz" => (Program::Xz, Format::Xz, false, false),
        "unxz" => (Program::Xz, Format::Xz, true, false),
        "xzcat" => (Program::Xz, Format::Xz, true, true),
        "lzma" => (Program::Xz, Format::Lzma, false, false),
        "unlzma" => (Program::Xz, Format::Lzma, true, false),
        "lzcat" => (Program::Xz, Format::Lzma, true, true),
        "unzstd" => (Program::Zstd, Format::Zstd, true, false),
        "zstdcat" => (Program::Zstd, Format::Zstd, true, true),
        "zstd" => (Program::Zstd, Format::Zstd, false, false),
        _ => return None,
    };
    let called = match program {
        Program::Gzip => "gzip",
        Program::Zstd => "zstd",
        Program::Bzip2 | Program::Xz => name,
    };
    Some(Request {
        program,
        called: called.to_owned(),
        how: How::new(format),
        decompress,
        test: false,
        list: false,
        standard_output,
        keep: program == Program::Zstd,
        force: name == "zstdcat",
        quiet: 0,
        verbose: 0,
        recursive: false,
        small: false,
        name: None,
        robot: false,
        suffix: suffix(format).to_owned(),
        output: None,
    })
}

fn suffix(format: Format) -> &'static str {
    match format {
        Format::Gzip => ".gz",
        Format::Bzip2 => ".bz2",
        Format::Xz => ".xz",
        Format::Lzma => ".lzma",
        Format::Zstd => ".zst",
    }
}

/// Runs the compressor of a name.
pub(crate) fn run(name: &str, words: &[String]) -> u8 {
    let Some(mut request) = request(name) else {
        eprintln!("{name}: this command is not part of the program");
        return 127;
    };
    match read(&mut request, words) {
        Ok(Some(operands)) => one::all(&request, &operands),
        Ok(None) => 0,
        Err(status) => status,
    }
}

/// Reads a command line: the operands, or none if all is said already, or an exit status.
fn read(request: &mut Request, words: &[String]) -> Result<Option<Vec<String>>, u8> {
    let (short, own) = match request.program {
        Program::Gzip => ("0123456789ab:cdfhklLnNqrS:tvVZ", GZIP),
        Program::Bzip2 => ("123456789cdfhkLqstvVz", BZIP2),
        Program::Xz => ("0123456789cC:defF:hHklM:qQS:tT:vVz", XZ),
        Program::Zstd => ("0123456789cdfhHklo:qrtT:vVzB:M:D:", ZSTD),
    };
    // One list for all: what a program lacks it does not take in its letters either.
    let long: Vec<Long> = LONG.iter().chain(own).copied().collect();
    let options = Options {
        short,
        // Four programs, each parsed once a run.
        long: Vec::leak(long),
    };
    let words: Vec<String> = match request.program {
        Program::Zstd => words.iter().map(|word| plain_zstd(word)).collect(),
        _ => words.to_vec(),
    };
    let (items, error) = parse(&options, &words);
    let mut operands = Vec::new();
    let mut level: Option<(u32, usize)> = None;
    for item in items {
        let (letter, argument, place) = match item {
            Item::Operand(operand) => {
                operands.push(operand);
                continue;
            }
            Item::Option(letter, argument, place) => (letter, argument.unwrap_or_default(), place),
        };
        match letter {
            '0'..='9' => {
                let digit = letter.to_digit(10).unwrap_or(0);
                // Only zstd's levels have two digits.
                level = Some(match level {
                    Some((before, at)) if at == place && request.program == Program::Zstd => {
                        (before * 10 + digit, place)
                    }
                    _ => (digit, place),
                });
            }
            _ => {
                if option(request, letter, argument)? {
                    return Ok(None);
                }
            }
        }
    }
    if let Some(error) = error {
        return Err(words::usage(request, &error));
    }
    if let Some((level, _)) = level {
        request.how.level = level;
    }
    if request.small {
        const LEVEL_MAX: u32 = 2;
        request.how.level = request.how.level.min(LEVEL_MAX);
    }
    if operands.is_empty() {
        operands.push("-".to_owned());
    }
    Ok(Some(operands))
}

/// Takes zstd's `-T0` and such apart from its levels.
fn plain_zstd(word: &str) -> String {
    match word {
        "--fast" => "--fast=1".to_owned(),
        _ => word.to_owned(),
    }
}

/// Does what an option says. Whether that was all there is to do.
fn option(request: &mut Request, letter: char, argument: String) -> Result<bool, u8> {
    match letter {
        'c' => request.standard_output = true,
        'd' => request.decompress = true,
        'z' => request.decompress = false,
        'f' => request.force = true,
        'k' => request.keep = true,
        'l' => request.list = true,
        'R' if request.program == Program::Zstd => request.keep = false,
        'q' => request.quiet += 1,
        'v' => request.verbose += 1,
        'r' => request.recursive = true,
        's' => request.small = true,
        'n' => request.name = Some(false),
        'N' => request.name = Some(true),
        'O' => request.robot = true,
        't' => {
            request.test = true;
            request.decompress = true;
        }
        'S' => {
            if argument.is_empty() || argument.contains('/') {
                eprintln!("{}: invalid suffix '{argument}'", request.called);
                return Err(1);
            }
            request.suffix = argument;
        }
        'o' => request.output = Some(argument),
        'F' => {
            request.how.format = match argument.as_str() {
                "auto" => request.how.format,
                "xz" => Format::Xz,
                "lzma" | "alone" => Format::Lzma,
                _ => {
                    eprintln!("{}: {argument}: Unknown file format type", request.called);
                    return Err(1);
                }
            };
            request.suffix = suffix(request.how.format).to_owned();
        }
        'C' => {
            request.how.check = Some(match argument.as_str() {
                "none" => CheckType::None,
                "crc32" => CheckType::Crc32,
                "crc64" => CheckType::Crc64,
                "sha256" => CheckType::Sha256,
                _ => {
                    eprintln!(
                        "{}: {argument}: Unsupported integrity check type",
                        request.called
                    );
                    return Err(1);
                }
            });
        }
        'D' if request.program == Program::Zstd => {
            eprintln!("zstd: dictionaries are not supported");
            return Err(1);
        }
        'Z' => {
            eprintln!("gzip: -Z not supported in this version");
            return Err(1);
        }
        'h' | 'H' => {
            print!("{}", words::help(request));
            return Ok(true);
        }
        'V' | 'L' => {
            print!("{}", words::version(request));
            return Ok(true);
        }
        _ => {}
    }
    Ok(false)
}
