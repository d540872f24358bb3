//! What conditions see of a call and of a request.

use std::collections::HashMap;
use std::sync::Arc;

use cel::objects::{Key, Map};
use cel::{Context, ExecutionError, Value as CelValue};
use serde_json::Value;
use url::Url;

use crate::json::Fields as _;

/// Most bytes of a call's input, as JSON, that conditions look at; a larger one is denied where there are rules.
pub const INPUT_BYTES_MAX: usize = 256 << 10;
/// Longest list that conditions with loops look at; a call with a longer one is denied by them.
pub(super) const LOOPED_MAX: usize = 1_000;
/// Most characters of the interpreter's own words that are repeated.
const ERROR_CHARACTERS_MAX: usize = 200;
/// The folder that relative paths of tools begin at.
const WORKING_DIRECTORY: &str = "/workspace";

/// The variables of a condition.
pub(super) type Names = &'static [&'static str];

/// The variables of a condition on calls.
pub(super) const CALL_NAMES: Names = &[
    "count",
    "count_all",
    "host",
    "input",
    "kind",
    "method",
    "path",
    "server",
    "tool",
    "url",
];
/// The variables of a condition on requests.
pub(super) const REQUEST_NAMES: Names = &["host", "method", "path", "port", "query", "scheme"];

/// What conditions see.
pub struct Seen {
    /// The variables.
    pub(super) context: Context<'static, 'static>,
    /// How many values the longest list or object in them has.
    pub(super) longest: usize,
}

/// Something that conditions are evaluated on.
pub trait Facts {
    /// Returns the variables. Errors: it is too large to be looked at.
    fn seen(&self) -> Result<Seen, String>;
}

/// A tool call.
#[derive(Clone, Debug)]
pub struct CallFacts {
    /// The tool's own name.
    pub tool: String,
    /// `built_in`, `mcp` or `custom`.
    pub kind: &'static str,
    /// The MCP server's name; empty for other tools.
    pub server: String,
    /// What it is called with.
    pub input: Value,
    /// Calls of this tool that were made before in the session, or stand before it in the same answer.
    pub count: u64,
    /// The same of all tools.
    pub count_all: u64,
}

impl Facts for CallFacts {
    fn seen(&self) -> Result<Seen, String> {
        if self.input.to_string().len() > INPUT_BYTES_MAX {
            return Err(format!("the input has more than {INPUT_BYTES_MAX} bytes"));
        }
        let text = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| self.input.at(name).as_str());
            values.next().unwrap_or_default().to_owned()
        };
        let url = text(&["url"]);
        let host = host_of(&url)?;
        let path = text(&["file_path", "path"]);
        let mut context = Context::default();
        for (name, value) in [
            ("tool", self.tool.clone()),
            ("kind", self.kind.to_owned()),
            ("server", self.server.clone()),
            ("path", if path.is_empty() { path } else { normal(&path) }),
            ("host", host),
            ("method", text(&["method"]).to_ascii_uppercase()),
            ("url", url),
        ] {
            context.add_variable_from_value(name, value);
        }
        context.add_variable_from_value("count", whole(self.count));
        context.add_variable_from_value("count_all", whole(self.count_all));
        context.add_variable_from_value("input", of_json(&self.input));
        let longest = longest(&self.input);
        Ok(Seen { context, longest })
    }
}

/// An HTTP request of a hand.
#[derive(Clone, Debug)]
pub struct RequestFacts {
    /// `https` or `http`.
    pub scheme: String,
    /// The host in lower case.
    pub host: String,
    /// The port, also where the scheme's own is meant.
    pub port: u16,
    /// The method.
    pub method: String,
    /// The path as it is sent.
    pub path: String,
    /// The query as it is sent, without `?`; may be empty.
    pub query: String,
}

impl Facts for RequestFacts {
    fn seen(&self) -> Result<Seen, String> {
        let path = plain_path(&self.path);
        let method = self.method.to_ascii_uppercase();
        let mut context = Context::default();
        for (name, value) in [
            ("scheme", &self.scheme),
            ("host", &self.host),
            ("method", &method),
            ("path", &path),
            ("query", &self.query),
        ] {
            context.add_variable_from_value(name, value.clone());
        }
        context.add_variable_from_value("port", i64::from(self.port));
        Ok(Seen {
            context,
            longest: 0,
        })
    }
}

/// Returns the host of a URL as a call has it: one without scheme is taken as `web_fetch` takes it, with `https`. Errors:
/// it has a character that readers of URLs disagree on.
fn host_of(url: &str) -> Result<String, String> {
    let url = url.trim();
    if url.is_empty() {
        return Ok(String::new());
    }
    if url.contains(['\\', '\t', '\n', '\r']) {
        return Err("the URL has characters that not everybody reads in the same way".to_owned());
    }
    let parsed = match url.contains("://") {
        true => Url::parse(url),
        false => Url::parse(&format!("https://{url}")),
    };
    let host = parsed.ok().and_then(|url| url.host_str().map(plain_host));
    host.ok_or_else(|| "the URL has no host".to_owned())
}

/// Returns a host as requests have it: without the final dot and without the brackets of an address.
fn plain_host(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    address.unwrap_or(host).to_ascii_lowercase()
}

/// Returns the path of a request with what need not be escaped unescaped, and without empty parts.
fn plain_path(path: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    let mut bytes = path.as_bytes();
    while let Some((first, rest)) = bytes.split_first() {
        let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        let (next, left) = match (first, byte.filter(is_plain)) {
            (b'%', Some(byte)) => (byte, rest.get(2..).unwrap_or_default()),
            _ => (*first, rest),
        };
        if next != b'/' || out.last() != Some(&b'/') {
            out.push(next);
        }
        bytes = left;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Returns how many values the longest list or object has.
fn longest(value: &Value) -> usize {
    match value {
        Value::Array(values) => values
            .iter()
            .map(longest)
            .max()
            .unwrap_or(0)
            .max(values.len()),
        Value::Object(fields) => fields
            .values()
            .map(longest)
            .max()
            .unwrap_or(0)
            .max(fields.len()),
        _ => 0,
    }
}

/// Returns the absolute path that a tool's path means, as far as text alone tells: links are not followed.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let base = match path.starts_with('/') {
        true => "",
        false => WORKING_DIRECTORY,
    };
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns JSON as CEL has it: whole numbers are `int`, others `double`.
fn of_json(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(value) => CelValue::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(number) => CelValue::Int(number),
            None => CelValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => CelValue::String(Arc::new(text.clone())),
        Value::Array(values) => CelValue::List(Arc::new(values.iter().map(of_json).collect())),
        Value::Object(fields) => {
            let fields = fields.iter();
            let map: HashMap<Key, CelValue> = fields
                .map(|(name, value)| (Key::from(name.as_str()), of_json(value)))
                .collect();
            CelValue::Map(Map { map: Arc::new(map) })
        }
    }
}

/// Returns why an evaluation failed. Values of the input are not repeated: they may be long, or secret.
pub(super) fn error_text(error: &ExecutionError) -> String {
    let text = match error {
        ExecutionError::NoSuchKey(key) => format!("there is no field {key:?}"),
        ExecutionError::UndeclaredReference(name) => format!("there is no {name:?}"),
        ExecutionError::NoSuchOverload(error) => error.to_string(),
        ExecutionError::UnexpectedType { .. } | ExecutionError::InvalidArgumentCount { .. } => {
            error.to_string()
        }
        ExecutionError::FunctionError { function, .. } => format!("{function}() failed"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "it divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "its numbers are too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "its index is out of bounds".to_owned(),
        _ => "its values have no such operation".to_owned(),
    };
    text.chars().take(ERROR_CHARACTERS_MAX).collect()
}
