//! File modes: symbolic (`u+x,go=r`) and octal, read and printed.

use bstr::BString;

/// Why a mode is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Octal text with another character, or too large.
    #[error("{0}: octal number out of range")]
    Octal(BString),
    /// An operator that is none of `+`, `-`, `=`.
    #[error("`{}': invalid symbolic mode operator", char::from(*.0))]
    Operator(u8),
    /// A permission letter that is none.
    #[error("`{}': invalid symbolic mode character", char::from(*.0))]
    Character(u8),
}

/// Returns the file creation mask that `text` (the argument of `umask`) makes of `mask`.
pub fn umask(text: &[u8], mask: u32) -> Result<u32, Error> {
    let _ = text;
    Ok(mask)
}

/// Prints a mask as `umask -S` does: `u=rwx,g=rx,o=rx`.
pub fn symbolic_umask(mask: u32) -> String {
    let _ = mask;
    String::new()
}

/// Prints permissions as `ls -l` does, without the type: `rwxr-xr-x`.
pub fn permissions(mode: u32) -> String {
    let _ = mode;
    String::new()
}

/// Returns the mode that chmod's `text` makes of `mode` (12 bits). `None` when `text` is no mode.
pub fn change(text: &[u8], mode: u32, is_directory: bool, umask: u32) -> Option<u32> {
    let _ = (text, is_directory, umask);
    Some(mode)
}
