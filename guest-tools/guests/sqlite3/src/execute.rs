//! Running SQL and showing what it gives.

use std::io::{self, Write};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::Value;
use rusqlite::{Batch, Connection, Error, Statement};

use crate::cell::Cell;
use crate::complete;
use crate::plan::Plan;
use crate::rows::Rows;
use crate::shell::{Explain, QueryPlan, Shell};
use crate::table::Table;
use crate::view::{Mode, View};

/// Where SQL failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Prepare,
    Step,
}

/// Why SQL failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) phase: Phase,
    /// The primary code of SQLite, and so the program's exit status.
    pub(crate) code: u8,
    /// SQLite's words, with the code and the place where they have one.
    pub(crate) message: String,
}

impl Failure {
    /// Returns what went wrong with an error of SQLite.
    pub(crate) fn new(phase: Phase, error: &Error) -> Self {
        let (code, message) = describe(error);
        let message = if code > 1 {
            format!("{message} ({code})")
        } else {
            message
        };
        Self {
            phase,
            code,
            message,
        }
    }
}

/// Returns SQLite's primary code and its message.
pub(crate) fn describe(error: &Error) -> (u8, String) {
    let code =
        |error: &rusqlite::ffi::Error| u8::try_from(error.extended_code & 0xff).unwrap_or(1).max(1);
    match error {
        Error::SqliteFailure(error, Some(message)) => (code(error), message.clone()),
        Error::SqliteFailure(error, None) => (code(error), error.to_string()),
        Error::SqlInputError { error, msg, .. } => (code(error), msg.clone()),
        error => (1, error.to_string()),
    }
}

impl Shell {
    /// Runs all statements of a text up to the first that fails.
    pub(crate) fn execute(&mut self, sql: &[u8]) -> Result<(), Failure> {
        let text = std::str::from_utf8(sql).map_err(|_| Failure {
            phase: Phase::Prepare,
            code: 1,
            message: "the SQL is not valid UTF-8".to_owned(),
        })?;
        let mut rest = text;
        while !rest.is_empty() {
            let (first, after) = rest.split_at(complete::first(rest.as_bytes()));
            self.statement(first, rest)?;
            rest = after.trim_start_matches(|letter: char| letter.is_ascii_whitespace());
        }
        Ok(())
    }

    /// Runs what is one statement for the shell; `rest` is that with all that follows, for messages.
    fn statement(&mut self, sql: &str, rest: &str) -> Result<(), Failure> {
        let (plan, explain) = (self.query_plan, self.explain);
        let (connection, out, view) = self.parts();
        let mut batch = Batch::new(connection, sql);
        loop {
            let mut statement = match batch.next() {
                Ok(Some(statement)) => statement,
                Ok(None) => break,
                Err(error) => return Err(with_place(&error, rest)),
            };
            if plan != QueryPlan::Off && statement.is_explain() == 0 {
                let written = show_plan(connection, sql, plan, view, out);
                out.settle(written);
            }
            bind(connection, &mut statement).map_err(|error| Failure::new(Phase::Step, &error))?;
            let mode = match statement.is_explain() {
                1 if explain != Explain::Off => Mode::Explain,
                2 if explain != Explain::Off => Mode::Plan,
                _ if explain == Explain::On => Mode::Explain,
                _ => view.mode,
            };
            let shown;
            let view = if mode == view.mode {
                view
            } else {
                shown = View {
                    mode,
                    ..view.clone()
                };
                &shown
            };
            let written = show(&mut statement, view, out);
            match written {
                Ok(()) => {}
                Err(Trouble::Sql(error)) => return Err(Failure::new(Phase::Step, &error)),
                Err(Trouble::Output(error)) => out.settle(Err(error)),
            }
        }
        Ok(())
    }

    /// Runs SQL of the shell's own and returns its rows.
    pub(crate) fn rows(
        &mut self,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
    ) -> rusqlite::Result<Vec<Vec<Cell>>> {
        rows(self.database(), sql, parameters)
    }
}

/// Runs SQL and returns its rows.
pub(crate) fn rows(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<Vec<Vec<Cell>>> {
    let mut statement = connection.prepare(sql)?;
    let count = statement.column_count();
    let mut rows = statement.query(parameters)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(cells(row, count)?);
    }
    Ok(all)
}

/// What can go wrong while rows are shown.
pub(crate) enum Trouble {
    Sql(Error),
    Output(io::Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn cells(row: &rusqlite::Row<'_>, count: usize) -> rusqlite::Result<Vec<Cell>> {
    (0..count)
        .map(|column| Ok(Cell::from(row.get_ref(column)?)))
        .collect()
}

/// Runs a statement and writes its rows.
pub(crate) fn show(
    statement: &mut Statement<'_>,
    view: &View,
    out: &mut dyn Write,
) -> Result<(), Trouble> {
    let names: Vec<Vec<u8>> = (0..statement.column_count())
        .map(|column| {
            statement
                .column_name(column)
                .map(|name| name.as_bytes().to_vec())
        })
        .collect::<Result<_, _>>()?;
    let mut result = statement.raw_query();
    if view.mode == Mode::Plan {
        let mut plan = Plan::default();
        while let Some(row) = result.next()? {
            plan.row(&cells(row, names.len())?);
        }
        return Ok(plan.end(out)?);
    }
    if view.mode.is_tabular() {
        let mut table = Table::new(view, &names);
        while let Some(row) = result.next()? {
            table.row(&cells(row, names.len())?);
        }
        return Ok(table.end(out)?);
    }
    let mut rows = Rows::new(view, &names);
    while let Some(row) = result.next()? {
        // A statement like UPDATE gives no rows and has no columns.
        if !names.is_empty() {
            rows.row(out, &cells(row, names.len())?)?;
        }
    }
    Ok(rows.end(out)?)
}

/// Shows what `.eqp` asks for. A statement that cannot be explained says so when it runs.
fn show_plan(
    connection: &Connection,
    sql: &str,
    plan: QueryPlan,
    view: &View,
    out: &mut dyn Write,
) -> io::Result<()> {
    let kinds: &[(&str, Mode)] = &[
        ("EXPLAIN QUERY PLAN", Mode::Plan),
        ("EXPLAIN", Mode::Explain),
    ];
    let count = if plan == QueryPlan::Full { 2 } else { 1 };
    for (words, mode) in kinds.iter().take(count) {
        let view = View {
            mode: *mode,
            ..view.clone()
        };
        let Ok(mut statement) = connection.prepare(&format!("{words} {sql}")) else {
            continue;
        };
        if let Err(Trouble::Output(error)) = show(&mut statement, &view, out) {
            return Err(error);
        }
    }
    Ok(())
}

/// Gives the parameters of a statement the values that `.parameter` set.
fn bind(connection: &Connection, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
    for index in 1..=statement.parameter_count() {
        let name = statement
            .parameter_name(index)
            .map_or_else(|| format!("?{index}"), str::to_owned);
        let value = connection.query_row(
            "SELECT value FROM temp.sqlite_parameters WHERE key=?1",
            [&name],
            |row| row.get::<_, Value>(0),
        );
        statement.raw_bind_parameter(index, value.unwrap_or(Value::Null))?;
    }
    Ok(())
}

/// Returns the failure to prepare a statement, with the place in the text if SQLite knows it.
fn with_place(error: &Error, rest: &str) -> Failure {
    let mut failure = Failure::new(Phase::Prepare, error);
    if let Error::SqlInputError { sql, offset, .. } = error
        && let Ok(offset) = usize::try_from(*offset)
        && let Some(from) = rest.find(sql.as_str())
    {
        failure.message.push_str(&place(
            rest.as_bytes().get(from..).unwrap_or_default(),
            offset,
        ));
    }
    failure
}

/// Returns the piece of SQL around an error, and an arrow to it.
fn place(sql: &[u8], offset: usize) -> String {
    const LONGEST: usize = 78;
    let is_within = |byte: Option<&u8>| byte.is_some_and(|byte| *byte & 0xc0 == 0x80);
    let (mut from, mut offset) = (0, offset);
    while offset > 50 {
        from += 1;
        offset -= 1;
        while is_within(sql.get(from)) {
            from += 1;
            offset = offset.saturating_sub(1);
        }
    }
    let sql = sql.get(from..).unwrap_or_default();
    let mut length = sql.len();
    if length > LONGEST {
        length = LONGEST;
        while is_within(sql.get(length)) {
            length -= 1;
        }
    }
    let shown: String = String::from_utf8_lossy(sql.get(..length).unwrap_or_default())
        .chars()
        .map(|letter| {
            if letter.is_ascii_whitespace() {
                ' '
            } else {
                letter
            }
        })
        .collect();
    if offset < 25 {
        format!("\n  {shown}\n  {:offset$}^--- error here", "")
    } else {
        format!("\n  {shown}\n  {:1$}error here ---^", "", offset - 14)
    }
}
