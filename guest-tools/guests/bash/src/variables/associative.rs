//! Associative arrays that iterate in the order in which bash walks its hash table.
//!
//! bash hashes keys with FNV-1 into 1024 buckets, puts a new entry at the head of its bucket, and grows the
//! table fourfold when there are twice as many entries as buckets. Scripts print in that order, so it is kept:
//! the map's key is the bucket and, within it, newer entries first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

/// How many buckets bash begins with.
const BUCKETS: u32 = 1024;

/// An associative array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociativeArray {
    entries: BTreeMap<(u32, Reverse<u64>), (BString, BString)>,
    buckets: u32,
    sequence: u64,
}

impl Default for AssociativeArray {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            buckets: BUCKETS,
            sequence: 0,
        }
    }
}

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(2_166_136_261, |hash: u32, byte| {
        // bash reads `char`, which is signed on the machines we compare with.
        hash.wrapping_mul(16_777_619) ^ (i32::from(*byte as i8) as u32)
    })
}

impl AssociativeArray {
    fn bucket(&self, key: &[u8]) -> u32 {
        hash(key) & (self.buckets - 1)
    }

    fn place(&self, key: &[u8]) -> Option<(u32, Reverse<u64>)> {
        let bucket = self.bucket(key);
        self.entries
            .range((bucket, Reverse(u64::MAX))..=(bucket, Reverse(0)))
            .find(|(_, (name, _))| name.as_bytes() == key)
            .map(|(place, _)| *place)
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &[u8]) -> Option<&BString> {
        let place = self.place(key)?;
        self.entries.get(&place).map(|(_, value)| value)
    }

    /// Returns the value of `key` for changing it in place.
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut BString> {
        let place = self.place(key)?;
        self.entries.get_mut(&place).map(|(_, value)| value)
    }

    /// Sets the value of `key`.
    pub fn set(&mut self, key: &[u8], value: BString) {
        if let Some(current) = self.get_mut(key) {
            *current = value;
            return;
        }
        if self.entries.len() as u64 >= u64::from(self.buckets) * 2 {
            self.grow();
        }
        self.sequence += 1;
        let place = (self.bucket(key), Reverse(self.sequence));
        self.entries.insert(place, (BString::from(key), value));
    }

    fn grow(&mut self) {
        self.buckets = self.buckets.saturating_mul(4);
        for (_, entry) in std::mem::take(&mut self.entries) {
            self.sequence += 1;
            let place = (self.bucket(&entry.0), Reverse(self.sequence));
            self.entries.insert(place, entry);
        }
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: &[u8]) {
        if let Some(place) = self.place(key) {
            self.entries.remove(&place);
        }
    }

    /// Iterates over keys and values in bash's order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&BStr, &BString)> {
        self.entries
            .values()
            .map(|(key, value)| (key.as_bstr(), value))
    }

    /// Iterates over the values in bash's order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &BString> {
        self.entries.values().map(|(_, value)| value)
    }
}
