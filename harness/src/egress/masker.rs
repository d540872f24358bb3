//! Masking secrets in what a hand says, before anybody keeps it.

use std::sync::Arc;

use super::rewrite::{Rewriter, Table};

/// Masks the secrets of one session in one stream of bytes.
pub struct Masker {
    masks: Arc<Table>,
    rewriter: Rewriter,
}

impl Masker {
    pub(super) fn new(masks: Arc<Table>) -> Self {
        Self {
            masks,
            rewriter: Rewriter::default(),
        }
    }

    /// Tells whether there is nothing to mask, ever.
    pub fn is_idle(&self) -> bool {
        self.masks.is_empty()
    }

    /// Takes the next part, and returns what can pass of it and of what came before.
    pub fn push(&mut self, part: &[u8]) -> Vec<u8> {
        self.rewriter.push(&self.masks, part)
    }

    /// Returns what was held back, at the end.
    pub fn finish(&mut self) -> Vec<u8> {
        self.rewriter.finish(&self.masks)
    }

    /// Returns a whole text, masked.
    pub fn text(&self, text: String) -> String {
        if !self.masks.is_in(text.as_bytes()) {
            return text;
        }
        // A secret that is no text may begin within a character.
        let (masked, _) = self.masks.whole(text.as_bytes());
        String::from_utf8_lossy(&masked).into_owned()
    }
}
