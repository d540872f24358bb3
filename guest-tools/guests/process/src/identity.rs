//! Who and where a program is: names that std does not tell on Wasm.
//!
//! The names are those of the hand's `/etc/passwd` and `/etc/group`. They are only names: every file of a hand
//! belongs to its one user.

use std::path::PathBuf;

/// The number of the hand's user.
pub const USER: u32 = 1000;
/// Its name.
pub const USER_NAME: &str = "agent";
/// The number of its group.
pub const GROUP: u32 = 1000;
/// The group's name.
pub const GROUP_NAME: &str = "agent";

/// Returns the name of a user, as the hand's `/etc/passwd` has it.
pub fn user_name(user: u32) -> Option<&'static str> {
    match user {
        0 => Some("root"),
        USER => Some(USER_NAME),
        65_534 => Some("nobody"),
        _ => None,
    }
}

/// Returns the name of a group, as the hand's `/etc/group` has it.
pub fn group_name(group: u32) -> Option<&'static str> {
    match group {
        0 => Some("root"),
        GROUP => Some(GROUP_NAME),
        65_534 => Some("nogroup"),
        _ => None,
    }
}

/// Returns the name of the host: `$HOSTNAME`, the content of `/etc/hostname`, or `sinew`.
pub fn host_name() -> String {
    let is_name = |name: &String| !name.is_empty();
    std::env::var("HOSTNAME")
        .ok()
        .filter(is_name)
        .or_else(|| {
            let text = std::fs::read_to_string("/etc/hostname").ok()?;
            Some(text.trim().to_owned()).filter(is_name)
        })
        .unwrap_or_else(|| "sinew".to_owned())
}

/// Returns the folder for temporary files: `$TMPDIR`, else `/tmp`. (std's function panics on Wasm.)
pub fn temporary_directory() -> PathBuf {
    match std::env::var_os("TMPDIR") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => PathBuf::from("/tmp"),
    }
}
