//! The wire contract as data: every endpoint with what it takes and answers, and every type with its fields.
//!
//! `contract.json` is the one place where the shapes are written down. The [OpenAPI document](openapi) is made from
//! it, and the tests check every body and event that a client receives against it.
//!
//! A field's name ends in `?` where it may be absent. What a field holds is a list of alternatives with `|`
//! between them: `string`, `integer`, `number`, `boolean`, `time`, `file`, `null`, `any`, a literal `'x'`, an array
//! `[..]`, a map `{..}`, or the name of a type. Literals are closed lists. An answer is `bytes`, a type, or a type
//! behind `page`, `two_way_page`, `ids_page`, `files_page` (kinds of lists) or `stream`.

pub mod openapi;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

const DATA: &str = include_str!("contract.json");

/// Starts of paths that the contract has and this server does not serve: they answer 404 in the envelope.
pub const NOT_SERVED: [&str; 3] = ["/v1/dreams", "/v1/tunnels", "/v1/user_profiles"];

/// The contract.
pub struct Contract {
    /// Every endpoint, in the order of their paths.
    pub endpoints: Vec<Endpoint>,
    /// Every type by its name.
    pub types: BTreeMap<String, Shape>,
}

/// A method and a path.
pub struct Endpoint {
    /// Both as the contract names them, e.g. `GET /v1/agents/{agent_id}`.
    pub name: String,
    /// The method of HTTP.
    pub method: String,
    /// The parts of the path; a parameter is in braces.
    pub segments: Vec<String>,
    /// The official SDKs' method for it, or our own name.
    pub sdk_method: String,
    /// What its address may say behind `?`.
    pub query: Fields,
    /// What its body holds.
    pub body: Option<Body>,
    /// What it answers.
    pub answer: Answer,
}

/// The body of a request.
pub enum Body {
    /// A JSON object.
    Json(Fields),
    /// A form whose parts may be files.
    Form(Fields),
    /// Content that is no JSON.
    Bytes,
}

/// What an endpoint answers.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// JSON.
    Object(Alternatives),
    /// A list with the fields of its envelope beside `data`.
    Page(Alternatives, &'static [(&'static str, &'static str)]),
    /// Server-sent events.
    Stream(Alternatives),
    /// Content that is no JSON.
    Bytes,
}

/// A named type: an object, or alternatives under one name.
pub enum Shape {
    /// An object that has no more than these fields.
    Object(Fields),
    /// One of these.
    Alternatives(Alternatives),
}

/// Fields by name.
pub type Fields = BTreeMap<String, Field>;

/// A field of an object.
pub struct Field {
    /// It is never absent.
    pub is_always: bool,
    /// What it holds.
    pub holds: Alternatives,
}

/// What a value may be.
pub type Alternatives = Vec<Holds>;

/// One thing that a value may be.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "they say themselves")]
pub enum Holds {
    Any,
    Null,
    Boolean,
    Integer,
    Number,
    Text,
    Time,
    File,
    Literal(String),
    Array(Alternatives),
    Map(Alternatives),
    Named(String),
}

#[derive(Deserialize)]
struct Document {
    endpoints: BTreeMap<String, Entry>,
    types: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    method: String,
    answer: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    body: Option<BTreeMap<String, String>>,
    multipart: Option<BTreeMap<String, String>>,
    #[serde(default)]
    takes_bytes: bool,
}

const CURSOR_PAGE: &[(&str, &str)] = &[("next_page", "string|null")];
const TWO_WAY_PAGE: &[(&str, &str)] = &[("next_page", "string|null"), ("prev_page", "string|null")];
const IDS_PAGE: &[(&str, &str)] = &[
    ("has_more", "boolean"),
    ("first_id", "string|null"),
    ("last_id", "string|null"),
];

/// Files are read by cursors and, by older clients, by ids: the envelope serves both.
const FILES_PAGE: &[(&str, &str)] = &[
    ("next_page", "string|null"),
    ("has_more", "boolean"),
    ("first_id", "string|null"),
    ("last_id", "string|null"),
];

impl Contract {
    /// Returns the contract, read once.
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program; a test reads it"
    )]
    pub fn get() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| Self::read(DATA).expect("contract.json is well formed"))
    }

    fn read(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut types = BTreeMap::new();
        for (name, value) in document.types {
            let shape = match value {
                Value::String(text) => Shape::Alternatives(alternatives(&text)?),
                Value::Object(fields) => {
                    let text = |(name, holds): (String, Value)| match holds {
                        Value::String(holds) => Ok((name, holds)),
                        other => Err(format!("{name}: {other}")),
                    };
                    let fields = fields.into_iter().map(text).collect::<Result<_, _>>()?;
                    Shape::Object(read_fields(fields)?)
                }
                other => return Err(format!("{name}: {other}")),
            };
            types.insert(name, shape);
        }
        let endpoints = document.endpoints.into_iter();
        let mut endpoints = endpoints
            .map(|(name, entry)| read_endpoint(name, entry))
            .collect::<Result<Vec<_>, _>>()?;
        endpoints.sort_by(|a, b| (&a.segments, &a.method).cmp(&(&b.segments, &b.method)));
        let contract = Self { endpoints, types };
        contract.check_names()?;
        Ok(contract)
    }

    /// Every name that is used is a type.
    fn check_names(&self) -> Result<(), String> {
        fn of(fields: &Fields) -> impl Iterator<Item = &Holds> {
            fields.values().flat_map(|field| &field.holds)
        }
        let mut used: Vec<&Holds> = Vec::new();
        for endpoint in &self.endpoints {
            match &endpoint.answer {
                Answer::Bytes => {}
                Answer::Object(holds) | Answer::Page(holds, _) | Answer::Stream(holds) => {
                    used.extend(holds);
                }
            }
            used.extend(of(&endpoint.query));
            if let Some(Body::Json(fields) | Body::Form(fields)) = &endpoint.body {
                used.extend(of(fields));
            }
        }
        for shape in self.types.values() {
            match shape {
                Shape::Alternatives(holds) => used.extend(holds),
                Shape::Object(fields) => used.extend(of(fields)),
            }
        }
        while let Some(holds) = used.pop() {
            match holds {
                Holds::Named(name) if !self.types.contains_key(name) => {
                    return Err(format!("no type {name}"));
                }
                Holds::Array(inner) | Holds::Map(inner) => used.extend(inner),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Endpoint {
    /// Returns its path with the parameters in braces.
    pub fn path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    /// Tells whether this server serves it.
    pub fn is_served(&self) -> bool {
        let path = self.path();
        !NOT_SERVED.iter().any(|start| path.starts_with(start))
    }

    /// Tells whether it is none of the hosted product's.
    pub fn is_ours(&self) -> bool {
        self.segments.first().is_some_and(|first| first == "sinew")
    }
}

fn read_fields(fields: BTreeMap<String, String>) -> Result<Fields, String> {
    let read = |(name, holds): (String, String)| {
        let field = Field {
            is_always: !name.ends_with('?'),
            holds: alternatives(&holds)?,
        };
        Ok((name.trim_end_matches('?').to_owned(), field))
    };
    fields.into_iter().map(read).collect()
}

fn read_endpoint(name: String, entry: Entry) -> Result<Endpoint, String> {
    let (method, path) = name.split_once(' ').ok_or(format!("no path in {name}"))?;
    let answer = match entry.answer.split_once(' ') {
        None if entry.answer == "bytes" => Answer::Bytes,
        None => Answer::Object(alternatives(&entry.answer)?),
        Some(("page", holds)) => Answer::Page(alternatives(holds)?, CURSOR_PAGE),
        Some(("two_way_page", holds)) => Answer::Page(alternatives(holds)?, TWO_WAY_PAGE),
        Some(("ids_page", holds)) => Answer::Page(alternatives(holds)?, IDS_PAGE),
        Some(("files_page", holds)) => Answer::Page(alternatives(holds)?, FILES_PAGE),
        Some(("stream", holds)) => Answer::Stream(alternatives(holds)?),
        Some((other, _)) => return Err(format!("{name}: what is {other}?")),
    };
    let body = match (entry.body, entry.multipart, entry.takes_bytes) {
        (None, None, false) => None,
        (None, None, true) => Some(Body::Bytes),
        (Some(fields), None, false) => Some(Body::Json(read_fields(fields)?)),
        (None, Some(fields), false) => Some(Body::Form(read_fields(fields)?)),
        _ => return Err(format!("{name} has two bodies")),
    };
    let segments = path.trim_start_matches('/').split('/').map(str::to_owned);
    Ok(Endpoint {
        method: method.to_owned(),
        segments: segments.collect(),
        sdk_method: entry.method,
        query: read_fields(entry.query)?,
        body,
        answer,
        name,
    })
}

/// Reads what a field holds. Errors: what cannot be read.
pub fn alternatives(text: &str) -> Result<Alternatives, String> {
    let mut parts = vec![String::new()];
    let mut depth = 0usize;
    for c in text.chars() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match parts.last_mut() {
            Some(part) if c != '|' || depth > 0 => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts.iter().map(|part| holds(part)).collect()
}

fn holds(text: &str) -> Result<Holds, String> {
    let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(inner) = inside('[', ']') {
        return Ok(Holds::Array(alternatives(inner)?));
    }
    if let Some(inner) = inside('{', '}') {
        return Ok(Holds::Map(alternatives(inner)?));
    }
    if let Some(literal) = inside('\'', '\'') {
        return Ok(Holds::Literal(literal.to_owned()));
    }
    Ok(match text {
        "any" => Holds::Any,
        "null" => Holds::Null,
        "boolean" => Holds::Boolean,
        "integer" => Holds::Integer,
        "number" => Holds::Number,
        "string" => Holds::Text,
        "time" => Holds::Time,
        "file" => Holds::File,
        name if name.starts_with(|c: char| c.is_ascii_uppercase()) => Holds::Named(name.to_owned()),
        other => return Err(format!("what is {other:?}?")),
    })
}
