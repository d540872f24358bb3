//! A bracket expression: the characters that `[...]` matches.

use crate::characters;

/// What a bracket expression matches.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) is_negated: bool,
    pub(super) ignore_case: bool,
    pub(super) items: Vec<Item>,
    /// The answer for each ASCII character, as one bit.
    ascii: u128,
}

/// One item of a bracket expression. A character is its code point; a byte that is not UTF-8 is counted from
/// [`BYTE_BASE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Range(u32, u32),
    Class(Class),
}

/// Where the bytes that are no characters are counted from, beyond every code point.
pub(super) const BYTE_BASE: u32 = 0x11_0000;

/// The named classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Alnum,
    Alpha,
    Ascii,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Word,
    Xdigit,
}

impl Class {
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"alnum" => Self::Alnum,
            b"alpha" => Self::Alpha,
            b"ascii" => Self::Ascii,
            b"blank" => Self::Blank,
            b"cntrl" => Self::Cntrl,
            b"digit" => Self::Digit,
            b"graph" => Self::Graph,
            b"lower" => Self::Lower,
            b"print" => Self::Print,
            b"punct" => Self::Punct,
            b"space" => Self::Space,
            b"upper" => Self::Upper,
            b"word" => Self::Word,
            b"xdigit" => Self::Xdigit,
            _ => return None,
        })
    }

    fn contains(self, character: char) -> bool {
        match self {
            Self::Alnum => character.is_alphanumeric(),
            Self::Alpha => {
                character.is_alphabetic() || (!character.is_ascii() && character.is_numeric())
            }
            Self::Ascii => character.is_ascii(),
            Self::Blank => character == ' ' || character == '\t',
            Self::Cntrl => character.is_control(),
            Self::Digit => character.is_ascii_digit(),
            Self::Graph => !character.is_control() && !character.is_whitespace(),
            Self::Lower => character.is_lowercase(),
            Self::Print => !character.is_control(),
            Self::Punct => {
                character.is_ascii_punctuation()
                    || (!character.is_ascii()
                        && !character.is_alphanumeric()
                        && !character.is_control()
                        && !character.is_whitespace())
            }
            Self::Space => character.is_whitespace(),
            Self::Upper => character.is_uppercase(),
            Self::Word => character.is_alphanumeric() || character == '_',
            Self::Xdigit => character.is_ascii_hexdigit(),
        }
    }
}

impl Set {
    pub(super) fn new(is_negated: bool, ignore_case: bool, items: Vec<Item>) -> Self {
        let mut set = Self {
            is_negated,
            ignore_case,
            items,
            ascii: 0,
        };
        set.ascii = (0..128_u8)
            .filter(|byte| set.decide(Some(char::from(*byte)), u32::from(*byte)))
            .fold(0, |bits, byte| bits | (1_u128 << byte));
        set
    }

    /// Returns the length of the first character of `text` when it is in the set.
    pub(super) fn length_at(&self, text: &[u8]) -> Option<usize> {
        let byte = *text.first()?;
        if byte.is_ascii() {
            return (self.ascii >> byte & 1 == 1).then_some(1);
        }
        let (character, length) = characters::first(text);
        let code = character.map_or(BYTE_BASE + u32::from(byte), u32::from);
        self.decide(character, code).then_some(length)
    }

    fn decide(&self, character: Option<char>, code: u32) -> bool {
        let is_in = if self.ignore_case {
            let lower = character.and_then(|character| character.to_lowercase().next());
            let upper = character.and_then(|character| character.to_uppercase().next());
            self.holds(character, code)
                || self.holds(lower, lower.map_or(code, u32::from))
                || self.holds(upper, upper.map_or(code, u32::from))
        } else {
            self.holds(character, code)
        };
        is_in != self.is_negated
    }

    fn holds(&self, character: Option<char>, code: u32) -> bool {
        self.items.iter().any(|item| match item {
            Item::Range(low, high) => (*low..=*high).contains(&code),
            Item::Class(class) => character.is_some_and(|character| class.contains(character)),
        })
    }
}
