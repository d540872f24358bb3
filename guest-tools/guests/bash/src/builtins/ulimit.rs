//! `ulimit`: the limits of resources.
//!
//! The host bounds what a hand may use, and none of that can be changed from inside. A lower limit is kept and
//! shown, for scripts that ask for one and go on; a higher one than a hand has is refused.

use bstr::BString;

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};

/// `ulimit`
pub const ULIMIT: Builtin = Builtin {
    name: "ulimit",
    usage: "ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]",
    class: Class::Regular,
    run: Run::Now(run),
};

/// A limit that `ulimit` changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its letter.
    pub letter: u8,
    /// Whether it is the one up to which the other may be raised.
    pub is_hard: bool,
}

/// Which limits are meant: `-S`, `-H`.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    soft: bool,
    hard: bool,
}

struct Limit {
    letter: u8,
    name: &'static str,
    unit: &'static str,
    /// None: unlimited.
    value: Option<u64>,
}

const fn limit(letter: u8, name: &'static str, unit: &'static str, value: Option<u64>) -> Limit {
    Limit {
        letter,
        name,
        unit,
        value,
    }
}

/// In the order in which `-a` prints them.
const LIMITS: &[Limit] = &[
    limit(b'R', "real-time non-blocking time", "microseconds", None),
    limit(b'c', "core file size", "blocks", Some(0)),
    limit(b'd', "data seg size", "kbytes", None),
    limit(b'e', "scheduling priority", "", Some(0)),
    limit(b'f', "file size", "blocks", None),
    limit(b'i', "pending signals", "", Some(64)),
    limit(b'l', "max locked memory", "kbytes", Some(8192)),
    limit(b'm', "max memory size", "kbytes", None),
    limit(b'n', "open files", "", Some(1024)),
    limit(b'p', "pipe size", "512 bytes", Some(8)),
    limit(b'q', "POSIX message queues", "bytes", Some(819_200)),
    limit(b'r', "real-time priority", "", Some(0)),
    limit(b's', "stack size", "kbytes", Some(8192)),
    limit(b't', "cpu time", "seconds", None),
    limit(b'u', "max user processes", "", Some(256)),
    limit(b'v', "virtual memory", "kbytes", None),
    limit(b'x', "file locks", "", None),
];

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut words = invocation.arguments();
    let mut wanted: Vec<(&Limit, Option<&BString>)> = Vec::new();
    let mut is_all = false;
    let mut kind = Kind::default();
    while let Some((word, rest)) = words.split_first()
        && let Some(letters) = word
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
    {
        words = rest;
        if letters == b"-" {
            break;
        }
        for letter in letters {
            match letter {
                b'S' => kind.soft = true,
                b'H' => kind.hard = true,
                b'a' => is_all = true,
                letter => match LIMITS.iter().find(|limit| limit.letter == *letter) {
                    Some(limit) => wanted.push((limit, None)),
                    None => {
                        let message = format!("-{}: invalid option", char::from(*letter));
                        shell.report_for(invocation.name(), message);
                        return Ok(shell.usage(&ULIMIT));
                    }
                },
            }
        }
        // The value of a letter follows it at once.
        if let Some((value, rest)) = words.split_first()
            && !value.starts_with(b"-")
            && let Some((_, place)) = wanted.last_mut()
        {
            *place = Some(value);
            words = rest;
        }
    }
    // Behind `--` a value may begin with a sign.
    if let (Some((_, place @ None)), Some(value)) = (wanted.last_mut(), words.first()) {
        *place = Some(value);
    }
    if is_all {
        for limit in LIMITS {
            print(shell, limit, kind, true);
        }
        return Ok(0);
    }
    if wanted.is_empty() {
        wanted.extend(
            LIMITS
                .iter()
                .find(|limit| limit.letter == b'f')
                .map(|limit| (limit, words.first())),
        );
    }
    let is_named = wanted.len() > 1;
    for (limit, value) in wanted {
        match value {
            None => print(shell, limit, kind, is_named),
            Some(value) => {
                if let Err(message) = set(shell, limit, kind, value) {
                    shell.report_for(invocation.name(), message);
                    return Ok(1);
                }
            }
        }
    }
    Ok(0)
}

fn print(shell: &mut Shell, limit: &Limit, kind: Kind, is_named: bool) {
    let is_hard = kind.hard && !kind.soft;
    let value = current(shell, limit, is_hard)
        .map_or_else(|| "unlimited".to_owned(), |value| value.to_string());
    let line = if is_named {
        let unit = match limit.unit {
            "" => format!("(-{})", char::from(limit.letter)),
            unit => format!("({unit}, -{})", char::from(limit.letter)),
        };
        format!("{:20}{unit:>20} {value}\n", limit.name)
    } else {
        format!("{value}\n")
    };
    shell.print(line.as_bytes());
}

/// Returns the limit that holds, or the one up to which it may be raised; none when there is none.
fn current(shell: &Shell, limit: &Limit, is_hard: bool) -> Option<u64> {
    let key = Key {
        letter: limit.letter,
        is_hard,
    };
    let lowered = shell.limits.get(&key).copied();
    lowered.or(limit.value)
}

fn set(shell: &mut Shell, limit: &Limit, kind: Kind, value: &BString) -> Result<(), String> {
    let is_hard = kind.hard || !kind.soft;
    let is_soft = kind.soft || !kind.hard;
    let number = match value.as_slice() {
        b"hard" => current(shell, limit, true),
        b"soft" => current(shell, limit, false),
        b"unlimited" => None,
        text => {
            let number = bash_text::arithmetic::parse_integer(text);
            match number.and_then(|number| u64::try_from(number).ok()) {
                Some(number) => Some(number),
                None => return Err(format!("{value}: invalid number")),
            }
        }
    };
    let exceeds = |bound: Option<u64>| match (number, bound) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(number), Some(bound)) => number > bound,
    };
    if exceeds(current(shell, limit, true)) {
        let reason = if is_hard {
            "Operation not permitted"
        } else {
            "Invalid argument"
        };
        return Err(format!("{}: cannot modify limit: {reason}", limit.name));
    }
    for (is_wanted, is_hard) in [(is_hard, true), (is_soft, false)] {
        let key = Key {
            letter: limit.letter,
            is_hard,
        };
        let limits = std::rc::Rc::make_mut(&mut shell.limits);
        match number.filter(|_| is_wanted) {
            Some(number) => {
                limits.insert(key, number);
            }
            None if is_wanted => {
                limits.remove(&key);
            }
            None => {}
        }
    }
    Ok(())
}
