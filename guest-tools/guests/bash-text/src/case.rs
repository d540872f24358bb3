//! Changes of case: `^ ^^ , ,, ~ ~~` and `@U @u @L`, per character.

use bstr::BString;

use crate::characters;
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
    let mut output = Vec::with_capacity(text.len());
    for (at, slice) in characters::iterate(text).enumerate() {
        let is_meant = (reach == Reach::All || at == 0)
            && pattern.is_none_or(|pattern| pattern.matches(slice));
        match characters::first(slice).0 {
            Some(character) if is_meant => {
                let changed = changed(character, change);
                output.extend_from_slice(changed.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => output.extend_from_slice(slice),
        }
    }
    BString::from(output)
}

/// Like the C library, one character becomes one character: `ß` stays.
fn changed(character: char, change: Change) -> char {
    let one = |mut cased: Box<dyn Iterator<Item = char>>| match (cased.next(), cased.next()) {
        (Some(cased), None) => cased,
        _ => character,
    };
    let upper = || one(Box::new(character.to_uppercase()));
    let lower = || one(Box::new(character.to_lowercase()));
    match change {
        Change::Upper => upper(),
        Change::Lower => lower(),
        Change::Toggle if character.is_uppercase() => lower(),
        Change::Toggle => upper(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        for (text, kind, reach, expected) in [
            ("été", Change::Upper, Reach::First, "Été"),
            ("été", Change::Upper, Reach::All, "ÉTÉ"),
            ("ABc", Change::Lower, Reach::First, "aBc"),
            ("aBß", Change::Toggle, Reach::All, "Abß"),
        ] {
            assert_eq!(change(text.as_bytes(), kind, reach, None), expected);
        }
        let vowels = Pattern::from_text(b"[ae]", crate::pattern::Options::default());
        assert_eq!(
            change(b"abe", Change::Upper, Reach::All, Some(&vowels)),
            "AbE"
        );
    }
}
