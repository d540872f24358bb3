//! POSIX and Perl regular expressions over bytes.
//!
//! GNU's basic and extended syntax become automata of `regex-automata`, with the overall match leftmost-longest as
//! POSIX demands; back-references run on a backtracking matcher of our own, Perl's look-around on `fancy-regex`.
//! Positions are byte offsets. Text need not be UTF-8.

mod automata;
mod backtrack;
mod bracket;
mod class;
mod error;
mod lexer;
mod options;
mod parse;
mod perl;
mod regex;
mod translate;
mod tree;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use options::{Options, Syntax};
pub use regex::Regex;
