//! The command line of GNU grep.

use std::{io::Read as _, path::PathBuf};

use gnu_options::{Item, Long, Options, Takes};
use posix_regex::Syntax;

use crate::exclusion::Exclusion;

/// Which file names are printed instead of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    No,
    Matching,
    NotMatching,
}

/// What to do with a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Directories {
    Read,
    Recurse,
    Skip,
}

/// What to do with files that are not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Report,
    Text,
    WithoutMatch,
}

/// The command line, read.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) syntax: Syntax,
    pub(crate) patterns: Vec<Vec<u8>>,
    pub(crate) ignore_case: bool,
    pub(crate) whole_word: bool,
    pub(crate) whole_line: bool,
    /// What ends a line.
    pub(crate) line_end: u8,
    pub(crate) invert: bool,
    pub(crate) count_max: Option<u64>,
    pub(crate) no_messages: bool,
    pub(crate) count: bool,
    pub(crate) list: List,
    pub(crate) only_matching: bool,
    pub(crate) quiet: bool,
    pub(crate) line_number: bool,
    pub(crate) byte_offset: bool,
    /// None: where several files or a directory are searched.
    pub(crate) with_name: Option<bool>,
    pub(crate) label: Option<String>,
    pub(crate) initial_tab: bool,
    pub(crate) name_zero: bool,
    pub(crate) color: bool,
    pub(crate) line_buffered: bool,
    pub(crate) before: usize,
    pub(crate) after: usize,
    /// Whether context was asked for, even of no lines.
    pub(crate) has_context: bool,
    pub(crate) separator: Option<Vec<u8>>,
    pub(crate) directories: Directories,
    pub(crate) follow: bool,
    /// None: read devices only where they are named.
    pub(crate) read_devices: Option<bool>,
    pub(crate) binary: Binary,
    pub(crate) utf8: bool,
    pub(crate) exclusion: Exclusion,
    pub(crate) files: Vec<String>,
}

/// What else a command line can ask for.
pub(crate) enum Asked {
    Search(Box<Settings>),
    Help,
    Version,
}

/// Why a command line is refused: a message, and whether usage is to follow.
pub(crate) struct Refusal {
    pub(crate) message: Option<String>,
    pub(crate) usage: bool,
}

fn refuse(message: impl Into<String>) -> Refusal {
    Refusal {
        message: Some(message.into()),
        usage: false,
    }
}

// Letters of options that have none.
const INCLUDE: char = '\u{1}';
const EXCLUDE: char = '\u{2}';
const EXCLUDE_FROM: char = '\u{3}';
const EXCLUDE_DIRECTORY: char = '\u{4}';
const COLOR: char = '\u{5}';
const LABEL: char = '\u{6}';
const LINE_BUFFERED: char = '\u{7}';
const SEPARATOR: char = '\u{8}';
const NO_SEPARATOR: char = '\u{9}';
const BINARY_FILES: char = '\u{A}';
const NO_IGNORE_CASE: char = '\u{B}';
const HELP: char = '\u{C}';

const LONG: &[Long] = &[
    ("after-context", Takes::Argument, 'A'),
    ("basic-regexp", Takes::Nothing, 'G'),
    ("before-context", Takes::Argument, 'B'),
    ("binary", Takes::Nothing, 'U'),
    ("binary-files", Takes::Argument, BINARY_FILES),
    ("byte-offset", Takes::Nothing, 'b'),
    ("context", Takes::Argument, 'C'),
    ("color", Takes::Optional, COLOR),
    ("colour", Takes::Optional, COLOR),
    ("count", Takes::Nothing, 'c'),
    ("dereference-recursive", Takes::Nothing, 'R'),
    ("devices", Takes::Argument, 'D'),
    ("directories", Takes::Argument, 'd'),
    ("exclude", Takes::Argument, EXCLUDE),
    ("exclude-dir", Takes::Argument, EXCLUDE_DIRECTORY),
    ("exclude-from", Takes::Argument, EXCLUDE_FROM),
    ("extended-regexp", Takes::Nothing, 'E'),
    ("file", Takes::Argument, 'f'),
    ("files-with-matches", Takes::Nothing, 'l'),
    ("files-without-match", Takes::Nothing, 'L'),
    ("fixed-regexp", Takes::Nothing, 'F'),
    ("fixed-strings", Takes::Nothing, 'F'),
    ("group-separator", Takes::Argument, SEPARATOR),
    ("help", Takes::Nothing, HELP),
    ("ignore-case", Takes::Nothing, 'i'),
    ("include", Takes::Argument, INCLUDE),
    ("initial-tab", Takes::Nothing, 'T'),
    ("invert-match", Takes::Nothing, 'v'),
    ("label", Takes::Argument, LABEL),
    ("line-buffered", Takes::Nothing, LINE_BUFFERED),
    ("line-number", Takes::Nothing, 'n'),
    ("line-regexp", Takes::Nothing, 'x'),
    ("max-count", Takes::Argument, 'm'),
    ("no-filename", Takes::Nothing, 'h'),
    ("no-group-separator", Takes::Nothing, NO_SEPARATOR),
    ("no-ignore-case", Takes::Nothing, NO_IGNORE_CASE),
    ("no-messages", Takes::Nothing, 's'),
    ("null", Takes::Nothing, 'Z'),
    ("null-data", Takes::Nothing, 'z'),
    ("only-matching", Takes::Nothing, 'o'),
    ("perl-regexp", Takes::Nothing, 'P'),
    ("quiet", Takes::Nothing, 'q'),
    ("recursive", Takes::Nothing, 'r'),
    ("regexp", Takes::Argument, 'e'),
    ("silent", Takes::Nothing, 'q'),
    ("text", Takes::Nothing, 'a'),
    ("version", Takes::Nothing, 'V'),
    ("with-filename", Takes::Nothing, 'H'),
    ("word-regexp", Takes::Nothing, 'w'),
];

const SHORT: &str = "0123456789A:B:C:D:EFGHILPRTUVX:Zabcd:e:f:hilm:noqrsuvwxyz";

/// Reads the words behind the program's name.
pub(crate) fn read(name: &str, words: &[String], utf8: bool) -> Result<Asked, Refusal> {
    let options = Options {
        short: SHORT,
        long: LONG,
    };
    let (items, error) = gnu_options::parse(&options, words);
    let mut reader = Reader::new(name, utf8);
    for item in items {
        match item {
            Item::Operand(word) => reader.settings.files.push(word),
            Item::Option(HELP, ..) => return Ok(Asked::Help),
            Item::Option(letter, argument, place) => {
                reader.option(letter, argument.unwrap_or_default(), place)?;
            }
        }
    }
    if let Some(message) = error {
        return Err(Refusal {
            message: Some(message),
            usage: true,
        });
    }
    reader.finish()
}

struct Reader {
    settings: Settings,
    syntax: Option<Syntax>,
    patterns: Option<Vec<u8>>,
    has_file_patterns: bool,
    default_context: Option<usize>,
    before: Option<usize>,
    after: Option<usize>,
    /// The digits of `-NUM` so far, and the word they stood in.
    digits: Option<(String, usize)>,
    version: bool,
}

impl Reader {
    fn new(name: &str, utf8: bool) -> Self {
        let settings = Settings {
            syntax: Syntax::Basic,
            patterns: Vec::new(),
            ignore_case: false,
            whole_word: false,
            whole_line: false,
            line_end: b'\n',
            invert: false,
            count_max: None,
            no_messages: false,
            count: false,
            list: List::No,
            only_matching: false,
            quiet: false,
            line_number: false,
            byte_offset: false,
            with_name: None,
            label: None,
            initial_tab: false,
            name_zero: false,
            color: false,
            line_buffered: false,
            before: 0,
            after: 0,
            has_context: false,
            separator: Some(b"--".to_vec()),
            directories: Directories::Read,
            follow: false,
            read_devices: None,
            binary: Binary::Report,
            utf8,
            exclusion: Exclusion::default(),
            files: Vec::new(),
        };
        Self {
            settings,
            syntax: match name {
                "egrep" => Some(Syntax::Extended),
                "fgrep" => Some(Syntax::Fixed),
                _ => None,
            },
            patterns: None,
            has_file_patterns: false,
            default_context: None,
            before: None,
            after: None,
            digits: None,
            version: false,
        }
    }

    fn option(&mut self, letter: char, argument: String, place: usize) -> Result<(), Refusal> {
        let settings = &mut self.settings;
        match letter {
            '0'..='9' => match &mut self.digits {
                Some((digits, word)) if *word == place => digits.push(letter),
                _ => self.digits = Some((letter.to_string(), place)),
            },
            'A' => self.after = Some(lines(&argument)?),
            'B' => self.before = Some(lines(&argument)?),
            'C' => self.default_context = Some(lines(&argument)?),
            'D' => {
                settings.read_devices = Some(match argument.as_str() {
                    "read" => true,
                    "skip" => false,
                    _ => return Err(refuse("unknown devices method")),
                });
            }
            'E' => self.set_syntax(Syntax::Extended)?,
            'F' => self.set_syntax(Syntax::Fixed)?,
            'G' => self.set_syntax(Syntax::Basic)?,
            'P' => self.set_syntax(Syntax::Perl)?,
            'X' => self.set_syntax(match argument.as_str() {
                "grep" => Syntax::Basic,
                "egrep" | "awk" | "gawk" | "posixawk" => Syntax::Extended,
                "fgrep" => Syntax::Fixed,
                "perl" => Syntax::Perl,
                _ => return Err(refuse(format!("invalid matcher {argument}"))),
            })?,
            'H' => settings.with_name = Some(true),
            'h' => settings.with_name = Some(false),
            'I' => settings.binary = Binary::WithoutMatch,
            'a' => settings.binary = Binary::Text,
            BINARY_FILES => {
                settings.binary = match argument.as_str() {
                    "binary" => Binary::Report,
                    "text" => Binary::Text,
                    "without-match" => Binary::WithoutMatch,
                    _ => return Err(refuse("unknown binary-files type")),
                };
            }
            'T' => settings.initial_tab = true,
            'U' | 'u' => {}
            'V' => self.version = true,
            'Z' => settings.name_zero = true,
            'b' => settings.byte_offset = true,
            'c' => settings.count = true,
            'd' => settings.directories = directories(&argument)?,
            'e' => self.add_patterns(argument.as_bytes()),
            'f' => self.add_file(&argument)?,
            'i' | 'y' => settings.ignore_case = true,
            NO_IGNORE_CASE => settings.ignore_case = false,
            'l' => settings.list = List::Matching,
            'L' => settings.list = List::NotMatching,
            'm' => settings.count_max = count(&argument)?,
            'n' => settings.line_number = true,
            'o' => settings.only_matching = true,
            'q' => settings.quiet = true,
            'r' | 'R' => {
                settings.directories = Directories::Recurse;
                settings.follow = letter == 'R';
            }
            's' => settings.no_messages = true,
            'v' => settings.invert = true,
            'w' => settings.whole_word = true,
            'x' => settings.whole_line = true,
            'z' => settings.line_end = 0,
            COLOR => {
                settings.color = match argument.as_str() {
                    "always" | "yes" | "force" => true,
                    "" | "never" | "no" | "none" | "auto" | "tty" | "if-tty" => false,
                    _ => {
                        return Err(Refusal {
                            message: None,
                            usage: false,
                        });
                    }
                };
            }
            EXCLUDE | INCLUDE => settings.exclusion.add(&argument, letter == INCLUDE),
            EXCLUDE_FROM => {
                let text = std::fs::read(&argument)
                    .map_err(|error| refuse(crate::gnu::about(&argument, &error)))?;
                for line in String::from_utf8_lossy(&text).lines() {
                    settings.exclusion.add(line.trim_end(), false);
                }
            }
            EXCLUDE_DIRECTORY => settings.exclusion.add_directory(&argument),
            LABEL => settings.label = Some(argument),
            LINE_BUFFERED => settings.line_buffered = true,
            SEPARATOR => settings.separator = Some(argument.into_bytes()),
            NO_SEPARATOR => settings.separator = None,
            _ => {}
        }
        Ok(())
    }

    fn set_syntax(&mut self, syntax: Syntax) -> Result<(), Refusal> {
        match self.syntax {
            Some(other) if other != syntax => Err(refuse("conflicting matchers specified")),
            _ => {
                self.syntax = Some(syntax);
                Ok(())
            }
        }
    }

    fn add_patterns(&mut self, text: &[u8]) {
        let patterns = self.patterns.get_or_insert_default();
        patterns.extend_from_slice(text);
        patterns.push(b'\n');
    }

    fn add_file(&mut self, path: &str) -> Result<(), Refusal> {
        let mut text = Vec::new();
        let result = match path {
            "-" => std::io::stdin().lock().read_to_end(&mut text).map(drop),
            _ => std::fs::read(PathBuf::from(path)).map(|bytes| text = bytes),
        };
        result.map_err(|error| refuse(crate::gnu::about(path, &error)))?;
        self.has_file_patterns = true;
        let patterns = self.patterns.get_or_insert_default();
        let is_whole = text.is_empty() || text.ends_with(b"\n");
        patterns.extend_from_slice(&text);
        if !is_whole {
            patterns.push(b'\n');
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Asked, Refusal> {
        if self.version {
            return Ok(Asked::Version);
        }
        if let Some((digits, _)) = &self.digits {
            self.default_context = Some(lines(digits)?);
        }
        if self.patterns.is_none() {
            if self.settings.files.is_empty() {
                return Err(Refusal {
                    message: None,
                    usage: true,
                });
            }
            let pattern = self.settings.files.remove(0);
            self.add_patterns(pattern.as_bytes());
        }
        let mut settings = self.settings;
        let text = self.patterns.unwrap_or_default();
        settings.syntax = self.syntax.unwrap_or(Syntax::Basic);
        if let Some(text) = text.strip_suffix(b"\n") {
            let mut known = std::collections::HashSet::new();
            settings.patterns = text
                .split(|byte| *byte == b'\n')
                .filter(|pattern| known.insert(*pattern))
                .map(<[u8]>::to_vec)
                .collect();
            if settings.syntax == Syntax::Perl && text.contains(&b'\n') {
                return Err(refuse("the -P option only supports a single pattern"));
            }
        }
        settings.has_context =
            self.before.is_some() || self.after.is_some() || self.default_context.is_some();
        settings.before = self.before.or(self.default_context).unwrap_or(0);
        settings.after = self.after.or(self.default_context).unwrap_or(0);
        Ok(Asked::Search(Box::new(settings)))
    }
}

fn lines(argument: &str) -> Result<usize, Refusal> {
    let is_number = !argument.is_empty() && argument.bytes().all(|byte| byte.is_ascii_digit());
    match is_number {
        true => Ok(argument.parse().unwrap_or(usize::MAX)),
        false => Err(refuse(format!(
            "{argument}: invalid context length argument"
        ))),
    }
}

/// Reads the number of `-m`; a negative one is no bound.
fn count(argument: &str) -> Result<Option<u64>, Refusal> {
    let digits = argument.strip_prefix('-').unwrap_or(argument);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse("invalid max count"));
    }
    match argument.starts_with('-') {
        true => Ok(None),
        false => Ok(Some(digits.parse().unwrap_or(u64::MAX))),
    }
}

fn directories(argument: &str) -> Result<Directories, Refusal> {
    let possible: Vec<&str> = ["read", "recurse", "skip"]
        .into_iter()
        .filter(|name| !argument.is_empty() && name.starts_with(argument))
        .collect();
    match possible.as_slice() {
        ["read"] => Ok(Directories::Read),
        ["recurse"] => Ok(Directories::Recurse),
        ["skip"] => Ok(Directories::Skip),
        others => {
            let kind = if others.is_empty() {
                "invalid"
            } else {
                "ambiguous"
            };
            Err(Refusal {
                message: Some(format!(
                    "{kind} argument ‘{argument}’ for ‘--directories’\nValid arguments are:\n  \
                     - ‘read’\n  - ‘recurse’\n  - ‘skip’"
                )),
                usage: true,
            })
        }
    }
}
