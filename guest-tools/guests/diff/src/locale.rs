//! What the environment says of characters and dates.

/// Returns whether the locale is that of C, where characters are bytes.
pub(crate) fn is_posix(category: &str) -> bool {
    let named = ["LC_ALL", category, "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    named.is_none_or(|value| value == "C" || value == "POSIX")
}
