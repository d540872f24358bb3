//! What the shell adds to SQL: `regexp`, files, SHA-3 and the collation `uint`. `generate_series` is rusqlite's.

use std::cmp::Ordering;
use std::fs;

use regex::bytes::Regex;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Batch, Connection, Error, Result};
use sha3::{Digest, Sha3_224, Sha3_256, Sha3_384, Sha3_512};

/// The size of a hash if nobody says it.
const BITS: u32 = 256;

/// Adds everything to a connection.
pub(crate) fn add(connection: &Connection) -> Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let direct = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("regexp", 2, pure, |context| regexp(context, ""))?;
    connection.create_scalar_function("regexpi", 2, pure, |context| regexp(context, "(?i)"))?;
    connection.create_scalar_function("sha3", 1, pure, |context| hash_value(context, BITS))?;
    connection.create_scalar_function("sha3", 2, pure, |context| {
        hash_value(context, context.get(1)?)
    })?;
    for count in [1, 2] {
        connection.create_scalar_function("sha3_query", count, direct, hash_query)?;
    }
    connection.create_scalar_function("readfile", 1, direct, |context| {
        let name: Option<String> = context.get(0)?;
        // No file is no value.
        Ok(name.and_then(|name| fs::read(name).ok()))
    })?;
    for count in [2, 3, 4] {
        connection.create_scalar_function("writefile", count, direct, write_file)?;
    }
    connection.create_collation("uint", by_numbers)
}

fn user(message: String) -> Error {
    Error::UserFunctionError(message.into())
}

/// `TEXT REGEXP PATTERN` calls `regexp(PATTERN, TEXT)`.
fn regexp(context: &Context<'_>, before: &str) -> Result<Option<bool>> {
    let pattern = context.get_or_create_aux(
        0,
        |value| -> std::result::Result<_, Box<dyn std::error::Error + Send + Sync>> {
            let pattern = match value {
                ValueRef::Null => return Ok(None),
                value => text(value),
            };
            let pattern = String::from_utf8_lossy(&pattern).into_owned();
            Ok(Some(Regex::new(&format!("{before}{pattern}"))?))
        },
    )?;
    let subject = context.get_raw(1);
    match (&*pattern, subject) {
        (None, _) | (_, ValueRef::Null) => Ok(None),
        (Some(pattern), subject) => Ok(Some(pattern.is_match(&text(subject)))),
    }
}

/// Returns a value as SQL's casts to text do.
fn text(value: ValueRef<'_>) -> Vec<u8> {
    crate::cell::Cell::from(value)
        .text()
        .map(|text| text.into_owned())
        .unwrap_or_default()
}

fn hash_bytes(bits: u32, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match bits {
        224 => Sha3_224::digest(bytes).to_vec(),
        256 => Sha3_256::digest(bytes).to_vec(),
        384 => Sha3_384::digest(bytes).to_vec(),
        512 => Sha3_512::digest(bytes).to_vec(),
        _ => return None,
    })
}

fn wrong_size() -> Error {
    user("SHA3 size should be one of: 224 256 384 512".to_owned())
}

fn hash_value(context: &Context<'_>, bits: u32) -> Result<Option<Vec<u8>>> {
    let bytes = match context.get_raw(0) {
        ValueRef::Null => return Ok(None),
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes.to_vec(),
        value => text(value),
    };
    hash_bytes(bits, &bytes).map(Some).ok_or_else(wrong_size)
}

#[expect(
    unsafe_code,
    reason = "rusqlite has no safe way from a function to its connection"
)]
fn hash_query(context: &Context<'_>) -> Result<Option<Vec<u8>>> {
    let Some(sql) = context.get::<Option<String>>(0)? else {
        return Ok(None);
    };
    let bits = if context.len() > 1 {
        context.get(1)?
    } else {
        BITS
    };
    // SAFETY: the connection is used only while the function runs, in which it stays open.
    let connection = unsafe { context.get_connection() }?;
    hash_of(&connection, &sql, bits).map(Some)
}

/// Returns the hash of all that queries give, in SQLite's own form: `S` and the length of each statement, `R` for
/// each row, and a letter with the value for each column.
pub(crate) fn hash_of(connection: &Connection, sql: &str, bits: u32) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut rest = sql;
    while !rest.trim().is_empty() {
        let (first, after) = rest.split_at(crate::complete::first(rest.as_bytes()));
        rest = after;
        let mut batch = Batch::new(connection, first);
        while let Some(mut statement) = batch.next()? {
            if !statement.readonly() {
                return Err(user(format!("non-query: [{first}]")));
            }
            let own = first.trim_start();
            text.extend_from_slice(format!("S{}:{own}", own.len()).as_bytes());
            let count = statement.column_count();
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                text.push(b'R');
                for column in 0..count {
                    add_value(&mut text, row.get_ref(column)?);
                }
            }
        }
    }
    hash_bytes(bits, &text).ok_or_else(wrong_size)
}

fn add_value(text: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => text.push(b'N'),
        ValueRef::Integer(number) => {
            text.push(b'I');
            text.extend_from_slice(&number.to_be_bytes());
        }
        ValueRef::Real(number) => {
            text.push(b'F');
            text.extend_from_slice(&number.to_bits().to_be_bytes());
        }
        ValueRef::Text(bytes) => {
            text.extend_from_slice(format!("T{}:", bytes.len()).as_bytes());
            text.extend_from_slice(bytes);
        }
        ValueRef::Blob(bytes) => {
            text.extend_from_slice(format!("B{}:", bytes.len()).as_bytes());
            text.extend_from_slice(bytes);
        }
    }
}

/// Writes a value into a file and returns its length; the folders before it are made.
fn write_file(context: &Context<'_>) -> Result<ToSqlOutput<'static>> {
    let name: String = context.get(0)?;
    let bytes = match context.get_raw(1) {
        ValueRef::Null => Vec::new(),
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes.to_vec(),
        value => text(value),
    };
    let path = std::path::Path::new(&name);
    let written = fs::write(path, &bytes).or_else(|error| {
        let parent = path.parent().ok_or(error)?;
        fs::create_dir_all(parent)?;
        fs::write(path, &bytes)
    });
    if written.is_err() {
        return Err(user(format!("failed to write file: {name}")));
    }
    if context.len() > 2
        && let Some(mode) = context.get::<Option<i64>>(2)?
    {
        let mode = u32::try_from(mode & 0o7777).unwrap_or_default();
        process::chmod(name.as_bytes(), mode)
            .map_err(|_| user(format!("failed to write file: {name}")))?;
    }
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    Ok(ToSqlOutput::Owned(Value::Integer(length)))
}

/// Compares texts in which runs of digits count as numbers.
fn by_numbers(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    let number = |text: &[u8]| {
        let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let zeros = text
            .iter()
            .take(length)
            .take_while(|byte| **byte == b'0')
            .count();
        (zeros, length)
    };
    loop {
        let ((left_zeros, left_end), (right_zeros, right_end)) = (number(left), number(right));
        if left_end > 0 && right_end > 0 {
            let digits =
                |text: &[u8], zeros, end| text.get(zeros..end).unwrap_or_default().to_vec();
            let (a, b) = (
                digits(left, left_zeros, left_end),
                digits(right, right_zeros, right_end),
            );
            let order = a.len().cmp(&b.len()).then_with(|| a.cmp(&b));
            if order != Ordering::Equal {
                return order;
            }
            left = left.get(left_end..).unwrap_or_default();
            right = right.get(right_end..).unwrap_or_default();
            continue;
        }
        match (left.split_first(), right.split_first()) {
            (Some((a, left_rest)), Some((b, right_rest))) => {
                if a != b {
                    return a.cmp(b);
                }
                (left, right) = (left_rest, right_rest);
            }
            _ => return left.len().cmp(&right.len()),
        }
    }
}
