//! A hunk put into the text at a place.

use super::Trouble;
use super::hunk::Hunk;

/// The text that comes out, as far as it is settled.
#[derive(Default)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    /// How many lines of the input are settled.
    pub(super) frozen: usize,
}

impl Output {
    /// Copies the input up to and with line `last`.
    pub(super) fn copy_till(&mut self, input: &[Vec<u8>], last: usize) -> Result<(), Trouble> {
        if self.frozen > last {
            return Err(Trouble::Fatal(
                "misordered hunks! output would be garbled".to_owned(),
            ));
        }
        for line in input.get(self.frozen..last).unwrap_or_default() {
            self.put(line);
        }
        self.frozen = last;
        Ok(())
    }

    /// Copies what is left of the input.
    pub(super) fn finish(&mut self, input: &[Vec<u8>]) {
        for line in input.get(self.frozen..).unwrap_or_default() {
            self.put(line);
        }
        self.frozen = input.len();
    }

    /// Adds a line; one that had no end gets one first.
    fn put(&mut self, line: &[u8]) {
        if self.bytes.last().is_some_and(|last| *last != b'\n') {
            self.bytes.push(b'\n');
        }
        self.bytes.extend_from_slice(line);
    }

    /// Applies a hunk whose lines begin at line `place`.
    pub(super) fn apply(
        &mut self,
        input: &[Vec<u8>],
        hunk: &Hunk,
        place: usize,
    ) -> Result<(), Trouble> {
        let before = place.saturating_sub(1);
        let (mut old, mut new) = (0, 0);
        let mark = |side: &[super::hunk::Line], at: usize| side.get(at).map(|line| line.mark);
        loop {
            match (mark(&hunk.old, old), mark(&hunk.new, new)) {
                (None, None) => return Ok(()),
                (Some(b'-'), _) => {
                    self.copy_till(input, before + old)?;
                    self.frozen += 1;
                    old += 1;
                }
                (_, Some(b'+')) => {
                    self.copy_till(input, before + old)?;
                    if let Some(line) = hunk.new.get(new) {
                        self.put(&line.text);
                    }
                    new += 1;
                }
                (Some(b'!'), _) | (_, Some(b'!')) => {
                    self.copy_till(input, before + old)?;
                    while mark(&hunk.old, old) == Some(b'!') {
                        self.frozen += 1;
                        old += 1;
                    }
                    while mark(&hunk.new, new) == Some(b'!') {
                        if let Some(line) = hunk.new.get(new) {
                            self.put(&line.text);
                        }
                        new += 1;
                    }
                }
                (Some(_), Some(_)) => {
                    old += 1;
                    new += 1;
                }
                _ => {
                    return Err(Trouble::Fatal(
                        "out-of-sync patch, lines do not correspond".to_owned(),
                    ));
                }
            }
        }
    }
}
