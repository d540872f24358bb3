//! Commands that begin with a point.

mod data;
mod dump;
mod import;
mod information;
mod modes;
mod parameter;
mod schema;
mod settings;
mod streams;

use crate::shell::Shell;
use crate::usage;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Failed,
    /// The shell is to end.
    Quit,
}

type Run = fn(&mut Shell, &[String]) -> Outcome;

/// The commands: the name, how much of it must be there at least, what it does.
const COMMANDS: &[(&str, usize, Run)] = &[
    ("backup", 3, data::backup),
    ("bail", 3, settings::bail),
    ("binary", 3, settings::ignored),
    ("cd", 2, streams::cd),
    ("changes", 3, settings::changes),
    ("clone", 3, data::clone),
    ("crnl", 3, settings::ignored),
    ("databases", 2, information::databases),
    ("dbconfig", 3, information::database_settings),
    ("dbinfo", 3, information::database),
    ("dump", 1, dump::run),
    ("echo", 1, settings::echo),
    ("eqp", 2, settings::query_plan),
    ("exit", 1, quit),
    ("explain", 3, settings::explain),
    ("fullschema", 1, schema::full),
    ("headers", 2, settings::headers),
    ("help", 1, help),
    ("import", 2, import::run),
    ("indexes", 2, schema::indexes),
    ("indices", 2, schema::indexes),
    ("limit", 3, information::limit),
    ("mode", 1, modes::mode),
    ("nullvalue", 1, settings::null),
    ("once", 2, streams::once),
    ("open", 2, data::open),
    ("output", 1, streams::output),
    ("parameter", 2, parameter::run),
    ("print", 1, streams::print),
    ("progress", 3, settings::ignored),
    ("prompt", 3, settings::prompt),
    ("quit", 1, quit),
    ("read", 1, streams::read),
    ("restore", 3, data::restore),
    ("save", 3, data::backup),
    ("scanstats", 3, settings::ignored),
    ("schema", 1, schema::run),
    ("separator", 2, settings::separator),
    ("sha3sum", 4, information::hash),
    ("shell", 3, streams::system),
    ("show", 2, information::show),
    ("stats", 2, settings::ignored),
    ("system", 2, streams::system),
    ("tables", 2, schema::tables),
    ("timeout", 5, settings::timeout),
    ("timer", 4, settings::timer),
    ("version", 1, information::version),
    ("width", 1, settings::width),
];

/// Commands of SQLite's shell that are not there.
const ABSENT: &[&str] = &[
    "archive",
    "auth",
    "check",
    "connection",
    "excel",
    "expert",
    "filectrl",
    "imposter",
    "iotrace",
    "lint",
    "load",
    "log",
    "recover",
    "selftest",
    "session",
    "testcase",
    "testctrl",
    "trace",
    "vfsinfo",
    "vfslist",
    "vfsname",
];

/// Commands that reach beyond the database: `-safe` forbids them.
const UNSAFE: &[&str] = &[
    "backup", "cd", "clone", "import", "once", "output", "read", "restore", "save", "shell",
    "system",
];

/// Runs a line that begins with a point.
pub(crate) fn run(shell: &mut Shell, line: &str) -> Outcome {
    let words = words(line.strip_prefix('.').unwrap_or(line));
    let Some((name, arguments)) = words.split_first() else {
        return Outcome::Done;
    };
    let found = COMMANDS
        .iter()
        .find(|(command, length, _)| name.len() >= *length && command.starts_with(name.as_str()));
    if let Some((command, _, run)) = found {
        if shell.is_safe && UNSAFE.contains(command) {
            shell.complain(format_args!(
                "line {}: cannot run .{command} in safe mode",
                shell.line
            ));
            shell.out.reset();
            process::exit(1);
        }
        return run(shell, arguments);
    }
    if name.len() >= 3
        && let Some(command) = ABSENT
            .iter()
            .find(|command| command.starts_with(name.as_str()))
    {
        shell.complain(format_args!("Error: .{command} is not supported here"));
        return Outcome::Failed;
    }
    shell.complain(format_args!(
        "Error: unknown command or invalid arguments:  \"{name}\". Enter \".help\" for help"
    ));
    Outcome::Failed
}

/// Splits a line into words: quotes hold words together, and backslashes mean what they mean in C but in single
/// quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let word;
        if first == '\'' {
            let inner = rest.get(1..).unwrap_or_default();
            let end = inner.find('\'').unwrap_or(inner.len());
            word = inner.get(..end).unwrap_or_default().to_owned();
            rest = inner.get(end + 1..).unwrap_or_default();
        } else if first == '"' {
            let inner = rest.get(1..).unwrap_or_default();
            let end = end_of_quotation(inner);
            word = text(&unescaped(inner.get(..end).unwrap_or_default()));
            rest = inner.get(end + 1..).unwrap_or_default();
        } else {
            let end = rest.find(is_space).unwrap_or(rest.len());
            word = text(&unescaped(rest.get(..end).unwrap_or_default()));
            rest = rest.get(end..).unwrap_or_default();
        }
        words.push(word);
        rest = rest.trim_start_matches(is_space);
    }
    words
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn end_of_quotation(inner: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at,
            _ => {}
        }
    }
    inner.len()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns a text with its backslashes resolved as in C.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let Some(escape) = rest.next() else {
            bytes.push(byte);
            break;
        };
        bytes.push(match escape {
            b'a' => 0x07,
            b'b' => 0x08,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 0x0b,
            b'f' => 0x0c,
            b'r' => b'\r',
            b'0'..=b'7' => {
                let mut code = escape - b'0';
                for _ in 0..2 {
                    if let Some(digit) = rest.next_if(|digit| matches!(digit, b'0'..=b'7')) {
                        code = code.wrapping_mul(8).wrapping_add(digit - b'0');
                    }
                }
                code
            }
            other => other,
        });
    }
    bytes
}

/// Returns a switch: `on`, `yes` and numbers but 0 are on.
fn switch(shell: &Shell, word: &str) -> bool {
    if let Ok(number) = word.parse::<i64>() {
        return number != 0;
    }
    match word.to_ascii_lowercase().as_str() {
        "on" | "yes" => true,
        "off" | "no" => false,
        _ => {
            shell.complain(format_args!(
                "ERROR: Not a boolean value: \"{word}\". Assuming \"no\"."
            ));
            false
        }
    }
}

/// Says how a command is used.
fn misused(shell: &Shell, usage: &str) -> Outcome {
    shell.complain(format_args!("Usage: {usage}"));
    Outcome::Failed
}

fn quit(shell: &mut Shell, words: &[String]) -> Outcome {
    let code = words.first().and_then(|word| word.parse::<i64>().ok());
    if let Some(code) = code.filter(|code| *code != 0) {
        shell.out.reset();
        shell.close();
        process::exit(u8::try_from(code & 0xff).unwrap_or_default());
    }
    Outcome::Quit
}

fn help(shell: &mut Shell, words: &[String]) -> Outcome {
    let pattern = words
        .iter()
        .find(|word| !word.starts_with('-'))
        .map(|word| word.trim_start_matches('.').to_owned());
    let lines: String = usage::COMMANDS
        .split_inclusive('\n')
        .filter(|line| {
            let name = line.get(1..).unwrap_or_default();
            pattern
                .as_ref()
                .is_none_or(|pattern| name.starts_with(pattern.as_str()))
        })
        .collect();
    if lines.is_empty() {
        shell.print(format!(
            "Nothing matches '{}'\n",
            pattern.unwrap_or_default()
        ));
    } else {
        shell.print(lines);
    }
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_by_the_shell() {
        let cases: [(&str, &[&str]); 5] = [
            ("mode csv", &["mode", "csv"]),
            (
                r#"print "a\tb" 'c\td'  e"#,
                &["print", "a\tb", r"c\td", "e"],
            ),
            (r#"sep "\"" \054"#, &["sep", "\"", ","]),
            ("print ''", &["print", ""]),
            ("import 'a b", &["import", "a b"]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line), expected, "{line}");
        }
    }
}
