//! The tokens of GNU's basic and extended syntax.

use crate::tree::{Place, Unit};

/// A token. What `^`, `$` and repetitions mean also depends on where they stand; the parser decides that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    End,
    Unit(Unit),
    /// A character whose `\` has no meaning.
    Stray(Unit),
    Any,
    Bracket,
    Star,
    Plus,
    Question,
    OpenBrace,
    Open,
    Close,
    Bar,
    Caret,
    Dollar,
    Back(usize),
    Word {
        negated: bool,
    },
    Space {
        negated: bool,
    },
    Look(Place),
    TrailingBackslash,
}

/// Returns the token at a place and the place behind it.
pub(crate) fn token(units: &[Unit], at: usize, extended: bool) -> (Token, usize) {
    let Some(unit) = units.get(at).copied() else {
        return (Token::End, at);
    };
    let Unit::Char(char) = unit else {
        return (Token::Unit(unit), at + 1);
    };
    if char == '\\' {
        return match units.get(at + 1).copied() {
            None => (Token::TrailingBackslash, at + 1),
            Some(next) => (escaped(next, extended), at + 2),
        };
    }
    let token = match char {
        '.' => Token::Any,
        '[' => Token::Bracket,
        '*' => Token::Star,
        '^' => Token::Caret,
        '$' => Token::Dollar,
        '+' if extended => Token::Plus,
        '?' if extended => Token::Question,
        '{' if extended => Token::OpenBrace,
        '(' if extended => Token::Open,
        ')' if extended => Token::Close,
        '|' if extended => Token::Bar,
        _ => Token::Unit(unit),
    };
    (token, at + 1)
}

fn escaped(unit: Unit, extended: bool) -> Token {
    let Unit::Char(char) = unit else {
        return Token::Stray(unit);
    };
    match char {
        '+' if !extended => Token::Plus,
        '?' if !extended => Token::Question,
        '{' if !extended => Token::OpenBrace,
        '(' if !extended => Token::Open,
        ')' if !extended => Token::Close,
        '|' if !extended => Token::Bar,
        'w' => Token::Word { negated: false },
        'W' => Token::Word { negated: true },
        's' => Token::Space { negated: false },
        'S' => Token::Space { negated: true },
        '<' => Token::Look(Place::WordStart),
        '>' => Token::Look(Place::WordEnd),
        'b' => Token::Look(Place::WordBoundary),
        'B' => Token::Look(Place::NotWordBoundary),
        '`' => Token::Look(Place::TextStart),
        '\'' => Token::Look(Place::TextEnd),
        '1'..='9' => Token::Back(char.to_digit(10).map_or(0, |digit| digit as usize)),
        '.' | '[' | ']' | '*' | '^' | '$' | '\\' | '/' | '+' | '?' | '{' | '}' | '(' | ')'
        | '|' | '\n' | '-' => Token::Unit(unit),
        _ => Token::Stray(unit),
    }
}
