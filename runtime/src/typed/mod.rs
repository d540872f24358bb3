//! Exported functions of a component as tools: their names, schemas and words, and the way of values
//! between JSON and the component.
//!
//! [`reflect`] reads what a component offers, once, when it is added. [`json_to_params`] and
//! [`results_to_output`] carry one call in and out, by the types of the compiled function. Nothing
//! here compiles or runs a component, and nothing in a component, its WIT text or a model's input can
//! make this module panic: what does not fit is a typed error.

mod capabilities;
mod contained;
mod content;
pub mod docs;
mod export;
mod json_error;
mod json_number;
mod json_to_val;
mod names;
mod output;
mod reflect;
mod schema;
mod sections;
mod text;
mod val_to_json;

#[cfg(test)]
mod tests;

pub use capabilities::Capability;
pub use content::Content;
pub use export::{Export, function_type};
pub use json_error::JsonError;
pub use json_to_val::{VALUES_MAX, json_to_params, json_to_val};
pub use names::NAME_BYTES_MAX;
pub use output::{Output, OutputError, Shown, ToolOutput, results_to_output};
pub use reflect::{
    DESCRIPTION_BYTES_MAX, FUNCTIONS_MAX, Prefixes, ReflectError, Refused, ToolSet, ToolSpec,
    reflect, reflect_with,
};
pub use schema::{SCHEMA_NODES_MAX, TYPE_DEPTH_MAX};
pub use val_to_json::val_to_json;
