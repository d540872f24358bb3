//! The OpenAPI 3.1 document of what is served, made from the contract.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Alternatives, Answer, Body, Contract, Endpoint, Field, Fields, Holds, Shape};
use crate::api::protocol;
use crate::json::Fields as _;

/// What every failure answers.
const ERROR: &str = "ErrorEnvelope";

/// Returns the document.
pub fn document(contract: &Contract) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for endpoint in contract.endpoints.iter().filter(|one| one.is_served()) {
        let operations = paths.entry(endpoint.path()).or_default();
        operations.insert(endpoint.method.to_lowercase(), operation(endpoint));
    }
    let schemas: Map<String, Value> = contract
        .types
        .iter()
        .map(|(name, shape)| (name.clone(), of_shape(shape)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sinew",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Managed agents: the hosted product's API, served by yourself, and what is ours below /sinew.",
        },
        "servers": [{"url": "/"}],
        "security": [{"api_key": []}, {"bearer": []}, {}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "bearer": {"type": "http", "scheme": "bearer",
                           "description": "An environment key, or the token of a work item."},
            },
            "responses": {"Error": {
                "description": "The request was refused, or it failed; the envelope says why.",
                "content": {"application/json": {"schema": reference(ERROR)}},
            }},
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let path = endpoint.path();
    let mut parameters: Vec<Value> = endpoint
        .segments
        .iter()
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})
        })
        .collect();
    parameters.extend(endpoint.query.iter().map(|(name, field)| {
        json!({"name": name, "in": "query", "required": field.is_always, "schema": of_query(&field.holds)})
    }));
    let openers = protocol::betas_of(&path);
    if let Some(beta) = openers.first() {
        parameters.push(json!({
            "name": "anthropic-beta", "in": "header", "required": true,
            "schema": {"type": "string", "enum": openers, "default": beta},
        }));
    }
    let mut operation = json!({
        "operationId": endpoint.sdk_method,
        "tags": [tag(endpoint)],
        "parameters": parameters,
        "responses": {
            "200": answer(&endpoint.answer),
            "default": {"$ref": "#/components/responses/Error"},
        },
    });
    if let Some(body) = &endpoint.body {
        let is_any_always = |fields: &Fields| fields.values().any(|field| field.is_always);
        // A body without anything that must be in it may itself be left out.
        let (media_type, schema, is_required) = match body {
            Body::Json(fields) => ("application/json", of_fields(fields), is_any_always(fields)),
            Body::Form(fields) => (
                "multipart/form-data",
                of_fields(fields),
                is_any_always(fields),
            ),
            Body::Bytes => (
                "application/octet-stream",
                json!({"type": "string", "format": "binary"}),
                true,
            ),
        };
        let request_body = json!({
            "required": is_required,
            "content": {media_type: {"schema": schema}},
        });
        operation.set("requestBody", request_body);
    }
    operation
}

/// Operations are grouped by what stands behind the version, or, of ours, behind ours.
fn tag(endpoint: &Endpoint) -> &str {
    let skipped = if endpoint.is_ours() { 2 } else { 1 };
    endpoint.segments.get(skipped).map_or("", String::as_str)
}

fn answer(answer: &Answer) -> Value {
    let json_of = |schema: Value| json!({"application/json": {"schema": schema}});
    let (description, content) = match answer {
        Answer::Object(holds) => ("Done.", json_of(of(holds))),
        Answer::Page(holds, envelope) => {
            let mut properties = Map::new();
            properties.insert(
                "data".to_owned(),
                json!({"type": "array", "items": of(holds)}),
            );
            for (name, holds) in *envelope {
                // The envelopes are part of the program; a test makes the whole document.
                let holds = super::alternatives(holds).unwrap_or_default();
                properties.insert((*name).to_owned(), of(&holds));
            }
            let required: Vec<&String> = properties.keys().collect();
            let page = json!({
                "type": "object", "required": required, "properties": properties,
                "additionalProperties": false,
            });
            ("A page of the list.", json_of(page))
        }
        Answer::Stream(holds) => (
            "Server-sent events; the schema is that of each one's data.",
            json!({"text/event-stream": {"schema": {"type": "string"}, "x-event-schema": of(holds)}}),
        ),
        Answer::Bytes => (
            "The content.",
            json!({"*/*": {"schema": {"type": "string", "format": "binary"}}}),
        ),
    };
    json!({"description": description, "content": content})
}

fn of_shape(shape: &Shape) -> Value {
    match shape {
        Shape::Object(fields) => of_fields(fields),
        Shape::Alternatives(holds) => of(holds),
    }
}

fn of_fields(fields: &Fields) -> Value {
    let is_always = |(name, field): (&'_ String, &'_ Field)| field.is_always.then(|| name.clone());
    let required: Vec<String> = fields.iter().filter_map(is_always).collect();
    let properties: Map<String, Value> = fields
        .iter()
        .map(|(name, field)| (name.clone(), of(&field.holds)))
        .collect();
    let mut schema = json!({
        "type": "object", "properties": properties, "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.set("required", json!(required));
    }
    schema
}

/// Returns the schema of a value: its literals are one list, and what is left are alternatives.
fn of(holds: &Alternatives) -> Value {
    let literals: Vec<&String> = holds
        .iter()
        .filter_map(|one| match one {
            Holds::Literal(text) => Some(text),
            _ => None,
        })
        .collect();
    let mut schemas: Vec<Value> = Vec::new();
    match literals.as_slice() {
        [] => {}
        [one] => schemas.push(json!({"const": one})),
        many => schemas.push(json!({"type": "string", "enum": many})),
    }
    let others = holds.iter().filter(|one| !matches!(one, Holds::Literal(_)));
    schemas.extend(others.map(of_one));
    if schemas.len() == 1 {
        schemas.remove(0)
    } else {
        json!({"anyOf": schemas})
    }
}

/// Behind `?` nothing is null, and numbers are those that lists have.
fn of_query(holds: &Alternatives) -> Value {
    let holds: Alternatives = holds
        .iter()
        .filter(|one| **one != Holds::Null)
        .cloned()
        .collect();
    of(&holds)
}

fn of_one(holds: &Holds) -> Value {
    match holds {
        Holds::Any => json!({}),
        Holds::Null => json!({"type": "null"}),
        Holds::Boolean => json!({"type": "boolean"}),
        Holds::Integer => json!({"type": "integer"}),
        Holds::Number => json!({"type": "number"}),
        Holds::Text => json!({"type": "string"}),
        Holds::Time => json!({"type": "string", "format": "date-time"}),
        Holds::File => json!({"type": "string", "format": "binary"}),
        Holds::Literal(text) => json!({"const": text}),
        Holds::Array(inner) => json!({"type": "array", "items": of(inner)}),
        Holds::Map(inner) => json!({"type": "object", "additionalProperties": of(inner)}),
        Holds::Named(name) => reference(name),
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_schema_and_every_operation_has_its_own_name() {
        let document = document(Contract::get());
        let text = document.to_string();
        let schemas = &document["components"]["schemas"];
        let marker = "\"#/components/schemas/";
        let mut references = 0;
        for part in text.split(marker).skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas.get(name).is_some(), "{name}");
            references += 1;
        }
        assert!(references > 500, "{references}");
        let mut names: Vec<&str> = Vec::new();
        for operations in document["paths"].as_object().unwrap().values() {
            for operation in operations.as_object().unwrap().values() {
                names.push(operation["operationId"].as_str().unwrap());
            }
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(!text.contains("/v1/dreams"));
    }

    #[test]
    fn fields_say_what_they_hold() {
        let schema = |text: &str| of(&super::super::alternatives(text).unwrap());
        assert_eq!(schema("string"), json!({"type": "string"}));
        assert_eq!(schema("'a'"), json!({"const": "a"}));
        assert_eq!(
            schema("'a'|'b'|null"),
            json!({"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]})
        );
        assert_eq!(
            schema("{[time]}"),
            json!({"type": "object", "additionalProperties":
                {"type": "array", "items": {"type": "string", "format": "date-time"}}})
        );
    }
}
