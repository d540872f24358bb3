//! pgrep and pkill: find processes by name and other things, and show or signal them.

use std::io::{self, Write};

use gnu_options::{Item, Takes};
use process::{Entry, signal};
use regex::{Regex, RegexBuilder};

use crate::{report, table};

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "acd:efF:g:G:hiLlnoO:P:qr:s:t:u:U:vVwxA",
    long: &[
        ("count", Takes::Nothing, 'c'),
        ("delimiter", Takes::Argument, 'd'),
        ("echo", Takes::Nothing, 'e'),
        ("euid", Takes::Argument, 'u'),
        ("exact", Takes::Nothing, 'x'),
        ("full", Takes::Nothing, 'f'),
        ("group", Takes::Argument, 'G'),
        ("help", Takes::Nothing, 'h'),
        ("ignore-ancestors", Takes::Nothing, 'A'),
        ("ignore-case", Takes::Nothing, 'i'),
        ("inverse", Takes::Nothing, 'v'),
        ("lightweight", Takes::Nothing, 'w'),
        ("list-full", Takes::Nothing, 'a'),
        ("list-name", Takes::Nothing, 'l'),
        ("newest", Takes::Nothing, 'n'),
        ("older", Takes::Argument, 'O'),
        ("oldest", Takes::Nothing, 'o'),
        ("parent", Takes::Argument, 'P'),
        ("pgroup", Takes::Argument, 'g'),
        ("pidfile", Takes::Argument, 'F'),
        ("runstates", Takes::Argument, 'r'),
        ("session", Takes::Argument, 's'),
        ("signal", Takes::Argument, 'S'),
        ("terminal", Takes::Argument, 't'),
        ("uid", Takes::Argument, 'U'),
        ("version", Takes::Nothing, 'V'),
    ],
};

const NONE: u8 = 1;
const USAGE_STATUS: u8 = 2;
const FATAL: u8 = 3;

#[derive(Default)]
struct Wish {
    pattern: Option<Regex>,
    is_full: bool,
    is_inverse: bool,
    ignores_ancestors: bool,
    newest: bool,
    oldest: bool,
    older: Option<u64>,
    parents: Vec<u32>,
    groups: Vec<u32>,
    pids: Option<Vec<u32>>,
    states: Option<String>,
    /// Users were named, and whether one of them is the hand's.
    user: Option<bool>,
    names_terminal: bool,
    has_criteria: bool,
}

/// How what was found is shown.
struct Output {
    counts: bool,
    shows_name: bool,
    shows_command: bool,
    delimiter: String,
    echoes: bool,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let is_kill = program == "pkill";
    let mut arguments = arguments.to_vec();
    let mut number = signal::TERM;
    if is_kill {
        // The signal may be an option of its own: -9, -HUP.
        let known = |word: &String| signal::number(word.strip_prefix('-')?);
        if let Some((place, found)) = arguments
            .iter()
            .take_while(|word| *word != "--")
            .enumerate()
            .find_map(|(place, word)| Some((place, known(word)?)))
        {
            number = found;
            arguments.remove(place);
        }
    }
    let (items, error) = gnu_options::parse(&OPTIONS, &arguments);
    if let Some(error) = error {
        report::complain(program, error);
        let _ = io::stderr().write_all(format!("\n{}", usage(program)).as_bytes());
        return USAGE_STATUS;
    }
    let mut wish = Wish::default();
    let mut output = Output {
        counts: false,
        shows_name: false,
        shows_command: false,
        delimiter: "\n".to_owned(),
        echoes: false,
    };
    let mut patterns = Vec::new();
    let (mut ignores_case, mut is_exact) = (false, false);
    for item in items {
        let (letter, value) = match item {
            Item::Operand(pattern) => {
                patterns.push(pattern);
                continue;
            }
            Item::Option(letter, value, _) => (letter, value.unwrap_or_default()),
        };
        match letter {
            'a' => output.shows_command = true,
            'c' => output.counts = true,
            'd' => output.delimiter = value,
            'e' => output.echoes = true,
            'l' => output.shows_name = true,
            'i' => ignores_case = true,
            'x' => is_exact = true,
            'S' => match signal::number(&value) {
                Some(found) => number = found,
                None => {
                    report::complain(program, format_args!("Unknown signal \"{value}\"."));
                    return USAGE_STATUS;
                }
            },
            'h' => return report::print(program, usage(program)),
            'V' => {
                return report::print(program, format!("{program} from procps-ng 4.0.2 (Sinew)\n"));
            }
            _ => {
                if let Err(message) = wish.add(letter, &value) {
                    report::complain(program, message);
                    return USAGE_STATUS;
                }
            }
        }
    }
    if patterns.len() > 1 {
        report::complain(program, "only one pattern can be provided");
        return try_help(program);
    }
    if patterns.is_empty() && !wish.has_criteria {
        report::complain(program, "no matching criteria specified");
        return try_help(program);
    }
    if let Some(pattern) = patterns.pop() {
        if pattern.chars().count() > 15 && !wish.is_full {
            report::complain(
                program,
                "pattern that searches for process name longer than 15 characters will result in \
                 zero matches\nTry `"
                    .to_owned()
                    + program
                    + " -f' option to match against the complete command line.",
            );
        }
        let text = if is_exact {
            format!("^(?:{pattern})$")
        } else {
            pattern
        };
        match RegexBuilder::new(&text)
            .case_insensitive(ignores_case)
            .build()
        {
            Ok(regex) => wish.pattern = Some(regex),
            Err(_) => {
                report::complain(program, "Invalid regular expression");
                return USAGE_STATUS;
            }
        }
    }
    let found = wish.select();
    if is_kill {
        return kill(program, &found, number, &output);
    }
    show(program, &found, &output)
}

fn try_help(program: &str) -> u8 {
    let _ = writeln!(io::stderr(), "Try `{program} --help' for more information.");
    USAGE_STATUS
}

impl Wish {
    fn add(&mut self, letter: char, value: &str) -> Result<(), String> {
        let numbers = |own: fn() -> u32| {
            value
                .split(',')
                .map(|word| match word.parse::<u32>() {
                    Ok(0) => Ok(own()),
                    Ok(number) => Ok(number),
                    Err(_) => Err(format!("not a number: {word}")),
                })
                .collect::<Result<Vec<u32>, String>>()
        };
        self.has_criteria |= !matches!(letter, 'f' | 'v' | 'A' | 'w' | 'L' | 'q');
        match letter {
            'f' => self.is_full = true,
            'v' => self.is_inverse = true,
            'A' => self.ignores_ancestors = true,
            'n' => self.newest = true,
            'o' => self.oldest = true,
            'O' => {
                let seconds = value.parse();
                self.older = Some(seconds.map_err(|_| format!("not a number: {value}"))?);
            }
            'P' => self.parents = numbers(process::pid)?,
            'g' => self.groups = numbers(process::group)?,
            'F' => {
                let text =
                    std::fs::read_to_string(value).map_err(|_| "pidfile not valid".to_owned())?;
                let pid = text
                    .split_whitespace()
                    .next()
                    .and_then(|word| word.parse().ok());
                self.pids = Some(vec![pid.ok_or_else(|| "pidfile not valid".to_owned())?]);
            }
            'r' => self.states = Some(value.to_owned()),
            'u' | 'U' => {
                for word in value.split(',') {
                    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
                    let is_known = ["root", "nobody", process::USER_NAME].contains(&word);
                    if !is_number && !is_known && !table::is_user(word) {
                        return Err(format!("invalid user name: {word}"));
                    }
                    *self.user.get_or_insert(false) |= table::is_user(word);
                }
            }
            't' => self.names_terminal = true,
            's' => return Err("sessions are not known here".to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn fits(&self, entry: &Entry) -> bool {
        let is_in = |list: &[u32], number: u32| list.is_empty() || list.contains(&number);
        let states = || self.states.as_ref();
        let others = is_in(&self.parents, entry.parent)
            && is_in(&self.groups, entry.group)
            && self
                .pids
                .as_ref()
                .is_none_or(|pids| pids.contains(&entry.pid))
            && self.user != Some(false)
            && !self.names_terminal
            && self
                .older
                .is_none_or(|seconds| table::age(entry) >= seconds)
            && states().is_none_or(|states| states.contains(entry.state));
        let text = if self.is_full {
            table::command(entry)
        } else {
            table::short_name(entry)
        };
        let by_name = self
            .pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(&text));
        (others && by_name) != self.is_inverse
    }

    fn select(&self) -> Vec<Entry> {
        let own = process::pid();
        let all = table::list();
        let mut passed = vec![own];
        if self.ignores_ancestors {
            let mut at = own;
            while let Some(entry) = all.iter().find(|entry| entry.pid == at) {
                if passed.contains(&entry.parent) {
                    break;
                }
                passed.push(entry.parent);
                at = entry.parent;
            }
        }
        let mut found: Vec<Entry> = all
            .into_iter()
            .filter(|entry| !passed.contains(&entry.pid) && self.fits(entry))
            .collect();
        let key = |entry: &Entry| (entry.started, entry.pid);
        if self.newest {
            found = found.into_iter().max_by_key(key).into_iter().collect();
        } else if self.oldest {
            found = found.into_iter().min_by_key(key).into_iter().collect();
        }
        found
    }
}

fn show(program: &str, found: &[Entry], output: &Output) -> u8 {
    let status = if found.is_empty() { NONE } else { 0 };
    if output.counts {
        return report::print(program, format!("{}\n", found.len())).max(status);
    }
    let lines: Vec<String> = found
        .iter()
        .map(|entry| {
            if output.shows_command {
                format!("{} {}", entry.pid, table::command(entry))
            } else if output.shows_name {
                format!("{} {}", entry.pid, table::short_name(entry))
            } else {
                entry.pid.to_string()
            }
        })
        .collect();
    let mut text = lines.join(&output.delimiter);
    if !text.is_empty() {
        text.push('\n');
    }
    report::print(program, text).max(status)
}

fn kill(program: &str, found: &[Entry], number: u8, output: &Output) -> u8 {
    let mut text = String::new();
    let mut status = NONE;
    for entry in found {
        let Ok(pid) = i32::try_from(entry.pid) else {
            continue;
        };
        match process::kill(pid, number) {
            Ok(()) => {
                status = 0;
                if output.echoes {
                    text.push_str(&format!(
                        "{} killed (pid {pid})\n",
                        table::short_name(entry)
                    ));
                }
            }
            // It has ended meanwhile.
            Err(process::Errno::NoProcess) => {}
            Err(error) => {
                report::complain(program, format_args!("killing pid {pid} failed: {error}"));
                status = FATAL.min(status.max(NONE));
            }
        }
    }
    if output.counts {
        text.push_str(&format!("{}\n", found.len()));
    }
    report::print(program, text).max(status)
}

fn usage(program: &str) -> String {
    let first = match program {
        "pkill" => {
            " -<sig>, --signal <sig>    the signal, TERM if none is named\n -e, --echo                what is signalled"
        }
        _ => {
            " -d, --delimiter <string>  between the numbers\n -l, --list-name           names too\n -a, --list-full           command lines too"
        }
    };
    format!(
        "
Usage:
 {program} [options] <pattern>

Options:
{first}
 -v, --inverse             what does not fit
 -c, --count               how many
 -f, --full                the pattern is for the command line
 -g, --pgroup <PGID,...>   of these process groups
 -i, --ignore-case         any case
 -n, --newest              the one started last
 -o, --oldest              the one started first
 -O, --older <seconds>     older than that
 -P, --parent <PPID,...>   children of these
 -u, -U <ID,...>           of these users
 -x, --exact               the whole name fits
 -F, --pidfile <file>      the number is in a file
 -r, --runstates <state>   in these states
 -A, --ignore-ancestors    not the ancestors of this process
"
    )
}
