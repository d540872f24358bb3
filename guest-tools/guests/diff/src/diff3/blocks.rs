//! Two comparisons with a common file, joined where their changes touch.

use std::collections::VecDeque;

use crate::text::{self, Change, Equality, Text};

/// A half-open range of lines.
pub(super) type Span = (usize, usize);

/// Which of the three files differs from the two others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    All,
    One(usize),
}

/// Lines that are not alike in all three files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) odd: Odd,
    pub(super) spans: [Span; 3],
}

impl Block {
    pub(super) fn span(&self, file: usize) -> Span {
        self.spans.get(file).copied().unwrap_or((0, 0))
    }
}

/// Returns how many last lines without a line feed the changes hold.
pub(super) fn ends_lacking(texts: &[Text; 3], common: usize, equality: &Equality) -> usize {
    let [first, second, base] = texts_at(texts, [0, 3 - common, common]);
    let lacks = |text: &Text, end: usize| {
        end > 0 && end == text.lines() && !text.line(end - 1).ends_with(b"\n")
    };
    let mut count = 0;
    for text in [first, second] {
        for change in text::script([text, base], equality) {
            count += usize::from(change.deleted > 0 && lacks(text, change.old + change.deleted));
            count += usize::from(change.inserted > 0 && lacks(base, change.new + change.inserted));
        }
    }
    count
}

/// Returns where three files differ, found by comparing two of them with the one in the place `common`.
pub(super) fn blocks(texts: &[Text; 3], common: usize, equality: &Equality) -> Vec<Block> {
    let places = [0, 3 - common, common];
    let [first, second, base] = texts_at(texts, places);
    let mut threads: [VecDeque<Change>; 2] =
        [first, second].map(|text| text::script([text, base], equality).into());
    let mut blocks = Vec::new();
    // Where the files are, behind the block before.
    let mut last = [0_usize; 3];
    while let Some(low) = lowest(&threads) {
        let Touching { using, high } = take_touching(&mut threads, low);
        let start = using
            .iter()
            .flatten()
            .map(|change| change.new)
            .min()
            .unwrap_or(high);
        let mut spans = [(0, 0), (0, 0), (start, high)];
        let [_, _, last_base] = last;
        for ((span, used), last) in spans.iter_mut().zip(&using).zip(last) {
            *span = match (used.first(), used.last()) {
                (Some(first), Some(end)) => (
                    (first.old + start).saturating_sub(first.new),
                    (end.old + end.deleted + high).saturating_sub(end.new + end.inserted),
                ),
                _ => (
                    (last + start).saturating_sub(last_base),
                    (last + high).saturating_sub(last_base),
                ),
            };
        }
        let [first_used, second_used] = &using;
        let [first_span, second_span, base_span] = spans;
        let odd = if first_used.is_empty() {
            Odd::One(1)
        } else if second_used.is_empty() {
            Odd::One(0)
        } else if lines(first, first_span).eq(lines(second, second_span)) {
            Odd::One(2)
        } else {
            Odd::All
        };
        last = [first_span.1, second_span.1, base_span.1];
        // From the order of the comparison back to that of the files.
        let mut block = Block {
            odd: match odd {
                Odd::One(place) => Odd::One(places.get(place).copied().unwrap_or(place)),
                Odd::All => Odd::All,
            },
            spans: [(0, 0); 3],
        };
        for (place, span) in places.iter().zip(spans) {
            if let Some(target) = block.spans.get_mut(*place) {
                *target = span;
            }
        }
        blocks.push(block);
    }
    blocks
}

fn texts_at(texts: &[Text; 3], places: [usize; 3]) -> [&Text; 3] {
    let [first, ..] = texts;
    places.map(|place| texts.get(place).unwrap_or(first))
}

/// Returns the lines of a span.
pub(super) fn lines(text: &Text, (start, end): Span) -> impl Iterator<Item = &[u8]> {
    (start..end).map(|number| text.line(number))
}

fn lowest(threads: &[VecDeque<Change>; 2]) -> Option<usize> {
    let [one, other] = threads;
    match (one.front(), other.front()) {
        (None, None) => None,
        (Some(_), None) => Some(0),
        (None, Some(_)) => Some(1),
        (Some(one), Some(other)) => Some(usize::from(one.new > other.new)),
    }
}

/// Changes of both threads that reach into each other, and the end of the last in the common file.
struct Touching {
    using: [Vec<Change>; 2],
    high: usize,
}

/// Takes the changes of both threads that reach into each other, beginning with the lowest.
fn take_touching(threads: &mut [VecDeque<Change>; 2], low: usize) -> Touching {
    let mut using = [Vec::new(), Vec::new()];
    let mut high = 0;
    let mut thread = low;
    let mut is_first = true;
    loop {
        let next = threads
            .get_mut(thread)
            .and_then(|changes| changes.pop_front_if(|change| is_first || change.new <= high));
        let Some(change) = next else {
            break;
        };
        if let Some(used) = using.get_mut(thread) {
            used.push(change);
        }
        let end = change.new + change.inserted;
        // The thread that reaches higher waits for the other.
        if is_first || high < end {
            high = end;
            thread ^= 1;
        }
        is_first = false;
    }
    Touching { using, high }
}
