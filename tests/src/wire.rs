//! The check of every body and event that a test client receives, against the contract.

use serde_json::Value;
use sinew::api::contract::{
    Alternatives, Answer, Contract, Endpoint, Field, Fields, Holds, Shape, alternatives,
};
use sinew::clock::Timestamp;

/// What is checked against.
pub struct Wire(&'static Contract);

impl Wire {
    /// Returns the check.
    pub fn contract() -> Self {
        Self(Contract::get())
    }

    /// Returns the endpoints of the hosted product's API.
    pub fn endpoints(&self) -> impl Iterator<Item = &'static Endpoint> {
        self.0
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.segments[0] == "v1")
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
            return self.problems(&[Holds::Named("ErrorEnvelope".to_owned())], body);
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
        let Some(Answer::Stream(kinds)) = self.endpoint("GET", path) else {
            return vec![format!("GET {path} is no stream of the contract")];
        };
        if name == "error" {
            return self.problems(&[Holds::Named("ErrorEnvelope".to_owned())], event);
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
        kinds: &[Holds],
        envelope: &[(&str, &str)],
        body: &Value,
    ) -> Vec<String> {
        let mut fields = Fields::new();
        let always = |holds| Field {
            is_always: true,
            holds,
        };
        fields.insert(
            "data".to_owned(),
            always(vec![Holds::Array(kinds.to_vec())]),
        );
        for (name, holds) in envelope {
            let holds = alternatives(holds).unwrap_or_default();
            fields.insert((*name).to_owned(), always(holds));
        }
        let mut problems = Vec::new();
        self.check_object("", &fields, body, &mut problems);
        problems
    }

    /// Returns the contract's name of a call, e.g. `GET /v1/agents/{agent_id}`.
    pub fn call(&self, method: &str, path: &str) -> Option<&'static str> {
        self.find(method, path)
            .map(|endpoint| endpoint.name.as_str())
    }

    fn endpoint(&self, method: &str, path: &str) -> Option<&'static Answer> {
        self.find(method, path).map(|endpoint| &endpoint.answer)
    }

    fn find(&self, method: &str, path: &str) -> Option<&'static Endpoint> {
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
        self.0.endpoints.iter().filter(fits).min_by_key(parameters)
    }

    fn problems(&self, kinds: &[Holds], value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.check("", kinds, value, &mut problems);
        problems
    }

    fn check(&self, at: &str, kinds: &[Holds], value: &Value, problems: &mut Vec<String>) {
        let mut plain = Vec::new();
        self.unfold(kinds, &mut plain);
        // Among objects, the `type` decides which one is meant, so that the report is about that one.
        let meant: Vec<&Holds> = plain
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
    fn unfold<'a>(&'a self, kinds: &'a [Holds], plain: &mut Vec<&'a Holds>) {
        for kind in kinds {
            match kind {
                Holds::Named(name) => match self.0.types.get(name) {
                    Some(Shape::Alternatives(inner)) => self.unfold(inner, plain),
                    _ => plain.push(kind),
                },
                _ => plain.push(kind),
            }
        }
    }

    fn has_same_tag(&self, kind: &Holds, value: &Value) -> bool {
        match kind {
            Holds::Any => true,
            Holds::Null => value.is_null(),
            Holds::Boolean => value.is_boolean(),
            Holds::Integer => value.is_i64() || value.is_u64(),
            Holds::Number => value.is_number(),
            Holds::Text | Holds::Time | Holds::File => value.is_string(),
            Holds::Literal(text) => value == text,
            Holds::Array(_) => value.is_array(),
            Holds::Map(_) => value.is_object(),
            Holds::Named(name) => match self.0.types.get(name) {
                Some(Shape::Object(fields)) => {
                    let tag = fields.get("type").map(|field| &field.holds);
                    let literals =
                        tag.filter(|holds| holds.iter().all(|k| matches!(k, Holds::Literal(_))));
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

    fn check_kind(&self, at: &str, kind: &Holds, value: &Value, problems: &mut Vec<String>) {
        match kind {
            Holds::Any | Holds::Null | Holds::Boolean | Holds::Integer | Holds::Number => {}
            Holds::Text | Holds::File | Holds::Literal(_) => {}
            Holds::Time => {
                let text = value.as_str().unwrap_or_default();
                if text.parse::<Timestamp>().is_err() {
                    problems.push(format!("{at}: {text:?} is no RFC 3339 time"));
                }
            }
            Holds::Array(inner) => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(&format!("{at}.{index}"), inner, item, problems);
                }
            }
            Holds::Map(inner) => {
                for (name, item) in value.as_object().into_iter().flatten() {
                    self.check(&format!("{at}.{name}"), inner, item, problems);
                }
            }
            Holds::Named(name) => {
                if let Some(Shape::Object(fields)) = self.0.types.get(name) {
                    self.check_object(at, fields, value, problems);
                }
            }
        }
    }

    fn check_object(&self, at: &str, fields: &Fields, value: &Value, problems: &mut Vec<String>) {
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
