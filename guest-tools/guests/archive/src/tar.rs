//! tar.

/// Runs tar.
pub(crate) fn run(_words: &[String]) -> u8 {
    eprintln!("tar: not built in");
    2
}
