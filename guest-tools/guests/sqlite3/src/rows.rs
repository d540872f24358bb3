//! Results row by row: all modes that need not know the rows to come.

use std::io::{self, Write};

use crate::cell::Cell;
use crate::quote;
use crate::view::{Mode, View};

/// The widths of the columns of EXPLAIN.
const EXPLAIN: [usize; 8] = [4, 13, 4, 4, 4, 13, 2, 13];

/// Writes the rows of one result.
pub(crate) struct Rows<'a> {
    view: &'a View,
    names: &'a [Vec<u8>],
    count: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(view: &'a View, names: &'a [Vec<u8>]) -> Self {
        Self {
            view,
            names,
            count: 0,
        }
    }

    /// Writes a row, before the first what comes before.
    pub(crate) fn row(&mut self, out: &mut dyn Write, cells: &[Cell]) -> io::Result<()> {
        let is_first = self.count == 0;
        self.count += 1;
        match self.view.mode {
            Mode::Line => self.lines(out, cells, is_first),
            Mode::Html => self.html(out, cells, is_first),
            Mode::Insert => self.insert(out, cells),
            Mode::Json => self.json(out, cells, is_first),
            Mode::Explain => self.explain(out, cells, is_first),
            _ => self.list(out, cells, is_first),
        }
    }

    /// Writes what comes after the last row.
    pub(crate) fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.view.mode == Mode::Json && self.count > 0 {
            out.write_all(b"]\n")?;
        }
        Ok(())
    }

    /// Writes values with separators between them and one at the end of the row.
    fn list(&self, out: &mut dyn Write, cells: &[Cell], is_first: bool) -> io::Result<()> {
        if is_first && self.view.has_header {
            for (index, name) in self.names.iter().enumerate() {
                self.separate(out, index)?;
                match self.view.mode {
                    Mode::Csv => {
                        out.write_all(&quote::csv(name, &self.view.column_separator))?;
                    }
                    Mode::Tcl => quote::c(out, name)?,
                    Mode::Quote => out.write_all(&quote::doubled(name, b'\''))?,
                    _ => out.write_all(name)?,
                }
            }
            out.write_all(&self.view.row_separator)?;
        }
        for (index, cell) in cells.iter().enumerate() {
            self.separate(out, index)?;
            match (self.view.mode, cell.text()) {
                (Mode::Quote, _) => out.write_all(&cell.sql())?,
                (Mode::Tcl, text) => {
                    quote::c(out, text.as_deref().unwrap_or(&self.view.null))?;
                }
                (_, None) => out.write_all(&self.view.null)?,
                (Mode::Csv, Some(text)) => {
                    out.write_all(&quote::csv(&text, &self.view.column_separator))?;
                }
                (_, Some(text)) => out.write_all(&text)?,
            }
        }
        out.write_all(&self.view.row_separator)
    }

    fn separate(&self, out: &mut dyn Write, index: usize) -> io::Result<()> {
        if index > 0 {
            out.write_all(&self.view.column_separator)?;
        }
        Ok(())
    }

    fn lines(&self, out: &mut dyn Write, cells: &[Cell], is_first: bool) -> io::Result<()> {
        let width = self.names.iter().map(Vec::len).max().unwrap_or(0).max(5);
        if !is_first {
            out.write_all(&self.view.row_separator)?;
        }
        for (name, cell) in self.names.iter().zip(cells) {
            write!(out, "{:1$}", "", width - name.len())?;
            out.write_all(name)?;
            out.write_all(b" = ")?;
            out.write_all(cell.text().as_deref().unwrap_or(&self.view.null))?;
            out.write_all(&self.view.row_separator)?;
        }
        Ok(())
    }

    fn html(&self, out: &mut dyn Write, cells: &[Cell], is_first: bool) -> io::Result<()> {
        if is_first && self.view.has_header {
            out.write_all(b"<TR>")?;
            for name in self.names {
                out.write_all(b"<TH>")?;
                quote::html(out, name)?;
                out.write_all(b"</TH>\n")?;
            }
            out.write_all(b"</TR>\n")?;
        }
        out.write_all(b"<TR>")?;
        for cell in cells {
            out.write_all(b"<TD>")?;
            quote::html(out, cell.text().as_deref().unwrap_or(&self.view.null))?;
            out.write_all(b"</TD>\n")?;
        }
        out.write_all(b"</TR>\n")
    }

    fn insert(&self, out: &mut dyn Write, cells: &[Cell]) -> io::Result<()> {
        out.write_all(b"INSERT INTO ")?;
        out.write_all(&self.view.table)?;
        if self.view.has_header {
            for (index, name) in self.names.iter().enumerate() {
                out.write_all(if index == 0 { b"(" } else { b"," })?;
                out.write_all(&quote::name(name))?;
            }
            out.write_all(b")")?;
        }
        for (index, cell) in cells.iter().enumerate() {
            out.write_all(if index == 0 { b" VALUES(" } else { b"," })?;
            let text = match cell {
                Cell::Text(text) if !self.view.keeps_newlines => quote::on_one_line(text),
                _ => cell
                    .exact()
                    .map_or_else(|| cell.sql(), |number| whole(cell, number).into_bytes()),
            };
            out.write_all(&text)?;
        }
        out.write_all(b");\n")
    }

    fn json(&self, out: &mut dyn Write, cells: &[Cell], is_first: bool) -> io::Result<()> {
        out.write_all(if is_first { b"[{" } else { b",\n{" })?;
        for (index, (name, cell)) in self.names.iter().zip(cells).enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            quote::json(out, name)?;
            out.write_all(b":")?;
            match cell {
                Cell::Null => out.write_all(b"null")?,
                Cell::Integer(number) => write!(out, "{number}")?,
                Cell::Real(_) => out.write_all(cell.exact().unwrap_or_default().as_bytes())?,
                Cell::Text(bytes) | Cell::Blob(bytes) => quote::json(out, bytes)?,
            }
        }
        out.write_all(b"}")
    }

    fn explain(&self, out: &mut dyn Write, cells: &[Cell], is_first: bool) -> io::Result<()> {
        let end = |index: usize| {
            if index + 1 == cells.len().min(EXPLAIN.len()) {
                "\n"
            } else {
                "  "
            }
        };
        if is_first {
            for (index, (width, name)) in EXPLAIN.iter().zip(self.names).enumerate() {
                let name = String::from_utf8_lossy(name);
                write!(out, "{name:<width$}{}", end(index))?;
            }
            for (index, width) in EXPLAIN.iter().enumerate().take(cells.len()) {
                write!(out, "{:-<width$}{}", "", end(index))?;
            }
        }
        for (index, (width, cell)) in EXPLAIN.iter().zip(cells).enumerate() {
            let text = cell.text();
            let text = String::from_utf8_lossy(text.as_deref().unwrap_or(&self.view.null));
            let width = if index + 1 == cells.len() { 0 } else { *width };
            write!(out, "{text:<width$}{}", end(index))?;
        }
        Ok(())
    }
}

/// Returns a number that is a whole one with all its digits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the comparison finds what was lost"
)]
fn whole(cell: &Cell, text: String) -> String {
    match cell {
        Cell::Real(number) if (*number as i64) as f64 == *number && number.is_finite() => {
            format!("{}.0", *number as i64)
        }
        _ => text,
    }
}
