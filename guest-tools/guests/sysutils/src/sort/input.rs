//! Lines in memory: one buffer for the text, and where each line of it stands.

use std::fs::File;
use std::io::{self, Read};

use super::compare::Comparison;
use super::options::Settings;

/// Bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;
/// What is kept of a line besides its text.
const LINE_BYTES: usize = size_of::<Line>();

/// Opens a file; `-` is standard input.
pub(crate) fn open(name: &str) -> io::Result<Box<dyn Read>> {
    if name == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(File::open(name)?))
}

/// A line: where it is, and the first bytes of what is compared, which mostly decide.
#[derive(Debug, Clone, Copy)]
struct Line {
    prefix: u64,
    start: u32,
    length: u32,
}

/// Lines that are sorted together.
pub(crate) struct Lines {
    text: Vec<u8>,
    lines: Vec<Line>,
    end: u8,
    /// Up to where the text was split into lines.
    split: usize,
    memory_max: usize,
}

impl Lines {
    pub(crate) fn new(settings: &Settings) -> Self {
        Lines {
            text: Vec::new(),
            lines: Vec::new(),
            end: settings.end,
            split: 0,
            memory_max: settings.memory_max,
        }
    }

    /// Reads until the input ends (false) or the memory is full (true).
    pub(crate) fn fill(&mut self, source: &mut dyn Read) -> io::Result<bool> {
        loop {
            if self.text.len() + self.lines.len() * LINE_BYTES > self.memory_max
                && !self.lines.is_empty()
            {
                return Ok(true);
            }
            if self.text.len() + READ_BYTES > u32::MAX as usize {
                return Err(io::Error::other("line too long"));
            }
            let before = self.text.len();
            self.text.resize(before + READ_BYTES, 0);
            let count = read(source, self.text.get_mut(before..).unwrap_or(&mut []));
            self.text.truncate(before + *count.as_ref().unwrap_or(&0));
            if count? == 0 {
                // A last line without an end gets one.
                if self.text.len() > self.split {
                    self.text.push(self.end);
                    self.split_lines();
                }
                return Ok(false);
            }
            self.split_lines();
        }
    }

    fn split_lines(&mut self) {
        let rest = self.text.get(self.split..).unwrap_or(&[]);
        let mut start = self.split;
        for at in memchr::memchr_iter(self.end, rest) {
            let end = self.split + at;
            if let (Ok(start), Ok(length)) = (u32::try_from(start), u32::try_from(end - start)) {
                self.lines.push(Line {
                    prefix: 0,
                    start,
                    length,
                });
            }
            start = end + 1;
        }
        self.split = start;
    }

    fn text_of(&self, line: Line) -> &[u8] {
        text_of(&self.text, line)
    }

    /// Sorts the lines, and leaves one of those that are equal if that is wanted.
    pub(crate) fn sort(&mut self, comparison: &Comparison<'_>, settings: &Settings) {
        let text = &self.text;
        for line in &mut self.lines {
            line.prefix = comparison.prefix(text_of(text, *line));
        }
        if comparison.is_plain() {
            self.lines.sort_unstable_by(|left, right| {
                let ordering = left.prefix.cmp(&right.prefix);
                let ordering =
                    ordering.then_with(|| text_of(text, *left).cmp(text_of(text, *right)));
                if comparison.is_reverse() {
                    ordering.reverse()
                } else {
                    ordering
                }
            });
        } else {
            let order = |left: &Line, right: &Line| {
                comparison.compare_with_prefix(
                    left.prefix,
                    text_of(text, *left),
                    right.prefix,
                    text_of(text, *right),
                )
            };
            // Stable, because equal lines may have to stay in order.
            self.lines.sort_by(order);
        }
        if settings.unique {
            self.lines.dedup_by(|later, earlier| {
                comparison
                    .compare(text_of(text, *earlier), text_of(text, *later))
                    .is_eq()
            });
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(|line| self.text_of(*line))
    }

    /// Forgets the lines, but not what was read of a line that goes on.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.text.drain(..self.split.min(self.text.len()));
        self.split = 0;
    }
}

fn text_of(text: &[u8], line: Line) -> &[u8] {
    let start = line.start as usize;
    text.get(start..start + line.length as usize).unwrap_or(&[])
}

fn read(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
