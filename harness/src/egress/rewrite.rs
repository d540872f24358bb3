//! Replacing texts in a stream of bytes, wherever its parts are cut.
//!
//! The only bytes held back are those that may be the beginning of what is looked for, so a stream that stands still
//! in the middle of nothing has passed as a whole.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use bytes::Bytes;
use futures::stream::try_unfold;
use http_body_util::BodyExt as _;
use sinew_runtime::{EgressBody, EgressError};
use zeroize::Zeroizing;

use super::body::of_parts;

/// Most bytes that come of one step, however many short texts become long ones in it.
const STEP_BYTES_MAX: usize = 1 << 20;
/// Bounds of the bytes that one step takes in.
const STEP_TAKEN_BYTES: std::ops::RangeInclusive<usize> = 64..=64 << 10;

/// What a found text becomes.
#[derive(Clone)]
pub(super) enum With {
    /// These bytes.
    Bytes(Zeroizing<Vec<u8>>),
    /// As many asterisks: the length of what it is in stays true.
    Mask,
}

struct Pattern {
    find: Zeroizing<Vec<u8>>,
    /// For each length of a match so far, the length that is left of it when the next byte does not fit.
    fallback: Vec<usize>,
    with: With,
    /// What the caller knows it by.
    tag: usize,
}

/// Texts to look for, and what they become. It holds secrets, so it lives as long as their use and has no `Debug`.
#[derive(Default)]
pub(super) struct Table {
    patterns: Vec<Pattern>,
    /// None without patterns.
    automaton: Option<AhoCorasick>,
    /// See [`Self::step`].
    step: usize,
}

impl Table {
    /// Returns a table; of two that fit at one place the longer counts. Empty texts are left out.
    pub(super) fn new(
        patterns: impl IntoIterator<Item = (Zeroizing<Vec<u8>>, With, usize)>,
    ) -> Self {
        let patterns = patterns.into_iter().filter(|(find, ..)| !find.is_empty());
        let patterns: Vec<Pattern> = patterns
            .map(|(find, with, tag)| Pattern {
                fallback: fallback(&find),
                find,
                with,
                tag,
            })
            .collect();
        if patterns.is_empty() {
            return Self::default();
        }
        let growth = patterns.iter().map(|pattern| match &pattern.with {
            With::Bytes(bytes) => bytes.len() / pattern.find.len() + 1,
            With::Mask => 1,
        });
        let step = STEP_BYTES_MAX / growth.max().unwrap_or(1);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(patterns.iter().map(|pattern| pattern.find.as_slice()));
        Self {
            // Fails only beyond two thousand million states.
            automaton: automaton.ok(),
            patterns,
            step: step.clamp(*STEP_TAKEN_BYTES.start(), *STEP_TAKEN_BYTES.end()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.automaton.is_none()
    }

    /// Returns how many bytes are looked through at a time, so that what comes of them is bounded; at least one.
    fn step(&self) -> usize {
        match self.is_empty() {
            true => usize::MAX,
            false => self.step.max(1),
        }
    }

    /// Tells whether one of the texts is in `bytes`.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        self.automaton
            .as_ref()
            .is_some_and(|automaton| automaton.find(bytes).is_some())
    }

    /// Returns `bytes` with everything replaced, and the tags of what was.
    pub(super) fn whole(&self, bytes: &[u8]) -> (Vec<u8>, BTreeSet<usize>) {
        let mut rewriter = Rewriter::default();
        let mut out = rewriter.push(self, bytes);
        out.extend(rewriter.finish(self));
        (out, rewriter.found)
    }

    /// Returns the same; none if that is more than `bytes_max` and what one step may add.
    pub(super) fn whole_within(
        &self,
        bytes: &[u8],
        bytes_max: usize,
    ) -> Option<(Zeroizing<Vec<u8>>, BTreeSet<usize>)> {
        let mut rewriter = Rewriter::default();
        let mut out = Zeroizing::new(Vec::new());
        for part in bytes.chunks(self.step()) {
            out.extend(rewriter.push(self, part));
            if out.len() > bytes_max {
                return None;
            }
        }
        out.extend(rewriter.finish(self));
        Some((out, rewriter.found))
    }

    /// Returns the length of the longest end of `bytes` that may be the beginning of a text.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let end = |pattern: &Pattern| {
            let last = pattern.find.len().saturating_sub(1);
            let tail = bytes.get(bytes.len().saturating_sub(last)..);
            let mut length = 0usize;
            for byte in tail.unwrap_or_default() {
                while length > 0 && pattern.find.get(length) != Some(byte) {
                    length = pattern.fallback.get(length - 1).copied().unwrap_or(0);
                }
                if pattern.find.get(length) == Some(byte) {
                    length += 1;
                }
            }
            length
        };
        self.patterns.iter().map(end).max().unwrap_or(0)
    }
}

/// Returns for each beginning of a text the length of its longest own end that is a beginning too.
fn fallback(text: &[u8]) -> Vec<usize> {
    let mut table = vec![0usize; text.len()];
    let mut length = 0usize;
    for (at, byte) in text.iter().enumerate().skip(1) {
        while length > 0 && text.get(length) != Some(byte) {
            length = table.get(length - 1).copied().unwrap_or(0);
        }
        if text.get(length) == Some(byte) {
            length += 1;
        }
        if let Some(slot) = table.get_mut(at) {
            *slot = length;
        }
    }
    table
}

/// One stream on its way through a [`Table`].
#[derive(Default)]
pub(super) struct Rewriter {
    held: Zeroizing<Vec<u8>>,
    /// The tags of what was replaced.
    pub(super) found: BTreeSet<usize>,
}

impl Rewriter {
    /// Takes the next part and returns what can pass.
    pub(super) fn push(&mut self, table: &Table, part: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(part);
        self.pass(table, false)
    }

    /// Returns what was held back, at the end.
    pub(super) fn finish(&mut self, table: &Table) -> Vec<u8> {
        self.pass(table, true)
    }

    fn pass(&mut self, table: &Table, is_end: bool) -> Vec<u8> {
        let Some(automaton) = &table.automaton else {
            return std::mem::take(&mut *self.held);
        };
        let held = std::mem::take(&mut self.held);
        let open_from = |from: usize| match is_end {
            true => held.len(),
            false => held.len() - table.open_end(held.get(from..).unwrap_or_default()),
        };
        let mut out = Vec::with_capacity(held.len());
        let mut open = open_from(0);
        let mut at = 0;
        while let Some(found) = automaton.find(aho_corasick::Input::new(&*held).range(at..)) {
            // It may become a longer one, or be a part of one that begins before it.
            if found.start() >= open {
                break;
            }
            out.extend_from_slice(held.get(at..found.start()).unwrap_or_default());
            if let Some(pattern) = table.patterns.get(found.pattern().as_usize()) {
                match &pattern.with {
                    With::Bytes(bytes) => out.extend_from_slice(bytes),
                    With::Mask => out.resize(out.len() + found.len(), b'*'),
                }
                self.found.insert(pattern.tag);
            }
            at = found.end();
            if at > open {
                open = open_from(at);
            }
        }
        let open = open.max(at);
        out.extend_from_slice(held.get(at..open).unwrap_or_default());
        self.held
            .extend_from_slice(held.get(open..).unwrap_or_default());
        out
    }
}

/// Returns a body with everything replaced as it passes. `found` hears of the tags that were met before the part that
/// has them passes, and may end the body instead.
pub(super) fn body(
    body: EgressBody,
    table: std::sync::Arc<Table>,
    found: impl Fn(usize) -> Result<(), EgressError> + Send + 'static,
) -> EgressBody {
    struct Flow<F> {
        body: EgressBody,
        /// What came and was not looked through.
        taken: Bytes,
        table: std::sync::Arc<Table>,
        rewriter: Rewriter,
        known: usize,
        is_over: bool,
        found: F,
    }
    let flow = Flow {
        body,
        taken: Bytes::new(),
        rewriter: Rewriter::default(),
        table,
        known: 0,
        is_over: false,
        found,
    };
    of_parts(try_unfold(flow, |mut flow| async move {
        loop {
            if flow.is_over {
                return Ok(None);
            }
            if flow.taken.is_empty() {
                match flow.body.frame().await.transpose()? {
                    // Trailers would be headers that nobody looked through.
                    Some(frame) => flow.taken = frame.into_data().unwrap_or_default(),
                    None => flow.is_over = true,
                }
            }
            let part = flow.taken.len().min(flow.table.step());
            let part = flow.taken.split_to(part);
            let out = match flow.is_over {
                true => flow.rewriter.finish(&flow.table),
                false => flow.rewriter.push(&flow.table, &part),
            };
            if flow.rewriter.found.len() > flow.known {
                flow.known = flow.rewriter.found.len();
                for tag in &flow.rewriter.found {
                    (flow.found)(*tag)?;
                }
            }
            if !out.is_empty() {
                return Ok(Some((Bytes::from(out), flow)));
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(pairs: &[(&str, &str)]) -> Table {
        Table::new(pairs.iter().enumerate().map(|(tag, (find, with))| {
            let with = Zeroizing::new(with.as_bytes().to_vec());
            (
                Zeroizing::new(find.as_bytes().to_vec()),
                With::Bytes(with),
                tag,
            )
        }))
    }

    fn in_parts(table: &Table, parts: &[&[u8]]) -> String {
        let mut rewriter = Rewriter::default();
        let mut out = Vec::new();
        for part in parts {
            out.extend(rewriter.push(table, part));
        }
        out.extend(rewriter.finish(table));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_cut_is_found() {
        let names = table(&[("abcab", "<1>"), ("abcabx", "<2>"), ("bc", "<3>")]);
        for (text, expected) in [
            ("abcab", "<1>"),
            ("abcabx", "<2>"),
            ("abcabcab", "<1>cab"),
            ("xabcaabc", "xa<3>aa<3>"),
        ] {
            for cut in 0..text.len() {
                let (a, b) = text.as_bytes().split_at(cut);
                assert_eq!(in_parts(&names, &[a, b]), expected, "{text} at {cut}");
            }
        }
    }

    #[test]
    fn nothing_is_held_that_cannot_begin_one() {
        let names = table(&[("secret", "x")]);
        let mut rewriter = Rewriter::default();
        assert_eq!(rewriter.push(&names, b"data: 1\n\n"), b"data: 1\n\n");
        assert_eq!(rewriter.push(&names, b"a sec"), b"a ");
        assert_eq!(rewriter.push(&names, b"ond"), b"second");
        assert!(rewriter.push(&names, b"secre").is_empty());
        assert_eq!(rewriter.push(&names, b"t"), b"x");
        assert!(rewriter.found.contains(&0));
        assert_eq!(Table::default().whole(b"secret").0, b"secret");
    }

    #[tokio::test]
    async fn short_texts_that_become_long_ones_stay_within_bounds() {
        let long = "s".repeat(STEP_BYTES_MAX / 64);
        let names = table(&[("x".repeat(64).as_str(), &long)]);
        let all = "x".repeat(64 * 100);
        assert!(
            names
                .whole_within(all.as_bytes(), 10 * long.len())
                .is_none()
        );
        let (whole, _) = names
            .whole_within(all.as_bytes(), 100 * long.len())
            .unwrap();
        assert_eq!(whole.len(), 100 * long.len());
        let streamed = body(
            super::super::whole(all.into_bytes()),
            std::sync::Arc::new(names),
            |_| Ok(()),
        );
        let mut parts = super::super::parts_of(streamed);
        let mut total = 0;
        while let Some(part) = futures::StreamExt::next(&mut parts).await {
            let part = part.unwrap();
            assert!(part.len() <= 2 * STEP_BYTES_MAX);
            total += part.len();
        }
        assert_eq!(total, 100 * long.len());
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(text in "[ab]{0,40}", cuts in prop::collection::vec(0usize..40, 0..6)) {
            let names = table(&[("aab", "1"), ("aabaa", "2"), ("ba", "3"), ("bbbb", "4")]);
            let expected = String::from_utf8(names.whole(text.as_bytes()).0).unwrap();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            cuts.insert(0, 0);
            cuts.push(text.len());
            let parts: Vec<&[u8]> = cuts.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
            prop_assert_eq!(in_parts(&names, &parts), expected);
        }
    }
}
