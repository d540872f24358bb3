//! How names are shown: the quoting styles of GNU, for file names in messages and in listings.
//!
//! Names are bytes; what is not UTF-8 or not printable is escaped as the style says. Locale C.UTF-8.

/// A style by the name that `--quoting-style` gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Literal,
    Shell,
    ShellAlways,
    ShellEscape,
    ShellEscapeAlways,
    C,
    /// As `C`, within the quotes that C.UTF-8 has.
    Locale,
    Escape,
}

impl Style {
    /// Returns a style by its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "literal" => Style::Literal,
            "shell" => Style::Shell,
            "shell-always" => Style::ShellAlways,
            "shell-escape" => Style::ShellEscape,
            "shell-escape-always" => Style::ShellEscapeAlways,
            "c" | "c-maybe" => Style::C,
            "locale" | "clocale" => Style::Locale,
            "escape" => Style::Escape,
            _ => return None,
        })
    }
}

/// Quotes a name for a message: always within single quotes.
pub(crate) fn quoted(name: &str) -> String {
    String::from_utf8_lossy(&quote(name.as_bytes(), Style::ShellEscapeAlways)).into_owned()
}

/// Quotes what was typed, for a message: within the quotes that C.UTF-8 has.
pub(crate) fn curly(text: &str) -> String {
    String::from_utf8_lossy(&quote(text.as_bytes(), Style::Locale)).into_owned()
}

/// Quotes a name for a message: only if a shell needs it.
pub(crate) fn shell(name: &str) -> String {
    let style = if name.contains(':') {
        Style::ShellEscapeAlways
    } else {
        Style::ShellEscape
    };
    String::from_utf8_lossy(&quote(name.as_bytes(), style)).into_owned()
}

/// Quotes a name.
pub(crate) fn quote(name: &[u8], style: Style) -> Vec<u8> {
    match style {
        Style::Literal => name.to_vec(),
        Style::Escape => c_escaped(name, b" "),
        Style::C => surrounded(b'"', &c_escaped(name, b"\"")),
        Style::Locale => ["‘".as_bytes(), &c_escaped(name, b""), "’".as_bytes()].concat(),
        Style::Shell => shell_quoted(name, needs_quotes(name)),
        Style::ShellAlways => shell_quoted(name, true),
        Style::ShellEscape | Style::ShellEscapeAlways if printable(name) => shell_quoted(
            name,
            style == Style::ShellEscapeAlways || needs_quotes(name),
        ),
        Style::ShellEscape | Style::ShellEscapeAlways => shell_escaped(name),
    }
}

/// Returns whether a style would put quotes around the name, which decides on the padding of columns.
pub(crate) fn is_quoted(name: &[u8], style: Style) -> bool {
    match style {
        Style::Shell => needs_quotes(name),
        Style::ShellEscape => needs_quotes(name) || !printable(name),
        _ => false,
    }
}

/// Returns whether a character takes part in a line as itself.
pub(crate) fn is_printable(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}')
}

fn printable(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|text| text.chars().all(is_printable))
}

/// Returns whether a shell would read the name as something else than one plain word.
fn needs_quotes(name: &[u8]) -> bool {
    let special = |byte: &u8| b" \t\n!\"$&'()*;<=>?[\\^`|".contains(byte);
    name.is_empty()
        || name
            .iter()
            .any(|byte| special(byte) || byte.is_ascii_control())
        || name.first().is_some_and(|byte| b"#~".contains(byte))
        || name == b"{"
        || name == b"}"
}

fn surrounded(mark: u8, inner: &[u8]) -> Vec<u8> {
    let mut out = vec![mark];
    out.extend_from_slice(inner);
    out.push(mark);
    out
}

fn shell_quoted(name: &[u8], quotes: bool) -> Vec<u8> {
    if !quotes {
        return name.to_vec();
    }
    if !name.contains(&b'\'') {
        return surrounded(b'\'', name);
    }
    // Double quotes are shorter, where nothing inside means anything to them.
    if !name
        .iter()
        .any(|byte| b"\"$`\\!".contains(byte) || byte.is_ascii_control())
    {
        return surrounded(b'"', name);
    }
    let mut inner = Vec::new();
    for byte in name {
        if *byte == b'\'' {
            inner.extend_from_slice(b"'\\''");
        } else {
            inner.push(*byte);
        }
    }
    surrounded(b'\'', &inner)
}

/// Quotes a name with unprintable characters: `'a'$'\n''b'`.
fn shell_escaped(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut escaping = false;
    out.push(b'\'');
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_printable(character) {
                if escaping {
                    out.extend_from_slice(b"''");
                    escaping = false;
                }
                if character == '\'' {
                    out.extend_from_slice(b"'\\''");
                } else {
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            } else {
                begin_escape(&mut out, &mut escaping);
                escape_character(&mut out, character);
            }
        }
        for byte in chunk.invalid() {
            begin_escape(&mut out, &mut escaping);
            out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
        }
    }
    out.push(b'\'');
    out
}

fn begin_escape(out: &mut Vec<u8>, escaping: &mut bool) {
    if !*escaping {
        // At the start, the empty quotes stay: GNU shows `''$'\n'`.
        out.extend_from_slice(b"'$'");
        *escaping = true;
    }
}

fn escape_character(out: &mut Vec<u8>, character: char) {
    let letter = match character {
        '\u{7}' => b'a',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{b}' => b'v',
        _ => {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// Escapes as C does; `marks` are escaped by a backslash too.
fn c_escaped(name: &[u8], marks: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '\\' || u8::try_from(character).is_ok_and(|byte| marks.contains(&byte))
            {
                out.push(b'\\');
            }
            if is_printable(character) {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                escape_character(&mut out, character);
            }
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_show_names_as_gnu_ls() {
        // literal, shell, shell-escape, c, locale, escape
        let cases: [(&str, [&str; 6]); 6] = [
            (
                "plain",
                ["plain", "plain", "plain", "\"plain\"", "‘plain’", "plain"],
            ),
            (
                "a b",
                ["a b", "'a b'", "'a b'", "\"a b\"", "‘a b’", "a\\ b"],
            ),
            (
                "it's",
                ["it's", "\"it's\"", "\"it's\"", "\"it's\"", "‘it's’", "it's"],
            ),
            (
                "a\nb",
                [
                    "a\nb",
                    "'a\nb'",
                    "'a'$'\\n''b'",
                    "\"a\\nb\"",
                    "‘a\\nb’",
                    "a\\nb",
                ],
            ),
            (
                "$x'",
                ["$x'", "'$x'\\'''", "'$x'\\'''", "\"$x'\"", "‘$x'’", "$x'"],
            ),
            (
                "\té",
                ["\té", "'\té'", "''$'\\t''é'", "\"\\té\"", "‘\\té’", "\\té"],
            ),
        ];
        let styles = [
            Style::Literal,
            Style::Shell,
            Style::ShellEscape,
            Style::C,
            Style::Locale,
            Style::Escape,
        ];
        for (name, expected) in cases {
            for (style, expected) in styles.iter().zip(expected) {
                let shown = quote(name.as_bytes(), *style);
                assert_eq!(
                    String::from_utf8_lossy(&shown),
                    expected,
                    "{name:?} as {style:?}"
                );
            }
        }
    }
}
