//! Brace expansion: `{a,b}`, nested lists, `{1..10..2}`, `{a..e}`.
//!
//! A word comes as pieces: text that is neither quoted nor an expansion, and opaque parts that are carried
//! along unread. The answer is lazy: it knows its length at once and makes each word when asked.

mod parse;
mod sequence;

use bstr::BString;

use sequence::Sequence;

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
    word: Vec<Node<O>>,
    next: u64,
    count: u64,
}

/// An element of a word that is being expanded.
#[derive(Debug, Clone)]
enum Node<O> {
    Text(Vec<u8>),
    Opaque(O),
    /// `{a,b}`: the alternatives, each with the number of its words.
    List(Vec<(u64, Vec<Node<O>>)>),
    Sequence(Sequence),
}

impl<O: Clone> Iterator for Words<O> {
    type Item = Vec<Piece<O>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.count {
            return None;
        }
        let mut pieces = Vec::new();
        write(&self.word, self.next, &mut pieces);
        self.next += 1;
        Some(pieces)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.count.saturating_sub(self.next)).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

/// Expands the braces of `word`; a word without valid braces comes back alone.
pub fn expand<O: Clone>(word: Vec<Piece<O>>) -> Result<Words<O>, Error> {
    let word = parse::word(word);
    match count(&word) {
        count if count <= WORDS_MAX => Ok(Words {
            word,
            next: 0,
            count,
        }),
        _ => Err(Error::TooManyWords),
    }
}

/// Returns whether `text` may hold a brace expansion: a cheap test to skip most words.
pub fn is_candidate(text: &[u8]) -> bool {
    text.contains(&b'{')
}

/// Returns how many words `nodes` stand for, at most `u64::MAX`.
fn count<O>(nodes: &[Node<O>]) -> u64 {
    nodes.iter().fold(1_u64, |product, node| {
        product.saturating_mul(count_of(node))
    })
}

fn count_of<O>(node: &Node<O>) -> u64 {
    match node {
        Node::Text(_) | Node::Opaque(_) => 1,
        Node::List(list) => list
            .iter()
            .fold(0_u64, |sum, (count, _)| sum.saturating_add(*count)),
        Node::Sequence(sequence) => sequence.count(),
    }
}

/// Writes word number `index`: the last brace turns fastest, so its number is taken off first.
fn write<O: Clone>(nodes: &[Node<O>], index: u64, pieces: &mut Vec<Piece<O>>) {
    let mut index = index;
    let mut choices = Vec::with_capacity(nodes.len());
    for node in nodes.iter().rev() {
        let count = count_of(node).max(1);
        choices.push(index % count);
        index /= count;
    }
    for (node, choice) in nodes.iter().zip(choices.into_iter().rev()) {
        match node {
            Node::Text(text) => push(text, pieces),
            Node::Opaque(opaque) => pieces.push(Piece::Opaque(opaque.clone())),
            Node::Sequence(sequence) => push(&sequence.element(choice), pieces),
            Node::List(list) => {
                let mut choice = choice;
                for (count, nodes) in list {
                    if choice < *count {
                        write(nodes, choice, pieces);
                        break;
                    }
                    choice -= count;
                }
            }
        }
    }
}

fn push<O>(text: &[u8], pieces: &mut Vec<Piece<O>>) {
    match pieces.last_mut() {
        Some(Piece::Text(before)) => before.extend_from_slice(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece::Text(BString::from(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let words = expand::<()>(vec![Piece::Text(BString::from(text))])
            .into_iter()
            .flatten();
        words
            .map(|word| {
                let texts = word.iter().map(|piece| match piece {
                    Piece::Text(text) => text.to_string(),
                    Piece::Opaque(()) => "#".to_owned(),
                });
                texts.collect()
            })
            .collect()
    }

    #[test]
    fn words_of_braces() {
        for (text, expected) in [
            ("a{b,c}d", "abd acd"),
            ("{a,b}{1,2}", "a1 a2 b1 b2"),
            ("{a,b{c,d}}e", "ae bce bde"),
            ("{1..3}", "1 2 3"),
            ("{10..1..4}", "10 6 2"),
            ("{01..3}", "01 02 03"),
            ("{-1..1}", "-1 0 1"),
            ("{a..e..2}", "a c e"),
            ("{c..a}", "c b a"),
            ("{a}", "{a}"),
            ("{a,b", "{a,b"),
            ("a{}", "a{}"),
            ("{a..b..c}", "{a..b..c}"),
            ("{{a,b}", "{a {b"),
            ("{a,b}}", "a} b}"),
            ("x{,y}", "x xy"),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn long_and_hostile_ones() {
        assert_eq!(words("{1..1000000}").len(), 1_000_000);
        assert_eq!(
            expand::<()>(vec![Piece::Text("{1..10000}{1..10000}".into())]).err(),
            Some(Error::TooManyWords)
        );
        assert_eq!(words(&"{".repeat(20_000)).len(), 1);
        assert!(!words(&format!("{}{}", "{a,".repeat(5000), "}".repeat(5000))).is_empty());
    }

    #[test]
    fn opaque_parts_stay() {
        let word = vec![
            Piece::Text("{a,".into()),
            Piece::Opaque(1),
            Piece::Text("}".into()),
        ];
        let words: Vec<_> = expand(word).into_iter().flatten().collect();
        assert_eq!(
            words,
            [vec![Piece::Text("a".into())], vec![Piece::Opaque(1)]]
        );
    }
}
