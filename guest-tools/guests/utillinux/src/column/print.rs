//! Tables as text and as JSON.

use unicode_width::UnicodeWidthChar as _;

use super::options::Settings;
use super::table::{Column, Row};
use super::width;

/// Returns the table as text.
pub(super) fn table(
    settings: &Settings,
    columns: &[Column],
    shown: &[usize],
    rows: &[Row],
    tree: Option<usize>,
) -> String {
    let mut out = String::new();
    if shown.is_empty() {
        return out;
    }
    if settings.has_headings && columns.iter().any(|column| column.name.is_some()) {
        let cells = columns
            .iter()
            .map(|column| column.name.clone().unwrap_or_default())
            .collect();
        let header = Row {
            cells,
            ..Row::default()
        };
        line(settings, columns, shown, &header, None, &mut out);
    }
    for row in rows {
        line(settings, columns, shown, row, tree, &mut out);
    }
    out
}

/// Writes a row, in several lines if cells are wrapped.
fn line(
    settings: &Settings,
    columns: &[Column],
    shown: &[usize],
    row: &Row,
    tree: Option<usize>,
    out: &mut String,
) {
    let mut pending: Vec<String> = shown
        .iter()
        .map(|place| {
            let art = if tree == Some(*place) { &row.art } else { "" };
            format!("{art}{}", row.cell(*place))
        })
        .collect();
    let mut is_first = true;
    while is_first || pending.iter().any(|cell| !cell.is_empty()) {
        let last = shown.len().saturating_sub(1);
        let mut reached = 0;
        for (at, (place, cell)) in shown.iter().zip(&mut pending).enumerate() {
            let Some(column) = columns.get(*place) else {
                continue;
            };
            let whole = std::mem::take(cell);
            let text = if column.is_wrapped || column.is_truncated {
                let (text, rest) = cut(&whole, column.width);
                if column.is_wrapped {
                    rest.clone_into(cell);
                    if !cell.is_empty() && tree == Some(*place) {
                        cell.insert_str(0, &row.art_below);
                    }
                }
                text
            } else {
                &whole
            };
            let blanks = column.width.saturating_sub(width(text));
            if column.is_right {
                out.extend(std::iter::repeat_n(' ', blanks));
            }
            out.push_str(text);
            if at < last {
                if width(text) > column.width {
                    // An extreme cell: the row goes on below it.
                    out.push('\n');
                    out.extend(std::iter::repeat_n(' ', reached + column.width));
                } else if !column.is_right {
                    out.extend(std::iter::repeat_n(' ', blanks));
                }
                out.push_str(&settings.between);
            }
            reached += column.width + width(&settings.between);
        }
        out.push('\n');
        is_first = false;
    }
}

/// Cuts text to a width; at least one character is kept, so that it comes to an end.
fn cut(text: &str, most: usize) -> (&str, &str) {
    let mut reached = 0;
    for (at, letter) in text.char_indices() {
        reached += letter.width().unwrap_or(0);
        if reached > most && at > 0 {
            return text.split_at_checked(at).unwrap_or((text, ""));
        }
    }
    (text, "")
}

/// Returns the table as JSON.
pub(super) fn json(
    settings: &Settings,
    columns: &[Column],
    shown: &[usize],
    rows: &[Row],
) -> String {
    let mut out = format!(
        "{{\n   {}: [\n",
        quoted(&settings.table_name.to_lowercase())
    );
    for (at, row) in rows.iter().enumerate() {
        out.push_str(if at == 0 { "      {\n" } else { ",{\n" });
        for (nth, place) in shown.iter().enumerate() {
            let name = columns
                .get(*place)
                .and_then(|column| column.name.as_deref())
                .unwrap_or("")
                .to_lowercase();
            let value = match row.cells.get(*place) {
                Some(cell) if !cell.is_empty() => quoted(cell),
                _ => "null".to_owned(),
            };
            let comma = if nth + 1 == shown.len() { "" } else { "," };
            out.push_str(&format!("         {}: {value}{comma}\n", quoted(&name)));
        }
        out.push_str("      }");
    }
    out.push_str("\n   ]\n}\n");
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            _ if letter.is_ascii_control() => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}
