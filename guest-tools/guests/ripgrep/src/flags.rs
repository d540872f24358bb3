//! The command line: flags as they were given, the last one of those that exclude each other.

use std::env;
use std::fs;

use crate::errors::say;
use crate::flag_table::{self, Flag, Kind};

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Search,
    FilesWithMatches,
    FilesWithoutMatch,
    Count,
    CountMatches,
    Json,
    Files,
    TypeList,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Case {
    #[default]
    Sensitive,
    Insensitive,
    Smart,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Boundary {
    #[default]
    None,
    Word,
    Line,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Binary {
    /// Binary files that were not named are left as soon as they are known to be.
    #[default]
    Auto,
    /// They are searched up to the first match.
    Search,
    /// They are text.
    Text,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Engine {
    #[default]
    Default,
    LookAround,
    Auto,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SortBy {
    #[default]
    None,
    Path,
    Modified,
    Accessed,
    Created,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Color {
    #[default]
    Auto,
    Never,
    Always,
}

/// A pattern, or the file that has patterns.
#[derive(Clone, Debug)]
pub(crate) enum PatternSource {
    Text(String),
    File(String),
}

/// What is done to the file types.
#[derive(Clone, Debug)]
pub(crate) enum TypeChange {
    Select(String),
    Negate(String),
    Add(String),
    Clear(String),
}

/// The flags.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) positional: Vec<String>,
    pub(crate) patterns: Vec<PatternSource>,
    pub(crate) mode: Mode,
    pub(crate) case: Case,
    pub(crate) boundary: Boundary,
    pub(crate) binary: Binary,
    pub(crate) engine: Engine,
    pub(crate) sort: SortBy,
    pub(crate) is_sort_reversed: bool,
    pub(crate) color: Color,
    pub(crate) colors: Vec<String>,
    pub(crate) is_fixed: bool,
    pub(crate) is_inverted: bool,
    pub(crate) is_multiline: bool,
    pub(crate) dot_matches_all: bool,
    pub(crate) no_unicode: bool,
    pub(crate) crlf: bool,
    pub(crate) null_data: bool,
    pub(crate) only_matching: bool,
    pub(crate) replacement: Option<String>,
    pub(crate) line_number: Option<bool>,
    pub(crate) with_filename: Option<bool>,
    pub(crate) heading: Option<bool>,
    pub(crate) column: Option<bool>,
    pub(crate) byte_offset: bool,
    pub(crate) vimgrep: bool,
    pub(crate) pretty: bool,
    pub(crate) before: Option<usize>,
    pub(crate) after: Option<usize>,
    pub(crate) both: Option<usize>,
    pub(crate) passthru: bool,
    /// None: no line between groups of context.
    pub(crate) context_separator: Option<Vec<u8>>,
    pub(crate) field_match_separator: Option<Vec<u8>>,
    pub(crate) field_context_separator: Option<Vec<u8>>,
    pub(crate) path_separator: Option<u8>,
    pub(crate) max_count: Option<u64>,
    pub(crate) max_columns: Option<u64>,
    pub(crate) max_columns_preview: bool,
    pub(crate) max_depth: Option<usize>,
    pub(crate) max_filesize: Option<u64>,
    pub(crate) trims: bool,
    pub(crate) null: bool,
    pub(crate) include_zero: bool,
    pub(crate) quiet: bool,
    pub(crate) stats: bool,
    pub(crate) stop_on_nonmatch: bool,
    pub(crate) encoding: Option<String>,
    pub(crate) decompresses: bool,
    pub(crate) pre: Option<String>,
    pub(crate) pre_globs: Vec<String>,
    pub(crate) globs: Vec<String>,
    pub(crate) iglobs: Vec<String>,
    pub(crate) globs_ignore_case: bool,
    pub(crate) types: Vec<TypeChange>,
    pub(crate) hidden: bool,
    pub(crate) follow: bool,
    pub(crate) one_file_system: bool,
    pub(crate) ignore_files: Vec<String>,
    pub(crate) ignore_files_ignore_case: bool,
    pub(crate) unrestricted: usize,
    pub(crate) no_ignore_dot: bool,
    pub(crate) no_ignore_exclude: bool,
    pub(crate) no_ignore_files: bool,
    pub(crate) no_ignore_global: bool,
    pub(crate) no_ignore_parent: bool,
    pub(crate) no_ignore_vcs: bool,
    pub(crate) no_require_git: bool,
    pub(crate) no_messages: bool,
    pub(crate) no_ignore_messages: bool,
    pub(crate) no_config: bool,
    pub(crate) regex_size_limit: Option<u64>,
    pub(crate) dfa_size_limit: Option<u64>,
    pub(crate) is_line_buffered: bool,
    pub(crate) wants_help: Option<bool>,
    pub(crate) wants_version: bool,
    pub(crate) wants_pcre2_version: bool,
}

/// Reads the command line, after the configuration file that `RIPGREP_CONFIG_PATH` names.
pub(crate) fn read(words: &[String]) -> Result<Flags, String> {
    let given = parse(Flags::start(), words)?;
    if given.no_config || given.wants_help.is_some() || given.wants_version {
        return Ok(given);
    }
    let Some(path) = env::var_os("RIPGREP_CONFIG_PATH").filter(|path| !path.is_empty()) else {
        return Ok(given);
    };
    let shown = path.to_string_lossy().into_owned();
    let text = match fs::read(&path) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => {
            say(format_args!(
                "failed to read the file specified in RIPGREP_CONFIG_PATH: {shown}: {error}"
            ));
            return Ok(given);
        }
    };
    let mut all: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    all.extend_from_slice(words);
    parse(Flags::start(), &all)
}

impl Flags {
    fn start() -> Self {
        Self {
            context_separator: Some(b"--".to_vec()),
            ..Self::default()
        }
    }

    /// Sets the mode; a mode that searches does not take the place of one that does not.
    pub(crate) fn set_mode(&mut self, mode: Mode) {
        let searches = |mode| !matches!(mode, Mode::Files | Mode::TypeList);
        if searches(self.mode) || !searches(mode) {
            self.mode = mode;
        }
    }

    /// Returns the lines of context before and after.
    pub(crate) fn context(&self) -> (usize, usize) {
        let both = self.both.unwrap_or(0);
        (self.before.unwrap_or(both), self.after.unwrap_or(both))
    }
}

fn parse(mut flags: Flags, words: &[String]) -> Result<Flags, String> {
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--" {
            flags.positional.extend(rest.by_ref().cloned());
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let (flag, is_on) =
                flag_table::long(name).ok_or_else(|| format!("unrecognized flag --{name}"))?;
            match flag.kind {
                Kind::Value(apply) if is_on => {
                    let value = match value {
                        Some(value) => value.to_owned(),
                        None => rest.next().cloned().ok_or_else(|| missing(flag))?,
                    };
                    set(flag, apply, &mut flags, &value)?;
                }
                _ if value.is_some() => {
                    return Err(format!("flag --{name} does not take a value"));
                }
                Kind::Value(_) => flag_table::unset(flag, &mut flags),
                Kind::Switch(apply) => apply(&mut flags, is_on),
            }
        } else if word.len() > 1 && word.starts_with('-') {
            short(&mut flags, word.get(1..).unwrap_or_default(), &mut rest)?;
        } else {
            flags.positional.push(word.clone());
        }
    }
    Ok(flags)
}

fn missing(flag: &Flag) -> String {
    format!(
        "missing value for flag --{}: missing argument for option '--{}'",
        flag.long, flag.long
    )
}

fn set(
    flag: &Flag,
    apply: flag_table::Apply,
    flags: &mut Flags,
    value: &str,
) -> Result<(), String> {
    apply(flags, value).map_err(|error| format!("error parsing flag --{}: {error}", flag.long))
}

/// Reads a word of short flags; the first that takes a value takes all that follows.
fn short<'a>(
    flags: &mut Flags,
    letters: &str,
    rest: &mut impl Iterator<Item = &'a String>,
) -> Result<(), String> {
    for (at, letter) in letters.char_indices() {
        let flag =
            flag_table::short(letter).ok_or_else(|| format!("unrecognized flag -{letter}"))?;
        match flag.kind {
            Kind::Switch(apply) => apply(flags, true),
            Kind::Value(apply) => {
                let after = letters.get(at + letter.len_utf8()..).unwrap_or_default();
                let value = match after.strip_prefix('=').unwrap_or(after) {
                    "" => rest.next().cloned().ok_or_else(|| missing(flag))?,
                    value => value.to_owned(),
                };
                return set(flag, apply, flags, &value);
            }
        }
        if letter == 'h' {
            flags.wants_help = Some(false);
        }
    }
    Ok(())
}
