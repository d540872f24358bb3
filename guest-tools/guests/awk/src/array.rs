//! AWK's associative arrays: a hash table over entries in the order they were made.
//!
//! Iteration is in the order of insertion. Deleted entries leave a gap that is closed once gaps are
//! the greater part, so deleting does not cost a move of the rest.

use std::rc::Rc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use crate::value::{Text, Value};

#[derive(Debug, Clone)]
struct Entry {
    hash: u64,
    key: Rc<Text>,
    value: Value,
}

/// An associative array.
#[derive(Debug, Default, Clone)]
pub struct Array {
    places: HashTable<u32>,
    entries: Vec<Option<Entry>>,
}

fn hash_of(key: &[u8]) -> u64 {
    FixedState::with_seed(0).hash_one(key)
}

impl Array {
    /// Returns how many elements it has.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    fn place_of(&self, hash: u64, key: &[u8]) -> Option<u32> {
        let entries = &self.entries;
        self.places
            .find(hash, |place| is_at(entries, *place, key))
            .copied()
    }

    /// Returns the element under a key, if there is one.
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        let place = self.place_of(hash_of(key), key)?;
        self.entries
            .get(place as usize)?
            .as_ref()
            .map(|entry| &entry.value)
    }

    /// Returns the element under a key and makes it if need be. None only if the array is full (4 billion entries).
    pub fn entry(&mut self, key: &[u8]) -> Option<&mut Value> {
        let hash = hash_of(key);
        let place = match self.place_of(hash, key) {
            Some(place) => place,
            None => {
                let place = u32::try_from(self.entries.len()).ok()?;
                self.entries.push(Some(Entry {
                    hash,
                    key: Rc::new(Text::new(key)),
                    value: Value::Empty,
                }));
                let entries = &self.entries;
                self.places.insert_unique(hash, place, |place| {
                    entries
                        .get(*place as usize)
                        .and_then(Option::as_ref)
                        .map_or(0, |entry| entry.hash)
                });
                place
            }
        };
        self.entries
            .get_mut(place as usize)?
            .as_mut()
            .map(|entry| &mut entry.value)
    }

    /// Sets an element.
    pub fn set(&mut self, key: &[u8], value: Value) {
        if let Some(slot) = self.entry(key) {
            *slot = value;
        }
    }

    /// Removes an element, if it is there.
    pub fn remove(&mut self, key: &[u8]) {
        let hash = hash_of(key);
        let entries = &self.entries;
        let Ok(found) = self
            .places
            .find_entry(hash, |place| is_at(entries, *place, key))
        else {
            return;
        };
        let (place, _) = found.remove();
        if let Some(slot) = self.entries.get_mut(place as usize) {
            *slot = None;
        }
        if self.entries.len() > 32 && self.places.len() < self.entries.len() / 2 {
            self.close_gaps();
        }
    }

    fn close_gaps(&mut self) {
        self.entries.retain(Option::is_some);
        self.places.clear();
        let entries = &self.entries;
        for (place, entry) in entries.iter().enumerate() {
            let hash = entry.as_ref().map_or(0, |entry| entry.hash);
            self.places.insert_unique(hash, place as u32, |place| {
                entries
                    .get(*place as usize)
                    .and_then(Option::as_ref)
                    .map_or(0, |entry| entry.hash)
            });
        }
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        self.places.clear();
        self.entries.clear();
    }

    /// Returns keys and elements in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Rc<Text>, &Value)> {
        self.entries
            .iter()
            .filter_map(|entry| entry.as_ref().map(|entry| (&entry.key, &entry.value)))
    }
}

fn is_at(entries: &[Option<Entry>], place: u32, key: &[u8]) -> bool {
    entries
        .get(place as usize)
        .and_then(Option::as_ref)
        .is_some_and(|entry| entry.key.bytes() == key)
}
