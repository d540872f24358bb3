//! Matching by sets of positions: from where a match may start to where it may end, or the other way round.
//!
//! Each node maps a set to a set, so the work is bounded by nodes times positions whatever the pattern;
//! `!(...)` alone looks at each start for itself. Positions are byte offsets at the edges of characters.

use super::{Group, Node, length_of_match};
use crate::characters;

/// Positions in a text.
#[derive(Debug, Clone)]
pub(super) enum Positions {
    /// Every edge at or after this one.
    From(usize),
    /// Every edge at or before this one.
    UpTo(usize),
    /// Just these, ascending.
    Listed(Vec<usize>),
}

/// Which way a match is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// One match under way.
pub(super) struct Matcher<'a> {
    pub(super) text: &'a [u8],
    pub(super) direction: Direction,
    /// Whether a dot at the start of the text is matched by a literal dot alone.
    pub(super) is_dot_special: bool,
}

impl Positions {
    pub(super) fn is_empty(&self, text: &[u8]) -> bool {
        self.first(text).is_none()
    }

    pub(super) fn first(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::From(from) => (*from <= text.len()).then_some(*from),
            Self::UpTo(_) => Some(0),
            Self::Listed(list) => list.first().copied(),
        }
    }

    pub(super) fn last(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::From(from) => (*from <= text.len()).then_some(text.len()),
            Self::UpTo(to) => Some(*to),
            Self::Listed(list) => list.last().copied(),
        }
    }

    pub(super) fn contains(&self, position: usize) -> bool {
        match self {
            Self::From(from) => position >= *from,
            Self::UpTo(to) => position <= *to,
            Self::Listed(list) => list.binary_search(&position).is_ok(),
        }
    }

    fn list(&self, text: &[u8]) -> Vec<usize> {
        match self {
            Self::From(from) => edges(text, *from, text.len()),
            Self::UpTo(to) => edges(text, 0, *to),
            Self::Listed(list) => list.clone(),
        }
    }

    fn union(self, other: Self, text: &[u8]) -> Self {
        match (self, other) {
            (Self::From(one), Self::From(two)) => Self::From(one.min(two)),
            (Self::UpTo(one), Self::UpTo(two)) => Self::UpTo(one.max(two)),
            (one, two) => {
                let mut list = one.list(text);
                list.extend(two.list(text));
                list.sort_unstable();
                list.dedup();
                Self::Listed(list)
            }
        }
    }
}

/// Returns the edges of characters from `from` to `to`, both included.
fn edges(text: &[u8], from: usize, to: usize) -> Vec<usize> {
    let mut list = Vec::new();
    let mut at = from;
    while at <= to {
        list.push(at);
        let length = text.get(at..).map_or(0, characters::length_of_first);
        if length == 0 {
            break;
        }
        at += length;
    }
    list
}

impl Matcher<'_> {
    /// Follows `nodes` in the matcher's direction.
    pub(super) fn sequence(&self, nodes: &[Node], positions: Positions) -> Positions {
        let mut positions = positions;
        let mut step = |node: &Node| {
            let start = std::mem::replace(&mut positions, Positions::Listed(Vec::new()));
            positions = self.node(node, start);
            !positions.is_empty(self.text)
        };
        match self.direction {
            Direction::Forward => nodes.iter().all(&mut step),
            Direction::Backward => nodes.iter().rev().all(&mut step),
        };
        positions
    }

    fn node(&self, node: &Node, positions: Positions) -> Positions {
        match node {
            Node::Star => self.star(&positions),
            Node::Literal(literal) => self.literal(literal, &positions),
            Node::Group(kind, alternatives) => self.group(*kind, alternatives, positions),
            Node::Folded { .. } | Node::Any | Node::Set(_) => {
                let list = positions.list(self.text).into_iter();
                let is_shut =
                    |start: usize| matches!(node, Node::Any | Node::Set(_)) && self.is_shut(start);
                Positions::Listed(match self.direction {
                    Direction::Forward => list
                        .filter(|start| !is_shut(*start))
                        .filter_map(|start| {
                            Some(start + length_of_match(node, self.text.get(start..)?)?)
                        })
                        .collect(),
                    Direction::Backward => list
                        .filter_map(|end| {
                            let start = self.previous(end)?;
                            let length = length_of_match(node, self.text.get(start..end)?)?;
                            (start + length == end && !is_shut(start)).then_some(start)
                        })
                        .collect(),
                })
            }
        }
    }

    /// Returns whether the character at `start` is the leading dot that no wildcard may take.
    fn is_shut(&self, start: usize) -> bool {
        self.is_dot_special && start == 0 && self.text.first() == Some(&b'.')
    }

    /// Returns the edge before `end`.
    fn previous(&self, end: usize) -> Option<usize> {
        let before = self.text.get(..end)?;
        if before.last()?.is_ascii() {
            return Some(end - 1);
        }
        match bstr::decode_last_utf8(before) {
            (Some(_), length) => Some(end - length),
            (None, _) => Some(end - 1),
        }
    }

    fn star(&self, positions: &Positions) -> Positions {
        match self.direction {
            Direction::Forward => match positions.first(self.text) {
                Some(first) if self.is_shut(first) => positions.clone(),
                Some(first) => Positions::From(first),
                None => Positions::Listed(Vec::new()),
            },
            Direction::Backward => match positions.last(self.text) {
                Some(last) => Positions::UpTo(last),
                None => Positions::Listed(Vec::new()),
            },
        }
    }

    fn literal(&self, literal: &[u8], positions: &Positions) -> Positions {
        let length = literal.len();
        let is_here = |start: usize| {
            self.text
                .get(start..)
                .is_some_and(|rest| rest.starts_with(literal))
        };
        Positions::Listed(match (self.direction, positions) {
            (Direction::Forward, Positions::From(from)) => self
                .occurrences(literal, *from, self.text.len())
                .map(|at| at + length)
                .collect(),
            (Direction::Backward, Positions::UpTo(to)) => {
                self.occurrences(literal, 0, *to).collect()
            }
            (Direction::Forward, other) => other
                .list(self.text)
                .into_iter()
                .filter(|start| is_here(*start))
                .map(|start| start + length)
                .collect(),
            (Direction::Backward, other) => other
                .list(self.text)
                .into_iter()
                .filter_map(|end| end.checked_sub(length))
                .filter(|start| is_here(*start))
                .collect(),
        })
    }

    /// Finds every place of `literal` between `from` and `to`, overlapping ones too.
    fn occurrences<'t>(
        &'t self,
        literal: &'t [u8],
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = usize> + 't {
        let finder = memchr::memmem::Finder::new(literal);
        let text = self.text.get(..to).unwrap_or_default();
        let mut next = from;
        std::iter::from_fn(move || {
            let rest = text.get(next..)?;
            let at = next + finder.find(rest)?;
            next = at + 1;
            Some(at)
        })
    }

    fn group(&self, kind: Group, alternatives: &[Vec<Node>], positions: Positions) -> Positions {
        match kind {
            Group::Once => self.any_of(alternatives, &positions),
            Group::Optional => self
                .any_of(alternatives, &positions)
                .union(positions, self.text),
            Group::OnceOrMore => self.closure(alternatives, self.any_of(alternatives, &positions)),
            Group::Repeated => self.closure(alternatives, positions),
            Group::Not => {
                let starts = positions.list(self.text).into_iter();
                let found = starts.flat_map(|start| self.all_but(alternatives, start));
                let mut list: Vec<usize> = found.collect();
                list.sort_unstable();
                list.dedup();
                Positions::Listed(list)
            }
        }
    }

    fn any_of(&self, alternatives: &[Vec<Node>], positions: &Positions) -> Positions {
        alternatives
            .iter()
            .fold(Positions::Listed(Vec::new()), |found, nodes| {
                found.union(self.sequence(nodes, positions.clone()), self.text)
            })
    }

    /// Adds what more rounds of `alternatives` reach.
    fn closure(&self, alternatives: &[Vec<Node>], positions: Positions) -> Positions {
        let mut reached = positions.list(self.text);
        let mut fresh = reached.clone();
        while !fresh.is_empty() {
            let next = self
                .any_of(alternatives, &Positions::Listed(fresh))
                .list(self.text);
            fresh = next
                .into_iter()
                .filter(|position| reached.binary_search(position).is_err())
                .collect();
            reached.extend_from_slice(&fresh);
            reached.sort_unstable();
        }
        Positions::Listed(reached)
    }

    /// Returns where text that no alternative matches leads from `start`.
    fn all_but(&self, alternatives: &[Vec<Node>], start: usize) -> Vec<usize> {
        let taken = self.any_of(alternatives, &Positions::Listed(vec![start]));
        let all = match self.direction {
            Direction::Forward if self.is_shut(start) => vec![start],
            Direction::Forward => edges(self.text, start, self.text.len()),
            Direction::Backward => edges(self.text, 0, start),
        };
        all.into_iter()
            .filter(|position| !taken.contains(*position))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_those_of_characters() {
        assert_eq!(edges("aé\u{ff}".as_bytes(), 0, 5), [0, 1, 3, 5]);
        assert_eq!(edges(b"\xffa", 0, 2), [0, 1, 2]);
    }
}
