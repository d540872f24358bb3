//! column: lists in columns, and tables, as util-linux 2.38 sets them.

mod list;
mod options;
mod print;
mod table;
mod tree;

use std::io::{self, BufRead, Write};

use crate::{input, report};

use options::{Mode, Settings};

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (settings, names) = match options::read(program, arguments) {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut lines = Vec::new();
    let mut status = 0;
    let names = if names.is_empty() {
        vec!["-".to_owned()]
    } else {
        names
    };
    for name in &names {
        let read =
            input::open(name).and_then(|mut source| read(&mut *source, &settings, &mut lines));
        if let Err(error) = read {
            if process::Errno::from(&error) == process::Errno::IsDirectory {
                report::complain(program, "read failed: Is a directory");
                return 1;
            }
            report::complain(
                program,
                format_args!("{name}: {}", process::message(&error)),
            );
            status = 1;
        }
    }
    let made = match settings.mode {
        Mode::Table => table::make(&settings, &lines),
        _ => Ok(list::make(&settings, &lines)),
    };
    match made {
        Ok(text) => report::finish(
            program,
            io::stdout().lock().write_all(text.as_bytes()),
            status,
        ),
        Err(message) => {
            report::complain(program, message);
            1
        }
    }
}

fn read(source: &mut dyn BufRead, settings: &Settings, lines: &mut Vec<String>) -> io::Result<()> {
    let mut line = Vec::new();
    while input::line(source, &mut line)?.is_some() {
        let is_blank = line.iter().all(u8::is_ascii_whitespace);
        if is_blank {
            if settings.keeps_empty {
                lines.push(String::new());
            }
            continue;
        }
        lines.push(text(&line));
    }
    Ok(())
}

/// Returns a line as text; bytes that are no UTF-8 are shown as `\xff`.
fn text(line: &[u8]) -> String {
    let mut text = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Returns the columns that text takes on a terminal.
fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}
