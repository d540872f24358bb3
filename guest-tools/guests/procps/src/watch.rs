//! watch: runs a command again and again and shows what it writes.
//!
//! Without a terminal there is no screen to clear: every round is written below the one before. It ends as watch
//! does (`-g`, `-e`, `-q`), when nobody reads it any more, or after `--count` rounds, which is ours.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use gnu_options::{Item, Takes};

use crate::{clock, report};

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "+bcCd::eghn:pq:rtvwx",
    long: &[
        ("beep", Takes::Nothing, 'b'),
        ("chgexit", Takes::Nothing, 'g'),
        ("color", Takes::Nothing, 'c'),
        ("count", Takes::Argument, 'N'),
        ("differences", Takes::Optional, 'd'),
        ("equexit", Takes::Argument, 'q'),
        ("errexit", Takes::Nothing, 'e'),
        ("exec", Takes::Nothing, 'x'),
        ("help", Takes::Nothing, 'h'),
        ("interval", Takes::Argument, 'n'),
        ("no-rerun", Takes::Nothing, 'r'),
        ("no-title", Takes::Nothing, 't'),
        ("no-wrap", Takes::Nothing, 'w'),
        ("precise", Takes::Nothing, 'p'),
        ("version", Takes::Nothing, 'v'),
    ],
};

const SHORTEST_SECONDS: f64 = 0.1;
const LONGEST_SECONDS: f64 = 4_294_967_295.0;
/// The columns of a screen that is not there.
const COLUMNS: usize = 80;

struct Wish {
    interval: f64,
    has_title: bool,
    ends_on_change: bool,
    ends_on_error: bool,
    ends_on_same: Option<u64>,
    is_precise: bool,
    is_exec: bool,
    count: Option<u64>,
    command: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    // Its own options end at the first word that is none.
    let mut own = 0;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if !word.starts_with('-') || word == "-" {
            break;
        }
        own += 1;
        if word == "--" {
            break;
        }
        let takes_next = matches!(word.as_str(), "--interval" | "--count" | "--equexit")
            || !word.starts_with("--") && word.ends_with(['n', 'q']) && !word.contains('d');
        if takes_next && words.next().is_some() {
            own += 1;
        }
    }
    let (before, command) = arguments.split_at_checked(own).unwrap_or((arguments, &[]));
    let (items, error) = gnu_options::parse(&OPTIONS, before);
    if let Some(error) = error {
        report::complain(program, error);
        let _ = io::stderr().write_all(USAGE.as_bytes());
        return 1;
    }
    let mut wish = Wish {
        interval: 2.0,
        has_title: true,
        ends_on_change: false,
        ends_on_error: false,
        ends_on_same: None,
        is_precise: false,
        is_exec: false,
        count: None,
        command: command.to_vec(),
    };
    for item in items {
        let Item::Option(letter, value, _) = item else {
            continue;
        };
        let value = value.unwrap_or_default();
        match letter {
            'n' => match value.replace(',', ".").parse::<f64>() {
                Ok(seconds) => wish.interval = seconds.clamp(SHORTEST_SECONDS, LONGEST_SECONDS),
                Err(_) => {
                    report::complain(
                        program,
                        format_args!("failed to parse argument: '{value}': Invalid argument"),
                    );
                    return 1;
                }
            },
            't' => wish.has_title = false,
            'g' => wish.ends_on_change = true,
            'e' => wish.ends_on_error = true,
            'p' => wish.is_precise = true,
            'x' => wish.is_exec = true,
            'q' | 'N' => match value.parse::<u64>() {
                Ok(number) if letter == 'q' => wish.ends_on_same = Some(number),
                Ok(number) => wish.count = Some(number),
                Err(_) => {
                    report::complain(
                        program,
                        format_args!("failed to parse argument: '{value}': Invalid argument"),
                    );
                    return 1;
                }
            },
            'h' => return report::print(program, USAGE),
            'v' => return report::print(program, "watch from procps-ng 4.0.2 (Sinew)\n"),
            // Colours, beeps and marks are for screens.
            _ => {}
        }
    }
    if wish.command.is_empty() {
        let _ = io::stderr().write_all(USAGE.as_bytes());
        return 1;
    }
    rounds(program, &wish)
}

fn rounds(program: &str, wish: &Wish) -> u8 {
    let pause = Duration::from_secs_f64(wish.interval);
    let mut last: Option<Vec<u8>> = None;
    let (mut done, mut same) = (0, 0);
    loop {
        let begin = Instant::now();
        let (output, status) = match once(wish) {
            Ok(output) => output,
            Err(error) => {
                report::complain(
                    program,
                    format_args!("unable to execute '{}': {error}", wish.command.join(" ")),
                );
                return 1;
            }
        };
        let mut text = Vec::new();
        if wish.has_title {
            text.extend_from_slice(title(wish).as_bytes());
        }
        text.extend_from_slice(&output);
        let written = report::print(program, &text);
        if written != 0 {
            return written;
        }
        if wish.ends_on_error && status != 0 {
            return status;
        }
        if last.as_ref() == Some(&output) {
            same += 1;
        } else {
            if wish.ends_on_change && last.is_some() {
                return 0;
            }
            same = 0;
        }
        if wish
            .ends_on_same
            .is_some_and(|cycles| same >= cycles && last.is_some())
        {
            return 0;
        }
        last = Some(output);
        done += 1;
        if wish.count.is_some_and(|count| done >= count) {
            return 0;
        }
        let pause = if wish.is_precise {
            pause.saturating_sub(begin.elapsed())
        } else {
            pause
        };
        process::wait(&[], Some(pause));
    }
}

/// Runs the command once; returns what it wrote and its status.
fn once(wish: &Wish) -> Result<(Vec<u8>, u8), process::Errno> {
    let mut program = match wish.command.split_first() {
        Some((name, rest)) if wish.is_exec => {
            let mut program = process::Program::new(name);
            program.args(rest);
            program
        }
        _ => {
            let mut program = process::Program::new("sh");
            program.arg("-c").arg(wish.command.join(" "));
            program
        }
    };
    // Both streams in the order in which they were written.
    let (reader, writer) = process::pipe()?;
    let writer = std::rc::Rc::new(writer);
    program
        .stdout(process::Stdio::Descriptor(std::rc::Rc::clone(&writer)))
        .stderr(process::Stdio::Descriptor(std::rc::Rc::clone(&writer)));
    let mut running = program.spawn()?;
    drop(program);
    drop(writer);
    let output = reader.read_to_end_blocking()?;
    Ok((output, running.wait().code()))
}

fn title(wish: &Wish) -> String {
    let left = format!("Every {:.1}s: {}", wish.interval, wish.command.join(" "));
    let right = format!(
        "{}: {}",
        process::host_name(),
        clock::show("%a %b %e %H:%M:%S %Y", clock::now())
    );
    let room = COLUMNS.saturating_sub(right.chars().count() + 1);
    let left: String = if left.chars().count() > room {
        let kept: String = left.chars().take(room.saturating_sub(3)).collect();
        kept + "..."
    } else {
        left
    };
    format!("{left:<room$} {right}\n\n")
}

const USAGE: &str = "
Usage:
 watch [options] command

Options:
  -e, --errexit          exit if command has a non-zero exit
  -g, --chgexit          exit when output from command changes
  -q, --equexit <cycles> exit when output from command does not change
  -n, --interval <secs>  seconds to wait between updates
  -p, --precise          attempt run command in precise intervals
  -t, --no-title         turn off header
  -x, --exec             pass command to exec instead of \"sh -c\"
      --count <number>   exit after so many updates
  -b, -c, -d, -w         are for terminals and ignored
";
