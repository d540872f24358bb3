//! The text of one scalar in YAML: which style can carry it, quotes, escapes and the lines of block scalars.

use std::fmt::Write as _;

use crate::node::Style;

/// What a scalar stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// Anywhere else.
    Block,
    /// A key.
    Key,
    /// `[...]` or `{...}`.
    Flow,
}

/// A scalar as it is written.
pub struct Written {
    /// On one line; line ends are to be indented.
    pub text: String,
    /// The line after `|` or `>` with that, and the lines below.
    pub block: Option<(String, String)>,
}

/// What a text has in it.
#[derive(Default)]
struct Traits {
    is_plain_in_flow: bool,
    is_plain_in_block: bool,
    is_single: bool,
    is_block: bool,
    has_breaks: bool,
}

/// Writes a scalar in `style`, or in the next one that can carry it.
pub fn write(value: &str, style: Style, spot: Spot, step: usize) -> Written {
    let traits = analyze(value);
    let mut style = style;
    if matches!(style, Style::Plain | Style::Flow) {
        let is_plain = match spot {
            Spot::Block | Spot::Key => traits.is_plain_in_block,
            Spot::Flow => traits.is_plain_in_flow,
        };
        let is_missing = value.is_empty() && spot != Spot::Block;
        style = if is_plain && !traits.has_breaks && !is_missing {
            Style::Plain
        } else {
            Style::Single
        };
    }
    if style == Style::Single && (!traits.is_single || spot == Spot::Key && traits.has_breaks) {
        style = Style::Double;
    }
    if matches!(style, Style::Literal | Style::Folded) && (!traits.is_block || spot != Spot::Block)
    {
        style = Style::Double;
    }
    match style {
        Style::Literal | Style::Folded => Written {
            text: String::new(),
            block: Some(block(value, style == Style::Folded, step)),
        },
        Style::Single => Written {
            text: format!("'{}'", double_breaks(&value.replace('\'', "''"))),
            block: None,
        },
        Style::Double => Written {
            text: double(value),
            block: None,
        },
        Style::Plain | Style::Flow => Written {
            text: value.to_owned(),
            block: None,
        },
    }
}

/// In quotes one line end is a space, so the first of each run is written twice.
fn double_breaks(text: &str) -> String {
    let mut out = String::new();
    let mut was_break = false;
    for character in text.chars() {
        if character == '\n' && !was_break {
            out.push('\n');
        }
        was_break = character == '\n';
        out.push(character);
    }
    out
}

fn is_special(character: char) -> bool {
    !matches!(character, '\n' | '\t' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        || character == '\u{feff}'
}

fn analyze(value: &str) -> Traits {
    let mut traits = Traits {
        is_plain_in_flow: !value.is_empty(),
        is_plain_in_block: true,
        is_single: true,
        is_block: !value.is_empty(),
        has_breaks: value.contains('\n'),
    };
    let mut flow_indicator = value.starts_with("---") || value.starts_with("...");
    let mut block_indicator = flow_indicator;
    let mut before: Option<char> = None;
    let mut characters = value.chars().peekable();
    let mut has_special = false;
    let mut has_tab = false;
    let mut has_space_break = false;
    let mut has_break_space = false;
    while let Some(character) = characters.next() {
        let is_before_blank = characters
            .peek()
            .is_none_or(|next| matches!(next, ' ' | '\t' | '\n'));
        if before.is_none() {
            match character {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"'
                | '%' | '@' | '`' => (flow_indicator, block_indicator) = (true, true),
                '?' | ':' => {
                    flow_indicator = true;
                    block_indicator |= is_before_blank;
                }
                '-' if is_before_blank => (flow_indicator, block_indicator) = (true, true),
                _ => {}
            }
        } else {
            match character {
                ',' | '?' | '[' | ']' | '{' | '}' => flow_indicator = true,
                ':' => {
                    flow_indicator = true;
                    block_indicator |= is_before_blank;
                }
                '#' if before.is_some_and(|before| matches!(before, ' ' | '\t' | '\n')) => {
                    (flow_indicator, block_indicator) = (true, true);
                }
                _ => {}
            }
        }
        has_tab |= character == '\t';
        has_special |= is_special(character);
        has_space_break |= character == '\n' && before == Some(' ');
        has_break_space |= character == ' ' && before == Some('\n');
        before = Some(character);
    }
    let has_edge = value.starts_with([' ', '\n']) || value.ends_with([' ', '\n']);
    if has_edge || traits.has_breaks {
        (traits.is_plain_in_flow, traits.is_plain_in_block) = (false, false);
    }
    if value.ends_with(' ') {
        traits.is_block = false;
    }
    if has_break_space {
        traits.is_single = false;
    }
    if has_space_break || has_tab || has_special {
        (traits.is_plain_in_flow, traits.is_plain_in_block) = (false, false);
        traits.is_single = false;
    }
    if has_space_break || has_special {
        traits.is_block = false;
    }
    traits.is_plain_in_flow &= !flow_indicator;
    traits.is_plain_in_block &= !block_indicator;
    traits
}

fn double(value: &str) -> String {
    let mut out = String::from("\"");
    for character in value.chars() {
        let short = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ => "",
        };
        let code = u32::from(character);
        if !short.is_empty() {
            out.push_str(short);
        } else if !is_special(character) {
            out.push(character);
        } else {
            // Writing to a string cannot fail.
            let _ = match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            };
        }
    }
    out.push('"');
    out
}

fn block(value: &str, is_folded: bool, step: usize) -> (String, String) {
    let mut header = String::from(if is_folded { ">" } else { "|" });
    if value.starts_with([' ', '\n']) {
        // Writing to a string cannot fail.
        let _ = write!(header, "{step}");
    }
    let body = match value.strip_suffix('\n') {
        None => {
            header.push('-');
            value
        }
        Some(body) => {
            if body.is_empty() || body.ends_with('\n') {
                header.push('+');
            }
            body
        }
    };
    if !is_folded {
        return (header, body.to_owned());
    }
    // A line end between two lines that would be joined is written twice.
    let lines: Vec<&str> = body.split('\n').collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            out.push('\n');
            let before = lines.get(number - 1).copied().unwrap_or_default();
            let is_joined = |line: &str| !line.is_empty() && !line.starts_with([' ', '\t']);
            // Of a run of empty lines, one more is written than there are.
            let text_before = lines
                .get(..number)
                .and_then(|lines| lines.iter().rfind(|line| !line.is_empty()))
                .copied()
                .unwrap_or_default();
            if is_joined(line) && is_joined(text_before) && (!before.is_empty() || number > 0) {
                out.push('\n');
            }
        }
        out.push_str(line);
    }
    (header, out)
}

#[cfg(test)]
mod tests {
    use super::{Spot, write};
    use crate::node::Style;

    #[test]
    fn texts_are_quoted_where_they_must() {
        let check = |value: &str, style, spot, expected: &str| {
            let written = write(value, style, spot, 2);
            let text = match written.block {
                Some((header, body)) => format!("{header}\n{body}"),
                None => written.text,
            };
            assert_eq!(text, expected);
        };
        check("plain text", Style::Plain, Spot::Block, "plain text");
        check("a: b", Style::Plain, Spot::Block, "'a: b'");
        check("it's", Style::Plain, Spot::Block, "it's");
        check("a,b", Style::Plain, Spot::Block, "a,b");
        check("a,b", Style::Plain, Spot::Flow, "'a,b'");
        check("a\tb", Style::Plain, Spot::Block, "\"a\\tb\"");
        check("- a", Style::Plain, Spot::Block, "'- a'");
        check("#a", Style::Plain, Spot::Block, "'#a'");
        check("a\nb\n", Style::Literal, Spot::Block, "|\na\nb");
        check("a\nb", Style::Literal, Spot::Key, "\"a\\nb\"");
        check("a b\nc\n", Style::Folded, Spot::Block, ">\na b\n\nc");
        check("\n", Style::Literal, Spot::Block, "|2+\n");
    }
}
