//! A value of a result.

use std::borrow::Cow;

use rusqlite::types::ValueRef;

use crate::number;
use crate::quote;

/// The digits of numbers that are to be read back as they were.
const EXACT: usize = 20;
/// The digits of numbers that people read.
const SHORT: usize = 15;

/// A value as SQLite gave it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            // What follows a zero byte is no part of a text for the shell.
            ValueRef::Text(text) => Self::Text(until_zero(text).to_vec()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl Cell {
    /// Returns it as text; none for NULL.
    pub(crate) fn text(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Null => None,
            Self::Integer(number) => Some(number.to_string().into_bytes().into()),
            Self::Real(number) => Some(number::general(*number, SHORT).into_bytes().into()),
            Self::Text(text) => Some(text.into()),
            Self::Blob(bytes) => Some(until_zero(bytes).into()),
        }
    }

    /// Returns it as SQL.
    pub(crate) fn sql(&self) -> Vec<u8> {
        match self {
            Self::Null => b"NULL".to_vec(),
            Self::Integer(number) => number.to_string().into_bytes(),
            Self::Real(number) => number::general(*number, EXACT).into_bytes(),
            Self::Text(text) => quote::doubled(text, b'\''),
            Self::Blob(bytes) => quote::blob(bytes),
        }
    }

    /// Returns a number so that infinity is a number, too; none if it is no floating point number.
    pub(crate) fn exact(&self) -> Option<String> {
        match self {
            Self::Real(number) if *number == f64::INFINITY => Some("1e999".to_owned()),
            Self::Real(number) if *number == f64::NEG_INFINITY => Some("-1e999".to_owned()),
            Self::Real(number) => Some(number::general(*number, EXACT)),
            _ => None,
        }
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
