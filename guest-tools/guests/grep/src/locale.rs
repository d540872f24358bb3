//! Which characters the environment asks for.

/// Returns whether characters are UTF-8. Only the locales that say otherwise are bytes; none set means UTF-8, which
/// is what a hand has.
pub(crate) fn is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match set("LC_ALL")
        .or_else(|| set("LC_CTYPE"))
        .or_else(|| set("LANG"))
    {
        Some(locale) => locale != "C" && locale != "POSIX",
        None => true,
    }
}
