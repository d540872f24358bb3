//! Lists in columns, with tabs between.

use super::options::{Mode, Settings};
use super::width;

const TAB: usize = 8;

/// Returns the list.
pub(super) fn make(settings: &Settings, lines: &[String]) -> String {
    let mut out = String::new();
    let longest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    if lines.is_empty() {
        return out;
    }
    if longest >= settings.width {
        for line in lines {
            out.push_str(line);
            out.push('\n');
        }
        return out;
    }
    let column = (longest + TAB) & !(TAB - 1);
    let columns = (settings.width / column).max(1);
    let rows = lines.len().div_ceil(columns);
    let place = |row: usize, at: usize| match settings.mode {
        Mode::Rows => row * columns + at,
        _ => row + at * rows,
    };
    for row in 0..rows {
        let mut reached = 0;
        for at in 0..columns {
            let Some(line) = lines.get(place(row, at)) else {
                break;
            };
            // The last of a row has no tabs behind it, so they come before the next.
            if at > 0 {
                while (reached + TAB) & !(TAB - 1) <= at * column {
                    out.push('\t');
                    reached = (reached + TAB) & !(TAB - 1);
                }
            }
            out.push_str(line);
            reached += width(line);
        }
        out.push('\n');
    }
    out
}
