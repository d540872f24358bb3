//! The functions of make: `$(name arguments)`.

mod files;
mod text;

use std::rc::Rc;

use crate::maker::Maker;
use crate::place::{Outcome, Stop, shown};
use crate::variable::{Frame, Origin, Variable, Variables};
use crate::words::{is_blank, trim, trim_start, words};

/// A function: its name, how many arguments it needs and takes (0 for any number), and whether they come expanded.
type Function = (&'static str, usize, usize, bool);

const FUNCTIONS: &[Function] = &[
    ("abspath", 0, 1, true),
    ("addprefix", 2, 2, true),
    ("addsuffix", 2, 2, true),
    ("and", 1, 0, false),
    ("basename", 0, 1, true),
    ("call", 1, 0, true),
    ("dir", 0, 1, true),
    ("error", 0, 1, true),
    ("eval", 0, 1, true),
    ("file", 1, 2, true),
    ("filter", 2, 2, true),
    ("filter-out", 2, 2, true),
    ("findstring", 2, 2, true),
    ("firstword", 0, 1, true),
    ("flavor", 0, 1, true),
    ("foreach", 3, 3, false),
    ("if", 2, 3, false),
    ("info", 0, 1, true),
    ("join", 2, 2, true),
    ("lastword", 0, 1, true),
    ("notdir", 0, 1, true),
    ("or", 1, 0, false),
    ("origin", 0, 1, true),
    ("patsubst", 3, 3, true),
    ("realpath", 0, 1, true),
    ("shell", 0, 1, true),
    ("sort", 0, 1, true),
    ("strip", 0, 1, true),
    ("subst", 3, 3, true),
    ("suffix", 0, 1, true),
    ("value", 0, 1, true),
    ("warning", 0, 1, true),
    ("wildcard", 0, 1, true),
    ("word", 2, 2, true),
    ("wordlist", 3, 3, true),
    ("words", 0, 1, true),
];

fn find(name: &[u8]) -> Option<Function> {
    let name = std::str::from_utf8(name).ok()?;
    let place = FUNCTIONS
        .binary_search_by_key(&name, |(known, ..)| known)
        .ok()?;
    FUNCTIONS.get(place).copied()
}

impl Maker {
    /// Runs the function that a reference calls and returns the reference's length; nothing if it calls none.
    pub(crate) fn function(
        &mut self,
        text: &[u8],
        open: u8,
        close: u8,
        out: &mut Vec<u8>,
    ) -> Outcome<Option<usize>> {
        let inner = text.get(2..).unwrap_or_default();
        let name_length = inner
            .iter()
            .take_while(|byte| byte.is_ascii_lowercase() || **byte == b'-')
            .count();
        let (name, behind) = inner.split_at_checked(name_length).unwrap_or((inner, &[]));
        let Some(function) = find(name) else {
            return Ok(None);
        };
        let (name, least, most, expanded) = function;
        if !behind.first().copied().is_none_or(is_blank) {
            return Ok(None);
        }
        let mut depth = 0_usize;
        let end = behind.iter().position(|byte| {
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
            return Err(Stop::at(
                self.place.as_ref(),
                format!(
                    "unterminated call to function '{name}': missing '{}'",
                    char::from(close)
                ),
            ));
        };
        let arguments = trim_start(behind.get(..end).unwrap_or_default());
        let arguments = split(arguments, most, open, close);
        if arguments.len() < least {
            return Err(Stop::at(
                self.place.as_ref(),
                format!(
                    "insufficient number of arguments ({}) to function '{name}'",
                    arguments.len()
                ),
            ));
        }
        let value = if expanded {
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                values.push(self.expand(argument)?);
            }
            self.apply(name, &values)?
        } else {
            self.apply_lazily(name, &arguments)?
        };
        out.extend_from_slice(&value);
        Ok(Some(2 + name_length + end + 1))
    }

    fn apply_lazily(&mut self, name: &str, arguments: &[&[u8]]) -> Outcome<Vec<u8>> {
        match (name, arguments) {
            ("if", [condition, then, rest @ ..]) => {
                let condition = self.expand(trim(condition))?;
                if !condition.is_empty() {
                    self.expand(then)
                } else if let [otherwise, ..] = rest {
                    self.expand(otherwise)
                } else {
                    Ok(Vec::new())
                }
            }
            ("or", conditions) => {
                for condition in conditions {
                    let value = self.expand(trim(condition))?;
                    if !value.is_empty() {
                        return Ok(value);
                    }
                }
                Ok(Vec::new())
            }
            ("and", conditions) => {
                let mut value = Vec::new();
                for condition in conditions {
                    value = self.expand(trim(condition))?;
                    if value.is_empty() {
                        break;
                    }
                }
                Ok(value)
            }
            ("foreach", [name, list, body, ..]) => {
                let name = trim(&self.expand(name)?).to_vec();
                let list = self.expand(list)?;
                let mut out = Vec::new();
                for (number, word) in words(&list).enumerate() {
                    if number > 0 {
                        out.push(b' ');
                    }
                    let mut local = Variables::new();
                    let variable = Variable::new(word, Origin::Automatic, false);
                    local.insert(name.clone(), Rc::new(variable));
                    self.frames.push(Frame::Local(local));
                    let value = self.expand(body);
                    self.frames.pop();
                    out.extend_from_slice(&value?);
                }
                Ok(out)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn apply(&mut self, name: &str, arguments: &[Vec<u8>]) -> Outcome<Vec<u8>> {
        let first = arguments.first().map_or(&[][..], Vec::as_slice);
        match name {
            "call" => self.call(arguments),
            "eval" => {
                self.eval(first)?;
                Ok(Vec::new())
            }
            "value" => Ok(self
                .lookup(first)
                .map(|variable| variable.value.clone())
                .unwrap_or_default()),
            "origin" => {
                let name = match self.lookup(first) {
                    None => "undefined",
                    Some(variable) => variable.origin.name(),
                };
                Ok(name.into())
            }
            "flavor" => {
                let name = match self.lookup(first) {
                    None => "undefined",
                    Some(variable) if variable.recursive => "recursive",
                    Some(_) => "simple",
                };
                Ok(name.into())
            }
            "info" => {
                self.show_directory();
                self.say(first);
                Ok(Vec::new())
            }
            "warning" => {
                let place = self.here();
                self.complain(place.as_ref(), &shown(first));
                Ok(Vec::new())
            }
            "error" => Err(Stop::at(self.place.as_ref(), shown(first))),
            "shell" => self.shell_output(first),
            "file" => self.file_function(arguments),
            "wildcard" | "realpath" | "abspath" => Ok(files::apply(name, first)),
            _ => text::apply(name, arguments).map_err(|error| Stop::at(self.place.as_ref(), error)),
        }
    }

    fn call(&mut self, arguments: &[Vec<u8>]) -> Outcome<Vec<u8>> {
        let Some((name, values)) = arguments.split_first() else {
            return Ok(Vec::new());
        };
        let name = trim(name).to_vec();
        if let Some((function, least, most, expanded)) = find(&name) {
            if values.len() < least {
                return Err(Stop::at(
                    self.place.as_ref(),
                    format!(
                        "insufficient number of arguments ({}) to function '{function}'",
                        values.len()
                    ),
                ));
            }
            let mut values = values.to_vec();
            if most > 0 && values.len() > most {
                let rest = values.split_off(most - 1);
                values.push(rest.join(&b','));
            }
            return if expanded {
                self.apply(function, &values)
            } else {
                let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
                self.apply_lazily(function, &values)
            };
        }
        let mut local = Variables::new();
        let named = std::iter::once(&name).chain(values).enumerate();
        for (number, value) in named {
            let variable = Variable::new(value.clone(), Origin::Automatic, false);
            local.insert(number.to_string().into_bytes(), Rc::new(variable));
        }
        // Arguments of a call around this one are not seen.
        for number in arguments.len()..arguments.len() + 10 {
            let name = number.to_string().into_bytes();
            if self.lookup(&name).is_none() {
                break;
            }
            let variable = Variable::new(Vec::new(), Origin::Automatic, false);
            local.insert(name, Rc::new(variable));
        }
        self.frames.push(Frame::Local(local));
        self.called.push(name.clone());
        let value = self.value_of(&name);
        self.called.pop();
        self.frames.pop();
        Ok(value?.unwrap_or_default())
    }

    fn file_function(&mut self, arguments: &[Vec<u8>]) -> Outcome<Vec<u8>> {
        let first = arguments.first().map_or(&[][..], Vec::as_slice);
        files::write(first, arguments.get(1).map(Vec::as_slice))
            .map_err(|error| Stop::at(self.place.as_ref(), error))
    }
}

/// Splits arguments at commas outside of parentheses; the last one takes the rest.
fn split(text: &[u8], most: usize, open: u8, close: u8) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (place, byte) in text.iter().enumerate() {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth = depth.saturating_sub(1);
        } else if *byte == b',' && depth == 0 && (most == 0 || parts.len() + 1 < most) {
            parts.push(text.get(start..place).unwrap_or_default());
            start = place + 1;
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}
