//! The `test` and `[` builtins: the POSIX rules for up to four arguments, then a precedence parser.
//!
//! Questions about files and the shell go through [`Facts`]. `[[` uses [`unary`] and [`binary`] directly.

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
    /// The value of an operand of `-eq` and the like inside `[[`, which is arithmetic; the `test` builtin
    /// reads a decimal number itself and never asks.
    fn integer(&mut self, text: &[u8]) -> Result<i64, Error>;
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
    let _ = (arguments, facts);
    Ok(false)
}

/// Evaluates the arguments of `[`, the last of which must be `]`.
pub fn bracket(arguments: &[&[u8]], facts: &mut dyn Facts) -> Result<bool, Error> {
    match arguments.split_last() {
        Some((last, rest)) if *last == b"]" => evaluate(rest, facts),
        _ => Err(Error::MissingBracket),
    }
}

/// Returns whether `text` is a unary operator (`-f`, `-z`).
pub fn is_unary(text: &[u8]) -> bool {
    let _ = text;
    false
}

/// Returns whether `text` is a binary operator (`-eq`, `=`, `<`).
pub fn is_binary(text: &[u8]) -> bool {
    let _ = text;
    false
}

/// Evaluates a unary operator, for `[[` too.
pub fn unary(operator: &[u8], operand: &[u8], facts: &mut dyn Facts) -> Result<bool, Error> {
    let _ = (operator, operand, facts);
    Ok(false)
}

/// Evaluates a binary operator of `test`: strings compare by bytes, integers are decimal.
pub fn binary(
    left: &[u8],
    operator: &[u8],
    right: &[u8],
    facts: &mut dyn Facts,
) -> Result<bool, Error> {
    let _ = (left, operator, right, facts);
    Ok(false)
}
