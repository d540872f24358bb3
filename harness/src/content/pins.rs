//! Who counts on a stored object, and which objects are going: a batch that finds an object instead of storing it
//! must still find it when its append is made.
//!
//! The store refuses an append whose objects are gone, so nothing here is needed for what is committed to be whole.
//! It is needed for sessions not to fail because garbage was collected at that moment.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::Hash;

/// What is counted on and what is going in one daemon. Cheap to clone.
#[derive(Clone, Default, Debug)]
pub struct Pins(Arc<Mutex<State>>);

#[derive(Default, Debug)]
struct State {
    /// How many batches count on each.
    wanted: HashMap<Hash, usize>,
    /// Being removed just now.
    going: HashSet<Hash>,
}

impl Pins {
    /// Pins those of `hashes` that are not going, whether they are stored or not: what is looked up behind this
    /// stays. What is going counts as gone already.
    pub(super) fn pin(&self, hashes: &[Hash], pinned: &mut Pinned) {
        let mut state = self.state();
        for hash in hashes {
            if !state.going.contains(hash) && pinned.hashes.insert(*hash) {
                *state.wanted.entry(*hash).or_default() += 1;
            }
        }
    }

    /// Returns pins without an object.
    pub(super) fn none(&self) -> Pinned {
        Pinned {
            pins: self.clone(),
            hashes: HashSet::new(),
        }
    }

    /// Returns those of `hashes` that nobody counts on; nobody does until this ends.
    pub fn removal(&self, hashes: &[Hash]) -> Removal {
        let mut state = self.state();
        let hashes = hashes
            .iter()
            .filter(|hash| !state.wanted.contains_key(hash));
        let hashes: Vec<Hash> = hashes.copied().collect();
        state.going.extend(&hashes);
        Removal {
            pins: self.clone(),
            hashes,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Objects that stay as long as this lives.
#[derive(Debug)]
pub(super) struct Pinned {
    pins: Pins,
    hashes: HashSet<Hash>,
}

impl Pinned {
    /// Tells whether it is pinned.
    pub(super) fn has(&self, hash: &Hash) -> bool {
        self.hashes.contains(hash)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut state = self.pins.state();
        for hash in &self.hashes {
            if let Some(count) = state.wanted.get_mut(hash) {
                *count -= 1;
                if *count == 0 {
                    state.wanted.remove(hash);
                }
            }
        }
    }
}

/// Objects that are going.
#[derive(Debug)]
pub struct Removal {
    pins: Pins,
    hashes: Vec<Hash>,
}

impl Removal {
    /// Returns them.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        let mut state = self.pins.state();
        for hash in &self.hashes {
            state.going.remove(hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned_does_not_go_and_what_goes_is_not_pinned() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|text| Hash::of(text));
        let pins = Pins::default();
        let (mut one, mut two) = (pins.none(), pins.none());
        pins.pin(&[a, a, b], &mut one);
        pins.pin(&[a], &mut two);
        let removal = pins.removal(&[a, b, c]);
        assert_eq!(removal.hashes(), [c]);
        pins.pin(&[c], &mut two);
        assert!(!two.has(&c), "an object was pinned that is going");
        drop(removal);
        pins.pin(&[c], &mut two);
        assert!(two.has(&c));
        drop(one);
        assert_eq!(pins.removal(&[b]).hashes(), [b]);
        assert_eq!(pins.removal(&[a]).hashes(), []);
        drop(two);
        assert_eq!(pins.removal(&[a, b, c]).hashes(), [a, b, c]);
        assert!(pins.state().wanted.is_empty() && pins.state().going.is_empty());
    }
}
