//! Expansion of words, in bash's order: braces, tilde, parameters, commands and arithmetic from left to right,
//! then splitting, pathnames, and the removal of quotes (which are never in the result to begin with).

mod arithmetic;
mod assignment;
mod attributes;
mod braces;
mod failure;
mod field;
mod indirect;
mod parameter;
mod pathname;
mod prompt;
mod substitution;
mod tilde;
mod transform;
mod value;
mod word;
mod words;

pub use arithmetic::Expressions;
pub use field::{Expanded, Fragment};
pub use word::Context;
