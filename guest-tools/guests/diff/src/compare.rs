//! Which lines changed: Myers' algorithm from both ends, in linear space.
//!
//! Choices among equally short scripts are GNU's: lines that match nothing or too much are set aside first, a search
//! that gets too costly is cut off, and runs of changes are moved towards their counterparts and the end afterwards.

/// Classes of the lines of two files, without their common beginning and end.
pub(crate) type Classes = [Vec<usize>; 2];

/// Flags of changed lines with an unchanged one before and behind, so that scans need no bounds.
pub(crate) struct Flags(Vec<bool>);

impl Flags {
    fn new(lines: usize) -> Self {
        Self(vec![false; lines + 2])
    }

    /// Returns whether a line changed; lines outside the file did not.
    pub(crate) fn get(&self, line: isize) -> bool {
        usize::try_from(line + 1)
            .ok()
            .and_then(|place| self.0.get(place))
            .copied()
            .unwrap_or(false)
    }

    fn set(&mut self, line: isize, changed: bool) {
        if let Some(flag) = usize::try_from(line + 1)
            .ok()
            .and_then(|place| self.0.get_mut(place))
        {
            *flag = changed;
        }
    }
}

/// Returns the changed lines of both files.
pub(crate) fn changed(classes: &Classes, minimal: bool) -> [Flags; 2] {
    let [first, second] = classes;
    let mut flags = [Flags::new(first.len()), Flags::new(second.len())];
    let [first_kept, second_kept] = set_aside(classes, minimal, &mut flags);
    let vector = |kept: &[usize], classes: &[usize]| -> Vec<usize> {
        kept.iter()
            .map(|line| at(classes, *line as isize))
            .collect()
    };
    let x = vector(&first_kept, first);
    let y = vector(&second_kept, second);
    let diagonals = x.len() + y.len() + 3;
    let mut cost_max = 1;
    let mut rest = diagonals;
    while rest != 0 {
        cost_max <<= 1;
        rest >>= 2;
    }
    let mut search = Search {
        forward: vec![0; diagonals],
        backward: vec![0; diagonals],
        offset: y.len() as isize + 1,
        cost_max: cost_max.max(4096),
        x,
        y,
        kept: [first_kept, second_kept],
        flags,
    };
    let (x_end, y_end) = (search.x.len() as isize, search.y.len() as isize);
    search.compare(0, x_end, 0, y_end, minimal);
    let mut flags = search.flags;
    shift(classes, &mut flags);
    flags
}

fn at(values: &[usize], index: isize) -> usize {
    usize::try_from(index)
        .ok()
        .and_then(|index| values.get(index))
        .copied()
        .unwrap_or(usize::MAX)
}

fn set_aside(classes: &Classes, minimal: bool, flags: &mut [Flags; 2]) -> [Vec<usize>; 2] {
    let count = classes.iter().flatten().max().map_or(0, |class| class + 1);
    let counts = classes.each_ref().map(|lines| {
        let mut counts = vec![0_usize; count];
        for class in lines {
            if let Some(count) = counts.get_mut(*class) {
                *count += 1;
            }
        }
        counts
    });
    let [first_counts, second_counts] = &counts;
    let mut kept = [Vec::new(), Vec::new()];
    let others = [second_counts, first_counts];
    for (((lines, counts), flags), kept) in classes
        .iter()
        .zip(others)
        .zip(flags.iter_mut())
        .zip(&mut kept)
    {
        let marks = if minimal {
            vec![0; lines.len()]
        } else {
            marks(lines, counts)
        };
        for (line, mark) in marks.iter().enumerate() {
            if *mark == 0 {
                kept.push(line);
            } else {
                flags.set(line as isize, true);
            }
        }
    }
    kept
}

/// Marks lines to set aside: 1 for those without a match, 2 for those with so many that they only count within a
/// run of such.
fn marks(lines: &[usize], counts: &[usize]) -> Vec<u8> {
    let mut many = 5;
    let mut rest = (lines.len() / 64) >> 2;
    while rest > 0 {
        many *= 2;
        rest >>= 2;
    }
    let mut marks: Vec<u8> = lines
        .iter()
        .map(|class| match counts.get(*class).copied().unwrap_or(0) {
            0 => 1,
            matches if matches > many => 2,
            _ => 0,
        })
        .collect();
    let mut line = 0;
    while line < marks.len() {
        match marks.get(line) {
            Some(2) => put(&mut marks, line, 0),
            Some(1) => {
                let length = settle_run(marks.get_mut(line..).unwrap_or_default());
                line += length.saturating_sub(1);
            }
            _ => {}
        }
        line += 1;
    }
    marks
}

fn put(marks: &mut [u8], place: usize, mark: u8) {
    if let Some(slot) = marks.get_mut(place) {
        *slot = mark;
    }
}

/// Decides about the doubtful lines of the run that begins here and returns how far that was done.
fn settle_run(marks: &mut [u8]) -> usize {
    let mut end = marks.iter().take_while(|mark| **mark != 0).count();
    while end > 0 && marks.get(end - 1) == Some(&2) {
        end -= 1;
        put(marks, end, 0);
    }
    let run = marks.get_mut(..end).unwrap_or_default();
    let doubtful = run.iter().filter(|mark| **mark == 2).count();
    if doubtful * 4 > end {
        for mark in run.iter_mut().filter(|mark| **mark == 2) {
            *mark = 0;
        }
        // What is left of the run is looked at again, line by line.
        return 1;
    }
    let mut minimum = 1;
    let mut rest = (end >> 2) >> 2;
    while rest > 0 {
        minimum <<= 1;
        rest >>= 2;
    }
    minimum += 1;
    for group in run.chunk_by_mut(|one, other| (*one == 2) == (*other == 2)) {
        if group.first() == Some(&2) && group.len() >= minimum {
            group.fill(0);
        }
    }
    settle_edge(run.iter_mut());
    settle_edge(run.iter_mut().rev());
    end
}

fn settle_edge<'a>(marks: impl Iterator<Item = &'a mut u8>) {
    let mut consecutive = 0;
    for (place, mark) in marks.enumerate() {
        if place >= 8 && *mark == 1 {
            break;
        }
        match *mark {
            1 => consecutive += 1,
            _ => {
                consecutive = 0;
                *mark = 0;
            }
        }
        if consecutive == 3 {
            break;
        }
    }
}

struct Search {
    /// The furthest x on each diagonal, from the beginning and from the end.
    forward: Vec<isize>,
    backward: Vec<isize>,
    /// Where diagonal 0 stands in them.
    offset: isize,
    /// The cost at which a search is cut off.
    cost_max: usize,
    x: Vec<usize>,
    y: Vec<usize>,
    kept: [Vec<usize>; 2],
    flags: [Flags; 2],
}

struct Middle {
    x: isize,
    y: isize,
    minimal: [bool; 2],
}

impl Search {
    fn compare(
        &mut self,
        mut x: isize,
        mut x_end: isize,
        mut y: isize,
        mut y_end: isize,
        minimal: bool,
    ) {
        while x < x_end && y < y_end && at(&self.x, x) == at(&self.y, y) {
            x += 1;
            y += 1;
        }
        while x < x_end && y < y_end && at(&self.x, x_end - 1) == at(&self.y, y_end - 1) {
            x_end -= 1;
            y_end -= 1;
        }
        if x == x_end || y == y_end {
            let [first, second] = &mut self.flags;
            let [first_kept, second_kept] = &self.kept;
            for line in x..x_end {
                first.set(at(first_kept, line) as isize, true);
            }
            for line in y..y_end {
                second.set(at(second_kept, line) as isize, true);
            }
            return;
        }
        let middle = self.middle(x, x_end, y, y_end, minimal);
        let [low, high] = middle.minimal;
        self.compare(x, middle.x, y, middle.y, low);
        self.compare(middle.x, x_end, middle.y, y_end, high);
    }

    fn middle(
        &mut self,
        x_start: isize,
        x_end: isize,
        y_start: isize,
        y_end: isize,
        minimal: bool,
    ) -> Middle {
        let (low, high) = (x_start - y_end, x_end - y_start);
        let (front, back) = (x_start - y_start, x_end - y_end);
        let odd = (front - back) & 1 != 0;
        let (mut front_low, mut front_high) = (front, front);
        let (mut back_low, mut back_high) = (back, back);
        self.set_forward(front, x_start);
        self.set_backward(back, x_end);
        let mut cost = 1;
        loop {
            if front_low > low {
                front_low -= 1;
                self.set_forward(front_low - 1, -1);
            } else {
                front_low += 1;
            }
            if front_high < high {
                front_high += 1;
                self.set_forward(front_high + 1, -1);
            } else {
                front_high -= 1;
            }
            let mut diagonal = front_high;
            while diagonal >= front_low {
                let (below, above) = (self.forward(diagonal - 1), self.forward(diagonal + 1));
                let mut x = if below < above { above } else { below + 1 };
                while x < x_end
                    && x - diagonal < y_end
                    && at(&self.x, x) == at(&self.y, x - diagonal)
                {
                    x += 1;
                }
                self.set_forward(diagonal, x);
                if odd && (back_low..=back_high).contains(&diagonal) && self.backward(diagonal) <= x
                {
                    return Middle {
                        x,
                        y: x - diagonal,
                        minimal: [true, true],
                    };
                }
                diagonal -= 2;
            }
            if back_low > low {
                back_low -= 1;
                self.set_backward(back_low - 1, isize::MAX);
            } else {
                back_low += 1;
            }
            if back_high < high {
                back_high += 1;
                self.set_backward(back_high + 1, isize::MAX);
            } else {
                back_high -= 1;
            }
            let mut diagonal = back_high;
            while diagonal >= back_low {
                let (below, above) = (self.backward(diagonal - 1), self.backward(diagonal + 1));
                let mut x = if below < above { below } else { above - 1 };
                while x_start < x
                    && y_start < x - diagonal
                    && at(&self.x, x - 1) == at(&self.y, x - diagonal - 1)
                {
                    x -= 1;
                }
                self.set_backward(diagonal, x);
                if !odd
                    && (front_low..=front_high).contains(&diagonal)
                    && x <= self.forward(diagonal)
                {
                    return Middle {
                        x,
                        y: x - diagonal,
                        minimal: [true, true],
                    };
                }
                diagonal -= 2;
            }
            if !minimal && cost >= self.cost_max {
                let front = self.best_front(front_low, front_high, x_end, y_end);
                let back = self.best_back(back_low, back_high, x_start, y_start);
                return if (x_end + y_end) - (back.0 + back.1)
                    < (front.0 + front.1) - (x_start + y_start)
                {
                    Middle {
                        x: front.0,
                        y: front.1,
                        minimal: [true, false],
                    }
                } else {
                    Middle {
                        x: back.0,
                        y: back.1,
                        minimal: [false, true],
                    }
                };
            }
            cost += 1;
        }
    }

    fn best_front(&self, low: isize, high: isize, x_end: isize, y_end: isize) -> (isize, isize) {
        let mut best = (-1, 0);
        for diagonal in (low..=high).rev().step_by(2) {
            let x = self.forward(diagonal).min(x_end).min(y_end + diagonal);
            if best.0 + best.1 < x + x - diagonal {
                best = (x, x - diagonal);
            }
        }
        best
    }

    fn best_back(&self, low: isize, high: isize, x_start: isize, y_start: isize) -> (isize, isize) {
        let mut best: Option<(isize, isize)> = None;
        for diagonal in (low..=high).rev().step_by(2) {
            let x = self.backward(diagonal).max(x_start).max(y_start + diagonal);
            if best.is_none_or(|best| x + x - diagonal < best.0 + best.1) {
                best = Some((x, x - diagonal));
            }
        }
        best.unwrap_or((x_start, y_start))
    }

    fn forward(&self, diagonal: isize) -> isize {
        usize::try_from(diagonal + self.offset)
            .ok()
            .and_then(|place| self.forward.get(place))
            .copied()
            .unwrap_or(-1)
    }

    fn backward(&self, diagonal: isize) -> isize {
        usize::try_from(diagonal + self.offset)
            .ok()
            .and_then(|place| self.backward.get(place))
            .copied()
            .unwrap_or(isize::MAX)
    }

    fn set_forward(&mut self, diagonal: isize, x: isize) {
        if let Some(slot) = usize::try_from(diagonal + self.offset)
            .ok()
            .and_then(|place| self.forward.get_mut(place))
        {
            *slot = x;
        }
    }

    fn set_backward(&mut self, diagonal: isize, x: isize) {
        if let Some(slot) = usize::try_from(diagonal + self.offset)
            .ok()
            .and_then(|place| self.backward.get_mut(place))
        {
            *slot = x;
        }
    }
}

/// Moves runs of changes: together where they meet, to the end, and back to a run of the other file beside them.
fn shift(classes: &Classes, flags: &mut [Flags; 2]) {
    let [first_lines, second_lines] = classes;
    let [first, second] = flags;
    shift_one(first_lines, first, second);
    shift_one(second_lines, second, first);
}

fn shift_one(lines: &[usize], changed: &mut Flags, other: &Flags) {
    let end = lines.len() as isize;
    let (mut line, mut beside) = (0, 0);
    loop {
        while line < end && !changed.get(line) {
            while other.get(beside) {
                beside += 1;
            }
            beside += 1;
            line += 1;
        }
        if line >= end {
            return;
        }
        let mut start = line;
        while changed.get(line) {
            line += 1;
        }
        while other.get(beside) {
            beside += 1;
        }
        let mut matching;
        loop {
            let length = line - start;
            while start > 0 && at(lines, start - 1) == at(lines, line - 1) {
                start -= 1;
                changed.set(start, true);
                line -= 1;
                changed.set(line, false);
                while changed.get(start - 1) {
                    start -= 1;
                }
                beside -= 1;
                while other.get(beside) {
                    beside -= 1;
                }
            }
            matching = if other.get(beside - 1) { line } else { end };
            while line != end && at(lines, start) == at(lines, line) {
                changed.set(start, false);
                start += 1;
                changed.set(line, true);
                line += 1;
                while changed.get(line) {
                    line += 1;
                }
                beside += 1;
                while other.get(beside) {
                    matching = line;
                    beside += 1;
                }
            }
            if length == line - start {
                break;
            }
        }
        while matching < line {
            start -= 1;
            changed.set(start, true);
            line -= 1;
            changed.set(line, false);
            beside -= 1;
            while other.get(beside) {
                beside -= 1;
            }
        }
    }
}
