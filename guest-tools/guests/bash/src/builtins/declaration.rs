//! What `declare`, `local`, `export` and `readonly` share: reading their arguments, and giving a variable
//! attributes and a value.

use std::future::Future as _;
use std::task::{Context, Poll, Waker};

use bash_syntax::parse_array_elements;
use bstr::{BString, ByteSlice};

use super::builtin::{Invocation, ListAssignment};
use crate::state::{Refusal, Shell};
use crate::variables::{Attributes, Value, is_name};

/// An argument: `name`, `name=value`, `name+=value`, `name[subscript]=value`, `name=(...)`.
pub(super) struct Argument<'a> {
    /// The name.
    pub name: &'a [u8],
    /// The text between the brackets.
    pub subscript: Option<&'a [u8]>,
    /// The value.
    pub value: Option<&'a [u8]>,
    /// The elements of a list.
    pub list: Option<&'a ListAssignment>,
    /// Whether it is `+=`.
    pub is_append: bool,
}

impl<'a> Argument<'a> {
    /// Reads the argument at `place` of the words; the error is what bash calls it.
    pub fn read(invocation: &'a Invocation, place: usize) -> Result<Self, Refusal> {
        let word = invocation
            .words
            .get(place)
            .map(|word| word.as_slice())
            .unwrap_or_default();
        let list = invocation.list(place);
        let name_end = word
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
            .unwrap_or(word.len());
        let (name, rest) = word.split_at(name_end);
        let wrong = || Refusal::Identifier(BString::from(word));
        if !is_name(name) {
            return Err(wrong());
        }
        let (subscript, rest) = match rest.strip_prefix(b"[") {
            Some(inside) => {
                let close = closing_bracket(inside).ok_or_else(wrong)?;
                let (subscript, rest) = inside.split_at(close);
                (Some(subscript), rest.get(1..).unwrap_or_default())
            }
            None => (None, rest),
        };
        let (is_append, value) = match rest {
            [] => (list.is_some_and(|list| list.is_append), None),
            [b'=', value @ ..] => (false, Some(value)),
            [b'+', b'=', value @ ..] => (true, Some(value)),
            _ => return Err(wrong()),
        };
        Ok(Self {
            name,
            subscript,
            value,
            list,
            is_append,
        })
    }

    /// Returns the inside of a value that is written as a list: `declare -a 'x=(1 2)'`.
    fn quoted_list(&self) -> Option<&'a [u8]> {
        if self.subscript.is_some() || self.list.is_some() {
            return None;
        }
        self.value?.strip_prefix(b"(")?.strip_suffix(b")")
    }

    /// Returns whether it assigns.
    pub fn assigns(&self) -> bool {
        self.value.is_some() || self.list.is_some()
    }
}

/// Returns the place of the bracket that closes a subscript.
fn closing_bracket(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, byte) in text.iter().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' if depth == 0 => return Some(place),
            b']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What kind of array is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Shape {
    /// Whatever it is.
    #[default]
    Any,
    /// `-a`
    Indexed,
    /// `-A`
    Associative,
}

/// What to make of a variable.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Change {
    /// Attributes to give.
    pub on: Attributes,
    /// Attributes to take.
    pub off: Attributes,
    /// The kind of array.
    pub shape: Shape,
}

const CASES: Attributes = Attributes::LOWER
    .with(Attributes::UPPER)
    .with(Attributes::CAPITALIZE);

impl Shell {
    /// Gives the variable that an argument names its attributes and value. References are followed unless the
    /// change is about references.
    pub(super) fn declare(
        &mut self,
        argument: &Argument<'_>,
        change: Change,
    ) -> Result<(), Refusal> {
        let is_about_reference = change.on.with(change.off).has(Attributes::REFERENCE);
        let name = if is_about_reference {
            BString::from(argument.name)
        } else {
            match self.resolve(argument.name)? {
                // The target may be an element: its array is what attributes belong to.
                Some(target) => BString::from(
                    target
                        .split(|byte| *byte == b'[')
                        .next()
                        .unwrap_or_default(),
                ),
                None => BString::from(argument.name),
            }
        };
        let current = self.variables.get(&name);
        let attributes = current
            .map(|variable| variable.attributes)
            .unwrap_or_default();
        if attributes.has(Attributes::READONLY) {
            let is_changing = argument.assigns() || change.off.has(Attributes::READONLY);
            if is_changing {
                return Err(Refusal::ReadOnly(BString::from(argument.name)));
            }
        }
        let quoted;
        let mut argument = Argument { ..*argument };
        self.shape(&name, &argument, change.shape)?;
        if change.shape != Shape::Any
            && let Some(inside) = argument.quoted_list()
        {
            quoted = self.read_list(&name, inside, argument.is_append)?;
            argument.list = Some(&quoted);
        }
        let argument = &argument;
        if is_about_reference {
            return self.refer(&name, argument, change);
        }
        let before = attributes.without(Attributes::READONLY);
        let now = combine(before, change.on.without(Attributes::READONLY), change.off);
        if now != before || !self.variables.has_value(&name) {
            self.variables.entry(&name).attributes = now;
        }
        self.give(&name, argument)?;
        if change.on.has(Attributes::READONLY) || attributes.has(Attributes::READONLY) {
            let variable = self.variables.entry(&name);
            variable.attributes = variable.attributes.with(Attributes::READONLY);
        }
        self.after_change(&name);
        Ok(())
    }

    /// Reads and expands a list that came as text.
    fn read_list(
        &mut self,
        name: &[u8],
        inside: &[u8],
        is_append: bool,
    ) -> Result<ListAssignment, Refusal> {
        let options = self.parse_options();
        let elements = parse_array_elements(inside, &options)
            .map_err(|error| Refusal::Arithmetic(error.to_string()))?;
        let mut expansion = Box::pin(self.expand_elements(name, &elements));
        // Only a command substitution in text that was quoted once more would have to wait.
        match expansion
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(Ok(elements)) => Ok(ListAssignment {
                argument: 0,
                is_append,
                elements,
            }),
            Poll::Ready(Err(_)) => Err(Refusal::Said),
            Poll::Pending => Err(Refusal::Arithmetic(format!(
                "{}: command substitution in a quoted list",
                inside.as_bstr()
            ))),
        }
    }

    /// Makes the variable the kind of array that is asked for.
    fn shape(&mut self, name: &[u8], argument: &Argument<'_>, shape: Shape) -> Result<(), Refusal> {
        let is_dynamic = self
            .variables
            .get(name)
            .is_some_and(|variable| variable.dynamic.is_some());
        if is_dynamic {
            return Ok(());
        }
        match shape {
            Shape::Associative => {
                self.make_associative(name)?;
            }
            Shape::Indexed => {
                self.make_indexed(name)?;
            }
            Shape::Any if argument.list.is_some() || argument.subscript.is_some() => {
                let is_array = self
                    .variables
                    .get(name)
                    .is_some_and(|variable| variable.is_array());
                if !is_array {
                    self.make_indexed(name)?;
                }
            }
            Shape::Any => {}
        }
        Ok(())
    }

    /// Assigns.
    fn give(&mut self, name: &[u8], argument: &Argument<'_>) -> Result<(), Refusal> {
        if let Some(list) = argument.list {
            return self.assign_list(name, list);
        }
        let Some(value) = argument.value else {
            return Ok(());
        };
        match argument.subscript {
            Some(subscript) => {
                let subscript = self.subscript(name, subscript)?;
                self.assign_element(name, &subscript, value, argument.is_append)
            }
            None if name == argument.name => self.assign(name, value, argument.is_append),
            // Through the reference, which may lead to an element.
            None => self.assign(argument.name, value, argument.is_append),
        }
    }

    /// Makes a variable a reference, or no longer one.
    fn refer(
        &mut self,
        name: &[u8],
        argument: &Argument<'_>,
        change: Change,
    ) -> Result<(), Refusal> {
        if change.off.has(Attributes::REFERENCE) {
            let variable = self.variables.entry(name);
            variable.attributes = combine(variable.attributes, change.on, change.off);
            return self.give(name, argument);
        }
        if self
            .variables
            .get(name)
            .is_some_and(|variable| variable.is_array())
        {
            return Err(Refusal::Arithmetic(format!(
                "{}: reference variable cannot be an array",
                name.as_bstr()
            )));
        }
        let target = match argument.value {
            Some(value) => Some(BString::from(value)),
            None => self
                .variables
                .get(name)
                .and_then(|variable| variable.text().cloned()),
        };
        if let Some(target) = &target {
            check_target(self, name, target)?;
        }
        let variable = self.variables.entry(name);
        variable.attributes = combine(variable.attributes, change.on, change.off);
        if let Some(value) = argument.value {
            variable.value = Value::Scalar(BString::from(value));
        }
        Ok(())
    }
}

fn check_target(shell: &Shell, name: &[u8], target: &BString) -> Result<(), Refusal> {
    let base = target
        .split(|byte| *byte == b'[')
        .next()
        .unwrap_or_default();
    let is_element = base.len() < target.len();
    if (!is_name(base) && !target.is_empty()) || (is_element && !target.ends_with(b"]")) {
        return Err(Refusal::ReferenceTarget(target.clone()));
    }
    if base == name {
        return Err(if shell.function_depth == 0 {
            Refusal::Arithmetic(format!(
                "{}: nameref variable self references not allowed",
                name.as_bstr()
            ))
        } else {
            Refusal::Circular(BString::from(name))
        });
    }
    Ok(())
}

/// Applies a change; `-l`, `-u` and `-c` exclude each other, and several of them at once mean none.
fn combine(before: Attributes, on: Attributes, off: Attributes) -> Attributes {
    let asked = [Attributes::LOWER, Attributes::UPPER, Attributes::CAPITALIZE];
    let count = asked.iter().filter(|case| on.has(**case)).count();
    let (before, on) = match count {
        0 => (before, on),
        1 => (before.without(CASES), on),
        _ => (before.without(CASES), on.without(CASES)),
    };
    before.with(on).without(off)
}
