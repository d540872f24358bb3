//! Regular expressions of a script: sed's own escapes, and the empty pattern that means the last one used.

use posix_regex::{Options, Regex, Syntax};

use crate::{escape, settings::Settings};

/// A regular expression.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// The last one that was used.
    Last,
    Compiled(Regex),
}

impl Pattern {
    /// Compiles the text between delimiters, in which quoted delimiters are plain already.
    pub fn new(
        text: &[u8],
        ignore_case: bool,
        multi_line: bool,
        settings: &Settings,
    ) -> Result<Self, String> {
        if text.is_empty() {
            return if ignore_case || multi_line {
                Err("cannot specify modifiers on empty regexp".to_owned())
            } else {
                Ok(Self::Last)
            };
        }
        let syntax = if settings.extended {
            Syntax::Extended
        } else {
            Syntax::Basic
        };
        let options = Options {
            ignore_case,
            multi_line,
            utf8: settings.utf8,
            unmatched_close_fails: true,
            ..Options::default()
        };
        Regex::new(&escape::in_pattern(text), syntax, &options)
            .map(Self::Compiled)
            .map_err(|error| error.to_string())
    }
}
