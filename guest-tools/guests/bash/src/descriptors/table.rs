//! Which open file description each number stands for.
//!
//! A clone shares the descriptions, as a forked shell does.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Open;

/// The lowest number that the shell gives out by itself: `{name}>file`.
const ALLOCATED_FIRST: u32 = 10;

/// The descriptors of a shell.
#[derive(Clone, Default)]
pub struct Descriptors {
    /// 0, 1 and 2, which every command touches.
    standard: [Option<Rc<Open>>; 3],
    others: BTreeMap<u32, Rc<Open>>,
}

impl Descriptors {
    /// Returns the description behind `number`.
    pub fn get(&self, number: u32) -> Option<&Rc<Open>> {
        match self
            .standard
            .get(usize::try_from(number).unwrap_or(usize::MAX))
        {
            Some(open) => open.as_ref(),
            None => self.others.get(&number),
        }
    }

    /// Puts a description, or nothing, behind `number`; returns what was there.
    pub fn put(&mut self, number: u32, open: Option<Rc<Open>>) -> Option<Rc<Open>> {
        match self
            .standard
            .get_mut(usize::try_from(number).unwrap_or(usize::MAX))
        {
            Some(place) => std::mem::replace(place, open),
            None => match open {
                Some(open) => self.others.insert(number, open),
                None => self.others.remove(&number),
            },
        }
    }

    /// Returns the lowest free number from 10 on.
    pub fn free(&self) -> u32 {
        self.free_from(ALLOCATED_FIRST)
    }

    /// Returns the lowest free number from `first` on.
    pub fn free_from(&self, first: u32) -> u32 {
        let mut number = first;
        while self.get(number).is_some() {
            number = number.saturating_add(1);
        }
        number
    }

    /// Returns the highest free number up to 63, where process substitutions live.
    pub fn free_downwards(&self) -> u32 {
        (ALLOCATED_FIRST..=63)
            .rev()
            .find(|number| self.get(*number).is_none())
            .unwrap_or_else(|| self.free_from(64))
    }

    /// Iterates over the open numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Rc<Open>)> {
        (0_u32..)
            .zip(&self.standard)
            .filter_map(|(number, open)| Some((number, open.as_ref()?)))
            .chain(self.others.iter().map(|(number, open)| (*number, open)))
    }
}
