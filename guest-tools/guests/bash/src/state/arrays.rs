//! Elements of arrays: where a subscript points, reading and writing there.

use bstr::BString;

use super::{Refusal, Shell};
use crate::variables::{AssociativeArray, Attributes, IndexedArray, Value, Variable};

/// Which part of a variable is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscript {
    /// No subscript: the variable, or element 0.
    None,
    /// An element of an indexed array; negative counts from the end.
    Index(i64),
    /// An element of an associative array.
    Key(BString),
}

impl Shell {
    /// Returns the value of an element. `Err` when a negative index points before the start.
    pub fn element(&self, name: &[u8], subscript: &Subscript) -> Result<Option<BString>, Refusal> {
        let Some(name) = self.resolve(name)? else {
            return Ok(None);
        };
        let name = name.as_slice();
        let Some(variable) = self.variables.get(name) else {
            return Ok(None);
        };
        let computed;
        let value = match variable.dynamic {
            Some(dynamic) => {
                computed = self.dynamic_value(dynamic);
                &computed
            }
            None => &variable.value,
        };
        Ok(match (value, subscript) {
            (Value::Unset, _) => None,
            (Value::Scalar(text), Subscript::None | Subscript::Index(0 | -1)) => Some(text.clone()),
            (Value::Scalar(_), Subscript::Index(index)) if *index < 0 => {
                return Err(Refusal::Subscript(BString::from(name)));
            }
            (Value::Scalar(_), _) => None,
            (Value::Indexed(array), Subscript::Index(index)) => {
                let index = place(array, *index).ok_or_else(|| Refusal::Subscript(name.into()))?;
                array.get(index).cloned()
            }
            (Value::Indexed(array), _) => array.get(0).cloned(),
            (Value::Associative(array), Subscript::Key(key)) => array.get(key).cloned(),
            (Value::Associative(array), Subscript::None) => array.get(b"0").cloned(),
            (Value::Associative(array), Subscript::Index(index)) => {
                array.get(index.to_string().as_bytes()).cloned()
            }
        })
    }

    /// Sets or appends to an element, turning a scalar into an array where needed.
    pub fn assign_element(
        &mut self,
        name: &[u8],
        subscript: &Subscript,
        value: &[u8],
        is_append: bool,
    ) -> Result<(), Refusal> {
        if *subscript == Subscript::None {
            return self.assign(name, value, is_append);
        }
        let Some(resolved) = self.resolve(name)? else {
            return self.assign(name, value, is_append);
        };
        if resolved.contains(&b'[') {
            return Err(Refusal::Identifier(resolved));
        }
        let name = resolved.as_slice();
        if let Some(variable) = self.variables.get(name) {
            if variable.attributes.has(Attributes::READONLY) {
                return Err(Refusal::ReadOnly(BString::from(name)));
            }
            if variable
                .dynamic
                .is_some_and(|dynamic| dynamic.ignores_assignment())
            {
                return Ok(());
            }
        }
        let attributes = self
            .variables
            .get(name)
            .map(|variable| variable.attributes)
            .unwrap_or_default();
        let current = if is_append {
            self.element(name, subscript)?
        } else {
            None
        };
        let value = self.transformed(attributes, value, current.as_ref(), is_append)?;
        let variable = self.variables.entry(name);
        put(variable, name, subscript, value)?;
        Ok(())
    }

    /// Removes an element.
    pub fn unset_element(&mut self, name: &[u8], subscript: &Subscript) -> Result<(), Refusal> {
        let Some(resolved) = self.resolve(name)? else {
            return Ok(());
        };
        let name = resolved.as_slice();
        let Some(variable) = self.variables.get(name) else {
            return Ok(());
        };
        if variable.attributes.has(Attributes::READONLY) {
            return Err(Refusal::ReadOnly(BString::from(name)));
        }
        let Some(variable) = self.variables.get_mut(name) else {
            return Ok(());
        };
        match (&mut variable.value, subscript) {
            (Value::Indexed(array), Subscript::Index(index)) => match place(array, *index) {
                Some(index) => array.remove(index),
                None => {
                    return Err(Refusal::Subscript(BString::from(format!("[{index}]"))));
                }
            },
            (Value::Associative(array), Subscript::Key(key)) => array.remove(key),
            _ => {}
        }
        Ok(())
    }

    /// Makes a variable an indexed array, empty or with its value as element 0.
    pub fn make_indexed(&mut self, name: &[u8]) -> Result<&mut IndexedArray, Refusal> {
        let variable = self.variables.entry(name);
        to_indexed(variable);
        match &mut variable.value {
            Value::Indexed(array) => Ok(array),
            _ => Err(Refusal::AssociativeToIndexed(BString::from(name))),
        }
    }

    /// Makes a variable an associative array.
    pub fn make_associative(&mut self, name: &[u8]) -> Result<&mut AssociativeArray, Refusal> {
        let variable = self.variables.entry(name);
        match std::mem::take(&mut variable.value) {
            Value::Unset => {
                variable.value = Value::Associative(AssociativeArray::default());
                variable.is_declared_only = true;
            }
            Value::Scalar(text) => {
                let mut array = AssociativeArray::default();
                array.set(b"0", text);
                variable.value = Value::Associative(array);
            }
            other => variable.value = other,
        }
        match &mut variable.value {
            Value::Associative(array) => Ok(array),
            _ => Err(Refusal::IndexedToAssociative(BString::from(name))),
        }
    }
}

/// Turns a scalar or unset variable into an indexed array.
fn to_indexed(variable: &mut Variable) {
    match std::mem::take(&mut variable.value) {
        Value::Unset => {
            variable.value = Value::Indexed(IndexedArray::default());
            variable.is_declared_only = true;
        }
        Value::Scalar(text) => {
            variable.value = Value::Indexed(IndexedArray::from_values(vec![text]));
        }
        other => variable.value = other,
    }
}

/// Returns the place that an index means; negative counts from the end.
fn place(array: &IndexedArray, index: i64) -> Option<u64> {
    if index >= 0 {
        return u64::try_from(index).ok();
    }
    let end = i64::try_from(array.end()).ok()?;
    u64::try_from(end.checked_add(index)?).ok()
}

fn put(
    variable: &mut Variable,
    name: &[u8],
    subscript: &Subscript,
    value: BString,
) -> Result<(), Refusal> {
    if !matches!(variable.value, Value::Associative(_)) {
        to_indexed(variable);
    }
    match (&mut variable.value, subscript) {
        (Value::Indexed(array), Subscript::Index(index)) => match place(array, *index) {
            Some(index) => array.set(index, value),
            None => {
                let mut text = name.to_vec();
                text.extend_from_slice(format!("[{index}]").as_bytes());
                return Err(Refusal::Subscript(text.into()));
            }
        },
        (Value::Indexed(array), Subscript::None) => array.set(0, value),
        (Value::Indexed(_), Subscript::Key(key)) => {
            return Err(Refusal::Subscript(key.clone()));
        }
        (Value::Associative(array), Subscript::Key(key)) => array.set(key, value),
        (Value::Associative(array), Subscript::None) => array.set(b"0", value),
        (Value::Associative(array), Subscript::Index(index)) => {
            array.set(index.to_string().as_bytes(), value);
        }
        (Value::Unset | Value::Scalar(_), _) => {}
    }
    variable.is_declared_only = false;
    Ok(())
}
