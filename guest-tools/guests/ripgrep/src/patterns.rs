//! The patterns of a command line, compiled.

use std::fs;
use std::io::{self, Read};

use grep_regex::{RegexMatcher, RegexMatcherBuilder};

use crate::flags::{Boundary, Case, Engine, Flags, Mode, PatternSource};
use crate::look_around::LookAround;

/// What finds matches.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Automaton(RegexMatcher),
    LookAround(LookAround),
}

/// The patterns and what else the words say.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) patterns: Vec<String>,
    pub(crate) paths: Vec<String>,
    /// Standard input had patterns and is at its end.
    pub(crate) is_stdin_used: bool,
}

/// Takes patterns and paths from the command line.
pub(crate) fn words(flags: &Flags) -> Result<Words, String> {
    let mut words = Words {
        patterns: Vec::new(),
        paths: flags.positional.clone(),
        is_stdin_used: false,
    };
    if matches!(flags.mode, Mode::Files | Mode::TypeList) {
        return Ok(words);
    }
    if flags.patterns.is_empty() {
        if words.paths.is_empty() {
            return Err("ripgrep requires at least one pattern to execute a search".to_owned());
        }
        words.patterns.push(words.paths.remove(0));
        return Ok(words);
    }
    for source in &flags.patterns {
        match source {
            PatternSource::Text(text) => words.patterns.push(text.clone()),
            PatternSource::File(path) => {
                let bytes = if path == "-" {
                    words.is_stdin_used = true;
                    let mut bytes = Vec::new();
                    io::stdin()
                        .read_to_end(&mut bytes)
                        .map_err(|error| format!("<stdin>: {error}"))?;
                    bytes
                } else {
                    fs::read(path).map_err(|error| format!("{path}: {error}"))?
                };
                for (line, number) in lines(&bytes).zip(1..) {
                    let line = std::str::from_utf8(line).map_err(|error| {
                        format!(
                            "{path}:{number}: found invalid UTF-8 in pattern at byte offset {} \
                             (use hex escape sequences to match arbitrary bytes in a pattern, e.g., \\xFF)",
                            error.valid_up_to()
                        )
                    })?;
                    words.patterns.push(line.to_owned());
                }
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    words
        .patterns
        .retain(|pattern| seen.insert(pattern.clone()));
    Ok(words)
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_empty = bytes.is_empty();
    bytes
        .strip_suffix(b"\n")
        .unwrap_or(bytes)
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(move |_| !is_empty)
}

/// Compiles patterns.
pub(crate) fn compile(flags: &Flags, patterns: &[String]) -> Result<Pattern, String> {
    match flags.engine {
        Engine::Default => automaton(flags, patterns).map_err(|error| suggest(error, true)),
        Engine::LookAround => LookAround::new(flags, patterns).map(Pattern::LookAround),
        Engine::Auto => automaton(flags, patterns).or_else(|first| {
            LookAround::new(flags, patterns)
                .map(Pattern::LookAround)
                .map_err(|second| {
                    let line = "~".repeat(79);
                    format!(
                        "regex could not be compiled with either the default regex engine or with PCRE2.\n\n\
                         default regex engine error:\n{line}\n{first}\n{line}\n\n\
                         PCRE2 regex engine error:\n{second}"
                    )
                })
        }),
    }
}

fn automaton(flags: &Flags, patterns: &[String]) -> Result<Pattern, String> {
    let mut builder = RegexMatcherBuilder::new();
    builder
        .multi_line(true)
        .unicode(!flags.no_unicode)
        .octal(false)
        .fixed_strings(flags.is_fixed)
        .case_insensitive(flags.case == Case::Insensitive)
        .case_smart(flags.case == Case::Smart)
        .word(flags.boundary == Boundary::Word)
        .whole_line(flags.boundary == Boundary::Line);
    if flags.is_multiline {
        builder.dot_matches_new_line(flags.dot_matches_all);
        if flags.crlf {
            builder.crlf(true).line_terminator(None);
        }
    } else {
        builder
            .line_terminator(Some(b'\n'))
            .dot_matches_new_line(false);
        if flags.crlf {
            builder.crlf(true);
        }
        if flags.null_data {
            builder.line_terminator(Some(0));
        }
    }
    if let Some(limit) = flags.regex_size_limit {
        builder.size_limit(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    if let Some(limit) = flags.dfa_size_limit {
        builder.dfa_size_limit(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    builder
        .build_many(patterns)
        .map(Pattern::Automaton)
        .map_err(|error| as_given(&error.to_string(), patterns))
}

/// Returns a message that shows a pattern as it was given, without the group that it was put into.
fn as_given(message: &str, patterns: &[String]) -> String {
    let [pattern] = patterns else {
        return message.to_owned();
    };
    let grouped = format!("    (?:{pattern})\n       ");
    match message.split_once(&grouped) {
        Some((before, after)) => format!("{before}    {pattern}\n    {after}"),
        None => message.to_owned(),
    }
}

fn suggest(message: String, has_look_around: bool) -> String {
    if has_look_around && (message.contains("backreferences") || message.contains("look-around")) {
        return format!(
            "{message}\n\nConsider enabling PCRE2 with the --pcre2 flag, which can handle backreferences\n\
             and look-around."
        );
    }
    if message.contains("the literal") && message.contains("not allowed") {
        return format!(
            "{message}\n\nConsider enabling multiline mode with the --multiline flag (or -U for short).\n\
             When multiline mode is enabled, new line characters can be matched."
        );
    }
    message
}
