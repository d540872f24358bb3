//! clear, reset, tput and stty: there is no terminal, but their sequences can be asked for.

use std::io::{self, Write};

use crate::report;

const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

/// Capabilities of terminals that take ANSI's sequences, as `xterm` has them.
const TEXTS: &[(&str, &str)] = &[
    ("bel", "\x07"),
    ("blink", "\x1b[5m"),
    ("bold", "\x1b[1m"),
    ("civis", "\x1b[?25l"),
    ("clear", "\x1b[H\x1b[2J"),
    ("cnorm", "\x1b[?12l\x1b[?25h"),
    ("cr", "\r"),
    ("cub1", "\x08"),
    ("cud1", "\n"),
    ("cuf1", "\x1b[C"),
    ("cuu1", "\x1b[A"),
    ("dim", "\x1b[2m"),
    ("ed", "\x1b[J"),
    ("el", "\x1b[K"),
    ("el1", "\x1b[1K"),
    ("home", "\x1b[H"),
    ("op", "\x1b[39;49m"),
    ("rc", "\x1b8"),
    ("rev", "\x1b[7m"),
    ("ritm", "\x1b[23m"),
    ("rmcup", "\x1b[?1049l\x1b[23;0;0t"),
    ("rmso", "\x1b[27m"),
    ("rmul", "\x1b[24m"),
    ("sc", "\x1b7"),
    ("setb", ""),
    ("sgr0", "\x1b(B\x1b[m"),
    ("sitm", "\x1b[3m"),
    ("smcup", "\x1b[?1049h\x1b[22;0;0t"),
    ("smso", "\x1b[7m"),
    ("smul", "\x1b[4m"),
];

/// Runs clear and reset.
pub(crate) fn clear(program: &str, _arguments: &[String]) -> u8 {
    if program == "reset" {
        // There is nothing to set back, and nowhere to show it.
        return 0;
    }
    match kind("") {
        Ok(Kind::Dumb) => 0,
        Ok(Kind::Ansi(_)) => report::print(program, CLEAR),
        Err(message) => {
            let _ = writeln!(io::stderr(), "{message}");
            1
        }
    }
}

/// A kind of terminal, with its number of colours.
enum Kind {
    Dumb,
    Ansi(u32),
}

fn kind(name: &str) -> Result<Kind, String> {
    let variable = std::env::var("TERM").unwrap_or_default();
    let name = if name.is_empty() { &variable } else { name };
    if name.is_empty() {
        return Err("TERM environment variable not set.".to_owned());
    }
    Ok(match name {
        "dumb" | "unknown" => Kind::Dumb,
        "vt100" | "vt220" => Kind::Ansi(0),
        _ if name.ends_with("256color") || name == "xterm-kitty" || name == "alacritty" => {
            Kind::Ansi(256)
        }
        "xterm" | "linux" | "ansi" | "screen" | "tmux" | "rxvt" | "xterm-color" | "cygwin" => {
            Kind::Ansi(8)
        }
        _ => return Err(format!("'{name}': unknown terminal type.")),
    })
}

/// Runs tput: status 1 for a capability that the terminal lacks, 2 for wrong use, 3 for an unknown terminal, 4 for
/// an unknown capability.
pub(crate) fn tput(program: &str, arguments: &[String]) -> u8 {
    let mut name = String::new();
    let mut words = arguments.iter().peekable();
    while let Some(word) = words.next_if(|word| word.starts_with('-') && word.len() > 1) {
        match word.strip_prefix("-T") {
            Some("") => name = words.next().cloned().unwrap_or_default(),
            Some(attached) => attached.clone_into(&mut name),
            None if word == "-V" => return report::print(program, "ncurses 6.4 (Sinew)\n"),
            None if word == "-x" => {}
            None if word == "-S" => {
                report::complain(program, "the option -S is not supported");
                return 2;
            }
            None => {
                report::complain(
                    program,
                    format_args!("invalid option -- '{}'", word.trim_start_matches('-')),
                );
                return 2;
            }
        }
    }
    let Some(capability) = words.next() else {
        let _ = io::stderr().write_all(b"Usage: tput [options] [command]\n");
        return 2;
    };
    let kind = match kind(&name) {
        Ok(kind) => kind,
        Err(_) if name.is_empty() && std::env::var("TERM").unwrap_or_default().is_empty() => {
            report::complain(program, "No value for $TERM and no -T specified");
            return 2;
        }
        Err(_) => {
            let shown = if name.is_empty() {
                std::env::var("TERM").unwrap_or_default()
            } else {
                name
            };
            report::complain(program, format_args!("unknown terminal \"{shown}\""));
            return 3;
        }
    };
    let numbers: Vec<u32> = words.filter_map(|word| word.parse().ok()).collect();
    capability_of(program, &kind, capability, &numbers)
}

fn size(variable: &str, default: u32) -> u32 {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn capability_of(program: &str, kind: &Kind, name: &str, numbers: &[u32]) -> u8 {
    match name {
        "cols" => return report::print(program, format!("{}\n", size("COLUMNS", 80))),
        "lines" => return report::print(program, format!("{}\n", size("LINES", 24))),
        _ => {}
    }
    let first = numbers.first().copied().unwrap_or(0);
    let second = numbers.get(1).copied().unwrap_or(0);
    let Kind::Ansi(colours) = kind else {
        let is_known = TEXTS.iter().any(|(known, _)| *known == name)
            || matches!(
                name,
                "setaf" | "setab" | "cup" | "init" | "reset" | "longname"
            );
        return match name {
            "colors" => report::print(program, "-1\n"),
            "bel" => report::print(program, "\x07"),
            "cr" => report::print(program, "\r"),
            "cud1" => report::print(program, "\n"),
            "init" | "reset" => 0,
            "clear" => 1,
            _ if is_known => 1,
            _ => unknown(program, name),
        };
    };
    let colour = |base: u32, bright: u32, extended: u32| match first {
        0..=7 => format!("\x1b[{}m", base + first),
        8..=15 if *colours > 8 => format!("\x1b[{}m", bright + first - 8),
        _ if *colours > 8 => format!("\x1b[{extended};5;{first}m"),
        _ => format!("\x1b[{}m", base + first),
    };
    let text = match name {
        "colors" if *colours == 0 => "-1\n".to_owned(),
        "colors" => format!("{colours}\n"),
        "setaf" | "setab" if *colours == 0 => return 1,
        "setaf" => colour(30, 90, 38),
        "setab" => colour(40, 100, 48),
        "cup" => format!("\x1b[{};{}H", first + 1, second + 1),
        "cuu" => format!("\x1b[{first}A"),
        "cud" => format!("\x1b[{first}B"),
        "cuf" => format!("\x1b[{first}C"),
        "cub" => format!("\x1b[{first}D"),
        "init" | "reset" => String::new(),
        "clear" => CLEAR.to_owned(),
        _ => match TEXTS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => (*text).to_owned(),
            None => return unknown(program, name),
        },
    };
    report::print(program, text)
}

fn unknown(program: &str, name: &str) -> u8 {
    report::complain(
        program,
        format_args!("unknown terminfo capability '{name}'"),
    );
    4
}

/// Runs stty, which can only say that there is no terminal.
pub(crate) fn stty(program: &str, arguments: &[String]) -> u8 {
    let device =
        arguments
            .iter()
            .enumerate()
            .find_map(|(place, word)| match word.strip_prefix("-F") {
                Some("") => arguments.get(place + 1).cloned(),
                Some(attached) => Some(attached.to_owned()),
                None => word.strip_prefix("--file=").map(str::to_owned),
            });
    let name = match &device {
        Some(path) => {
            if let Err(error) = process::stat(path, true) {
                report::complain(program, format_args!("{path}: {error}"));
                return 1;
            }
            path.as_str()
        }
        None => "'standard input'",
    };
    report::complain(
        program,
        format_args!("{name}: Inappropriate ioctl for device"),
    );
    1
}
