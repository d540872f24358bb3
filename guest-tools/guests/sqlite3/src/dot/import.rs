//! `.import`: reads a file of separated fields into a table.

use std::io::BufRead;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::{Outcome, streams};
use crate::execute::describe;
use crate::quote;
use crate::shell::Shell;
use crate::view::Mode;

const USAGE: &str = ".import FILE TABLE       Reads a file into a table
   --ascii       fields end with \\037, rows with \\036
   --csv         fields end with a comma, rows with a line feed
   --skip N      skips the first N rows
   --schema S    the table is S.TABLE
   -v            says more
A table that is not there is made; the first row has the names of its columns.
A FILE that begins with | is a command whose output is read.";

struct Request<'a> {
    file: &'a str,
    table: &'a str,
    schema: Option<&'a str>,
    skip: u64,
    is_verbose: bool,
    is_ascii: bool,
    column_separator: u8,
    row_separator: u8,
}

/// A text as it is in the file, UTF-8 or not.
struct Field<'a>(&'a [u8]);

impl ToSql for Field<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

pub(super) fn run(shell: &mut Shell, words: &[String]) -> Outcome {
    let request = match request(shell, words) {
        Ok(request) => request,
        Err(message) => {
            shell.complain(format_args!("{message}"));
            return Outcome::Failed;
        }
    };
    let Some(source) = streams::open(shell, request.file) else {
        return Outcome::Failed;
    };
    let mut reader = Reader {
        name: request.file.trim_start_matches('|').to_owned(),
        source,
        is_ascii: request.is_ascii,
        column: request.column_separator,
        row: request.row_separator,
        line: 1,
        is_first: true,
        end: End::Row,
    };
    if request.file.starts_with('|') {
        "<pipe>".clone_into(&mut reader.name);
    }
    for _ in 0..request.skip {
        while reader.next().is_some() && reader.end == End::Field {}
    }
    match fill(shell, &request, &mut reader) {
        Ok(is_complete) if is_complete => Outcome::Done,
        Ok(_) => Outcome::Failed,
        Err(message) => {
            shell.complain(format_args!("{message}"));
            Outcome::Failed
        }
    }
}

fn request<'a>(shell: &mut Shell, words: &'a [String]) -> Result<Request<'a>, String> {
    let wrong = |message: String| format!("ERROR: {message}. Usage:\n{USAGE}");
    let (mut names, mut schema, mut skip) = (Vec::new(), None, 0);
    let (mut is_verbose, mut is_csv, mut is_ascii) = (false, false, false);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let word = word
            .strip_prefix('-')
            .filter(|_| word.starts_with("--"))
            .unwrap_or(word);
        match word {
            "-v" => is_verbose = true,
            "-csv" => is_csv = true,
            "-ascii" => is_ascii = true,
            "-skip" | "-schema" => {
                let Some(value) = rest.next() else {
                    return Err(wrong(format!("missing argument to {word}")));
                };
                if word == "-skip" {
                    skip = value.parse().unwrap_or(0);
                } else {
                    schema = Some(value.as_str());
                }
            }
            _ if word.starts_with('-') => {
                return Err(wrong(format!("unknown option: \"{word}\"")));
            }
            _ if names.len() == 2 => return Err(wrong(format!("extra argument: \"{word}\""))),
            _ => names.push(word),
        }
    }
    let [file, table] = names.as_slice() else {
        let name = if names.is_empty() { "FILE" } else { "TABLE" };
        return Err(wrong(format!("missing {name} argument")));
    };
    let (column_separator, row_separator) = if is_ascii {
        (0x1f, 0x1e)
    } else if is_csv {
        (b',', b'\n')
    } else {
        separators(shell)?
    };
    Ok(Request {
        file,
        table,
        schema,
        skip,
        is_verbose,
        is_ascii: is_ascii || (!is_csv && shell.view.mode == Mode::Ascii),
        column_separator,
        row_separator,
    })
}

/// Returns the separators that the mode of output has.
fn separators(shell: &mut Shell) -> Result<(u8, u8), String> {
    let view = &shell.view;
    let column = match view.column_separator.as_slice() {
        [byte] => *byte,
        [] => {
            return Err("Error: non-null column separator required for import".to_owned());
        }
        _ => {
            return Err(
                "Error: multi-character column separators not allowed for import".to_owned(),
            );
        }
    };
    match view.row_separator.as_slice() {
        [byte] => Ok((column, *byte)),
        [] => Err("Error: non-null row separator required for import".to_owned()),
        b"\r\n" if view.mode == Mode::Csv => {
            // From now on lines of CSV end so on output, too.
            shell.view.row_separator = b"\n".to_vec();
            Ok((column, b'\n'))
        }
        _ => Err("Error: multi-character row separators not allowed for import".to_owned()),
    }
}

/// Reads all rows; returns whether the last one could be inserted.
fn fill(shell: &mut Shell, request: &Request<'_>, reader: &mut Reader) -> Result<bool, String> {
    let name = quote::doubled(request.table.as_bytes(), b'"');
    let mut name = String::from_utf8_lossy(&name).into_owned();
    if let Some(schema) = request.schema {
        name = format!("{schema}.{name}");
    }
    let failed = |error: &rusqlite::Error| format!("Error: {}", describe(error).1);
    let exists = match shell.database().prepare(&format!("SELECT * FROM {name}")) {
        Ok(_) => true,
        Err(error) if describe(&error).1.starts_with("no such table: ") => false,
        Err(error) => return Err(failed(&error)),
    };
    if !exists {
        let create = match columns(shell, reader) {
            Some(columns) => format!("CREATE TABLE {name}{columns}\n"),
            None => return Err(format!("{}: empty file", reader.name)),
        };
        if request.is_verbose {
            shell.print(format!("{create}\n"));
        }
        shell
            .database()
            .execute_batch(&create)
            .map_err(|error| format!("{create} failed:\n{}", describe(&error).1))?;
    }
    let database = shell.database();
    let begins = database.is_autocommit();
    if begins {
        database
            .execute_batch("BEGIN")
            .map_err(|error| failed(&error))?;
    }
    let counts = insert(database, &name, reader).map_err(|error| failed(&error));
    if begins {
        database
            .execute_batch("COMMIT")
            .map_err(|error| failed(&error))?;
    }
    let counts = counts?;
    if request.is_verbose {
        shell.print(format!(
            "Added {} rows with {} errors using {} lines of input\n",
            counts.rows,
            counts.errors,
            reader.line - 1
        ));
    }
    Ok(!counts.has_last_failed)
}

#[derive(Default)]
struct Counts {
    rows: u64,
    errors: u64,
    has_last_failed: bool,
}

fn insert(database: &Connection, name: &str, reader: &mut Reader) -> rusqlite::Result<Counts> {
    let count = database
        .prepare(&format!("SELECT * FROM {name}"))?
        .column_count();
    let places = vec!["?"; count].join(",");
    let mut statement = database.prepare(&format!("INSERT INTO {name} VALUES({places})"))?;
    let mut counts = Counts::default();
    while reader.end != End::File {
        let line = reader.line;
        let mut found = 0;
        let mut is_empty = false;
        for index in 0..count {
            let field = reader.next();
            is_empty = index == 0
                && field
                    .as_ref()
                    .is_none_or(|field| reader.is_ascii && field.is_empty());
            if is_empty {
                break;
            }
            if let Some(field) = &field {
                statement.raw_bind_parameter(index + 1, Field(field))?;
            } else {
                statement.raw_bind_parameter(index + 1, rusqlite::types::Null)?;
            }
            found = index + 1;
            if found < count && reader.end != End::Field {
                reader.complain(
                    line,
                    &format!(
                        "expected {count} columns but found {found} - filling the rest with NULL"
                    ),
                );
                for rest in found..count {
                    statement.raw_bind_parameter(rest + 1, rusqlite::types::Null)?;
                }
                break;
            }
        }
        if reader.end == End::Field {
            while reader.end == End::Field {
                reader.next();
                found += 1;
            }
            reader.complain(
                line,
                &format!("expected {count} columns but found {found} - extras ignored"),
            );
        }
        if is_empty || found == 0 {
            continue;
        }
        match statement.raw_execute() {
            Ok(_) => {
                counts.rows += 1;
                counts.has_last_failed = false;
            }
            Err(error) => {
                reader.complain(line, &format!("INSERT failed: {}", describe(&error).1));
                counts.errors += 1;
                counts.has_last_failed = true;
            }
        }
    }
    Ok(counts)
}

/// Reads the first row and returns the columns of a new table; none without a row.
fn columns(shell: &Shell, reader: &mut Reader) -> Option<String> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    while let Some(field) = reader.next() {
        names.push(if field.is_empty() {
            b"?".to_vec()
        } else {
            field
        });
        if reader.end != End::Field {
            break;
        }
    }
    if names.is_empty() {
        return None;
    }
    let lower = |name: &[u8]| name.to_ascii_lowercase();
    let is_twice = |name: &[u8]| {
        names
            .iter()
            .filter(|other| lower(other) == lower(name))
            .count()
            > 1
    };
    // As many digits as it takes for a new name to be no other column's.
    let width = (1..=9)
        .find(|width| {
            names.iter().enumerate().all(|(index, name)| {
                let new = format!("{}_{:0width$}", String::from_utf8_lossy(name), index + 1);
                !is_twice(name)
                    || !names
                        .iter()
                        .any(|other| lower(other) == lower(new.as_bytes()))
            })
        })
        .unwrap_or(1);
    let mut renamed = Vec::new();
    let mut text = String::from("(\n");
    for (index, name) in names.iter().enumerate() {
        let mut shown = String::from_utf8_lossy(name).into_owned();
        if is_twice(name) {
            let new = format!("{shown}_{:0width$}", index + 1);
            renamed.push(format!("\"{shown}\" to \"{new}\""));
            shown = new;
        }
        if index > 0 {
            text.push_str(if index % 4 == 0 { ",\n " } else { ", " });
        }
        let quoted = quote::doubled(shown.as_bytes(), b'"');
        text.push_str(&String::from_utf8_lossy(&quoted));
        text.push_str(" TEXT");
    }
    text.push(')');
    if !renamed.is_empty() {
        shell.complain(format_args!(
            "Columns renamed during .import {} due to duplicates:\n{}",
            reader.name,
            renamed.join(",\n")
        ));
    }
    Some(text)
}

/// What a field ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Field,
    Row,
    File,
}

/// Reads field by field.
struct Reader {
    name: String,
    source: Box<dyn BufRead>,
    is_ascii: bool,
    column: u8,
    row: u8,
    line: u64,
    is_first: bool,
    end: End,
}

impl Reader {
    fn complain(&self, line: u64, message: &str) {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "{}:{line}: {message}", self.name);
    }

    fn byte(&mut self) -> Option<u8> {
        let buffer = self.source.fill_buf().ok()?;
        let byte = buffer.first().copied()?;
        self.source.consume(1);
        Some(byte)
    }

    fn ends(&mut self, byte: Option<u8>) -> bool {
        self.end = match byte {
            None => End::File,
            Some(byte) if byte == self.column => End::Field,
            Some(byte) if byte == self.row => End::Row,
            Some(_) => return false,
        };
        true
    }

    /// Returns the next field; none at the end of the file.
    fn next(&mut self) -> Option<Vec<u8>> {
        let mut byte = self.byte();
        if byte.is_none() {
            self.end = End::File;
            return None;
        }
        if std::mem::take(&mut self.is_first) && byte == Some(0xef) && !self.is_ascii {
            // The mark that says UTF-8 is no part of the first field.
            let (second, third) = (self.byte(), self.byte());
            if (second, third) == (Some(0xbb), Some(0xbf)) {
                byte = self.byte();
            } else {
                let field = [byte, second, third].into_iter().flatten().collect();
                let next = self.byte();
                return Some(self.plain(field, next));
            }
        }
        if byte == Some(b'"') && !self.is_ascii {
            return Some(self.quoted());
        }
        Some(self.plain(Vec::new(), byte))
    }

    fn plain(&mut self, mut field: Vec<u8>, mut byte: Option<u8>) -> Vec<u8> {
        while !self.ends(byte) {
            field.extend(byte);
            byte = self.byte();
        }
        if self.end == End::Row {
            self.line += 1;
            if !self.is_ascii && field.last() == Some(&b'\r') {
                field.pop();
            }
        }
        field
    }

    fn quoted(&mut self) -> Vec<u8> {
        const MARK: u8 = b'"';
        let mut field = Vec::new();
        let started = self.line;
        let (mut last, mut last_but_one) = (0, 0);
        loop {
            let byte = self.byte();
            if byte == Some(self.row) {
                self.line += 1;
            }
            if byte == Some(MARK) && last == MARK {
                last = 0;
                continue;
            }
            let is_closed =
                last == MARK || (byte == Some(self.row) && last == b'\r' && last_but_one == MARK);
            if is_closed && self.ends(byte) {
                while field.pop().is_some_and(|byte| byte != MARK) {}
                return field;
            }
            if last == MARK && byte != Some(b'\r') {
                self.complain(self.line, "unescaped \" character");
            }
            let Some(byte) = byte else {
                self.complain(started, "unterminated \"-quoted field");
                self.end = End::File;
                return field;
            };
            field.push(byte);
            (last_but_one, last) = (last, byte);
        }
    }
}
