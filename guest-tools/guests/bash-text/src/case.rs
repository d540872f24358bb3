//! Changes of case: `^ ^^ , ,, ~ ~~` and `@U @u @L`, per character.

use bstr::BString;

use crate::pattern::Pattern;

/// What to do with a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `^`, `@U`.
    Upper,
    /// `,`, `@L`.
    Lower,
    /// `~`: the other case.
    Toggle,
}

/// Which characters to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The first alone.
    First,
    /// Every one.
    All,
}

/// Changes the case of the characters of `text` that match `pattern` (`None`: any character).
pub fn change(text: &[u8], change: Change, reach: Reach, pattern: Option<&Pattern>) -> BString {
    let _ = (change, reach, pattern);
    BString::from(text)
}
