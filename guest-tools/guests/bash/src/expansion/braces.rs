//! Brace expansion of a word: its unquoted text is read, everything else is carried along.

use bash_syntax::ast::{Word, WordPart};
use bash_text::brace::{self, Piece};

/// Expands the braces of a word.
pub fn expand(word: &Word) -> Result<Vec<Word>, brace::Error> {
    let pieces: Vec<Piece<WordPart>> = word
        .parts
        .iter()
        .map(|part| match part {
            WordPart::Literal(text) => Piece::Text(text.clone()),
            part => Piece::Opaque(part.clone()),
        })
        .collect();
    let words = brace::expand(pieces)?;
    Ok(words
        .map(|pieces| {
            let mut word = Word::default();
            for piece in pieces {
                match piece {
                    Piece::Text(text) => match word.parts.last_mut() {
                        Some(WordPart::Literal(last)) => last.extend_from_slice(&text),
                        _ if text.is_empty() => {}
                        _ => word.parts.push(WordPart::Literal(text)),
                    },
                    Piece::Opaque(part) => word.parts.push(part),
                }
            }
            word
        })
        .collect())
}
