//! Reading the options of a builtin, as bash's `internal_getopt` does.

use bstr::{BStr, BString, ByteSlice};

use super::builtin::{Builtin, Invocation};
use crate::state::Shell;

/// One option that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag<'a> {
    /// Its letter.
    pub letter: u8,
    /// Whether it was given with `+`.
    pub is_plus: bool,
    /// Its argument, for letters that take one.
    pub argument: Option<&'a BStr>,
}

/// The options of an invocation, read one by one.
pub struct Flags<'a> {
    words: &'a [BString],
    specification: &'static str,
    accepts_plus: bool,
    place: usize,
    offset: usize,
}

impl<'a> Flags<'a> {
    /// Prepares reading. In the specification a letter followed by `:` takes an argument; a leading `+` accepts
    /// options that begin with `+`.
    pub fn new(invocation: &'a Invocation, specification: &'static str) -> Self {
        let (specification, accepts_plus) = match specification.strip_prefix('+') {
            Some(rest) => (rest, true),
            None => (specification, false),
        };
        Self {
            words: &invocation.words,
            specification,
            accepts_plus,
            place: 1,
            offset: 0,
        }
    }

    /// Returns the next option, `None` after the last. A wrong one is said on standard error with the usage,
    /// and the answer is `Err(2)`, the builtin's status.
    pub fn next(&mut self, shell: &mut Shell, builtin: &Builtin) -> Option<Result<Flag<'a>, u8>> {
        let word = self.words.get(self.place)?;
        let sign = *word.first()?;
        if self.offset == 0 {
            if word.as_slice() == b"--" {
                self.place += 1;
                return None;
            }
            let is_option = word.len() > 1 && (sign == b'-' || (sign == b'+' && self.accepts_plus));
            if !is_option {
                return None;
            }
            self.offset = 1;
        }
        let letter = *word.get(self.offset)?;
        self.offset += 1;
        let at_end = self.offset >= word.len();
        let known = self
            .specification
            .bytes()
            .position(|other| other == letter && other != b':');
        let Some(known) = known else {
            let text = format!("{}{}", char::from(sign), letter.as_char());
            shell.report_for(
                builtin.name.as_bytes(),
                format_args!("{text}: invalid option"),
            );
            return Some(Err(shell.usage(builtin)));
        };
        let takes_argument = self.specification.as_bytes().get(known + 1) == Some(&b':');
        let mut argument = None;
        if takes_argument {
            if at_end {
                self.place += 1;
                argument = self.words.get(self.place).map(|word| word.as_bstr());
                if argument.is_none() {
                    let message = format!("-{}: option requires an argument", letter.as_char());
                    shell.report_for(builtin.name.as_bytes(), message);
                    return Some(Err(shell.usage(builtin)));
                }
            } else {
                argument = word.get(self.offset..).map(|rest| rest.as_bstr());
            }
        }
        if at_end || takes_argument {
            self.place += 1;
            self.offset = 0;
        }
        Some(Ok(Flag {
            letter,
            is_plus: sign == b'+',
            argument,
        }))
    }

    /// Returns the arguments after the options.
    pub fn rest(&self) -> &'a [BString] {
        self.words.get(self.place..).unwrap_or_default()
    }

    /// Returns the place of the first argument after the options, counted as in `words`.
    pub fn place(&self) -> usize {
        self.place
    }
}

/// A byte shown as a character in a message.
trait AsCharacter {
    fn as_char(&self) -> char;
}

impl AsCharacter for u8 {
    fn as_char(&self) -> char {
        char::from(*self)
    }
}
