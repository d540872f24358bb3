//! The `test` and `[` builtins: the POSIX rules for up to four arguments, then a precedence parser.
//!
//! Questions about files and the shell go through [`Facts`]. `[[` uses [`unary`], [`binary`] and [`compare`].

use bstr::BString;

/// What `test` asks of the world.
pub trait Facts {
    /// Answers a unary file question: one of `a b c d e f g h k p r s u w x G L N O S`.
    fn file(&mut self, operator: u8, path: &[u8]) -> bool;
    /// `-nt`, `-ot`, `-ef`: `operator` is `n`, `o` or `e`.
    fn compare_files(&mut self, operator: u8, left: &[u8], right: &[u8]) -> bool;
    /// `-t`: whether the descriptor is a terminal.
    fn is_terminal(&mut self, descriptor: i64) -> bool;
    /// `-v`: whether the variable (or `a[subscript]`) is set.
    fn is_set(&mut self, name: &[u8]) -> bool;
    /// `-R`: whether the variable is a name reference that is set.
    fn is_reference(&mut self, name: &[u8]) -> bool;
    /// `-o`: whether the `set -o` option is on.
    fn is_option(&mut self, name: &[u8]) -> bool;
}

/// Why a test has no answer: status 2. Prints without the prefix `bash: [: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An operand that is no integer.
    #[error("{0}: integer expression expected")]
    Integer(BString),
    /// More than the grammar can take.
    #[error("too many arguments")]
    TooMany,
    /// An operator where the expression should have ended.
    #[error("syntax error: `{0}' unexpected")]
    Unexpected(BString),
    /// Two arguments of which the first is no unary operator.
    #[error("{0}: unary operator expected")]
    Unary(BString),
    /// Three arguments without a binary operator.
    #[error("{0}: binary operator expected")]
    Binary(BString),
    /// An operand is missing.
    #[error("argument expected")]
    Argument,
    /// `[` without its end.
    #[error("missing `]'")]
    MissingBracket,
    /// An open parenthesis without its end.
    #[error("`)' expected")]
    MissingParenthesis,
    /// Something else than the closing parenthesis.
    #[error("`)' expected, found {0}")]
    Parenthesis(BString),
    /// A failure that the caller explains, already said.
    #[error("{0}")]
    Other(String),
}

/// Evaluates the arguments of `test` (without the name, and without `]`).
pub fn evaluate(arguments: &[&[u8]], facts: &mut dyn Facts) -> Result<bool, Error> {
    match arguments {
        [] => Ok(false),
        [one] => Ok(!one.is_empty()),
        [one, two] => two_arguments(one, two, facts),
        [one, two, three] => three_arguments([one, two, three], facts),
        [b"!", rest @ ..] if rest.len() == 3 => evaluate(rest, facts).map(|value| !value),
        [b"(", one, two, b")"] => two_arguments(one, two, facts),
        _ => {
            let mut parser = Parser {
                arguments,
                facts,
                depth: 0,
            };
            let value = parser.or()?;
            match parser.arguments.first() {
                None => Ok(value),
                Some(extra) if extra.starts_with(b"-") => {
                    Err(Error::Unexpected(BString::from(*extra)))
                }
                Some(_) => Err(Error::TooMany),
            }
        }
    }
}

fn two_arguments(one: &[u8], two: &[u8], facts: &mut dyn Facts) -> Result<bool, Error> {
    match one {
        b"!" => Ok(two.is_empty()),
        one if is_unary(one) => unary(one, two, facts),
        one => Err(Error::Unary(BString::from(one))),
    }
}

fn three_arguments([one, two, three]: [&[u8]; 3], facts: &mut dyn Facts) -> Result<bool, Error> {
    match (one, two, three) {
        (_, operator, _) if is_binary(operator) => binary(one, operator, three, facts),
        (_, b"-a", _) => Ok(!one.is_empty() && !three.is_empty()),
        (_, b"-o", _) => Ok(!one.is_empty() || !three.is_empty()),
        (b"!", ..) => two_arguments(two, three, facts).map(|value| !value),
        (b"(", _, b")") => Ok(!two.is_empty()),
        _ => Err(Error::Binary(BString::from(two))),
    }
}

/// Evaluates the arguments of `[`, the last of which must be `]`.
pub fn bracket(arguments: &[&[u8]], facts: &mut dyn Facts) -> Result<bool, Error> {
    match arguments.split_last() {
        Some((last, rest)) if *last == b"]" => evaluate(rest, facts),
        _ => Err(Error::MissingBracket),
    }
}

/// Bounds nested parentheses and negations, which would exhaust the stack.
const DEPTH_MAX: usize = 500;

/// The grammar for more than four arguments; everything is evaluated, as in bash.
struct Parser<'a, 'f> {
    arguments: &'a [&'a [u8]],
    facts: &'f mut dyn Facts,
    depth: usize,
}

impl Parser<'_, '_> {
    fn is_at(&self, ahead: usize, text: &[u8]) -> bool {
        self.arguments
            .get(ahead)
            .is_some_and(|argument| *argument == text)
    }

    fn skip(&mut self, count: usize) {
        self.arguments = self.arguments.get(count..).unwrap_or_default();
    }

    fn or(&mut self) -> Result<bool, Error> {
        let mut value = self.and()?;
        while self.is_at(0, b"-o") {
            self.skip(1);
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, Error> {
        let mut value = self.term()?;
        while self.is_at(0, b"-a") {
            self.skip(1);
            value &= self.term()?;
        }
        Ok(value)
    }

    fn term(&mut self) -> Result<bool, Error> {
        let mut is_negated = false;
        while self.is_at(0, b"!") {
            self.skip(1);
            is_negated = !is_negated;
        }
        self.plain().map(|value| value != is_negated)
    }

    fn plain(&mut self) -> Result<bool, Error> {
        let first = self.arguments.first().copied().ok_or(Error::Argument)?;
        if first == b"(" {
            if self.depth >= DEPTH_MAX {
                return Err(Error::TooMany);
            }
            self.skip(1);
            self.depth += 1;
            let value = self.or()?;
            self.depth -= 1;
            return match self.arguments.first().copied() {
                Some(b")") => {
                    self.skip(1);
                    Ok(value)
                }
                Some(other) => Err(Error::Parenthesis(BString::from(other))),
                None => Err(Error::MissingParenthesis),
            };
        }
        if let [left, operator, right, ..] = self.arguments
            && is_binary(operator)
        {
            self.skip(3);
            return binary(left, operator, right, self.facts);
        }
        if is_unary(first)
            && let Some(operand) = self.arguments.get(1).copied()
        {
            self.skip(2);
            return unary(first, operand, self.facts);
        }
        self.skip(1);
        Ok(!first.is_empty())
    }
}

/// Returns whether `text` is a unary operator (`-f`, `-z`).
pub fn is_unary(text: &[u8]) -> bool {
    matches!(text, [b'-', letter] if b"abcdefghknoprstuvwxzGLNORS".contains(letter))
}

/// Returns whether `text` is a binary operator (`-eq`, `=`, `<`).
pub fn is_binary(text: &[u8]) -> bool {
    matches!(
        text,
        b"=" | b"=="
            | b"!="
            | b"<"
            | b">"
            | b"-eq"
            | b"-ne"
            | b"-lt"
            | b"-le"
            | b"-gt"
            | b"-ge"
            | b"-nt"
            | b"-ot"
            | b"-ef"
    )
}

/// Evaluates a unary operator, for `[[` too.
pub fn unary(operator: &[u8], operand: &[u8], facts: &mut dyn Facts) -> Result<bool, Error> {
    Ok(match operator {
        b"-z" => operand.is_empty(),
        b"-n" => !operand.is_empty(),
        b"-v" => facts.is_set(operand),
        b"-R" => facts.is_reference(operand),
        b"-o" => facts.is_option(operand),
        b"-t" => integer(operand).is_ok_and(|descriptor| facts.is_terminal(descriptor)),
        [b'-', letter] => facts.file(*letter, operand),
        _ => return Err(Error::Unary(BString::from(operator))),
    })
}

/// Evaluates a binary operator of `test`: strings compare by bytes, integers are decimal.
pub fn binary(
    left: &[u8],
    operator: &[u8],
    right: &[u8],
    facts: &mut dyn Facts,
) -> Result<bool, Error> {
    match operator {
        b"=" | b"==" => return Ok(left == right),
        b"!=" => return Ok(left != right),
        b"<" => return Ok(left < right),
        b">" => return Ok(left > right),
        [b'-', first, b't' | b'f'] if matches!(operator, b"-nt" | b"-ot" | b"-ef") => {
            return Ok(facts.compare_files(*first, left, right));
        }
        _ => {}
    }
    let (left, right) = (integer(left)?, integer(right)?);
    compare(left, operator, right).ok_or_else(|| Error::Binary(BString::from(operator)))
}

/// Compares numbers by `-eq` and the like; `None` for another operator. For `[[`, whose operands are
/// arithmetic.
pub fn compare(left: i64, operator: &[u8], right: i64) -> Option<bool> {
    Some(match operator {
        b"-eq" => left == right,
        b"-ne" => left != right,
        b"-lt" => left < right,
        b"-le" => left <= right,
        b"-gt" => left > right,
        b"-ge" => left >= right,
        _ => return None,
    })
}

/// Reads a decimal number with blanks around it.
fn integer(text: &[u8]) -> Result<i64, Error> {
    let trimmed = text.trim_ascii();
    let digits = trimmed
        .strip_prefix(b"+")
        .filter(|rest| !rest.starts_with(b"-"))
        .unwrap_or(trimmed);
    let value = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| !digits.starts_with('+'));
    value
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Error::Integer(BString::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Facts for Nothing {
        fn file(&mut self, operator: u8, path: &[u8]) -> bool {
            operator == b'd' && path == b"/"
        }
        fn compare_files(&mut self, _: u8, _: &[u8], _: &[u8]) -> bool {
            false
        }
        fn is_terminal(&mut self, _: i64) -> bool {
            false
        }
        fn is_set(&mut self, _: &[u8]) -> bool {
            false
        }
        fn is_reference(&mut self, _: &[u8]) -> bool {
            false
        }
        fn is_option(&mut self, _: &[u8]) -> bool {
            false
        }
    }

    #[test]
    fn answers_and_errors() {
        for (text, expected) in [
            ("", "false"),
            ("x", "true"),
            ("! x", "false"),
            ("-d /", "true"),
            ("-z x", "false"),
            ("1 -lt 2", "true"),
            ("a < b", "true"),
            ("! -d /", "false"),
            ("( x )", "true"),
            ("x -a y -a z", "true"),
            ("1 -eq 2 -o 3 -eq 3", "true"),
            ("x -eq 1", "x: integer expression expected"),
            ("a b", "a: unary operator expected"),
            ("a b c", "b: binary operator expected"),
            ("a b c d e", "too many arguments"),
        ] {
            let arguments: Vec<&[u8]> = text.split_ascii_whitespace().map(str::as_bytes).collect();
            let answer = match evaluate(&arguments, &mut Nothing) {
                Ok(value) => value.to_string(),
                Err(error) => error.to_string(),
            };
            assert_eq!(answer, expected, "{text}");
        }
        assert_eq!(bracket(&[b"x"], &mut Nothing), Err(Error::MissingBracket));
    }
}
