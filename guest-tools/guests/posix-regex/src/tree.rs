//! A POSIX pattern as a tree, before it becomes an automaton or a program of the backtracking matcher.

use regex_syntax::hir::Class;

/// A piece of a pattern.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Empty,
    /// One character of the text, or one byte where characters are bytes or the byte is no UTF-8.
    Unit(Unit),
    /// One character out of a set. The set is final: case and forbidden bytes are in it.
    Class(Class),
    Look(Place),
    /// A group that captures, by its number from 1.
    Group(usize, Box<Node>),
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
    },
    /// What the group of this number matched, again.
    Back(usize),
}

/// A character, or a byte that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Char(char),
    Byte(u8),
}

/// A place that a match can be tied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    WordBoundary,
    NotWordBoundary,
    WordStart,
    WordEnd,
    /// No word character before.
    NoWordBefore,
    /// No word character after.
    NoWordAfter,
}

/// Splits a pattern into its units.
pub(crate) fn units(pattern: &[u8], utf8: bool) -> Vec<Unit> {
    let byte = |byte: &u8| match byte.is_ascii() {
        true => Unit::Char(char::from(*byte)),
        false => Unit::Byte(*byte),
    };
    if !utf8 {
        return pattern.iter().map(byte).collect();
    }
    let mut units = Vec::with_capacity(pattern.len());
    for chunk in pattern.utf8_chunks() {
        units.extend(chunk.valid().chars().map(Unit::Char));
        units.extend(chunk.invalid().iter().map(byte));
    }
    units
}

impl Node {
    /// Returns how many characters every match of the node has, if that is always the same number.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Empty | Self::Look(_) => Some(0),
            Self::Unit(_) | Self::Class(_) => Some(1),
            Self::Group(_, node) => node.length(),
            Self::Concat(nodes) => nodes
                .iter()
                .try_fold(0_u64, |sum, node| sum.checked_add(node.length()?)),
            Self::Alternate(nodes) => {
                let mut lengths = nodes.iter().map(Self::length);
                let first = lengths.next()??;
                lengths.all(|length| length == Some(first)).then_some(first)
            }
            Self::Repeat { node, min, max } => {
                let length = node.length()?;
                match *max == Some(*min) || length == 0 {
                    true => length.checked_mul(u64::from(*min)),
                    false => None,
                }
            }
            Self::Back(_) => None,
        }
    }

    /// Returns whether the match that a greedy search prefers is always the longest one from its place.
    pub(crate) fn prefers_longest(&self) -> bool {
        if self.length().is_some() {
            return true;
        }
        match self {
            Self::Group(_, node) => node.prefers_longest(),
            Self::Repeat { node, .. } => node.length().is_some(),
            Self::Concat(nodes) => {
                let mut varied = nodes.iter().filter(|node| node.length().is_none());
                match (varied.next(), varied.next()) {
                    (Some(node), None) => node.prefers_longest(),
                    (varied, _) => varied.is_none(),
                }
            }
            // Alternatives of fixed lengths, the longer ones first.
            Self::Alternate(nodes) => {
                let mut last = u64::MAX;
                nodes.iter().all(|node| match node.length() {
                    Some(length) => std::mem::replace(&mut last, length) >= length,
                    None => false,
                })
            }
            _ => false,
        }
    }

    /// Puts alternatives of fixed lengths in the order of falling length, which a greedy search then prefers.
    pub(crate) fn longest_first(self) -> Self {
        match self {
            Self::Alternate(mut nodes)
                if nodes
                    .iter()
                    .all(|node| node.length().is_some() && !node.has_group()) =>
            {
                nodes.sort_by_key(|node| std::cmp::Reverse(node.length()));
                Self::Alternate(nodes)
            }
            node => node,
        }
    }

    fn has_group(&self) -> bool {
        match self {
            Self::Group(..) => true,
            Self::Concat(nodes) | Self::Alternate(nodes) => nodes.iter().any(Self::has_group),
            Self::Repeat { node, .. } => node.has_group(),
            _ => false,
        }
    }

    /// Returns whether there is a back-reference.
    pub(crate) fn has_back_reference(&self) -> bool {
        match self {
            Self::Back(_) => true,
            Self::Concat(nodes) | Self::Alternate(nodes) => {
                nodes.iter().any(Self::has_back_reference)
            }
            Self::Repeat { node, .. } | Self::Group(_, node) => node.has_back_reference(),
            _ => false,
        }
    }

    /// Returns the inside of the group of a number.
    pub(crate) fn group(&self, number: usize) -> Option<&Self> {
        match self {
            Self::Group(own, node) if *own == number => Some(node),
            Self::Concat(nodes) | Self::Alternate(nodes) => {
                nodes.iter().find_map(|node| node.group(number))
            }
            Self::Repeat { node, .. } | Self::Group(_, node) => node.group(number),
            _ => None,
        }
    }
}
