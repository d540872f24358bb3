//! A server's tools as the log keeps them and the model is offered them: bounded, and such that providers take them.

use rmcp::model::Tool;
use serde_json::{Map, Value, json};

use crate::json::Fields as _;

/// Most tools of one server; an agent has not more over all its toolsets either.
const TOOLS_MAX: usize = 256;
/// Most tools of one server that are looked at.
const SEEN_MAX: usize = 4_096;
/// Tools that cannot be offered of which the operator is told.
const LEFT_OUT_TOLD_MAX: usize = 20;
/// Longest name in characters.
const NAME_CHARACTERS_MAX: usize = 128;
/// Longest description in characters; the rest of a longer one is left out.
const DESCRIPTION_CHARACTERS_MAX: usize = 8_192;
/// Largest schema of a tool's input in bytes.
const SCHEMA_BYTES_MAX: usize = 64 << 10;
/// Largest list in bytes: all of it goes with every model request.
const LIST_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of a schema.
const DEPTH_MAX: usize = 32;
/// The types that JSON Schema knows.
const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];
/// Longest name of a property in bytes that providers take.
const PROPERTY_BYTES_MAX: usize = 64;

/// The list that is made of what a server tells, page by page.
#[derive(Default)]
pub(super) struct Listing {
    tools: Vec<Value>,
    bytes: usize,
    /// Tools that were looked at.
    seen: usize,
    /// The first of the tools that cannot be offered, and why.
    left_out: Vec<(String, &'static str)>,
}

impl Listing {
    /// Adds the tools of one page. Returns false once no more are taken.
    pub(super) fn add(&mut self, page: Vec<Tool>) -> bool {
        for tool in page {
            self.seen += 1;
            if self.seen > SEEN_MAX {
                return false;
            }
            if self.tools.len() >= TOOLS_MAX {
                self.leave_out(&tool.name, "the server has too many tools");
                return false;
            }
            match shown(&tool) {
                Ok(shown) => {
                    let bytes = shown.to_string().len();
                    let is_double = self.tools.iter().any(|t| t.at("name") == shown.at("name"));
                    if is_double {
                        self.leave_out(&tool.name, "another tool has its name");
                    } else if self.bytes.saturating_add(bytes) > LIST_BYTES_MAX {
                        self.leave_out(&tool.name, "the server's list is too large");
                        return false;
                    } else {
                        self.bytes += bytes;
                        self.tools.push(shown);
                    }
                }
                Err(why) => self.leave_out(&tool.name, why),
            }
        }
        true
    }

    /// Returns the tools: `name`, `description`, `input_schema`, and whether a call `is_repeatable`. What was left out
    /// is for the operator to know.
    pub(super) fn finish(self, server: &str) -> Vec<Value> {
        for (tool, why) in &self.left_out {
            tracing::warn!(server, tool, why, "a tool of an MCP server is not offered");
        }
        self.tools
    }

    fn leave_out(&mut self, name: &str, why: &'static str) {
        if self.left_out.len() < LEFT_OUT_TOLD_MAX {
            let name: String = name.chars().take(NAME_CHARACTERS_MAX).collect();
            self.left_out.push((name, why));
        }
    }
}

fn shown(tool: &Tool) -> Result<Value, &'static str> {
    if tool.name.is_empty() || tool.name.chars().count() > NAME_CHARACTERS_MAX {
        return Err("its name is empty or too long");
    }
    let schema = schema(&tool.input_schema)?;
    let description = tool.description.as_deref().or(tool.title.as_deref());
    let description: String = description
        .unwrap_or_default()
        .chars()
        .take(DESCRIPTION_CHARACTERS_MAX)
        .collect();
    let hint = |of: fn(&rmcp::model::ToolAnnotations) -> Option<bool>| {
        tool.annotations.as_ref().and_then(of) == Some(true)
    };
    // What the server says of itself; whoever lies here lets his own calls be made twice.
    let is_repeatable = hint(|hints| hints.read_only_hint) || hint(|hints| hints.idempotent_hint);
    Ok(json!({
        "name": tool.name,
        "description": description,
        "input_schema": schema,
        "is_repeatable": is_repeatable,
    }))
}

/// Returns a schema as providers take it. One tool that they refuse would fail every request of the session.
fn schema(schema: &Map<String, Value>) -> Result<Value, &'static str> {
    let mut schema = schema.clone();
    // The server checks what it gets all the same.
    for keyword in ["oneOf", "anyOf", "allOf", "$schema", "$id"] {
        schema.remove(keyword);
    }
    match schema.get("type") {
        Some(Value::String(kind)) if kind == "object" => {}
        None => {
            schema.insert("type".to_owned(), json!("object"));
        }
        Some(_) => return Err("its input is no object"),
    }
    if !schema.get("properties").is_some_and(Value::is_object) {
        schema.insert("properties".to_owned(), json!({}));
    }
    let is_fit = |name: &String| {
        !name.is_empty()
            && name.len() <= PROPERTY_BYTES_MAX
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    if !properties.is_some_and(|properties| properties.keys().all(is_fit)) {
        return Err("a property of its input has a name that no provider takes");
    }
    let schema = Value::Object(schema);
    if schema.to_string().len() > SCHEMA_BYTES_MAX {
        return Err("the schema of its input is too large");
    }
    if depth(&schema) > DEPTH_MAX {
        return Err("the schema of its input is nested too deeply");
    }
    if !is_schema(&schema) {
        return Err("the schema of its input is no JSON Schema");
    }
    Ok(schema)
}

/// Tells whether the keywords that providers check have the form that JSON Schema gives them.
fn is_schema(schema: &Value) -> bool {
    let Value::Object(keywords) = schema else {
        return schema.is_boolean();
    };
    let is_type = |kind: &Value| kind.as_str().is_some_and(|kind| TYPES.contains(&kind));
    let all = |value: &Value, is_fit: &dyn Fn(&Value) -> bool| {
        value.as_array().is_some_and(|all| all.iter().all(is_fit))
    };
    keywords
        .iter()
        .all(|(keyword, value)| match keyword.as_str() {
            "type" => is_type(value) || all(value, &is_type),
            "properties" | "patternProperties" | "$defs" | "definitions" => value
                .as_object()
                .is_some_and(|schemas| schemas.values().all(is_schema)),
            "required" => all(value, &Value::is_string),
            "enum" => value.is_array(),
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => all(value, &is_schema),
            "items" => is_schema(value) || all(value, &is_schema),
            "additionalProperties" | "not" | "contains" | "propertyNames" => is_schema(value),
            "title" | "description" | "$ref" | "format" | "pattern" => value.is_string(),
            _ => true,
        })
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(values) => values.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(value: Value) -> Tool {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn tools_are_offered_as_providers_take_them_and_within_bounds() {
        let mut listing = Listing::default();
        let deep = (0..40).fold(json!({}), |inner, _| json!({"a": inner}));
        let page = [
            json!({"name": "plain", "inputSchema": {"type": "object"}}),
            json!({"name": "plain", "inputSchema": {"type": "object"}}),
            json!({"name": "either", "description": "d", "annotations": {"readOnlyHint": true},
                   "inputSchema": {"oneOf": [{}], "$schema": "x", "properties": {"a.b": {"anyOf": []}}}}),
            json!({"name": "list", "inputSchema": {"type": "array"}}),
            json!({"name": "odd", "inputSchema": {"type": "object", "properties": {"a b": {}}}}),
            json!({"name": "deep", "inputSchema": {"type": "object", "properties": {"a": deep}}}),
            json!({"name": "wrong", "inputSchema": {"type": "object", "properties": {"a": 5}}}),
            json!({"name": "fruit", "inputSchema": {"type": "object", "properties": {"a": {"type": "banana"}}}}),
            json!({"name": "must", "inputSchema": {"type": "object", "required": "x"}}),
            json!({"name": "x".repeat(129), "inputSchema": {"type": "object"}}),
            json!({"name": "large", "inputSchema": {"type": "object", "title": "x".repeat(70_000)}}),
            json!({"name": "idem", "title": "t", "annotations": {"idempotentHint": true},
                   "inputSchema": {"type": "object"}}),
        ];
        assert!(listing.add(page.into_iter().map(tool).collect()));
        let tools = listing.finish("s");
        let names: Vec<&str> = tools.iter().filter_map(|t| t["name"].as_str()).collect();
        assert_eq!(names, ["plain", "either", "idem"]);
        assert_eq!(
            tools[1]["input_schema"],
            json!({"type": "object", "properties": {"a.b": {"anyOf": []}}})
        );
        let repeatable: Vec<bool> = tools.iter().map(|t| t["is_repeatable"] == true).collect();
        assert_eq!(repeatable, [false, true, true]);
        assert_eq!(tools[2]["description"], "t");
    }

    #[test]
    fn a_server_without_end_is_cut() {
        let many = |from: usize| -> Vec<Tool> {
            let one = |n: usize| {
                tool(json!({"name": format!("t{n}"), "inputSchema": {"type": "object"}}))
            };
            (from..from + 200).map(one).collect()
        };
        let mut listing = Listing::default();
        assert!(listing.add(many(0)));
        assert!(!listing.add(many(200)));
        assert_eq!(listing.finish("s").len(), TOOLS_MAX);
        let mut listing = Listing::default();
        let large = json!({"type": "object", "title": "x".repeat(60_000)});
        let large = |n: usize| tool(json!({"name": format!("t{n}"), "inputSchema": large}));
        assert!(!listing.add((0..30).map(large).collect()));
        assert_eq!(listing.finish("s").len(), 17);
        let mut listing = Listing::default();
        let unfit = || tool(json!({"name": "", "inputSchema": {"type": "object"}}));
        assert!(!listing.add((0..SEEN_MAX + 1).map(|_| unfit()).collect()));
        assert_eq!(listing.left_out.len(), LEFT_OUT_TOLD_MAX);
    }
}
