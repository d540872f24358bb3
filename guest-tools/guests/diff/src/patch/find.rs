//! The next patch in the input: where its first hunk is, its form, and the names it gives.

use super::ed;
use super::git::{Git, Sides};
use super::hunk::normal_head;
use super::lines::Lines;
use super::names::{self, Named};
use super::options::{Format, Request};

/// A patch of one file.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) format: Format,
    pub(super) old: Named,
    pub(super) new: Named,
    pub(super) index: Option<String>,
    /// How much is said that there is no old, no new file: see [`Sides::absent`].
    pub(super) absent: [u8; 2],
    pub(super) git: Option<Git>,
    /// The line of the first hunk, counted from 0.
    pub(super) start: usize,
}

#[derive(Default)]
struct Head {
    star: Option<Named>,
    minus: Option<Named>,
    plus: Option<Named>,
    index: Option<String>,
    git: Option<Git>,
    sides: Sides,
}

impl Head {
    fn found(mut self, format: Format, start: usize, counts: [bool; 2]) -> Found {
        let (old, new) = match format {
            Format::Context => (self.star.take(), self.minus.take()),
            _ if self.plus.is_some() || self.star.is_none() => {
                (self.minus.take(), self.plus.take())
            }
            _ => (self.star.take(), self.minus.take()),
        };
        let [git_old, git_new] = std::mem::take(&mut self.sides.named);
        let or_git = |named: Option<Named>, git: Named| match named {
            Some(named) => named,
            None => git,
        };
        let (old, new) = (or_git(old, git_old), or_git(new, git_new));
        let mut absent = self.sides.absent;
        for ((place, is_empty), named) in absent.iter_mut().zip(counts).zip([&old, &new]) {
            if is_empty {
                *place = 1 + u8::from(named.is_epoch);
            }
        }
        Found {
            format,
            old,
            new,
            index: self.index,
            absent,
            git: self.git,
            start,
        }
    }
}

/// Finds the next patch. `needs_name` says that nobody named the file.
pub(super) fn next(lines: &mut Lines, request: &Request) -> Option<Found> {
    let strip = request.strip;
    let wanted = |format| request.format.is_none_or(|wanted| wanted == format);
    let mut head = Head::default();
    let mut at = lines.at;
    let mut first_command = None;
    let mut before: Vec<u8> = Vec::new();
    while let Some(raw) = lines.raw(at) {
        let line = raw.to_vec();
        let text = String::from_utf8_lossy(&line).into_owned();
        if let Some(rest) = text.strip_prefix("diff --git ") {
            if head.git.as_ref().is_some_and(|git| git.is_extended) {
                return Some(head.found(Format::Unified, at, [false, false]));
            }
            head = Head {
                git: Some(Git::default()),
                ..Head::default()
            };
            Git::names(&mut head.sides, rest, strip);
        } else if let Some(mut git) = head.git.take() {
            git.line(&mut head.sides, &text, strip);
            head.git = Some(git);
        }
        if let Some(rest) = line.strip_prefix(b"*** ") {
            if wanted(Format::Context) && before.starts_with(b"********") {
                if let Some([old, new]) = context_counts(lines, at) {
                    return Some(head.found(Format::Context, at - 1, [old, new]));
                }
            } else {
                head.star = names::read(rest, strip);
            }
        } else if let Some(rest) = line.strip_prefix(b"--- ") {
            head.minus = names::read(rest, strip);
            lines.strip_returns |= !request.binary && line.ends_with(b"\r\n");
        } else if let Some(rest) = line.strip_prefix(b"+++ ") {
            head.plus = names::read(rest, strip);
        } else if let Some(rest) = line.strip_prefix(b"Index:") {
            head.index = names::read(rest, strip).and_then(|named| named.name);
        } else if wanted(Format::Unified) && line.starts_with(b"@@ -") {
            return Some(head.found(Format::Unified, at, unified_counts(&text)));
        }
        let is_change = line.starts_with(b"< ") || line.starts_with(b"> ");
        if wanted(Format::Normal) && is_change && normal_head(&before).is_some() {
            return Some(head.found(Format::Normal, at - 1, [false, false]));
        }
        if first_command.is_none() && matches!(ed::command(&line), Some(letter) if letter != b's') {
            first_command = Some(at);
        }
        if let Some(first) = first_command
            && wanted(Format::Ed)
            && line == b".\n"
        {
            return Some(head.found(Format::Ed, first, [false, false]));
        }
        before = line;
        at += 1;
    }
    if head.git.as_ref().is_some_and(|git| git.is_extended) {
        return Some(head.found(Format::Unified, at, [false, false]));
    }
    // A script that only deletes has no dot.
    first_command
        .filter(|_| wanted(Format::Ed))
        .map(|first| head.found(Format::Ed, first, [false, false]))
}

/// Returns which side of a unified hunk has its lines from 0 on: there was nothing.
fn unified_counts(head: &str) -> [bool; 2] {
    let is_zero = |text: &str| {
        text.strip_prefix('0')
            .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_ascii_digit()))
    };
    let behind = head.strip_prefix("@@ -").unwrap_or_default();
    let new = behind.split_once('+').map_or("", |(_, new)| new);
    [is_zero(behind), is_zero(new)]
}

/// Returns which side of a context hunk is empty; nothing if it is no hunk.
fn context_counts(lines: &Lines, at: usize) -> Option<[bool; 2]> {
    let is_zero = |line: &[u8]| line.get(4..6) == Some(b"0 ");
    let first = lines.raw(at)?;
    if !first.get(4).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let mut place = at + 1;
    while let Some(line) = lines.raw(place) {
        if line.starts_with(b"--- ") && line.get(4).is_some_and(u8::is_ascii_digit) {
            return Some([is_zero(first), is_zero(line)]);
        }
        if line.starts_with(b"***") {
            break;
        }
        place += 1;
    }
    Some([is_zero(first), false])
}
