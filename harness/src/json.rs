//! Reading and changing JSON values without a way to panic: what is not there is null.

use serde_json::{Map, Value};

static NULL: Value = Value::Null;

/// Fields of a value that should be an object.
pub(crate) trait Fields {
    /// Returns the field, null if there is none or the value is no object.
    fn at(&self, name: &str) -> &Value;

    /// Returns the field to be changed, made if there is none. A value that is no object becomes one.
    fn at_mut(&mut self, name: &str) -> &mut Value;

    /// Sets the field.
    fn set(&mut self, name: &str, value: Value) {
        *self.at_mut(name) = value;
    }
}

impl Fields for Value {
    fn at(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&NULL)
    }

    fn at_mut(&mut self, name: &str) -> &mut Value {
        loop {
            // Two steps, because the borrow checker cannot see that the first arm always returns.
            if self.is_object() {
                break;
            }
            *self = Value::Object(Map::new());
        }
        match self {
            Value::Object(fields) => fields.entry(name).or_insert(Value::Null),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_panics_and_nothing_is_lost() {
        let mut value = json!({"a": {"b": 1}});
        assert_eq!(value.at("a").at("b"), 1);
        assert_eq!(value.at("a").at("x").at("y"), &Value::Null);
        value.at_mut("a").set("c", json!(2));
        assert_eq!(value, json!({"a": {"b": 1, "c": 2}}));
        let mut text = json!("text");
        text.set("a", json!(1));
        assert_eq!(text, json!({"a": 1}));
    }
}
