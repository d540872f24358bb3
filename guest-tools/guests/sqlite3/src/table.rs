//! Results as tables: modes column, table, markdown and box, for which all rows are read first.

use std::io::{self, Write};

use crate::cell::Cell;
use crate::view::{Mode, View};

/// The characters of a table's frame.
struct Frame {
    left: &'static str,
    between: &'static str,
    right: &'static str,
    line: &'static str,
    /// Left end, crossing and right end of a line: above, below the header and between rows, at the end.
    ends: [[&'static str; 3]; 3],
}

const BOX: Frame = Frame {
    left: "│ ",
    between: " │ ",
    right: " │\n",
    line: "─",
    ends: [["┌", "┬", "┐"], ["├", "┼", "┤"], ["└", "┴", "┘"]],
};
const TABLE: Frame = Frame {
    left: "| ",
    between: " | ",
    right: " |\n",
    line: "-",
    ends: [["+", "+", "+"]; 3],
};
const MARKDOWN: Frame = Frame {
    ends: [["|", "|", "|"]; 3],
    ..TABLE
};

/// A row as it is shown: one line of a row that has several.
struct Line {
    cells: Vec<Vec<u8>>,
    /// The row of the result ends with it.
    is_last: bool,
}

/// A table that grows row by row.
pub(crate) struct Table<'a> {
    view: &'a View,
    header: Vec<Vec<u8>>,
    lines: Vec<Line>,
    has_long_rows: bool,
}

impl<'a> Table<'a> {
    pub(crate) fn new(view: &'a View, names: &[Vec<u8>]) -> Self {
        let header = names.iter().enumerate().map(|(column, name)| {
            let (shown, _) = cut(name, limit(view, column), view.wraps_words);
            shown
        });
        Self {
            view,
            header: header.collect(),
            lines: Vec::new(),
            has_long_rows: false,
        }
    }

    /// Adds a row, on as many lines as it takes.
    pub(crate) fn row(&mut self, cells: &[Cell]) {
        let mut rest: Vec<Option<Vec<u8>>> =
            cells.iter().map(|cell| Some(self.text(cell))).collect();
        loop {
            let mut line = Vec::new();
            for (column, rest) in rest.iter_mut().enumerate() {
                let text = rest.take().unwrap_or_default();
                let (shown, tail) = cut(&text, limit(self.view, column), self.view.wraps_words);
                line.push(shown);
                *rest = tail.map(<[u8]>::to_vec);
            }
            let is_last = rest.iter().all(Option::is_none);
            self.has_long_rows |= !is_last;
            self.lines.push(Line {
                cells: line,
                is_last,
            });
            if is_last {
                return;
            }
        }
    }

    fn text(&self, cell: &Cell) -> Vec<u8> {
        if self.view.quotes {
            let mut sql = cell.sql();
            if let (Cell::Blob(_), Some(first)) = (cell, sql.first_mut()) {
                *first = b'x';
            }
            return sql;
        }
        cell.text()
            .map_or_else(|| self.view.null.clone(), |text| text.into_owned())
    }

    /// Writes it all; nothing without a row.
    pub(crate) fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| {
                let cells = self.lines.iter().filter_map(|line| line.cells.get(column));
                let longest = cells.chain(self.header.get(column)).map(|text| count(text));
                let given = usize::try_from(self.view.width(column).unsigned_abs());
                longest.max().unwrap_or(0).max(given.unwrap_or(0))
            })
            .collect();
        match self.view.mode {
            Mode::Box => self.framed(out, &widths, &BOX),
            Mode::Markdown => self.framed(out, &widths, &MARKDOWN),
            Mode::Table => self.framed(out, &widths, &TABLE),
            _ => self.columns(out, &widths),
        }
    }

    fn columns(&self, out: &mut dyn Write, widths: &[usize]) -> io::Result<()> {
        let last = widths.len().saturating_sub(1);
        let end = |column: usize| if column == last { "\n" } else { "  " };
        if self.view.has_header {
            for (column, (name, width)) in self.header.iter().zip(widths).enumerate() {
                self.aligned(out, name, *width, column)?;
                out.write_all(end(column).as_bytes())?;
            }
            for (column, width) in widths.iter().enumerate() {
                write!(out, "{:-<width$}{}", "", end(column))?;
            }
        }
        for (index, line) in self.lines.iter().enumerate() {
            for (column, (text, width)) in line.cells.iter().zip(widths).enumerate() {
                self.aligned(out, text, *width, column)?;
                out.write_all(end(column).as_bytes())?;
            }
            if self.has_long_rows && line.is_last && index + 1 < self.lines.len() {
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn framed(&self, out: &mut dyn Write, widths: &[usize], frame: &Frame) -> io::Result<()> {
        let [top, middle, bottom] = frame.ends;
        let is_closed = self.view.mode != Mode::Markdown;
        if is_closed {
            rule(out, widths, frame, top)?;
        }
        let header = self.header.iter().zip(widths).map(|(name, width)| {
            let spare = width - count(name);
            let (before, after) = (spare / 2, spare.div_ceil(2));
            [vec![b' '; before], name.clone(), vec![b' '; after]].concat()
        });
        line_of(out, header, frame)?;
        rule(out, widths, frame, middle)?;
        for (index, line) in self.lines.iter().enumerate() {
            let cells = line.cells.iter().zip(widths).enumerate();
            let cells = cells.map(|(column, (text, width))| {
                let mut shown = Vec::new();
                // A vector takes whatever is written.
                let _ = self.aligned(&mut shown, text, *width, column);
                shown
            });
            line_of(out, cells, frame)?;
            let is_between = line.is_last && index + 1 < self.lines.len();
            if self.has_long_rows && is_closed && is_between {
                rule(out, widths, frame, middle)?;
            }
        }
        if is_closed {
            rule(out, widths, frame, bottom)?;
        }
        Ok(())
    }

    fn aligned(
        &self,
        out: &mut dyn Write,
        text: &[u8],
        width: usize,
        column: usize,
    ) -> io::Result<()> {
        let spare = width.saturating_sub(count(text));
        if self.view.width(column) < 0 {
            write!(out, "{:spare$}", "")?;
            return out.write_all(text);
        }
        out.write_all(text)?;
        write!(out, "{:spare$}", "")
    }
}

fn line_of(
    out: &mut dyn Write,
    cells: impl Iterator<Item = Vec<u8>>,
    frame: &Frame,
) -> io::Result<()> {
    for (column, cell) in cells.enumerate() {
        let before = if column == 0 {
            frame.left
        } else {
            frame.between
        };
        out.write_all(before.as_bytes())?;
        out.write_all(&cell)?;
    }
    out.write_all(frame.right.as_bytes())
}

fn rule(
    out: &mut dyn Write,
    widths: &[usize],
    frame: &Frame,
    [left, cross, right]: [&str; 3],
) -> io::Result<()> {
    for (column, width) in widths.iter().enumerate() {
        let end = if column == 0 { left } else { cross };
        write!(out, "{end}{}", frame.line.repeat(width + 2))?;
    }
    writeln!(out, "{right}")
}

/// The widest line of a column without a limit.
const UNLIMITED: usize = 1_000_000;

fn limit(view: &View, column: usize) -> usize {
    match usize::try_from(view.width(column).unsigned_abs()) {
        Ok(width) if width > 0 => width,
        _ if view.wrap > 0 => view.wrap,
        _ => UNLIMITED,
    }
}

/// Returns the number of characters.
fn count(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// Takes from a text what goes onto one line, with tabs as spaces, and returns it and what remains.
fn cut(text: &[u8], limit: usize, by_words: bool) -> (Vec<u8>, Option<&[u8]>) {
    let (mut shown, length, mut end) = measure(text, limit, text.len());
    let at = |index: usize| text.get(index).copied().unwrap_or(0);
    if length >= limit && by_words && end < text.len() {
        let found = (end / 2 + 1..=end)
            .rev()
            .find(|k| at(k - 1).is_ascii_whitespace())
            .or_else(|| {
                (end / 2 + 1..=end).rev().find(|k| {
                    at(k - 1).is_ascii_alphanumeric() != at(*k).is_ascii_alphanumeric()
                        && at(*k) & 0xc0 != 0x80
                })
            });
        if let Some(found) = found {
            (shown, _, _) = measure(text, limit, found);
            end = found;
            while at(end) == b' ' {
                end += 1;
            }
        }
    }
    let tail = if length >= limit && at(end) >= b' ' {
        text.get(end..)
    } else if at(end) == b'\r' && at(end + 1) == b'\n' {
        text.get(end + 2..)
    } else {
        text.get(end + 1..)
    };
    (shown, tail.filter(|tail| !tail.is_empty()))
}

/// Returns what is shown of the beginning, its width, and where it ends.
fn measure(text: &[u8], limit: usize, until: usize) -> (Vec<u8>, usize, usize) {
    let (mut shown, mut width, mut at) = (Vec::new(), 0, 0);
    while width < limit && at < until {
        match text.get(at) {
            Some(b'\t') => {
                loop {
                    shown.push(b' ');
                    width += 1;
                    if width % 8 == 0 || width >= limit {
                        break;
                    }
                }
                at += 1;
            }
            Some(byte) if *byte >= b' ' => {
                width += 1;
                loop {
                    shown.extend(text.get(at));
                    at += 1;
                    if text.get(at).is_none_or(|byte| *byte & 0xc0 != 0x80) {
                        break;
                    }
                }
            }
            _ => break,
        }
    }
    (shown, width, at)
}
