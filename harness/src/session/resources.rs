//! A session's resources in its configuration, as the fold and the row have them alike.

use serde_json::{Value, json};

use crate::json::Fields as _;

/// Adds a resource to a configuration.
pub fn add_resource(config: &mut Value, resource: Value) {
    match config.at_mut("resources") {
        Value::Array(resources) => resources.push(resource),
        other => *other = json!([resource]),
    }
}

/// Removes the resource with this id from a configuration.
pub fn remove_resource(config: &mut Value, id: &str) {
    if let Value::Array(resources) = config.at_mut("resources") {
        resources.retain(|resource| *resource.at("id") != *id);
    }
}
