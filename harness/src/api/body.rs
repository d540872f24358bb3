//! Reading a JSON request strictly: every field is asked for by name, and what nobody asked for is refused.
//!
//! Errors name the path of the field (`tools.0.configs.2.name`), what was expected and what kind of value
//! came; never the value itself, which may be a secret. Pure apart from the one extractor, [`JsonBody`].

use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde_json::{Map, Value};

use crate::api::error::{ApiError, quoted};

/// Most JSON values in one body. A value costs up to a hundred times its two bytes of text once it is
/// parsed, so the size limit alone would not bound memory.
const VALUES_MAX: usize = 250_000;

/// Why a request is refused: status 400.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// Where, e.g. `tools.0.name`; empty for the request as a whole.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
    /// `error.details.error_code`, where the contract has one.
    pub code: Option<&'static str>,
}

impl Invalid {
    /// Returns the refusal of the value at `path`.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            code: None,
        }
    }

    /// Adds an error code.
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// A field that may be missing, null or there; the three mean different things in updates.
#[derive(Clone, PartialEq, Debug)]
pub enum Field {
    /// The key is not there.
    Absent,
    /// The key is there with null.
    Null,
    /// The key has a value.
    Given(Spot),
}

impl Field {
    /// Returns the value, where null means the same as absent.
    pub fn given(self) -> Option<Spot> {
        match self {
            Field::Absent | Field::Null => None,
            Field::Given(spot) => Some(spot),
        }
    }
}

/// A value and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Spot {
    /// Its path, e.g. `tools.0`.
    pub path: String,
    /// The value, not null unless it stands in an array.
    pub value: Value,
}

/// An object whose fields are taken one by one; [`Fields::finish`] refuses the rest.
#[derive(Clone, PartialEq, Debug)]
pub struct Fields {
    path: String,
    map: Map<String, Value>,
}

impl Fields {
    /// Takes a request's body.
    pub fn root(map: Map<String, Value>) -> Self {
        Self {
            path: String::new(),
            map,
        }
    }

    /// Takes the field `name`.
    pub fn take(&mut self, name: &str) -> Field {
        match self.map.remove(name) {
            None => Field::Absent,
            Some(Value::Null) => Field::Null,
            Some(value) => Field::Given(Spot {
                path: self.path_of(name),
                value,
            }),
        }
    }

    /// Takes the field `name`, which must be there and not null.
    pub fn required(&mut self, name: &str) -> Result<Spot, Invalid> {
        match self.take(name) {
            Field::Absent => Err(Invalid::at(self.path_of(name), "this field is required")),
            Field::Null => Err(Invalid::at(
                self.path_of(name),
                "this field is required and must not be null",
            )),
            Field::Given(spot) => Ok(spot),
        }
    }

    /// Refuses what was not taken.
    pub fn finish(self) -> Result<(), Invalid> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => {
                let path = if self.path.is_empty() {
                    "the request"
                } else {
                    &self.path
                };
                Err(Invalid::at(path, format!("unknown field {}", quoted(name))))
            }
        }
    }

    /// Returns where the object stands; empty for the request itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the path of the field `name`.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

impl Spot {
    /// Refuses this value.
    pub fn refuse(&self, message: impl Into<String>) -> Invalid {
        Invalid::at(self.path.clone(), message)
    }

    fn wrong(&self, expected: &str) -> Invalid {
        self.refuse(format!("expected {expected}, got {}", name_of(&self.value)))
    }

    /// Reads an object.
    pub fn object(self) -> Result<Fields, Invalid> {
        match self.value {
            Value::Object(map) => Ok(Fields {
                path: self.path,
                map,
            }),
            _ => Err(self.wrong("an object")),
        }
    }

    /// Reads an object with a `type`, and returns the type beside the other fields.
    pub fn tagged(self) -> Result<(Spot, Fields), Invalid> {
        let mut fields = self.object()?;
        let tag = fields.required("type")?;
        if !tag.value.is_string() {
            return Err(tag.wrong("a string"));
        }
        Ok((tag, fields))
    }

    /// Reads an array of at most `items_max` values.
    pub fn array(self, items_max: usize) -> Result<Vec<Spot>, Invalid> {
        let Value::Array(items) = self.value else {
            return Err(self.wrong("an array"));
        };
        if items.len() > items_max {
            let message = format!("at most {items_max} entries, got {}", items.len());
            return Err(Invalid::at(self.path, message));
        }
        let path = self.path;
        Ok(items
            .into_iter()
            .enumerate()
            .map(|(index, value)| Spot {
                path: format!("{path}.{index}"),
                value,
            })
            .collect())
    }

    /// Reads a string.
    pub fn string(self) -> Result<String, Invalid> {
        match self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong("a string")),
        }
    }

    /// Reads a string of `min` to `max` characters.
    pub fn text(self, min: usize, max: usize) -> Result<String, Invalid> {
        let path = self.path.clone();
        let text = self.string()?;
        let count = text.chars().count();
        if count < min {
            let message = match min {
                1 => "must not be empty".to_owned(),
                _ => format!("at least {min} characters, got {count}"),
            };
            return Err(Invalid::at(path, message));
        }
        if count > max {
            return Err(Invalid::at(
                path,
                format!("at most {max} characters, got {count}"),
            ));
        }
        Ok(text)
    }

    /// Reads a boolean.
    pub fn boolean(self) -> Result<bool, Invalid> {
        match self.value {
            Value::Bool(value) => Ok(value),
            _ => Err(self.wrong("true or false")),
        }
    }

    /// Reads a whole number from `min` to `max`.
    pub fn integer(self, min: u64, max: u64) -> Result<u64, Invalid> {
        match self.value.as_u64() {
            Some(value) if (min..=max).contains(&value) => Ok(value),
            _ if self.value.is_number() => {
                Err(self.refuse(format!("expected a whole number from {min} to {max}")))
            }
            _ => Err(self.wrong("a whole number")),
        }
    }

    /// Reads one of the strings in `choices`.
    pub fn one_of<'a>(self, choices: &[&'a str]) -> Result<&'a str, Invalid> {
        let Value::String(text) = &self.value else {
            return Err(self.wrong("a string"));
        };
        match choices.iter().find(|choice| *choice == text) {
            Some(choice) => Ok(choice),
            None => Err(self.refuse(format!(
                "expected {}, got {}",
                listed(choices),
                quoted(text)
            ))),
        }
    }

    /// Reads an object that holds nothing but a `type` out of `choices`.
    pub fn bare_tag<'a>(self, choices: &[&'a str]) -> Result<&'a str, Invalid> {
        let (tag, fields) = self.tagged()?;
        let choice = tag.one_of(choices)?;
        fields.finish()?;
        Ok(choice)
    }
}

/// Returns `"a", "b" or "c"`.
fn listed(choices: &[&str]) -> String {
    let quoted: Vec<String> = choices.iter().map(|choice| format!("{choice:?}")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Parses a body that must be a JSON object.
pub fn parse_object(bytes: &[u8]) -> Result<Fields, Invalid> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Invalid::at("", "the request needs a JSON body"));
    }
    if values_over_max(bytes) {
        let message = format!("the request body holds more than {VALUES_MAX} JSON values");
        return Err(Invalid::at("", message));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => Ok(Fields::root(map)),
        Ok(value) => {
            let message = format!(
                "the request body must be a JSON object, got {}",
                name_of(&value)
            );
            Err(Invalid::at("", message))
        }
        Err(error) => Err(Invalid::at(
            "",
            format!("the request body is not valid JSON: {error}"),
        )),
    }
}

/// Counts separators outside strings: each value but the first follows `,`, `[`, `{` or `:`.
fn values_over_max(bytes: &[u8]) -> bool {
    let (mut count, mut in_string, mut escaped) = (0usize, false, false);
    for byte in bytes {
        if in_string {
            match (escaped, byte) {
                (true, _) => escaped = false,
                (false, b'\\') => escaped = true,
                (false, b'"') => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b',' | b'[' | b'{' | b':' => count += 1,
            _ => {}
        }
    }
    count > VALUES_MAX
}

/// Extracts a JSON object from a request: 400 when it is none, 413 when it is over the route's limit.
pub struct JsonBody(pub Fields);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        // Demanded, not assumed: a page of another site may send any other type without being asked, but
        // for this one its browser asks us first.
        let content_type = request.headers().get(header::CONTENT_TYPE);
        if !content_type.is_some_and(|value| is_json(value.to_str().unwrap_or_default())) {
            return Err(ApiError::invalid(
                "the content-type header must be application/json",
            ));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|refusal| {
                if refusal.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    ApiError::too_large(super::BODY_BYTES_MAX)
                } else {
                    ApiError::invalid("the request body could not be read to its end")
                }
            })?;
        Ok(Self(parse_object(&bytes)?))
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}
