//! Reading and assigning variables: references, attributes, computed values, and what else a change means.

use std::borrow::Cow;
use std::rc::Rc;

use bash_text::case::{Change, Reach};
use bash_text::split::Separators;
use bstr::{BString, ByteSlice};

use super::{Refusal, SetOption, Shell, Shopt};
use crate::variables::{Attributes, Value, Variable, is_name};

/// Bounds a chain of name references.
const REFERENCES_MAX: usize = 8;

impl Shell {
    /// Follows name references. `None` when the reference at the end names nothing, so that assigning gives the
    /// reference its target. A target with a subscript comes back as it is: see [`Self::reference_element`].
    pub fn resolve(&self, name: &[u8]) -> Result<Option<BString>, Refusal> {
        let mut current = BString::from(name);
        for _ in 0..=REFERENCES_MAX {
            match self.variables.get(&current) {
                Some(variable) if variable.attributes.has(Attributes::REFERENCE) => {
                    match variable.text() {
                        Some(target) if !target.is_empty() => {
                            if *target == current && variable.scope == 0 {
                                return Err(Refusal::Circular(current));
                            }
                            current = target.clone();
                        }
                        _ => return Ok(None),
                    }
                }
                _ => return Ok(Some(current)),
            }
        }
        Err(Refusal::Circular(BString::from(name)))
    }

    /// Returns whether `name` is a name reference.
    pub fn is_reference(&self, name: &[u8]) -> bool {
        self.variables
            .get(name)
            .is_some_and(|variable| variable.attributes.has(Attributes::REFERENCE))
    }

    /// Returns the name and subscript text where a reference leads to an element: `declare -n r='a[1]'`.
    pub fn reference_element(&self, name: &[u8]) -> Option<(BString, BString)> {
        if !self.is_reference(name) {
            return None;
        }
        let target = self.resolve(name).ok()??;
        let open = target.find_byte(b'[')?;
        let inside = target.get(open + 1..)?.strip_suffix(b"]")?;
        Some((BString::from(target.get(..open)?), BString::from(inside)))
    }

    /// Returns the variable that `name` means, through references.
    pub fn variable(&self, name: &[u8]) -> Option<&Variable> {
        let variable = self.variables.get(name)?;
        if !variable.attributes.has(Attributes::REFERENCE) {
            return Some(variable);
        }
        let target = self.resolve(name).ok()??;
        self.variables.get(&target)
    }

    /// Returns the text of `$name`.
    pub fn get(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        let variable = self.variables.get(name)?;
        if let Some(dynamic) = variable.dynamic {
            return self
                .dynamic_text(dynamic)
                .map(|text| Cow::Owned(text.into()));
        }
        if variable.attributes.has(Attributes::REFERENCE) {
            let target = self.resolve(name).ok()??;
            if let Some((array, subscript)) = self.reference_element(name) {
                let subscript = self.plain_subscript(&array, &subscript);
                let text = self.element(&array, &subscript).ok()??;
                return Some(Cow::Owned(text.into()));
            }
            return match self.variables.get(&target) {
                Some(variable) => match variable.dynamic {
                    Some(dynamic) => self.dynamic_text(dynamic).map(|t| Cow::Owned(t.into())),
                    None => variable.text().map(|text| Cow::Borrowed(text.as_slice())),
                },
                None => None,
            };
        }
        variable.text().map(|text| Cow::Borrowed(text.as_slice()))
    }

    /// Returns the text of `$name` as text, for variables such as HOME and PATH.
    pub fn get_string(&self, name: &str) -> Option<BString> {
        self.get(name.as_bytes()).map(|text| BString::from(&*text))
    }

    /// Reads a subscript that needs no expansion: a number, or a key of an associative array.
    pub fn plain_subscript(&self, name: &[u8], text: &[u8]) -> super::Subscript {
        let is_associative = self
            .variable(name)
            .is_some_and(|variable| matches!(variable.value, Value::Associative(_)));
        match bash_text::arithmetic::parse_integer(text) {
            Some(index) if !is_associative => super::Subscript::Index(index),
            _ => super::Subscript::Key(BString::from(text)),
        }
    }

    /// Sets a variable: `name=value`.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), Refusal> {
        self.assign(name, value, false)
    }

    /// Sets or appends to a variable with all that an assignment means: references, attributes, `set -a`.
    pub fn assign(&mut self, name: &[u8], value: &[u8], is_append: bool) -> Result<(), Refusal> {
        let plain = Attributes::READONLY
            .with(Attributes::REFERENCE)
            .with(Attributes::INTEGER)
            .with(Attributes::LOWER)
            .with(Attributes::UPPER)
            .with(Attributes::CAPITALIZE);
        let is_exporting = self.options.has(SetOption::AllExport);
        if let Some(variable) = self.variables.get(name)
            && !is_exporting
            && variable.dynamic.is_none()
            && !variable.attributes.has_any(plain)
            && matches!(variable.value, Value::Scalar(_))
        {
            if let Some(variable) = self.variables.get_mut(name)
                && let Value::Scalar(text) = &mut variable.value
            {
                if !is_append {
                    text.clear();
                }
                text.extend_from_slice(value);
            }
            self.after_change(name);
            return Ok(());
        }
        let Some(resolved) = self.resolve(name)? else {
            // The first assignment to a reference without target names its target.
            if !is_name(value) && !value.contains(&b'[') {
                return Err(Refusal::ReferenceTarget(BString::from(value)));
            }
            self.variables.entry(name).value = Value::Scalar(BString::from(value));
            return Ok(());
        };
        if self.is_reference(name)
            && let Some((array, subscript)) = self.reference_element(name)
        {
            if matches!(subscript.as_slice(), b"@" | b"*") {
                return Err(Refusal::Subscript(resolved));
            }
            let subscript = match self.plain_subscript(&array, &subscript) {
                super::Subscript::Key(text) => self.subscript_of(&array, &text)?,
                index => index,
            };
            return self.assign_element(&array, &subscript, value, is_append);
        }
        let name = resolved.as_slice();
        let (attributes, dynamic) = match self.variables.get(name) {
            Some(variable) => (variable.attributes, variable.dynamic),
            None => (Attributes::NONE, None),
        };
        if attributes.has(Attributes::READONLY) {
            return Err(Refusal::ReadOnly(BString::from(name)));
        }
        if let Some(dynamic) = dynamic {
            if !dynamic.ignores_assignment() {
                let value = self.transformed(attributes, value, None, false)?;
                self.assign_dynamic(dynamic, &value);
            }
            return Ok(());
        }
        let current = match self.variables.get(name) {
            Some(variable) if is_append => variable.text().cloned(),
            _ => None,
        };
        let value = self.transformed(attributes, value, current.as_ref(), is_append)?;
        let variable = self.variables.entry(name);
        if is_exporting {
            variable.attributes = variable.attributes.with(Attributes::EXPORT);
        }
        match &mut variable.value {
            Value::Indexed(array) => array.set(0, value),
            Value::Associative(array) => array.set(b"0", value),
            Value::Scalar(_) | Value::Unset => variable.value = Value::Scalar(value),
        }
        variable.is_declared_only = false;
        let name = resolved;
        self.after_change(&name);
        Ok(())
    }

    /// Applies the attributes `-i -l -u -c` to a value; appends to `current` (as numbers under `-i`).
    pub fn transformed(
        &mut self,
        attributes: Attributes,
        value: &[u8],
        current: Option<&BString>,
        is_append: bool,
    ) -> Result<BString, Refusal> {
        if attributes.has(Attributes::INTEGER) {
            let mut number = self.evaluate(value)?;
            if is_append && let Some(current) = current {
                number = self.evaluate(current)?.wrapping_add(number);
            }
            return Ok(BString::from(number.to_string()));
        }
        let mut text = match current {
            Some(current) if is_append => current.clone(),
            _ => BString::default(),
        };
        text.extend_from_slice(value);
        if attributes.has(Attributes::LOWER) {
            text = bash_text::case::change(&text, Change::Lower, Reach::All, None);
        } else if attributes.has(Attributes::UPPER) {
            text = bash_text::case::change(&text, Change::Upper, Reach::All, None);
        } else if attributes.has(Attributes::CAPITALIZE) {
            let lower = bash_text::case::change(&text, Change::Lower, Reach::All, None);
            text = bash_text::case::change(&lower, Change::Upper, Reach::First, None);
        }
        Ok(text)
    }

    /// Removes a variable. References are followed by the caller where it wants them to be.
    pub fn unset(&mut self, name: &[u8]) -> Result<(), Refusal> {
        if let Some(variable) = self.variables.get(name)
            && variable.attributes.has(Attributes::READONLY)
        {
            return Err(Refusal::ReadOnly(BString::from(name)));
        }
        self.variables.unset(name);
        self.after_change(name);
        Ok(())
    }

    /// Does what a change of a variable means to the shell itself.
    pub fn after_change(&mut self, name: &[u8]) {
        match name.first() {
            Some(b'I' | b'P' | b'O' | b'G' | b'H') => {}
            _ => return,
        }
        match name {
            b"IFS" => {
                let separators = Separators::new(self.get(b"IFS").as_deref());
                self.separators = Rc::new(separators);
            }
            b"HISTSIZE" => self.bound_history(),
            b"PATH" => self.hash = Rc::default(),
            b"OPTIND" => {
                let index = self
                    .get(b"OPTIND")
                    .and_then(|text| bash_text::arithmetic::parse_integer(&text))
                    .and_then(|index| usize::try_from(index).ok());
                self.getopts = bash_text::getopts::State {
                    index: index.unwrap_or(1).max(1),
                    offset: 0,
                };
            }
            b"GLOBIGNORE" => {
                let is_set = self.get(b"GLOBIGNORE").is_some_and(|text| !text.is_empty());
                self.options.put_shopt(Shopt::DotGlob, is_set);
            }
            b"POSIXLY_CORRECT" => {
                let is_set = self.get(b"POSIXLY_CORRECT").is_some();
                self.options.put(SetOption::Posix, is_set);
            }
            _ => {}
        }
    }

    /// Makes what was bound for a declaring command in a function the function's own: `x=1 local x`.
    pub fn keep_declared(&mut self, words: &[BString]) {
        if self.variables.local_depth() == 0 {
            return;
        }
        for word in words {
            let end = word.find_byteset(b"+=[").unwrap_or(word.len());
            let name = word.get(..end).unwrap_or_default();
            self.variables.keep(name);
        }
    }

    /// Closes the scope of the assignments before a command.
    pub fn pop_temporary_scope(&mut self) {
        for name in self.variables.pop_temporary_scope() {
            self.after_change(&name);
        }
    }

    /// Closes the innermost scope of variables.
    pub fn pop_scope(&mut self) {
        for name in self.variables.pop_scope() {
            self.after_change(&name);
        }
    }

    /// Returns whether `name` or `name[subscript]` (a plain one) is set: `-v`.
    pub fn is_set(&self, text: &[u8]) -> bool {
        match text.find_byte(b'[') {
            None => match self.variable(text) {
                Some(variable) => match variable.dynamic {
                    Some(dynamic) => self.dynamic_text(dynamic).is_some(),
                    None => match &variable.value {
                        Value::Unset => false,
                        _ => variable.text().is_some(),
                    },
                },
                None => {
                    let number = bash_text::arithmetic::parse_integer(text);
                    match number.and_then(|number| usize::try_from(number).ok()) {
                        Some(0) => true,
                        Some(number) => self.positional.get(number).is_some(),
                        None => false,
                    }
                }
            },
            Some(open) => {
                let (Some(name), Some(inside)) = (
                    text.get(..open),
                    text.get(open + 1..)
                        .and_then(|rest| rest.strip_suffix(b"]")),
                ) else {
                    return false;
                };
                let is_whole = matches!(inside, b"@" | b"*");
                match self.variable(name) {
                    Some(variable) if is_whole => match &variable.value {
                        Value::Indexed(array) => !array.is_empty(),
                        Value::Associative(array) => !array.is_empty(),
                        Value::Scalar(_) => true,
                        Value::Unset => false,
                    },
                    Some(_) => {
                        let subscript = self.plain_subscript(name, inside);
                        matches!(self.element(name, &subscript), Ok(Some(_)))
                    }
                    None => false,
                }
            }
        }
    }
}
