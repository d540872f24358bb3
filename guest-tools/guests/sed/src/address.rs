//! Which lines a command is for.

use crate::pattern::Pattern;

/// An address.
#[derive(Clone, Debug)]
pub enum Address {
    Line(u64),
    Last,
    Pattern(Pattern),
    /// `first~step`
    Step(u64, u64),
    /// `addr,+N`
    Plus(u64),
    /// `addr,~N`
    Multiple(u64),
}

/// The addresses of a command, and whether a range of lines is open.
#[derive(Clone, Debug, Default)]
pub struct Range {
    pub first: Option<Address>,
    pub second: Option<Address>,
    pub is_negated: bool,
    is_active: bool,
    /// The last line of the open range, where it is known.
    end: u64,
}

/// What addresses ask about the line.
pub trait Line {
    /// Returns its number.
    fn number(&self) -> u64;
    /// Returns whether it is the last.
    fn is_last(&mut self) -> Result<bool, crate::Failure>;
    /// Returns whether the pattern space matches.
    fn matches(&mut self, pattern: &Pattern) -> Result<bool, crate::Failure>;
}

impl Range {
    /// Closes the range, as before a new file. `0,/re/` is open from the beginning.
    pub fn reset(&mut self) {
        self.is_active = self.second.is_some() && matches!(self.first, Some(Address::Line(0)));
    }

    /// Returns whether further lines of the range are expected.
    pub fn is_active(&self) -> bool {
        self.is_active
    }

    /// Returns whether the command is for the line.
    pub fn selects(&mut self, line: &mut impl Line) -> Result<bool, crate::Failure> {
        let Some(first) = &self.first else {
            return Ok(!self.is_negated);
        };
        let selected = match &self.second {
            None => is_at(first, line)?,
            Some(second) if self.is_active => match second {
                Address::Line(_) | Address::Plus(_) | Address::Multiple(_) => {
                    self.is_active = line.number() < self.end;
                    line.number() <= self.end || is_at(first, line)?
                }
                other => {
                    self.is_active = !is_at(other, line)?;
                    true
                }
            },
            Some(second) => {
                let begins = is_at(first, line)?;
                if begins {
                    let number = line.number();
                    self.end = match second {
                        Address::Line(end) => *end,
                        Address::Plus(count) => number.saturating_add(*count),
                        Address::Multiple(0) => number,
                        Address::Multiple(step) => number.div_ceil(*step).saturating_mul(*step),
                        _ => u64::MAX,
                    };
                    self.is_active = self.end > number;
                }
                begins
            }
        };
        Ok(selected != self.is_negated)
    }
}

fn is_at(address: &Address, line: &mut impl Line) -> Result<bool, crate::Failure> {
    Ok(match address {
        Address::Line(number) => line.number() == *number,
        Address::Last => line.is_last()?,
        Address::Pattern(pattern) => line.matches(pattern)?,
        Address::Step(first, step) => line
            .number()
            .checked_sub(*first)
            .is_some_and(|distance| distance % step == 0),
        Address::Plus(_) | Address::Multiple(_) => false,
    })
}
