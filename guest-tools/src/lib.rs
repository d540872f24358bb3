//! The built-in tools: components that the build script made, with the WIT they were made from.
//!
//! Toolchains drop the doc comments of WIT, and those are what a model reads; so the text is kept beside
//! each component. Nothing here runs a component or knows an engine.

/// A component compiled into this binary.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// The name of the guest that made it.
    pub name: &'static str,
    /// The component in its binary form, not compiled for any machine.
    pub wasm: &'static [u8],
    /// The BLAKE3 hash of `wasm`.
    pub digest: [u8; 32],
    /// Its WIT as `<folder>/<file>` and text, one folder a package: its own first, then those it uses.
    pub wit: &'static [(&'static str, &'static str)],
    /// The names of the programs that it is; none for one whose functions are tools.
    pub programs: &'static [&'static str],
}

/// Returns every built-in component.
pub fn components() -> &'static [Embedded] {
    COMPONENTS
}

/// Returns the components whose functions are tools.
pub fn tools() -> impl Iterator<Item = &'static Embedded> {
    COMPONENTS.iter().filter(|one| one.programs.is_empty())
}

/// Returns the components that are programs.
pub fn programs() -> impl Iterator<Item = &'static Embedded> {
    COMPONENTS.iter().filter(|one| !one.programs.is_empty())
}

const COMPONENTS: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

#[cfg(test)]
mod tests;
