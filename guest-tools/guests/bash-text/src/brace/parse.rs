//! Finding the braces of a word.
//!
//! Every brace is matched in one pass with a stack; a pair with a comma of its own is a list, a pair around
//! a valid sequence is one, and any other brace is text.

use super::sequence::Sequence;
use super::{Node, Piece, count};

/// Bounds nested lists; deeper braces are text. Without it a hostile word exhausts the stack.
const DEPTH_MAX: usize = 300;

/// One unit of a word: a byte or something opaque.
enum Unit<O> {
    Byte(u8),
    Opaque(O),
}

/// What was read inside one open brace.
struct Level<O> {
    /// Alternatives that a comma has ended.
    alternatives: Vec<Vec<Node<O>>>,
    /// The alternative under way.
    current: Vec<Node<O>>,
}

impl<O> Level<O> {
    fn new() -> Self {
        Self {
            alternatives: Vec::new(),
            current: Vec::new(),
        }
    }

    fn text(&mut self, text: &[u8]) {
        match self.current.last_mut() {
            Some(Node::Text(before)) => before.extend_from_slice(text),
            _ => self.current.push(Node::Text(text.to_vec())),
        }
    }

    fn append(&mut self, nodes: Vec<Node<O>>) {
        for node in nodes {
            match node {
                Node::Text(text) => self.text(&text),
                node => self.current.push(node),
            }
        }
    }

    fn comma(&mut self) {
        let done = std::mem::take(&mut self.current);
        self.alternatives.push(done);
    }

    /// Ends a pair of braces.
    fn close(mut self) -> Vec<Node<O>> {
        if !self.alternatives.is_empty() {
            self.alternatives.push(self.current);
            let counted = self
                .alternatives
                .into_iter()
                .map(|nodes| (count(&nodes), nodes));
            return vec![Node::List(counted.collect())];
        }
        if let [Node::Text(text)] = self.current.as_slice()
            && let Some(sequence) = Sequence::parse(text)
        {
            return vec![Node::Sequence(sequence)];
        }
        let mut level = Self::new();
        level.text(b"{");
        level.append(std::mem::take(&mut self.current));
        level.text(b"}");
        level.current
    }
}

/// Reads a word.
pub(super) fn word<O: Clone>(pieces: Vec<Piece<O>>) -> Vec<Node<O>> {
    let units = pieces.into_iter().flat_map(|piece| match piece {
        Piece::Text(text) => text
            .iter()
            .map(|byte| Unit::Byte(*byte))
            .collect::<Vec<_>>(),
        Piece::Opaque(opaque) => vec![Unit::Opaque(opaque)],
    });
    let units: Vec<Unit<O>> = units.collect();
    let closes = closing(&units);
    let mut outer: Vec<Level<O>> = Vec::new();
    let mut level = Level::new();
    // Braces too deep to be read, which are open.
    let mut ignored = 0_usize;
    for (at, unit) in units.into_iter().enumerate() {
        match unit {
            Unit::Byte(b'{') if outer.len() < DEPTH_MAX && closes.get(at) == Some(&true) => {
                outer.push(std::mem::replace(&mut level, Level::new()));
            }
            Unit::Byte(b'{') if closes.get(at) == Some(&true) => {
                ignored += 1;
                level.text(b"{");
            }
            Unit::Byte(byte @ (b',' | b'}')) if ignored > 0 => {
                ignored -= usize::from(byte == b'}');
                level.text(&[byte]);
            }
            Unit::Byte(b',') if !outer.is_empty() => level.comma(),
            Unit::Byte(b'}') => match outer.pop() {
                Some(around) => {
                    let inner = std::mem::replace(&mut level, around);
                    level.append(inner.close());
                }
                None => level.text(b"}"),
            },
            Unit::Byte(byte) => level.text(&[byte]),
            Unit::Opaque(opaque) => level.current.push(Node::Opaque(opaque)),
        }
    }
    level.current
}

/// Returns for each unit whether it is an open brace that closes. Of too many open ones the inner close.
fn closing<O>(units: &[Unit<O>]) -> Vec<bool> {
    let mut closes = vec![false; units.len()];
    let mut open = Vec::new();
    for (at, unit) in units.iter().enumerate() {
        match unit {
            // `{}` is text wherever it stands.
            Unit::Byte(b'{') => open.push(at),
            Unit::Byte(b'}') => {
                if let Some(slot) = open.pop().and_then(|start| closes.get_mut(start)) {
                    *slot = true;
                }
            }
            _ => {}
        }
    }
    closes
}
