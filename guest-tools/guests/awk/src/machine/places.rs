//! Reading and setting variables, elements and fields.

use std::rc::Rc;

use crate::Error;
use crate::op::{Kept, Special, Target};
use crate::value::Value;

use super::Machine;

/// The highest number of a field. More would be a slip of the program that takes all memory.
const FIELDS_MAX: f64 = 10_000_000.0;

impl Machine {
    pub(super) fn array_as_scalar(&self, name: &str) -> Error {
        self.fatal(&format!(
            "attempt to use array `{name}' in a scalar context"
        ))
    }

    fn scalar_as_array(&self, name: &str) -> Error {
        self.fatal(&format!("attempt to use scalar `{name}' as an array"))
    }

    pub(super) fn local_name(&self, slot: u32) -> String {
        let function = self.frames.last().map_or(0, |frame| frame.function);
        let names = self
            .program
            .functions
            .get(function as usize)
            .map(|function| &function.parameters);
        names
            .and_then(|names| names.get(slot as usize))
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn push_global_array(&mut self, slot: u32) -> Result<(), Error> {
        let handle = match self.globals.get_mut(slot as usize) {
            Some(Value::Array(array)) => Some(Rc::clone(array)),
            Some(place @ Value::Empty) => {
                *place = Value::new_array();
                match place {
                    Value::Array(array) => Some(Rc::clone(array)),
                    _ => None,
                }
            }
            _ => None,
        };
        match handle {
            Some(array) => self.push(Value::Array(array)),
            None => return Err(self.scalar_as_array(self.program.global_name(slot))),
        }
        Ok(())
    }

    pub(super) fn push_local_array(&mut self, slot: u32) -> Result<(), Error> {
        let place = self.base + slot as usize;
        if let Some(value @ Value::Empty) = self.stack.get_mut(place) {
            *value = Value::new_array();
        }
        match self.stack.get(place).cloned() {
            Some(value @ Value::Array(_)) => self.push(value),
            _ => return Err(self.scalar_as_array(&self.local_name(slot))),
        }
        Ok(())
    }

    pub(super) fn push_element_array(&mut self) -> Result<(), Error> {
        let key = self.pop();
        let array = self.pop();
        let found = match &array {
            Value::Array(array) => self.with_key(&key, |key| match array.borrow_mut().entry(key) {
                Some(Value::Array(inner)) => Some(Rc::clone(inner)),
                Some(place @ Value::Empty) => {
                    *place = Value::new_array();
                    match place {
                        Value::Array(inner) => Some(Rc::clone(inner)),
                        _ => None,
                    }
                }
                _ => None,
            }),
            _ => None,
        };
        match found {
            Some(inner) => self.push(Value::Array(inner)),
            None => {
                let key = String::from_utf8_lossy(&key.to_bytes(b"%.6g")).into_owned();
                return Err(self.scalar_as_array(&format!("[\"{key}\"]")));
            }
        }
        Ok(())
    }

    /// Returns an element and makes it if need be.
    pub(super) fn element(&self, array: &Value, key: &Value) -> Result<Value, Error> {
        let Value::Array(array) = array else {
            return Ok(Value::Empty);
        };
        let value = self.with_key(key, |key| {
            let mut array = array.borrow_mut();
            array.entry(key).map(|value| value.clone())
        });
        match value {
            Some(Value::Array(_)) => {
                let key = String::from_utf8_lossy(&key.to_bytes(b"%.6g")).into_owned();
                Err(self.array_as_scalar(&format!("[\"{key}\"]")))
            }
            Some(value) => Ok(value),
            None => Err(self.fatal("array is full")),
        }
    }

    pub(super) fn push_element(&mut self) -> Result<(), Error> {
        let key = self.pop();
        let array = self.pop();
        let value = self.element(&array, &key)?;
        self.push(value);
        Ok(())
    }

    pub(super) fn push_global_argument(&mut self, slot: u32, is_array: bool) {
        if let Some(value) = self.globals.get_mut(slot as usize) {
            if is_array && matches!(value, Value::Empty) {
                *value = Value::new_array();
            }
            let value = value.clone();
            self.push(value);
        }
    }

    pub(super) fn push_local_argument(&mut self, slot: u32, is_array: bool) {
        if let Some(value) = self.stack.get_mut(self.base + slot as usize) {
            if is_array && matches!(value, Value::Empty) {
                *value = Value::new_array();
            }
            let value = value.clone();
            self.push(value);
        }
    }

    pub(super) fn push_element_argument(&mut self, is_array: bool) -> Result<(), Error> {
        let key = self.pop();
        let Value::Array(array) = self.pop() else {
            return Ok(());
        };
        let value = self.with_key(&key, |key| {
            array.borrow_mut().entry(key).map(|value| {
                if is_array && matches!(value, Value::Empty) {
                    *value = Value::new_array();
                }
                value.clone()
            })
        });
        self.push(value.unwrap_or_default());
        Ok(())
    }

    /// Returns the number of a field, which must be one.
    pub(super) fn field_number(&self, number: f64) -> Result<usize, Error> {
        if number <= -1.0 {
            return Err(self.fatal(&format!("attempt to access field {}", number.trunc())));
        }
        if number > FIELDS_MAX {
            return Err(self.fatal(&format!("field number {number} is too large")));
        }
        Ok(number as usize)
    }

    /// Returns a field, 0 for the record.
    #[inline]
    pub(super) fn field(&mut self, number: usize) -> Value {
        if number > 0 {
            return self.record.field(number);
        }
        self.refresh_record();
        self.record.whole()
    }

    /// Makes the record show all assigned fields.
    pub(super) fn refresh_record(&mut self) {
        if self.record.is_stale() {
            self.record.rebuild(
                &self.settings.output_separator,
                &self.settings.number_format,
            );
        }
    }

    /// Sets a target; `value` may be kept as it is.
    pub(super) fn set(&mut self, target: Target, value: Value, is_kept: bool) -> Result<(), Error> {
        let copy = if is_kept { Some(value.clone()) } else { None };
        match target {
            Target::Global(slot) => match self.globals.get_mut(slot as usize) {
                Some(Value::Array(_)) | None => {
                    return Err(self.array_as_scalar(self.program.global_name(slot)));
                }
                Some(place) => *place = value,
            },
            Target::Local(slot) => match self.stack.get_mut(self.base + slot as usize) {
                Some(Value::Array(_)) | None => {
                    return Err(self.array_as_scalar(&self.local_name(slot)));
                }
                Some(place) => *place = value,
            },
            Target::Special(special) => self.set_special(special, value)?,
            Target::Field => {
                let number = self.pop().number();
                let number = self.field_number(number)?;
                self.set_field(number, value);
            }
            Target::Element => {
                let key = self.pop();
                let Value::Array(array) = self.pop() else {
                    return Ok(());
                };
                let is_set = self.with_key(&key, |key| match array.borrow_mut().entry(key) {
                    Some(Value::Array(_)) | None => false,
                    Some(place) => {
                        *place = value;
                        true
                    }
                });
                if !is_set {
                    let key = String::from_utf8_lossy(&key.to_bytes(b"%.6g")).into_owned();
                    return Err(self.array_as_scalar(&format!("[\"{key}\"]")));
                }
            }
        }
        if let Some(copy) = copy {
            self.push(copy);
        }
        Ok(())
    }

    fn set_field(&mut self, number: usize, value: Value) {
        if number > 0 {
            self.record.set_field(number, value);
            return;
        }
        let is_string = matches!(value, Value::Text(_) | Value::Number(_));
        let bytes = value.to_bytes(&self.settings.number_format);
        self.record
            .assign(&self.settings.splitter, &bytes, is_string);
    }

    /// Changes a number in place and returns the new one or, for `Kept::Old`, the old one.
    #[inline]
    pub(super) fn change(
        &mut self,
        target: Target,
        kept: Kept,
        calculate: impl FnOnce(&Self, f64) -> Result<f64, Error>,
    ) -> Result<f64, Error> {
        let old = match target {
            Target::Global(slot) => match self.globals.get(slot as usize) {
                Some(Value::Number(number)) => *number,
                Some(Value::Array(_)) | None => {
                    return Err(self.array_as_scalar(self.program.global_name(slot)));
                }
                Some(value) => value.number(),
            },
            Target::Local(slot) => match self.stack.get(self.base + slot as usize) {
                Some(Value::Array(_)) | None => {
                    return Err(self.array_as_scalar(&self.local_name(slot)));
                }
                Some(value) => value.number(),
            },
            Target::Special(special) => self.special(special).number(),
            Target::Field => {
                let number = self.stack.last().map_or(0.0, Value::number);
                let number = self.field_number(number)?;
                self.field(number).number()
            }
            Target::Element => return self.change_element(kept, calculate),
        };
        let new = calculate(self, old)?;
        match target {
            Target::Global(slot) => {
                if let Some(place) = self.globals.get_mut(slot as usize) {
                    *place = Value::Number(new);
                }
            }
            Target::Local(slot) => {
                let place = self.base + slot as usize;
                if let Some(place) = self.stack.get_mut(place) {
                    *place = Value::Number(new);
                }
            }
            _ => self.set(target, Value::Number(new), false)?,
        }
        Ok(if kept == Kept::Old { old } else { new })
    }

    fn change_element(
        &mut self,
        kept: Kept,
        calculate: impl FnOnce(&Self, f64) -> Result<f64, Error>,
    ) -> Result<f64, Error> {
        let key = self.pop();
        let Value::Array(array) = self.pop() else {
            return Ok(0.0);
        };
        self.with_key(&key, |bytes| {
            let mut array = array.borrow_mut();
            match array.entry(bytes) {
                Some(Value::Array(_)) | None => {
                    let key = String::from_utf8_lossy(bytes).into_owned();
                    Err(self.array_as_scalar(&format!("[\"{key}\"]")))
                }
                Some(place) => {
                    let old = place.number();
                    let new = calculate(self, old)?;
                    *place = Value::Number(new);
                    Ok(if kept == Kept::Old { old } else { new })
                }
            }
        })
    }

    /// `x = x y`: in place if nothing else holds the text.
    pub(super) fn append(&mut self, target: Target, is_kept: bool) -> Result<(), Error> {
        let tail = self.pop();
        let place = match target {
            Target::Global(slot) => self.globals.get_mut(slot as usize),
            Target::Local(slot) => self.stack.get_mut(self.base + slot as usize),
            _ => None,
        };
        let format = &self.settings.number_format;
        match place {
            Some(Value::Text(text)) => {
                tail.with_bytes(format, |tail| Rc::make_mut(text).append(tail));
                if is_kept {
                    let copy = Value::Text(Rc::clone(text));
                    self.push(copy);
                }
                Ok(())
            }
            Some(Value::Array(_)) | None => Err(match target {
                Target::Local(slot) => self.array_as_scalar(&self.local_name(slot)),
                Target::Global(slot) => self.array_as_scalar(self.program.global_name(slot)),
                _ => self.fatal("cannot append to this"),
            }),
            Some(old) => {
                let mut bytes = old.to_bytes(format);
                tail.append_to(&mut bytes, format);
                let value = Value::text(&bytes);
                self.set(target, value, is_kept)
            }
        }
    }

    /// Returns the text of a special variable's slot.
    pub(super) fn global_bytes(&self, special: Special) -> Vec<u8> {
        let value = self.globals.get(special.slot() as usize);
        value
            .map(|value| value.to_bytes(&self.settings.number_format))
            .unwrap_or_default()
    }

    /// Sets the slot of a special variable, without the effects of an assignment.
    pub(super) fn set_slot(&mut self, special: Special, value: Value) {
        if let Some(place) = self.globals.get_mut(special.slot() as usize) {
            *place = value;
        }
    }
}
