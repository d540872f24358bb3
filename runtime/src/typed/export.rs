//! Where an exported function is, and its type in the compiled component.

use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::{ComponentFunc, ComponentItem};

/// Where an exported function is, in the names that the compiled component uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The name of the exported interface, such as `acme:text/stats@1.0.0`; none for a function
    /// that the world exports itself.
    pub interface: Option<String>,
    /// The name of the function.
    pub function: String,
}

impl std::fmt::Display for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{interface}#{}", self.function),
            None => f.write_str(&self.function),
        }
    }
}

/// Returns the type of an exported function; none if the component does not export it.
///
/// Reflection reads an interface that is both imported and exported as one, so a component made to
/// mislead can offer a function that it only imports. Whoever loads a component asks here first.
pub fn function_type(
    engine: &Engine,
    component: &Component,
    export: &Export,
) -> Option<ComponentFunc> {
    let ty = component.component_type();
    let item = match &export.interface {
        None => ty.get_export(engine, &export.function)?.ty,
        Some(interface) => match ty.get_export(engine, interface)?.ty {
            ComponentItem::ComponentInstance(instance) => {
                instance.get_export(engine, &export.function)?.ty
            }
            _ => return None,
        },
    };
    match item {
        ComponentItem::ComponentFunc(function) => Some(function),
        _ => None,
    }
}
