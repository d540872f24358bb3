//! `history`: shows, changes, reads and writes the list of commands.

use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::descriptors::Open;
use crate::runtime::LocalFuture;
use crate::state::{History, Outcome, Shell};
use crate::sys::{self, OpenHow};

/// `history`
pub const HISTORY: Builtin = Builtin {
    name: "history",
    usage: "history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]",
    class: Class::Regular,
    run: Run::Waiting(run),
};

fn run<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let mut flags = Flags::new(invocation, "acd:npsrw");
        let mut letters = Vec::new();
        let mut deleted = None;
        while let Some(flag) = flags.next(shell, &HISTORY) {
            match flag {
                Err(status) => return Ok(status),
                Ok(flag) => {
                    letters.push(flag.letter);
                    deleted = flag.argument.or(deleted);
                }
            }
        }
        let words = flags.rest();
        let files: Vec<u8> = letters
            .iter()
            .copied()
            .filter(|letter| matches!(letter, b'a' | b'n' | b'r' | b'w'))
            .collect();
        if files.len() > 1 {
            shell.report_for(b"history", "cannot use more than one of -anrw");
            return Ok(1);
        }
        if letters.contains(&b'c') {
            let history = Rc::make_mut(&mut shell.history);
            *history = History::default();
            if deleted.is_none() && files.is_empty() && words.is_empty() {
                return Ok(0);
            }
        }
        if letters.contains(&b's') {
            if !words.is_empty() {
                let history = Rc::make_mut(&mut shell.history);
                if history.has_current {
                    history.pop();
                }
                history.push(bstr::join(" ", words).into());
            }
            return Ok(0);
        }
        if letters.contains(&b'p') {
            for word in words {
                shell.print(&[word.as_slice(), b"\n"].concat());
            }
            return Ok(0);
        }
        if let Some(place) = deleted {
            return Ok(delete(shell, place));
        }
        match files.first() {
            Some(letter) => Ok(with_file(shell, *letter, words.first()).await),
            None => Ok(show(shell, words)),
        }
    })
}

fn show(shell: &mut Shell, words: &[BString]) -> u8 {
    let mut count = usize::MAX;
    if let Some(word) = words.first() {
        if words.len() > 1 {
            shell.report_for(b"history", "too many arguments");
            return 1;
        }
        let digits = word.trim_ascii();
        let digits = digits.strip_prefix(b"+").unwrap_or(digits);
        match bash_text::arithmetic::parse_integer(digits) {
            Some(number) => count = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX),
            None => {
                shell.report_for(
                    b"history",
                    format_args!("{word}: numeric argument required"),
                );
                return 1;
            }
        }
    }
    let format = shell.get_string("HISTTIMEFORMAT");
    let history = Rc::clone(&shell.history);
    let skipped = history.entries.len().saturating_sub(count);
    for (place, entry) in history.entries.iter().enumerate().skip(skipped) {
        let mut line = format!("{:5}  ", history.dropped + place + 1).into_bytes();
        if let Some(format) = format.as_ref().filter(|format| !format.is_empty()) {
            let zone = shell.get_string("TZ");
            let zone = zone.as_ref().map(|zone| zone.as_slice());
            bash_text::time::write(format, entry.time, zone, &mut line);
        }
        line.extend_from_slice(&entry.line);
        line.push(b'\n');
        shell.print(&line);
    }
    0
}

/// Returns the place of an entry that is given by its number, or counted from the end.
fn place_of(history: &History, text: &[u8]) -> Option<usize> {
    let number = bash_text::arithmetic::parse_integer(text)?;
    let size = usize::try_from(number.unsigned_abs()).ok()?;
    let place = if number < 0 {
        history.entries.len().checked_sub(size)?
    } else {
        size.checked_sub(history.dropped + 1)?
    };
    (place < history.entries.len()).then_some(place)
}

fn delete(shell: &mut Shell, offset: &BStr) -> u8 {
    let history = Rc::clone(&shell.history);
    let dash = offset
        .iter()
        .skip(1)
        .position(|byte| *byte == b'-')
        .and_then(|place| offset.split_at_checked(place + 1));
    let range = match dash {
        Some((first, last)) => {
            let last = last.strip_prefix(b"-").unwrap_or(last);
            place_of(&history, first).zip(place_of(&history, last))
        }
        None => place_of(&history, offset).map(|place| (place, place)),
    };
    let Some((first, last)) = range.filter(|(first, last)| first <= last) else {
        shell.report_for(
            b"history",
            format_args!("{offset}: history position out of range"),
        );
        return 1;
    };
    let history = Rc::make_mut(&mut shell.history);
    let unwritten = history.entries.len().saturating_sub(history.unwritten);
    history.unwritten = history
        .unwritten
        .saturating_sub((last + 1).saturating_sub(first.max(unwritten)));
    history.entries.drain(first..=last);
    0
}

async fn with_file(shell: &mut Shell, letter: u8, name: Option<&BString>) -> u8 {
    let Some(path) = name.cloned().or_else(|| shell.get_string("HISTFILE")) else {
        return 0;
    };
    let how = match letter {
        b'a' => OpenHow::APPEND,
        b'w' => OpenHow::WRITE,
        _ => OpenHow::READ,
    };
    let open: Rc<Open> = match shell.open_file(&path, how) {
        Ok(open) => open,
        Err(error) => {
            shell.report_for(b"history", format_args!("{path}: {error}"));
            return 1;
        }
    };
    let failure = if matches!(letter, b'a' | b'w') {
        let history = Rc::make_mut(&mut shell.history);
        let skipped = if letter == b'a' {
            history.entries.len().saturating_sub(history.unwritten)
        } else {
            0
        };
        let mut text = Vec::new();
        for entry in history.entries.iter().skip(skipped) {
            text.extend_from_slice(&entry.line);
            text.push(b'\n');
        }
        history.unwritten = 0;
        let runtime = Rc::clone(&shell.runtime);
        open.write_all(&runtime, &text).await.err()
    } else {
        match open.read_all(&shell.runtime).await {
            Ok(text) => {
                let history = Rc::make_mut(&mut shell.history);
                let unwritten = history.unwritten;
                let known = if letter == b'n' {
                    history.lines_read
                } else {
                    0
                };
                for line in text.lines().skip(known) {
                    history.push(BString::from(line));
                }
                history.lines_read = text.lines().count();
                history.unwritten = unwritten;
                None
            }
            Err(error) => Some(error),
        }
    };
    match failure {
        None => 0,
        Some(error) => {
            shell.report_for(b"history", format_args!("{path}: {}", sys::words(error)));
            1
        }
    }
}
