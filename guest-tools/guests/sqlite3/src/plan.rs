//! The tree of EXPLAIN QUERY PLAN.

use std::io::{self, Write};

use crate::cell::Cell;

/// The steps of a plan: number, parent and text of each.
#[derive(Default)]
pub(crate) struct Plan(Vec<(i64, i64, Vec<u8>)>);

impl Plan {
    /// Adds a row of the result.
    pub(crate) fn row(&mut self, cells: &[Cell]) {
        let [Cell::Integer(id), Cell::Integer(parent), .., text] = cells else {
            return;
        };
        let text = text.text().unwrap_or_default().into_owned();
        self.0.push((*id, *parent, text));
    }

    /// Writes it; nothing if it is empty.
    pub(crate) fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        out.write_all(b"QUERY PLAN\n")?;
        self.level(out, 0, "", 0)
    }

    fn level(
        &self,
        out: &mut dyn Write,
        parent: i64,
        before: &str,
        depth: usize,
    ) -> io::Result<()> {
        // A plan is not deeper than SQL may be; a step never is its own parent but in a broken one.
        if depth > 100 {
            return Ok(());
        }
        let mut steps = self
            .0
            .iter()
            .filter(|(_, above, _)| *above == parent)
            .peekable();
        while let Some((id, _, text)) = steps.next() {
            let is_last = steps.peek().is_none();
            write!(out, "{before}{}", if is_last { "`--" } else { "|--" })?;
            out.write_all(text)?;
            out.write_all(b"\n")?;
            let below = format!("{before}{}", if is_last { "   " } else { "|  " });
            if *id != parent {
                self.level(out, *id, &below, depth + 1)?;
            }
        }
        Ok(())
    }
}
