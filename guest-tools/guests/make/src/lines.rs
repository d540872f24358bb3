//! A makefile as logical lines.

use crate::words::is_blank;

/// The physical lines of a text.
pub(crate) struct Lines<'a> {
    lines: Vec<&'a [u8]>,
    at: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let mut lines: Vec<&[u8]> = text
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .collect();
        if lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        Self { lines, at: 0 }
    }

    /// Returns the next logical line, in which physical ones are joined with `\` and a line feed, and its number
    /// from 0.
    pub(crate) fn next(&mut self) -> Option<(Vec<u8>, usize)> {
        let number = self.at;
        let mut line = self.lines.get(self.at)?.to_vec();
        self.at += 1;
        while ends_in_backslash(&line)
            && let Some(more) = self.lines.get(self.at)
        {
            line.push(b'\n');
            line.extend_from_slice(more);
            self.at += 1;
        }
        Some((line, number))
    }
}

fn ends_in_backslash(line: &[u8]) -> bool {
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Joins continued lines with a single blank.
pub(crate) fn joined(line: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(place) = rest.iter().position(|byte| *byte == b'\n') {
        out.extend_from_slice(rest.get(..place).unwrap_or_default());
        rest = rest.get(place + 1..).unwrap_or_default();
        let slashes = out.iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 1 {
            out.truncate(out.len() - slashes + slashes / 2);
            while out.last().copied().is_some_and(is_blank) {
                out.pop();
            }
            out.push(b' ');
            rest = crate::words::trim_start(rest);
        } else {
            out.push(b'\n');
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Cuts a comment off; a quoted `#` loses its backslash. References are left alone.
pub(crate) fn without_comment(line: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(line.len());
    let mut at = 0;
    while let Some(byte) = line.get(at).copied() {
        if byte == b'$' {
            let end = crate::variable::reference_end(line, at).min(line.len());
            out.extend_from_slice(line.get(at..end).unwrap_or_default());
            at = end;
            continue;
        }
        if byte == b'#' {
            let slashes = out.iter().rev().take_while(|byte| **byte == b'\\').count();
            out.truncate(out.len() - slashes + slashes / 2);
            if slashes % 2 == 0 {
                return out;
            }
        }
        out.push(byte);
        at += 1;
    }
    out
}

/// Returns where one of some bytes stands outside of references, not quoted by a backslash.
pub(crate) fn find_outside(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut is_quoted = false;
    while let Some(byte) = text.get(at).copied() {
        if byte == b'$' {
            at = crate::variable::reference_end(text, at);
            is_quoted = false;
            continue;
        }
        if wanted.contains(&byte) && !is_quoted {
            return Some(at);
        }
        is_quoted = byte == b'\\' && !is_quoted;
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logical_lines() {
        let mut lines = Lines::new(b"a \\\n  b\nc\\\\\nd");
        assert_eq!(lines.next(), Some((b"a \\\n  b".to_vec(), 0)));
        assert_eq!(lines.next(), Some((b"c\\\\".to_vec(), 2)));
        assert_eq!(lines.next(), Some((b"d".to_vec(), 3)));
        assert_eq!(lines.next(), None);
        assert_eq!(joined(b"a \\\n  b"), b"a b");
        assert_eq!(without_comment(b"a \\# b # c"), b"a # b ");
        assert_eq!(find_outside(b"$(a:b) c: d", b":"), Some(8));
    }
}
