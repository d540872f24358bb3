//! Text from a tool's author or a model, made safe and short enough to show.
//!
//! Documentation is prompt text: what a person cannot see when reviewing it, a model must not read.

/// Returns the text without invisible characters, trimmed, and cut to `bytes_max` bytes.
pub(super) fn visible(text: &str, bytes_max: usize) -> String {
    let kept: String = text.chars().filter(|&c| !is_hidden(c)).collect();
    shortened(kept.trim(), bytes_max)
}

/// Returns the text cut to at most `bytes_max` bytes, with an ellipsis where it was cut.
pub(super) fn shortened(text: &str, bytes_max: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let cut = text.floor_char_boundary(bytes_max.saturating_sub(ELLIPSIS.len()));
    let kept = text.get(..cut).unwrap_or_default();
    format!("{kept}{ELLIPSIS}")
}

/// Control characters, and those that reorder or hide text: bidirectional controls, zero-width
/// characters, and the tag block, which spells whole sentences that no editor shows.
fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_nothing_and_ends_on_a_character() {
        let cases = [
            ("  plain\n\ttext \n", 64, "plain\n\ttext"),
            ("a\u{0}b\u{1b}[31mc\r\nd", 64, "ab[31mc\nd"),
            ("x\u{202e}y\u{200b}z\u{e0041}", 64, "xyz"),
            ("ééé", 6, "ééé"),
            ("éééé", 7, "éé…"),
        ];
        for (text, bytes_max, expected) in cases {
            assert_eq!(visible(text, bytes_max), expected, "{text:?}");
        }
    }
}
