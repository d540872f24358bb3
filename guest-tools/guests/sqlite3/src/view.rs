//! How results are shown: what `.mode`, `.headers`, `.separator` and their options set.

/// The modes of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Ascii,
    Box,
    Column,
    Csv,
    Explain,
    Html,
    Insert,
    Json,
    Line,
    List,
    Markdown,
    /// The tree of EXPLAIN QUERY PLAN.
    Plan,
    Quote,
    Table,
    Tcl,
}

/// The names of the modes as `.mode` shows them.
const NAMES: &[(Mode, &str)] = &[
    (Mode::Ascii, "ascii"),
    (Mode::Box, "box"),
    (Mode::Column, "column"),
    (Mode::Csv, "csv"),
    (Mode::Explain, "explain"),
    (Mode::Html, "html"),
    (Mode::Insert, "insert"),
    (Mode::Json, "json"),
    (Mode::Line, "line"),
    (Mode::List, "list"),
    (Mode::Markdown, "markdown"),
    (Mode::Plan, "eqp"),
    (Mode::Quote, "quote"),
    (Mode::Table, "table"),
    (Mode::Tcl, "tcl"),
];

impl Mode {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(mode, _)| *mode == self)
            .map_or("list", |(_, name)| name)
    }

    /// Returns whether all rows are needed before the first can be shown.
    pub(crate) fn is_tabular(self) -> bool {
        matches!(
            self,
            Self::Box | Self::Column | Self::Markdown | Self::Table
        )
    }
}

/// How results are shown.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) mode: Mode,
    pub(crate) has_header: bool,
    /// Somebody said whether there is a header: `.mode column` leaves it.
    pub(crate) is_header_set: bool,
    pub(crate) column_separator: Vec<u8>,
    pub(crate) row_separator: Vec<u8>,
    pub(crate) null: Vec<u8>,
    /// The width of each column; less than zero aligns to the right, 0 as needed.
    pub(crate) widths: Vec<i32>,
    /// Where columns without a width break; 0 for nowhere.
    pub(crate) wrap: usize,
    pub(crate) wraps_words: bool,
    /// Values of tables are written as SQL.
    pub(crate) quotes: bool,
    /// The table that mode insert names, as SQL.
    pub(crate) table: Vec<u8>,
    /// Mode insert keeps line ends as they are.
    pub(crate) keeps_newlines: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            mode: Mode::List,
            has_header: false,
            is_header_set: false,
            column_separator: b"|".to_vec(),
            row_separator: b"\n".to_vec(),
            null: Vec::new(),
            widths: Vec::new(),
            wrap: 0,
            wraps_words: false,
            quotes: false,
            table: b"\"table\"".to_vec(),
            keeps_newlines: false,
        }
    }
}

impl View {
    /// Sets the mode with the separators that belong to it.
    pub(crate) fn set(&mut self, mode: Mode) {
        let (column, row): (Option<&[u8]>, Option<&[u8]>) = match mode {
            Mode::Ascii => (Some(b"\x1f"), Some(b"\x1e")),
            Mode::Csv => (Some(b","), Some(b"\r\n")),
            Mode::Column | Mode::Line => (None, Some(b"\n")),
            Mode::List => (Some(b"|"), Some(b"\n")),
            Mode::Quote => (Some(b","), Some(b"\n")),
            Mode::Tcl => (Some(b" "), Some(b"\n")),
            _ => (None, None),
        };
        self.mode = mode;
        if let Some(column) = column {
            self.column_separator = column.to_vec();
        }
        if let Some(row) = row {
            self.row_separator = row.to_vec();
        }
    }

    /// Returns the width that a column was given.
    pub(crate) fn width(&self, column: usize) -> i32 {
        self.widths.get(column).copied().unwrap_or(0)
    }
}
