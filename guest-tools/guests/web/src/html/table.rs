//! Tables of Markdown.

/// Cells of a row that are kept, and columns that one cell may span. Without it a number could make millions.
const COLUMNS_MAX: usize = 64;

/// A table while its cells are read.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// What stands above it.
    pub(super) caption: String,
}

impl Table {
    /// Starts a row.
    pub(super) fn row(&mut self) {
        self.rows.push(Vec::new());
    }

    /// Adds a cell that spans some columns to the last row.
    pub(super) fn cell(&mut self, text: &str, span: Option<&str>) {
        if self.rows.is_empty() {
            self.row();
        }
        let span = span.and_then(|span| span.trim().parse::<usize>().ok());
        let span = span.unwrap_or(1).clamp(1, COLUMNS_MAX);
        if let Some(row) = self.rows.last_mut() {
            let left = COLUMNS_MAX.saturating_sub(row.len());
            let empty = std::iter::repeat_n(String::new(), span - 1);
            row.extend(
                std::iter::once(text.replace('|', "\\|"))
                    .chain(empty)
                    .take(left),
            );
        }
    }

    /// Returns the table's lines. One of a single column is no table, but lines.
    pub(super) fn lines(mut self) -> Vec<String> {
        self.rows
            .retain(|row| row.iter().any(|cell| !cell.is_empty()));
        // Columns that only space is made with.
        let width = self
            .rows
            .iter()
            .filter_map(|row| row.iter().rposition(|cell| !cell.is_empty()))
            .max()
            .map_or(0, |last| last + 1);
        let mut lines = Vec::new();
        if width <= 1 {
            let cells = self.rows.into_iter().flatten();
            lines.extend(cells.filter(|cell| !cell.is_empty()));
            return lines;
        }
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::from("|");
            for column in 0..width {
                let cell = row.get(column).map_or("", String::as_str);
                line.push(' ');
                line.push_str(cell);
                line.push_str(if cell.is_empty() { "|" } else { " |" });
            }
            lines.push(line);
            if number == 0 {
                lines.push(format!("|{}", " --- |".repeat(width)));
            }
        }
        lines
    }
}
