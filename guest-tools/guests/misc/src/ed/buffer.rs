//! The lines that are edited. Lines count from 1; 0 is the place before the first.

use std::collections::HashMap;

#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Stays the same wherever the line goes.
    pub(super) id: u64,
    pub(super) text: Vec<u8>,
}

#[derive(Default)]
pub(super) struct Buffer {
    pub(super) lines: Vec<Line>,
    pub(super) current: usize,
    pub(super) is_changed: bool,
    pub(super) marks: HashMap<u8, u64>,
    /// What `x` puts back.
    pub(super) cut: Vec<Vec<u8>>,
    next: u64,
    before: Option<(Vec<Line>, usize)>,
}

impl Buffer {
    pub(super) fn last(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn text(&self, line: usize) -> &[u8] {
        line.checked_sub(1)
            .and_then(|place| self.lines.get(place))
            .map_or(&[], |line| &line.text)
    }

    /// Remembers how it is, for `u`.
    pub(super) fn keep(&mut self) {
        self.before = Some((self.lines.clone(), self.current));
    }

    /// Goes back to what was kept; again goes forth.
    pub(super) fn undo(&mut self) -> bool {
        let Some((lines, current)) = self.before.take() else {
            return false;
        };
        self.before = Some((std::mem::replace(&mut self.lines, lines), self.current));
        self.current = current;
        self.is_changed = true;
        true
    }

    /// Puts lines behind a line.
    pub(super) fn insert(&mut self, behind: usize, texts: Vec<Vec<u8>>) {
        let place = behind.min(self.lines.len());
        let mut next = self.next;
        let lines: Vec<Line> = texts
            .into_iter()
            .map(|text| {
                next += 1;
                Line { id: next, text }
            })
            .collect();
        self.next = next;
        self.is_changed |= !lines.is_empty();
        self.lines.splice(place..place, lines);
    }

    /// Takes lines out.
    pub(super) fn remove(&mut self, first: usize, last: usize) -> Vec<Line> {
        let end = last.min(self.lines.len());
        let start = first.saturating_sub(1).min(end);
        self.is_changed = true;
        self.lines.drain(start..end).collect()
    }

    pub(super) fn place_of(&self, id: u64) -> Option<usize> {
        self.lines
            .iter()
            .position(|line| line.id == id)
            .map(|place| place + 1)
    }
}
