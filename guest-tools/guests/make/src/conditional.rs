//! Conditionals: which lines of a makefile are read.

use crate::maker::Maker;
use crate::parse::{self, Condition};
use crate::place::{Outcome, Stop};
use crate::words::{split_word, trim, words};

impl Maker {
    /// Takes a line that is a conditional; returns whether it is one.
    pub(crate) fn conditional(
        &mut self,
        line: &[u8],
        conditions: &mut Vec<Condition>,
    ) -> Outcome<bool> {
        let (word, mut rest) = split_word(line);
        let word_text = String::from_utf8_lossy(word).into_owned();
        // `ifeq(` without a blank is no conditional, but an error elsewhere.
        let mut kind = match word_text.as_str() {
            "ifdef" | "ifndef" | "ifeq" | "ifneq" | "else" | "endif" => word_text,
            _ => return Ok(false),
        };
        let warn = |maker: &mut Self, kind: &str| {
            let place = maker.place.clone();
            maker.complain(
                place.as_ref(),
                &format!("warning: extraneous text after '{kind}' directive"),
            );
        };
        if kind == "endif" {
            if conditions.pop().is_none() {
                return Err(Stop::at(self.place.as_ref(), "extraneous 'endif'"));
            }
            if !rest.is_empty() {
                warn(self, "endif");
            }
            return Ok(true);
        }
        let is_outside_ignored = |conditions: &[Condition], count: usize| {
            conditions
                .iter()
                .take(count)
                .any(|condition| condition.ignores)
        };
        if kind == "else" {
            let outer = conditions.len().saturating_sub(1);
            let ignored_outside = is_outside_ignored(conditions, outer);
            let Some(condition) = conditions.last_mut() else {
                return Err(Stop::at(self.place.as_ref(), "extraneous 'else'"));
            };
            if condition.had_else {
                return Err(Stop::at(
                    self.place.as_ref(),
                    "only one 'else' per conditional",
                ));
            }
            condition.ignores = condition.was_true;
            let (word, behind) = split_word(rest);
            match String::from_utf8_lossy(word).as_ref() {
                "" => {
                    condition.had_else = true;
                    condition.was_true = true;
                    return Ok(true);
                }
                inner @ ("ifdef" | "ifndef" | "ifeq" | "ifneq") => {
                    kind = inner.to_owned();
                    rest = behind;
                }
                _ => {
                    condition.had_else = true;
                    condition.was_true = true;
                    warn(self, "else");
                    return Ok(true);
                }
            }
            if condition.was_true || ignored_outside {
                condition.ignores = true;
                return Ok(true);
            }
            let holds = self.holds(&kind, rest)?;
            if let Some(condition) = conditions.last_mut() {
                condition.ignores = !holds;
                condition.was_true = holds;
            }
            return Ok(true);
        }
        if is_outside_ignored(conditions, conditions.len()) {
            conditions.push(Condition {
                ignores: true,
                was_true: true,
                had_else: false,
            });
            return Ok(true);
        }
        let holds = self.holds(&kind, rest)?;
        conditions.push(Condition {
            ignores: !holds,
            was_true: holds,
            had_else: false,
        });
        Ok(true)
    }

    fn holds(&mut self, kind: &str, rest: &[u8]) -> Outcome<bool> {
        if matches!(kind, "ifdef" | "ifndef") {
            let name = self.expand(rest)?;
            let name = trim(&name);
            if words(name).count() != 1 {
                return Err(Stop::at(
                    self.place.as_ref(),
                    "invalid syntax in conditional",
                ));
            }
            let is_set = self
                .lookup(name)
                .is_some_and(|variable| !variable.value.is_empty());
            return Ok(is_set == (kind == "ifdef"));
        }
        let Some((left, right, behind)) = parse::comparison(rest) else {
            return Err(Stop::at(
                self.place.as_ref(),
                "invalid syntax in conditional",
            ));
        };
        if !trim(behind).is_empty() {
            let place = self.place.clone();
            self.complain(
                place.as_ref(),
                &format!("warning: extraneous text after '{kind}' directive"),
            );
        }
        let is_equal = self.expand(left)? == self.expand(right)?;
        Ok(is_equal == (kind == "ifeq"))
    }
}
