//! The compiled pattern.

use std::sync::Arc;

use crate::{Error, Options, Syntax};

/// A compiled pattern or set of patterns. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Regex(Arc<()>);

impl Regex {
    /// Compiles a pattern.
    pub fn new(pattern: &[u8], syntax: Syntax, options: &Options) -> Result<Self, Error> {
        Self::new_set(&[pattern.to_vec()], syntax, options)
    }

    /// Compiles patterns of which any may match.
    pub fn new_set(patterns: &[Vec<u8>], syntax: Syntax, options: &Options) -> Result<Self, Error> {
        let _ = (patterns, syntax, options);
        Ok(Self(Arc::new(())))
    }

    /// Returns whether the text holds a match.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.find_at(text, 0).is_some()
    }

    /// Returns the first match that begins at `start` or later: the longest for `Basic` and `Extended`, the
    /// preferred one for `Perl`. What stands before `start` counts for `^`, `\b` and the like.
    #[must_use]
    pub fn find_at(&self, text: &[u8], start: usize) -> Option<(usize, usize)> {
        let _ = (text, start);
        None
    }

    /// Returns the groups of the match that `find_at` gives; the first is the whole match.
    #[must_use]
    pub fn captures_at(&self, text: &[u8], start: usize) -> Option<Vec<Option<(usize, usize)>>> {
        self.find_at(text, start).map(|span| vec![Some(span)])
    }

    /// Returns the number of groups, without the whole match.
    #[must_use]
    pub fn groups(&self) -> usize {
        0
    }
}
