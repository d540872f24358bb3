//! From the bytes that programs wrote to the text that a model reads.

use super::output::Written;

/// Returns the text: valid UTF-8, without the codes by which terminals are coloured and moved about in.
pub(super) fn shown(written: &Written) -> String {
    let text = without_codes(&String::from_utf8_lossy(&written.kept));
    match &written.whole {
        None => text,
        Some(Ok(path)) => format!("[output truncated: the whole output is in {path}]\n{text}"),
        Some(Err(error)) => {
            format!("[output truncated: the whole output could not be stored: {error}]\n{text}")
        }
    }
}

/// Removes ANSI escape sequences (ECMA-48: CSI, OSC and the two-byte ones).
fn without_codes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        shown.push_str(before);
        rest = behind_code(after);
    }
    shown.push_str(rest);
    shown
}

/// Returns what follows the sequence that `text` continues after its ESC.
fn behind_code(text: &str) -> &str {
    let mut chars = text.char_indices();
    match chars.next() {
        Some((_, '[')) => chars
            .find(|(_, c)| ('\u{40}'..='\u{7e}').contains(c))
            .and_then(|(at, c)| text.get(at + c.len_utf8()..))
            .unwrap_or_default(),
        Some((_, ']')) => {
            let end = text.find(['\u{7}', '\u{1b}']);
            match end.and_then(|at| text.get(at..)) {
                Some(end) => end
                    .strip_prefix('\u{7}')
                    .or_else(|| end.strip_prefix("\u{1b}\\"))
                    .unwrap_or(end),
                None => "",
            }
        }
        // Character sets take one byte more.
        Some((_, '(' | ')' | '*' | '+')) => {
            let mut chars = chars.skip(1);
            chars
                .next()
                .map_or("", |(at, _)| text.get(at..).unwrap_or_default())
        }
        Some((_, c)) if c.is_ascii() => text.get(1..).unwrap_or_default(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_terminals_are_left_out() {
        for (text, shown) in [
            ("plain\ttext\r\n", "plain\ttext\r\n"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}(Bx\u{1b}=y", "xy"),
            ("cut \u{1b}[3", "cut "),
            ("é\u{1b}", "é"),
        ] {
            assert_eq!(without_codes(text), shown, "{text:?}");
        }
    }
}
