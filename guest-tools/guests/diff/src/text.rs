//! A file as lines, two files as classes of equal lines, and the script of changes between them.

use std::collections::HashMap;

use posix_regex::Regex;

use crate::compare;

/// How much white space counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Space {
    #[default]
    Counts,
    TabExpansion,
    Trailing,
    TabAndTrailing,
    Change,
    Nothing,
}

/// What makes lines equal and changes unimportant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Equality {
    pub(crate) space: Space,
    pub(crate) ignore_case: bool,
    pub(crate) blank_lines: bool,
    pub(crate) pattern: Option<Regex>,
    pub(crate) minimal: bool,
    /// A carriage return before a line feed is not read.
    pub(crate) strip_return: bool,
    /// Lines beside the changes that stay in the comparison.
    pub(crate) horizon: usize,
    pub(crate) tab: usize,
}

/// The content of a file.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    /// Where each line begins, and the end.
    starts: Vec<usize>,
}

impl Text {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', &bytes).map(|place| place + 1));
        if starts.last() != Some(&bytes.len()) {
            starts.push(bytes.len());
        }
        Self { bytes, starts }
    }

    /// As [`Self::new`], without carriage returns at line ends.
    pub(crate) fn without_returns(bytes: &[u8]) -> Self {
        let mut kept = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(place) = memchr::memmem::find(rest, b"\r\n") {
            kept.extend_from_slice(rest.get(..place).unwrap_or_default());
            rest = rest.get(place + 1..).unwrap_or_default();
        }
        kept.extend_from_slice(rest);
        Self::new(kept)
    }

    pub(crate) fn lines(&self) -> usize {
        self.starts.len() - 1
    }

    /// Returns a line with its line feed.
    pub(crate) fn line(&self, number: usize) -> &[u8] {
        match (self.starts.get(number), self.starts.get(number + 1)) {
            (Some(start), Some(end)) => self.bytes.get(*start..*end).unwrap_or_default(),
            _ => &[],
        }
    }

    pub(crate) fn is_binary(&self) -> bool {
        memchr::memchr(
            0,
            self.bytes
                .get(..self.bytes.len().min(4096))
                .unwrap_or_default(),
        )
        .is_some()
    }

    fn lacks_end(&self) -> bool {
        self.bytes.last().is_some_and(|last| *last != b'\n')
    }
}

/// Lines of one file in place of lines of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) old: usize,
    pub(crate) deleted: usize,
    pub(crate) new: usize,
    pub(crate) inserted: usize,
    /// Nobody asked about such a change.
    pub(crate) ignored: bool,
}

/// Returns the changes that lead from one text to the other.
pub(crate) fn script(texts: [&Text; 2], equality: &Equality) -> Vec<Change> {
    let [first, second] = texts;
    let (prefix, ends) = common_ends(first, second, equality);
    let [first_end, second_end] = ends;
    let mut classes: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut classify = |text: &Text, end: usize| -> Vec<usize> {
        (prefix..end)
            .map(|number| {
                let key = key(text.line(number), equality);
                let next = classes.len();
                *classes.entry(key).or_insert(next)
            })
            .collect()
    };
    let classes = [classify(first, first_end), classify(second, second_end)];
    let [old_flags, new_flags] = compare::changed(&classes, equality.minimal);
    let [old_lines, new_lines] = classes.map(|lines| lines.len() as isize);
    let mut changes = Vec::new();
    let (mut old, mut new) = (0, 0);
    while old < old_lines || new < new_lines {
        let (old_start, new_start) = (old, new);
        while old_flags.get(old) {
            old += 1;
        }
        while new_flags.get(new) {
            new += 1;
        }
        if (old, new) != (old_start, new_start) {
            let mut change = Change {
                old: prefix + old_start as usize,
                deleted: (old - old_start) as usize,
                new: prefix + new_start as usize,
                inserted: (new - new_start) as usize,
                ignored: false,
            };
            change.ignored = is_ignored(texts, &change, equality);
            changes.push(change);
        }
        old += 1;
        new += 1;
    }
    changes
}

fn is_ignored(texts: [&Text; 2], change: &Change, equality: &Equality) -> bool {
    if !equality.blank_lines && equality.pattern.is_none() {
        return false;
    }
    let [first, second] = texts;
    let old = (change.old..change.old + change.deleted).map(|number| first.line(number));
    let new = (change.new..change.new + change.inserted).map(|number| second.line(number));
    old.chain(new).all(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let blank = match equality.space {
            Space::Counts | Space::TabExpansion => line.is_empty(),
            _ => line.iter().all(|byte| is_space(*byte)),
        };
        (equality.blank_lines && blank)
            || equality
                .pattern
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(line))
    })
}

/// Returns how many lines at the beginning need no comparison, and the line where those at the end begin.
fn common_ends(first: &Text, second: &Text, equality: &Equality) -> (usize, [usize; 2]) {
    let (one, other) = (&first.bytes, &second.bytes);
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let whole = |text: &Text| {
        text.starts
            .partition_point(|start| *start <= same)
            .saturating_sub(1)
    };
    // A last line without its end is whole only if it is so in both.
    let mut prefix = whole(first).min(whole(second));
    if same < one.len().max(other.len()) && (first.lacks_end() || second.lacks_end()) {
        let line_feeds = memchr::memchr_iter(b'\n', one.get(..same).unwrap_or_default()).count();
        prefix = prefix.min(line_feeds);
    }
    let identical = one == other;
    if !identical {
        prefix = prefix.saturating_sub(equality.horizon);
    }
    let ends = [first.lines(), second.lines()];
    if identical || first.lacks_end() != second.lacks_end() {
        return (prefix, ends);
    }
    let start = first.starts.get(prefix).copied().unwrap_or(0);
    let common_max = one.len().min(other.len()).saturating_sub(start);
    let tail = one
        .iter()
        .rev()
        .zip(other.iter().rev())
        .take(common_max)
        .take_while(|(a, b)| a == b)
        .count();
    let at_line = |text: &Text| {
        let place = text.bytes.len() - tail;
        place == 0 || text.bytes.get(place - 1) == Some(&b'\n')
    };
    let skip = equality.horizon + usize::from(!(at_line(first) && at_line(second)));
    let [first_lines, second_lines] = ends;
    let tail_lines = memchr::memchr_iter(b'\n', one.get(one.len() - tail..).unwrap_or_default())
        .count()
        + usize::from(first.lacks_end() && tail > 0);
    let dropped = tail_lines.saturating_sub(skip);
    (prefix, [first_lines - dropped, second_lines - dropped])
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Returns what a line is compared by.
fn key(line: &[u8], equality: &Equality) -> Vec<u8> {
    let mut whole = line;
    let ended = match line.strip_suffix(b"\n") {
        Some(rest) => {
            whole = rest;
            true
        }
        None => false,
    };
    let mut key = Vec::with_capacity(whole.len() + 1);
    let trailing = matches!(
        equality.space,
        Space::Trailing | Space::TabAndTrailing | Space::Change
    );
    if trailing {
        while let Some((last, rest)) = whole.split_last().filter(|(last, _)| is_space(**last)) {
            let _ = last;
            whole = rest;
        }
    }
    match equality.space {
        Space::Counts | Space::Trailing => key.extend_from_slice(whole),
        Space::Nothing => key.extend(whole.iter().copied().filter(|byte| !is_space(*byte))),
        Space::Change => {
            let mut was_space = false;
            for byte in whole {
                let space = is_space(*byte);
                if !space {
                    key.push(*byte);
                } else if !was_space {
                    key.push(b' ');
                }
                was_space = space;
            }
        }
        Space::TabExpansion | Space::TabAndTrailing => {
            let mut column = 0;
            for byte in whole {
                match byte {
                    b'\t' => {
                        let width = equality.tab - column % equality.tab;
                        key.extend(std::iter::repeat_n(b' ', width));
                        column += width;
                    }
                    8 => {
                        key.push(8);
                        column = column.saturating_sub(1);
                    }
                    _ => {
                        key.push(*byte);
                        column += 1;
                    }
                }
            }
        }
    }
    if equality.ignore_case {
        key.make_ascii_lowercase();
    }
    if ended || equality.space >= Space::Trailing {
        key.push(b'\n');
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares letters as if each were a line.
    fn check(old: &str, new: &str, expected: &[(usize, usize, usize, usize)]) {
        let text = |letters: &str| {
            Text::new(
                letters
                    .chars()
                    .flat_map(|letter| [letter as u8, b'\n'])
                    .collect(),
            )
        };
        let changes = script([&text(old), &text(new)], &Equality::default());
        let found: Vec<_> = changes
            .iter()
            .map(|c| (c.old, c.deleted, c.new, c.inserted))
            .collect();
        assert_eq!(found, expected, "{old} {new}");
    }

    #[test]
    fn changes_are_those_that_gnu_chooses() {
        check("abc", "abc", &[]);
        check("", "ab", &[(0, 0, 0, 2)]);
        check(
            "abcdefgh",
            "aBcdefxg",
            &[(1, 1, 1, 1), (6, 0, 6, 1), (7, 1, 8, 0)],
        );
        check("abab", "ababab", &[(4, 0, 4, 2)]);
    }
}
