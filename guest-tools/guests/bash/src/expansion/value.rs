//! The value that a parameter stands for: none, one text, or a list.

use std::borrow::Cow;

use bash_syntax::ast::{Joining, Parameter, Special, Subscript as Index};
use bstr::{BString, ByteSlice};

use super::word::Context;
use crate::state::{SetOption, Shell, Stop, Subscript};
use crate::variables::Value;

/// What a parameter stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// It is unset.
    Unset,
    /// One text.
    One(BString),
    /// Several: `$@`, `${a[*]}`.
    Many(Vec<BString>, Joining),
}

/// Where a value can be assigned: `${x:=word}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The variable.
    pub name: BString,
    /// The element.
    pub subscript: Subscript,
}

impl Shell {
    /// Returns the value of a parameter, and where it lies when it is a variable.
    pub async fn value_of(
        &mut self,
        parameter: &Parameter,
    ) -> Result<(Values, Option<Place>), Stop> {
        match parameter {
            Parameter::Name(name)
                if let Some((array, subscript)) = self
                    .reference_element(name)
                    .filter(|(_, subscript)| !matches!(subscript.as_slice(), b"@" | b"*")) =>
            {
                let subscript = match self.subscript_of(&array, &subscript) {
                    Ok(subscript) => subscript,
                    Err(refusal) => return Err(self.refused(&refusal)),
                };
                let value = self.element(&array, &subscript).ok().flatten();
                let place = Place {
                    name: name.clone(),
                    subscript: Subscript::None,
                };
                Ok((value.map_or(Values::Unset, Values::One), Some(place)))
            }
            Parameter::Name(name) => Ok((
                self.scalar_or_reference(name),
                Some(Place {
                    name: name.clone(),
                    subscript: Subscript::None,
                }),
            )),
            Parameter::Positional(number) => Ok((
                match self.positional.get(*number) {
                    Some(text) => Values::One(text.clone()),
                    None => Values::Unset,
                },
                None,
            )),
            Parameter::Special(special) => Ok((self.special(*special), None)),
            Parameter::Element { name, subscript } => match subscript {
                Index::All(joining) => Ok((Values::Many(self.elements(name), *joining), None)),
                Index::Index(word) => {
                    let expanding = self.expand_nested(word, Context::SINGLE);
                    let text = expanding.await?.joined();
                    let subscript = match self.subscript(name, &text) {
                        Ok(subscript) => subscript,
                        Err(refusal) => return Err(self.refused(&refusal)),
                    };
                    let value = match self.element(name, &subscript) {
                        Ok(Some(text)) => Values::One(text),
                        Ok(None) => Values::Unset,
                        Err(_) => {
                            // Reading before the start is only a warning.
                            let message = format!("{}: bad array subscript", name.as_bstr());
                            if self.options.has(SetOption::ErrExit) {
                                return Err(self.abandon(message));
                            }
                            self.report(message);
                            Values::Unset
                        }
                    };
                    let place = Place {
                        name: name.clone(),
                        subscript,
                    };
                    Ok((value, Some(place)))
                }
            },
        }
    }

    fn scalar_or_reference(&self, name: &[u8]) -> Values {
        if self.is_reference(name)
            && let Some((array, subscript)) = self.reference_element(name)
        {
            let joining = match subscript.as_slice() {
                b"@" => Some(Joining::Separate),
                b"*" => Some(Joining::Joined),
                _ => None,
            };
            if let Some(joining) = joining {
                return Values::Many(self.elements(&array), joining);
            }
        }
        match self.get(name) {
            Some(text) => Values::One(BString::from(&*text)),
            None => Values::Unset,
        }
    }

    /// Returns the value of a special parameter.
    pub fn special(&self, special: Special) -> Values {
        Values::One(match special {
            Special::At => {
                return Values::Many(self.positional.values().to_vec(), Joining::Separate);
            }
            Special::Star => {
                return Values::Many(self.positional.values().to_vec(), Joining::Joined);
            }
            Special::Count => self.positional.len().to_string().into(),
            Special::Status => self.status.to_string().into(),
            Special::Flags => self.flags(),
            Special::ProcessId => self.shell_pid.to_string().into(),
            Special::BackgroundId => match self.last_background {
                Some(pid) => pid.to_string().into(),
                None => return Values::Unset,
            },
            Special::Zero => BString::from(self.name.to_vec()),
        })
    }

    /// Returns all elements of an array, or the one value of a scalar.
    pub fn elements(&self, name: &[u8]) -> Vec<BString> {
        let Some(variable) = self.variable(name) else {
            return Vec::new();
        };
        match &*self.whole(variable) {
            Value::Indexed(array) => array.values().cloned().collect(),
            Value::Associative(array) => array.values().cloned().collect(),
            Value::Scalar(text) => vec![text.clone()],
            Value::Unset => Vec::new(),
        }
    }

    /// Returns the indices or keys of an array.
    pub fn keys(&self, name: &[u8]) -> Vec<BString> {
        let Some(variable) = self.variable(name) else {
            return Vec::new();
        };
        match &*self.whole(variable) {
            Value::Indexed(array) => array
                .iter()
                .map(|(index, _)| BString::from(index.to_string()))
                .collect(),
            Value::Associative(array) => array.iter().map(|(key, _)| key.to_owned()).collect(),
            Value::Scalar(_) => vec![BString::from("0")],
            Value::Unset => Vec::new(),
        }
    }

    /// Returns the value of a variable, computed where it is a computed one.
    pub fn whole<'a>(&self, variable: &'a crate::variables::Variable) -> Cow<'a, Value> {
        match variable.dynamic {
            Some(dynamic) => Cow::Owned(self.dynamic_value(dynamic)),
            None => Cow::Borrowed(&variable.value),
        }
    }

    /// Returns the text between the elements of `"$*"`: the first character of IFS.
    pub fn joiner(&self) -> BString {
        match self.get(b"IFS") {
            None => BString::from(" "),
            Some(text) => {
                let length = bash_text::characters::length_of_first(&text);
                BString::from(text.get(..length).unwrap_or_default())
            }
        }
    }

    /// Joins values as `"$*"` does.
    pub fn join(&self, values: &[BString]) -> BString {
        BString::from(bstr::join(self.joiner().as_bytes(), values))
    }
}
