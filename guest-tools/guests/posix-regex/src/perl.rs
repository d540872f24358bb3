//! From PCRE's syntax to that of the crates `regex-syntax` and `fancy-regex`.
//!
//! The three agree in most things. What means something else there is rewritten here: classes such as `\w` are
//! ASCII's, as in GNU grep 3.8, `\h` is a blank, `\<` is `<`, `[` in brackets is itself. `fancy-regex` runs only
//! what automata cannot.

mod brackets;

use std::fmt::Write as _;

use regex_syntax::hir::Hir;

use crate::{Error, Options};

/// Steps of one search, beyond which it is given up. PCRE has a limit of the same kind.
const STEPS_MAX: usize = 20_000_000;

/// The classes that are the same in and out of brackets: what is inside them.
const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r"\t\n\x0B\x0C\r\x20";
const BLANK: &str = r"\t\x20\u{A0}\u{1680}\u{180E}\u{2000}-\u{200A}\u{202F}\u{205F}\u{3000}";
const VERTICAL: &str = r"\n\x0B\x0C\r\u{85}\u{2028}\u{2029}";

/// A pattern in the syntax of the crates.
pub(crate) struct Translated {
    pub(crate) pattern: String,
    pub(crate) needs_backtracking: bool,
}

/// Translates patterns of which any may match.
pub(crate) fn translate(patterns: &[Vec<u8>], options: &Options) -> Result<Translated, Error> {
    let needs_backtracking = patterns.iter().any(|pattern| needs_backtracking(pattern));
    let mut parts = Vec::new();
    for pattern in patterns {
        let text = match std::str::from_utf8(pattern) {
            Ok(text) => text.to_owned(),
            Err(_) if !options.utf8 => pattern.iter().copied().map(char::from).collect(),
            Err(_) => return Err(Error::Perl("the pattern is not valid UTF-8".to_owned())),
        };
        let mut translator = Translator {
            rest: text.chars().collect(),
            at: 0,
            out: String::with_capacity(text.len() * 2),
            backtracking: needs_backtracking,
            has_dot_all: has_dot_all(&text),
            options,
            depth: 0,
        };
        translator.run()?;
        parts.push(format!("(?:{})", translator.out));
    }
    let pattern = parts.join("|");
    let pattern = match (options.whole_line, options.whole_word, needs_backtracking) {
        (true, ..) => format!("^(?:{pattern})$"),
        (_, true, true) => format!("(?<![{WORD}])(?:{pattern})(?![{WORD}])"),
        (_, true, false) => {
            format!(r"(?-u:\b{{start-half}})(?:{pattern})(?-u:\b{{end-half}})")
        }
        _ => pattern,
    };
    Ok(Translated {
        pattern,
        needs_backtracking,
    })
}

/// Parses a pattern for the automata.
pub(crate) fn parse(pattern: &str, options: &Options) -> Result<Hir, Error> {
    regex_syntax::ParserBuilder::new()
        .utf8(false)
        .unicode(options.utf8)
        .case_insensitive(options.ignore_case)
        .multi_line(options.multi_line)
        .dot_matches_new_line(false)
        .build()
        .parse(pattern)
        .map_err(|error| Error::Perl(words(&error)))
}

/// Returns whether a pattern can be searched for in many lines at once: no match of it goes beyond its line, and it
/// does not ask where the text begins and ends.
pub(crate) fn stays_in_line(hir: &Hir, terminator: u8) -> bool {
    use regex_syntax::hir::{Class, HirKind, Look};
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Literal(literal) => !literal.0.contains(&terminator),
        HirKind::Class(Class::Unicode(class)) => !class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&char::from(terminator))),
        HirKind::Class(Class::Bytes(class)) => !class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&terminator)),
        HirKind::Look(look) => !matches!(look, Look::Start | Look::End),
        HirKind::Repetition(repetition) => stays_in_line(&repetition.sub, terminator),
        HirKind::Capture(capture) => stays_in_line(&capture.sub, terminator),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().all(|part| stays_in_line(part, terminator))
        }
    }
}

/// Returns the last line of what the parser says, without its picture of the pattern.
fn words(error: &regex_syntax::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// Compiles a pattern for backtracking.
pub(crate) fn backtracking(pattern: &str, options: &Options) -> Result<fancy_regex::Regex, Error> {
    fancy_regex::RegexBuilder::new(pattern)
        .case_insensitive(options.ignore_case)
        .multi_line(options.multi_line)
        .backtrack_limit(STEPS_MAX)
        .build()
        .map_err(|error| match error {
            fancy_regex::Error::ParseError(_, kind) => Error::Perl(kind.to_string()),
            error => Error::Perl(error.to_string()),
        })
}

/// Returns whether a pattern has something that no automaton can do. It may say so of a pattern that only looks like
/// it; that costs time alone.
fn needs_backtracking(pattern: &[u8]) -> bool {
    let mut previous = 0;
    let mut bytes = pattern.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let next = bytes.peek().copied().unwrap_or_default();
        match byte {
            b'\\' => {
                bytes.next();
                if matches!(
                    next,
                    b'1'..=b'9' | b'g' | b'k' | b'K' | b'G' | b'R' | b'X' | b'Z'
                ) {
                    return true;
                }
                previous = 0;
                continue;
            }
            b'(' if next == b'*' => return true,
            b'(' if next == b'?' => {
                bytes.next();
                let kind = bytes.next().unwrap_or_default();
                let after = bytes.peek().copied().unwrap_or_default();
                match kind {
                    b'=' | b'!' | b'>' | b'|' | b'(' | b'R' | b'&' | b'0'..=b'9' | b'+' => {
                        return true;
                    }
                    b'<' if matches!(after, b'=' | b'!') => return true,
                    b'P' if matches!(after, b'=' | b'>') => return true,
                    b'-' if after.is_ascii_digit() => return true,
                    _ => {}
                }
            }
            b'+' if matches!(previous, b'*' | b'+' | b'?' | b'}') => return true,
            _ => {}
        }
        previous = byte;
    }
    false
}

/// Returns whether some `(?...)` sets the flag `s`.
fn has_dot_all(text: &str) -> bool {
    text.split("(?").skip(1).any(|flags| {
        flags
            .chars()
            .take_while(|flag| flag.is_ascii_alphabetic())
            .any(|flag| flag == 's')
    })
}

struct Translator<'a> {
    rest: Vec<char>,
    at: usize,
    out: String,
    backtracking: bool,
    /// It may ask that `.` match line ends too.
    has_dot_all: bool,
    options: &'a Options,
    depth: usize,
}

impl Translator<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek();
        self.at += usize::from(char.is_some());
        char
    }

    fn looking_at(&self, text: &str) -> bool {
        let rest = self.rest.get(self.at..).unwrap_or_default();
        text.chars()
            .enumerate()
            .all(|(place, char)| rest.get(place) == Some(&char))
    }

    /// Takes the text up to a character, which is passed.
    fn until(&mut self, end: char) -> Result<String, Error> {
        let mut text = String::new();
        loop {
            match self.next() {
                Some(char) if char == end => return Ok(text),
                Some(char) => text.push(char),
                None => return Err(Error::Perl(format!("missing terminating {end}"))),
            }
        }
    }

    fn run(&mut self) -> Result<(), Error> {
        while let Some(char) = self.next() {
            match char {
                '\\' => self.escape()?,
                '[' => self.brackets()?,
                '(' => self.open()?,
                ')' => {
                    self.depth = self
                        .depth
                        .checked_sub(1)
                        .ok_or_else(|| Error::Perl("unmatched closing parenthesis".to_owned()))?;
                    self.out.push(')');
                }
                '{' if !self.is_interval() => self.out.push_str(r"\{"),
                '}' if !self.closes_interval() => self.out.push_str(r"\}"),
                // `$` also stands before a line feed that ends the text.
                '$' if self.backtracking && !self.options.multi_line => {
                    self.out.push_str(r"(?=\n?\z)");
                }
                '.' if !self.backtracking
                    && self.options.line_terminator == Some(0)
                    && !self.has_dot_all =>
                {
                    self.out.push_str(r"[^\n\x00]");
                }
                char => self.out.push(char),
            }
        }
        match self.depth {
            0 => Ok(()),
            _ => Err(Error::Perl("missing closing parenthesis".to_owned())),
        }
    }

    /// Returns whether what follows a `{` makes it an interval.
    fn is_interval(&self) -> bool {
        let rest = self.rest.get(self.at..).unwrap_or_default();
        let inside: Vec<char> = rest
            .iter()
            .copied()
            .take_while(|char| *char != '}')
            .collect();
        let digits = |part: &[char]| part.iter().all(char::is_ascii_digit);
        let mut parts = inside.split(|char| *char == ',');
        let min = parts.next().unwrap_or_default();
        let max = parts.next().unwrap_or_default();
        inside.len() < rest.len()
            && !min.is_empty()
            && digits(min)
            && digits(max)
            && parts.next().is_none()
    }

    /// Returns whether the `}` just read ends an interval.
    fn closes_interval(&self) -> bool {
        let before = self
            .rest
            .get(..self.at.saturating_sub(1))
            .unwrap_or_default();
        let open = before
            .iter()
            .rposition(|char| !(char.is_ascii_digit() || *char == ','));
        match open {
            Some(place) => {
                before.get(place) == Some(&'{')
                    && before.get(place + 1).is_some_and(char::is_ascii_digit)
                    && (place == 0 || before.get(place - 1) != Some(&'\\'))
            }
            None => false,
        }
    }

    fn open(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.looking_at("*") {
            return Err(Error::Perl("(*VERB) not supported".to_owned()));
        }
        if !self.looking_at("?") {
            self.out.push('(');
            return Ok(());
        }
        self.at += 1;
        let kind = self.next();
        match kind {
            Some('#') => {
                self.depth -= 1;
                self.until(')').map(drop)
            }
            Some('P') if self.looking_at("<") => {
                self.at += 1;
                self.name('>')
            }
            Some('<') if !self.looking_at("=") && !self.looking_at("!") => self.name('>'),
            Some('\'') => self.name('\''),
            Some('P') if self.looking_at("=") => {
                self.depth -= 1;
                self.at += 1;
                let name = self.until(')')?;
                self.write(format_args!(r"\k<{name}>"))
            }
            Some('P') if self.looking_at(">") => {
                self.at += 1;
                self.call("")
            }
            Some('&') => self.call(""),
            Some('R') => self.call("0"),
            Some(digit) if digit.is_ascii_digit() => self.call(&digit.to_string()),
            Some('+' | '-') if self.peek().is_some_and(|char| char.is_ascii_digit()) => {
                self.at -= 1;
                self.call("")
            }
            Some('|') => Err(Error::Perl("(?| is not supported".to_owned())),
            Some(kind) => self.write(format_args!("(?{kind}")),
            None => Err(Error::Perl("unrecognized character after (?".to_owned())),
        }
    }

    fn name(&mut self, end: char) -> Result<(), Error> {
        let name = self.until(end)?;
        self.write(format_args!("(?P<{name}>"))
    }

    /// Writes the call of a group by its number or name, up to the closing parenthesis.
    fn call(&mut self, begun: &str) -> Result<(), Error> {
        self.depth -= 1;
        let rest = self.until(')')?;
        self.write(format_args!(r"\g<{begun}{rest}>"))
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) -> Result<(), Error> {
        self.out.write_fmt(text).map_err(|_| Error::TooBig)
    }

    /// Writes a character that stands for itself.
    fn literal(&mut self, char: char) -> Result<(), Error> {
        if self.options.line_terminator.map(char::from) == Some(char) && !self.backtracking {
            self.out.push_str("[a&&b]");
            return Ok(());
        }
        match char {
            _ if !self.options.utf8 && !char.is_ascii() && u32::from(char) < 256 => {
                self.write(format_args!(r"(?-u:\x{:02X})", u32::from(char)))
            }
            _ if char.is_alphanumeric() || (!char.is_ascii() && !char.is_control()) => {
                self.out.push(char);
                Ok(())
            }
            _ => self.write(format_args!(r"\x{{{:X}}}", u32::from(char))),
        }
    }

    /// Writes a class of characters by what is in it.
    fn class(&mut self, inside: &str, negated: bool) -> Result<(), Error> {
        let caret = if negated { "^" } else { "" };
        match self.options.line_terminator {
            Some(byte) if !self.backtracking => {
                self.write(format_args!(r"[[{caret}{inside}]&&[^\x{byte:02X}]]"))
            }
            _ => self.write(format_args!("[{caret}{inside}]")),
        }
    }

    fn escape(&mut self) -> Result<(), Error> {
        let char = self
            .next()
            .ok_or_else(|| Error::Perl(r"\ at end of pattern".to_owned()))?;
        if let Some((inside, negated)) = shorthand(char) {
            return self.class(inside, negated);
        }
        match char {
            'Q' => {
                while !self.looking_at(r"\E") {
                    match self.next() {
                        Some(char) => self.literal(char)?,
                        None => return Ok(()),
                    }
                }
                self.at += 2;
                Ok(())
            }
            'E' => Ok(()),
            'b' if self.backtracking => self.write(format_args!(
                "(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))"
            )),
            'B' if self.backtracking => self.write(format_args!(
                "(?:(?<=[{WORD}])(?=[{WORD}])|(?<![{WORD}])(?![{WORD}]))"
            )),
            'b' | 'B' => self.write(format_args!(r"(?-u:\{char})")),
            'A' | 'z' | 'K' | 'G' => self.write(format_args!(r"\{char}")),
            'Z' => self.write(format_args!(r"(?=\n?\z)")),
            'N' => self.write(format_args!(r"[^\n]")),
            'R' => self.write(format_args!(r"(?>\r\n|[{VERTICAL}])")),
            'X' => self.write(format_args!(r"(?>\P{{M}}\p{{M}}*)")),
            'p' | 'P' => self.property(char),
            'g' | 'k' => self.reference(char),
            '1'..='9' => self.write(format_args!(r"\{char}")),
            _ => match self.character(char)? {
                Some(char) => self.literal(char),
                None => Err(Error::Perl(r"unrecognized character follows \".to_owned())),
            },
        }
    }

    /// Returns the character that an escape stands for in and out of brackets, or none if it stands for none.
    fn character(&mut self, char: char) -> Result<Option<char>, Error> {
        Ok(Some(match char {
            'a' => '\x07',
            'e' => '\x1B',
            'f' => '\x0C',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'c' => match self.next() {
                Some(char) if char.is_ascii() => {
                    let code = u32::from(char.to_ascii_uppercase()) ^ 0x40;
                    return Ok(char::from_u32(code));
                }
                _ => return Err(Error::Perl(r"\c at end of pattern".to_owned())),
            },
            'x' if self.looking_at("{") => {
                self.at += 1;
                let digits = self.until('}')?;
                return number(&digits, 16);
            }
            'x' => {
                let digits = self.digits(16, 2);
                return number(&format!("0{digits}"), 16);
            }
            'o' if self.looking_at("{") => {
                self.at += 1;
                let digits = self.until('}')?;
                return number(&digits, 8);
            }
            '0' => {
                let digits = self.digits(8, 2);
                return number(&format!("0{digits}"), 8);
            }
            char if char.is_ascii_alphanumeric() => return Ok(None),
            char => char,
        }))
    }

    fn digits(&mut self, radix: u32, length_max: usize) -> String {
        let mut digits = String::new();
        while let Some(char) = self.peek()
            && char.is_digit(radix)
            && digits.len() < length_max
        {
            digits.push(char);
            self.at += 1;
        }
        digits
    }

    /// Writes `\p{L}` and the like.
    fn property(&mut self, kind: char) -> Result<(), Error> {
        let name = match self.next() {
            Some('{') => self.until('}')?,
            Some(char) => char.to_string(),
            None => return Err(Error::Perl(r"malformed \P or \p sequence".to_owned())),
        };
        let (kind, name) = match (name.strip_prefix('^'), kind) {
            (Some(name), 'p') => ('P', name),
            (Some(name), _) => ('p', name),
            (None, kind) => (kind, name.as_str()),
        };
        let name = if name == "L&" { "LC" } else { name };
        self.write(format_args!(r"\{kind}{{{name}}}"))
    }

    /// Writes a reference: `\g1`, `\g{-1}`, `\g{name}`, `\k<name>`, or the call `\g<name>`.
    fn reference(&mut self, kind: char) -> Result<(), Error> {
        let name = match self.next() {
            Some('{') => self.until('}')?,
            Some('<') => self.until('>')?,
            Some('\'') => self.until('\'')?,
            Some(char) if char.is_ascii_digit() && kind == 'g' => {
                format!("{char}{}", self.digits(10, 2))
            }
            _ => return Err(Error::Perl(format!(r"a name is expected behind \{kind}"))),
        };
        match name.starts_with(|char: char| char.is_ascii_digit()) {
            true => self.write(format_args!(r"(?:\{name})")),
            false => self.write(format_args!(r"\k<{name}>")),
        }
    }
}

/// Returns what is in the class of an escape, and whether the class is everything else.
fn shorthand(char: char) -> Option<(&'static str, bool)> {
    let inside = match char.to_ascii_lowercase() {
        'd' => DIGIT,
        'w' => WORD,
        's' => SPACE,
        'h' => BLANK,
        'v' => VERTICAL,
        _ => return None,
    };
    Some((inside, char.is_ascii_uppercase()))
}

fn number(digits: &str, radix: u32) -> Result<Option<char>, Error> {
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .map(Some)
        .ok_or_else(|| Error::Perl("character code point value is too large".to_owned()))
}
