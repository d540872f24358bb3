//! Expressions into words.

use crate::mistake::{Mistake, Outcome};

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// `.name`, `."name"`, with `?`.
    Field(String, bool),
    /// `.`, `..`, `...`
    Dots(usize),
    Variable(String),
    /// A name, `@json` too.
    Name(String),
    /// `env(...)` and `strenv(...)`, with the name.
    Environment(String, bool),
    /// A string as it stands between its quotes.
    Text(String),
    Number(&'static str, String),
    /// `*` with its letters, and whether `=` is with them.
    Star(String, bool),
    /// Anything else.
    Sign(&'static str),
    End,
}

/// The longer ones first.
const SIGNS: &[&str] = &[
    "|=", "+=", "-=", "/=", "%=", "//", "==", "!=", ">=", "<=", "=c", "(", ")", "[", "]", "{", "}",
    ",", ";", ":", "|", "+", "-", "/", "%", "=", ">", "<", "?",
];

/// Returns the words of an expression and where each starts.
pub fn words(source: &str) -> Outcome<Vec<(Token, usize)>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    loop {
        rest = rest.trim_start();
        if rest.starts_with('#') {
            rest = rest
                .find('\n')
                .and_then(|place| rest.get(place..))
                .unwrap_or("");
            continue;
        }
        let start = source.len() - rest.len();
        if rest.is_empty() {
            tokens.push((Token::End, start));
            return Ok(tokens);
        }
        let is_operand = matches!(
            tokens.last(),
            Some((
                Token::Field(..)
                    | Token::Dots(_)
                    | Token::Variable(_)
                    | Token::Name(_)
                    | Token::Text(_)
                    | Token::Number(..)
                    | Token::Environment(..)
                    | Token::Sign(")" | "]" | "}"),
                _
            ))
        );
        let (token, length) = word(rest, is_operand).ok_or_else(|| {
            Mistake::new(format!(
                "invalid input text \"{}\"",
                rest.chars().take(20).collect::<String>()
            ))
        })?;
        tokens.push((token, start));
        rest = rest.get(length..).unwrap_or_default();
    }
}

fn word(rest: &str, is_operand: bool) -> Option<(Token, usize)> {
    let first = rest.chars().next()?;
    match first {
        '.' => Some(dots(rest)),
        '$' => {
            let name = span(rest.get(1..)?, |character| {
                character.is_alphanumeric() || matches!(character, '_' | '-')
            });
            (!name.is_empty()).then(|| (Token::Variable(name.to_owned()), name.len() + 1))
        }
        '"' => {
            let text = quoted(rest)?;
            Some((Token::Text(text.to_owned()), text.len() + 2))
        }
        '*' => {
            let letters = rest.get(1..)?;
            let has_equal = letters.starts_with('=');
            let letters = letters.strip_prefix('=').unwrap_or(letters);
            let flags = span(letters, |character| "+?dnc".contains(character));
            // A name may follow the star at once.
            let is_name = letters
                .get(flags.len()..)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()));
            let flags = if is_name { "" } else { flags };
            let (flags_length, late_equal) = match letters.get(flags.len()..) {
                Some(rest) if !has_equal && rest.starts_with('=') && !rest.starts_with("==") => {
                    (flags.len() + 1, true)
                }
                _ => (flags.len(), false),
            };
            let length = 1 + usize::from(has_equal) + flags_length;
            Some((
                Token::Star(flags.to_owned(), has_equal || late_equal),
                length,
            ))
        }
        '~' => Some((Token::Number("!!null", "~".to_owned()), 1)),
        '0'..='9' => Some(number(rest)),
        '-' if !is_operand
            && rest
                .get(1..)?
                .starts_with(|next: char| next.is_ascii_digit()) =>
        {
            Some(number(rest))
        }
        '@' | '_' | 'a'..='z' | 'A'..='Z' => {
            let name = span(rest.get(1..)?, |character| {
                character.is_alphanumeric() || character == '_'
            });
            let name = rest.get(..=name.len())?;
            if matches!(name, "env" | "strenv") && rest.get(name.len()..)?.starts_with('(') {
                let inner = rest.get(name.len() + 1..)?;
                let end = inner.find(')')?;
                let variable = inner.get(..end)?.trim();
                return Some((
                    Token::Environment(variable.to_owned(), name == "strenv"),
                    name.len() + end + 2,
                ));
            }
            let token = match name.to_ascii_lowercase().as_str() {
                "true" | "false" => Token::Number("!!bool", name.to_owned()),
                "null" => Token::Number("!!null", name.to_owned()),
                _ => Token::Name(name.to_owned()),
            };
            Some((token, name.len()))
        }
        _ => SIGNS
            .iter()
            .find(|sign| {
                rest.starts_with(**sign)
                    && (**sign != "=c"
                        || rest.get(2..).is_none_or(|next| {
                            next.starts_with([' ', '(', '.', '$', '"', '{', '['])
                        }))
            })
            .map(|sign| (Token::Sign(sign), sign.len())),
    }
}

fn span(text: &str, is_in: impl Fn(char) -> bool) -> &str {
    let end = text
        .find(|character| !is_in(character))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Returns what stands between the quotes; `\(` opens an expression, which may have strings of its own.
fn quoted(rest: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut is_inner = false;
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((place, character)) = characters.next() {
        match character {
            '\\' if characters.next().is_some_and(|(_, next)| next == '(') => depth += 1,
            '\\' => {}
            '"' if depth == 0 => return rest.get(1..place),
            '"' => is_inner = !is_inner,
            '(' if depth > 0 && !is_inner => depth += 1,
            ')' if depth > 0 && !is_inner => depth -= 1,
            _ => {}
        }
    }
    None
}

fn dots(rest: &str) -> (Token, usize) {
    let count = span(rest, |character| character == '.').len().min(3);
    if count > 1 {
        return (Token::Dots(count), count);
    }
    let after = rest.get(1..).unwrap_or_default();
    if after.starts_with('"')
        && let Some(text) = quoted(after)
    {
        let length = text.len() + 3;
        let is_optional = rest.get(length..).is_some_and(|rest| rest.starts_with('?'));
        let token = Token::Field(unescape(text), is_optional);
        return (token, length + usize::from(is_optional));
    }
    let name = span(after, |character| !" ;}{:[],|.()=\n\t!".contains(character));
    // `//` is an operator, however close.
    let name = name
        .find("//")
        .and_then(|end| name.get(..end))
        .unwrap_or(name);
    // In `.a+=1` and `.a*=2` the sign is not the name's.
    let is_assigned = after
        .get(name.len()..)
        .is_some_and(|rest| rest.starts_with('=') && !rest.starts_with("=="));
    let name = if is_assigned {
        name.trim_end_matches(['+', '-', '*', '/', '%'])
    } else {
        name
    };
    if name.is_empty() {
        return (Token::Dots(1), 1);
    }
    let length = name.len() + 1;
    match name.strip_suffix('?') {
        Some(name) if !name.is_empty() => (Token::Field(name.to_owned(), true), length),
        _ => (Token::Field(name.to_owned(), false), length),
    }
}

fn number(rest: &str) -> (Token, usize) {
    let sign = usize::from(rest.starts_with('-'));
    let body = rest.get(sign..).unwrap_or_default();
    if body.starts_with("0x") || body.starts_with("0X") {
        let digits = span(body.get(2..).unwrap_or_default(), |character| {
            character.is_ascii_hexdigit()
        });
        let length = sign + 2 + digits.len();
        return (
            Token::Number("!!int", rest.get(..length).unwrap_or_default().to_owned()),
            length,
        );
    }
    let mut length = span(body, |character| character.is_ascii_digit()).len();
    let mut tag = "!!int";
    let part = |from: usize| body.get(from..).unwrap_or_default();
    if let Some(fraction) = part(length).strip_prefix('.') {
        let digits = span(fraction, |character| character.is_ascii_digit()).len();
        if digits > 0 {
            length += digits + 1;
            tag = "!!float";
        }
    }
    if let Some(exponent) = part(length).strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['-', '+']));
        let digits = span(exponent.get(sign..).unwrap_or_default(), |character| {
            character.is_ascii_digit()
        })
        .len();
        if digits > 0 {
            length += 1 + sign + digits;
            tag = "!!float";
        }
    }
    length += sign;
    (
        Token::Number(tag, rest.get(..length).unwrap_or_default().to_owned()),
        length,
    )
}

/// Takes the escapes out of a string; those that mean nothing stay, so that `\d` reaches a regular expression.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('"') => out.push('"'),
            Some('\\') => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
