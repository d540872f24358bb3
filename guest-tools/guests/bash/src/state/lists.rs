//! Assigning a list: `name=(...)`.

use bstr::BString;

use super::{Refusal, Shell, Subscript};
use crate::builtins::{ListAssignment, ListElement};
use crate::variables::{AssociativeArray, Attributes, IndexedArray, Value};

impl Shell {
    /// Gives an array the elements of a list; an existing associative array takes them as keys and values.
    pub fn assign_list(&mut self, name: &[u8], list: &ListAssignment) -> Result<(), Refusal> {
        let Some(resolved) = self.resolve(name)? else {
            return Err(Refusal::Circular(BString::from(name)));
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
        let mut fresh = match &self.variables.entry(name).value {
            Value::Associative(array) if list.is_append => array.clone(),
            _ => AssociativeArray::default(),
        };
        let is_paired = list
            .elements
            .first()
            .is_some_and(|element| element.subscript.is_none());
        let mut elements = list.elements.iter();
        while let Some(element) = elements.next() {
            let (key, value): (&BString, BString) = match &element.subscript {
                Some(key) => (key, element.value.clone()),
                None if is_paired => {
                    let value = elements.next().map(|element| element.value.clone());
                    (&element.value, value.unwrap_or_default())
                }
                None => return Err(needs_subscript(name, element)),
            };
            if key.is_empty() {
                let mut text = b"[]=".to_vec();
                text.extend_from_slice(&value);
                return Err(Refusal::Subscript(text.into()));
            }
            let current = fresh.get(key).cloned();
            let value =
                self.transformed(attributes, &value, current.as_ref(), element.is_append)?;
            fresh.set(key, value);
        }
        self.variables.entry(name).value = Value::Associative(fresh);
        Ok(())
    }
}

fn needs_subscript(name: &[u8], element: &ListElement) -> Refusal {
    Refusal::NeedsSubscript {
        name: BString::from(name),
        text: element.value.clone(),
    }
}
