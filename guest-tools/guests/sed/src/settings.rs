//! What the command line asks for.

/// The options that reading a script depends on.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub extended: bool,
    pub posix: bool,
    pub sandbox: bool,
    pub utf8: bool,
}
