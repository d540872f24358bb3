//! The tools of a component, read from its types without compiling or running it.
//!
//! Done once, when a component is added; the result is stored beside the artefact. The call itself
//! converts by the compiled function's own types, so a wrong [`ToolSet`] can mislead a model but never
//! make a value of the wrong type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{
    Function, FunctionKind, InterfaceId, Resolve, Type, TypeDefKind, World, WorldId, WorldItem,
    WorldKey,
};

use super::capabilities::{Capability, capabilities};
use super::contained::contained;
use super::export::Export;
use super::names::{NAME_BYTES_MAX, Unnamed, snake, tool_names};
use super::output::{Output, Shown};
use super::schema::{self, SchemaError};
use super::text::{shortened, visible};
use super::{content, docs, sections};

/// The most functions of one component that are looked at. A model can use far fewer, and each may
/// take a schema of thousands of nodes.
pub const FUNCTIONS_MAX: usize = 256;
/// The longest description of a tool, in bytes: it is prompt text, paid for on every turn.
pub const DESCRIPTION_BYTES_MAX: usize = 4 * 1024;
/// The most schema nodes of all tools of a component together; half a million would be a hundred
/// megabytes in memory.
const SET_NODES_MAX: usize = 50_000;
/// The longest report of why a component cannot be read, in bytes.
const REPORT_BYTES_MAX: usize = 1024;

/// What a component offers and asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSet {
    /// The functions that can be called as tools, in the order of the component's exports.
    pub tools: Vec<ToolSpec>,
    /// The exported functions that cannot, and why.
    pub refused: Vec<Refused>,
    /// The exported interface through which the component lists and runs its own tools; these come
    /// in addition to `tools`.
    pub dynamic: Option<String>,
    /// What the component's imports ask for.
    pub capabilities: Vec<Capability>,
}

impl ToolSet {
    /// Returns the tool of this name.
    pub fn tool(&self, name: &str) -> Option<&ToolSpec> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// Returns the names of the tools that say nothing about themselves.
    pub fn undocumented(&self) -> impl Iterator<Item = &str> {
        self.tools
            .iter()
            .filter(|tool| tool.description.is_empty())
            .map(|tool| tool.name.as_str())
    }
}

/// One function as a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name the model calls: snake_case, unique in its component.
    pub name: String,
    /// The function's documentation; empty if it has none.
    pub description: String,
    /// The JSON Schema of the input: a closed object.
    pub input_schema: Value,
    /// Where the function is in the component.
    pub export: Export,
    /// The names of the parameters as the component declares them, in order.
    pub params: Vec<String>,
    /// Whether the function is an async one.
    pub is_async: bool,
    /// How the function's result is shown.
    pub output: Output,
}

/// A function that cannot be a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The function.
    pub export: Export,
    /// Why, for the author.
    pub reason: String,
}

/// Why a component has no tool set.
#[derive(Debug, Error)]
pub enum ReflectError {
    /// The bytes are a core module, a package of WIT, or no WebAssembly at all.
    #[error("not a WebAssembly component")]
    NotAComponent,
    /// The component's types cannot be read.
    #[error("cannot read the component's types: {0}")]
    Undecodable(String),
    /// The component exports too much.
    #[error("the component exports more than {FUNCTIONS_MAX} functions")]
    TooManyFunctions,
    /// A chosen prefix has characters that a tool's name cannot have.
    #[error("`{prefix}` cannot begin a tool's name; use ASCII letters, digits, `-` and `_`")]
    InvalidPrefix {
        /// The prefix.
        prefix: String,
    },
    /// No rule tells these functions apart.
    #[error(
        "{} would share the tool name `{name}`; give one of their interfaces a prefix",
        listed(exports)
    )]
    NameClash {
        /// The name they would share.
        name: String,
        /// The functions.
        exports: Vec<Export>,
    },
}

/// Prefixes that the operator chose for tool names, by the exported interface's name; the empty name
/// stands for the world's own functions.
pub type Prefixes = BTreeMap<String, String>;

/// Returns the tools of a component.
///
/// # Errors
///
/// Fails if the bytes are not a component that can be decoded, or its functions cannot be named.
pub fn reflect(wasm: &[u8]) -> Result<ToolSet, ReflectError> {
    reflect_with(wasm, &Prefixes::new())
}

/// Returns the tools of a component, with chosen prefixes in their names.
///
/// # Errors
///
/// As [`reflect`].
pub fn reflect_with(wasm: &[u8], prefixes: &Prefixes) -> Result<ToolSet, ReflectError> {
    check_prefixes(prefixes)?;
    let (resolve, world_id) = decode_world(wasm)?;
    let Some(world) = resolve.worlds.get(world_id) else {
        return Err(ReflectError::NotAComponent);
    };
    let exports = Exports::of(&resolve, world)?;

    let mut offered = Vec::new();
    let mut refused = Vec::new();
    let mut nodes_left = SET_NODES_MAX;
    for exported in exports.functions {
        match signature(&resolve, &exported, &mut nodes_left) {
            Ok(signature) => offered.push((exported, signature)),
            Err(reason) => refused.push(exported.refused(&reason)),
        }
    }
    let names = named(&offered, prefixes)?;
    let mut tools = Vec::with_capacity(offered.len());
    for ((exported, signature), name) in offered.into_iter().zip(names) {
        if name.len() > NAME_BYTES_MAX {
            refused.push(exported.refused(&Refusal::LongToolName(name)));
            continue;
        }
        tools.push(exported.tool(name, signature));
    }
    let capabilities = capabilities(&resolve, world);
    Ok(ToolSet {
        tools,
        refused,
        dynamic: exports.dynamic,
        capabilities,
    })
}

fn check_prefixes(prefixes: &Prefixes) -> Result<(), ReflectError> {
    let is_name_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match prefixes
        .values()
        .find(|prefix| prefix.is_empty() || !prefix.chars().all(is_name_part))
    {
        None => Ok(()),
        Some(prefix) => Err(ReflectError::InvalidPrefix {
            prefix: visible(prefix, NAME_BYTES_MAX),
        }),
    }
}

fn decode_world(wasm: &[u8]) -> Result<(Resolve, WorldId), ReflectError> {
    if !sections::is_component(wasm) {
        return Err(ReflectError::NotAComponent);
    }
    let undecodable =
        |report: String| ReflectError::Undecodable(shortened(report.trim(), REPORT_BYTES_MAX));
    let bytes = docs::decodable(wasm);
    match contained(|| decode(&bytes)) {
        Some(Ok(DecodedWasm::Component(mut resolve, world))) => {
            docs::lay_over(wasm, &mut resolve, world);
            Ok((resolve, world))
        }
        Some(Ok(DecodedWasm::WitPackage(..))) => Err(ReflectError::NotAComponent),
        Some(Err(error)) => Err(undecodable(format!("{error:#}"))),
        None => Err(undecodable("the decoder gave up on them".to_owned())),
    }
}

/// What a world exports, as far as it concerns tools.
struct Exports<'a> {
    functions: Vec<Exported<'a>>,
    dynamic: Option<String>,
}

struct Exported<'a> {
    export: Export,
    /// What stands before the function's name where names clash.
    interface: Option<&'a str>,
    /// Why nothing of its interface is offered, where that is so.
    barred: Option<Barred>,
    function: &'a Function,
}

impl<'a> Exports<'a> {
    fn of(resolve: &'a Resolve, world: &'a World) -> Result<Self, ReflectError> {
        let mut exports = Self {
            functions: Vec::new(),
            dynamic: None,
        };
        for (key, item) in &world.exports {
            match item {
                WorldItem::Function(function) => exports.functions.push(Exported {
                    export: Export {
                        interface: None,
                        function: function.name.clone(),
                    },
                    interface: None,
                    barred: None,
                    function,
                }),
                WorldItem::Interface { id, .. } => exports.add_interface(resolve, key, *id),
                WorldItem::Type { .. } => {}
            }
            if exports.functions.len() > FUNCTIONS_MAX {
                return Err(ReflectError::TooManyFunctions);
            }
        }
        Ok(exports)
    }

    fn add_interface(&mut self, resolve: &'a Resolve, key: &'a WorldKey, id: InterfaceId) {
        let Some(interface) = resolve.interfaces.get(id) else {
            return;
        };
        let export_name = resolve.name_world_key(key);
        let package = interface.package.and_then(|id| resolve.packages.get(id));
        let mut barred = None;
        match (
            interface.name.as_deref(),
            package.map(|package| &package.name),
        ) {
            (Some(_), Some(package)) if package.namespace == "wasi" => return,
            // The host's own contracts are not tools; of one it does not speak the author should hear.
            (Some(name), Some(package))
                if package.namespace == "sinew" && package.name == "tool" =>
            {
                if content::is_tool_package(package) {
                    if name == "dynamic" {
                        self.dynamic = Some(export_name);
                    }
                    return;
                }
                barred = Some(Barred::OtherContract);
            }
            (Some(_), _) => {}
            // componentize-py adds this one of its own accord, to set up the interpreter.
            (None, _) if export_name == "exports" && interface.functions.contains_key("init") => {
                return;
            }
            (None, _) => barred = Some(Barred::Inline),
        }
        let short = match key {
            WorldKey::Name(name) => Some(name.as_str()),
            WorldKey::Interface(_) => interface.name.as_deref(),
        };
        // One more than the limit is enough to exceed it.
        let functions = interface.functions.values().take(FUNCTIONS_MAX + 1);
        self.functions.extend(functions.map(|function| Exported {
            export: Export {
                interface: Some(export_name.clone()),
                function: function.name.clone(),
            },
            interface: short,
            barred,
            function,
        }));
    }
}

impl Exported<'_> {
    fn refused(self, reason: &Refusal) -> Refused {
        Refused {
            export: self.export,
            reason: reason.to_string(),
        }
    }

    fn tool(self, name: String, signature: Signature) -> ToolSpec {
        let docs = self.function.docs.contents.as_deref().unwrap_or_default();
        ToolSpec {
            name,
            description: visible(docs, DESCRIPTION_BYTES_MAX),
            input_schema: signature.input_schema,
            params: self
                .function
                .params
                .iter()
                .map(|param| param.name.clone())
                .collect(),
            is_async: self.function.kind.is_async(),
            output: signature.output,
            export: self.export,
        }
    }
}

struct Signature {
    input_schema: Value,
    output: Output,
}

/// Why nothing of an interface is offered.
#[derive(Debug, Clone, Copy, Error)]
enum Barred {
    #[error("its interface has no package name; move it out of the world and export it by name")]
    Inline,
    #[error("its interface is a version of `sinew:tool` that this host does not speak")]
    OtherContract,
}

/// Why a function is not offered.
#[derive(Debug, Error)]
enum Refusal {
    #[error("it belongs to a resource, and nothing of one call remains for the next")]
    OfResource,
    #[error(transparent)]
    Interface(#[from] Barred),
    #[error("the tool name `{0}` is longer than {NAME_BYTES_MAX} bytes")]
    LongToolName(String),
    #[error("it and the functions before it expand to more than {SET_NODES_MAX} schema nodes")]
    LargeSet,
    #[error(transparent)]
    Types(#[from] SchemaError),
}

fn signature(
    resolve: &Resolve,
    exported: &Exported<'_>,
    nodes_left: &mut usize,
) -> Result<Signature, Refusal> {
    match exported.function.kind {
        FunctionKind::Freestanding | FunctionKind::AsyncFreestanding => {}
        FunctionKind::Method(_)
        | FunctionKind::AsyncMethod(_)
        | FunctionKind::Static(_)
        | FunctionKind::AsyncStatic(_)
        | FunctionKind::Constructor(_) => return Err(Refusal::OfResource),
    }
    if let Some(barred) = exported.barred {
        return Err(barred.into());
    }
    // Checked before the clash rule makes it longer, so that one overlong name is not joined to others.
    if exported.function.name.len() > NAME_BYTES_MAX {
        let name = shortened(&snake(&exported.function.name), NAME_BYTES_MAX);
        return Err(Refusal::LongToolName(name));
    }
    let (input_schema, nodes) = schema::input_schema(resolve, exported.function)?;
    let output = output(resolve, exported.function.result)?;
    *nodes_left = nodes_left.checked_sub(nodes).ok_or(Refusal::LargeSet)?;
    Ok(Signature {
        input_schema,
        output,
    })
}

fn output(resolve: &Resolve, result: Option<Type>) -> Result<Output, SchemaError> {
    let Some(ty) = result else {
        return Ok(Output {
            ok: Shown::Nothing,
            error: None,
        });
    };
    match schema::kind(resolve, ty) {
        Some(TypeDefKind::Result(result)) => Ok(Output {
            ok: shown(resolve, result.ok)?,
            error: Some(shown(resolve, result.err)?),
        }),
        _ => Ok(Output {
            ok: shown(resolve, result)?,
            error: None,
        }),
    }
}

fn shown(resolve: &Resolve, ty: Option<Type>) -> Result<Shown, SchemaError> {
    let Some(ty) = ty else {
        return Ok(Shown::Nothing);
    };
    schema::check(resolve, ty)?;
    Ok(match schema::followed(resolve, ty) {
        Type::String => Shown::Text,
        _ if content::is_block_list(resolve, ty) => Shown::Content,
        _ => Shown::Json,
    })
}

fn named(
    offered: &[(Exported<'_>, Signature)],
    prefixes: &Prefixes,
) -> Result<Vec<String>, ReflectError> {
    let unnamed: Vec<_> = offered
        .iter()
        .map(|(exported, _)| Unnamed {
            prefix: prefixes
                .get(exported.export.interface.as_deref().unwrap_or_default())
                .map(String::as_str),
            interface: exported.interface,
            function: &exported.export.function,
        })
        .collect();
    tool_names(&unnamed).map_err(|clash| ReflectError::NameClash {
        name: clash.name,
        exports: clash
            .members
            .iter()
            .filter_map(|&index| offered.get(index))
            .map(|(exported, _)| exported.export.clone())
            .collect(),
    })
}

fn listed(exports: &[Export]) -> String {
    let names: Vec<_> = exports
        .iter()
        .take(4)
        .map(|export| format!("`{export}`"))
        .collect();
    names.join(" and ")
}
