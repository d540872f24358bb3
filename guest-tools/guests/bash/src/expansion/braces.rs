//! Brace expansion of a word: its unquoted text is read, everything else is carried along.

use bash_syntax::ast::{Parameter, ParameterExpansion, Word, WordPart};
use bash_text::brace::{self, Piece};
use bstr::BString;

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
                    Piece::Text(mut text) => match word.parts.last_mut() {
                        // `{$a,$b}c` is `$ac $bc`: braces come before parameters.
                        Some(WordPart::Parameter(parameter)) => {
                            if let ParameterExpansion::Value(value) = &mut **parameter
                                && let Parameter::Name(name) = &mut value.parameter
                                && !value.is_braced
                            {
                                let is_part =
                                    |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                                let length = text.iter().take_while(|byte| is_part(byte)).count();
                                name.extend(text.drain(..length));
                            }
                            if !text.is_empty() {
                                word.parts.push(WordPart::Literal(text));
                            }
                        }
                        // Only a sequence such as `{Z..a}` makes a bare backslash, which quotes nothing.
                        _ if text.contains(&b'\\') => {
                            text.retain(|byte| *byte != b'\\');
                            word.parts.push(WordPart::SingleQuoted(BString::default()));
                            word.parts.push(WordPart::Literal(text));
                        }
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
