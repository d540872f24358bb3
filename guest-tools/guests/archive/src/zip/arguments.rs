//! The command line of zip: letters together, two-letter options, and options that take a list.

use std::io::{self, BufRead as _};

use bash_text::pattern::{Options, Pattern};

use super::Failure;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Add,
    Update,
    Freshen,
    Delete,
}

pub(crate) enum Asked {
    Work(Box<Settings>),
    Help,
    Version,
}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) action: Action,
    pub(crate) archive: String,
    /// `-O`: where the result goes instead.
    pub(crate) output: Option<String>,
    pub(crate) names: Vec<String>,
    /// The names as patterns, for `-d` and `-R`.
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) names_from_input: bool,
    pub(crate) recursive: bool,
    pub(crate) by_pattern: bool,
    pub(crate) junk: bool,
    pub(crate) no_folders: bool,
    pub(crate) keeps_links: bool,
    pub(crate) moves: bool,
    pub(crate) tests: bool,
    pub(crate) comments: bool,
    pub(crate) quiet: u32,
    pub(crate) verbose: u32,
    pub(crate) level: u32,
    pub(crate) bzip: bool,
    pub(crate) no_extra: bool,
    pub(crate) latest: bool,
    pub(crate) sync: bool,
    pub(crate) shows_files: bool,
    pub(crate) adjusts: bool,
    pub(crate) stored_suffixes: Vec<String>,
    pub(crate) after: Option<i64>,
    pub(crate) before: Option<i64>,
    included: Vec<Pattern>,
    excluded: Vec<Pattern>,
}

impl Settings {
    pub(crate) fn to_stdout(&self) -> bool {
        self.target() == "-"
    }

    /// Returns where the result goes.
    pub(crate) fn target(&self) -> &str {
        self.output.as_deref().unwrap_or(&self.archive)
    }

    /// Returns whether the lists of what to take and to leave out admit a name.
    pub(crate) fn takes(&self, name: &[u8]) -> bool {
        let is_included =
            self.included.is_empty() || self.included.iter().any(|pattern| pattern.matches(name));
        is_included && !self.excluded.iter().any(|pattern| pattern.matches(name))
    }

    /// Returns all names, those of the standard input among them.
    pub(crate) fn all_names(&self) -> Result<Vec<Vec<u8>>, Failure> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        if self.by_pattern {
            names.push(b".".to_vec());
        } else {
            names.extend(self.names.iter().map(|name| name.as_bytes().to_vec()));
        }
        if self.names_from_input {
            for line in io::stdin().lock().split(b'\n') {
                let line = line.map_err(|error| Failure::new(11, process::message(&error)))?;
                let line = line.strip_suffix(b"\r").unwrap_or(&line);
                if !line.is_empty() {
                    names.push(line.to_vec());
                }
            }
        }
        Ok(names)
    }
}

fn pattern(text: &str) -> Pattern {
    let text = text.strip_prefix("./").unwrap_or(text);
    Pattern::from_text(text.as_bytes(), Options::default())
}

const DOUBLE: &[&str] = &[
    "sf", "FS", "tt", "DF", "ll", "la", "sc", "sd", "nw", "MM", "ws", "db", "dc", "dd", "dg", "ds",
    "du", "dv", "fd", "fz", "FF", "RE", "TT", "UN", "VV", "so", "su", "sv", "sU", "sp", "sb", "mm",
    "h2", "lf", "li",
];
const LONG: &[(&str, &str)] = &[
    ("recurse-paths", "r"),
    ("recurse-patterns", "R"),
    ("quiet", "q"),
    ("verbose", "v"),
    ("junk-paths", "j"),
    ("no-dir-entries", "D"),
    ("symlinks", "y"),
    ("move", "m"),
    ("test", "T"),
    ("delete", "d"),
    ("update", "u"),
    ("freshen", "f"),
    ("filesync", "FS"),
    ("grow", "g"),
    ("exclude", "x"),
    ("include", "i"),
    ("output-file", "O"),
    ("out", "O"),
    ("show-files", "sf"),
    ("no-extra", "X"),
    ("latest-time", "o"),
    ("suffixes", "n"),
    ("compression-method", "Z"),
    ("names-stdin", "@"),
    ("archive-comment", "z"),
    ("from-date", "t"),
    ("before-date", "tt"),
    ("temp-path", "b"),
    ("adjust-sfx", "A"),
    ("help", "h"),
    ("version", "v"),
];

/// Reads a command line.
pub(crate) fn read(words: &[String]) -> Result<Asked, Failure> {
    let mut settings = Settings {
        action: Action::Add,
        archive: String::new(),
        output: None,
        names: Vec::new(),
        patterns: Vec::new(),
        names_from_input: false,
        recursive: false,
        by_pattern: false,
        junk: false,
        no_folders: false,
        keeps_links: false,
        moves: false,
        tests: false,
        comments: false,
        quiet: 0,
        verbose: 0,
        level: 6,
        bzip: false,
        no_extra: false,
        latest: false,
        sync: false,
        shows_files: false,
        adjusts: false,
        stored_suffixes: [".Z", ".zip", ".zoo", ".arc", ".lzh", ".arj"]
            .map(str::to_owned)
            .to_vec(),
        after: None,
        before: None,
        included: Vec::new(),
        excluded: Vec::new(),
    };
    let mut operands: Vec<String> = Vec::new();
    let mut words = words.iter().peekable();
    let mut only_names = false;
    while let Some(word) = words.next() {
        if only_names || !word.starts_with('-') || word == "-" {
            operands.push(word.clone());
            continue;
        }
        if word == "--" {
            only_names = true;
            continue;
        }
        let mut options: Vec<(String, Option<String>)> = Vec::new();
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let short = LONG
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| Failure::arguments(format!("long option '{name}' not supported")))?;
            options.push((short.1.to_owned(), value));
        } else {
            let mut rest = word.get(1..).unwrap_or_default();
            while let Some(letter) = rest.chars().next() {
                let double = rest.get(..2).filter(|pair| DOUBLE.contains(pair));
                let option = match double {
                    Some(pair) => pair.to_owned(),
                    None => letter.to_string(),
                };
                rest = rest.get(option.len()..).unwrap_or_default();
                let takes = matches!(
                    option.as_str(),
                    "x" | "i" | "b" | "n" | "O" | "t" | "tt" | "Z" | "s" | "P" | "ws" | "lf"
                );
                let value = (takes && !rest.is_empty()).then(|| rest.to_owned());
                let is_last = value.is_some();
                options.push((option, value));
                if is_last {
                    break;
                }
            }
        }
        for (option, value) in options {
            match option.as_str() {
                "h" | "h2" => return Ok(Asked::Help),
                "L" => return Ok(Asked::Version),
                "x" | "i" => {
                    let mut list: Vec<String> = value.into_iter().collect();
                    while let Some(next) = words.peek() {
                        if next.starts_with('-') && next.len() > 1 {
                            break;
                        }
                        let next = words.next().cloned().unwrap_or_default();
                        if next == "@" {
                            break;
                        }
                        list.push(next);
                    }
                    settings.list(&option, &list)?;
                }
                "b" | "n" | "O" | "t" | "tt" | "Z" => {
                    let value = match value {
                        Some(value) => value,
                        None => words.next().cloned().ok_or_else(|| {
                            Failure::arguments(format!("option '{option}' requires a value"))
                        })?,
                    };
                    settings.valued(&option, &value)?;
                }
                option => settings.flag(option)?,
            }
        }
    }
    if settings.verbose > 0 && operands.is_empty() {
        return Ok(Asked::Version);
    }
    settings.finish(operands)
}

impl Settings {
    fn list(&mut self, option: &str, list: &[String]) -> Result<(), Failure> {
        let mut patterns = Vec::new();
        for item in list {
            match item.strip_prefix('@') {
                Some(file) if !file.is_empty() => {
                    let text = std::fs::read(file).map_err(|error| {
                        let error = process::message(&error);
                        Failure::new(18, format!("could not open {file}: {error}"))
                    })?;
                    for line in String::from_utf8_lossy(&text).lines() {
                        patterns.push(pattern(line.trim()));
                    }
                }
                _ => patterns.push(pattern(item)),
            }
        }
        if option == "x" {
            self.excluded.extend(patterns);
        } else {
            self.included.extend(patterns);
        }
        Ok(())
    }

    fn valued(&mut self, option: &str, value: &str) -> Result<(), Failure> {
        match option {
            "n" => {
                self.stored_suffixes = value.split([':', ',']).map(str::to_owned).collect();
            }
            "O" => self.output = Some(with_suffix(value)),
            "Z" => match value {
                "store" => self.level = 0,
                "deflate" => self.bzip = false,
                "bzip2" => self.bzip = true,
                _ => {
                    return Err(Failure::arguments(format!(
                        "unknown compression method found:  {value}"
                    )));
                }
            },
            "t" | "tt" => {
                let date = match value.len() {
                    8 if value.bytes().all(|byte| byte.is_ascii_digit()) => format!(
                        "{}-{}-{}",
                        value.get(4..).unwrap_or_default(),
                        value.get(..2).unwrap_or_default(),
                        value.get(2..4).unwrap_or_default()
                    ),
                    _ => value.to_owned(),
                };
                let (seconds, _) = crate::times::parse(&date)
                    .ok_or_else(|| Failure::arguments("invalid date entered for -t option"))?;
                if option == "t" {
                    self.after = Some(seconds);
                } else {
                    self.before = Some(seconds);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn flag(&mut self, option: &str) -> Result<(), Failure> {
        match option {
            "r" => self.recursive = true,
            "R" => {
                self.recursive = true;
                self.by_pattern = true;
            }
            "q" => self.quiet += 1,
            "v" => self.verbose += 1,
            "j" => self.junk = true,
            "D" => self.no_folders = true,
            "y" => self.keeps_links = true,
            "m" => self.moves = true,
            "T" => self.tests = true,
            "d" => self.action = Action::Delete,
            "u" => self.action = Action::Update,
            "f" => self.action = Action::Freshen,
            "z" => self.comments = true,
            "X" => self.no_extra = true,
            "o" => self.latest = true,
            "@" => self.names_from_input = true,
            "FS" => self.sync = true,
            "sf" => self.shows_files = true,
            "A" => self.adjusts = true,
            "g" | "k" | "nw" | "MM" | "dd" | "dc" | "db" | "dg" | "ds" | "du" | "dv" | "UN"
            | "S" | "fd" | "fz" => {}
            "e" | "P" => {
                return Err(Failure::arguments("encryption not supported"));
            }
            digit if digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.level = digit.parse().unwrap_or(self.level);
            }
            other => {
                return Err(Failure::arguments(format!(
                    "short option '{other}' not supported"
                )));
            }
        }
        Ok(())
    }

    fn finish(mut self, operands: Vec<String>) -> Result<Asked, Failure> {
        let mut operands = operands.into_iter();
        let Some(archive) = operands.next() else {
            return Ok(Asked::Help);
        };
        self.archive = if archive == "-" {
            archive
        } else {
            with_suffix(&archive)
        };
        self.names = operands.collect();
        self.patterns = self.names.iter().map(|name| pattern(name)).collect();
        if self.names.is_empty() && self.archive == "-" {
            return Err(Failure::nothing(&self));
        }
        if self.action == Action::Delete && self.names.is_empty() {
            return Err(Failure::arguments("nothing to select from"));
        }
        Ok(Asked::Work(Box::new(self)))
    }
}

/// Adds `.zip` to a name that has no suffix. A file that is there keeps its name.
fn with_suffix(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name);
    if name == "-" || base.contains('.') {
        name.to_owned()
    } else {
        format!("{name}.zip")
    }
}
