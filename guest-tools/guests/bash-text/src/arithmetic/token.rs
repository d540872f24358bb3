//! The tokens of an arithmetic expression, as bash cuts them.

use super::number;
use super::operator::Binary;

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// Before the first token, or after the last.
    None,
    Number(i64),
    /// A name, with its subscript if there is one; `end` is where the name ends.
    Name {
        name_end: usize,
    },
    Binary(Binary),
    /// `op=`.
    AssignWith(Binary),
    Assign,
    And,
    Or,
    Not,
    Complement,
    Question,
    Colon,
    Comma,
    Open,
    Close,
    PreIncrement,
    PreDecrement,
    PostIncrement,
    PostDecrement,
}

/// A token and where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What is wrong with a token: the message, where it points, and where the text is cut for the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrong {
    pub(super) message: &'static str,
    pub(super) start: usize,
    pub(super) cut: Option<usize>,
}

/// Returns whether bash counts `byte` as white space between tokens.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Reads the token at or after `from`. `before` is the token that precedes: `++` is postfix after a name,
/// and a strange character is an operand missing or an operator invalid depending on it.
pub(super) fn next(text: &[u8], from: usize, before: Token) -> Result<Lexeme, Wrong> {
    let mut start = from;
    while text.get(start).is_some_and(|byte| is_blank(*byte)) {
        start += 1;
    }
    let rest = text.get(start..).unwrap_or_default();
    let Some(first) = rest.first().copied() else {
        return Ok(Lexeme {
            token: Token::None,
            start,
            end: start,
        });
    };
    if is_name_start(first) {
        let length = rest.iter().take_while(|byte| is_name_byte(**byte)).count();
        let name_end = start + length;
        let mut end = name_end;
        if text.get(name_end) == Some(&b'[') {
            end = subscript_end(text, name_end).ok_or(Wrong {
                message: "bad array subscript",
                start,
                cut: None,
            })?;
        }
        return Ok(Lexeme {
            token: Token::Name { name_end },
            start,
            end,
        });
    }
    if first.is_ascii_digit() {
        let is_digit =
            |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'#' | b'@' | b'_');
        let end = start + rest.iter().take_while(is_digit).count();
        let value = number::constant(text.get(start..end).unwrap_or_default());
        let value = value.map_err(|message| Wrong {
            message,
            start,
            cut: Some(end),
        })?;
        return Ok(Lexeme {
            token: Token::Number(value),
            start,
            end,
        });
    }
    let (token, length) = operator(rest, before);
    match token {
        Some(token) => Ok(Lexeme {
            token,
            start,
            end: start + length,
        }),
        None => {
            let is_after_operand = matches!(before, Token::Name { .. } | Token::Number(_));
            let message = if is_after_operand {
                "syntax error: invalid arithmetic operator"
            } else {
                "syntax error: operand expected"
            };
            Err(Wrong {
                message,
                start,
                cut: None,
            })
        }
    }
}

/// Returns where the subscript that opens at `open` ends, behind its bracket.
fn subscript_end(text: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut bytes = text.iter().enumerate().skip(open);
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (_, b'\\') => {
                bytes.next();
            }
            (Some(open), byte) if open == *byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None, b'[') => depth += 1,
            (None, b']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (None, _) => {}
        }
    }
    None
}

fn operator(rest: &[u8], before: Token) -> (Option<Token>, usize) {
    use Binary::*;

    let (token, length) = match rest {
        [b'<', b'<', b'=', ..] => (Token::AssignWith(ShiftLeft), 3),
        [b'>', b'>', b'=', ..] => (Token::AssignWith(ShiftRight), 3),
        [b'=', b'=', ..] => (Token::Binary(Equal), 2),
        [b'!', b'=', ..] => (Token::Binary(NotEqual), 2),
        [b'>', b'=', ..] => (Token::Binary(GreaterOrEqual), 2),
        [b'<', b'=', ..] => (Token::Binary(LessOrEqual), 2),
        [b'<', b'<', ..] => (Token::Binary(ShiftLeft), 2),
        [b'>', b'>', ..] => (Token::Binary(ShiftRight), 2),
        [b'&', b'&', ..] => (Token::And, 2),
        [b'|', b'|', ..] => (Token::Or, 2),
        [b'*', b'*', ..] => (Token::Binary(Power), 2),
        [b'+', b'+', ..] if matches!(before, Token::Name { .. }) => (Token::PostIncrement, 2),
        [b'-', b'-', ..] if matches!(before, Token::Name { .. }) => (Token::PostDecrement, 2),
        [b'+', b'+', after @ ..] if is_name_ahead(after) => (Token::PreIncrement, 2),
        [b'-', b'-', after @ ..] if is_name_ahead(after) => (Token::PreDecrement, 2),
        [b'+', b'=', ..] => (Token::AssignWith(Add), 2),
        [b'-', b'=', ..] => (Token::AssignWith(Subtract), 2),
        [b'*', b'=', ..] => (Token::AssignWith(Multiply), 2),
        [b'/', b'=', ..] => (Token::AssignWith(Divide), 2),
        [b'%', b'=', ..] => (Token::AssignWith(Remainder), 2),
        [b'&', b'=', ..] => (Token::AssignWith(And), 2),
        [b'|', b'=', ..] => (Token::AssignWith(Or), 2),
        [b'^', b'=', ..] => (Token::AssignWith(ExclusiveOr), 2),
        [b'=', ..] => (Token::Assign, 1),
        [b'>', ..] => (Token::Binary(Greater), 1),
        [b'<', ..] => (Token::Binary(Less), 1),
        [b'+', ..] => (Token::Binary(Add), 1),
        [b'-', ..] => (Token::Binary(Subtract), 1),
        [b'*', ..] => (Token::Binary(Multiply), 1),
        [b'/', ..] => (Token::Binary(Divide), 1),
        [b'%', ..] => (Token::Binary(Remainder), 1),
        [b'!', ..] => (Token::Not, 1),
        [b'(', ..] => (Token::Open, 1),
        [b')', ..] => (Token::Close, 1),
        [b'&', ..] => (Token::Binary(And), 1),
        [b'|', ..] => (Token::Binary(Or), 1),
        [b'^', ..] => (Token::Binary(ExclusiveOr), 1),
        [b'~', ..] => (Token::Complement, 1),
        [b'?', ..] => (Token::Question, 1),
        [b':', ..] => (Token::Colon, 1),
        [b',', ..] => (Token::Comma, 1),
        _ => return (None, 0),
    };
    (Some(token), length)
}

fn is_name_ahead(rest: &[u8]) -> bool {
    rest.iter()
        .find(|byte| !is_blank(**byte))
        .is_some_and(|byte| is_name_start(*byte))
}
