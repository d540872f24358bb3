//! Where the lines of a paragraph end: of all ways to break it, the one that costs least.
//!
//! A line costs for how far it misses the goal and for how much it differs from the next one; a break costs less
//! behind a sentence and more within one.

type Cost = i64;

const fn square(number: Cost) -> Cost {
    number * number
}

const COST_MAX: Cost = i64::MAX / 4;
const LINE_COST: Cost = square(70);
const SENTENCE_BONUS: Cost = square(50);
const NO_BREAK_COST: Cost = square(600);
const PARENTHESIS_BONUS: Cost = square(40);
const PUNCTUATION_BONUS: Cost = square(40);
/// What an early break is worth when a paragraph is too long to be seen whole.
const LINE_CREDIT: Cost = square(3);

fn short_cost(columns: Cost) -> Cost {
    square(columns * 10)
}

fn ragged_cost(columns: Cost) -> Cost {
    short_cost(columns) / 2
}

/// A word of a paragraph.
#[derive(Clone, Debug, Default)]
pub(super) struct Word {
    pub text: Vec<u8>,
    /// Spaces behind it.
    pub space: usize,
    /// It begins with a bracket or a quote.
    pub opens: bool,
    /// It ends like a sentence.
    pub has_period: bool,
    /// It ends with punctuation.
    pub has_punctuation: bool,
    /// It ends a sentence.
    pub is_final: bool,
    line_length: usize,
    cost: Cost,
    /// The first word of the next line, if this one begins a line.
    pub next: usize,
}

impl Word {
    /// Looks at the first and the last characters.
    pub fn classify(&mut self) {
        self.opens = self
            .text
            .first()
            .is_some_and(|byte| b"(['`\"".contains(byte));
        self.has_punctuation = self.text.last().is_some_and(u8::is_ascii_punctuation);
        let mut rest = self.text.as_slice();
        while let [before @ .., last] = rest
            && !before.is_empty()
            && b")]'\"".contains(last)
        {
            rest = before;
        }
        self.has_period = rest.last().is_some_and(|byte| b".?!".contains(byte));
    }
}

/// What lines may be like.
pub(super) struct Measure {
    pub width: usize,
    pub goal: usize,
    pub first_indent: usize,
    pub other_indent: usize,
    /// Of the line before, if the paragraph goes on.
    pub last_line: usize,
}

impl Measure {
    /// Finds the breaks: `next` of each word that begins a line.
    pub fn break_lines(&self, words: &mut Vec<Word>) {
        let count = words.len();
        // Costs of what begins with a word; behind the last there is nothing.
        words.push(Word::default());
        for start in (0..count).rev() {
            let mut best = (COST_MAX, count, 0);
            let mut length = if start == 0 {
                self.first_indent
            } else {
                self.other_indent
            };
            length += words.get(start).map_or(0, |word| word.text.len());
            let mut end = start;
            loop {
                end += 1;
                let Some(word) = words.get(end) else {
                    break;
                };
                let mut cost = self.line_cost(words, end, count, length) + word.cost;
                if start == 0 && self.last_line > 0 {
                    cost += ragged_cost(length as Cost - self.last_line as Cost);
                }
                if cost < best.0 {
                    best = (cost, end, length);
                }
                if end == count {
                    break;
                }
                let space = words.get(end - 1).map_or(0, |word| word.space);
                length += space + word.text.len();
                if length >= self.width {
                    break;
                }
            }
            let base = base_cost(words, start);
            if let Some(word) = words.get_mut(start) {
                (word.next, word.line_length) = (best.1, best.2);
                word.cost = best.0 + base;
            }
        }
        words.pop();
    }

    fn line_cost(&self, words: &[Word], next: usize, count: usize, length: usize) -> Cost {
        let Some(word) = words.get(next).filter(|_| next < count) else {
            return 0;
        };
        let mut cost = short_cost(self.goal as Cost - length as Cost);
        if word.next != count {
            cost += ragged_cost(length as Cost - word.line_length as Cost);
        }
        cost
    }
}

/// Returns what it costs to begin a line with a word.
fn base_cost(words: &[Word], place: usize) -> Cost {
    let Some(word) = words.get(place) else {
        return 0;
    };
    let before = |distance: usize| {
        place
            .checked_sub(distance)
            .and_then(|place| words.get(place))
    };
    let mut cost = LINE_COST;
    if let Some(last) = before(1) {
        if last.has_period {
            if last.is_final {
                cost -= SENTENCE_BONUS;
            } else {
                cost += NO_BREAK_COST;
            }
        } else if last.has_punctuation {
            cost -= PUNCTUATION_BONUS;
        } else if before(2).is_some_and(|word| word.is_final) {
            cost += square(200) / (last.text.len() as Cost + 2);
        }
    }
    if word.opens {
        cost -= PARENTHESIS_BONUS;
    } else if word.is_final {
        cost += square(150) / (word.text.len() as Cost + 2);
    }
    cost
}

/// Returns the word to stop before, when only the beginning of a paragraph is known: where a break costs little.
pub(super) fn split_point(words: &[Word]) -> usize {
    let count = words.len();
    let (mut point, mut best) = (count, COST_MAX);
    let mut place = words.first().map_or(count, |word| word.next);
    while let Some(word) = words.get(place) {
        let rest = words.get(word.next).map_or(0, |next| next.cost);
        let cost = word.cost - rest;
        if cost < best {
            (point, best) = (place, cost);
        }
        if best <= COST_MAX - LINE_CREDIT {
            best += LINE_CREDIT;
        }
        place = word.next;
    }
    point
}
