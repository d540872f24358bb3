//! A validator for the part of JSON Schema that reflection writes; an unknown keyword is a violation.

use serde_json::Value;

/// Returns what is wrong with the value, or nothing.
///
/// Strings stand for numbers where JSON has none or readers would round: the schema says `integer` and
/// `number` there, as models write those best.
pub(super) fn violation(schema: &Value, value: &Value) -> Option<String> {
    let Value::Object(keywords) = schema else {
        return (*schema == Value::Bool(false)).then(|| format!("{value} is not allowed"));
    };
    // The type goes first: the other keywords take it for granted.
    let ty = keywords.get("type").and_then(Value::as_str);
    if ty.is_some_and(|ty| !is_of_type(ty, value)) {
        return Some(format!("{value} is not of type {}", ty.unwrap()));
    }
    keywords.iter().find_map(|(keyword, argument)| {
        let is_met = match keyword.as_str() {
            "type" | "description" | "contentEncoding" => true,
            "enum" => argument.as_array().unwrap().contains(value),
            "minimum" => value
                .as_f64()
                .is_none_or(|v| v >= argument.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|v| v <= argument.as_f64().unwrap()),
            "minLength" => value.as_str().unwrap().chars().count() >= size(argument),
            "maxLength" => value.as_str().unwrap().chars().count() <= size(argument),
            "minItems" => value.as_array().unwrap().len() >= size(argument),
            "maxItems" => value.as_array().unwrap().len() <= size(argument),
            "uniqueItems" => {
                let items = value.as_array().unwrap();
                items
                    .iter()
                    .enumerate()
                    .all(|(index, item)| !items[..index].contains(item))
            }
            "required" => {
                let names = argument.as_array().unwrap().iter();
                names
                    .map(|name| name.as_str().unwrap())
                    .all(|name| value.get(name).is_some())
            }
            "anyOf" => {
                let branches = argument.as_array().unwrap();
                branches
                    .iter()
                    .any(|branch| violation(branch, value).is_none())
            }
            "prefixItems" => {
                let pairs = argument
                    .as_array()
                    .unwrap()
                    .iter()
                    .zip(value.as_array().unwrap());
                return pairs
                    .into_iter()
                    .find_map(|(schema, item)| violation(schema, item));
            }
            "items" => {
                let prefix = keywords.get("prefixItems").and_then(Value::as_array);
                let rest = value
                    .as_array()
                    .unwrap()
                    .iter()
                    .skip(prefix.map_or(0, Vec::len));
                return rest.into_iter().find_map(|item| violation(argument, item));
            }
            "properties" => {
                return value.as_object().unwrap().iter().find_map(|(name, item)| {
                    argument
                        .get(name)
                        .and_then(|schema| violation(schema, item))
                });
            }
            "additionalProperties" => {
                let known = keywords.get("properties");
                return value
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter(|(name, _)| known.is_none_or(|known| known.get(name).is_none()))
                    .find_map(|(_, item)| violation(argument, item));
            }
            _ => false,
        };
        (!is_met).then(|| format!("{value} violates {keyword}: {argument}"))
    })
}

fn size(argument: &Value) -> usize {
    usize::try_from(argument.as_u64().unwrap()).unwrap()
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "integer" => {
            let digits = value.as_str().and_then(|text| text.parse::<i128>().ok());
            value.is_i64() || value.is_u64() || digits.is_some_and(|n| n.abs() >= 1 << 53)
        }
        "number" => {
            let word = value.as_str().unwrap_or_default();
            value.is_number() || ["NaN", "Infinity", "-Infinity"].contains(&word)
        }
        _ => false,
    }
}
