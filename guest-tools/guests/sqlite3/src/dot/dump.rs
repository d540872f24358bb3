//! `.dump`: a database as SQL that makes it again.

use super::Outcome;
use super::schema::{quoted, schema_line, text};
use crate::cell::Cell;
use crate::execute::{Failure, describe};
use crate::quote;
use crate::shell::Shell;
use crate::view::{Mode, View};

#[derive(Default)]
struct Wanted {
    condition: String,
    /// Rowids are written where a table has them and no column of its own for them.
    keeps_rowids: bool,
    keeps_newlines: bool,
    is_data_only: bool,
    hides_own: bool,
    /// SQLite's own check of its schema was turned off for a virtual table.
    is_schema_writable: bool,
    has_failed: bool,
}

pub(super) fn run(shell: &mut Shell, words: &[String]) -> Outcome {
    let mut wanted = match read(shell, words) {
        Ok(wanted) => wanted,
        Err(outcome) => return outcome,
    };
    if !wanted.is_data_only {
        shell.print("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n");
    }
    let prepared = shell
        .database()
        .execute_batch("SAVEPOINT dump; PRAGMA writable_schema=ON");
    if let Err(error) = prepared {
        complain(shell, &error);
        wanted.has_failed = true;
    }
    let outcome = objects(shell, &mut wanted);
    if let Err(error) = outcome {
        let message = describe(&error).1;
        shell.print(format!("/****** ERROR: {message} ******/\n"));
        complain(shell, &error);
        wanted.has_failed = true;
    }
    if wanted.is_schema_writable {
        shell.print("PRAGMA writable_schema=OFF;\n");
    }
    // Nothing was written, so there is nothing that could be lost.
    let _ = shell
        .database()
        .execute_batch("PRAGMA writable_schema=OFF; RELEASE dump;");
    if !wanted.is_data_only {
        shell.print(if wanted.has_failed {
            "ROLLBACK; -- due to errors\n"
        } else {
            "COMMIT;\n"
        });
    }
    if wanted.has_failed {
        Outcome::Failed
    } else {
        Outcome::Done
    }
}

fn complain(shell: &Shell, error: &rusqlite::Error) {
    shell.complain(format_args!("Error: {}", describe(error).1));
}

fn read(shell: &Shell, words: &[String]) -> Result<Wanted, Outcome> {
    let mut wanted = Wanted::default();
    let mut conditions = Vec::new();
    for word in words {
        let option = word.strip_prefix('-');
        match option.map(|option| option.strip_prefix('-').unwrap_or(option)) {
            Some("preserve-rowids") => wanted.keeps_rowids = true,
            Some("newlines") => wanted.keeps_newlines = true,
            Some("data-only") => wanted.is_data_only = true,
            Some("nosys") => wanted.hides_own = true,
            Some(_) => {
                shell.complain(format_args!("Unknown option \"{word}\" on \".dump\""));
                return Err(Outcome::Failed);
            }
            None => {
                let pattern = quote::doubled(word.as_bytes(), b'\'');
                let pattern = String::from_utf8_lossy(&pattern);
                conditions.push(format!(
                    "name LIKE {pattern} ESCAPE '\\' OR EXISTS (SELECT 1 FROM sqlite_schema WHERE \
                     name LIKE {pattern} ESCAPE '\\' AND sql LIKE 'CREATE VIRTUAL TABLE%' AND \
                     substr(o.name, 1, length(name)+1) == (name||'_'))"
                ));
            }
        }
    }
    wanted.condition = if conditions.is_empty() {
        "true".to_owned()
    } else {
        conditions.join(" OR ")
    };
    Ok(wanted)
}

fn objects(shell: &mut Shell, wanted: &mut Wanted) -> rusqlite::Result<()> {
    let condition = wanted.condition.clone();
    let tables = shell.rows(
        &format!(
            "SELECT name, sql FROM sqlite_schema AS o WHERE ({condition}) AND type=='table' AND \
             sql NOT NULL ORDER BY tbl_name='sqlite_sequence', rowid"
        ),
        &[],
    )?;
    for row in &tables {
        if let [name, statement] = row.as_slice() {
            table(
                shell,
                wanted,
                &text(name),
                &statement.text().unwrap_or_default(),
            )?;
        }
    }
    if wanted.is_data_only {
        return Ok(());
    }
    let others = shell.rows(
        &format!(
            "SELECT sql FROM sqlite_schema AS o WHERE ({condition}) AND sql NOT NULL AND \
             type IN ('index','trigger','view')"
        ),
        &[],
    )?;
    for statement in others.iter().filter_map(|row| row.first()) {
        let mut line = statement.text().unwrap_or_default().into_owned();
        // A comment at the end would hide the semicolon.
        if quote::contains(&line, b"--") {
            line.push(b'\n');
        }
        line.extend_from_slice(b";\n");
        shell.print(line);
    }
    Ok(())
}

fn table(
    shell: &mut Shell,
    wanted: &mut Wanted,
    name: &str,
    statement: &[u8],
) -> rusqlite::Result<()> {
    let is_statistics = matches!(
        name,
        "sqlite_stat1" | "sqlite_stat2" | "sqlite_stat3" | "sqlite_stat4"
    );
    if name == "sqlite_sequence" && !wanted.hides_own {
        if !wanted.is_data_only {
            shell.print("DELETE FROM sqlite_sequence;\n");
        }
    } else if is_statistics && !wanted.hides_own {
        if !wanted.is_data_only {
            shell.print("ANALYZE sqlite_schema;\n");
        }
    } else if name.starts_with("sqlite_") {
        return Ok(());
    } else if !wanted.is_data_only {
        if statement.starts_with(b"CREATE VIRTUAL TABLE") {
            virtual_table(shell, wanted, name, statement);
            return Ok(());
        }
        shell.print(schema_line(statement));
    } else if statement.starts_with(b"CREATE VIRTUAL TABLE") {
        return Ok(());
    }
    rows(shell, wanted, name)
}

fn virtual_table(shell: &mut Shell, wanted: &mut Wanted, name: &str, statement: &[u8]) {
    if !wanted.is_schema_writable {
        shell.print("PRAGMA writable_schema=ON;\n");
        wanted.is_schema_writable = true;
    }
    let name = quote::doubled(name.as_bytes(), b'\'');
    let mut line =
        b"INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table',".to_vec();
    line.extend_from_slice(&[&name, b",".as_slice(), &name, b",0,"].concat());
    line.extend_from_slice(&quote::doubled(statement, b'\''));
    line.extend_from_slice(b");\n");
    shell.print(line);
}

fn rows(shell: &mut Shell, wanted: &mut Wanted, name: &str) -> rusqlite::Result<()> {
    let info = shell.rows(&format!("PRAGMA table_info={}", quoted(name)), &[])?;
    let columns: Vec<Vec<u8>> = info
        .iter()
        .filter_map(|row| row.get(1))
        .map(|name| name.text().unwrap_or_default().into_owned())
        .collect();
    let quoted_columns: Vec<Vec<u8>> = columns.iter().map(|name| quote::name(name)).collect();
    let listed = |first: Option<&[u8]>| {
        let all = first
            .into_iter()
            .chain(quoted_columns.iter().map(Vec::as_slice));
        all.collect::<Vec<_>>().join(b",".as_slice())
    };
    let rowid = wanted
        .keeps_rowids
        .then(|| rowid_name(shell, name, &info, &columns))
        .flatten();
    let mut table = quote::name(name.as_bytes());
    let selected = match &rowid {
        Some(rowid) => {
            let all = listed(Some(rowid));
            table.extend_from_slice(&[b"(", all.as_slice(), b")"].concat());
            all
        }
        None => listed(None),
    };
    let sql = [
        b"SELECT ",
        selected.as_slice(),
        b" FROM ",
        quoted(name).as_bytes(),
    ]
    .concat();
    let view = View {
        mode: Mode::Insert,
        table,
        keeps_newlines: wanted.keeps_newlines,
        ..View::default()
    };
    let before = std::mem::replace(&mut shell.view, view);
    let outcome = shell.execute(&sql);
    shell.view = before;
    if let Err(Failure { message, .. }) = outcome {
        shell.print(format!("/****** ERROR: {message} ******/\n"));
        wanted.has_failed = true;
    }
    Ok(())
}

/// Returns what the rowid can be called, if it is no column of the table's own.
fn rowid_name(
    shell: &mut Shell,
    name: &str,
    info: &[Vec<Cell>],
    columns: &[Vec<u8>],
) -> Option<Vec<u8>> {
    let keys: Vec<&Vec<Cell>> = info
        .iter()
        .filter(|row| !matches!(row.get(5), Some(Cell::Integer(0))))
        .collect();
    let is_integer = |row: &&&Vec<Cell>| {
        row.get(2)
            .and_then(Cell::text)
            .is_some_and(|kind| kind.eq_ignore_ascii_case(b"INTEGER"))
    };
    if keys.len() == 1 && keys.iter().find(is_integer).is_some() {
        // An index for the key says that the key is not the rowid itself.
        let sql = format!(
            "SELECT 1 FROM pragma_index_list({}) WHERE origin='pk'",
            quoted(name)
        );
        if shell.rows(&sql, &[]).is_ok_and(|rows| rows.is_empty()) {
            return None;
        }
    }
    let free = ["rowid", "_rowid_", "oid"].into_iter().find(|known| {
        !columns
            .iter()
            .any(|column| column.eq_ignore_ascii_case(known.as_bytes()))
    })?;
    let sql = format!("SELECT {free} FROM {} LIMIT 0", quoted(name));
    shell
        .rows(&sql, &[])
        .is_ok()
        .then(|| free.as_bytes().to_vec())
}
