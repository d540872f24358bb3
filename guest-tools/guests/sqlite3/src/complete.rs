//! Where a statement ends: the rule of sqlite3_complete().
//!
//! A statement ends with a semicolon, but within CREATE TRIGGER only the one after END counts.

/// Where the machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but white space so far.
    Invalid,
    /// Just after a semicolon that ended a statement.
    Start,
    /// Within an ordinary statement.
    Normal,
    /// EXPLAIN came first.
    Explain,
    /// CREATE came first.
    Create,
    /// Within CREATE TRIGGER.
    Trigger,
    /// A semicolon within CREATE TRIGGER.
    Semicolon,
    /// END after that.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Semicolon,
    White,
    Other,
    Explain,
    Create,
    Temporary,
    Trigger,
    End,
    /// A comment or a quotation that does not end.
    Unfinished,
}

/// Returns whether a text ends with a complete statement.
pub(crate) fn is_complete(sql: &[u8]) -> bool {
    let mut state = State::Invalid;
    let mut rest = sql;
    while !rest.is_empty() {
        let (token, length) = next(rest);
        if token == Token::Unfinished {
            return false;
        }
        state = step(state, token);
        rest = rest.get(length..).unwrap_or_default();
    }
    state == State::Start
}

/// Returns the length of the first statement with its semicolon; everything if there is none.
pub(crate) fn first(sql: &[u8]) -> usize {
    let mut state = State::Start;
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let (token, length) = next(rest);
        state = step(state, token);
        at += length;
        if token == Token::Semicolon && state == State::Start {
            break;
        }
    }
    at.min(sql.len())
}

fn step(state: State, token: Token) -> State {
    use State::{Create, End, Explain, Invalid, Normal, Semicolon, Start, Trigger};
    match (state, token) {
        (state, Token::White) if state != Invalid => state,
        (Invalid, Token::White) => Invalid,
        (Trigger, Token::Semicolon) | (Semicolon, Token::Semicolon) => Semicolon,
        (Semicolon, Token::End) => End,
        (Trigger | Semicolon, _) => Trigger,
        (End, Token::Semicolon) => Start,
        (End, _) => Trigger,
        (_, Token::Semicolon) => Start,
        (Invalid | Start, Token::Explain) => Explain,
        (Invalid | Start, Token::Create) => Create,
        (Explain, Token::Create) => Create,
        (Explain, Token::Other) => Explain,
        (Create, Token::Temporary) => Create,
        (Create, Token::Trigger) => Trigger,
        _ => Normal,
    }
}

fn next(rest: &[u8]) -> (Token, usize) {
    let Some(first) = rest.first() else {
        return (Token::White, 0);
    };
    let quoted = |close: u8| {
        let end = rest.iter().skip(1).position(|byte| *byte == close);
        end.map_or((Token::Unfinished, rest.len()), |end| {
            (Token::Other, end + 2)
        })
    };
    match first {
        b';' => (Token::Semicolon, 1),
        b' ' | b'\t' | b'\r' | b'\n' | 0x0c => (Token::White, 1),
        b'/' if rest.get(1) == Some(&b'*') => {
            let end = rest
                .get(2..)
                .unwrap_or_default()
                .windows(2)
                .position(|pair| pair == b"*/");
            end.map_or((Token::Unfinished, rest.len()), |end| {
                (Token::White, end + 4)
            })
        }
        b'-' if rest.get(1) == Some(&b'-') => {
            let end = rest.iter().position(|byte| *byte == b'\n');
            (Token::White, end.map_or(rest.len(), |end| end + 1))
        }
        b'[' => quoted(b']'),
        b'`' | b'"' | b'\'' => quoted(*first),
        _ => {
            let length = rest.iter().take_while(|byte| is_word(**byte)).count();
            let word = rest.get(..length).unwrap_or_default();
            let token = match word.to_ascii_lowercase().as_slice() {
                b"create" => Token::Create,
                b"trigger" => Token::Trigger,
                b"temp" | b"temporary" => Token::Temporary,
                b"end" => Token::End,
                b"explain" => Token::Explain,
                _ => Token::Other,
            };
            (token, length.max(1))
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_ends_with_end() {
        let trigger = b"create temp trigger x after insert on t begin select ';'; select 2; end;";
        assert!(is_complete(trigger), "the whole of it is complete");
        assert!(!is_complete(&trigger[..66]), "up to the second semicolon");
        assert_eq!(first(&[trigger.as_slice(), b" select 1;"].concat()), 72);
        assert_eq!(first(b"select 1 -- ;\n; select 2"), 15);
        assert!(!is_complete(b"select ';"), "an open quotation");
        assert!(is_complete(b"select 1; /* x */"), "a comment at the end");
        assert!(!is_complete(b"  "), "nothing");
    }
}
