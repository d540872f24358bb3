//! The matcher of patterns with back-references, which no automaton can express.
//!
//! It tries all ways in the order a greedy search prefers and keeps the first of the longest matches. A way that
//! comes to a place where another was before, with the same text in the groups that references ask for, is not gone
//! again; that also ends loops over nothing.

use std::collections::HashSet;

use regex_syntax::hir::Class;
use smallvec::SmallVec;

use crate::{
    Error, Options, class,
    tree::{Node, Place, Unit},
};

/// Instructions of one program. Repetitions with bounds are written out, so a pattern can ask for many.
const PROGRAM_LENGTH_MAX: usize = 200_000;
/// Places remembered as visited. Beyond that the memory begins anew, which costs time but no match.
const VISITED_MAX: usize = 2_000_000;

#[derive(Debug)]
enum Step {
    Unit(Unit),
    Class(Class),
    Look(Place),
    Save(usize),
    Back(usize),
    /// Goes on at the first place, and if that fails at the second.
    Split(usize, usize),
    Jump(usize),
    Match,
}

/// A pattern compiled for backtracking.
#[derive(Debug)]
pub(crate) struct Program {
    steps: Vec<Step>,
    /// The groups that back-references name.
    referred: Vec<usize>,
    slots: usize,
    options: Options,
}

/// The places where groups begin and end.
pub(crate) type Slots = Vec<Option<usize>>;

type Visit = SmallVec<[usize; 4]>;

impl Program {
    pub(crate) fn new(node: &Node, groups: usize, options: &Options) -> Result<Self, Error> {
        let mut program = Self {
            steps: Vec::new(),
            referred: Vec::new(),
            slots: (groups + 1) * 2,
            options: options.clone(),
        };
        program.compile(node)?;
        program.push(Step::Match)?;
        program.referred.sort_unstable();
        program.referred.dedup();
        Ok(program)
    }

    fn push(&mut self, step: Step) -> Result<usize, Error> {
        if self.steps.len() >= PROGRAM_LENGTH_MAX {
            return Err(Error::TooBig);
        }
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }

    fn set(&mut self, at: usize, step: Step) {
        if let Some(place) = self.steps.get_mut(at) {
            *place = step;
        }
    }

    fn compile(&mut self, node: &Node) -> Result<(), Error> {
        match node {
            Node::Empty => {}
            Node::Unit(unit) => drop(self.push(Step::Unit(*unit))?),
            Node::Class(class) => drop(self.push(Step::Class(class.clone()))?),
            Node::Look(place) => drop(self.push(Step::Look(*place))?),
            Node::Back(group) => {
                self.referred.push(*group);
                self.push(Step::Back(*group))?;
            }
            Node::Group(group, node) => {
                self.push(Step::Save(group * 2))?;
                self.compile(node)?;
                self.push(Step::Save(group * 2 + 1))?;
            }
            Node::Concat(nodes) => nodes.iter().try_for_each(|node| self.compile(node))?,
            Node::Alternate(nodes) => self.alternate(nodes)?,
            Node::Repeat { node, min, max } => self.repeat(node, *min, *max)?,
        }
        Ok(())
    }

    fn alternate(&mut self, nodes: &[Node]) -> Result<(), Error> {
        let mut jumps = Vec::new();
        let Some((last, others)) = nodes.split_last() else {
            return Ok(());
        };
        for node in others {
            let split = self.push(Step::Jump(0))?;
            self.compile(node)?;
            jumps.push(self.push(Step::Jump(0))?);
            self.set(split, Step::Split(split + 1, self.steps.len()));
        }
        self.compile(last)?;
        let end = self.steps.len();
        for jump in jumps {
            self.set(jump, Step::Jump(end));
        }
        Ok(())
    }

    fn repeat(&mut self, node: &Node, min: u32, max: Option<u32>) -> Result<(), Error> {
        for _ in 0..min {
            self.compile(node)?;
        }
        let Some(max) = max else {
            let split = self.push(Step::Jump(0))?;
            self.compile(node)?;
            self.push(Step::Jump(split))?;
            self.set(split, Step::Split(split + 1, self.steps.len()));
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.push(Step::Jump(0))?);
            self.compile(node)?;
        }
        let end = self.steps.len();
        for split in splits {
            self.set(split, Step::Split(split + 1, end));
        }
        Ok(())
    }

    /// Returns the groups of the longest match that begins exactly at `start`, or of any match if the length does
    /// not matter.
    pub(crate) fn run(&self, text: &[u8], start: usize, any: bool) -> Option<Slots> {
        let mut best: Option<Slots> = None;
        let mut visited: HashSet<Visit> = HashSet::new();
        let mut stack: Vec<(usize, usize, Slots)> = vec![(0, start, vec![None; self.slots])];
        while let Some((mut step, mut at, mut slots)) = stack.pop() {
            loop {
                match self.steps.get(step) {
                    Some(Step::Split(first, second)) => {
                        if visited.len() >= VISITED_MAX {
                            visited.clear();
                        }
                        if !visited.insert(self.visit(step, at, &slots)) {
                            break;
                        }
                        stack.push((*second, at, slots.clone()));
                        step = *first;
                        continue;
                    }
                    Some(Step::Jump(to)) => {
                        step = *to;
                        continue;
                    }
                    Some(Step::Save(slot)) => {
                        if let Some(place) = slots.get_mut(*slot) {
                            *place = Some(at);
                        }
                    }
                    Some(Step::Match) | None => {
                        let longest = best.as_ref().and_then(|best| best.get(1).copied()?);
                        if longest.is_none_or(|end| at > end) {
                            if let [first, second, ..] = slots.as_mut_slice() {
                                (*first, *second) = (Some(start), Some(at));
                            }
                            best = Some(slots);
                        }
                        break;
                    }
                    Some(test) => match self.test(test, text, at, &slots) {
                        Some(length) => at += length,
                        None => break,
                    },
                }
                step += 1;
            }
            let is_done = best.as_ref().and_then(|best| best.get(1).copied()?) == Some(text.len());
            if is_done || (any && best.is_some()) {
                break;
            }
        }
        best
    }

    fn visit(&self, step: usize, at: usize, slots: &Slots) -> Visit {
        let mut visit = Visit::new();
        visit.push(step);
        visit.push(at);
        for group in &self.referred {
            for slot in [group * 2, group * 2 + 1] {
                visit.push(slots.get(slot).copied().flatten().map_or(0, |at| at + 1));
            }
        }
        visit
    }

    /// Returns the length of what a step that looks at the text matches.
    fn test(&self, step: &Step, text: &[u8], at: usize, slots: &Slots) -> Option<usize> {
        let rest = text.get(at..)?;
        match step {
            Step::Unit(Unit::Byte(byte)) => (rest.first() == Some(byte)).then_some(1),
            Step::Unit(Unit::Char(char)) => {
                let mut buffer = [0; 4];
                let bytes = char.encode_utf8(&mut buffer).as_bytes();
                rest.starts_with(bytes).then_some(bytes.len())
            }
            Step::Class(Class::Bytes(class)) => {
                let byte = *rest.first()?;
                let is_in = |range: &regex_syntax::hir::ClassBytesRange| {
                    (range.start()..=range.end()).contains(&byte)
                };
                class.iter().any(is_in).then_some(1)
            }
            Step::Class(Class::Unicode(class)) => {
                let (char, length) = bstr::decode_utf8(rest);
                class::holds(class, char?).then_some(length)
            }
            Step::Look(place) => self.is_at(*place, text, at).then_some(0),
            Step::Back(group) => {
                let start = slots.get(group * 2).copied()??;
                let end = slots.get(group * 2 + 1).copied()??;
                self.again(text.get(start..end)?, rest)
            }
            _ => None,
        }
    }

    /// Returns how much of the text says again what a group has.
    fn again(&self, group: &[u8], rest: &[u8]) -> Option<usize> {
        if rest.starts_with(group) {
            return Some(group.len());
        }
        if !self.options.ignore_case {
            return None;
        }
        if !self.options.utf8 {
            let same = rest.get(..group.len())?.eq_ignore_ascii_case(group);
            return same.then_some(group.len());
        }
        let (mut left, mut right) = (group, rest);
        while !left.is_empty() {
            let (one, one_length) = bstr::decode_utf8(left);
            let (other, other_length) = bstr::decode_utf8(right);
            let is_same = match (one, other) {
                (Some(one), Some(other)) => {
                    one.to_lowercase().eq(other.to_lowercase())
                        || one.to_uppercase().eq(other.to_uppercase())
                }
                _ => !right.is_empty() && left.first() == right.first(),
            };
            if !is_same {
                return None;
            }
            left = left.get(one_length..)?;
            right = right.get(other_length..)?;
        }
        Some(rest.len() - right.len())
    }

    fn is_at(&self, place: Place, text: &[u8], at: usize) -> bool {
        let (before, after) = text.split_at_checked(at).unwrap_or((text, &[]));
        let word = |char: Option<char>, byte: Option<&u8>| match self.options.utf8 {
            true => char.is_some_and(|char| char.is_alphanumeric() || char == '_'),
            false => byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'),
        };
        let word_before = || word(bstr::decode_last_utf8(before).0, before.last());
        let word_after = || word(bstr::decode_utf8(after).0, after.first());
        let line_end = self.options.line_terminator.unwrap_or(b'\n');
        match place {
            Place::TextStart => before.is_empty(),
            Place::TextEnd => after.is_empty(),
            Place::LineStart => before.last().is_none_or(|byte| *byte == line_end),
            Place::LineEnd => after.first().is_none_or(|byte| *byte == line_end),
            Place::WordBoundary => word_before() != word_after(),
            Place::NotWordBoundary => word_before() == word_after(),
            Place::WordStart => !word_before() && word_after(),
            Place::WordEnd => word_before() && !word_after(),
            Place::NoWordBefore => !word_before(),
            Place::NoWordAfter => !word_after(),
        }
    }
}
