//! killall: signals processes by name, as psmisc's.

use std::io::{self, Write};
use std::time::Duration;

use gnu_options::{Item, Takes};
use process::{Entry, signal};
use regex::RegexBuilder;

use crate::{report, table};

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "egiIlqrs:u:vVwy:o:n:Z:",
    long: &[
        ("exact", Takes::Nothing, 'e'),
        ("ignore-case", Takes::Nothing, 'I'),
        ("interactive", Takes::Nothing, 'i'),
        ("list", Takes::Nothing, 'l'),
        ("process-group", Takes::Nothing, 'g'),
        ("quiet", Takes::Nothing, 'q'),
        ("regexp", Takes::Nothing, 'r'),
        ("signal", Takes::Argument, 's'),
        ("user", Takes::Argument, 'u'),
        ("verbose", Takes::Nothing, 'v'),
        ("version", Takes::Nothing, 'V'),
        ("wait", Takes::Nothing, 'w'),
    ],
};

/// How often processes that were signalled are looked at.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Wish {
    number: u8,
    groups: bool,
    ignores_case: bool,
    is_quiet: bool,
    is_pattern: bool,
    is_verbose: bool,
    waits: bool,
    other_user: bool,
}

/// Runs the command: status 1 if a name had no process.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut wish = Wish {
        number: signal::TERM,
        ..Wish::default()
    };
    let mut words = arguments.to_vec();
    let known = |word: &String| signal::number(word.strip_prefix('-')?);
    if let Some((place, number)) = words
        .iter()
        .take_while(|word| *word != "--")
        .enumerate()
        .find_map(|(place, word)| Some((place, known(word)?)))
    {
        wish.number = number;
        words.remove(place);
    }
    let (items, error) = gnu_options::parse(&OPTIONS, &words);
    if let Some(error) = error {
        report::complain(program, error);
        return usage();
    }
    let mut names = Vec::new();
    for item in items {
        let (letter, value) = match item {
            Item::Operand(name) => {
                names.push(name);
                continue;
            }
            Item::Option(letter, value, _) => (letter, value.unwrap_or_default()),
        };
        match letter {
            'g' => wish.groups = true,
            'I' => wish.ignores_case = true,
            'q' => wish.is_quiet = true,
            'r' => wish.is_pattern = true,
            'v' => wish.is_verbose = true,
            'w' => wish.waits = true,
            's' => match signal::number(&value) {
                Some(number) => wish.number = number,
                None => {
                    report::complain(&value, "unknown signal; killall -l lists signals.");
                    return 1;
                }
            },
            'u' => wish.other_user = !table::is_user(&value),
            'l' => {
                let list: Vec<&str> = signal::ALL.iter().map(|(name, _)| *name).collect();
                return report::print(program, list.join(" ") + "\n");
            }
            'V' => {
                return report::print(program, "killall (PSmisc) 23.6 (Sinew)\n");
            }
            'e' => {}
            _ => {
                report::complain(
                    program,
                    format_args!("the option -{letter} is not supported"),
                );
                return 1;
            }
        }
    }
    if names.is_empty() {
        return usage();
    }
    let mut status = 0;
    let mut signalled = Vec::new();
    for name in &names {
        match signal_all(program, &wish, name) {
            Some(found) if !found.is_empty() => signalled.extend(found),
            Some(_) => {
                if !wish.is_quiet {
                    report::complain(name, "no process found");
                }
                status = 1;
            }
            None => return 1,
        }
    }
    while wish.waits
        && table::list()
            .iter()
            .any(|entry| signalled.contains(&entry.pid) && entry.state != 'Z')
    {
        process::wait(&[], Some(LOOK));
    }
    status
}

fn usage() -> u8 {
    let _ = io::stderr().write_all(USAGE.as_bytes());
    1
}

/// Signals all processes of a name; none if the name is no pattern.
fn signal_all(program: &str, wish: &Wish, name: &str) -> Option<Vec<u32>> {
    let text = if wish.is_pattern {
        name.to_owned()
    } else {
        format!("^{}$", regex::escape(name))
    };
    let Ok(pattern) = RegexBuilder::new(&text)
        .case_insensitive(wish.ignores_case)
        .build()
    else {
        report::complain(program, format_args!("Bad regular expression: {name}"));
        return None;
    };
    let mut done = Vec::new();
    let own = process::pid();
    let fits = |entry: &Entry| {
        let first = entry.arguments.first().map_or("", String::as_str);
        pattern.is_match(&table::name(entry)) || name.contains('/') && first == name
    };
    for entry in table::list().iter().filter(|entry| fits(entry)) {
        if entry.pid == own || wish.other_user {
            continue;
        }
        let Ok(pid) = i32::try_from(if wish.groups { entry.group } else { entry.pid }) else {
            continue;
        };
        match process::kill(if wish.groups { -pid } else { pid }, wish.number) {
            Ok(()) => {
                done.push(entry.pid);
                if wish.is_verbose {
                    let _ = writeln!(
                        io::stderr(),
                        "Killed {}({}) with signal {}",
                        table::name(entry),
                        entry.pid,
                        wish.number
                    );
                }
            }
            Err(process::Errno::NoProcess) => {}
            Err(error) => report::complain(
                program,
                format_args!("{}({}): {error}", table::name(entry), entry.pid),
            ),
        }
    }
    Some(done)
}

const USAGE: &str = "\
Usage: killall [OPTION]... [--] NAME...
       killall -l, --list
       killall -V, --version

  -e,--exact          names are always compared as a whole
  -I,--ignore-case    any case
  -g,--process-group  signal the process groups
  -l,--list           the names of the signals
  -q,--quiet          no message if there is no process
  -r,--regexp         NAME is an extended regular expression
  -s,--signal SIGNAL  the signal, SIGTERM if none is named
  -u,--user USER      processes of USER only
  -v,--verbose        what was signalled
  -w,--wait           until they have ended

";
