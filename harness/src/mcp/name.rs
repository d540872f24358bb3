//! The names that the model knows a server's tools by.
//!
//! Providers take letters, digits, `_` and `-` alone, and not many of them; servers may name tools as they like. A name
//! that fits stays as it is behind its server's; any other gets a digest of itself, so that no two are the same.

/// What all of them begin with; custom tools must not.
const PREFIX: &str = "mcp__";
/// Between server and tool.
const BETWEEN: &str = "__";
/// Longest name in bytes that every provider takes.
const NAME_BYTES_MAX: usize = 64;
/// What is left of a server's and of a tool's name that does not fit.
const SERVER_CHARS_MAX: usize = 20;
const TOOL_CHARS_MAX: usize = 20;
/// Digits of the digest.
const DIGITS: usize = 16;

/// Returns the name of a server's tool towards the model.
pub fn model_name(server: &str, tool: &str) -> String {
    // The first `__` behind the prefix is the one between the two.
    let is_plain = is_fit(server)
        && is_fit(tool)
        && !server.contains(BETWEEN)
        && !server.ends_with('_')
        && !looks_digested(tool)
        && PREFIX.len() + server.len() + BETWEEN.len() + tool.len() <= NAME_BYTES_MAX;
    if is_plain {
        return format!("{PREFIX}{server}{BETWEEN}{tool}");
    }
    let mut hasher = blake3::Hasher::new();
    // The length keeps two pairs with the same letters apart.
    hasher.update(&(server.len() as u64).to_le_bytes());
    hasher.update(server.as_bytes());
    hasher.update(tool.as_bytes());
    let digest = hasher.finalize().to_hex();
    let digest = digest.get(..DIGITS).unwrap_or_default();
    format!(
        "{PREFIX}{}{BETWEEN}{}_{digest}",
        fitted(server, SERVER_CHARS_MAX),
        fitted(tool, TOOL_CHARS_MAX)
    )
}

/// Tells whether a tool's own name ends as one with a digest does.
fn looks_digested(tool: &str) -> bool {
    tool.rsplit_once('_').is_some_and(|(_, end)| {
        end.len() == DIGITS && end.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn is_fit(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_allowed)
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

fn fitted(name: &str, chars_max: usize) -> String {
    let fit = |c: char| if is_allowed(c) { c } else { '_' };
    name.chars().take(chars_max).map(fit).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_fit_every_provider_and_no_two_are_the_same() {
        assert_eq!(
            model_name("linear", "create_issue"),
            "mcp__linear__create_issue"
        );
        let long = "x".repeat(300);
        let pairs = [
            ("a", "b__c"),
            ("a__b", "c"),
            ("a_", "_b"),
            ("a", "__b"),
            ("my server", "do it"),
            ("my_server", "do it"),
            ("my server", "do_it"),
            ("ünï", "tool.name/with:all"),
            (long.as_str(), long.as_str()),
            (long.as_str(), "x"),
            ("", ""),
        ];
        let names: BTreeSet<String> = pairs.iter().map(|(s, t)| model_name(s, t)).collect();
        assert_eq!(names.len(), pairs.len(), "{names:?}");
        let digested = model_name("s", "do it");
        let same = digested.strip_prefix("mcp__s__").unwrap();
        assert_ne!(model_name("s", same), digested);
        for name in names {
            assert!(name.len() <= NAME_BYTES_MAX && is_fit(&name), "{name}");
            assert!(name.starts_with(PREFIX), "{name}");
        }
    }
}
