//! `fc`: lists commands of the history, runs one again, or edits some and runs them.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::{Lookup, Origin, run_text, run_words};
use crate::runtime::LocalFuture;
use crate::state::{Outcome, Shell};
use crate::sys::OpenHow;

/// `fc`
pub const FC: Builtin = Builtin {
    name: "fc",
    usage: "fc [-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]",
    class: Class::Regular,
    run: Run::Waiting(run),
};

/// How many commands are listed where no range is given.
const LISTED: usize = 16;

#[derive(Debug, Default)]
struct Wishes {
    editor: Option<BString>,
    lists: bool,
    hides_numbers: bool,
    is_reversed: bool,
    runs: bool,
    words: Vec<BString>,
}

fn run<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let wishes = match parse(shell, invocation.arguments()) {
            Ok(wishes) => wishes,
            Err(status) => return Ok(status),
        };
        if wishes.runs || wishes.editor.as_ref().is_some_and(|editor| editor == "-") {
            return again(shell, &wishes.words).await;
        }
        // The list ends before the command that asks.
        let count = shell.history.entries.len() - usize::from(shell.history.has_current);
        if count == 0 {
            return Ok(0);
        }
        let last = count - 1;
        let default = if wishes.lists {
            count.saturating_sub(LISTED)
        } else {
            last
        };
        let first = match wishes.words.first() {
            Some(word) => find(shell, word, last),
            None => Some(default),
        };
        let end = match (wishes.words.get(1), wishes.words.first()) {
            (Some(word), _) => find(shell, word, last),
            (None, Some(_)) if !wishes.lists => first,
            _ => Some(last),
        };
        let (Some(first), Some(end)) = (first, end) else {
            shell.report_for(b"fc", "history specification out of range");
            return Ok(1);
        };
        let mut places: Vec<usize> = (first.min(end)..=first.max(end)).collect();
        if (first > end) != (wishes.is_reversed && first != end && first < end) {
            places.reverse();
        }
        if wishes.lists {
            list(shell, &places, wishes.hides_numbers);
            return Ok(0);
        }
        edit(shell, &places, wishes.editor).await
    })
}

fn parse(shell: &mut Shell, arguments: &[BString]) -> Result<Wishes, u8> {
    let mut wishes = Wishes::default();
    let mut arguments = arguments.iter();
    while let Some(word) = arguments.next() {
        let is_number = word
            .strip_prefix(b"-")
            .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit));
        let letters = word.strip_prefix(b"-").filter(|rest| !rest.is_empty());
        let Some(letters) = letters.filter(|_| !is_number) else {
            wishes.words.push(word.clone());
            wishes.words.extend(arguments.cloned());
            break;
        };
        if letters == b"-" {
            wishes.words.extend(arguments.cloned());
            break;
        }
        for (place, letter) in letters.iter().enumerate() {
            match letter {
                b'l' => wishes.lists = true,
                b'n' => wishes.hides_numbers = true,
                b'r' => wishes.is_reversed = true,
                b's' => wishes.runs = true,
                b'e' => {
                    let rest = letters.get(place + 1..).unwrap_or_default();
                    let name = if rest.is_empty() {
                        arguments.next().cloned()
                    } else {
                        Some(BString::from(rest))
                    };
                    if name.is_none() {
                        shell.report_for(b"fc", "-e: option requires an argument");
                        return Err(shell.usage(&FC));
                    }
                    wishes.editor = name;
                    break;
                }
                letter => {
                    let letter = char::from(*letter);
                    shell.report_for(b"fc", format_args!("-{letter}: invalid option"));
                    return Err(shell.usage(&FC));
                }
            }
        }
    }
    Ok(wishes)
}

/// Returns the place of the entry that a number, a distance from the end, or the start of a command means.
fn find(shell: &Shell, word: &[u8], last: usize) -> Option<usize> {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let history = &shell.history;
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        let number = bash_text::arithmetic::parse_integer(digits)?;
        let number = usize::try_from(number).ok()?;
        return Some(match (digits.len() < word.len(), number) {
            (_, 0) => last,
            (true, back) => (last + 1).saturating_sub(back),
            (false, number) => number.saturating_sub(history.dropped + 1).min(last),
        });
    }
    let entries = history.entries.get(..=last)?;
    entries
        .iter()
        .rposition(|entry| entry.line.starts_with(word))
}

fn list(shell: &mut Shell, places: &[usize], hides_numbers: bool) {
    let history = Rc::clone(&shell.history);
    for place in places {
        let Some(entry) = history.entries.get(*place) else {
            continue;
        };
        if !hides_numbers {
            let number = (history.dropped + place + 1).to_string();
            shell.print(number.as_bytes());
        }
        shell.print(b"\t ");
        shell.print(&entry.line);
        shell.print(b"\n");
    }
}

/// `fc -s [pat=rep ...] [command]`
async fn again(shell: &mut Shell, words: &[BString]) -> Outcome {
    let mut changes: Vec<(BString, BString)> = Vec::new();
    let mut words = words;
    while let Some((word, rest)) = words.split_first()
        && let Some((from, to)) = word.split_once_str("=")
    {
        changes.push((from.into(), to.into()));
        words = rest;
    }
    let count = shell.history.entries.len() - usize::from(shell.history.has_current);
    let place = match (count.checked_sub(1), words.first()) {
        (Some(last), Some(word)) => find(shell, word, last),
        (last, None) => last,
        (None, _) => None,
    };
    let line = place.and_then(|place| shell.history.entries.get(place));
    let Some(mut line) = line.map(|entry| entry.line.clone()) else {
        shell.report_for(b"fc", "no command found");
        return Ok(1);
    };
    for (from, to) in changes {
        if !from.is_empty() {
            line = line.replace(&from, &to).into();
        }
    }
    run_line(shell, line).await
}

/// Puts a command in the place of the one that asked for it, shows it and runs it.
async fn run_line(shell: &mut Shell, line: BString) -> Outcome {
    let history = Rc::make_mut(&mut shell.history);
    if history.has_current {
        history.pop();
    }
    history.push(line.clone());
    history.has_current = true;
    shell.print_error(&[line.as_slice(), b"\n"].concat());
    shell.flush(b"").await?;
    run_text(shell, &line, Origin::Eval).await
}

async fn edit(shell: &mut Shell, places: &[usize], editor: Option<BString>) -> Outcome {
    let mut text = Vec::new();
    for entry in places
        .iter()
        .filter_map(|place| shell.history.entries.get(*place))
    {
        text.extend_from_slice(&entry.line);
        text.push(b'\n');
    }
    let folder = shell
        .get_string("TMPDIR")
        .unwrap_or_else(|| BString::from("/tmp"));
    let path = BString::from(format!("{folder}/bash-fc.{}", shell.pid()));
    let written = match shell.open_file(&path, OpenHow::WRITE) {
        Ok(open) => open.write_all(&shell.runtime, &text).await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        shell.report_for(
            b"fc",
            format_args!("{path}: cannot open temp file: {error}"),
        );
        return Ok(1);
    }
    let command = editor
        .or_else(|| shell.get_string("FCEDIT"))
        .or_else(|| shell.get_string("EDITOR"))
        .unwrap_or_else(|| BString::from("vi"));
    let mut words: Vec<BString> = command.fields().map(BString::from).collect();
    words.push(path.clone());
    let status = run_words(shell, words, Lookup::ALL).await?;
    let edited = match shell.open_file(&path, OpenHow::READ) {
        Ok(open) => open.read_all(&shell.runtime).await.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    if let Ok(path) = std::str::from_utf8(&path) {
        let _ = std::fs::remove_file(path);
    }
    if status != 0 {
        return Ok(status);
    }
    let edited = edited.strip_suffix(b"\n").unwrap_or(&edited);
    run_line(shell, BString::from(edited)).await
}
