//! ps: shows processes, as procps 4.0.

mod columns;
mod forest;
mod options;
mod sort;

use std::io::{self, Write};

use process::Entry;

use crate::{report, table};

use columns::Column;
use options::Wish;

/// Runs the command: status 1 if there is nothing to show.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let wish = match options::read(arguments) {
        Ok(Some(wish)) => wish,
        Ok(None) => return report::print(program, USAGE),
        Err(message) => return fail(&message),
    };
    if wish.shows_version {
        return report::print(program, "ps from procps-ng 4.0.2 (Sinew)\n");
    }
    let mut entries: Vec<Entry> = table::list()
        .into_iter()
        .filter(|entry| wish.takes(entry))
        .collect();
    if let Some(keys) = &wish.sort {
        match sort::keys(keys) {
            Some(keys) => sort::sort(&keys, &mut entries),
            None => return fail("unknown sort specifier"),
        }
    }
    let found = !entries.is_empty();
    let prefixes = if wish.is_forest {
        forest::arrange(&mut entries, wish.draws_lines)
    } else {
        vec![String::new(); entries.len()]
    };
    let text = show(&wish, &entries, &prefixes);
    report::print(program, text).max(u8::from(!found))
}

fn fail(message: &str) -> u8 {
    let _ = io::stderr().write_all(
        format!(
            "error: {message}\n\nUsage:\n ps [options]\n\n \
             Try 'ps --help <simple|list|output|threads|misc|all>'\n  \
             or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\n\
             For more details see ps(1).\n"
        )
        .as_bytes(),
    );
    1
}

fn show(wish: &Wish, entries: &[Entry], prefixes: &[String]) -> String {
    let mut out = String::new();
    let columns = &wish.columns;
    let has_header = wish.has_header && columns.iter().any(|column| !column.header.is_empty());
    if has_header {
        let cells: Vec<String> = columns.iter().map(|column| column.header.clone()).collect();
        line(wish, columns, &cells, &mut out);
    }
    for (entry, prefix) in entries.iter().zip(prefixes) {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| {
                let cell = column.show(entry);
                if column.is_command() {
                    format!("{prefix}{cell}")
                } else {
                    cell
                }
            })
            .collect();
        line(wish, columns, &cells, &mut out);
    }
    out
}

fn line(wish: &Wish, columns: &[Column], cells: &[String], out: &mut String) {
    let mut text = String::new();
    let last = columns.len().saturating_sub(1);
    for (at, (column, cell)) in columns.iter().zip(cells).enumerate() {
        if at > 0 {
            text.push(' ');
        }
        let length = cell.chars().count();
        let width = column.width;
        if column.is_right {
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(length)));
            text.push_str(cell);
        } else if at == last {
            text.push_str(cell);
        } else {
            // Text that is too long is cut, a user's name marked so.
            let cut: String = if length > width && column.is_user() {
                let kept: String = cell.chars().take(width.saturating_sub(1)).collect();
                kept + "+"
            } else {
                cell.chars().take(width).collect()
            };
            text.push_str(&cut);
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(length)));
        }
    }
    match wish.width {
        Some(width) => out.extend(text.chars().take(width)),
        None => out.push_str(&text),
    }
    out.push('\n');
}

const USAGE: &str = "
Usage:
 ps [options]

Basic options:
 -A, -e               all processes
 -a, a, x, r          as in procps; a hand has no terminals
 -N, --deselect       negate selection

Selection by list:
 -C <command>  -p, p, --pid <PID>  --ppid <PID>  -g <group>  -u, -U, U, --user <user>  -t <tty>

Output formats:
 -f -F -j -l -y, j l u   the usual ones
 -o, o, --format <format>   chosen columns, NAME or NAME=HEADER
 f, --forest, -H      a tree
 --sort <keys>, k <keys>   [+-]column, ...
 --no-headers, h      no header
 --cols <number>, -w  the width
";
