//! What is wrong with a tool's input, in words a model can act on.
//!
//! Everything that comes from the input or from a component's names is shortened: the message goes
//! into a prompt.

use std::fmt::{self, Write as _};

use serde_json::Value;
use thiserror::Error;
use wasmtime::component::types::Type;

use super::names::snake;
use super::text::{shortened, visible};

/// The longest path shown, in bytes.
const PATH_BYTES_MAX: usize = 200;
/// The longest account of what came, in bytes.
const GOT_BYTES_MAX: usize = 80;
/// The longest list of names or account of what was expected, in bytes.
const EXPECTED_BYTES_MAX: usize = 400;

/// Why an input does not fit a function.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum JsonError {
    /// A value is of the wrong kind, out of range, or not one of those allowed.
    #[error("{at}: expected {expected}, got {got}")]
    Mismatch {
        /// Where, such as `shape.points[2].x`.
        at: String,
        /// What the type allows.
        expected: String,
        /// What came.
        got: String,
    },
    /// A property that is required is absent.
    #[error("{at}: property `{property}` is missing; expected {expected}")]
    Missing {
        /// The object that lacks it.
        at: String,
        /// The property.
        property: String,
        /// What the type allows.
        expected: String,
    },
    /// A property is not one of the type's.
    #[error("{at}: unknown property `{property}`; {known}")]
    Unknown {
        /// The object that has it.
        at: String,
        /// The property.
        property: String,
        /// Which there are.
        known: String,
    },
    /// A property is given in two spellings.
    #[error("{at}: property `{property}` is given twice")]
    Twice {
        /// The object that has it.
        at: String,
        /// The property.
        property: String,
    },
    /// The type has no JSON form; reflection refuses such functions.
    #[error("{at}: a {what} cannot be given as JSON")]
    Unsupported {
        /// Where.
        at: String,
        /// The kind of type.
        what: &'static str,
    },
    /// The input has too many parts.
    #[error("the input holds more than {max} values; pass large data as a path in the workspace")]
    TooLarge {
        /// How many are allowed.
        max: usize,
    },
    /// The type nests too deeply; reflection refuses such functions.
    #[error("the input nests deeper than {max} levels")]
    TooDeep {
        /// How many are allowed.
        max: usize,
    },
}

impl JsonError {
    pub(super) fn mismatch(at: Path<'_>, ty: &Type, json: &Value) -> Self {
        Self::Mismatch {
            at: at.to_string(),
            expected: expected(ty),
            got: got(json),
        }
    }

    pub(super) fn not_an_object(at: Path<'_>, names: &[String], json: &Value) -> Self {
        Self::Mismatch {
            at: at.to_string(),
            expected: object_of(names),
            got: got(json),
        }
    }

    pub(super) fn not_wrapped(at: Path<'_>, json: &Value) -> Self {
        let expected = "{\"some\": ...} or null".to_owned();
        Self::Mismatch {
            at: at.to_string(),
            expected,
            got: got(json),
        }
    }

    pub(super) fn missing(at: Path<'_>, property: &str, ty: &Type) -> Self {
        Self::Missing {
            at: at.to_string(),
            property: shortened(property, PATH_BYTES_MAX),
            expected: expected(ty),
        }
    }

    pub(super) fn unknown(at: Path<'_>, property: &str, names: &[String]) -> Self {
        let known = match names {
            [] => "there are none".to_owned(),
            names => format!("known: {}", listed(names)),
        };
        Self::Unknown {
            at: at.to_string(),
            property: visible(property, GOT_BYTES_MAX),
            known,
        }
    }

    pub(super) fn twice(at: Path<'_>, property: &str) -> Self {
        Self::Twice {
            at: at.to_string(),
            property: shortened(property, PATH_BYTES_MAX),
        }
    }
}

/// A place in the input, kept on the stack: it is written out only when something is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Property(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text)?;
        match text.is_empty() {
            true => f.write_str("input"),
            false => f.write_str(&visible(&text, PATH_BYTES_MAX)),
        }
    }
}

impl Path<'_> {
    fn write(&self, text: &mut String) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Property(parent, name) => {
                parent.write(text)?;
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
                Ok(())
            }
            Path::Item(parent, index) => {
                parent.write(text)?;
                write!(text, "[{index}]")
            }
        }
    }
}

/// What a type allows, in words.
fn expected(ty: &Type) -> String {
    let text = match ty {
        Type::Bool => "true or false".to_owned(),
        Type::U8 => range(0, u8::MAX.into()),
        Type::U16 => range(0, u16::MAX.into()),
        Type::U32 => range(0, u32::MAX.into()),
        Type::U64 => range(0, u64::MAX.into()),
        Type::S8 => range(i8::MIN.into(), i8::MAX.into()),
        Type::S16 => range(i16::MIN.into(), i16::MAX.into()),
        Type::S32 => range(i32::MIN.into(), i32::MAX.into()),
        Type::S64 => range(i64::MIN.into(), i64::MAX.into()),
        Type::Float32 => "a 32-bit number".to_owned(),
        Type::Float64 => "a number".to_owned(),
        Type::Char => "a string of one character".to_owned(),
        Type::String => "a string".to_owned(),
        Type::List(list) if list.ty() == Type::U8 => "a string in base64".to_owned(),
        Type::List(_) => "an array".to_owned(),
        Type::FixedLengthList(list) => format!("an array of {} items", list.len()),
        Type::Tuple(tuple) => format!("an array of {} items", tuple.types().len()),
        Type::Map(map) if map.key() == Type::String => "an object".to_owned(),
        Type::Map(_) => "an array of [key, value] pairs".to_owned(),
        Type::Record(record) => object_of(&snakes(record.fields().map(|field| field.name))),
        Type::Option(option) => format!("null or {}", expected(&option.ty())),
        Type::Enum(names) => format!("one of {}", listed(&snakes(names.names()))),
        Type::Flags(flags) => {
            format!(
                "an array of strings out of {}",
                listed(&snakes(flags.names()))
            )
        }
        Type::Variant(variant) => {
            let forms = variant
                .cases()
                .map(|case| form(case.name, case.ty.is_some()));
            format!("one of {}", forms.collect::<Vec<_>>().join(", "))
        }
        Type::Result(result) => format!(
            "{} or {}",
            form("ok", result.ok().is_some()),
            form("error", result.err().is_some())
        ),
        Type::Own(_) | Type::Borrow(_) => "a resource".to_owned(),
        Type::Future(_) => "a future".to_owned(),
        Type::Stream(_) => "a stream".to_owned(),
        Type::ErrorContext => "an error context".to_owned(),
    };
    shortened(&text, EXPECTED_BYTES_MAX)
}

fn range(minimum: i128, maximum: i128) -> String {
    format!("an integer from {minimum} to {maximum}")
}

fn object_of(names: &[String]) -> String {
    match names {
        [] => "an object without properties".to_owned(),
        names => format!("an object of {}", listed(names)),
    }
}

/// The JSON form of a case.
fn form(name: &str, has_payload: bool) -> String {
    let name = snake(name);
    match has_payload {
        true => format!("{{\"{name}\": ...}}"),
        false => format!("\"{name}\""),
    }
}

fn snakes<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(snake).collect()
}

fn listed(names: &[String]) -> String {
    shortened(&names.join(", "), EXPECTED_BYTES_MAX)
}

/// What came, in words.
fn got(json: &Value) -> String {
    let text = match json {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.is_empty() => "an empty string".to_owned(),
        Value::String(text) => format!("the string \"{}\"", visible(text, GOT_BYTES_MAX / 2)),
        Value::Array(items) => format!("an array of {} items", items.len()),
        Value::Object(object) if object.is_empty() => "an empty object".to_owned(),
        Value::Object(object) => {
            let names: Vec<_> = object.keys().take(8).map(String::as_str).collect();
            format!("an object of {}", names.join(", "))
        }
    };
    visible(&text, GOT_BYTES_MAX)
}
