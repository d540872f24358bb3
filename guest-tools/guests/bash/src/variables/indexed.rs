//! Indexed arrays: sparse, with the usual case (0, 1, 2, ...) kept as a plain vector.
//!
//! Invariant: `dense` holds exactly the indices below its length; every key of `sparse` is greater than that
//! length or, when equal, is moved over at the next write.

use std::collections::BTreeMap;

use bstr::BString;

/// An indexed array.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexedArray {
    dense: Vec<BString>,
    sparse: BTreeMap<u64, BString>,
}

impl IndexedArray {
    /// Returns an array of consecutive elements.
    pub fn from_values(values: Vec<BString>) -> Self {
        Self {
            dense: values,
            sparse: BTreeMap::new(),
        }
    }

    /// Returns the number of elements that are set.
    pub fn len(&self) -> usize {
        self.dense.len() + self.sparse.len()
    }

    /// Returns whether no element is set.
    pub fn is_empty(&self) -> bool {
        self.dense.is_empty() && self.sparse.is_empty()
    }

    /// Returns the element at `index`.
    pub fn get(&self, index: u64) -> Option<&BString> {
        match usize::try_from(index)
            .ok()
            .and_then(|at| self.dense.get(at))
        {
            Some(value) => Some(value),
            None if self.sparse.is_empty() => None,
            None => self.sparse.get(&index),
        }
    }

    /// Returns the element at `index` for changing it in place.
    pub fn get_mut(&mut self, index: u64) -> Option<&mut BString> {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if at < self.dense.len() {
            self.dense.get_mut(at)
        } else {
            self.sparse.get_mut(&index)
        }
    }

    /// Sets the element at `index`.
    pub fn set(&mut self, index: u64, value: BString) {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(place) = self.dense.get_mut(at) {
            *place = value;
        } else if at == self.dense.len() {
            self.sparse.remove(&index);
            self.dense.push(value);
            self.join();
        } else {
            self.sparse.insert(index, value);
        }
    }

    /// Moves elements of `sparse` that now follow `dense` directly.
    fn join(&mut self) {
        while !self.sparse.is_empty() {
            match self.sparse.remove(&(self.dense.len() as u64)) {
                Some(value) => self.dense.push(value),
                None => return,
            }
        }
    }

    /// Removes the element at `index`.
    pub fn remove(&mut self, index: u64) {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if at >= self.dense.len() {
            self.sparse.remove(&index);
            return;
        }
        let tail = self.dense.split_off(at);
        for (offset, value) in tail.into_iter().enumerate().skip(1) {
            self.sparse.insert((at + offset) as u64, value);
        }
    }

    /// Returns the index after the last element: where `a+=(x)` goes on.
    pub fn end(&self) -> u64 {
        match self.sparse.last_key_value() {
            Some((index, _)) => index.saturating_add(1),
            None => self.dense.len() as u64,
        }
    }

    /// Iterates over indices and elements in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &BString)> {
        let dense = self
            .dense
            .iter()
            .enumerate()
            .map(|(index, value)| (index as u64, value));
        dense.chain(self.sparse.iter().map(|(index, value)| (*index, value)))
    }

    /// Iterates over the elements in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &BString> {
        self.dense.iter().chain(self.sparse.values())
    }
}
