//! Shell patterns: `*`, `?`, `[...]`, and with extglob `?(` `*(` `+(` `@(` `!(`.
//!
//! A pattern is compiled once from pieces that are quoted (literal) or active. Matching never blows up:
//! plain patterns backtrack to the last star alone, extended ones compute sets of positions.

mod compile;
mod positions;
mod replace;
mod set;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bstr::{BString, ByteSlice};

use crate::characters;
use positions::{Direction, Matcher, Positions};
pub use replace::{Replace, write_replacement};
use set::Set;

/// A run of pattern text that is either quoted, hence literal, or active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The text; in an active piece a backslash quotes the next character.
    pub text: &'a [u8],
    /// Whether every byte stands for itself.
    pub is_quoted: bool,
}

/// How a pattern is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// Whether the extended groups are active (`shopt -s extglob`; always on inside `[[ == ]]`).
    pub extglob: bool,
    /// Whether letters match both cases (`nocasematch`, `nocaseglob`).
    pub ignore_case: bool,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    nodes: Vec<Node>,
    /// The text that alone matches, when nothing is active.
    literal: Option<BString>,
    /// Whether there are extended groups, which need sets of positions.
    has_groups: bool,
}

/// One element of a compiled pattern.
#[derive(Debug, Clone)]
enum Node {
    /// These bytes, never empty.
    Literal(Vec<u8>),
    /// A character in either case.
    Folded { lower: char, upper: char },
    /// `?`.
    Any,
    /// `*`.
    Star,
    /// `[...]`.
    Set(Box<Set>),
    /// An extended group.
    Group(Group, Vec<Vec<Node>>),
}

/// How often an extended group matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// `?(`.
    Optional,
    /// `*(`.
    Repeated,
    /// `+(`.
    OnceOrMore,
    /// `@(`.
    Once,
    /// `!(`: any text that none of the alternatives matches.
    Not,
}

impl Pattern {
    /// Compiles `pieces`, which are read as one text. Never fails: what is no valid pattern is literal.
    pub fn compile(pieces: &[Piece<'_>], options: Options) -> Self {
        let nodes = compile::nodes(pieces, options);
        let literal = match nodes.as_slice() {
            [] => Some(BString::default()),
            [Node::Literal(text)] => Some(BString::from(text.as_slice())),
            _ => None,
        };
        let has_groups = nodes.iter().any(|node| matches!(node, Node::Group(..)));
        Self {
            nodes,
            literal,
            has_groups,
        }
    }

    /// Compiles active text (backslash quotes), for the value of a variable such as GLOBIGNORE.
    pub fn from_text(text: &[u8], options: Options) -> Self {
        Self::compile(
            &[Piece {
                text,
                is_quoted: false,
            }],
            options,
        )
    }

    /// Returns the text that alone matches, when the pattern has no active part.
    pub fn as_literal(&self) -> Option<&[u8]> {
        self.literal.as_ref().map(|text| text.as_slice())
    }

    /// Returns whether all of `text` matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        match &self.literal {
            Some(literal) => literal == text,
            None if self.has_groups => self.ends(text, 0, false).contains(text.len()),
            None => matches_plain(&self.nodes, text),
        }
    }

    /// Returns whether a file name matches, where a leading dot must be matched by a dot.
    pub fn matches_name(&self, name: &[u8], is_dot_special: bool) -> bool {
        if !is_dot_special || name.first() != Some(&b'.') {
            return self.matches(name);
        }
        self.ends(name, 0, true).contains(name.len())
    }

    /// Returns the length of the shortest matching prefix: `${x#pattern}` removes that many bytes.
    pub fn shortest_prefix(&self, text: &[u8]) -> Option<usize> {
        match self.nodes.as_slice() {
            [Node::Star, Node::Literal(literal)] => Some(text.find(literal)? + literal.len()),
            [Node::Literal(literal), Node::Star] => {
                text.starts_with(literal).then_some(literal.len())
            }
            _ => self.ends(text, 0, false).first(text),
        }
    }

    /// Returns the length of the longest matching prefix: `${x##pattern}`.
    pub fn longest_prefix(&self, text: &[u8]) -> Option<usize> {
        self.longest_at(text, 0)
    }

    /// Returns where the shortest matching suffix starts: `${x%pattern}` keeps that many bytes.
    pub fn shortest_suffix(&self, text: &[u8]) -> Option<usize> {
        match self.nodes.as_slice() {
            [Node::Literal(literal), Node::Star] => text.rfind(literal),
            _ => self.starts(text).last(text),
        }
    }

    /// Returns where the longest matching suffix starts: `${x%%pattern}`.
    pub fn longest_suffix(&self, text: &[u8]) -> Option<usize> {
        match self.nodes.as_slice() {
            [Node::Literal(literal), Node::Star] => text.find(literal),
            _ => self.starts(text).first(text),
        }
    }

    /// Returns the leftmost longest match at or after byte `from`.
    pub fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let rest = text.get(from..)?;
        if let Some(literal) = &self.literal {
            let start = from + rest.find(literal)?;
            return Some(start..start + literal.len());
        }
        if let [Node::Star, ..] = self.nodes.as_slice() {
            // A match that starts later starts here too.
            return self.longest_at(text, from).map(|end| from..end);
        }
        if self.nodes.iter().any(|node| matches!(node, Node::Star)) && !self.occurs(text, from) {
            return None;
        }
        let mut start = from;
        loop {
            if let Some(Node::Literal(literal)) = self.nodes.first() {
                start += text.get(start..)?.find(literal)?;
            }
            if let Some(end) = self.longest_at(text, start) {
                return Some(start..end);
            }
            let length = characters::length_of_first(text.get(start..)?);
            if length == 0 {
                return None;
            }
            start += length;
        }
    }

    /// Returns the end of the longest match that starts at byte `at`.
    pub fn longest_at(&self, text: &[u8], at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        match self.nodes.as_slice() {
            [] => Some(at),
            [Node::Literal(literal)] => rest.starts_with(literal).then(|| at + literal.len()),
            [Node::Literal(literal), Node::Star] => rest.starts_with(literal).then_some(text.len()),
            [Node::Star, Node::Literal(literal)] => Some(at + rest.rfind(literal)? + literal.len()),
            [Node::Set(set)] => set.length_at(rest).map(|length| at + length),
            _ => self.ends(text, at, false).last(text),
        }
    }

    /// Returns whether the pattern matches anywhere at or after `from`: one pass, where the search for the
    /// place would make a pass from each start.
    fn occurs(&self, text: &[u8], from: usize) -> bool {
        let matcher = Matcher {
            text,
            direction: Direction::Forward,
            is_dot_special: false,
        };
        !matcher
            .sequence(&self.nodes, Positions::From(from))
            .is_empty(text)
    }

    fn ends(&self, text: &[u8], at: usize, is_dot_special: bool) -> Positions {
        let matcher = Matcher {
            text,
            direction: Direction::Forward,
            is_dot_special,
        };
        matcher.sequence(&self.nodes, Positions::Listed(vec![at]))
    }

    fn starts(&self, text: &[u8]) -> Positions {
        let matcher = Matcher {
            text,
            direction: Direction::Backward,
            is_dot_special: false,
        };
        matcher.sequence(&self.nodes, Positions::Listed(vec![text.len()]))
    }
}

/// Matches a pattern without groups: after a mismatch only the last star takes one more character.
fn matches_plain(nodes: &[Node], text: &[u8]) -> bool {
    let (mut pattern, mut rest) = (nodes, text);
    let mut retry: Option<(&[Node], &[u8])> = None;
    loop {
        let step = match pattern.split_first() {
            None if rest.is_empty() => return true,
            None => None,
            Some((Node::Star, after)) => {
                match after.first() {
                    None => return true,
                    // Nothing but the end of the text can satisfy a last literal.
                    Some(Node::Literal(literal)) if after.len() == 1 => {
                        return rest.ends_with(literal);
                    }
                    Some(_) => {}
                }
                retry = Some((after, rest));
                pattern = after;
                continue;
            }
            Some((node, after)) => {
                length_of_match(node, rest).and_then(|length| Some((after, rest.get(length..)?)))
            }
        };
        match step {
            Some((after, left)) => (pattern, rest) = (after, left),
            None => {
                let Some((after, from)) = retry else {
                    return false;
                };
                let Some(next) = next_candidate(after, from) else {
                    return false;
                };
                retry = Some((after, next));
                (pattern, rest) = (after, next);
            }
        }
    }
}

/// Returns the next place after the first character of `from` where `nodes` may match.
fn next_candidate<'a>(nodes: &[Node], from: &'a [u8]) -> Option<&'a [u8]> {
    let length = characters::length_of_first(from);
    if length == 0 {
        return None;
    }
    let next = from.get(length..)?;
    match nodes.first() {
        Some(Node::Literal(literal)) => next.get(next.find(literal)?..),
        _ => Some(next),
    }
}

/// Returns how many bytes at the start of `text` a single node takes; groups and stars take none here.
fn length_of_match(node: &Node, text: &[u8]) -> Option<usize> {
    match node {
        Node::Literal(literal) => text.starts_with(literal).then_some(literal.len()),
        Node::Folded { lower, upper } => {
            let (character, length) = characters::first(text);
            character
                .filter(|character| character == lower || character == upper)
                .map(|_| length)
        }
        Node::Any => match characters::length_of_first(text) {
            0 => None,
            length => Some(length),
        },
        Node::Set(set) => set.length_at(text),
        Node::Star | Node::Group(..) => None,
    }
}

/// Returns whether active text holds a pattern character that asks for pathname expansion.
pub fn is_active(pieces: &[Piece<'_>], extglob: bool) -> bool {
    compile::is_active(pieces, extglob)
}

/// Returns active text that matches just `text`: pattern characters are backslash-quoted.
pub fn escape(text: &[u8]) -> BString {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        if b"*?[]\\!+@()|^-".contains(byte) {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    BString::from(escaped)
}
