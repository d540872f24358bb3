//! ionice, chrt and taskset: run a program with another priority or on some processors.
//!
//! A hand has one class of processes and no say over processors, so these check their options, run the program, and
//! tell of a process what holds for all of them.

use gnu_options::named::{self, Item, Order};

use crate::child::{self, Start};
use crate::report::{self, complain, usage};

/// What a command does with its words.
struct Kind {
    /// Its options, as [`named::parse`] takes them.
    options: &'static str,
    /// How many words stand before the program, as a priority or a mask does.
    before: usize,
    /// What it tells of a process.
    state: fn(&str) -> String,
}

const IONICE: Kind = Kind {
    options: "c/class= n/classdata= t/ignore p/pid P/pgid u/uid",
    before: 0,
    state: |_| "none: prio 0\n".to_owned(),
};

const CHRT: Kind = Kind {
    options: "a/all-tasks b/batch d/deadline f/fifo i/idle m/max o/other p/pid r/rr R/reset-on-fork \
              v/verbose T/sched-runtime= P/sched-period= D/sched-deadline=",
    before: 1,
    state: |pid| {
        format!(
            "pid {pid}'s current scheduling policy: SCHED_OTHER\npid {pid}'s current scheduling priority: 0\n"
        )
    },
};

const TASKSET: Kind = Kind {
    options: "a/all-tasks p/pid c/cpu-list",
    before: 1,
    state: |pid| format!("pid {pid}'s current affinity mask: 1\n"),
};

/// Runs ionice.
pub(crate) fn ionice(program: &str, arguments: &[String]) -> u8 {
    run(program, arguments, &IONICE)
}

/// Runs chrt.
pub(crate) fn chrt(program: &str, arguments: &[String]) -> u8 {
    if arguments == ["-m"] || arguments == ["--max"] {
        return report::help("SCHED_OTHER min/max priority\t: 0/0\n");
    }
    run(program, arguments, &CHRT)
}

/// Runs taskset.
pub(crate) fn taskset(program: &str, arguments: &[String]) -> u8 {
    run(program, arguments, &TASKSET)
}

fn run(program: &str, arguments: &[String], kind: &Kind) -> u8 {
    let items = match named::parse(arguments, kind.options, Order::First) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let (mut options, mut words) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Operand(word) => words.push(word),
            Item::Option("help", _) => {
                return report::help(&format!(
                    "Usage: {program} [options] [value] COMMAND [ARG]...\n"
                ));
            }
            Item::Option("version", _) => return report::version(program),
            Item::Option(name, value) => options.push((name, value)),
        }
    }
    let is_about_process = options
        .iter()
        .any(|(name, _)| matches!(*name, "pid" | "pgid" | "uid"));
    if is_about_process {
        return tell(program, &words, kind);
    }
    if program == "ionice" && words.is_empty() && options.is_empty() {
        return report::help(&(kind.state)(""));
    }
    match words.get(kind.before..) {
        Some(words) if !words.is_empty() => child::run(program, &Start::new(words)),
        _ => usage(program, "no command given", 1),
    }
}

/// Tells of a process; setting something for it changes nothing.
fn tell(program: &str, words: &[String], kind: &Kind) -> u8 {
    let Some(pid) = words.last() else {
        return usage(program, "no process given", 1);
    };
    let number = pid.parse::<i32>().ok().filter(|number| *number > 0);
    if number.is_none_or(|number| process::kill(number, 0) == Err(process::Errno::NoProcess)) {
        complain(
            program,
            format_args!("failed to get pid {pid}'s attributes: No such process"),
        );
        return 1;
    }
    if words.len() > 1 {
        return 0;
    }
    report::help(&(kind.state)(pid))
}
