//! Tools of components with functions over strings and numbers only.
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wasmtime::component::Val;
use wasmtime::component::types::ComponentFunc;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
/// Content.
pub enum Content {
    /// Text.
    Text(String),
}
#[derive(Debug, Clone, Serialize, Deserialize)]
/// ToolSet.
pub struct ToolSet {
    /// Tools.
    pub tools: Vec<ToolSpec>,
}
#[derive(Debug, Clone, Serialize, Deserialize)]
/// ToolSpec.
pub struct ToolSpec {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Schema.
    pub input_schema: Value,
    /// Instance.
    pub interface: Option<String>,
    /// Function.
    pub function: String,
}
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
/// Error.
pub struct ReflectError(String);
/// Reflects.
pub fn reflect(wasm: &[u8]) -> Result<ToolSet, ReflectError> {
    let decoded = wit_parser::decoding::decode(wasm).map_err(|e| ReflectError(format!("{e:#}")))?;
    let wit_parser::decoding::DecodedWasm::Component(resolve, world) = decoded else {
        return Err(ReflectError("not a component".into()));
    };
    let mut tools = vec![];
    for item in resolve
        .worlds
        .get(world)
        .ok_or_else(|| ReflectError("no world".into()))?
        .exports
        .values()
    {
        if let wit_parser::WorldItem::Function(f) = item {
            tools.push(ToolSpec {
                name: f.name.replace('-', "_"),
                description: String::new(),
                input_schema: json!({"type": "object"}),
                interface: None,
                function: f.name.clone(),
            });
        }
    }
    Ok(ToolSet { tools })
}
/// Params.
pub fn json_to_params(ty: &ComponentFunc, input: &Value) -> Result<Vec<Val>, String> {
    ty.params()
        .map(|(name, _)| match &input[name] {
            Value::String(s) => Ok(Val::String(s.clone())),
            Value::Number(n) => Ok(Val::U32(n.as_u64().unwrap_or(0) as u32)),
            _ => Err(format!("{name}: missing")),
        })
        .collect()
}
/// Results.
pub fn results(vals: &[Val]) -> Result<Vec<Content>, Vec<Content>> {
    fn text(v: &Val) -> Vec<Content> {
        vec![Content::Text(match v {
            Val::String(s) => s.clone(),
            Val::U32(n) => n.to_string(),
            Val::Bool(n) => n.to_string(),
            v => format!("{v:?}"),
        })]
    }
    match vals.first() {
        Some(Val::Result(Ok(Some(v)))) => Ok(text(v)),
        Some(Val::Result(Err(Some(v)))) => Err(text(v)),
        Some(v) => Ok(text(v)),
        None => Ok(vec![]),
    }
}
/// Sources.
#[derive(Debug, Clone)]
pub enum WitSources {}
/// Docs.
pub mod docs {
    use super::{ReflectError, WitSources};
    /// Embeds.
    pub fn embed(wasm: &[u8], _wit: &WitSources) -> Result<Vec<u8>, ReflectError> {
        Ok(wasm.to_vec())
    }
}
