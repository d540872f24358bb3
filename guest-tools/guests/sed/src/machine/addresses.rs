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
        let (applies, range) = match range {
            Range::Outside if !self.is_at(start)? => return Ok(false),
            Range::Outside => (true, self.enter(end)?),
            Range::Inside if self.is_end(end)? => (true, Range::Outside),
            Range::Inside => (true, Range::Inside),
            // Lines may have been passed by `n` and `N`.
            Range::Until(last) => match self.number.cmp(&last) {
                std::cmp::Ordering::Less => (true, range),
                std::cmp::Ordering::Equal => (true, Range::Outside),
                std::cmp::Ordering::Greater => (
                    self.is_at(start)? && !matches!(start, Address::Line(_)),
                    Range::Outside,
                ),
            },
        };
        if let Some(place) = self.ranges.get_mut(number) {
            *place = range;
        }
        Ok(applies)
    }

    /// Returns the state of a range whose first line this is.
    fn enter(&mut self, end: &End) -> Result<Range, Failure> {
        let last = match end {
            End::Line(line) => *line,
            End::After(count) => self.number.saturating_add(*count),
            End::Multiple(0) => self.number,
            // From a multiple the range goes to the next one.
            End::Multiple(step) => (self.number - self.number % step).saturating_add(*step),
            End::Last if self.input.is_last()? => return Ok(Range::Outside),
            End::Last | End::Match(_) => return Ok(Range::Inside),
        };
        Ok(match last > self.number {
            true => Range::Until(last),
            false => Range::Outside,
        })
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
