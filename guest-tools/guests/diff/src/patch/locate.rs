//! Where a hunk fits.

use super::hunk::{Hunk, Line};

/// The file to patch and how far it is settled.
pub(super) struct Place<'a> {
    pub(super) input: &'a [Vec<u8>],
    /// Lines that are already written.
    pub(super) frozen: usize,
    /// How far the hunks before lay from where they should.
    pub(super) offset: isize,
    pub(super) ignore_space: bool,
}

impl Place<'_> {
    /// Returns the line where a hunk fits if `fuzz` lines of its context are not looked at.
    pub(super) fn locate(&mut self, hunk: &Hunk, fuzz: usize) -> Option<usize> {
        let number = |value: usize| isize::try_from(value).unwrap_or(isize::MAX);
        let guess = number(hunk.old_start).saturating_add(self.offset);
        let pattern = number(hunk.old.len());
        if pattern == 0 {
            return usize::try_from(guess).ok().filter(|guess| *guess > 0);
        }
        let (before, behind) = hunk.context();
        let (before, behind) = (number(before), number(behind));
        let context = before.max(behind);
        let mut before_fuzz = number(fuzz) + before - context;
        let behind_fuzz = number(fuzz) + behind - context;
        let input = number(self.input.len());
        let frozen = number(self.frozen);
        let last = input - (pattern - behind_fuzz) + 1;
        let first = frozen + 1;
        let up_max = last - guess;
        let mut down_max = guess - first;
        let steps = up_max.max(down_max);
        if guess <= down_max {
            down_max = guess - 1;
        }
        if before_fuzz < 0 && hunk.old_start <= 1 {
            // It can only stand at the beginning.
            if behind_fuzz < 0 && (pattern != input || before < frozen) {
                return None;
            }
            let step = 1 - guess;
            let fits =
                frozen <= before && step <= up_max && self.fits(hunk, 1, 0, behind_fuzz.max(0));
            return fits.then(|| self.settle(guess, step));
        }
        before_fuzz = before_fuzz.max(0);
        if behind_fuzz < 0 {
            // It can only stand at the end.
            let step = guess - (input - pattern + 1);
            let fits = step <= down_max && self.fits(hunk, guess - step, before_fuzz, 0);
            return fits.then(|| self.settle(guess, -step));
        }
        let start = if up_max < 0 {
            guess - last
        } else if down_max < 0 {
            first - guess
        } else {
            0
        };
        for step in start..=steps {
            if step <= up_max && self.fits(hunk, guess + step, before_fuzz, behind_fuzz) {
                return Some(self.settle(guess, step));
            }
            if 0 < step
                && step <= down_max
                && self.fits(hunk, guess - step, before_fuzz, behind_fuzz)
            {
                return Some(self.settle(guess, -step));
            }
        }
        None
    }

    fn settle(&mut self, guess: isize, step: isize) -> usize {
        self.offset += step;
        usize::try_from(guess + step).unwrap_or(1)
    }

    fn fits(&self, hunk: &Hunk, start: isize, before: isize, behind: isize) -> bool {
        let (Ok(start), Ok(before), Ok(behind)) = (
            usize::try_from(start + before),
            usize::try_from(before),
            usize::try_from(behind),
        ) else {
            return false;
        };
        let end = hunk.old.len().saturating_sub(behind);
        let pattern = hunk.old.get(before..end.max(before)).unwrap_or_default();
        if start == 0 {
            return false;
        }
        pattern.iter().enumerate().all(|(number, line)| {
            self.input
                .get(start - 1 + number)
                .is_some_and(|found| self.same(line, found))
        })
    }

    fn same(&self, line: &Line, found: &[u8]) -> bool {
        if self.ignore_space {
            squeezed(&line.text).eq(squeezed(found))
        } else {
            line.text == found
        }
    }
}

/// Returns a line with each run of blanks as one, and none at its end.
fn squeezed(line: &[u8]) -> impl Iterator<Item = u8> {
    let line = line.trim_ascii_end();
    line.iter().enumerate().filter_map(|(place, byte)| {
        let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
        if !is_blank(*byte) {
            return Some(*byte);
        }
        let before = place.checked_sub(1).and_then(|place| line.get(place));
        (!before.is_some_and(|byte| is_blank(*byte))).then_some(b' ')
    })
}
