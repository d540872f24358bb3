//! Turns a component into machine code and a list of its tools.
//!
//! Components that ship with the product are compiled in this process. All others are compiled in a child process
//! ([`child`] starts it, [`worker`] is its inside), because a hostile function can make the compiler use any amount of
//! memory, and running out of memory in it ends the process.

pub(crate) mod child;
pub(crate) mod worker;

use wasmtime::Engine;

use crate::typed::{self, ToolSet};

pub use child::{CompilerCommand, CompilerLimits};
pub use worker::compile_worker_main;

/// Largest component that is accepted, in bytes.
pub const COMPONENT_BYTES_MAX: usize = 128 << 20;

/// Largest machine code that is accepted, in bytes; a component of 18 MB makes about 40.
pub const ARTEFACT_BYTES_MAX: usize = 256 << 20;

/// Largest description of a component's tools, in bytes.
pub const TOOLS_BYTES_MAX: usize = 8 << 20;

/// Longest text that a compiler's complaint may have, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 2 << 10;

/// What compiling a component yields.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) artefact: Vec<u8>,
    /// The component's [`ToolSet`] as JSON, in the bytes that are sealed and stored.
    pub(crate) tools_json: Vec<u8>,
}

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The bytes are not a valid component; the author has to fix it.
    #[error("not a valid component: {0}")]
    InvalidComponent(String),
    /// The component is larger than it may be.
    #[error("the component has {bytes} bytes; at most {bytes_max} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest size allowed.
        bytes_max: usize,
    },
    /// Compiling it takes more than an untrusted component may take.
    #[error("compiling the component takes {0}")]
    CompilerLimit(CompilerLimit),
    /// The compiler did not work, for no known fault of the component.
    #[error("the compiler failed: {0}")]
    CompilerFailed(String),
}

/// What a compiler ran out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompilerLimit {
    /// Address space.
    #[error("more memory than allowed")]
    Memory,
    /// Processor time.
    #[error("more processor time than allowed")]
    CpuTime,
    /// Time on the clock.
    #[error("longer than allowed")]
    WallTime,
    /// Size of the machine code or of the tool descriptions.
    #[error("more output than allowed")]
    OutputBytes,
}

/// Refuses components that nobody has to look at.
pub(crate) fn check_size(wasm: &[u8]) -> Result<(), CompileError> {
    if wasm.len() > COMPONENT_BYTES_MAX {
        return Err(CompileError::TooLarge {
            bytes: wasm.len(),
            bytes_max: COMPONENT_BYTES_MAX,
        });
    }
    Ok(())
}

/// Reads the component's tools and compiles it with `engine`, in this process.
pub(crate) fn compile(engine: &Engine, wasm: &[u8]) -> Result<Compiled, CompileError> {
    check_size(wasm)?;
    // Only the binary format: the text format's parser is no part of the product.
    if !wasmparser::Parser::is_component(wasm) {
        return Err(CompileError::InvalidComponent(
            "the bytes do not start as a component does".to_owned(),
        ));
    }
    let tools: ToolSet = typed::reflect(wasm)
        .map_err(|error| CompileError::InvalidComponent(bounded(&error.to_string())))?;
    let artefact = engine
        .precompile_component(wasm)
        .map_err(|error| CompileError::InvalidComponent(bounded(&format!("{error:#}"))))?;
    let tools_json = serde_json::to_vec(&tools)
        .map_err(|error| CompileError::CompilerFailed(error.to_string()))?;
    Ok(Compiled {
        artefact,
        tools_json,
    })
}

/// Cuts a message to [`MESSAGE_BYTES_MAX`].
pub(crate) fn bounded(message: &str) -> String {
    let end = message.floor_char_boundary(MESSAGE_BYTES_MAX);
    message.get(..end).unwrap_or_default().to_owned()
}
