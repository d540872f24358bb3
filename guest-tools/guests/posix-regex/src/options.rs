//! How a pattern is written and what it means.

/// The language a pattern is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// GNU basic: `\( \) \{ \} \+ \? \|`, `\< \> \b \B \w \W \s \S`, `` \` \' `` and back-references.
    Basic,
    /// GNU extended, with the same additions.
    Extended,
    /// Perl's, as far as PCRE and `fancy-regex` agree.
    Perl,
    /// Plain text.
    Fixed,
}

/// What a pattern means beyond its text.
#[derive(Clone, Debug)]
pub struct Options {
    /// Letters match without regard to case.
    pub ignore_case: bool,
    /// `^` and `$` also match at line ends inside the text.
    pub multi_line: bool,
    /// `.` and `[^x]` match a line feed. The default, as in POSIX.
    pub dot_newline: bool,
    /// A match must not touch a word character on either side.
    pub whole_word: bool,
    /// A match must be the whole text, or a whole line with `multi_line`.
    pub whole_line: bool,
    /// Characters are UTF-8 rather than bytes; bytes that are not UTF-8 match nothing but themselves.
    pub utf8: bool,
    /// A byte that no match may hold, so that a buffer of many lines can be searched at once. With `multi_line`
    /// this byte is what ends a line.
    pub line_terminator: Option<u8>,
    /// As grep and awk have it: an interval that is none stands for itself, and an operator with nothing before it
    /// is no error.
    pub lenient: bool,
    /// As sed and awk have it: `)` without `(` is an error in extended syntax, not a character.
    pub unmatched_close_fails: bool,
    /// As awk has it: `\` quotes inside brackets.
    pub bracket_escapes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ignore_case: false,
            multi_line: false,
            dot_newline: true,
            whole_word: false,
            whole_line: false,
            utf8: false,
            line_terminator: None,
            lenient: false,
            unmatched_close_fails: false,
            bracket_escapes: false,
        }
    }
}
