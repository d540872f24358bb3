//! Whole databases: `.open`, `.backup`, `.save`, `.restore`, `.clone`.

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::schema::{quoted, text};
use super::{Outcome, misused};
use crate::execute::describe;
use crate::shell::Shell;

pub(super) fn open(shell: &mut Shell, words: &[String]) -> Outcome {
    let (mut file, mut is_new) = (None, false);
    shell.is_read_only = false;
    for word in words {
        let Some(option) = word.strip_prefix('-') else {
            if file.is_some() {
                shell.complain(format_args!("extra argument: \"{word}\""));
                return Outcome::Failed;
            }
            file = Some(word.as_str());
            continue;
        };
        match option.strip_prefix('-').unwrap_or(option) {
            "new" => is_new = true,
            "readonly" => shell.is_read_only = true,
            "nofollow" => shell.refuses_links = true,
            _ => {
                shell.complain(format_args!("unknown option: {word}"));
                return Outcome::Failed;
            }
        }
    }
    let file = file.unwrap_or(":memory:");
    if shell.is_safe && file != ":memory:" {
        shell.complain(format_args!(
            "cannot open disk-based database files in safe mode"
        ));
        return Outcome::Failed;
    }
    shell.close();
    if is_new {
        // There may be none.
        let _ = std::fs::remove_file(file);
    }
    match shell.open(file) {
        Ok(()) => Outcome::Done,
        Err(message) => {
            shell.complain(format_args!("{message}"));
            Outcome::Failed
        }
    }
}

/// Returns the database and the file that a command names.
fn names<'a>(
    shell: &Shell,
    words: &'a [String],
    command: &str,
) -> Result<(&'a str, &'a str), Outcome> {
    let mut names = Vec::new();
    for word in words {
        match word.as_str() {
            // Files of a hand are written as they are asked for; there is no other way.
            "-async" | "--async" => {}
            word if word.starts_with('-') => {
                shell.complain(format_args!("unknown option: {word}"));
                return Err(Outcome::Failed);
            }
            word => names.push(word),
        }
    }
    match names.as_slice() {
        [file] => Ok(("main", file)),
        [database, file] => Ok((database, file)),
        [] => {
            shell.complain(format_args!("missing FILENAME argument on .{command}"));
            Err(Outcome::Failed)
        }
        _ => Err(misused(
            shell,
            &format!(".{command} ?DB? ?OPTIONS? FILENAME"),
        )),
    }
}

pub(super) fn backup(shell: &mut Shell, words: &[String]) -> Outcome {
    let (database, file) = match names(shell, words, "backup") {
        Ok(names) => names,
        Err(outcome) => return outcome,
    };
    let mut target = match Connection::open(file) {
        Ok(target) => target,
        Err(_) => {
            shell.complain(format_args!("Error: cannot open \"{file}\""));
            return Outcome::Failed;
        }
    };
    let outcome = copy(shell.database(), database, &mut target, "main");
    finish(shell, outcome)
}

pub(super) fn restore(shell: &mut Shell, words: &[String]) -> Outcome {
    if words.is_empty() || words.len() > 2 {
        return misused(shell, ".restore ?DB? FILE");
    }
    let (database, file) = match names(shell, words, "restore") {
        Ok(names) => names,
        Err(outcome) => return outcome,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let source = match Connection::open_with_flags(file, flags) {
        Ok(source) => source,
        Err(_) => {
            shell.complain(format_args!("Error: cannot open \"{file}\""));
            return Outcome::Failed;
        }
    };
    let outcome = copy(&source, "main", shell.database(), database);
    finish(shell, outcome)
}

fn finish(shell: &Shell, outcome: rusqlite::Result<bool>) -> Outcome {
    match outcome {
        Ok(true) => Outcome::Done,
        Ok(false) => {
            shell.complain(format_args!("Error: source database is busy"));
            Outcome::Failed
        }
        Err(error) => {
            shell.complain(format_args!("Error: {}", describe(&error).1));
            Outcome::Failed
        }
    }
}

fn copy(
    from: &Connection,
    from_name: &str,
    to: &mut Connection,
    to_name: &str,
) -> rusqlite::Result<bool> {
    use rusqlite::backup::StepResult;

    const PAGES: i32 = 100;
    /// Tries while another process has the database.
    const TRIES: u32 = 3;
    let backup = Backup::new_with_names(from, from_name, to, to_name)?;
    let mut tries = 0;
    loop {
        match backup.step(PAGES)? {
            StepResult::Done => return Ok(true),
            StepResult::Busy | StepResult::Locked => {
                tries += 1;
                if tries >= TRIES {
                    return Ok(false);
                }
                process::wait(&[], Some(std::time::Duration::from_millis(100)));
            }
            _ => {}
        }
    }
}

/// Copies what can be read, object by object, into a new database.
pub(super) fn clone(shell: &mut Shell, words: &[String]) -> Outcome {
    let [file] = words else {
        return misused(shell, ".clone FILENAME");
    };
    if std::fs::exists(file).unwrap_or(true) {
        shell.complain(format_args!("File \"{file}\" already exists."));
        return Outcome::Done;
    }
    let target = match Connection::open(file) {
        Ok(target) => target,
        Err(error) => {
            shell.complain(format_args!(
                "Cannot create output database: {}",
                describe(&error).1
            ));
            return Outcome::Done;
        }
    };
    let outcome = clone_into(shell, &target);
    if let Err(error) = outcome {
        shell.complain(format_args!("Error: {}", describe(&error).1));
    }
    Outcome::Done
}

fn clone_into(shell: &mut Shell, target: &Connection) -> rusqlite::Result<()> {
    target.execute_batch("PRAGMA writable_schema=ON; BEGIN EXCLUSIVE;")?;
    let objects = shell.rows(
        "SELECT type, name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY type!='table', rowid",
        &[],
    )?;
    for object in &objects {
        let [kind, name, sql] = object.as_slice() else {
            continue;
        };
        let (kind, name, sql) = (text(kind), text(name), text(sql));
        if name.starts_with("sqlite_") && name != "sqlite_sequence" {
            continue;
        }
        shell.print(format!("{name}... "));
        if name != "sqlite_sequence"
            && let Err(error) = target.execute_batch(&sql)
        {
            shell.complain(format_args!("Error: {}\nSQL: [{sql}]", describe(&error).1));
        }
        if kind == "table" {
            clone_rows(shell.database(), target, &name)?;
        }
        shell.print("done\n");
    }
    target.execute_batch("COMMIT; PRAGMA writable_schema=OFF;")
}

fn clone_rows(from: &Connection, to: &Connection, name: &str) -> rusqlite::Result<()> {
    let mut select = from.prepare(&format!("SELECT * FROM {}", quoted(name)))?;
    let count = select.column_count();
    let places = vec!["?"; count].join(",");
    let mut insert = to.prepare(&format!(
        "INSERT OR IGNORE INTO {} VALUES({places})",
        quoted(name)
    ))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..count {
            let value = rusqlite::types::ToSqlOutput::Borrowed(row.get_ref(column)?);
            insert.raw_bind_parameter(column + 1, value)?;
        }
        insert.raw_execute()?;
    }
    Ok(())
}
