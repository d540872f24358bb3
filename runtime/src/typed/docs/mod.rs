//! Documentation of a component's functions and types, carried in a custom section of its own.
//!
//! No toolchain keeps doc comments in a component, and the standard `package-docs` section has no place
//! for those of a named interface. So whoever has the WIT sources writes them into [`SECTION`]: a JSON
//! object from package name to that package's metadata as `wit-parser` writes it. Reading is lenient:
//! the types come from the component alone, and documentation of something absent is passed over.

mod overlay;
mod sources;

use serde_json::{Map, Value};
use thiserror::Error;
use wit_parser::{PackageMetadata, Resolve};

pub use sources::{WIT_BYTES_MAX, WIT_FILES_MAX, WitSources};

use super::contained::contained;
use super::sections;

/// The custom section that carries the documentation.
pub const SECTION: &str = "sinew-docs";
/// The largest section written or read, in bytes.
pub const SECTION_BYTES_MAX: usize = 512 * 1024;
/// The standard section, which makes a whole decode fail when it names something absent.
const STALE_SECTION: &str = "package-docs";

/// Why documentation could not be put into a component.
#[derive(Debug, Error)]
pub enum DocsError {
    /// The bytes are not a component.
    #[error("not a WebAssembly component")]
    NotAComponent,
    /// The WIT sources could not be read from disk.
    #[error("cannot read WIT sources at {path}")]
    Unreadable {
        /// The folder or file.
        path: String,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// There are too many sources, or they are too large.
    #[error("{what} exceed the limit of {max}")]
    TooLarge {
        /// What is too much.
        what: &'static str,
        /// How much of it is allowed.
        max: usize,
    },
    /// The sources are not valid WIT.
    #[error("invalid WIT: {0}")]
    InvalidWit(String),
}

/// Returns the component with the documentation of its WIT sources, in place of any it carried.
///
/// # Errors
///
/// Fails if the bytes are not a component, or the sources are too large or not valid WIT.
pub fn embed(wasm: &[u8], wit: &WitSources) -> Result<Vec<u8>, DocsError> {
    if !sections::is_component(wasm) {
        return Err(DocsError::NotAComponent);
    }
    let resolve = sources::resolve(wit)?;
    let docs = extract(&resolve);
    let data = serde_json::to_vec(&docs).map_err(|e| DocsError::InvalidWit(e.to_string()))?;
    if data.len() > SECTION_BYTES_MAX {
        return Err(DocsError::TooLarge {
            what: "bytes of documentation",
            max: SECTION_BYTES_MAX,
        });
    }
    sections::replace(wasm, SECTION, &data).map_err(|_| DocsError::NotAComponent)
}

/// Lays the documentation that the component carries over its decoded types.
pub(super) fn lay_over(wasm: &[u8], resolve: &mut Resolve, world: wit_parser::WorldId) {
    let docs = sections::read(wasm, SECTION)
        .filter(|data| data.len() <= SECTION_BYTES_MAX)
        .and_then(|data| serde_json::from_slice::<Map<String, Value>>(data).ok());
    if let Some(docs) = docs {
        overlay::lay_over(&docs, resolve, world);
    }
}

/// Returns the component as the decoder may see it: without sections that make it fail.
pub(super) fn decodable(wasm: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    sections::disarm(wasm, STALE_SECTION)
}

/// The documentation of every package but WASI's own, which is long and which the host knows.
fn extract(resolve: &Resolve) -> Map<String, Value> {
    let mut docs = Map::new();
    for (id, package) in resolve.packages.iter() {
        if package.name.namespace == "wasi" {
            continue;
        }
        let metadata = contained(|| PackageMetadata::extract(resolve, id))
            .and_then(|metadata| serde_json::to_value(metadata).ok())
            .filter(|value| value.as_object().is_some_and(|object| !object.is_empty()));
        if let Some(metadata) = metadata {
            docs.insert(package.name.to_string(), metadata);
        }
    }
    docs
}
