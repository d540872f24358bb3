//! Every way a file tool can say no, and the words for it. The model reads these: each names the tool, the
//! thing and, where there is one, the way out. Known messages of the API's own tools keep their wording.

use std::io;

/// Why a tool refused a call or could not finish it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system said no about one path.
    #[error("{tool}: {path}: {}", reason(source))]
    File {
        /// The tool that was called.
        tool: &'static str,
        /// The path as the model wrote it.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// Writing failed after the file was already opened for it.
    #[error("{tool}: {path}: {}; the file may now be incomplete", reason(source))]
    Incomplete {
        /// The tool that was called.
        tool: &'static str,
        /// The path as the model wrote it.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// An argument that must hold something is empty.
    #[error("{tool}: {argument} must not be empty")]
    Empty {
        /// The tool that was called.
        tool: &'static str,
        /// The argument.
        argument: &'static str,
    },
    /// Neither a file nor a folder, or the wrong one of the two.
    #[error("{tool}: {path}: {what}")]
    Kind {
        /// The tool that was called.
        tool: &'static str,
        /// The path as the model wrote it.
        path: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A whole text file is more than one answer may hold.
    #[error(
        "read: {path} is {size} bytes, exceeds {limit}-byte limit. \
         Use the view_range parameter to read specific line ranges, e.g. view_range: [1, 500]."
    )]
    TextTooLarge {
        /// The path as the model wrote it.
        path: String,
        /// The file's size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The chosen lines are more than one answer may hold.
    #[error(
        "read: view_range [{first}, {last}] of {path} exceeds {limit}-byte limit. \
         Narrow the view_range to read a smaller portion."
    )]
    RangeTooLarge {
        /// The path as the model wrote it.
        path: String,
        /// The first line asked for.
        first: i64,
        /// The last line asked for.
        last: i64,
        /// The limit in bytes.
        limit: u64,
    },
    /// One line alone is more than one answer may hold.
    #[error(
        "read: line {line} of {path} alone exceeds {limit}-byte limit. \
         The read tool cannot return part of a line; use grep or a shell command to look into it."
    )]
    LineTooLarge {
        /// The path as the model wrote it.
        path: String,
        /// The line, counted from 1.
        line: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A picture or document is larger than a model request may carry.
    #[error("read: {path} is {size} bytes, exceeds {limit}-byte limit for image/PDF files.")]
    MediaTooLarge {
        /// The path as the model wrote it.
        path: String,
        /// The file's size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Lines were asked of a file that has none.
    #[error("read: view_range is not supported for image/PDF files")]
    RangeOfMedia,
    /// The bytes are no text.
    #[error(
        "read: {path}: not valid UTF-8 text (binary files are only supported for image/PDF extensions)"
    )]
    ReadBinary {
        /// The path as the model wrote it.
        path: String,
    },
    /// The bytes are no text.
    #[error("edit: {path}: not valid UTF-8 text (cannot edit binary files)")]
    EditBinary {
        /// The path as the model wrote it.
        path: String,
    },
    /// The file is, or would become, larger than edit holds in memory.
    #[error("edit: {path} {would_be} {size} bytes, exceeds {limit}-byte limit")]
    EditTooLarge {
        /// The path as the model wrote it.
        path: String,
        /// "is" before the edit, "would become" after.
        would_be: &'static str,
        /// The size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The text to replace does not occur.
    #[error("edit: old_string not found in {path}{hint}")]
    NotFound {
        /// The path as the model wrote it.
        path: String,
        /// Empty, or the likely reason in brackets.
        hint: &'static str,
    },
    /// The text to replace occurs more than once.
    #[error("edit: old_string appears {count} times in {path} (must be unique)")]
    NotUnique {
        /// The path as the model wrote it.
        path: String,
        /// How often it occurs.
        count: usize,
    },
    /// The edit would change nothing.
    #[error("edit: old_string and new_string are the same")]
    SameText,
    /// The glob starts at the root.
    #[error("glob: absolute pattern not permitted; pass a relative pattern (and optionally path)")]
    AbsolutePattern,
    /// The glob would climb.
    #[error("glob: '..' is not permitted in the pattern")]
    ParentInPattern,
    /// The glob does not parse, or is too large.
    #[error("glob: invalid pattern: {0}")]
    BadPattern(String),
    /// The regular expression does not parse, or is too large.
    #[error("grep: invalid regex: {0}")]
    BadRegex(String),
}

impl Error {
    /// Returns an adapter for `map_err`: what the operating system said about `path`.
    pub fn file(tool: &'static str, path: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            tool,
            path: path.to_owned(),
            source,
        }
    }
}

/// Says in the same words on every platform what an I/O error means for the caller.
fn reason(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let words = match error.kind() {
        Kind::NotFound => "no such file or directory",
        Kind::NotADirectory => "not a directory",
        Kind::IsADirectory => "is a directory",
        Kind::PermissionDenied => "permission denied",
        Kind::ReadOnlyFilesystem => "read-only file system; write somewhere else",
        Kind::AlreadyExists => "file already exists",
        Kind::InvalidInput | Kind::InvalidFilename => "invalid path",
        Kind::StorageFull | Kind::QuotaExceeded => "no space left",
        Kind::FileTooLarge => "file too large",
        Kind::OutOfMemory => "out of memory or open files",
        // ELOOP has no stable kind of its own.
        _ if error.raw_os_error() == Some(ELOOP) => "too many levels of symbolic links",
        // WASI reports every failed write of a stream as this, a spent quota included.
        _ if error.raw_os_error() == Some(EIO) => "i/o error (possibly no space left)",
        _ => return error.to_string().to_lowercase(),
    };
    words.to_owned()
}

#[cfg(target_family = "wasm")]
const ELOOP: i32 = 32;
#[cfg(not(target_family = "wasm"))]
const ELOOP: i32 = 40;
#[cfg(target_family = "wasm")]
const EIO: i32 = 29;
#[cfg(not(target_family = "wasm"))]
const EIO: i32 = 5;
