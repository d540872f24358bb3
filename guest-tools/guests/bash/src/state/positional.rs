//! `$0` and the positional parameters.

use std::rc::Rc;

use bstr::BString;

/// The positional parameters; `shift` moves the start instead of copying.
#[derive(Debug, Clone, Default)]
pub struct Positional {
    values: Rc<Vec<BString>>,
    start: usize,
}

impl Positional {
    /// Returns parameters with these values.
    pub fn new(values: Vec<BString>) -> Self {
        Self {
            values: Rc::new(values),
            start: 0,
        }
    }

    /// Returns all values: `$@`.
    pub fn values(&self) -> &[BString] {
        self.values.get(self.start..).unwrap_or_default()
    }

    /// Returns `$#`.
    pub fn len(&self) -> usize {
        self.values().len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values().is_empty()
    }

    /// Returns parameter number `index`, from 1.
    pub fn get(&self, index: usize) -> Option<&BString> {
        self.values().get(index.checked_sub(1)?)
    }

    /// Drops the first `count`; false when there are fewer.
    pub fn shift(&mut self, count: usize) -> bool {
        if count > self.len() {
            return false;
        }
        self.start += count;
        true
    }
}
