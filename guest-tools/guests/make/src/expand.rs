//! Variables looked up, set, and put into text.

use std::rc::Rc;

use crate::maker::Maker;
use crate::pattern::{Pattern, substitute};
use crate::place::{Outcome, Place, Stop, shown};
use crate::variable::{Export, Frame, Operator, Origin, Variable, Variables};
use crate::words::{join, trim, words};

/// References within references at most: each takes a part of the stack.
const DEPTH_MAX: usize = 300;

impl Maker {
    fn in_frame(&self, frame: &Frame, name: &[u8]) -> Option<Rc<Variable>> {
        let found = match frame {
            Frame::Local(variables) => variables.get(name),
            Frame::Target(file, own) => self
                .files
                .get(*file)
                .and_then(|file| file.variables.get(name))
                .filter(|variable| *own || !variable.private),
            Frame::Pattern(number) => self
                .pattern_variables
                .get(*number)
                .and_then(|pattern| pattern.variables.get(name)),
        };
        found.cloned()
    }

    /// Returns a variable and the number of the frames outside of where it is.
    fn find_below(&self, name: &[u8], frames: usize) -> Option<(Rc<Variable>, usize)> {
        let frames = self.frames.get(..frames).unwrap_or(&self.frames);
        for (number, frame) in frames.iter().enumerate().rev() {
            if let Some(found) = self.in_frame(frame, name) {
                return Some((found, number));
            }
        }
        // A private one of no target is not seen by recipes.
        let is_recipe = frames.iter().any(|frame| match frame {
            Frame::Local(variables) => variables.contains_key(b"@".as_slice()),
            Frame::Target(..) | Frame::Pattern(_) => true,
        });
        self.variables
            .get(name)
            .filter(|variable| !(variable.private && is_recipe))
            .cloned()
            .map(|variable| (variable, 0))
    }

    /// Returns the variable that a name means here.
    pub(crate) fn lookup(&self, name: &[u8]) -> Option<Rc<Variable>> {
        self.find_below(name, self.frames.len())
            .map(|(variable, _)| variable)
    }

    /// Returns the expanded value of a variable; nothing if there is none.
    pub(crate) fn value_of(&mut self, name: &[u8]) -> Outcome<Option<Vec<u8>>> {
        if name == b".VARIABLES" {
            return Ok(Some(join(self.variables.keys())));
        }
        self.value_below(name, self.frames.len())
    }

    fn value_below(&mut self, name: &[u8], frames: usize) -> Outcome<Option<Vec<u8>>> {
        let Some((variable, outside)) = self.find_below(name, frames) else {
            return Ok(None);
        };
        let mut value = if variable.recursive {
            self.expand_variable(name, &variable)?
        } else {
            variable.value.clone()
        };
        if variable.append
            && let Some(mut before) = self.value_below(name, outside)?
        {
            if !before.is_empty() && !value.is_empty() {
                before.push(b' ');
            }
            before.append(&mut value);
            value = before;
        }
        Ok(Some(value))
    }

    fn expand_variable(&mut self, name: &[u8], variable: &Rc<Variable>) -> Outcome<Vec<u8>> {
        let is_inside = self
            .expanding
            .iter()
            .any(|other| Rc::ptr_eq(other, variable));
        if is_inside && !self.called.iter().any(|called| called == name) {
            return Err(Stop::at(
                variable.place.clone().or(self.place.clone()).as_ref(),
                format!(
                    "Recursive variable '{}' references itself (eventually)",
                    shown(name)
                ),
            ));
        }
        if self.expanding.len() >= DEPTH_MAX {
            return Err(Stop::at(
                self.place.as_ref(),
                format!("variables are nested too deeply at '{}'", shown(name)),
            ));
        }
        self.expanding.push(Rc::clone(variable));
        let value = self.expand(&variable.value);
        self.expanding.pop();
        value
    }

    /// Replaces all references in a text by what they mean.
    pub(crate) fn expand(&mut self, text: &[u8]) -> Outcome<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(place) = rest.iter().position(|byte| *byte == b'$') {
            let (plain, reference) = rest.split_at_checked(place).unwrap_or((rest, &[]));
            out.extend_from_slice(plain);
            match reference.get(1) {
                None => return Ok(out),
                Some(b'$') => {
                    out.push(b'$');
                    rest = reference.get(2..).unwrap_or_default();
                }
                Some(b'(' | b'{') => {
                    let length = self.reference(reference, &mut out)?;
                    rest = reference.get(length..).unwrap_or_default();
                }
                Some(letter) => {
                    let name = [*letter];
                    if !crate::words::is_blank(*letter) {
                        self.put_variable(&name, &mut out)?;
                    }
                    rest = reference.get(2..).unwrap_or_default();
                }
            }
        }
        out.extend_from_slice(rest);
        Ok(out)
    }

    fn put_variable(&mut self, name: &[u8], out: &mut Vec<u8>) -> Outcome<()> {
        match self.value_of(name)? {
            Some(value) => out.extend_from_slice(&value),
            None if self.options.warn_undefined => {
                let place = self.place.clone();
                self.complain(
                    place.as_ref(),
                    &format!("warning: undefined variable '{}'", shown(name)),
                );
            }
            None => {}
        }
        Ok(())
    }

    /// Expands the reference that a text begins with and returns its length.
    fn reference(&mut self, text: &[u8], out: &mut Vec<u8>) -> Outcome<usize> {
        let is_round = text.get(1) == Some(&b'(');
        let (open, close) = if is_round { (b'(', b')') } else { (b'{', b'}') };
        if let Some(length) = self.function(text, open, close, out)? {
            return Ok(length);
        }
        let unterminated =
            |maker: &Self| Stop::at(maker.place.as_ref(), "unterminated variable reference");
        let inner = text.get(2..).unwrap_or_default();
        let first_close = inner.iter().position(|byte| *byte == close);
        let Some(first_close) = first_close else {
            return Err(unterminated(self));
        };
        let simple = inner.get(..first_close).unwrap_or_default();
        let (name, length) = if simple.contains(&b'$') {
            let mut depth = 0_usize;
            let end = inner.iter().position(|byte| {
                if *byte == open {
                    depth += 1;
                } else if *byte == close {
                    if depth == 0 {
                        return true;
                    }
                    depth -= 1;
                }
                false
            });
            let Some(end) = end else {
                return Err(unterminated(self));
            };
            let name = self.expand(inner.get(..end).unwrap_or_default())?;
            (name, end + 3)
        } else {
            (simple.to_vec(), first_close + 3)
        };
        if let Some((name, from, to)) = substitution(&name) {
            let value = self.value_of(name)?;
            if value.is_none() && self.options.warn_undefined {
                self.put_variable(name, &mut Vec::new())?;
            }
            out.extend_from_slice(&substituted(&value.unwrap_or_default(), from, to));
        } else {
            self.put_variable(&name, out)?;
        }
        Ok(length)
    }

    /// Defines a variable as a line of a makefile does.
    pub(crate) fn define(
        &mut self,
        name: &[u8],
        operator: Operator,
        value: &[u8],
        origin: Origin,
    ) -> Outcome<()> {
        let place = self.place.clone();
        let existing = self.variables.get(name).cloned();
        let (value, recursive) = match operator {
            Operator::Recursive => (value.to_vec(), true),
            Operator::Simple => (self.expand(value)?, false),
            Operator::Shell => {
                let command = self.expand(value)?;
                (self.shell_output(&command)?, true)
            }
            Operator::Conditional => {
                if existing.is_some() || self.lookup(name).is_some() {
                    return Ok(());
                }
                (value.to_vec(), true)
            }
            Operator::Append => match &existing {
                None => (value.to_vec(), true),
                Some(old) => {
                    if old.origin > origin {
                        return Ok(());
                    }
                    let added = if old.recursive {
                        value.to_vec()
                    } else {
                        self.expand(value)?
                    };
                    (appended(&old.value, &added), old.recursive)
                }
            },
        };
        if let Some(existing) = &existing
            && existing.origin > origin
        {
            return Ok(());
        }
        let origin = match &existing {
            // What came with the environment goes back there, whoever changes it.
            Some(existing) if origin == Origin::File && self.options.environment_overrides => {
                if existing.origin == Origin::Environment {
                    return Ok(());
                }
                origin
            }
            _ => origin,
        };
        let mut variable = Variable::new(value, origin, recursive);
        variable.place = place;
        if let Some(existing) = &existing {
            variable.export = match (existing.export, existing.origin) {
                (Export::Default, Origin::Environment | Origin::EnvironmentOverride) => Export::Yes,
                (export, _) => export,
            };
        }
        self.variables.insert(name.to_vec(), Rc::new(variable));
        self.after_definition(name)
    }

    /// Does what the setting of some variables causes.
    fn after_definition(&mut self, name: &[u8]) -> Outcome<()> {
        if name == b"MAKEFLAGS" {
            let value = self.value_of(name)?.unwrap_or_default();
            self.take_flags(&value);
        }
        Ok(())
    }

    /// Returns a variable as a target has it, defined like [`Self::define`] does.
    pub(crate) fn local_definition(
        &mut self,
        variables: &Variables,
        name: &[u8],
        operator: Operator,
        value: &[u8],
        origin: Origin,
    ) -> Outcome<Option<Variable>> {
        let existing = variables.get(name).cloned();
        let global = self.variables.get(name).cloned();
        if let Some(existing) = &existing
            && existing.origin > origin
        {
            return Ok(None);
        }
        let mut append = false;
        let (value, recursive) = match operator {
            Operator::Recursive => (value.to_vec(), true),
            Operator::Simple => (self.expand(value)?, false),
            Operator::Shell => {
                let command = self.expand(value)?;
                (self.shell_output(&command)?, true)
            }
            Operator::Conditional => {
                if existing.is_some() || global.is_some() {
                    return Ok(None);
                }
                (value.to_vec(), true)
            }
            Operator::Append => match (&existing, &global) {
                (Some(old), _) => {
                    append = old.append;
                    let added = if old.recursive {
                        value.to_vec()
                    } else {
                        self.expand(value)?
                    };
                    (appended(&old.value, &added), old.recursive)
                }
                (None, global) => {
                    append = true;
                    // Added to a simple variable, it is expanded at once as well.
                    if global.as_ref().is_some_and(|global| !global.recursive) {
                        (self.expand(value)?, false)
                    } else {
                        (value.to_vec(), true)
                    }
                }
            },
        };
        // The command line is stronger than a makefile without `override`.
        if let Some(global) = &global
            && global.origin == Origin::CommandLine
            && origin < Origin::CommandLine
        {
            return Ok(None);
        }
        let mut variable = Variable::new(value, origin, recursive);
        variable.append = append;
        variable.place = self.place.clone();
        Ok(Some(variable))
    }

    /// Returns the place that a message about expansion names.
    pub(crate) fn here(&self) -> Option<Place> {
        self.place.clone()
    }
}

fn appended(old: &[u8], added: &[u8]) -> Vec<u8> {
    if old.is_empty() {
        return added.to_vec();
    }
    [old, b" ", added].concat()
}

/// Splits `NAME:FROM=TO`.
fn substitution(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let colon = text.iter().position(|byte| *byte == b':')?;
    let behind = text.get(colon + 1..)?;
    let equals = behind.iter().position(|byte| *byte == b'=')?;
    Some((
        text.get(..colon)?,
        behind.get(..equals)?,
        behind.get(equals + 1..)?,
    ))
}

/// Returns the words of a text with their ends or patterns changed.
pub(crate) fn substituted(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (from, to) = if from.contains(&b'%') {
        (Pattern::new(from), Pattern::new(to))
    } else {
        (
            Pattern {
                before: Vec::new(),
                behind: Some(from.to_vec()),
            },
            Pattern {
                before: Vec::new(),
                behind: Some(to.to_vec()),
            },
        )
    };
    join(words(text).map(|word| substitute(word, &from, &to)))
}

/// Returns whether a text is nothing but blanks.
pub(crate) fn is_empty(text: &[u8]) -> bool {
    trim(text).is_empty()
}
