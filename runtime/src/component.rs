//! A component that is ready to be run: compiled, linked, its tools found.

use bytes::Bytes;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};

use crate::component_store::{LoadError, Stored, Trust};
use crate::process::Process;
use crate::typed::docs::WitSources;
use crate::typed::{Export, ToolSet, ToolSpec};

/// A component as it is given to the runtime.
#[derive(Clone, Debug)]
pub struct ComponentSource {
    /// The name by which errors, logs and the guest itself know it.
    pub name: String,
    /// The component in the binary format.
    pub wasm: Bytes,
    /// The BLAKE3 hash of `wasm`, if that is known already; the caller answers for it. Without it, it is computed.
    pub digest: Option<[u8; 32]>,
    /// The interfaces it was made from, for the descriptions of its tools; toolchains drop them from the binary.
    pub wit: Option<WitSources>,
    /// Who answers for it.
    pub trust: Trust,
}

impl ComponentSource {
    /// Returns a component without further documentation, whose hash is still to be computed.
    pub fn new(name: impl Into<String>, wasm: impl Into<Bytes>, trust: Trust) -> Self {
        Self {
            name: name.into(),
            wasm: wasm.into(),
            digest: None,
            wit: None,
            trust,
        }
    }
}

/// A component that is ready to be given to hands.
pub struct LoadedComponent {
    name: String,
    tools: ToolSet,
    /// Each tool's function, in the order of `tools`.
    functions: Vec<Function>,
    dynamic: Option<Dynamic>,
    /// Its `wasi:cli/run`, if it is a program.
    program: Option<ComponentExportIndex>,
    instance: InstancePre<Process>,
}

/// The two functions of `sinew:tool/dynamic`.
pub(crate) struct Dynamic {
    pub(crate) list: Function,
    pub(crate) execute: Function,
}

/// An exported function, found without looking up names.
pub(crate) struct Function {
    pub(crate) index: ComponentExportIndex,
    pub(crate) ty: ComponentFunc,
}

impl LoadedComponent {
    pub(crate) fn link(
        name: String,
        stored: Stored,
        linker: &Linker<Process>,
    ) -> Result<Self, LoadError> {
        let Stored { component, tools } = stored;
        let instance = linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Unlinkable(format!("{error:#}")))?;
        let functions = tools
            .tools
            .iter()
            .map(|tool| {
                find(&component, &tool.export).ok_or_else(|| {
                    LoadError::Unlinkable(format!("its tool {} has no function", tool.name))
                })
            })
            .collect::<Result<_, _>>()?;
        let dynamic = match &tools.dynamic {
            Some(interface) => Some(find_dynamic(&component, interface)?),
            None => None,
        };
        let program = find_program(&component);
        Ok(Self {
            name,
            program,
            tools,
            functions,
            dynamic,
            instance,
        })
    }

    /// Returns the name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its tools, what it asks for, and what of it cannot be a tool.
    pub fn tools(&self) -> &ToolSet {
        &self.tools
    }

    pub(crate) fn instance(&self) -> &InstancePre<Process> {
        &self.instance
    }

    /// Returns the function that runs it as a program.
    pub(crate) fn program(&self) -> Option<ComponentExportIndex> {
        self.program
    }

    pub(crate) fn dynamic(&self) -> Option<&Dynamic> {
        self.dynamic.as_ref()
    }

    pub(crate) fn tool(&self, index: usize) -> Option<(&ToolSpec, &Function)> {
        Some((self.tools.tools.get(index)?, self.functions.get(index)?))
    }
}

/// Any 0.2.x will do: the engine looks names up by compatible version.
fn find_program(component: &Component) -> Option<ComponentExportIndex> {
    let export = Export {
        interface: Some("wasi:cli/run@0.2.0".to_owned()),
        function: "run".to_owned(),
    };
    find(component, &export)
        .filter(|function| function.ty.params().len() == 0)
        .map(|function| function.index)
}

fn find_dynamic(component: &Component, interface: &str) -> Result<Dynamic, LoadError> {
    let find = |function: &str, params: usize| {
        let export = Export {
            interface: Some(interface.to_owned()),
            function: function.to_owned(),
        };
        find(component, &export)
            .filter(|function| function.ty.params().len() == params)
            .ok_or_else(|| LoadError::Unlinkable(format!("its {export} is not the known function")))
    };
    Ok(Dynamic {
        list: find("list", 0)?,
        execute: find("execute", 2)?,
    })
}

/// Finds an exported function; a component made to mislead may not have all that its tool list says.
fn find(component: &Component, export: &Export) -> Option<Function> {
    let interface = match &export.interface {
        Some(name) => Some(component.get_export_index(None, name)?),
        None => None,
    };
    let (item, index) = component.get_export(interface.as_ref(), &export.function)?;
    match item {
        ComponentItem::ComponentFunc(ty) => Some(Function { index, ty }),
        _ => None,
    }
}
