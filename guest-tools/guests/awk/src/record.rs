//! The current record and its fields.
//!
//! Fields are found when they are asked for, and are slices of the record. Once one is assigned they are values of
//! their own, and the record is put together again when it is asked for.

use std::rc::Rc;

use crate::split::{Progress, Splitter};
use crate::value::Value;

/// The current record.
pub struct Record {
    text: Rc<Vec<u8>>,
    progress: Progress,
    /// How this record is split: what FS was when it was read.
    splitter: Rc<Splitter>,
    /// All fields, once one was assigned.
    owned: Option<Vec<Value>>,
    /// Whether the text does not yet show an assigned field.
    is_stale: bool,
    /// `$0` itself, when it was assigned a number or string.
    is_string: bool,
}

impl Record {
    /// Returns an empty record.
    pub fn new(splitter: Rc<Splitter>) -> Self {
        Self {
            text: Rc::default(),
            progress: Progress::default(),
            splitter,
            owned: None,
            is_stale: false,
            is_string: false,
        }
    }

    /// Gives the buffer for a new record to `fill` and begins anew.
    pub fn refill<R>(
        &mut self,
        splitter: &Rc<Splitter>,
        fill: impl FnOnce(&mut Vec<u8>) -> R,
    ) -> R {
        self.reset(splitter);
        match Rc::get_mut(&mut self.text) {
            Some(text) => {
                text.clear();
                fill(text)
            }
            // Something still holds a field of the old record.
            None => {
                let mut text = Vec::with_capacity(self.text.len());
                let result = fill(&mut text);
                self.text = Rc::new(text);
                result
            }
        }
    }

    fn reset(&mut self, splitter: &Rc<Splitter>) {
        self.owned = None;
        self.is_stale = false;
        self.is_string = false;
        self.progress.restart();
        if !Rc::ptr_eq(&self.splitter, splitter) {
            self.splitter = Rc::clone(splitter);
        }
    }

    /// Sets the text of a record that was assigned.
    pub fn assign(&mut self, splitter: &Rc<Splitter>, text: &[u8], is_string: bool) {
        self.reset(splitter);
        self.text = Rc::new(text.to_vec());
        self.is_string = is_string;
    }

    /// Makes sure that all fields are found with the splitter of this record.
    pub fn split_now(&mut self) {
        if self.owned.is_none() {
            self.progress
                .advance(&self.splitter, &self.text, usize::MAX);
        }
    }

    /// Returns whether a field was assigned and the text does not show it.
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Returns the text; `rebuild` must have been called if it was stale.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns NF.
    pub fn count(&mut self) -> usize {
        match &self.owned {
            Some(owned) => owned.len(),
            None => {
                self.progress
                    .advance(&self.splitter, &self.text, usize::MAX);
                self.progress.bounds.len() / 2
            }
        }
    }

    /// Returns `$0`; `rebuild` must have been called if it was stale.
    pub fn whole(&self) -> Value {
        if self.is_string {
            return Value::text(&self.text);
        }
        Value::Slice(Rc::clone(&self.text), 0, self.text.len() as u32)
    }

    /// Returns a field from 1 on.
    pub fn field(&mut self, number: usize) -> Value {
        match &self.owned {
            Some(owned) => owned.get(number - 1).cloned().unwrap_or_default(),
            None => {
                self.progress.advance(&self.splitter, &self.text, number);
                match self.progress.bounds.get(number * 2 - 2..number * 2) {
                    Some([begin, end]) => Value::Slice(Rc::clone(&self.text), *begin, *end),
                    _ => Value::Empty,
                }
            }
        }
    }

    fn own(&mut self) -> &mut Vec<Value> {
        if self.owned.is_none() {
            self.split_now();
            let (pairs, _) = self.progress.bounds.as_chunks::<2>();
            let fields = pairs
                .iter()
                .map(|[begin, end]| Value::Slice(Rc::clone(&self.text), *begin, *end))
                .collect();
            self.owned = Some(fields);
        }
        self.owned.get_or_insert_default()
    }

    /// Sets a field from 1 on; missing ones before it become empty.
    pub fn set_field(&mut self, number: usize, value: Value) {
        self.is_stale = true;
        let owned = self.own();
        if owned.len() < number {
            owned.resize_with(number, || Value::text(b""));
        }
        if let Some(slot) = owned.get_mut(number - 1) {
            *slot = value.into_kept();
        }
    }

    /// Sets NF.
    pub fn set_count(&mut self, count: usize) {
        self.is_stale = true;
        self.own().resize_with(count, || Value::text(b""));
    }

    /// Puts the record together from its fields.
    pub fn rebuild(&mut self, separator: &[u8], format: &[u8]) {
        self.is_stale = false;
        self.is_string = false;
        let mut text = Vec::with_capacity(self.text.len() + 16);
        for (place, field) in self.owned.iter().flatten().enumerate() {
            if place > 0 {
                text.extend_from_slice(separator);
            }
            field.append_to(&mut text, format);
        }
        self.text = Rc::new(text);
    }
}
