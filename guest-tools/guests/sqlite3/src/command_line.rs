//! The command line.

use std::fs::File;
use std::io::{BufReader, IsTerminal, Write};

use crate::dot;
use crate::input;
use crate::shell::Shell;
use crate::usage;
use crate::view::Mode;

/// The options that have an argument of their own, and how many.
const WITH_ARGUMENTS: &[(&str, usize)] = &[
    ("separator", 1),
    ("nullvalue", 1),
    ("newline", 1),
    ("cmd", 1),
    ("init", 1),
    ("vfs", 1),
    ("nonce", 1),
    ("maxsize", 1),
    ("mmap", 1),
    ("lookaside", 2),
    ("pagecache", 2),
    ("heap", 1),
];

const MODES: &[(&str, Mode)] = &[
    ("ascii", Mode::Ascii),
    ("box", Mode::Box),
    ("column", Mode::Column),
    ("csv", Mode::Csv),
    ("html", Mode::Html),
    ("json", Mode::Json),
    ("line", Mode::Line),
    ("list", Mode::List),
    ("markdown", Mode::Markdown),
    ("quote", Mode::Quote),
    ("table", Mode::Table),
    ("tabs", Mode::List),
];

/// Where SQL of the command line comes from.
#[derive(Default)]
struct Given<'a> {
    file: Option<&'a str>,
    commands: Vec<&'a str>,
    init: Option<&'a str>,
    is_batch: bool,
}

/// Runs the shell. Returns the exit status.
pub(crate) fn run(words: &[String]) -> u8 {
    let mut shell = Shell::new();
    let given = match read(&mut shell, words) {
        Ok(given) => given,
        Err(status) => return status,
    };
    let status = work(&mut shell, words, &given);
    shell.out.reset();
    shell.close();
    status
}

/// Takes the file and what is to be run from the command line; all other options are applied later.
fn read<'a>(shell: &mut Shell, words: &'a [String]) -> Result<Given<'a>, u8> {
    let mut given = Given::default();
    let mut rest = words.iter();
    let mut are_options = true;
    while let Some(word) = rest.next() {
        let option = word
            .strip_prefix('-')
            .filter(|option| are_options && !option.is_empty());
        let Some(option) = option else {
            if given.file.is_none() {
                given.file = Some(word);
            } else {
                given.commands.push(word);
            }
            continue;
        };
        let option = option.strip_prefix('-').unwrap_or(option);
        if option.is_empty() {
            are_options = false;
            continue;
        }
        let mut arguments = Vec::new();
        for _ in 0..arguments_of(option) {
            let Some(argument) = rest.next() else {
                shell.complain(format_args!("sqlite3: Error: missing argument to {word}"));
                return Err(1);
            };
            arguments.push(argument.as_str());
        }
        match option {
            "init" => given.init = arguments.first().copied(),
            "batch" => {
                shell.is_interactive = false;
                given.is_batch = true;
            }
            "interactive" => shell.is_interactive = true,
            "readonly" => shell.is_read_only = true,
            "nofollow" => shell.refuses_links = true,
            "safe" => shell.is_safe = true,
            "bail" => shell.bails = true,
            "append" | "zip" | "deserialize" | "A" | "memtrace" | "heap" | "vfs" => {
                shell.complain(format_args!("sqlite3: Error: {word} is not supported here"));
                return Err(1);
            }
            _ => {}
        }
        if option.starts_with('A') {
            shell.complain(format_args!(
                "sqlite3: Error: archives are not supported here"
            ));
            return Err(1);
        }
    }
    if let Some(file) = given.file {
        file.clone_into(&mut shell.file);
    }
    Ok(given)
}

fn arguments_of(option: &str) -> usize {
    WITH_ARGUMENTS
        .iter()
        .find(|(name, _)| *name == option)
        .map_or(0, |(_, count)| *count)
}

fn work(shell: &mut Shell, words: &[String], given: &Given<'_>) -> u8 {
    if std::fs::exists(&shell.file).unwrap_or(false) {
        shell.database();
    }
    if let Err(status) = initialise(shell, given) {
        return status;
    }
    if let Some(status) = apply(shell, words) {
        return status;
    }
    if !given.commands.is_empty() {
        for command in &given.commands {
            if let Some(status) = command_of(shell, command) {
                return status;
            }
        }
        return 0;
    }
    if !given.is_batch && std::io::stdin().is_terminal() {
        shell.is_interactive = true;
    }
    if shell.is_interactive {
        let version = rusqlite::version();
        shell.print(format!(
            "SQLite version {version}\nEnter \".help\" for usage hints.\n"
        ));
        if given.file.is_none() {
            shell.print(
                "Connected to a transient in-memory database.\n\
                 Use \".open FILENAME\" to reopen on a persistent database.\n",
            );
        }
    }
    let failures = input::run(shell, &mut BufReader::new(std::io::stdin()), true);
    if shell.is_interactive {
        shell.print("\n");
    }
    u8::from(failures > 0)
}

/// Runs `~/.sqliterc`, or the file that takes its place.
fn initialise(shell: &mut Shell, given: &Given<'_>) -> Result<(), u8> {
    let path = match given.init {
        Some(path) => path.to_owned(),
        None => match std::env::var("HOME") {
            Ok(home) => format!("{home}/.sqliterc"),
            Err(_) => return Ok(()),
        },
    };
    match File::open(&path) {
        Ok(file) => {
            let failures = input::run(shell, &mut BufReader::new(file), false);
            if failures > 0 && shell.bails {
                Err(1)
            } else {
                Ok(())
            }
        }
        Err(_) if given.init.is_some() => {
            shell.complain(format_args!("cannot open: \"{path}\""));
            if shell.bails { Err(1) } else { Ok(()) }
        }
        Err(_) => Ok(()),
    }
}

/// Applies the options in their order. Returns the exit status if that is all there is to do.
fn apply(shell: &mut Shell, words: &[String]) -> Option<u8> {
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let Some(option) = word.strip_prefix('-').filter(|option| !option.is_empty()) else {
            continue;
        };
        let option = option.strip_prefix('-').unwrap_or(option);
        if option.is_empty() {
            break;
        }
        let mut argument = "";
        for index in 0..arguments_of(option) {
            let word = rest.next().map_or("", String::as_str);
            argument = if index == 0 { word } else { argument };
        }
        if let Some((name, mode)) = MODES.iter().find(|(name, _)| *name == option) {
            set_mode(shell, name, *mode);
            continue;
        }
        match option {
            "header" => shell.view.has_header = true,
            "noheader" => shell.view.has_header = false,
            "separator" => shell.view.column_separator = argument.as_bytes().to_vec(),
            "newline" => shell.view.row_separator = argument.as_bytes().to_vec(),
            "nullvalue" => shell.view.null = argument.as_bytes().to_vec(),
            "echo" => shell.echoes = true,
            "eqp" => shell.query_plan = crate::shell::QueryPlan::On,
            "eqpfull" => shell.query_plan = crate::shell::QueryPlan::Full,
            "cmd" => {
                let status = command_of(shell, argument);
                if let Some(status) = status.filter(|status| shell.bails || *status == 0) {
                    return Some(status);
                }
            }
            "version" => {
                shell.print(format!("{}\n", usage::version()));
                return Some(0);
            }
            "help" => {
                let _ = std::io::stderr().write_all(usage::OPTIONS.as_bytes());
                return Some(0);
            }
            "init" | "batch" | "interactive" | "readonly" | "nofollow" | "safe" | "bail"
            | "stats" | "scanstats" | "backslash" | "lookaside" | "pagecache" | "mmap"
            | "nonce" | "maxsize" => {}
            _ => {
                shell.complain(format_args!("sqlite3: Error: unknown option: {word}"));
                shell.complain(format_args!("Use -help for a list of options."));
                return Some(1);
            }
        }
    }
    None
}

fn set_mode(shell: &mut Shell, name: &str, mode: Mode) {
    let view = &mut shell.view;
    view.mode = mode;
    match name {
        "ascii" | "quote" => view.set(mode),
        "csv" => view.column_separator = b",".to_vec(),
        "tabs" => {
            view.column_separator = b"\t".to_vec();
            view.row_separator = b"\n".to_vec();
        }
        _ => {}
    }
}

/// Runs SQL or a command from the command line. Returns the exit status if the program is to end.
fn command_of(shell: &mut Shell, command: &str) -> Option<u8> {
    if command.starts_with('.') {
        return match dot::run(shell, command) {
            dot::Outcome::Done => None,
            dot::Outcome::Failed => Some(1),
            dot::Outcome::Quit => Some(0),
        };
    }
    match shell.execute(command.as_bytes()) {
        Ok(()) => None,
        Err(failure) => {
            let phase = match failure.phase {
                crate::execute::Phase::Prepare => "in prepare",
                crate::execute::Phase::Step => "stepping",
            };
            shell.complain(format_args!("Error: {phase}, {}", failure.message));
            Some(failure.code)
        }
    }
}
