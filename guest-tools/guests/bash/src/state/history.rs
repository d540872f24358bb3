//! The list of commands that were read: what `history` and `fc` show, kept while `set -o history` is on.
//!
//! Its first entry has the number 1, however many are removed later; the list is bounded by HISTSIZE.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use bstr::{BString, ByteSlice};

use super::{SetOption, Shell, Shopt};

/// How many commands are kept where HISTSIZE says nothing.
const ENTRIES_MAX: usize = 500;

/// A command.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its text, without a newline at the end.
    pub line: BString,
    /// When it was read, in seconds since 1970.
    pub time: i64,
}

/// The commands, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The commands.
    pub entries: Vec<Entry>,
    /// How many were dropped at the start: the number of the first one is one more.
    pub dropped: usize,
    /// How many of the newest are not written to HISTFILE yet.
    pub unwritten: usize,
    /// How many lines of HISTFILE were read: `history -n` reads those behind them.
    pub lines_read: usize,
    /// Whether the command that runs has an entry, which is then the last.
    pub has_current: bool,
}

impl History {
    /// Returns the number of the newest entry, 1 when there is none.
    pub fn number(&self) -> usize {
        (self.dropped + self.entries.len()).max(1)
    }

    /// Appends a command.
    pub fn push(&mut self, line: BString) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let time = i64::try_from(now.as_secs()).unwrap_or(0);
        self.entries.push(Entry { line, time });
        self.unwritten += 1;
    }

    /// Takes the newest command away.
    pub fn pop(&mut self) {
        if self.entries.pop().is_some() {
            self.unwritten = self.unwritten.saturating_sub(1);
        }
        self.has_current = false;
    }
}

/// Returns the lines of a command as the one line that `cmdhist` makes of them.
pub fn joined(text: &[u8]) -> BString {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.contains_str("<<") {
        return BString::from(text);
    }
    let mut whole = BString::default();
    for line in text.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        if !whole.is_empty() {
            let last = whole.rsplit(|byte| byte.is_ascii_whitespace()).next();
            let goes_on = matches!(
                last.unwrap_or_default(),
                b"do" | b"then" | b"else" | b"elif" | b"{" | b"in" | b"if" | b"while" | b"until"
            ) || matches!(whole.last(), Some(b';' | b'&' | b'|' | b'('));
            whole.extend_from_slice(if goes_on { b" " } else { b"; " });
        }
        whole.extend_from_slice(line);
    }
    whole
}

impl Shell {
    /// Drops the oldest commands beyond HISTSIZE.
    pub fn bound_history(&mut self) {
        let limit = self
            .get(b"HISTSIZE")
            .and_then(|text| bash_text::arithmetic::parse_integer(&text))
            .map_or(Some(ENTRIES_MAX), |number| usize::try_from(number).ok());
        let excess = limit.map_or(0, |limit| self.history.entries.len().saturating_sub(limit));
        if excess > 0 {
            let history = Rc::make_mut(&mut self.history);
            history.entries.drain(..excess);
            history.dropped += excess;
        }
    }

    /// Notes a command that was read, as far as HISTCONTROL and HISTIGNORE let it in.
    pub fn remember(&mut self, text: &[u8]) {
        if !self.options.has(SetOption::History) || self.is_command_string || self.is_session {
            return;
        }
        let line = if self.options.has_shopt(Shopt::CmdHist) {
            joined(text)
        } else {
            BString::from(text.strip_suffix(b"\n").unwrap_or(text))
        };
        if line.trim_ascii().is_empty() {
            return;
        }
        let control = self.get_string("HISTCONTROL").unwrap_or_default();
        let has = |word: &[u8]| control.split(|byte| *byte == b':').any(|part| part == word);
        let is_spaced = line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        let is_repeated = self
            .history
            .entries
            .last()
            .is_some_and(|last| last.line == line);
        let is_ignored = self.get_string("HISTIGNORE").is_some_and(|patterns| {
            patterns
                .split(|byte| *byte == b':')
                .filter(|pattern| !pattern.is_empty())
                .any(|pattern| {
                    let options = bash_text::pattern::Options {
                        extglob: self.options.has_shopt(Shopt::ExtGlob),
                        ignore_case: false,
                    };
                    let pattern: BString = pattern
                        .split(|byte| *byte == b'&')
                        .map(BString::from)
                        .reduce(|mut whole, part| {
                            if let Some(last) = self.history.entries.last() {
                                whole.extend_from_slice(&last.line);
                            }
                            whole.extend_from_slice(&part);
                            whole
                        })
                        .unwrap_or_default();
                    bash_text::pattern::Pattern::from_text(&pattern, options).matches(&line)
                })
        });
        let erases = has(b"erasedups");
        let is_refused = is_ignored
            || is_spaced && (has(b"ignorespace") || has(b"ignoreboth"))
            || is_repeated && (has(b"ignoredups") || has(b"ignoreboth"));
        let history = Rc::make_mut(&mut self.history);
        history.has_current = !is_refused;
        if is_refused {
            return;
        }
        if erases {
            history.entries.retain(|entry| entry.line != line);
        }
        history.push(line);
        self.bound_history();
    }
}
