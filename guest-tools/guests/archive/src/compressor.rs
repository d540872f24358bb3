//! gzip, bzip2, xz and zstd, and their other names: files are replaced by compressed ones or the other way.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufWriter, Read, Write};

use gnu_options::{Item, Long, Options, Takes, parse};

use crate::codec::{self, Format};

const LONG: &[Long] = &[
    ("stdout", Takes::Nothing, 'c'),
    ("to-stdout", Takes::Nothing, 'c'),
    ("decompress", Takes::Nothing, 'd'),
    ("uncompress", Takes::Nothing, 'd'),
    ("compress", Takes::Nothing, 'z'),
    ("force", Takes::Nothing, 'f'),
    ("keep", Takes::Nothing, 'k'),
    ("quiet", Takes::Nothing, 'q'),
    ("silent", Takes::Nothing, 'q'),
    ("test", Takes::Nothing, 't'),
    ("verbose", Takes::Nothing, 'v'),
    ("fast", Takes::Nothing, '1'),
    ("best", Takes::Nothing, '9'),
    ("no-name", Takes::Nothing, 'n'),
    ("suffix", Takes::Argument, 'S'),
    ("rm", Takes::Nothing, 'R'),
    ("threads", Takes::Argument, 'T'),
    ("format", Takes::Argument, 'F'),
    ("check", Takes::Argument, 'C'),
    ("extreme", Takes::Nothing, 'e'),
    ("no-progress", Takes::Nothing, 'q'),
    ("small", Takes::Nothing, 's'),
];

struct Request {
    program: &'static str,
    format: Format,
    decompress: bool,
    test: bool,
    standard_output: bool,
    keep: bool,
    force: bool,
    quiet: bool,
    level: u32,
    suffix: String,
    output: Option<String>,
}

fn request(name: &str) -> Option<Request> {
    let (program, format, decompress, standard_output) = match name {
        "gzip" => ("gzip", Format::Gzip, false, false),
        "gunzip" => ("gzip", Format::Gzip, true, false),
        "zcat" => ("gzip", Format::Gzip, true, true),
        "bzip2" => ("bzip2", Format::Bzip2, false, false),
        "bunzip2" => ("bzip2", Format::Bzip2, true, false),
        "bzcat" => ("bzip2", Format::Bzip2, true, true),
        "xz" => ("xz", Format::Xz, false, false),
        "unxz" => ("xz", Format::Xz, true, false),
        "xzcat" => ("xz", Format::Xz, true, true),
        "lzma" => ("xz", Format::Lzma, false, false),
        "unlzma" => ("xz", Format::Lzma, true, false),
        "lzcat" => ("xz", Format::Lzma, true, true),
        "unzstd" => ("zstd", Format::Zstd, true, false),
        "zstdcat" => ("zstd", Format::Zstd, true, true),
        "zstd" => ("zstd", Format::Zstd, false, false),
        _ => return None,
    };
    Some(Request {
        program,
        format,
        decompress,
        test: false,
        standard_output,
        keep: format == Format::Zstd,
        force: false,
        quiet: false,
        level: if format == Format::Bzip2 { 9 } else { 6 },
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

/// Runs the compressor of a name; nothing if there is none of that name.
pub(crate) fn run(name: &str, words: &[String]) -> Option<u8> {
    let request = request(name)?;
    Some(run_request(request, words))
}

fn run_request(mut request: Request, words: &[String]) -> u8 {
    let short = match request.program {
        "zstd" => "0123456789cdzfkqtvo:T:",
        "xz" => "0123456789cdzfkqtvS:T:F:C:e",
        _ => "0123456789cdzfkqtvnS:s",
    };
    let (items, error) = parse(&Options { short, long: LONG }, words);
    let mut operands = Vec::new();
    let mut level = None;
    for item in items {
        let (letter, argument) = match item {
            Item::Operand(operand) => {
                operands.push(operand);
                continue;
            }
            Item::Option(letter, argument, _) => (letter, argument.unwrap_or_default()),
        };
        match letter {
            'c' => request.standard_output = true,
            'd' => request.decompress = true,
            'z' => request.decompress = false,
            'f' => request.force = true,
            'k' => request.keep = true,
            'R' => request.keep = false,
            'q' => request.quiet = true,
            't' => {
                request.test = true;
                request.decompress = true;
            }
            'S' => {
                request.suffix = if argument.starts_with('.') {
                    argument
                } else {
                    format!(".{argument}")
                }
            }
            'o' => request.output = Some(argument),
            'F' if argument == "lzma" || argument == "alone" => {
                request.format = Format::Lzma;
                request.suffix = suffix(Format::Lzma).to_owned();
            }
            '0'..='9' => level = Some(level.unwrap_or(0) * 10 + letter.to_digit(10).unwrap_or(0)),
            _ => {}
        }
    }
    if let Some(error) = error {
        eprintln!(
            "{}: {error}\nTry `{} --help' for more information.",
            request.program, request.program
        );
        return 1;
    }
    request.level = level.unwrap_or(request.level);
    if operands.is_empty() {
        operands.push("-".to_owned());
    }
    operands
        .iter()
        .map(|path| one(&request, path))
        .fold(0, worse)
}

/// A warning (2) does not hide an error (1).
fn worse(one: u8, other: u8) -> u8 {
    if one == 1 || other == 1 {
        1
    } else {
        one.max(other)
    }
}

fn one(request: &Request, path: &str) -> u8 {
    match try_one(request, path) {
        Ok(status) => status,
        Err(message) => {
            match request.program {
                "gzip" => eprintln!("\n{}: {message}", request.program),
                _ => eprintln!("{}: {message}", request.program),
            }
            1
        }
    }
}

fn try_one(request: &Request, path: &str) -> Result<u8, String> {
    let tell = |status: u8, message: String| {
        if !(request.quiet && status == 2) {
            eprintln!("{}: {message}", request.program);
        }
        Ok(status)
    };
    let failed = |error: &io::Error| format!("{path}: {}", process::message(error));
    if path != "-" {
        match process::stat(path, true) {
            Err(error) => {
                return match request.program {
                    "bzip2" => tell(1, format!("Can't open input file {path}: {error}.")),
                    "zstd" => tell(1, format!("can't stat {path} : {error} -- ignored")),
                    _ => tell(1, format!("{path}: {error}")),
                };
            }
            Ok(stat) if stat.kind == process::Kind::Directory => {
                return match request.program {
                    "gzip" => tell(2, format!("{path} is a directory -- ignored")),
                    "bzip2" => tell(1, format!("Input file {path} is a directory.")),
                    _ => tell(1, format!("{path}: Is a directory, skipping")),
                };
            }
            Ok(_) => {}
        }
    }
    let to_output = request.standard_output || (path == "-" && request.output.is_none());
    let target = match (&request.output, request.decompress) {
        _ if to_output || request.test => None,
        (Some(output), _) => Some(output.clone()),
        (None, false) if path.ends_with(&request.suffix) && !request.force => {
            return tell(
                2,
                format!("{path} already has {} suffix -- unchanged", request.suffix),
            );
        }
        (None, false) => Some(format!("{path}{}", request.suffix)),
        (None, true) => match plain_name(request, path) {
            Some(name) => Some(name),
            None => return tell(2, format!("{path}: unknown suffix -- ignored")),
        },
    };
    let mut source = codec::open(path).map_err(|error| failed(&error))?;
    let Some(target) = target else {
        let outcome = if request.test {
            transform(request, path, &mut source, io::sink())
        } else {
            transform(request, path, &mut source, codec::standard_output())
        };
        return outcome.map(|()| 0);
    };
    let mut how = OpenOptions::new();
    how.write(true);
    if request.force {
        how.create(true).truncate(true)
    } else {
        how.create_new(true)
    };
    let file: File = match how.open(&target) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let status = if request.program == "gzip" { 2 } else { 1 };
            return tell(status, format!("{target} already exists;\tnot overwritten"));
        }
        Err(error) => return Err(format!("{target}: {}", process::message(&error))),
    };
    let out = BufWriter::with_capacity(65_536, &file);
    if let Err(message) = transform(request, path, &mut source, out) {
        // Half a result would be taken for a whole one.
        drop(file);
        let _ = std::fs::remove_file(&target);
        return Err(message);
    }
    if path != "-" {
        keep_attributes(path, &target, &file);
        drop(file);
        if !request.keep {
            std::fs::remove_file(path).map_err(|error| failed(&error))?;
        }
    }
    Ok(0)
}

fn plain_name(request: &Request, path: &str) -> Option<String> {
    if let Some(name) = path.strip_suffix(&request.suffix) {
        return Some(name.to_owned());
    }
    let tar = [".tgz", ".taz", ".tbz2", ".tbz", ".txz", ".tlz", ".tzst"];
    if let Some(stem) = tar.iter().find_map(|suffix| path.strip_suffix(suffix)) {
        return Some(format!("{stem}.tar"));
    }
    let alone = match request.format {
        Format::Gzip => path.strip_suffix(".z").or_else(|| path.strip_suffix("-gz")),
        Format::Xz => path.strip_suffix(".lzma"),
        Format::Bzip2 => return Some(format!("{path}.out")),
        _ => None,
    };
    alone.map(str::to_owned)
}

fn keep_attributes(path: &str, target: &str, file: &File) {
    // As with the originals, attributes that cannot be kept are no failure.
    if let Ok(stat) = process::stat(path, true) {
        let _ = process::chmod(target, stat.mode & 0o777);
        let seconds = u64::try_from(stat.modified.seconds).unwrap_or(0);
        let time =
            std::time::UNIX_EPOCH + std::time::Duration::new(seconds, stat.modified.nanoseconds);
        let _ = file.set_modified(time);
    }
}

fn transform(
    request: &Request,
    path: &str,
    source: &mut dyn BufRead,
    mut out: impl Write,
) -> Result<(), String> {
    let shown = if path == "-" { "stdin" } else { path };
    if !request.decompress {
        return codec::compress(request.format, request.level, source, out)
            .map(|_| ())
            .map_err(|error| format!("{shown}: {}", process::message(&error)));
    }
    let head = source
        .fill_buf()
        .map_err(|error| format!("{shown}: {}", process::message(&error)))?;
    let found = Format::of_magic(head);
    let fits = found == Some(request.format)
        || (request.format == Format::Xz && found == Some(Format::Lzma));
    if head.is_empty() {
        return if matches!(request.format, Format::Gzip) {
            Err(format!("{shown}: unexpected end of file"))
        } else {
            Ok(())
        };
    }
    if !fits {
        if request.force && request.standard_output {
            return codec::pump(&mut &mut *source, &mut out)
                .and_then(|_| out.flush())
                .map_err(|error| process::message(&error));
        }
        return Err(match request.format {
            Format::Gzip => format!("{shown}: not in gzip format"),
            Format::Bzip2 => format!("{shown} is not a bzip2 file."),
            Format::Xz | Format::Lzma => format!("{shown}: File format not recognized"),
            Format::Zstd => format!("{shown}: unsupported format"),
        });
    }
    let format = found.unwrap_or(request.format);
    let mut reader = codec::reader(format, source)
        .map_err(|error| format!("{shown}: {}", process::message(&error)))?;
    // What was good before the damage is shown, as the originals do.
    let outcome = codec::pump(&mut reader.by_ref(), &mut out);
    out.flush().map_err(|error| process::message(&error))?;
    outcome.map(|_| ()).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("{shown}: unexpected end of file"),
        _ if request.format == Format::Gzip => {
            format!("{shown}: invalid compressed data--format violated")
        }
        _ => format!("{shown}: {}", process::message(&error)),
    })
}
