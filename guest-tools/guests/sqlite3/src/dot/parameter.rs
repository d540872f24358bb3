//! `.parameter`: the values of parameters in SQL, kept in a temporary table.

use super::Outcome;
use crate::execute::describe;
use crate::quote;
use crate::shell::Shell;

const INIT: &str = "PRAGMA writable_schema=ON; \
    CREATE TABLE IF NOT EXISTS temp.sqlite_parameters(key TEXT PRIMARY KEY, value) WITHOUT ROWID; \
    PRAGMA writable_schema=OFF;";

const USAGE: &str = "\
.parameter CMD ...       Values of parameters in SQL
   clear                 forgets all
   init                  makes their table
   list                  shows all
   set PARAMETER VALUE   sets one to the value of an expression, or to a text
   unset PARAMETER       forgets one
";

pub(super) fn run(shell: &mut Shell, words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["clear"] => {
            // There may be no such table.
            let _ = shell
                .database()
                .execute_batch("DROP TABLE IF EXISTS temp.sqlite_parameters;");
            Outcome::Done
        }
        ["init"] => finish(shell, rusqlite::Connection::execute_batch, INIT),
        ["list"] => list(shell),
        ["set", key, value] => set(shell, key, value),
        ["unset", key] => {
            // There may be no such table.
            let _ = shell
                .database()
                .execute("DELETE FROM temp.sqlite_parameters WHERE key=?1", [key]);
            Outcome::Done
        }
        _ => {
            shell.print(USAGE);
            Outcome::Done
        }
    }
}

fn finish(
    shell: &mut Shell,
    run: fn(&rusqlite::Connection, &str) -> rusqlite::Result<()>,
    sql: &str,
) -> Outcome {
    let outcome = run(shell.database(), sql);
    match outcome {
        Ok(()) => Outcome::Done,
        Err(error) => {
            shell.complain(format_args!("Error: {}", describe(&error).1));
            Outcome::Failed
        }
    }
}

fn list(shell: &mut Shell) -> Outcome {
    let rows = shell.rows(
        "SELECT key, quote(value) FROM temp.sqlite_parameters ORDER BY 1",
        &[],
    );
    let rows = rows.unwrap_or_default();
    let texts: Vec<(String, String)> = rows
        .iter()
        .filter_map(|row| match row.as_slice() {
            [key, value] => Some((text(key), text(value))),
            _ => None,
        })
        .collect();
    let width = texts.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    for (key, value) in texts {
        shell.print(format!("{key:<width$} {value}\n"));
    }
    Outcome::Done
}

fn text(cell: &crate::cell::Cell) -> String {
    String::from_utf8_lossy(&cell.text().unwrap_or_default()).into_owned()
}

/// Sets a parameter to the value of an expression, or to the text where it is none.
fn set(shell: &mut Shell, key: &str, value: &str) -> Outcome {
    let database = shell.database();
    let ready = database.execute_batch(INIT);
    let as_text =
        |text: &str| String::from_utf8_lossy(&quote::doubled(text.as_bytes(), b'\'')).into_owned();
    let key = as_text(key);
    let replace = |value: &str| {
        format!("REPLACE INTO temp.sqlite_parameters(key,value)VALUES({key},{value});")
    };
    let outcome = ready
        .and_then(|()| database.execute(&replace(value), []))
        .or_else(|_| database.execute(&replace(&as_text(value)), []));
    match outcome {
        Ok(_) => Outcome::Done,
        Err(error) => {
            shell.complain(format_args!("Error: {}", describe(&error).1));
            Outcome::Failed
        }
    }
}
