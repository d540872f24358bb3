//! What the shell and its database tell of themselves: `.show`, `.databases`, `.dbinfo`, `.limit`, `.sha3sum`.

use rusqlite::TransactionState;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;

use super::schema::{quoted, text};
use super::{Outcome, misused, modes, switch};
use crate::cell::Cell;
use crate::execute::describe;
use crate::functions::hash_of;
use crate::quote;
use crate::shell::{Explain, QueryPlan, Shell};
use crate::usage;

pub(super) fn version(shell: &mut Shell, _words: &[String]) -> Outcome {
    shell.print(format!("SQLite {}\n", usage::version()));
    Outcome::Done
}

pub(super) fn show(shell: &mut Shell, _words: &[String]) -> Outcome {
    let on = |is_on: bool| if is_on { "on" } else { "off" };
    let c = |text: &[u8]| {
        let mut quoted = Vec::new();
        // A vector takes whatever is written.
        let _ = quote::c(&mut quoted, text);
        String::from_utf8_lossy(&quoted).into_owned()
    };
    let view = &shell.view;
    let widths: String = view
        .widths
        .iter()
        .map(|width| format!("{width} "))
        .collect();
    let query_plan = match shell.query_plan {
        QueryPlan::Off => "off",
        QueryPlan::On => "on",
        QueryPlan::Full => "full",
    };
    let explain = match shell.explain {
        Explain::Off => "off",
        Explain::On => "on",
        Explain::Auto => "auto",
    };
    let rows = [
        ("echo", on(shell.echoes).to_owned()),
        ("eqp", query_plan.to_owned()),
        ("explain", explain.to_owned()),
        ("headers", on(view.has_header).to_owned()),
        ("mode", modes::description(shell)),
        ("nullvalue", c(&view.null)),
        ("output", shell.out.name.clone()),
        ("colseparator", c(&view.column_separator)),
        ("rowseparator", c(&view.row_separator)),
        ("stats", "off".to_owned()),
        ("width", widths),
        ("filename", shell.file.clone()),
    ];
    for (name, value) in rows {
        shell.print(format!("{name:>12}: {value}\n"));
    }
    Outcome::Done
}

pub(super) fn databases(shell: &mut Shell, _words: &[String]) -> Outcome {
    let rows = match shell.rows("PRAGMA database_list", &[]) {
        Ok(rows) => rows,
        Err(error) => {
            shell.complain(format_args!("Error: {}", describe(&error).1));
            return Outcome::Failed;
        }
    };
    for row in &rows {
        let [_, name, file] = row.as_slice() else {
            continue;
        };
        let (name, file) = (text(name), text(file));
        let database = shell.database();
        let access = if database.is_readonly(name.as_str()).unwrap_or(false) {
            "r/o"
        } else {
            "r/w"
        };
        let state = match database.transaction_state(Some(name.as_str())) {
            Ok(TransactionState::Read) => " read-txn",
            Ok(TransactionState::Write) => " write-txn",
            _ => "",
        };
        let file = if file.is_empty() { "\"\"" } else { &file };
        shell.print(format!("{name}: {file} {access}{state}\n"));
    }
    Outcome::Done
}

/// The numbers in a database's header: name and offset.
const HEADER: &[(&str, usize)] = &[
    ("file change counter:", 24),
    ("database page count:", 28),
    ("freelist page count:", 36),
    ("schema cookie:", 40),
    ("schema format:", 44),
    ("default cache size:", 48),
    ("autovacuum top root:", 52),
    ("incremental vacuum:", 64),
    ("text encoding:", 56),
    ("user version:", 60),
    ("application id:", 68),
    ("software version:", 96),
];

pub(super) fn database(shell: &mut Shell, words: &[String]) -> Outcome {
    let name = words.first().map_or("main", String::as_str);
    let sql = format!(
        "SELECT data FROM sqlite_dbpage('{}') WHERE pgno=1",
        name.replace('\'', "''")
    );
    let page = match shell.rows(&sql, &[]) {
        Ok(rows) => rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next()),
        Err(error) => {
            shell.complain(format_args!("error: {}", describe(&error).1));
            return Outcome::Failed;
        }
    };
    let Some(Cell::Blob(page)) =
        page.filter(|page| matches!(page, Cell::Blob(page) if page.len() >= 100))
    else {
        shell.complain(format_args!("unable to read database header"));
        return Outcome::Failed;
    };
    let number = |at: usize, length: usize| {
        page.get(at..at + length)
            .unwrap_or_default()
            .iter()
            .fold(0_u32, |number, byte| (number << 8) | u32::from(*byte))
    };
    let size = match number(16, 2) {
        1 => 65_536,
        size => size,
    };
    let mut lines = vec![
        ("database page size:", size.to_string()),
        ("write format:", number(18, 1).to_string()),
        ("read format:", number(19, 1).to_string()),
        ("reserved bytes:", number(20, 1).to_string()),
    ];
    for (name, at) in HEADER {
        let value = number(*at, 4);
        let note = match (*at, value) {
            (56, 1) => " (utf8)",
            (56, 2) => " (utf16le)",
            (56, 3) => " (utf16be)",
            _ => "",
        };
        lines.push((name, format!("{value}{note}")));
    }
    let schema = format!("{}.sqlite_schema", quoted(name));
    for (name, condition) in [
        ("number of tables:", " WHERE type='table'"),
        ("number of indexes:", " WHERE type='index'"),
        ("number of triggers:", " WHERE type='trigger'"),
        ("number of views:", " WHERE type='view'"),
        ("schema size:", ""),
    ] {
        let what = if condition.is_empty() {
            "total(length(sql))"
        } else {
            "count(*)"
        };
        let sql = format!("SELECT cast({what} as integer) FROM {schema}{condition}");
        let rows = shell.rows(&sql, &[]).unwrap_or_default();
        let value = rows.first().and_then(|row| row.first()).map(text);
        lines.push((name, value.unwrap_or_default()));
    }
    for (name, value) in lines {
        shell.print(format!("{name:<20} {value}\n"));
    }
    Outcome::Done
}

const LIMITS: &[(&str, Limit)] = &[
    ("length", Limit::SQLITE_LIMIT_LENGTH),
    ("sql_length", Limit::SQLITE_LIMIT_SQL_LENGTH),
    ("column", Limit::SQLITE_LIMIT_COLUMN),
    ("expr_depth", Limit::SQLITE_LIMIT_EXPR_DEPTH),
    ("compound_select", Limit::SQLITE_LIMIT_COMPOUND_SELECT),
    ("vdbe_op", Limit::SQLITE_LIMIT_VDBE_OP),
    ("function_arg", Limit::SQLITE_LIMIT_FUNCTION_ARG),
    ("attached", Limit::SQLITE_LIMIT_ATTACHED),
    (
        "like_pattern_length",
        Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH,
    ),
    ("variable_number", Limit::SQLITE_LIMIT_VARIABLE_NUMBER),
    ("trigger_depth", Limit::SQLITE_LIMIT_TRIGGER_DEPTH),
    ("worker_threads", Limit::SQLITE_LIMIT_WORKER_THREADS),
];

pub(super) fn limit(shell: &mut Shell, words: &[String]) -> Outcome {
    let print = |shell: &mut Shell, name: &str, limit: Limit| {
        let value = shell.database().limit(limit).unwrap_or(-1);
        shell.print(format!("{name:>20} {value}\n"));
    };
    if words.len() > 2 {
        return misused(shell, ".limit NAME ?NEW-VALUE?");
    }
    let Some(name) = words.first() else {
        for (name, limit) in LIMITS {
            print(shell, name, *limit);
        }
        return Outcome::Done;
    };
    let found: Vec<&(&str, Limit)> = LIMITS
        .iter()
        .filter(|(known, _)| known.starts_with(&name.to_ascii_lowercase()))
        .collect();
    let [(known, limit)] = found.as_slice() else {
        let kind = if found.is_empty() {
            "unknown"
        } else {
            "ambiguous"
        };
        let hint = if found.is_empty() {
            "\nenter \".limits\" with no arguments for a list."
        } else {
            ""
        };
        shell.complain(format_args!("{kind} limit: \"{name}\"{hint}"));
        return Outcome::Failed;
    };
    if let Some(value) = words.get(1) {
        // A value beyond what is possible is cut, as the line that is printed says.
        let _ = shell
            .database()
            .set_limit(*limit, value.parse().unwrap_or(0));
    }
    print(shell, known, *limit);
    Outcome::Done
}

const SETTINGS: &[(&str, DbConfig)] = &[
    ("defensive", DbConfig::SQLITE_DBCONFIG_DEFENSIVE),
    ("dqs_ddl", DbConfig::SQLITE_DBCONFIG_DQS_DDL),
    ("dqs_dml", DbConfig::SQLITE_DBCONFIG_DQS_DML),
    ("enable_fkey", DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY),
    ("enable_qpsg", DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG),
    ("enable_trigger", DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER),
    ("enable_view", DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW),
    (
        "legacy_alter_table",
        DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE,
    ),
    (
        "legacy_file_format",
        DbConfig::SQLITE_DBCONFIG_LEGACY_FILE_FORMAT,
    ),
    ("trigger_eqp", DbConfig::SQLITE_DBCONFIG_TRIGGER_EQP),
    ("trusted_schema", DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA),
    ("writable_schema", DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA),
];

pub(super) fn database_settings(shell: &mut Shell, words: &[String]) -> Outcome {
    let name = words.first();
    let mut is_known = false;
    for (known, setting) in SETTINGS {
        if name.is_some_and(|name| name != known) {
            continue;
        }
        is_known = true;
        if let Some(value) = words.get(1) {
            let is_on = switch(shell, value);
            // One that cannot be changed keeps its value, as the line that is printed says.
            let _ = shell.database().set_db_config(*setting, is_on);
        }
        let is_on = shell.database().db_config(*setting).unwrap_or(false);
        shell.print(format!(
            "{known:>19} {}\n",
            if is_on { "on" } else { "off" }
        ));
    }
    if is_known {
        return Outcome::Done;
    }
    shell.complain(format_args!(
        "Error: unknown dbconfig \"{}\"\nEnter \".dbconfig\" with no arguments for a list",
        name.map_or("", String::as_str)
    ));
    Outcome::Done
}

/// Prints the SHA-3 of all that the tables hold, as `sha3_query()` counts it.
pub(super) fn hash(shell: &mut Shell, words: &[String]) -> Outcome {
    let (mut bits, mut pattern, mut has_schema) = (224, None, false);
    for word in words {
        match word.trim_start_matches('-') {
            "schema" if word.starts_with('-') => has_schema = true,
            number @ ("sha3-224" | "sha3-256" | "sha3-384" | "sha3-512") => {
                bits = number
                    .get(5..)
                    .and_then(|bits| bits.parse().ok())
                    .unwrap_or(256);
            }
            _ if word.starts_with('-') => {
                shell.complain(format_args!("Unknown option \"{word}\" on \"sha3sum\""));
                return Outcome::Failed;
            }
            _ => {
                pattern = Some(word.clone());
                has_schema |= word.starts_with("sqlite_");
            }
        }
    }
    let tables = shell.rows(
        "SELECT lower(name) AS tname FROM sqlite_schema WHERE type='table' AND coalesce(rootpage,0)>1 \
         UNION ALL SELECT 'sqlite_schema' ORDER BY 1 COLLATE nocase",
        &[],
    );
    let mut queries = String::new();
    for row in tables.unwrap_or_default() {
        let name = row.first().map(text).unwrap_or_default();
        let is_wanted = match &pattern {
            Some(pattern) => *pattern == name,
            None => !name.starts_with("sqlite_") || (has_schema && name == "sqlite_schema"),
        };
        if !is_wanted {
            continue;
        }
        queries.push_str(&match name.as_str() {
            "sqlite_schema" => {
                "SELECT type,name,tbl_name,sql FROM sqlite_schema ORDER BY name;".to_owned()
            }
            _ => format!("SELECT * FROM {} NOT INDEXED;", quoted(&name)),
        });
    }
    if queries.is_empty() {
        return Outcome::Done;
    }
    let database = shell.database();
    match hash_of(database, &queries, bits) {
        Ok(hash) => {
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            shell.print(format!("{hex}\n"));
            Outcome::Done
        }
        Err(error) => {
            shell.complain(format_args!("Error: {}", describe(&error).1));
            Outcome::Failed
        }
    }
}
