//! The compiled pattern, and which of the matchers runs it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    Error, Options, Syntax,
    automata::{Automata, Span},
    backtrack::Program,
    parse, perl, translate,
    tree::{self, Node, Place},
};

/// A compiled pattern or set of patterns. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Regex(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    engine: Engine,
    groups: usize,
    warnings: Vec<String>,
    gave_up: AtomicBool,
}

#[derive(Debug)]
enum Engine {
    Automata {
        automata: Automata,
        stays_in_line: bool,
    },
    /// The automata find where a match may begin, the program whether one does.
    Backtracking {
        candidates: Automata,
        program: Program,
    },
    Perl(Box<fancy_regex::Regex>),
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with the pattern, or that it needs too much memory.
    pub fn new(pattern: &[u8], syntax: Syntax, options: &Options) -> Result<Self, Error> {
        Self::new_set(&[pattern.to_vec()], syntax, options)
    }

    /// Compiles patterns of which any may match. Of no patterns none matches.
    ///
    /// # Errors
    /// What is wrong with the first bad pattern, or that all need too much memory.
    pub fn new_set(patterns: &[Vec<u8>], syntax: Syntax, options: &Options) -> Result<Self, Error> {
        let mut warnings = Vec::new();
        let (engine, groups) = match syntax {
            Syntax::Perl => perl(patterns, options)?,
            _ => posix(patterns, syntax, options, &mut warnings)?,
        };
        Ok(Self(Arc::new(Compiled {
            engine,
            groups,
            warnings,
            gave_up: AtomicBool::new(false),
        })))
    }

    /// Returns whether the text holds a match.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        match &self.0.engine {
            Engine::Automata { automata, .. } => automata.is_match(text, 0),
            Engine::Backtracking { .. } => self.backtrack(text, 0, true).is_some(),
            Engine::Perl(regex) => self.result(regex.is_match(text)).unwrap_or_default(),
        }
    }

    /// Returns the first match that begins at `start` or later: the longest for `Basic`, `Extended` and `Fixed`, the
    /// preferred one for `Perl`. What stands before `start` counts for `^`, `\b` and the like.
    #[must_use]
    pub fn find_at(&self, text: &[u8], start: usize) -> Option<(usize, usize)> {
        match &self.0.engine {
            Engine::Automata { automata, .. } => automata.find(text, start),
            Engine::Backtracking { .. } => self
                .backtrack(text, start, false)?
                .first()
                .copied()
                .flatten(),
            Engine::Perl(regex) => {
                let found = self.result(regex.find_from_pos(text, start)).flatten()?;
                Some((found.start(), found.end()))
            }
        }
    }

    /// Returns whether a text of many lines can be searched at once, because every match is within one line. Asks for
    /// `multi_line` and `line_terminator`.
    #[must_use]
    pub fn stays_in_line(&self) -> bool {
        match &self.0.engine {
            Engine::Automata { stays_in_line, .. } => *stays_in_line,
            Engine::Backtracking { .. } => true,
            Engine::Perl(_) => false,
        }
    }

    /// Returns a place of some match that begins at `start` or later, its start or its end: enough to know the line
    /// that holds it, and faster than `find_at`.
    #[must_use]
    pub fn find_place(&self, text: &[u8], start: usize) -> Option<usize> {
        match &self.0.engine {
            Engine::Automata { automata, .. } => automata.place(text, start),
            Engine::Backtracking { .. } => {
                let found = self.backtrack(text, start, true)?;
                found.first().copied().flatten().map(|(start, _)| start)
            }
            Engine::Perl(_) => self.find_at(text, start).map(|(start, _)| start),
        }
    }

    /// Returns the groups of the match that `find_at` gives; the first is the whole match.
    #[must_use]
    pub fn captures_at(&self, text: &[u8], start: usize) -> Option<Vec<Option<(usize, usize)>>> {
        let mut groups = Vec::new();
        self.captures_into(text, start, &mut groups)
            .then_some(groups)
    }

    /// As `captures_at`, but into a list that is used again. Returns whether there is a match.
    pub fn captures_into(
        &self,
        text: &[u8],
        start: usize,
        groups: &mut Vec<Option<(usize, usize)>>,
    ) -> bool {
        groups.clear();
        match &self.0.engine {
            Engine::Automata { automata, .. } => automata.captures(text, start, groups),
            Engine::Backtracking { .. } => match self.backtrack(text, start, false) {
                Some(found) => {
                    *groups = found;
                    true
                }
                None => false,
            },
            Engine::Perl(regex) => {
                let found = self.result(regex.captures_from_pos(text, start)).flatten();
                let Some(captures) = found else {
                    return false;
                };
                groups.extend((0..captures.len()).map(|group| {
                    let group = captures.get(group)?;
                    Some((group.start(), group.end()))
                }));
                true
            }
        }
    }

    /// Returns the number of groups, without the whole match.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.0.groups
    }

    /// Returns what GNU grep warns of when it reads the pattern.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// Returns whether some search of a Perl pattern was given up because it would have taken too long. Its answer
    /// then was that there is no match, which may be wrong.
    #[must_use]
    pub fn gave_up(&self) -> bool {
        self.0.gave_up.load(Ordering::Relaxed)
    }

    fn result<T>(&self, result: Result<T, fancy_regex::Error>) -> Option<T> {
        if result.is_err() {
            self.0.gave_up.store(true, Ordering::Relaxed);
        }
        result.ok()
    }

    fn backtrack(&self, text: &[u8], mut start: usize, any: bool) -> Option<Vec<Option<Span>>> {
        let Engine::Backtracking {
            candidates,
            program,
        } = &self.0.engine
        else {
            return None;
        };
        loop {
            let (candidate, _) = candidates.find(text, start)?;
            if let Some(slots) = program.run(text, candidate, any) {
                return Some(
                    slots
                        .chunks(2)
                        .map(|pair| match pair {
                            [Some(start), Some(end)] => Some((*start, *end)),
                            _ => None,
                        })
                        .collect(),
                );
            }
            start = candidate + 1;
        }
    }
}

fn posix(
    patterns: &[Vec<u8>],
    syntax: Syntax,
    options: &Options,
    warnings: &mut Vec<String>,
) -> Result<(Engine, usize), Error> {
    let mut groups = 0;
    let mut nodes = Vec::with_capacity(patterns.len());
    for pattern in patterns {
        if syntax == Syntax::Fixed {
            let units = tree::units(pattern, options.utf8).into_iter();
            nodes.push(Node::Concat(
                units.map(|unit| parse::literal(unit, options)).collect(),
            ));
            continue;
        }
        let extended = syntax == Syntax::Extended;
        let parsed = parse::parse(pattern, extended, options, &mut groups)?;
        warnings.extend(parsed.warnings);
        match parsed.node {
            Node::Alternate(branches) => nodes.extend(branches),
            node => nodes.push(node),
        }
    }
    let node = match nodes.len() {
        1 => nodes.pop().unwrap_or(Node::Empty),
        _ => Node::Alternate(nodes).longest_first(),
    };
    let node = enclose(node, options);
    let line_terminator = options.line_terminator.unwrap_or(b'\n');
    let hir = translate::translate(&node, &node, options);
    if node.has_back_reference() {
        // The copies that stand for references change which match is preferred, but not where one may begin.
        return Ok((
            Engine::Backtracking {
                candidates: Automata::new(&hir, true, line_terminator, 0)?,
                program: Program::new(&node, groups, options)?,
            },
            groups,
        ));
    }
    let automata = Automata::new(&hir, node.prefers_longest(), line_terminator, groups)?;
    let stays_in_line = options.line_terminator.is_some();
    Ok((
        Engine::Automata {
            automata,
            stays_in_line,
        },
        groups,
    ))
}

/// Ties a pattern to the ends of words or lines.
fn enclose(node: Node, options: &Options) -> Node {
    let (before, after) = match (options.whole_line, options.whole_word) {
        (true, _) if options.multi_line => (Place::LineStart, Place::LineEnd),
        (true, _) => (Place::TextStart, Place::TextEnd),
        (false, true) => (Place::NoWordBefore, Place::NoWordAfter),
        (false, false) => return node,
    };
    Node::Concat(vec![Node::Look(before), node, Node::Look(after)])
}

fn perl(patterns: &[Vec<u8>], options: &Options) -> Result<(Engine, usize), Error> {
    let translated = perl::translate(patterns, options)?;
    if !translated.needs_backtracking {
        let hir = perl::parse(&translated.pattern, options)?;
        let groups = hir.properties().explicit_captures_len();
        let line_terminator = options.line_terminator.unwrap_or(b'\n');
        let automata = Automata::new(&hir, true, line_terminator, groups)?;
        let stays_in_line = options
            .line_terminator
            .is_some_and(|byte| perl::stays_in_line(&hir, byte));
        return Ok((
            Engine::Automata {
                automata,
                stays_in_line,
            },
            groups,
        ));
    }
    let regex = perl::backtracking(&translated.pattern, options)?;
    let groups = regex.captures_len().saturating_sub(1);
    Ok((Engine::Perl(Box::new(regex)), groups))
}
