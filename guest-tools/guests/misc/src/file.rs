//! file: what a file is, in the words of libmagic 5.44.
//!
//! Of its thousands of rules only those are here that agents meet; where none fits, text is told by its encoding and
//! the rest is `data`, as there.

mod answer;
mod archive;
mod binary;
mod elf;
mod encoding;
mod image;
mod json;
mod media;
mod script;
mod source;
mod special;
mod text;

use std::io::{self, BufWriter, Read, Seek, Write};

use gnu_options::{Item, Takes};

use crate::{input, report};

use answer::Answer;

/// How much of a file is looked at.
const BYTES_MAX: u64 = 1 << 20;
/// How much more of a program is.
const PROGRAM_BYTES_MAX: u64 = 255 << 20;

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "bcCdEe:F:f:hiklLm:nN0pP:rsSvzZ",
    long: &[
        ("brief", Takes::Nothing, 'b'),
        ("dereference", Takes::Nothing, 'L'),
        ("exclude", Takes::Argument, 'e'),
        ("exclude-quiet", Takes::Argument, 'e'),
        ("extension", Takes::Nothing, 'X'),
        ("files-from", Takes::Argument, 'f'),
        ("help", Takes::Nothing, 'H'),
        ("keep-going", Takes::Nothing, 'k'),
        ("mime", Takes::Nothing, 'i'),
        ("mime-encoding", Takes::Nothing, 'M'),
        ("mime-type", Takes::Nothing, 'T'),
        ("no-buffer", Takes::Nothing, 'n'),
        ("no-dereference", Takes::Nothing, 'h'),
        ("no-pad", Takes::Nothing, 'N'),
        ("no-sandbox", Takes::Nothing, 'S'),
        ("preserve-date", Takes::Nothing, 'p'),
        ("print0", Takes::Nothing, '0'),
        ("raw", Takes::Nothing, 'r'),
        ("separator", Takes::Argument, 'F'),
        ("special-files", Takes::Nothing, 's'),
        ("version", Takes::Nothing, 'v'),
    ],
};

/// What of an answer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Text,
    Mime,
    MimeType,
    MimeEncoding,
    Extensions,
}

struct Settings {
    shown: Shown,
    is_brief: bool,
    follows: bool,
    pads: bool,
    zeros: usize,
    separator: String,
    fails_on_errors: bool,
    reads_special: bool,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&OPTIONS, arguments);
    if let Some(error) = error {
        report::complain(program, error);
        return usage();
    }
    let mut settings = Settings {
        shown: Shown::Text,
        is_brief: false,
        follows: std::env::var_os("POSIXLY_CORRECT").is_some(),
        pads: true,
        zeros: 0,
        separator: ":".to_owned(),
        fails_on_errors: false,
        reads_special: false,
    };
    let mut names = Vec::new();
    for item in items {
        let (letter, value) = match item {
            Item::Operand(name) => {
                names.push(name);
                continue;
            }
            Item::Option(letter, value, _) => (letter, value.unwrap_or_default()),
        };
        match letter {
            'b' => settings.is_brief = true,
            'i' => settings.shown = Shown::Mime,
            'T' => settings.shown = Shown::MimeType,
            'M' => settings.shown = Shown::MimeEncoding,
            'X' => settings.shown = Shown::Extensions,
            'L' => settings.follows = true,
            'h' => settings.follows = false,
            'N' => settings.pads = false,
            '0' => settings.zeros += 1,
            'F' => settings.separator = value,
            'E' => settings.fails_on_errors = true,
            's' => settings.reads_special = true,
            'f' => match listed(&value) {
                Ok(more) => names.extend(more),
                Err(error) => {
                    let message = process::message(&error);
                    report::complain(program, format_args!("Cannot open `{value}' ({message})"));
                    return 1;
                }
            },
            'v' => {
                return report::print(program, "file-5.44 (Sinew)\nmagic file from none\n");
            }
            'H' => return report::print(program, USAGE),
            'k' | 'n' | 'p' | 'r' | 'S' => {}
            _ => {
                report::complain(
                    program,
                    format_args!("the option -{letter} is not supported"),
                );
                return 1;
            }
        }
    }
    if names.is_empty() {
        return usage();
    }
    let written = all(&settings, &names);
    match written {
        Ok(status) => report::finish(program, Ok(()), status),
        Err(error) => report::finish(program, Err(error), 1),
    }
}

fn usage() -> u8 {
    let _ = io::stderr().write_all(
        b"Usage: file [-bcCdEhikLlNnprsSvzZ0] [--apple] [--extension] [--mime-encoding]\n            \
        [--mime-type] [-e <testname>] [-F <separator>]  [-f <namefile>]\n            \
        [-m <magicfiles>] [-P <parameter=value>] [--exclude-quiet]\n            \
        <file> ...\n       file -C [-m <magicfiles>]\n       file [--help]\n",
    );
    1
}

fn listed(name: &str) -> io::Result<Vec<String>> {
    let mut source = input::open(name)?;
    let mut text = Vec::new();
    source.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .map(str::to_owned)
        .collect())
}

fn all(settings: &Settings, names: &[String]) -> io::Result<u8> {
    let width = |name: &String| name.chars().count();
    let longest = names.iter().map(width).max().unwrap_or(0);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut status = 0;
    for name in names {
        let answer = look(settings, name);
        let shown = if name == "-" { "/dev/stdin" } else { name };
        if !settings.is_brief {
            out.write_all(shown.as_bytes())?;
            if settings.zeros > 0 {
                out.write_all(b"\0")?;
            }
            if settings.zeros < 2 {
                out.write_all(settings.separator.as_bytes())?;
                let padding = if settings.pads {
                    longest.saturating_sub(width(name))
                } else {
                    0
                };
                write!(out, "{:padding$} ", "")?;
            }
        }
        match answer {
            Ok(answer) => out.write_all(show(settings.shown, &answer).as_bytes())?,
            Err(message) => {
                let mut message = message;
                if settings.fails_on_errors {
                    status = 1;
                    message = format!("ERROR: {}", message.replacen("open", "stat", 1));
                }
                out.write_all(message.as_bytes())?;
            }
        }
        out.write_all(if settings.zeros > 1 { b"\0" } else { b"\n" })?;
    }
    out.flush()?;
    Ok(status)
}

fn show(shown: Shown, answer: &Answer) -> String {
    match shown {
        Shown::Text => answer.text.clone(),
        Shown::Mime if answer.charset.is_empty() => answer.mime.clone(),
        Shown::Mime => format!("{}; charset={}", answer.mime, answer.charset),
        Shown::MimeType => answer.mime.clone(),
        Shown::MimeEncoding => answer.charset.to_owned(),
        Shown::Extensions => answer::extensions(&answer.mime).to_owned(),
    }
}

/// Looks at one file; the error is what is shown in place of an answer.
fn look(settings: &Settings, name: &str) -> Result<Answer, String> {
    let cannot = |error: &io::Error| format!("cannot open `{name}' ({})", process::message(error));
    let mut head = Vec::new();
    if name == "-" {
        io::stdin()
            .lock()
            .take(BYTES_MAX)
            .read_to_end(&mut head)
            .map_err(|error| cannot(&error))?;
        return Ok(content(&head));
    }
    let stat = process::stat(name, settings.follows)
        .or_else(|error| {
            // What a broken link would lead to is told of the link.
            if settings.follows {
                process::stat(name, false)
            } else {
                Err(error)
            }
        })
        .map_err(|error| cannot(&error.into()))?;
    if let Some(answer) = special::look(name, &stat, settings.reads_special) {
        return Ok(answer);
    }
    let prefix = special::mode_prefix(stat.mode);
    let with_prefix = |mut answer: Answer| {
        answer.text.insert_str(0, &prefix);
        answer
    };
    if stat.size == 0 && stat.kind == process::Kind::Regular {
        return Ok(with_prefix(Answer::binary("empty", "inode/x-empty")));
    }
    let read = std::fs::File::open(name).and_then(|file| read(file, &mut head));
    match read {
        Ok(_) => Ok(with_prefix(content(&head))),
        Err(error) if process::Errno::from(&error) == process::Errno::Access => {
            Ok(with_prefix(special::unreadable(stat.mode)))
        }
        Err(error) => Err(cannot(&error)),
    }
}

/// Reads the beginning of a file, and what of its end tells what it is.
fn read(mut file: std::fs::File, head: &mut Vec<u8>) -> io::Result<()> {
    (&file).take(BYTES_MAX).read_to_end(head)?;
    if head.len() as u64 == BYTES_MAX {
        if head.starts_with(b"\x7fELF") {
            // The table of sections is at the end.
            file.take(PROGRAM_BYTES_MAX).read_to_end(head)?;
        } else if head.starts_with(b"\x1f\x8b") {
            // The length is in the last four bytes.
            file.seek(io::SeekFrom::End(-4))?;
            file.read_to_end(head)?;
        }
    }
    Ok(())
}

/// Returns what some bytes are.
fn content(bytes: &[u8]) -> Answer {
    if bytes.is_empty() {
        return Answer::binary("empty", "inode/x-empty");
    }
    let encoding = encoding::find(bytes);
    let with_charset = |mut answer: Answer| {
        answer.charset = encoding.charset();
        answer
    };
    if let Some(answer) = archive::tar(bytes) {
        return answer;
    }
    if encoding.is_text()
        && let Some(answer) = json::look(bytes).or_else(|| text::csv(bytes))
    {
        return with_charset(answer);
    }
    if let Some(answer) = binary::look(bytes) {
        return with_charset(answer);
    }
    match encoding.is_text() {
        true => with_charset(text::describe(bytes, &encoding)),
        false if bytes.len() == 1 => {
            Answer::binary("very short file (no magic)", "application/octet-stream")
        }
        false => Answer::binary("data", "application/octet-stream"),
    }
}

const USAGE: &str = "\
Usage: file [OPTION...] [FILE...]
Tells what files are.
  -b, --brief             no names
  -E                      status 1 for files that cannot be read
  -f, --files-from FILE   the names are in FILE
  -F, --separator STRING  in place of the colon
  -h, --no-dereference    symbolic links themselves (default)
  -L, --dereference       what they lead to
  -i, --mime              MIME type and encoding
      --mime-type, --mime-encoding   one of them
      --extension         usual extensions
  -N, --no-pad            no blanks that align
  -s, --special-files     read devices too
  -0, --print0            NUL behind names
";
