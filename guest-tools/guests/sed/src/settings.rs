//! The command line.

use gnu_options::{Item, Long, Options, Takes};

use crate::Failure;

/// A piece of the script.
#[derive(Debug)]
pub(crate) struct Piece {
    /// None for an expression, otherwise the file's name.
    pub(crate) file: Option<String>,
    pub(crate) text: Vec<u8>,
}

/// The command line, read.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) quiet: bool,
    pub(crate) extended: bool,
    pub(crate) separate: bool,
    /// The suffix of backups, empty for none, if files are edited in place.
    pub(crate) in_place: Option<String>,
    pub(crate) follow_links: bool,
    pub(crate) line_length: usize,
    pub(crate) unbuffered: bool,
    pub(crate) line_end: u8,
    pub(crate) posix: bool,
    pub(crate) sandbox: bool,
    pub(crate) utf8: bool,
    pub(crate) script: Vec<Piece>,
    pub(crate) files: Vec<String>,
}

/// What a command line asks for.
pub(crate) enum Asked {
    Edit(Box<Settings>),
    Help,
    Version,
    /// It cannot be understood: a message, then usage.
    Usage(Option<String>),
}

const DEBUG: char = '\u{1}';
const FOLLOW: char = '\u{2}';
const HELP: char = '\u{3}';
const POSIX: char = '\u{4}';
const SANDBOX: char = '\u{5}';
const VERSION: char = '\u{6}';

const LONG: &[Long] = &[
    ("binary", Takes::Nothing, 'b'),
    ("debug", Takes::Nothing, DEBUG),
    ("expression", Takes::Argument, 'e'),
    ("file", Takes::Argument, 'f'),
    ("follow-symlinks", Takes::Nothing, FOLLOW),
    ("help", Takes::Nothing, HELP),
    ("in-place", Takes::Optional, 'i'),
    ("line-length", Takes::Argument, 'l'),
    ("null-data", Takes::Nothing, 'z'),
    ("posix", Takes::Nothing, POSIX),
    ("quiet", Takes::Nothing, 'n'),
    ("regexp-extended", Takes::Nothing, 'E'),
    ("sandbox", Takes::Nothing, SANDBOX),
    ("separate", Takes::Nothing, 's'),
    ("silent", Takes::Nothing, 'n'),
    ("unbuffered", Takes::Nothing, 'u'),
    ("version", Takes::Nothing, VERSION),
    ("zero-terminated", Takes::Nothing, 'z'),
];

/// Reads the words behind the program's name.
pub(crate) fn read(words: &[String]) -> Result<Asked, Failure> {
    let options = Options {
        short: "bsnrzuEe:f:l:i::s",
        long: LONG,
    };
    let mut settings = Settings {
        quiet: false,
        extended: false,
        separate: false,
        in_place: None,
        follow_links: false,
        line_length: 70,
        unbuffered: false,
        line_end: b'\n',
        posix: false,
        sandbox: false,
        utf8: is_utf8(),
        script: Vec::new(),
        files: Vec::new(),
    };
    let (items, error) = gnu_options::parse(&options, words);
    let mut has_script = false;
    for item in items {
        let (letter, argument) = match item {
            Item::Operand(word) => {
                settings.files.push(word);
                continue;
            }
            Item::Option(letter, argument, _) => (letter, argument),
        };
        let value = argument.clone().unwrap_or_default();
        match letter {
            'n' => settings.quiet = true,
            'E' | 'r' => settings.extended = true,
            's' => settings.separate = true,
            'z' => settings.line_end = 0,
            'u' => settings.unbuffered = true,
            'i' => {
                settings.separate = true;
                settings.in_place = Some(value);
            }
            'l' => {
                settings.line_length = value
                    .parse()
                    .map_err(|_| Failure::usage(format!("invalid line length: {value}")))?;
            }
            'e' => {
                has_script = true;
                settings.script.push(Piece {
                    file: None,
                    text: value.into_bytes(),
                });
            }
            'f' => {
                has_script = true;
                settings.script.push(script_file(value)?);
            }
            FOLLOW => settings.follow_links = true,
            POSIX => settings.posix = true,
            SANDBOX => settings.sandbox = true,
            DEBUG => return Err(Failure::usage("--debug is not supported")),
            HELP => return Ok(Asked::Help),
            VERSION => return Ok(Asked::Version),
            _ => {}
        }
    }
    if error.is_some() {
        return Ok(Asked::Usage(error));
    }
    if !has_script {
        if settings.files.is_empty() {
            return Ok(Asked::Usage(None));
        }
        let text = settings.files.remove(0).into_bytes();
        settings.script.push(Piece { file: None, text });
    }
    Ok(Asked::Edit(Box::new(settings)))
}

fn script_file(name: String) -> Result<Piece, Failure> {
    let path = if name == "-" { "/dev/stdin" } else { &name };
    let mut text = std::fs::read(path).map_err(|error| {
        Failure::trouble(format!(
            "couldn't open file {name}: {}",
            process::message(&error)
        ))
    })?;
    if text.ends_with(b"\n") {
        text.pop();
    }
    Ok(Piece {
        file: Some(name),
        text,
    })
}

/// Returns whether characters are UTF-8. Only locales that say otherwise are bytes.
fn is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match set("LC_ALL")
        .or_else(|| set("LC_CTYPE"))
        .or_else(|| set("LANG"))
    {
        Some(locale) => locale != "C" && locale != "POSIX",
        None => true,
    }
}
