//! What decides whether a line matches.

use posix_regex::{Error, Options, Regex, Syntax};

use crate::settings::Settings;

/// The patterns of a command line, compiled.
#[derive(Debug)]
pub(crate) struct Matcher {
    regex: Regex,
    /// Every line matches: there is an empty pattern that nothing ties.
    matches_all: bool,
    line_end: u8,
}

impl Matcher {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let options = Options {
            ignore_case: settings.ignore_case,
            multi_line: true,
            dot_newline: settings.line_end == 0,
            whole_word: settings.whole_word,
            whole_line: settings.whole_line,
            utf8: settings.utf8,
            line_terminator: Some(settings.line_end),
            lenient: true,
            ..Options::default()
        };
        let is_empty = settings.patterns.iter().any(Vec::is_empty);
        let is_tied = settings.whole_word || settings.whole_line;
        let mut regex = Regex::new_set(&settings.patterns, settings.syntax, &options)?;
        if settings.syntax == Syntax::Perl && !regex.stays_in_line() {
            // Line by line, where the text begins and ends with the line.
            let options = Options {
                line_terminator: None,
                multi_line: false,
                ..options
            };
            regex = Regex::new_set(&settings.patterns, settings.syntax, &options)?;
        }
        Ok(Self {
            regex,
            matches_all: is_empty && !is_tied,
            line_end: settings.line_end,
        })
    }

    pub(crate) fn warnings(&self) -> &[String] {
        self.regex.warnings()
    }

    pub(crate) fn gave_up(&self) -> bool {
        self.regex.gave_up()
    }

    /// Returns the first matching line of some whole lines from `start` on, where a line begins: its start and its
    /// end, with its terminator if it has one.
    pub(crate) fn find_line(&self, text: &[u8], start: usize) -> Option<(usize, usize)> {
        if start >= text.len() {
            return None;
        }
        if self.matches_all {
            return Some((start, self.line_after(text, start)));
        }
        if !self.regex.stays_in_line() {
            let mut at = start;
            while at < text.len() {
                let end = self.line_after(text, at);
                let line = text.get(at..end)?;
                if self.regex.is_match(self.without_end(line)) {
                    return Some((at, end));
                }
                at = end;
            }
            return None;
        }
        // Behind the last terminator there is no line that an empty match could be in.
        let place = self.regex.find_place(self.without_end(text), start)?;
        let before = text.get(start..place)?;
        let line_start = memchr::memrchr(self.line_end, before).map_or(start, |at| start + at + 1);
        Some((line_start, self.line_after(text, place)))
    }

    /// Returns the first match in a line, without its terminator, from a place on.
    pub(crate) fn find(&self, line: &[u8], start: usize) -> Option<(usize, usize)> {
        self.regex.find_at(line, start)
    }

    fn line_after(&self, text: &[u8], start: usize) -> usize {
        let rest = text.get(start..).unwrap_or_default();
        memchr::memchr(self.line_end, rest).map_or(text.len(), |at| start + at + 1)
    }

    fn without_end<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        match text.split_last() {
            Some((last, rest)) if *last == self.line_end => rest,
            _ => text,
        }
    }
}
