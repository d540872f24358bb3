//! Which lines a command applies to.

use super::Machine;
use crate::{
    Failure,
    script::{Address, Command, End, Range},
};

/// Returns the state that a command begins a file with.
pub(super) fn initial(command: &Command) -> Range {
    match command.from_zero {
        true => Range::Inside,
        false => Range::Outside,
    }
}

impl Machine<'_> {
    /// Returns whether the addresses of the command of a number select the line.
    pub(super) fn applies(&mut self, command: &Command, number: usize) -> Result<bool, Failure> {
        let Some(start) = &command.start else {
            return Ok(true);
        };
        let Some(end) = &command.end else {
            return self.is_at(start);
        };
        let range = self.ranges.get(number).copied().unwrap_or(Range::Outside);
        let over = match start {
            Address::Line(_) => Range::Closed,
            _ => Range::Outside,
        };
        let (applies, range) = match range {
            Range::Closed => return Ok(false),
            Range::Outside if !self.begins(start)? => return Ok(false),
            Range::Outside => self.enter(start, end, over)?,
            Range::Inside if self.is_end(end)? => (true, over),
            Range::Inside => (true, Range::Inside),
            // Lines may have been passed by `n` and `N`. A number of lines then still has its last one.
            Range::Until(last) if self.number >= last => {
                (self.number == last || !matches!(end, End::Line(_)), over)
            }
            Range::Until(_) => (true, range),
        };
        if let Some(place) = self.ranges.get_mut(number) {
            *place = range;
        }
        Ok(applies)
    }

    /// Returns whether a range begins. At a line number it also does so later, if the line itself was passed.
    fn begins(&mut self, start: &Address) -> Result<bool, Failure> {
        match start {
            Address::Line(line) => Ok(self.number >= *line),
            start => self.is_at(start),
        }
    }

    /// Returns whether the first line of a range is in it, and the range's state then.
    fn enter(&mut self, start: &Address, end: &End, over: Range) -> Result<(bool, Range), Failure> {
        let last = match end {
            End::Line(line) => *line,
            End::After(count) => self.number.saturating_add(*count),
            End::Multiple(0) => self.number,
            // From a multiple the range goes to the next one.
            End::Multiple(step) => (self.number - self.number % step).saturating_add(*step),
            End::Last if self.input.is_last()? => return Ok((true, over)),
            End::Last | End::Match(_) => return Ok((true, Range::Inside)),
        };
        if last > self.number {
            return Ok((true, Range::Until(last)));
        }
        let was_passed =
            matches!((start, end), (Address::Line(line), End::Line(_)) if *line < self.number);
        Ok((last == self.number || !was_passed, over))
    }

    fn is_at(&mut self, address: &Address) -> Result<bool, Failure> {
        Ok(match address {
            Address::Line(line) => self.number == *line,
            Address::Step(first, step) => {
                self.number >= *first && (self.number - first).is_multiple_of(*step)
            }
            Address::Last => self.input.is_last()?,
            Address::Match(pattern) => self.pattern(pattern)?.is_match(&self.line),
        })
    }

    fn is_end(&mut self, end: &End) -> Result<bool, Failure> {
        match end {
            End::Match(pattern) => Ok(self.pattern(pattern)?.is_match(&self.line)),
            End::Last => self.input.is_last(),
            End::Line(_) | End::After(_) | End::Multiple(_) => Ok(true),
        }
    }
}
