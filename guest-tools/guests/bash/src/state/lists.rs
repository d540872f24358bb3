//! Assigning a list: `name=(...)`.

use bstr::{BString, ByteSlice};

use super::{Refusal, Shell, Subscript};
use crate::builtins::{ListAssignment, ListElement};
use crate::variables::{AssociativeArray, Attributes, IndexedArray, Value};

impl Shell {
    /// Gives an array the elements of a list; an existing associative array takes them as keys and values.
    pub fn assign_list(&mut self, name: &[u8], list: &ListAssignment) -> Result<(), Refusal> {
        let resolved = match self.resolve(name)? {
            Some(resolved) => resolved,
            None => {
                // A reference without a target becomes the array itself.
                self.report(format_args!(
                    "warning: {}: removing nameref attribute",
                    name.as_bstr()
                ));
                let variable = self.variables.entry(name);
                variable.attributes = variable.attributes.without(Attributes::REFERENCE);
                BString::from(name)
            }
        };
        if resolved.contains(&b'[') {
            return Err(Refusal::Identifier(resolved));
        }
        let name = resolved.as_slice();
        let mut attributes = Attributes::NONE;
        let mut is_associative = false;
        if let Some(variable) = self.variables.get(name) {
            attributes = variable.attributes;
            is_associative = matches!(variable.value, Value::Associative(_));
            if variable.dynamic.is_some() {
                return Ok(());
            }
        }
        if attributes.has(Attributes::READONLY) {
            return Err(Refusal::ReadOnly(BString::from(name)));
        }
        if is_associative {
            self.assign_pairs(name, attributes, list)?;
        } else {
            self.assign_indexed(name, attributes, list)?;
        }
        self.variables.entry(name).is_declared_only = false;
        Ok(())
    }

    fn assign_indexed(
        &mut self,
        name: &[u8],
        attributes: Attributes,
        list: &ListAssignment,
    ) -> Result<(), Refusal> {
        let is_plain = attributes
            .without(Attributes::EXPORT)
            .without(Attributes::TRACE)
            .is_empty()
            && list
                .elements
                .iter()
                .all(|element| element.subscript.is_none());
        if list.is_append {
            self.make_indexed(name)?;
        } else {
            self.variables.entry(name).value = Value::Indexed(IndexedArray::default());
        }
        if is_plain {
            let array = self.make_indexed(name)?;
            if array.is_empty() {
                let values = list.elements.iter().map(|element| element.value.clone());
                *array = IndexedArray::from_values(values.collect());
            } else {
                for element in &list.elements {
                    array.set(array.end(), element.value.clone());
                }
            }
            return Ok(());
        }
        let mut next = i64::try_from(self.make_indexed(name)?.end()).unwrap_or(i64::MAX);
        for element in &list.elements {
            if let Some(subscript) = &element.subscript {
                next = self.evaluate(subscript)?;
                if next < 0 {
                    next = next.saturating_add(
                        i64::try_from(self.make_indexed(name)?.end()).unwrap_or(i64::MAX),
                    );
                }
                if next < 0 {
                    let mut text = b"[".to_vec();
                    text.extend_from_slice(subscript);
                    text.extend_from_slice(b"]=");
                    text.extend_from_slice(&element.value);
                    return Err(Refusal::Subscript(text.into()));
                }
            }
            let place = Subscript::Index(next);
            self.assign_element(name, &place, &element.value, element.is_append)?;
            next = next.saturating_add(1);
        }
        Ok(())
    }

    fn assign_pairs(
        &mut self,
        name: &[u8],
        attributes: Attributes,
        list: &ListAssignment,
    ) -> Result<(), Refusal> {
        // The values are computed before the old ones go: `a=([x]=${a[y]})` was expanded already, but `+=` and
        // `-i` still read.
        let mut before = AssociativeArray::default();
        let mut fresh = match &self.variables.entry(name).value {
            Value::Associative(array) if list.is_append => array.clone(),
            Value::Associative(array) => {
                before = array.clone();
                AssociativeArray::default()
            }
            _ => AssociativeArray::default(),
        };
        let is_paired = list
            .elements
            .first()
            .is_some_and(|element| element.subscript.is_none());
        let mut elements = list.elements.iter();
        while let Some(element) = elements.next() {
            let (key, value): (&BString, BString) = match &element.subscript {
                Some(key) if !is_paired => (key, element.value.clone()),
                _ if is_paired => {
                    let value = elements.next().map(written);
                    (&written(element), value.unwrap_or_default())
                }
                _ => {
                    let refusal = needs_subscript(name, element);
                    self.report(refusal);
                    continue;
                }
            };
            if key.is_empty() {
                let mut text = b"[]=".to_vec();
                text.extend_from_slice(&value);
                return Err(Refusal::Subscript(text.into()));
            }
            // `+=` in a list that replaces the array adds to what was there before it.
            let read = if list.is_append { &fresh } else { &before };
            let current = read.get(key).cloned();
            let value =
                self.transformed(attributes, &value, current.as_ref(), element.is_append)?;
            fresh.set(key, value);
        }
        self.variables.entry(name).value = Value::Associative(fresh);
        Ok(())
    }
}

/// Returns an element as its word reads.
fn written(element: &ListElement) -> BString {
    let mut text = BString::default();
    if let Some(subscript) = &element.subscript {
        text.push(b'[');
        text.extend_from_slice(subscript);
        text.extend_from_slice(if element.is_append { b"]+=" } else { b"]=" });
    }
    text.extend_from_slice(&element.value);
    text
}

fn needs_subscript(name: &[u8], element: &ListElement) -> Refusal {
    Refusal::NeedsSubscript {
        name: BString::from(name),
        text: element.value.clone(),
    }
}
