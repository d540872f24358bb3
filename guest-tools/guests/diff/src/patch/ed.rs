//! Scripts of ed as diff makes them: appends, changes, deletions, and the substitution that takes a dot away.

use super::Trouble;
use super::lines::Lines;

/// Returns whether a line is a command of such a script, and its letter.
pub(super) fn command(line: &[u8]) -> Option<u8> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let letters = line
        .iter()
        .skip_while(|byte| byte.is_ascii_digit() || **byte == b',')
        .copied()
        .collect::<Vec<u8>>();
    let is_addressed = line.first().is_some_and(u8::is_ascii_digit);
    match letters.as_slice() {
        [letter @ (b'a' | b'c' | b'd' | b'i')] if is_addressed => Some(*letter),
        [b's', ..] => Some(b's'),
        _ => None,
    }
}

/// Runs the script that comes next on the lines of a file.
pub(super) fn run(lines: &mut Lines, text: &mut Vec<Vec<u8>>) -> Result<(), Trouble> {
    let mut current = text.len();
    while let Some(line) = lines.peek() {
        let at = lines.at;
        let bad = || Trouble::Fatal(format!("ed script cannot be applied at line {}", at + 1));
        let trimmed = line.trim_ascii();
        if matches!(trimmed, b"w" | b"q") {
            lines.at += 1;
            continue;
        }
        let command = match command(&line) {
            Some(command) => command,
            // diff ends the insertion of a lone dot so.
            None if trimmed == b"a" => b'a',
            None => return Ok(()),
        };
        lines.at += 1;
        let shown = String::from_utf8_lossy(trimmed).into_owned();
        let digits: String = shown
            .chars()
            .take_while(|letter| letter.is_ascii_digit() || *letter == ',')
            .collect();
        let (first, last) = if digits.is_empty() {
            (current, current)
        } else {
            let (first, last) = digits.split_once(',').unwrap_or((&digits, &digits));
            (
                first.parse::<usize>().map_err(|_| bad())?,
                last.parse::<usize>().map_err(|_| bad())?,
            )
        };
        if last > text.len() || first > last {
            return Err(bad());
        }
        if command == b's' {
            // `s/.//` and `s/^\.//`, the only ones that diff and diff3 write.
            if !shown.ends_with("s/.//") && !shown.ends_with("s/^\\.//") {
                return Err(bad());
            }
            for line in text
                .get_mut(first.saturating_sub(1)..last)
                .ok_or_else(bad)?
            {
                if !line.is_empty() {
                    line.remove(0);
                }
            }
            current = last;
            continue;
        }
        let mut place = match command {
            b'a' => last,
            _ => first.checked_sub(1).ok_or_else(bad)?,
        };
        if matches!(command, b'c' | b'd') {
            text.drain(place..last);
        }
        if command != b'd' {
            let start = place;
            while let Some(line) = lines.next() {
                if line == b".\n" {
                    break;
                }
                text.insert(place, line);
                place += 1;
            }
            current = if place > start { place } else { start };
        }
    }
    Ok(())
}
