//! What a tool answers with.

/// The largest picture, in bytes: its base64 form must not pass the 5 MiB that a model request may carry.
pub const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024 / 4 * 3;
/// The largest document, in bytes. More would crowd everything else out of a model request.
pub const DOCUMENT_BYTES_MAX: usize = 5 * 1024 * 1024;

/// One part of an answer, as the model gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// UTF-8 text; not empty.
    Text(String),
    /// A picture with its media type.
    Image(&'static str, Vec<u8>),
    /// A document with its media type.
    Document(&'static str, Vec<u8>),
}
