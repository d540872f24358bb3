//! `read`: takes a line of input apart.
//!
//! No byte after the line is taken from a file or pipe that others read too: the description reads ahead only
//! where it can give bytes back.

use std::rc::Rc;
use std::time::{Duration, Instant};

use bstr::BString;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use super::place::Place;
use crate::descriptors::Open;
use crate::runtime::{Either, Interest, LocalFuture, Runtime, race};
use crate::state::{Outcome, Refusal, Shell};
use crate::sys;
use crate::variables::{IndexedArray, Value, is_name};

/// `read`
pub const READ: Builtin = Builtin {
    name: "read",
    usage: "read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]",
    class: Class::Regular,
    run: Run::Waiting(run),
};

/// How much is asked for at a time.
const BLOCK: usize = 65_536;

/// The status after the time is over: as of SIGALRM.
const TIMED_OUT: u8 = 142;

/// What the options ask for.
#[derive(Debug, Clone)]
struct Wishes {
    array: Option<BString>,
    delimiter: u8,
    /// How many characters at most.
    count: Option<usize>,
    /// Whether it is exactly so many, delimiters or not.
    is_exact: bool,
    is_raw: bool,
    timeout: Option<Duration>,
    number: u32,
    prompt: Option<BString>,
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Delimiter,
    Count,
    EndOfFile,
    TimeOver,
    Signal(u8),
    Failed(sys::Errno),
}

fn run<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let (wishes, names) = match wishes(shell, invocation) {
            Ok(found) => found,
            Err(status) => return Ok(status),
        };
        for name in names {
            if Place::read(name).is_none() {
                shell.report_for(b"read", Refusal::Identifier(name.clone()));
                return Ok(1);
            }
        }
        let Some(open) = shell.descriptors.get(wishes.number).map(Rc::clone) else {
            let message = format!(
                "{}: invalid file descriptor: Bad file descriptor",
                wishes.number
            );
            if wishes.number == 0 {
                shell.report_for(b"read", "read error: 0: Bad file descriptor");
            } else {
                shell.report_for(b"read", message);
            }
            return Ok(1);
        };
        if wishes.timeout == Some(Duration::ZERO) {
            return Ok(u8::from(!has_input(&open)));
        }
        if let Some(prompt) = &wishes.prompt
            && open
                .existing_descriptor()
                .is_some_and(|descriptor| sys::is_terminal(&descriptor))
        {
            shell.print_error(prompt);
            shell.flush(b"read").await?;
        }
        let mut line = Vec::new();
        let ended = read(shell, &open, &wishes, &mut line).await;
        if let Ended::Failed(error) = ended {
            shell.report_for(
                b"read",
                format_args!("read error: {}: {error}", wishes.number),
            );
            return Ok(1);
        }
        if let Err(refusal) = give(shell, &wishes, names, &line) {
            if refusal != Refusal::Said {
                shell.report(refusal);
            }
            return Ok(1);
        }
        Ok(match ended {
            Ended::Delimiter | Ended::Count => 0,
            Ended::EndOfFile | Ended::Failed(_) => 1,
            Ended::TimeOver => TIMED_OUT,
            Ended::Signal(signal) => 128_u8.wrapping_add(signal),
        })
    })
}

fn wishes<'a>(
    shell: &mut Shell,
    invocation: &'a Invocation,
) -> Result<(Wishes, &'a [BString]), u8> {
    let mut flags = Flags::new(invocation, "ersa:d:i:n:p:t:u:N:");
    let mut wishes = Wishes {
        array: None,
        delimiter: b'\n',
        count: None,
        is_exact: false,
        is_raw: false,
        timeout: None,
        number: 0,
        prompt: None,
    };
    while let Some(flag) = flags.next(shell, &READ) {
        let flag = flag?;
        let argument = flag.argument.unwrap_or_default();
        match flag.letter {
            b'a' => {
                if !is_name(argument) {
                    shell.report_for(b"read", Refusal::Identifier(argument.into()));
                    return Err(1);
                }
                wishes.array = Some(argument.into());
            }
            b'd' => wishes.delimiter = argument.first().copied().unwrap_or(0),
            b'n' | b'N' => {
                let count = bash_text::arithmetic::parse_integer(argument)
                    .and_then(|count| usize::try_from(count).ok());
                let Some(count) = count else {
                    shell.report_for(b"read", format_args!("{argument}: invalid number"));
                    return Err(1);
                };
                wishes.count = Some(count);
                wishes.is_exact = flag.letter == b'N';
            }
            b'p' => wishes.prompt = Some(argument.into()),
            b'r' => wishes.is_raw = true,
            b't' => match seconds(argument) {
                Some(timeout) => wishes.timeout = Some(timeout),
                None => {
                    shell.report_for(
                        b"read",
                        format_args!("{argument}: invalid timeout specification"),
                    );
                    return Err(1);
                }
            },
            b'u' => {
                let number = bash_text::arithmetic::parse_integer(argument)
                    .and_then(|number| u32::try_from(number).ok());
                let Some(number) = number else {
                    shell.report_for(
                        b"read",
                        format_args!("{argument}: invalid file descriptor specification"),
                    );
                    return Err(1);
                };
                wishes.number = number;
            }
            // Editing, its text and silence are for terminals.
            _ => {}
        }
    }
    if wishes.timeout.is_none() {
        wishes.timeout = shell
            .get(b"TMOUT")
            .and_then(|text| seconds(&text))
            .filter(|timeout| !timeout.is_zero());
    }
    Ok((wishes, flags.rest()))
}

/// Reads seconds with a fraction.
fn seconds(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    if text.is_empty()
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// Returns whether reading would not wait.
fn has_input(open: &Open) -> bool {
    if !open.buffer().bytes().is_empty() {
        return true;
    }
    match open.existing_descriptor() {
        Some(descriptor) => {
            !sys::wait(&[sys::Event::Readable(&descriptor)], Some(Duration::ZERO)).is_empty()
        }
        None => true,
    }
}

async fn read(shell: &mut Shell, open: &Rc<Open>, wishes: &Wishes, line: &mut Vec<u8>) -> Ended {
    if wishes.count == Some(0) {
        return Ended::Count;
    }
    let runtime = Rc::clone(&shell.runtime);
    let reading = async {
        let reading = fill_line(&runtime, open, wishes, line);
        match wishes.timeout {
            None => reading.await,
            Some(timeout) => {
                let over = runtime.until(Interest::At(Instant::now() + timeout));
                match race(reading, over).await {
                    Either::First(ended) => ended,
                    Either::Second(()) => Ended::TimeOver,
                }
            }
        }
    };
    match shell.interruptible(reading).await {
        Ok(ended) => ended,
        Err(signal) => Ended::Signal(signal),
    }
}

/// Reads up to the delimiter, which is taken but not kept. Without `is_raw` the backslashes are kept, but a
/// backslash before a newline goes with it.
async fn fill_line(runtime: &Runtime, open: &Open, wishes: &Wishes, line: &mut Vec<u8>) -> Ended {
    let mut is_escaped = false;
    let mut characters = 0;
    loop {
        let wanted = wishes.count.map_or(BLOCK, |count| {
            count.saturating_sub(characters).clamp(1, BLOCK)
        });
        match open.fill_at_most(runtime, wanted).await {
            Ok(true) => {}
            Ok(false) => return Ended::EndOfFile,
            Err(error) => return Ended::Failed(error),
        }
        let mut buffer = open.buffer();
        let bytes = buffer.bytes();
        if wishes.is_raw && wishes.count.is_none() {
            let end = bytes.iter().position(|byte| *byte == wishes.delimiter);
            let taken = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            if wishes.delimiter == 0 || !taken.contains(&0) {
                line.extend_from_slice(taken);
            } else {
                line.extend(taken.iter().filter(|byte| **byte != 0));
            }
            let size = taken.len() + usize::from(end.is_some());
            buffer.consume(size);
            if end.is_some() {
                return Ended::Delimiter;
            }
            continue;
        }
        let mut size = 0;
        let mut ended = None;
        for byte in bytes {
            // A character ends where the next one begins: with the byte after it still unread, or known.
            size += 1;
            if is_escaped {
                is_escaped = false;
                if *byte == b'\n' {
                    line.pop();
                    continue;
                }
                line.push(*byte);
            } else if *byte == b'\\' && !wishes.is_raw {
                is_escaped = true;
                line.push(*byte);
                continue;
            } else if *byte == wishes.delimiter && !wishes.is_exact {
                ended = Some(Ended::Delimiter);
                break;
            } else if *byte == 0 {
                continue;
            } else {
                line.push(*byte);
            }
            if ends_character(line) {
                characters += 1;
            }
            if wishes.count.is_some_and(|count| characters >= count) {
                ended = Some(Ended::Count);
                break;
            }
        }
        buffer.consume(size);
        if let Some(ended) = ended {
            return ended;
        }
    }
}

/// Returns whether the last byte completes a character; a byte that is part of none counts as one.
fn ends_character(line: &[u8]) -> bool {
    let start = line
        .iter()
        .rev()
        .take(4)
        .position(|byte| *byte & 0xc0 != 0x80);
    let Some(length) = start.map(|back| back + 1) else {
        return true;
    };
    let first = line
        .len()
        .checked_sub(length)
        .and_then(|place| line.get(place))
        .copied()
        .unwrap_or(0);
    let whole = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    length >= whole
}

/// Gives the variables their values.
fn give(shell: &mut Shell, wishes: &Wishes, names: &[BString], line: &[u8]) -> Result<(), Refusal> {
    let separators = Rc::clone(&shell.separators);
    if let Some(array) = &wishes.array {
        let fields = if wishes.is_exact {
            // -N reads text, not words.
            vec![BString::from(line)]
        } else {
            bash_text::read::all(line, wishes.is_raw, &separators)
        };
        return set_array(shell, array, fields);
    }
    let plain = |line: &[u8]| {
        if wishes.is_raw {
            BString::from(line)
        } else {
            bash_text::read::unescape(line)
        }
    };
    if names.is_empty() {
        return shell.set(b"REPLY", &plain(line));
    }
    let values = if wishes.is_exact {
        vec![plain(line)]
    } else if let [_] = names
        && wishes.is_raw
        && separators.is_empty()
    {
        vec![BString::from(line)]
    } else {
        bash_text::read::fields(line, names.len(), wishes.is_raw, &separators)
    };
    let mut values = values.into_iter();
    for name in names {
        let value = values.next().unwrap_or_default();
        if let Some(place) = Place::read(name) {
            place.assign(shell, &value)?;
        }
    }
    Ok(())
}

fn set_array(shell: &mut Shell, name: &BString, fields: Vec<BString>) -> Result<(), Refusal> {
    let name = shell.resolve(name)?.unwrap_or_else(|| name.clone());
    shell.make_indexed(&name)?;
    let variable = shell.variables.entry(&name);
    if variable
        .attributes
        .has(crate::variables::Attributes::READONLY)
    {
        return Err(Refusal::ReadOnly(name));
    }
    variable.value = Value::Indexed(IndexedArray::from_values(fields));
    variable.is_declared_only = false;
    Ok(())
}
