//! Redirections: opening, duplicating and closing descriptors, and putting them back.
//!
//! They take place from left to right; the first that fails leaves the rest undone and the command unrun.

mod apply;

use std::rc::Rc;

use crate::descriptors::Open;
use crate::state::Shell;

pub use apply::Failure;

/// What descriptors were before redirections, to be put back in reverse.
#[derive(Default)]
pub struct Saved(Vec<(u32, Option<Rc<Open>>)>);

impl Shell {
    /// Puts an open description behind `number`; notes what was there.
    pub fn replace_descriptor(&mut self, number: u32, open: Option<Rc<Open>>, saved: &mut Saved) {
        let before = self.descriptors.put(number, open);
        saved.0.push((number, before));
    }

    /// Puts descriptors back as they were.
    pub fn restore_descriptors(&mut self, saved: Saved) {
        for (number, before) in saved.0.into_iter().rev() {
            self.descriptors.put(number, before);
        }
    }
}
