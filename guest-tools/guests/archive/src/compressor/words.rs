//! What the four programs say, each in its own way.

use std::fmt::Write as _;
use std::io;

use super::{Program, Request};
use crate::codec::Format;
use crate::{gzip, zstd};

/// Why a file was not done.
pub(super) struct Failure {
    pub(super) text: String,
    pub(super) status: u8,
    /// Whether the program gives up on the other files too.
    pub(super) is_last: bool,
    before: Before,
}

/// What stands before a message.
#[derive(PartialEq, Eq)]
enum Before {
    Name,
    /// gzip begins a new line, as what it says may come amid a line.
    LineAndName,
    Nothing,
}

impl Failure {
    pub(super) fn new(status: u8, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            status,
            is_last: false,
            before: Before::Name,
        }
    }

    /// All is said already, or there is nothing to say.
    pub(super) fn silent() -> Self {
        Self::new(0, "")
    }

    fn after(self, before: Before) -> Self {
        Self { before, ..self }
    }
}

/// Complains about a command line.
pub(super) fn usage(request: &Request, error: &str) -> u8 {
    let name = &request.called;
    match request.program {
        Program::Gzip => eprintln!("gzip: {error}\nTry `gzip --help' for more information."),
        Program::Xz => {
            eprintln!("{name}: {error}\n{name}: Try `{name} --help' for more information.")
        }
        Program::Zstd => eprint!("Incorrect parameters \n{}", help(request)),
        Program::Bzip2 => {
            let flag = error
                .split_once('\'')
                .map_or(error, |(_, flag)| flag.trim_end_matches('\''));
            let dash = if flag.starts_with('-') { "" } else { "-" };
            eprint!("{name}: Bad flag `{dash}{flag}'\n{}", help(request));
        }
    }
    1
}

pub(super) fn help(request: &Request) -> String {
    let (title, more) = match request.program {
        Program::Gzip => (
            "Compress or uncompress FILEs (by default, compress FILES in-place).",
            "  -l, --list        list compressed file contents\n\
             \x20 -n, --no-name     do not save or restore the original name and timestamp\n\
             \x20 -N, --name        save or restore the original name and timestamp\n\
             \x20 -r, --recursive   operate recursively on directories\n\
             \x20 -S, --suffix=SUF  use suffix SUF on compressed files\n",
        ),
        Program::Bzip2 => ("Compress or decompress FILEs by sorting blocks.", ""),
        Program::Xz => (
            "Compress or decompress FILEs in the .xz format.",
            "  -l, --list        list information about .xz files\n\
             \x20 -F, --format=FMT  file format: auto, xz or lzma\n\
             \x20 -C, --check=CHECK integrity check: none, crc32, crc64 or sha256\n\
             \x20 -T, --threads=NUM accepted; one thread is used\n\
             \x20 -S, --suffix=SUF  use suffix SUF on compressed files\n",
        ),
        Program::Zstd => (
            "Compress or decompress FILEs; read standard input if there is none.",
            "  -o OUTPUT         write the result to this file\n\
             \x20     --rm          remove the input after success\n\
             \x20 -r                operate recursively on directories\n\
             \x20 -l                list information about .zst files\n",
        ),
    };
    let mut text = format!(
        "Usage: {} [OPTION]... [FILE]...\n{title}\n\n",
        request.called
    );
    text.push_str(
        "  -c, --stdout      write to standard output, keep input files\n\
         \x20 -d, --decompress  decompress\n\
         \x20 -f, --force       overwrite output files, follow links\n\
         \x20 -k, --keep        keep input files\n\
         \x20 -q, --quiet       suppress warnings\n\
         \x20 -t, --test        test the integrity of compressed files\n\
         \x20 -v, --verbose     be verbose\n\
         \x20 -1 ... -9         compress faster, or better\n\
         \x20 -h, --help        show this help\n\
         \x20 -V, --version     show the version\n",
    );
    text.push_str(more);
    text
}

pub(super) fn version(request: &Request) -> &'static str {
    match request.program {
        Program::Gzip => "gzip 1.12\n",
        Program::Bzip2 => "bzip2, a block-sorting file compressor.  Version 1.0.8, 13-Jul-2019.\n",
        Program::Xz => "xz (XZ Utils) 5.4.1\nliblzma 5.4.1\n",
        Program::Zstd => "*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***\n",
    }
}

/// The end of zstd's longest message, the only one without a blank behind it.
pub(super) const IGNORING: &str = "Ignoring.";

/// Writes a message and returns the exit status.
pub(super) fn tell(request: &Request, failure: &Failure) -> u8 {
    // gzip's quiet warnings still have their status, xz's silence is in steps.
    let is_quiet = match request.program {
        Program::Gzip => request.quiet > 0 && failure.status == 2,
        Program::Xz => request.quiet > if failure.status == 2 { 0 } else { 1 },
        Program::Zstd => request.quiet > 1,
        Program::Bzip2 => false,
    };
    if is_quiet || failure.text.is_empty() {
        return failure.status;
    }
    let end = if request.program == Program::Zstd && !failure.text.ends_with(IGNORING) {
        " "
    } else {
        ""
    };
    let (name, text) = (&request.called, &failure.text);
    match failure.before {
        Before::Name => eprintln!("{name}: {text}{end}"),
        Before::LineAndName => eprintln!("\n{name}: {text}"),
        Before::Nothing => eprintln!("{text}{end}"),
    }
    failure.status
}

/// A file that is not there, or that cannot be opened.
pub(super) fn missing(request: &Request, path: &str, error: &io::Error) -> Failure {
    let error = process::message(error);
    let text = match request.program {
        Program::Bzip2 if request.test => format!("Can't open input {path}: {error}."),
        Program::Bzip2 => format!("Can't open input file {path}: {error}."),
        Program::Zstd => format!("can't stat {path} : {error} -- ignored"),
        Program::Gzip if path.is_empty() => error,
        _ => format!("{path}: {error}"),
    };
    Failure::new(1, text)
}

pub(super) fn directory(request: &Request, path: &str) -> Failure {
    match request.program {
        Program::Gzip => Failure::new(2, format!("{path} is a directory -- ignored")),
        Program::Bzip2 => Failure::new(1, format!("Input file {path} is a directory.")),
        Program::Xz => Failure::new(2, format!("{path}: Is a directory, skipping")),
        Program::Zstd => Failure::new(1, format!("{path} is a directory -- ignored")),
    }
}

pub(super) fn exists(request: &Request, target: &str) -> Failure {
    match request.program {
        Program::Gzip => Failure::new(2, format!("{target} already exists;\tnot overwritten")),
        Program::Bzip2 => Failure::new(1, format!("Output file {target} already exists.")),
        Program::Xz => Failure::new(1, format!("{target}: File exists")),
        Program::Zstd if request.quiet > 0 => {
            Failure::new(1, format!("{target} already exists; not overwritten "))
        }
        Program::Zstd => Failure::new(
            1,
            format!("{target} already exists; overwrite (y/n) ? Not overwritten  \n"),
        ),
    }
}

/// Nothing of the format is at a file's beginning.
pub(super) fn other_format(request: &Request, shown: &str) -> Failure {
    match request.program {
        Program::Gzip => {
            Failure::new(1, format!("{shown}: not in gzip format")).after(Before::LineAndName)
        }
        Program::Bzip2 if request.test => Failure::new(
            2,
            format!("{shown}: bad magic number (file not created by bzip2)\n{RECOVER}"),
        ),
        Program::Bzip2 => Failure::new(2, format!("{shown} is not a bzip2 file.")),
        Program::Xz => Failure::new(1, format!("{shown}: File format not recognized")),
        Program::Zstd => Failure::new(1, format!("{shown}: {}", zstd::NO_FRAME)),
    }
}

const RECOVER: &str = "
You can use the `bzip2recover' program to attempt to recover
data from undamaged sections of corrupted files.
";

/// A packed file is damaged, or cannot be read or written.
pub(super) fn damaged(
    request: &Request,
    format: Format,
    shown: &str,
    target: Option<&str>,
    error: &io::Error,
) -> Failure {
    let is_cut = error.kind() == io::ErrorKind::UnexpectedEof;
    // What the system says has a number, natively and on Wasm.
    let is_system = error.raw_os_error().is_some()
        || error
            .get_ref()
            .is_some_and(|inner| inner.is::<process::Errno>());
    if is_system {
        return Failure::new(1, format!("{shown}: {}", process::message(error)));
    }
    let text = error.to_string();
    match request.program {
        Program::Gzip if is_cut => Failure {
            is_last: true,
            before: Before::LineAndName,
            ..Failure::new(1, format!("{shown}: unexpected end of file"))
        },
        Program::Gzip => {
            let known = [gzip::BAD_CHECKSUM, gzip::BAD_LENGTH, gzip::BAD_BOTH];
            let words = known.into_iter().find(|known| *known == text);
            let words = words
                .unwrap_or(gzip::BAD_FORMAT)
                .replace("gzip:", &format!("gzip: {shown}:"));
            Failure::new(1, format!("{shown}: {words}")).after(Before::LineAndName)
        }
        Program::Xz if is_cut => Failure::new(1, format!("{shown}: Unexpected end of input")),
        Program::Xz => Failure::new(1, format!("{shown}: Compressed data is corrupt")),
        Program::Zstd if is_cut => {
            Failure::new(1, format!("{shown} : Read error (39) : premature end"))
                .after(Before::Nothing)
        }
        Program::Zstd if text == zstd::NO_FRAME || format != Format::Zstd => {
            Failure::new(1, format!("{shown}: {text}"))
        }
        Program::Zstd => Failure::new(1, format!("{shown} : {text}")).after(Before::Nothing),
        Program::Bzip2 => bzip2(request, shown, target, is_cut),
    }
}

fn bzip2(request: &Request, shown: &str, target: Option<&str>, is_cut: bool) -> Failure {
    if request.test {
        let what = if is_cut {
            "file ends unexpectedly"
        } else {
            "data integrity (CRC) error in data"
        };
        return Failure::new(2, format!("{shown}: {what}\n{RECOVER}"));
    }
    let name = &request.called;
    let mut text = String::new();
    if is_cut {
        text.push_str("Compressed file ends unexpectedly;\n\tperhaps it is corrupted?  *Possible* reason follows.\n");
        // The C library's last error, whatever that was; after a look for the output it is this one.
        let reason = if target.is_some() {
            "No such file or directory"
        } else {
            "Success"
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}: {reason}");
    } else {
        text.push_str("Data integrity error when decompressing.\n");
    }
    let _ = write!(
        text,
        "\tInput file = {shown}, output file = {}\n\n\
         It is possible that the compressed file(s) have become corrupted.\n\
         You can use the -tvv option to test integrity of such files.\n{RECOVER}",
        target.unwrap_or("(stdout)"),
    );
    if let Some(target) = target {
        let _ = write!(
            text,
            "\n{name}: Deleting output file {target}, if it exists."
        );
    }
    Failure {
        is_last: true,
        before: Before::LineAndName,
        ..Failure::new(2, text)
    }
}

/// Behind the last member is something else.
pub(super) fn trailing(request: &Request, shown: &str) -> Option<Failure> {
    match request.program {
        Program::Gzip => {
            let text = format!("{shown}: decompression OK, trailing garbage ignored");
            Some(Failure::new(2, text).after(Before::LineAndName))
        }
        Program::Bzip2 => {
            let line = if request.test { "" } else { "\n" };
            eprintln!(
                "{line}{}: {shown}: trailing garbage after EOF ignored",
                request.called
            );
            None
        }
        Program::Xz | Program::Zstd => None,
    }
}
