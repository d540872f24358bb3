//! Hunks: lines to find and lines to put there, read from each of the forms.

use super::Trouble;
use super::lines::Lines;
use super::options::Format;

/// A line with its mark: ` `, `-`, `+` or `!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) mark: u8,
    pub(super) text: Vec<u8>,
}

/// Lines of the old file and the lines that shall stand in their place.
#[derive(Clone, Debug, Default)]
pub(super) struct Hunk {
    /// Where the lines begin, counted from 1; for no lines the place of the one that follows.
    pub(super) old_start: usize,
    pub(super) new_start: usize,
    pub(super) old: Vec<Line>,
    pub(super) new: Vec<Line>,
    /// What stands behind the head: the name of a function.
    pub(super) function: Vec<u8>,
}

impl Hunk {
    /// Makes it undo what it does.
    pub(super) fn swap(&mut self) {
        std::mem::swap(&mut self.old_start, &mut self.new_start);
        std::mem::swap(&mut self.old, &mut self.new);
        for line in &mut self.old {
            if line.mark == b'+' {
                line.mark = b'-';
            }
        }
        for line in &mut self.new {
            if line.mark == b'-' {
                line.mark = b'+';
            }
        }
    }

    /// Returns how many unchanged lines stand before the first change and behind the last.
    pub(super) fn context(&self) -> (usize, usize) {
        let count = |lines: &mut dyn Iterator<Item = &Line>| {
            lines.take_while(|line| line.mark == b' ').count()
        };
        let before = count(&mut self.old.iter()).min(count(&mut self.new.iter()));
        let behind = count(&mut self.old.iter().rev()).min(count(&mut self.new.iter().rev()));
        (before, behind)
    }
}

fn malformed(lines: &Lines, at: usize) -> Trouble {
    let text = lines.raw(at).unwrap_or_default();
    Trouble::Fatal(format!(
        "malformed patch at line {}: {}",
        at + 1,
        String::from_utf8_lossy(text)
    ))
}

/// Reads the next hunk; none if what follows is no hunk of this form.
pub(super) fn next(lines: &mut Lines, format: Format) -> Result<Option<Hunk>, Trouble> {
    match format {
        Format::Unified => unified(lines),
        Format::Context => context(lines),
        Format::Normal => normal(lines),
        Format::Ed => Ok(None),
    }
}

/// Reads `12,3` or `12`; returns the numbers and what follows.
fn numbers(text: &[u8]) -> Option<(usize, Option<usize>, &[u8])> {
    let (first, rest) = number(text)?;
    match rest.strip_prefix(b",").and_then(number) {
        Some((second, rest)) => Some((first, Some(second), rest)),
        None => Some((first, None, rest)),
    }
}

fn number(text: &[u8]) -> Option<(usize, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length)?;
    let value = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((value, rest))
}

/// Takes the line feed from the last line if the next line says so.
fn unended(lines: &mut Lines, last: Option<&mut Line>) {
    if lines
        .raw(lines.at)
        .is_some_and(|line| line.starts_with(b"\\"))
    {
        lines.at += 1;
        if let Some(line) = last
            && line.text.ends_with(b"\n")
        {
            line.text.pop();
        }
    }
}

fn unified(lines: &mut Lines) -> Result<Option<Hunk>, Trouble> {
    let start = lines.at;
    let Some(head) = lines.peek() else {
        return Ok(None);
    };
    let Some(rest) = head.strip_prefix(b"@@ -") else {
        return Ok(None);
    };
    let parsed = numbers(rest).and_then(|(old, old_count, rest)| {
        let rest = rest.strip_prefix(b" ")?.trim_ascii_start();
        let (new, new_count, rest) = numbers(rest.strip_prefix(b"+")?)?;
        let rest = rest.trim_ascii_start().strip_prefix(b"@@")?;
        Some((
            old,
            old_count.unwrap_or(1),
            new,
            new_count.unwrap_or(1),
            rest,
        ))
    });
    let Some((old, old_count, new, new_count, function)) = parsed else {
        return Err(malformed(lines, start));
    };
    lines.at += 1;
    let mut hunk = Hunk {
        old_start: if old_count == 0 { old + 1 } else { old },
        new_start: if new_count == 0 { new + 1 } else { new },
        function: function.trim_ascii_end().to_vec(),
        ..Hunk::default()
    };
    while hunk.old.len() < old_count || hunk.new.len() < new_count {
        let at = lines.at;
        let mut line = match lines.next() {
            Some(line) if line.ends_with(b"\n") => line,
            rest => {
                if rest.is_some() {
                    println!("patch unexpectedly ends in middle of line");
                }
                // Some mailers cut the blank lines at the end.
                if new_count.saturating_sub(hunk.new.len()) > 3 {
                    return Err(Trouble::Fatal("unexpected end of file in patch".to_owned()));
                }
                if hunk.old.len() >= old_count || hunk.new.len() >= new_count {
                    let at = lines.at;
                    return Err(Trouble::Fatal(format!("malformed patch at line {at}:  \n")));
                }
                b" \n".to_vec()
            }
        };
        let mark = line.first().copied().unwrap_or(b'\n');
        let text = match mark {
            b' ' | b'-' | b'+' => line.split_off(1),
            // A blank that was lost on the way.
            b'\n' | b'\t' => line,
            _ => return Err(malformed(lines, at)),
        };
        let mark = if matches!(mark, b'-' | b'+') {
            mark
        } else {
            b' '
        };
        let mut line = Line { mark, text };
        let (has_old, has_new) = (mark != b'+', mark != b'-');
        if (has_old && hunk.old.len() >= old_count) || (has_new && hunk.new.len() >= new_count) {
            return Err(malformed(lines, at));
        }
        unended(lines, Some(&mut line));
        if has_old {
            hunk.old.push(line.clone());
        }
        if has_new {
            hunk.new.push(line);
        }
    }
    Ok(Some(hunk))
}

/// Reads one side of a context hunk: at most `count` lines.
fn context_side(lines: &mut Lines, count: usize) -> Result<Vec<Line>, Trouble> {
    let mut side: Vec<Line> = Vec::new();
    while side.len() < count {
        let at = lines.at;
        let Some(line) = lines.peek() else {
            break;
        };
        // The side is left out where nothing in it changed.
        if line.starts_with(b"***") || (line.starts_with(b"--- ") && line.ends_with(b"----\n")) {
            break;
        }
        let (mark, text) = match line.as_slice() {
            [mark @ (b' ' | b'-' | b'+' | b'!'), b' ' | b'\t', text @ ..] => {
                let is_tab = line.get(1) == Some(&b'\t');
                let text = if is_tab {
                    line.get(1..).unwrap_or_default()
                } else {
                    text
                };
                (*mark, text.to_vec())
            }
            [b'\n'] | [_, b'\n'] => (b' ', b"\n".to_vec()),
            [b'\t', ..] => (b' ', line.clone()),
            _ if side.is_empty() => break,
            _ => return Err(malformed(lines, at)),
        };
        lines.at += 1;
        side.push(Line { mark, text });
        unended(lines, side.last_mut());
    }
    Ok(side)
}

fn context(lines: &mut Lines) -> Result<Option<Hunk>, Trouble> {
    let start = lines.at;
    let Some(head) = lines.peek() else {
        return Ok(None);
    };
    let Some(function) = head.strip_prefix(b"***************") else {
        return Ok(None);
    };
    lines.at += 1;
    let range = |lines: &mut Lines, mark: &[u8]| -> Result<(usize, usize), Trouble> {
        let at = lines.at;
        let line = lines.next().ok_or_else(|| malformed(lines, at))?;
        let parsed = line
            .strip_prefix(mark)
            .and_then(numbers)
            .map(|(first, last, _)| (first, last));
        match parsed {
            Some((0, None)) => Ok((1, 0)),
            Some((first, None)) => Ok((first, 1)),
            Some((first, Some(last))) => Ok((first, (last + 1).saturating_sub(first))),
            None => Err(malformed(lines, at)),
        }
    };
    let (old_start, old_count) = range(lines, b"*** ").inspect_err(|_| lines.at = start)?;
    let mut old = context_side(lines, old_count)?;
    let (new_start, new_count) = range(lines, b"--- ")?;
    let mut new = context_side(lines, new_count)?;
    let unchanged = |side: &[Line]| -> Vec<Line> {
        side.iter()
            .filter(|line| line.mark == b' ')
            .cloned()
            .collect()
    };
    if old.is_empty() && old_count > 0 {
        old = unchanged(&new);
    }
    if new.is_empty() && new_count > 0 {
        new = unchanged(&old);
    }
    // `*** 5 ****` without lines means the place behind line 5.
    let place = |start: usize, count: usize, side: &[Line]| {
        if side.is_empty() && count == 1 {
            start + 1
        } else {
            start
        }
    };
    if old.len() != old_count && !(old.is_empty() && old_count == 1) {
        return Err(malformed(lines, lines.at));
    }
    if new.len() != new_count && !(new.is_empty() && new_count == 1) {
        return Err(malformed(lines, lines.at));
    }
    Ok(Some(Hunk {
        old_start: place(old_start, old_count, &old),
        new_start: place(new_start, new_count, &new),
        old,
        new,
        function: function.trim_ascii_end().to_vec(),
    }))
}

/// Reads the head of a change in the normal form: `2,3c2`.
pub(super) fn normal_head(line: &[u8]) -> Option<(usize, usize, u8, usize, usize)> {
    let (old, old_end, rest) = numbers(line)?;
    let (command, rest) = rest.split_first()?;
    if !matches!(command, b'a' | b'c' | b'd') {
        return None;
    }
    let (new, new_end, rest) = numbers(rest)?;
    if !rest.trim_ascii().is_empty() {
        return None;
    }
    Some((
        old,
        old_end.unwrap_or(old),
        *command,
        new,
        new_end.unwrap_or(new),
    ))
}

fn normal(lines: &mut Lines) -> Result<Option<Hunk>, Trouble> {
    let Some((old, old_end, command, new, new_end)) = lines.peek().as_deref().and_then(normal_head)
    else {
        return Ok(None);
    };
    lines.at += 1;
    let mut hunk = Hunk {
        old_start: if command == b'a' { old + 1 } else { old },
        new_start: if command == b'd' { new + 1 } else { new },
        ..Hunk::default()
    };
    if command != b'a' {
        hunk.old = normal_side(lines, (old_end + 1).saturating_sub(old), b'<', b'-')?;
    }
    if command == b'c' {
        let at = lines.at;
        if !lines.next().is_some_and(|line| line.starts_with(b"---")) {
            return Err(Trouble::Fatal(format!(
                "'---' expected at line {} of patch",
                at + 1
            )));
        }
    }
    if command != b'd' {
        hunk.new = normal_side(lines, (new_end + 1).saturating_sub(new), b'>', b'+')?;
    }
    Ok(Some(hunk))
}

fn normal_side(lines: &mut Lines, count: usize, sign: u8, mark: u8) -> Result<Vec<Line>, Trouble> {
    let mut side = Vec::new();
    for _ in 0..count {
        let at = lines.at;
        let line = lines
            .next()
            .ok_or_else(|| Trouble::Fatal("unexpected end of file in patch".to_owned()))?;
        match line.as_slice() {
            [first, b' ' | b'\t', text @ ..] if *first == sign => side.push(Line {
                mark,
                text: text.to_vec(),
            }),
            _ => {
                return Err(Trouble::Fatal(format!(
                    "'{}' followed by space or tab expected at line {} of patch",
                    char::from(sign),
                    at + 1
                )));
            }
        }
    }
    unended(lines, side.last_mut());
    Ok(side)
}
