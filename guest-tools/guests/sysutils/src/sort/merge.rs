//! Merging sorted inputs: a heap of their next lines.

use std::cmp::Ordering;
use std::io::{BufRead, BufReader, Read, Write};

use super::Failure;
use super::compare::Comparison;
use super::options::Settings;

/// Bytes that are read of an input at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// A sorted input and its current line.
pub(crate) struct Input {
    source: BufReader<Box<dyn Read>>,
    name: String,
    end: u8,
    line: Vec<u8>,
}

impl Input {
    pub(crate) fn new(source: Box<dyn Read>, name: &str, end: u8) -> Self {
        Input {
            source: BufReader::with_capacity(BUFFER_BYTES, source),
            name: name.to_owned(),
            end,
            line: Vec::new(),
        }
    }

    /// Goes on to the next line; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, Failure> {
        self.line.clear();
        let count = self.source.read_until(self.end, &mut self.line);
        if count.map_err(|error| Failure::Read(self.name.clone(), error))? == 0 {
            return Ok(false);
        }
        if self.line.last() == Some(&self.end) {
            self.line.pop();
        }
        Ok(true)
    }

    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }
}

/// Merges inputs into one. Of equal lines, those of the earlier input come first.
pub(crate) fn merge(
    inputs: Vec<Input>,
    comparison: &Comparison<'_>,
    settings: &Settings,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut heap = Heap {
        places: Vec::new(),
        comparison,
    };
    for (place, mut input) in inputs.into_iter().enumerate() {
        if input.advance()? {
            heap.push(place, input);
        }
    }
    let mut before: Option<Vec<u8>> = None;
    while let Some((_, first)) = heap.places.first_mut() {
        let line = &first.line;
        let is_repeated = settings.unique
            && before
                .as_ref()
                .is_some_and(|before| comparison.compare(before, line).is_eq());
        if !is_repeated {
            let written = out
                .write_all(line)
                .and_then(|()| out.write_all(&[settings.end]));
            written.map_err(Failure::Write)?;
            if settings.unique {
                let kept = before.get_or_insert_default();
                kept.clear();
                kept.extend_from_slice(line);
            }
        }
        if first.advance()? {
            heap.sink();
        } else {
            heap.pop();
        }
    }
    Ok(())
}

/// A binary heap by the inputs' current lines; std's cannot take a comparison.
struct Heap<'a, 'b> {
    places: Vec<(usize, Input)>,
    comparison: &'a Comparison<'b>,
}

impl Heap<'_, '_> {
    fn is_before(&self, one: usize, other: usize) -> bool {
        match (self.places.get(one), self.places.get(other)) {
            (Some((place, one)), Some((other_place, other))) => {
                let ordering = self.comparison.compare(&one.line, &other.line);
                ordering.then(place.cmp(other_place)) == Ordering::Less
            }
            _ => false,
        }
    }

    fn push(&mut self, place: usize, input: Input) {
        self.places.push((place, input));
        let mut at = self.places.len() - 1;
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.is_before(at, parent) {
                break;
            }
            self.places.swap(at, parent);
            at = parent;
        }
    }

    fn pop(&mut self) {
        if !self.places.is_empty() {
            self.places.swap_remove(0);
            self.sink();
        }
    }

    /// Moves the first one down to its place.
    fn sink(&mut self) {
        let mut at = 0;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = at;
            for child in [left, right] {
                if child < self.places.len() && self.is_before(child, least) {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.places.swap(at, least);
            at = least;
        }
    }
}
