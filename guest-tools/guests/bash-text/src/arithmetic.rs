//! Arithmetic as bash evaluates it: 64-bit, wrapping, over the shell's variables.
//!
//! An expression is parsed once to an [`Expression`], which can be kept and evaluated again. Parsing never
//! fails by itself: bash evaluates while it reads, so what stands before a syntax error still takes effect;
//! the error comes out of the evaluation.

mod evaluate;
mod number;
mod operator;
mod parse;
#[cfg(test)]
mod tests;
mod token;

use std::borrow::Cow;

use bstr::BString;

pub use number::parse_integer;
use operator::Operation;

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
    /// Expands the text of an indexed array's subscript; `None` when that changes nothing.
    fn expand(&mut self, text: &[u8]) -> Result<Option<BString>, Self::Error>;
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

/// A parsed expression: code for a small stack machine, so that no chain of operators, however long, can
/// exhaust the stack.
#[derive(Debug, Clone)]
pub struct Expression {
    code: Vec<Operation>,
    places: Vec<Place>,
    /// The text, for messages.
    text: BString,
    /// The syntax error that ends the code.
    failure: Option<Box<ExpressionError>>,
}

/// A variable, or an element of one, as the text names it.
#[derive(Debug, Clone)]
struct Place {
    name: BString,
    subscript: Option<Box<Element>>,
    /// Where the name starts in the text.
    offset: usize,
}

/// A subscript as written.
#[derive(Debug, Clone)]
struct Element {
    text: BString,
    /// The text as arithmetic, for indexed arrays.
    index: Expression,
}

impl Expression {
    /// Parses `text`. Empty or blank text is the constant 0.
    pub fn parse(text: &[u8]) -> Self {
        parse::expression(text, 0)
    }

    /// Returns the value when it is a plain number.
    pub fn constant(&self) -> Option<i64> {
        match (self.code.as_slice(), &self.failure) {
            ([Operation::Number(value)], None) => Some(*value),
            _ => None,
        }
    }

    /// Evaluates the expression.
    pub fn evaluate<V: Variables>(&self, variables: &mut V) -> Result<i64, Error<V::Error>> {
        evaluate::run(self, variables, 0)
    }
}

/// Parses and evaluates in one step.
pub fn evaluate<V: Variables>(text: &[u8], variables: &mut V) -> Result<i64, Error<V::Error>> {
    match parse_integer(text) {
        Some(value) => Ok(value),
        None => Expression::parse(text).evaluate(variables),
    }
}
