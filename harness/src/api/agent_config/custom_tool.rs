//! Custom tools: what the client itself runs, described by a name and a JSON schema.

use serde_json::{Map, Value, json};

use super::tools::BUILT_IN_TOOLS;
use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::api::error::quoted;
use crate::api::names::is_name;

/// Longest tool name.
const NAME_CHARACTERS_MAX: usize = 128;
/// Longest description in characters: it is part of every request to the model.
const DESCRIPTION_CHARACTERS_MAX: usize = 100_000;
/// Longest name of a top-level argument.
const PROPERTY_CHARACTERS_MAX: usize = 64;
/// Most required arguments.
const REQUIRED_MAX: usize = 1_000;
/// Name prefixes of tools that are not custom.
pub const RESERVED_PREFIXES: [&str; 2] = ["mcp__", "ant__"];
/// Keywords that point elsewhere in a schema.
const REFERENCE_KEYWORDS: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// Keywords whose value is an example of the data and not a schema.
const DATA_KEYWORDS: [&str; 4] = ["const", "default", "enum", "examples"];

/// Reads a custom tool whose `type` was taken already.
pub(super) fn read(mut fields: Fields) -> Result<Value, Invalid> {
    let name = read_name(fields.required("name")?)?;
    let description = fields
        .required("description")?
        .text(1, DESCRIPTION_CHARACTERS_MAX)?;
    let input_schema = read_schema(fields.required("input_schema")?)?;
    fields.finish()?;
    Ok(json!({
        "type": "custom",
        "name": name,
        "description": description,
        "input_schema": input_schema,
    }))
}

fn read_name(spot: Spot) -> Result<String, Invalid> {
    let path = spot.path.clone();
    let name = spot.string()?;
    let refuse = |message: String| Err(Invalid::at(path.clone(), message));
    if !is_name(&name, NAME_CHARACTERS_MAX, "_-") {
        return refuse(format!(
            "expected 1 to {NAME_CHARACTERS_MAX} letters, digits, _ or -"
        ));
    }
    if BUILT_IN_TOOLS.contains(&name.as_str()) {
        return refuse(format!("{} is the name of a built-in tool", quoted(&name)));
    }
    if let Some(prefix) = RESERVED_PREFIXES
        .iter()
        .find(|prefix| name.starts_with(**prefix))
    {
        return refuse(format!("names that start with {prefix} are reserved"));
    }
    Ok(name)
}

fn read_schema(spot: Spot) -> Result<Value, Invalid> {
    let path = spot.path.clone();
    // Checked on a copy: unknown keywords of JSON Schema are legal and stay as they came.
    let mut schema = spot.value.clone();
    let (tag, mut fields) = spot.tagged()?;
    tag.one_of(&["object"])?;
    if let Field::Given(properties) = fields.take("properties") {
        let path = properties.path.clone();
        let Value::Object(properties) = properties.value else {
            return Err(properties.refuse("expected an object"));
        };
        if let Some(bad) = properties
            .keys()
            .find(|name| !is_name(name, PROPERTY_CHARACTERS_MAX, "_.-"))
        {
            let message = format!(
                "property names have 1 to {PROPERTY_CHARACTERS_MAX} letters, digits, _, . or -, got {}",
                quoted(bad)
            );
            return Err(Invalid::at(path, message));
        }
    }
    if let Field::Given(required) = fields.take("required") {
        for name in required.array(REQUIRED_MAX)? {
            name.string()?;
        }
    }
    for keyword in ["oneOf", "anyOf", "allOf"] {
        if fields.take(keyword) != Field::Absent {
            return Err(Invalid::at(
                path,
                format!("{keyword} is not supported at the top level"),
            ));
        }
    }
    if let Value::Object(map) = &mut schema {
        // Null is legal in a request, but no JSON schema.
        map.retain(|key, value| {
            !(value.is_null() && ["properties", "required"].contains(&key.as_str()))
        });
        if let Some(keyword) = find_reference(map) {
            return Err(Invalid::at(path, format!("{keyword} is not supported")));
        }
    }
    Ok(schema)
}

/// Returns the first reference keyword in any nested schema. The parser bounds the depth.
fn find_reference(schema: &Map<String, Value>) -> Option<&str> {
    schema.iter().find_map(|(key, value)| match value {
        // Only a text refers; an object of that name is the schema of a property.
        Value::String(_) if REFERENCE_KEYWORDS.contains(&key.as_str()) => Some(key.as_str()),
        _ if DATA_KEYWORDS.contains(&key.as_str()) => None,
        Value::Object(map) => find_reference(map),
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_object)
            .find_map(find_reference),
        _ => None,
    })
}
