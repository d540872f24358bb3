//! The wire contract as data, and the check of every body and event that a test client receives.
//!
//! `data/wire.json` holds, for each endpoint, what it answers, and for each type its fields. A field's name
//! ends in `?` where it may be absent. What a field holds is a list of alternatives with `|` between them:
//! `string`, `integer`, `number`, `boolean`, `time`, `null`, `any`, a literal `'x'`, an array `[..]`, a map
//! `{..}`, or the name of a type. Literals are closed lists: a value beside them is an error of ours.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;
use sinew::clock::Timestamp;

const DATA: &str = include_str!("../data/wire.json");
/// The Python SDK's method for each endpoint.
const METHODS: &str = include_str!("../data/sdk_methods.json");

/// The contract.
pub struct Wire {
    endpoints: Vec<Endpoint>,
    types: HashMap<String, Shape>,
}

struct Endpoint {
    /// Method and path as the contract names them.
    name: String,
    method: String,
    segments: Vec<String>,
    answer: Answer,
}

/// What an endpoint answers.
#[derive(Clone, PartialEq, Debug)]
enum Answer {
    Object(Alternatives),
    /// A list with the fields of its envelope beside `data`.
    Page(Alternatives, &'static [(&'static str, &'static str)]),
    Stream(Alternatives),
    /// Content that is no JSON.
    Bytes,
}

/// A named type: an object, or alternatives under one name.
enum Shape {
    Object(BTreeMap<String, Field>),
    Alternatives(Alternatives),
}

struct Field {
    is_always: bool,
    holds: Alternatives,
}

type Alternatives = Vec<Kind>;

#[derive(Clone, PartialEq, Debug)]
enum Kind {
    Any,
    Null,
    Boolean,
    Integer,
    Number,
    Text,
    Time,
    Literal(String),
    Array(Alternatives),
    Map(Alternatives),
    Named(String),
}

#[derive(Deserialize)]
struct Document {
    endpoints: BTreeMap<String, String>,
    types: BTreeMap<String, Value>,
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

impl Wire {
    /// Returns the contract, read once.
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program; a test reads it"
    )]
    pub fn contract() -> &'static Self {
        static CONTRACT: OnceLock<Wire> = OnceLock::new();
        CONTRACT.get_or_init(|| Self::read(DATA).expect("data/wire.json is well formed"))
    }

    fn read(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut types = HashMap::new();
        for (name, value) in document.types {
            let shape = match value {
                Value::String(text) => Shape::Alternatives(alternatives(&text)?),
                Value::Object(fields) => Shape::Object(
                    fields
                        .into_iter()
                        .map(|(field, holds)| read_field(&field, &holds))
                        .collect::<Result<_, _>>()?,
                ),
                other => return Err(format!("{name}: {other}")),
            };
            types.insert(name, shape);
        }
        let endpoints = document
            .endpoints
            .iter()
            .map(|(call, answer)| read_endpoint(call, answer))
            .collect::<Result<Vec<_>, _>>()?;
        let wire = Self { endpoints, types };
        wire.check_names()?;
        Ok(wire)
    }

    /// Returns the method and the path of every endpoint.
    pub fn calls(&self) -> Vec<(String, String)> {
        self.endpoints
            .iter()
            .map(|endpoint| {
                (
                    endpoint.method.clone(),
                    format!("/{}", endpoint.segments.join("/")),
                )
            })
            .collect()
    }

    /// Every name that is used is a type.
    fn check_names(&self) -> Result<(), String> {
        let mut used: Vec<&Kind> = Vec::new();
        for endpoint in &self.endpoints {
            match &endpoint.answer {
                Answer::Bytes => {}
                Answer::Object(kinds) | Answer::Page(kinds, _) | Answer::Stream(kinds) => {
                    used.extend(kinds)
                }
            }
        }
        for shape in self.types.values() {
            match shape {
                Shape::Alternatives(kinds) => used.extend(kinds),
                Shape::Object(fields) => {
                    used.extend(fields.values().flat_map(|field| &field.holds))
                }
            }
        }
        while let Some(kind) = used.pop() {
            match kind {
                Kind::Named(name) if !self.types.contains_key(name) => {
                    return Err(format!("no type {name}"));
                }
                Kind::Array(inner) | Kind::Map(inner) => used.extend(inner),
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns what is wrong with a whole answer, one line each; empty if nothing is.
    pub fn problems_of_answer(
        &self,
        method: &str,
        path: &str,
        status: u16,
        body: &Value,
    ) -> Vec<String> {
        if status >= 400 {
            return self.problems(&[Kind::Named("ErrorEnvelope".to_owned())], body);
        }
        match self.endpoint(method, path) {
            None => vec![format!(
                "{method} {path} is no endpoint of the contract, but answered {status}"
            )],
            Some(Answer::Object(kinds)) => self.problems(kinds, body),
            Some(Answer::Page(kinds, envelope)) => self.problems_of_page(kinds, envelope, body),
            Some(Answer::Stream(_)) => vec![format!("{method} {path} is a stream")],
            Some(Answer::Bytes) => vec![format!("{method} {path} answers with bytes")],
        }
    }

    /// Returns what is wrong with one event of the stream at `path`, or its error frame.
    pub fn problems_of_event(&self, path: &str, name: &str, event: &Value) -> Vec<String> {
        // Our own stream is the contract's with more kinds of frames.
        let ours = path
            .strip_prefix("/sinew")
            .and_then(|rest| rest.strip_suffix("/stream"));
        if ours.is_some() && name.starts_with("sinew.") && event["type"] == name {
            return Vec::new();
        }
        let of_contract = ours.map(|rest| format!("{rest}/events/stream"));
        let path = of_contract.as_deref().unwrap_or(path);
        let Some(Answer::Stream(kinds)) = self.endpoint("GET", path) else {
            return vec![format!("GET {path} is no stream of the contract")];
        };
        if name == "error" {
            return self.problems(&[Kind::Named("ErrorEnvelope".to_owned())], event);
        }
        let mut problems = self.problems(kinds, event);
        if event["type"] != name {
            problems.push(format!(
                "the frame is named {name}, its type is {}",
                event["type"]
            ));
        }
        problems
    }

    fn problems_of_page(
        &self,
        kinds: &[Kind],
        envelope: &[(&str, &str)],
        body: &Value,
    ) -> Vec<String> {
        let mut fields = BTreeMap::new();
        let always = |holds| Field {
            is_always: true,
            holds,
        };
        fields.insert("data".to_owned(), always(vec![Kind::Array(kinds.to_vec())]));
        for (name, holds) in envelope {
            let holds = alternatives(holds).unwrap_or_default();
            fields.insert((*name).to_owned(), always(holds));
        }
        let mut problems = Vec::new();
        self.check_object("", &fields, body, &mut problems);
        problems
    }

    /// Returns the contract's name of a call, e.g. `GET /v1/agents/{agent_id}`.
    pub fn call(&self, method: &str, path: &str) -> Option<String> {
        self.find(method, path)
            .map(|endpoint| endpoint.name.clone())
    }

    /// Returns every call of the contract with the SDK's method for it, in the order of the names.
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program; a test reads it"
    )]
    pub fn methods(&self) -> Vec<(String, String)> {
        let methods: BTreeMap<String, String> =
            serde_json::from_str(METHODS).expect("data/sdk_methods.json is well formed");
        methods.into_iter().collect()
    }

    fn endpoint(&self, method: &str, path: &str) -> Option<&Answer> {
        self.find(method, path).map(|endpoint| &endpoint.answer)
    }

    fn find(&self, method: &str, path: &str) -> Option<&Endpoint> {
        let path = path.split('?').next().unwrap_or_default();
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let fits = |endpoint: &&Endpoint| {
            endpoint.method == method
                && endpoint.segments.len() == segments.len()
                && endpoint
                    .segments
                    .iter()
                    .zip(&segments)
                    .all(|(own, given)| own.starts_with('{') || own == given)
        };
        // A literal segment wins over a parameter.
        let parameters = |endpoint: &&Endpoint| {
            let is_parameter = |segment: &&String| segment.starts_with('{');
            endpoint.segments.iter().filter(is_parameter).count()
        };
        self.endpoints.iter().filter(fits).min_by_key(parameters)
    }

    fn problems(&self, kinds: &[Kind], value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.check("", kinds, value, &mut problems);
        problems
    }

    fn check(&self, at: &str, kinds: &[Kind], value: &Value, problems: &mut Vec<String>) {
        let mut plain = Vec::new();
        self.unfold(kinds, &mut plain);
        // Among objects, the `type` decides which one is meant, so that the report is about that one.
        let meant: Vec<&Kind> = plain
            .iter()
            .copied()
            .filter(|kind| self.has_same_tag(kind, value))
            .collect();
        if meant.is_empty() {
            let tag = value.get("type").map(|tag| format!(" of type {tag}"));
            let shown = tag.unwrap_or_else(|| format!(" {value:.60}"));
            let names: Vec<String> = plain.iter().map(|kind| format!("{kind:?}")).collect();
            let expected = match names.len() {
                0..=6 => names.join(", "),
                many => format!("one of {many} types"),
            };
            problems.push(format!(
                "{at}: unexpected {}{shown}, expected {expected}",
                name_of(value)
            ));
            return;
        }
        let mut least: Option<Vec<String>> = None;
        for kind in meant {
            let mut found = Vec::new();
            self.check_kind(at, kind, value, &mut found);
            if least.as_ref().is_none_or(|least| found.len() < least.len()) {
                least = Some(found);
            }
        }
        problems.extend(least.unwrap_or_default());
    }

    /// Replaces names of alternatives by the alternatives.
    fn unfold<'a>(&'a self, kinds: &'a [Kind], plain: &mut Vec<&'a Kind>) {
        for kind in kinds {
            match kind {
                Kind::Named(name) => match self.types.get(name) {
                    Some(Shape::Alternatives(inner)) => self.unfold(inner, plain),
                    _ => plain.push(kind),
                },
                _ => plain.push(kind),
            }
        }
    }

    fn has_same_tag(&self, kind: &Kind, value: &Value) -> bool {
        match kind {
            Kind::Any => true,
            Kind::Null => value.is_null(),
            Kind::Boolean => value.is_boolean(),
            Kind::Integer => value.is_i64() || value.is_u64(),
            Kind::Number => value.is_number(),
            Kind::Text | Kind::Time => value.is_string(),
            Kind::Literal(text) => value == text,
            Kind::Array(_) => value.is_array(),
            Kind::Map(_) => value.is_object(),
            Kind::Named(name) => match self.types.get(name) {
                Some(Shape::Object(fields)) => {
                    let tag = fields.get("type").map(|field| &field.holds);
                    let literals =
                        tag.filter(|holds| holds.iter().all(|k| matches!(k, Kind::Literal(_))));
                    let is_tagged = |holds: &Alternatives| {
                        value
                            .get("type")
                            .is_none_or(|given| holds.iter().any(|k| self.has_same_tag(k, given)))
                    };
                    value.is_object() && literals.is_none_or(is_tagged)
                }
                _ => false,
            },
        }
    }

    fn check_kind(&self, at: &str, kind: &Kind, value: &Value, problems: &mut Vec<String>) {
        match kind {
            Kind::Any | Kind::Null | Kind::Boolean | Kind::Integer | Kind::Number | Kind::Text => {}
            Kind::Literal(_) => {}
            Kind::Time => {
                let text = value.as_str().unwrap_or_default();
                if text.parse::<Timestamp>().is_err() {
                    problems.push(format!("{at}: {text:?} is no RFC 3339 time"));
                }
            }
            Kind::Array(inner) => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(&format!("{at}.{index}"), inner, item, problems);
                }
            }
            Kind::Map(inner) => {
                for (name, item) in value.as_object().into_iter().flatten() {
                    self.check(&format!("{at}.{name}"), inner, item, problems);
                }
            }
            Kind::Named(name) => {
                if let Some(Shape::Object(fields)) = self.types.get(name) {
                    self.check_object(at, fields, value, problems);
                }
            }
        }
    }

    fn check_object(
        &self,
        at: &str,
        fields: &BTreeMap<String, Field>,
        value: &Value,
        problems: &mut Vec<String>,
    ) {
        let Some(object) = value.as_object() else {
            problems.push(format!("{at}: expected an object, got {}", name_of(value)));
            return;
        };
        for (name, field) in fields {
            match object.get(name) {
                Some(value) => self.check(&format!("{at}.{name}"), &field.holds, value, problems),
                None if field.is_always => problems.push(format!("{at}.{name} is missing")),
                None => {}
            }
        }
        for name in object.keys().filter(|name| !fields.contains_key(*name)) {
            problems.push(format!("{at}.{name} is not in the contract"));
        }
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn read_field(name: &str, holds: &Value) -> Result<(String, Field), String> {
    let holds = holds.as_str().ok_or(format!("{name}: not a text"))?;
    let field = Field {
        is_always: !name.ends_with('?'),
        holds: alternatives(holds)?,
    };
    Ok((name.trim_end_matches('?').to_owned(), field))
}

fn read_endpoint(call: &str, answer: &str) -> Result<Endpoint, String> {
    let (method, path) = call.split_once(' ').ok_or(format!("no path in {call}"))?;
    let answer = match answer.split_once(' ') {
        None if answer == "bytes" => Answer::Bytes,
        None => Answer::Object(alternatives(answer)?),
        Some(("page", kinds)) => Answer::Page(alternatives(kinds)?, CURSOR_PAGE),
        Some(("two_way_page", kinds)) => Answer::Page(alternatives(kinds)?, TWO_WAY_PAGE),
        Some(("ids_page", kinds)) => Answer::Page(alternatives(kinds)?, IDS_PAGE),
        Some(("files_page", kinds)) => Answer::Page(alternatives(kinds)?, FILES_PAGE),
        Some(("stream", kinds)) => Answer::Stream(alternatives(kinds)?),
        Some((other, _)) => return Err(format!("{call}: what is {other}?")),
    };
    Ok(Endpoint {
        name: call.to_owned(),
        method: method.to_owned(),
        segments: path
            .trim_start_matches('/')
            .split('/')
            .map(str::to_owned)
            .collect(),
        answer,
    })
}

fn alternatives(text: &str) -> Result<Alternatives, String> {
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
    parts.iter().map(|part| kind(part)).collect()
}

fn kind(text: &str) -> Result<Kind, String> {
    let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(inner) = inside('[', ']') {
        return Ok(Kind::Array(alternatives(inner)?));
    }
    if let Some(inner) = inside('{', '}') {
        return Ok(Kind::Map(alternatives(inner)?));
    }
    if let Some(literal) = inside('\'', '\'') {
        return Ok(Kind::Literal(literal.to_owned()));
    }
    Ok(match text {
        "any" => Kind::Any,
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "string" => Kind::Text,
        "time" => Kind::Time,
        name if name.starts_with(|c: char| c.is_ascii_uppercase()) => Kind::Named(name.to_owned()),
        other => return Err(format!("what is {other:?}?")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_checker_finds_what_is_wrong() {
        let good = json!({"id": "sevt_1", "type": "agent.message", "processed_at": "2026-01-02T03:04:05Z",
            "content": [{"type": "text", "text": "hi"}]});
        let stream = "/v1/sessions/sesn_1/events/stream";
        let problems = |event: &Value, name: &str| {
            Wire::contract()
                .problems_of_event(stream, name, event)
                .join("; ")
        };
        assert_eq!(problems(&good, "agent.message"), "");
        let changed = |pointer: &str, value: Value| {
            let mut event = good.clone();
            event[pointer] = value;
            event
        };
        for (event, fragment) in [
            (changed("extra", json!(1)), ".extra is not in the contract"),
            (changed("processed_at", json!("today")), "RFC 3339"),
            (
                changed("processed_at", Value::Null),
                ".processed_at: unexpected null",
            ),
            (changed("id", json!(5)), ".id: unexpected number"),
            (
                changed("content", json!([{"type": "text"}])),
                ".content.0.text is missing",
            ),
            (
                changed("content", json!([{"type": "poem"}])),
                "of type \"poem\"",
            ),
            (
                changed("type", json!("agent.poem")),
                "of type \"agent.poem\"",
            ),
            (json!({"type": "agent.message"}), ".content is missing"),
        ] {
            let found = problems(&event, event["type"].as_str().unwrap_or_default());
            assert!(found.contains(fragment), "{event}: {found}");
        }
        assert!(problems(&good, "agent.thinking").contains("named agent.thinking"));
        let page = json!({"data": [], "next_page": null});
        let answer = |path: &str, status| {
            Wire::contract()
                .problems_of_answer("GET", path, status, &page)
                .join("; ")
        };
        assert_eq!(answer("/v1/agents?limit=1", 200), "");
        assert!(answer("/v1/sessions", 200).contains(".prev_page is missing"));
        assert!(answer("/v1/nothing", 200).contains("no endpoint"));
        assert!(answer("/v1/agents", 400).contains(".error is missing"));
    }
}
