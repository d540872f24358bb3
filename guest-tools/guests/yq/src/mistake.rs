//! What goes wrong, in the words that the user reads.

/// A message.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Mistake(String);

/// A result, or what went wrong.
pub type Outcome<T> = Result<T, Mistake>;

impl Mistake {
    /// Returns a mistake of these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}
