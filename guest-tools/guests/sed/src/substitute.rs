//! The work of the command `s` on one line.

use posix_regex::Regex;

use crate::{
    replacement::{CaseState, Part},
    script::Substitution,
};

/// The memory that substitutions use again from line to line.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    groups: Vec<Option<(usize, usize)>>,
    out: Vec<u8>,
}

impl Workspace {
    /// Replaces matches in a line. Returns whether there were any.
    pub(crate) fn substitute(
        &mut self,
        line: &mut Vec<u8>,
        regex: &Regex,
        substitution: &Substitution,
        utf8: bool,
    ) -> bool {
        let needs_groups = substitution
            .replacement
            .iter()
            .any(|part| matches!(part, Part::Group(1..)));
        let first = substitution.number.max(1);
        let mut count = 0;
        let mut at = 0;
        let mut copied = 0;
        let mut last_end = None;
        let mut has_replaced = false;
        self.out.clear();
        while at <= line.len() {
            let found = match needs_groups {
                true => {
                    regex.captures_into(line, at, &mut self.groups);
                    self.groups.first().copied().flatten()
                }
                false => regex.find_at(line, at),
            };
            let Some((start, end)) = found else {
                break;
            };
            // An empty match right behind the last one is none.
            if start == end && last_end == Some(start) {
                at = start + character(line, start, utf8);
                last_end = None;
                continue;
            }
            count += 1;
            last_end = Some(end);
            if count >= first {
                self.out
                    .extend_from_slice(line.get(copied..start).unwrap_or_default());
                self.replace(line, (start, end), &substitution.replacement);
                copied = end;
                has_replaced = true;
                if !substitution.global {
                    break;
                }
            }
            at = match start == end {
                true => {
                    last_end = None;
                    end + character(line, end, utf8)
                }
                false => end,
            };
        }
        if has_replaced {
            self.out
                .extend_from_slice(line.get(copied..).unwrap_or_default());
            std::mem::swap(line, &mut self.out);
        }
        has_replaced
    }

    fn replace(&mut self, line: &[u8], whole: (usize, usize), parts: &[Part]) {
        let mut case = CaseState::default();
        for part in parts {
            match part {
                Part::Text(text) => case.append(text, &mut self.out),
                Part::Case(change) => case.set(*change),
                Part::Group(group) => {
                    let span = match group {
                        0 => Some(whole),
                        group => self.groups.get(*group).copied().flatten(),
                    };
                    let text = span.and_then(|(start, end)| line.get(start..end));
                    case.append(text.unwrap_or_default(), &mut self.out);
                }
            }
        }
    }
}

/// Returns the length of the character at a place, at least 1.
fn character(line: &[u8], at: usize, utf8: bool) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(4)).unwrap_or_default();
    match rest.utf8_chunks().next() {
        Some(chunk) if utf8 => chunk.valid().chars().next().map_or(1, char::len_utf8),
        _ => 1,
    }
}
