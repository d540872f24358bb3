//! What changes how a script is read.

/// The shell options that change the grammar. They may change between two commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseOptions {
    /// `shopt -s extglob`: `@(...)` and its like are parts of words everywhere, not only in `[[ ]]`.
    pub extglob: bool,
    /// `set -o posix`.
    pub posix: bool,
    /// `shopt -s expand_aliases`.
    pub expand_aliases: bool,
    /// Whether `#` begins a comment; off only in an interactive shell without `interactive_comments`.
    pub comments: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            extglob: false,
            posix: false,
            expand_aliases: false,
            comments: true,
        }
    }
}

/// The aliases of a shell.
pub trait Aliases {
    /// Returns what the alias stands for.
    fn value(&self, name: &[u8]) -> Option<&[u8]>;
}

/// No aliases at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAliases;

impl Aliases for NoAliases {
    fn value(&self, _name: &[u8]) -> Option<&[u8]> {
        None
    }
}
