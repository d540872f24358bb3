//! What the schema has: `.schema`, `.tables`, `.indexes`, `.fullschema`.

use rusqlite::ToSql;

use super::{Outcome, misused};
use crate::cell::Cell;
use crate::complete;
use crate::execute::describe;
use crate::quote;
use crate::shell::Shell;
use crate::view::{Mode, View};

/// Lists are laid out for a screen this wide.
const SCREEN: usize = 80;

/// Returns the names of all databases.
pub(super) fn databases(shell: &mut Shell) -> Vec<String> {
    let rows = shell.rows("PRAGMA database_list", &[]).unwrap_or_default();
    rows.iter().filter_map(|row| row.get(1)).map(text).collect()
}

pub(super) fn text(cell: &Cell) -> String {
    String::from_utf8_lossy(&cell.text().unwrap_or_default()).into_owned()
}

pub(super) fn quoted(name: &str) -> String {
    String::from_utf8_lossy(&quote::doubled(name.as_bytes(), b'"')).into_owned()
}

fn literal(text: &str) -> String {
    String::from_utf8_lossy(&quote::doubled(text.as_bytes(), b'\'')).into_owned()
}

fn fail(shell: &Shell, error: &rusqlite::Error) -> Outcome {
    shell.complain(format_args!("Error: {}", describe(error).1));
    Outcome::Failed
}

pub(super) fn tables(shell: &mut Shell, words: &[String]) -> Outcome {
    names(
        shell,
        words,
        "name",
        "type IN ('table','view') AND name NOT LIKE 'sqlite_%' AND name LIKE ?1",
    )
}

pub(super) fn indexes(shell: &mut Shell, words: &[String]) -> Outcome {
    if words.len() > 1 {
        return misused(shell, ".indexes ?LIKE-PATTERN?");
    }
    names(
        shell,
        words,
        "tbl_name",
        "type='index' AND tbl_name LIKE ?1",
    )
}

/// Lists names in columns.
fn names(shell: &mut Shell, words: &[String], _by: &str, condition: &str) -> Outcome {
    let queries: Vec<String> = databases(shell)
        .iter()
        .map(|database| {
            let shown = if database == "main" {
                "name".to_owned()
            } else {
                format!("{}||'.'||name", literal(database))
            };
            format!(
                "SELECT {shown} FROM {}.sqlite_schema WHERE {condition}",
                quoted(database)
            )
        })
        .collect();
    let sql = format!("{} ORDER BY 1", queries.join(" UNION ALL "));
    let pattern = words.first().map_or("%", String::as_str);
    let rows = match shell.rows(&sql, &[&pattern as &dyn ToSql]) {
        Ok(rows) => rows,
        Err(error) => return fail(shell, &error),
    };
    let names: Vec<String> = rows
        .iter()
        .filter_map(|row| row.first())
        .map(text)
        .collect();
    let longest = names.iter().map(String::len).max().unwrap_or(0);
    let columns = (SCREEN / (longest + 2)).max(1);
    let lines = names.len().div_ceil(columns);
    for line in 0..lines {
        let mut shown = String::new();
        for (index, name) in names.iter().enumerate().skip(line).step_by(lines) {
            if index >= lines {
                shown.push_str("  ");
            }
            shown.push_str(name);
            shown.push_str(&" ".repeat(longest - name.len()));
        }
        shell.print(format!("{shown}\n"));
    }
    Outcome::Done
}

pub(super) fn run(shell: &mut Shell, words: &[String]) -> Outcome {
    let (mut pattern, mut is_indented, mut hides_own) = (None, false, false);
    for word in words {
        match word.trim_start_matches('-') {
            "indent" if word.starts_with('-') => is_indented = true,
            "nosys" if word.starts_with('-') => hides_own = true,
            _ if word.starts_with('-') => {
                shell.complain(format_args!("Unknown option: \"{word}\""));
                return Outcome::Failed;
            }
            _ if pattern.is_none() => pattern = Some(word.as_str()),
            _ => return misused(shell, ".schema ?--indent? ?--nosys? ?LIKE-PATTERN?"),
        }
    }
    if let Some(name) = pattern.filter(|name| is_schema_table(name)) {
        shell.print(format!(
            "CREATE TABLE {name} (\n  type text,\n  name text,\n  tbl_name text,\n  rootpage integer,\n  sql text\n);\n"
        ));
    }
    match statements(shell, pattern, hides_own) {
        Ok(statements) => {
            for statement in statements {
                let line = if is_indented {
                    indented(&statement)
                } else {
                    statement
                };
                let line = schema_line(line.as_bytes());
                shell.print(line);
            }
            Outcome::Done
        }
        Err(error) => fail(shell, &error),
    }
}

fn is_schema_table(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("main.").unwrap_or(&name);
    matches!(
        name,
        "sqlite_master" | "sqlite_schema" | "sqlite_temp_master" | "sqlite_temp_schema"
    )
}

/// Returns the statements of the schema, with the database's name in those that are not of the main one.
fn statements(
    shell: &mut Shell,
    pattern: Option<&str>,
    hides_own: bool,
) -> rusqlite::Result<Vec<String>> {
    let mut all: Vec<(i64, usize, String)> = Vec::new();
    for (place, database) in databases(shell).iter().enumerate() {
        let mut sql = format!(
            "SELECT sql, type, name, rowid FROM {}.sqlite_schema WHERE sql IS NOT NULL",
            quoted(database)
        );
        if hides_own {
            sql.push_str(" AND name NOT LIKE 'sqlite_%'");
        }
        let mut parameters: Vec<&dyn ToSql> = Vec::new();
        let lower = pattern.map(str::to_ascii_lowercase);
        if let (Some(pattern), Some(lower)) = (&pattern, &lower) {
            let subject = if pattern.contains('.') {
                format!("lower(format('%s.%s',{},tbl_name))", literal(database))
            } else {
                "lower(tbl_name)".to_owned()
            };
            let operator = if pattern.contains(['*', '?', '[']) {
                "GLOB"
            } else {
                "LIKE"
            };
            sql.push_str(&format!(" AND {subject} {operator} ?1"));
            parameters.push(lower);
        }
        sql.push_str(" ORDER BY rowid");
        for row in shell.rows(&sql, &parameters)? {
            let [statement, kind, name, number] = row.as_slice() else {
                continue;
            };
            let (statement, kind, name) = (text(statement), text(kind), text(name));
            let number = match number {
                Cell::Integer(number) => *number,
                _ => 0,
            };
            all.push((
                number,
                place,
                shown(shell, database, &statement, &kind, &name),
            ));
        }
    }
    // In order of the databases, as SQLite's shell has them: they come in that order already.
    Ok(all.into_iter().map(|(_, _, statement)| statement).collect())
}

fn shown(shell: &mut Shell, database: &str, statement: &str, kind: &str, name: &str) -> String {
    const KINDS: [&str; 6] = [
        "TABLE",
        "INDEX",
        "UNIQUE INDEX",
        "VIEW",
        "TRIGGER",
        "VIRTUAL TABLE",
    ];
    let mut shown = statement.to_owned();
    if database != "main"
        && let Some(rest) = statement.strip_prefix("CREATE ")
        && let Some((words, rest)) = KINDS
            .iter()
            .find_map(|words| Some((words, rest.strip_prefix(words)?.strip_prefix(' ')?)))
    {
        let database = String::from_utf8_lossy(&quote::name(database.as_bytes())).into_owned();
        shown = format!("CREATE {words} {database}.{rest}");
    }
    if kind == "view" || statement.starts_with("CREATE VIRTUAL TABLE") {
        let columns = columns(shell, database, name);
        if !columns.is_empty() {
            shown.push_str(&format!("\n/* {columns} */"));
        }
    }
    shown
}

/// Returns a table's name with its columns, as a declaration without types.
fn columns(shell: &mut Shell, database: &str, name: &str) -> String {
    let sql = format!("PRAGMA {}.table_info={}", quoted(database), literal(name));
    let rows = shell.rows(&sql, &[]).unwrap_or_default();
    if rows.is_empty() {
        return String::new();
    }
    let as_name = |name: &str| String::from_utf8_lossy(&quote::name(name.as_bytes())).into_owned();
    let columns: Vec<String> = rows
        .iter()
        .filter_map(|row| row.get(1))
        .map(|name| as_name(&text(name)))
        .collect();
    let mut shown = String::new();
    if database != "main" && database != "temp" {
        shown = format!("{}.", as_name(database));
    }
    format!("{shown}{}({})", as_name(name), columns.join(","))
}

/// Returns a statement of the schema with its end, so that it is one also behind a comment.
pub(super) fn schema_line(statement: &[u8]) -> Vec<u8> {
    let mut line = statement.to_vec();
    if quote::contains(&line, b"/*") || quote::contains(&line, b"--") {
        for end in ["", "*/", "\n"] {
            let whole = [&line, end.as_bytes(), b";"].concat();
            if complete::is_complete(&whole) {
                line.extend_from_slice(end.as_bytes());
                break;
            }
        }
    }
    let mut shown = match line.strip_prefix(b"CREATE TABLE ") {
        Some(rest) if matches!(rest.first(), Some(b'\'' | b'"')) => {
            [b"CREATE TABLE IF NOT EXISTS ", rest].concat()
        }
        _ => line,
    };
    shown.extend_from_slice(b";\n");
    shown
}

/// Statements that are not longer stay on their line.
const LINE_MAX: usize = 78;

/// Returns a statement without needless white space, and a long one with a line for each column.
fn indented(statement: &str) -> String {
    if statement.starts_with("CREATE VIEW") || statement.starts_with("CREATE TRIG") {
        return statement.to_owned();
    }
    let short = compact(statement.trim_ascii());
    if short.len() <= LINE_MAX {
        return short;
    }
    let (mut shown, mut depth, mut lines) = (String::new(), 0_i32, 0);
    let mut quotation: Option<char> = None;
    let mut rest = short.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            _ if quotation == Some(letter) => quotation = None,
            _ if quotation.is_some() => {}
            '"' | '\'' | '`' => quotation = Some(letter),
            '[' => quotation = Some(']'),
            '-' if rest.peek() == Some(&'-') => quotation = Some('\n'),
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if lines > 0 && depth == 0 && !shown.ends_with('\n') {
                    shown.push('\n');
                }
            }
            _ => {}
        }
        let is_end = match letter {
            '(' | '\n' => true,
            ',' => !ends_line(rest.clone()),
            _ => false,
        };
        if depth == 1 && quotation.is_none() && is_end {
            if letter != '\n' {
                shown.push(letter);
            }
            shown.push_str("\n  ");
            lines += 1;
            while rest.next_if(char::is_ascii_whitespace).is_some() {}
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Returns whether nothing but white space and a comment follows on the line.
fn ends_line(rest: impl Iterator<Item = char>) -> bool {
    let line: String = rest.take_while(|letter| *letter != '\n').collect();
    let line = line.trim_ascii();
    line.starts_with("--")
}

fn compact(statement: &str) -> String {
    let mut short = String::new();
    for letter in statement.chars() {
        if letter.is_ascii_whitespace() {
            if short.ends_with(|last: char| last.is_ascii_whitespace() || last == '(') {
                continue;
            }
        } else if matches!(letter, '(' | ')')
            && short.ends_with(|last: char| last.is_ascii_whitespace())
        {
            short.pop();
        }
        short.push(letter);
    }
    short.truncate(short.trim_ascii_end().len());
    short
}

pub(super) fn full(shell: &mut Shell, words: &[String]) -> Outcome {
    let is_indented = words
        .iter()
        .any(|word| word.trim_start_matches('-') == "indent");
    let sql = "SELECT sql FROM (SELECT sql sql, type type, tbl_name tbl_name, name name, rowid x \
               FROM sqlite_schema UNION ALL SELECT sql, type, tbl_name, name, rowid FROM sqlite_temp_schema) \
               WHERE type!='meta' AND sql NOTNULL AND name NOT LIKE 'sqlite_%' ORDER BY x";
    let rows = match shell.rows(sql, &[]) {
        Ok(rows) => rows,
        Err(error) => return fail(shell, &error),
    };
    for row in &rows {
        let statement = row.first().map(text).unwrap_or_default();
        let statement = if is_indented {
            indented(&statement)
        } else {
            statement
        };
        shell.print(schema_line(statement.as_bytes()));
    }
    let statistics = shell
        .rows(
            "SELECT name FROM sqlite_schema WHERE name GLOB 'sqlite_stat[134]' ORDER BY 1",
            &[],
        )
        .unwrap_or_default();
    if statistics.is_empty() {
        shell.print("/* No STAT tables available */\n");
        return Outcome::Done;
    }
    shell.print("ANALYZE sqlite_schema;\n");
    for row in &statistics {
        let name = row.first().map(text).unwrap_or_default();
        let view = View {
            mode: Mode::Insert,
            table: name.clone().into_bytes(),
            ..View::default()
        };
        let before = std::mem::replace(&mut shell.view, view);
        // It was found just before.
        let _ = shell.execute(format!("SELECT * FROM {name}").as_bytes());
        shell.view = before;
    }
    shell.print("ANALYZE sqlite_schema;\n");
    Outcome::Done
}
