//! The parser of GNU's basic and extended syntax.
//!
//! It follows glibc where the two books of rules, POSIX and GNU's manuals, leave things open, because the tools'
//! users have seen no other.

use regex_syntax::hir::ClassUnicode;

use crate::{
    Error, Options, bracket, class,
    lexer::{self, Token},
    tree::{Node, Place, Unit, units},
};

/// Groups within groups, beyond which the parser's own stack would be at risk.
const DEPTH_MAX: usize = 250;
/// POSIX's RE_DUP_MAX as glibc has it.
const REPEAT_MAX: u32 = 32767;

/// What a pattern was read to.
pub(crate) struct Parsed {
    pub(crate) node: Node,
    /// What GNU grep warns of.
    pub(crate) warnings: Vec<String>,
}

/// Reads a pattern. Groups are numbered from `groups` on, which counts on.
pub(crate) fn parse(
    pattern: &[u8],
    extended: bool,
    options: &Options,
    groups: &mut usize,
) -> Result<Parsed, Error> {
    let units = units(pattern, options.utf8);
    if let [
        Unit::Char('['),
        Unit::Char(':'),
        ..,
        Unit::Char(':'),
        Unit::Char(']'),
    ] = units.as_slice()
        && units.len() > 4
    {
        return Err(Error::ClassWithoutBrackets);
    }
    let mut parser = Parser {
        units: &units,
        at: 0,
        extended,
        options,
        before: *groups,
        groups,
        complete: Vec::new(),
        warnings: Vec::new(),
    };
    let node = parser.alternation(0)?;
    match parser.peek().0 {
        Token::End => Ok(Parsed {
            node,
            warnings: parser.warnings,
        }),
        _ => Err(Error::UnmatchedClose),
    }
}

struct Parser<'a> {
    units: &'a [Unit],
    at: usize,
    extended: bool,
    options: &'a Options,
    /// The groups of the patterns before this one.
    before: usize,
    groups: &'a mut usize,
    /// The groups that are closed, to which a back-reference may point.
    complete: Vec<usize>,
    warnings: Vec<String>,
}

impl Parser<'_> {
    fn peek(&self) -> (Token, usize) {
        lexer::token(self.units, self.at, self.extended)
    }

    fn alternation(&mut self, depth: usize) -> Result<Node, Error> {
        if depth > DEPTH_MAX {
            return Err(Error::TooBig);
        }
        let mut branches = vec![self.branch(depth)?];
        while let (Token::Bar, after) = self.peek() {
            self.at = after;
            branches.push(self.branch(depth)?);
        }
        Ok(match branches.len() {
            1 => branches.pop().unwrap_or(Node::Empty),
            _ => Node::Alternate(branches),
        })
    }

    fn branch(&mut self, depth: usize) -> Result<Node, Error> {
        let mut nodes: Vec<Node> = Vec::new();
        // Whether there is something that a repetition could apply to.
        let mut repeatable = false;
        let mut first = true;
        // Whether the repetition before was passed over, which is warned of once.
        let mut passed = false;
        loop {
            let (token, after) = self.peek();
            let node = match token {
                Token::End | Token::Bar => break,
                Token::Close if depth > 0 => break,
                Token::Close if !self.extended || self.options.unmatched_close_fails => {
                    return Err(Error::UnmatchedClose);
                }
                Token::Star | Token::Plus | Token::Question | Token::OpenBrace => {
                    let count = nodes.len();
                    let warned = self.warnings.len();
                    if let Some(node) = self.repetition(&mut nodes, repeatable)? {
                        nodes.push(node);
                        repeatable = true;
                    } else if !repeatable && nodes.len() == count {
                        if passed {
                            self.warnings.truncate(warned);
                        }
                        passed = true;
                    }
                    first = false;
                    continue;
                }
                _ => self.atom(token, after, first, depth)?,
            };
            passed = false;
            repeatable = !matches!(node, Node::Look(_));
            nodes.push(node);
            first = false;
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.pop().unwrap_or(Node::Empty),
            _ => Node::Concat(nodes),
        })
    }

    /// Reads what is no repetition.
    fn atom(
        &mut self,
        token: Token,
        after: usize,
        first: bool,
        depth: usize,
    ) -> Result<Node, Error> {
        let from = self.at;
        self.at = after;
        Ok(match token {
            Token::Unit(unit) => self.unit(unit),
            // Debian's grep does not warn of a `\` that means nothing.
            Token::Stray(unit) => self.unit(unit),
            Token::Any => Node::Class(class::any(self.options)),
            Token::Bracket => {
                let (node, after) = bracket::parse(self.units, after, self.options)?;
                self.at = after;
                node
            }
            Token::Caret if self.extended || first => Node::Look(self.line(Place::LineStart)),
            Token::Dollar if self.extended || self.ends_branch() => {
                Node::Look(self.line(Place::LineEnd))
            }
            Token::Word { negated } => self.set(class::word(self.options.utf8), negated),
            Token::Space { negated } => {
                let set = class::named("space", self.options.utf8);
                self.set(set.unwrap_or_else(ClassUnicode::empty), negated)
            }
            Token::Look(place) => Node::Look(match place {
                Place::TextStart if self.options.line_terminator.is_some() => Place::LineStart,
                Place::TextEnd if self.options.line_terminator.is_some() => Place::LineEnd,
                place => place,
            }),
            Token::Back(number) => {
                let group = self.before + number;
                match self.complete.contains(&group) {
                    true => Node::Back(group),
                    false => return Err(Error::InvalidBackReference),
                }
            }
            Token::Open => {
                *self.groups += 1;
                let group = *self.groups;
                let node = self.alternation(depth + 1)?;
                let (Token::Close, after) = self.peek() else {
                    return Err(Error::UnmatchedOpen);
                };
                self.at = after;
                self.complete.push(group);
                Node::Group(group, Box::new(node))
            }
            Token::TrailingBackslash => return Err(Error::TrailingBackslash),
            // Whatever has no meaning here stands for itself.
            _ => self.unit(self.units.get(from).copied().unwrap_or(Unit::Char(' '))),
        })
    }

    /// Reads a repetition and applies it to the node before it, or returns it as the character it stands for where
    /// nothing precedes it.
    fn repetition(
        &mut self,
        nodes: &mut Vec<Node>,
        repeatable: bool,
    ) -> Result<Option<Node>, Error> {
        let (token, after) = self.peek();
        let from = self.at;
        self.at = after;
        if !repeatable && !self.extended {
            // `\{` at the very start is an error, but for grep.
            return match token {
                Token::OpenBrace if !self.options.lenient => Err(Error::InvalidPreceding),
                _ => {
                    let char = self.units.get(after.saturating_sub(1)).copied();
                    Ok(char.map(|unit| self.unit(unit)))
                }
            };
        }
        if !repeatable && !self.options.lenient {
            return Err(Error::InvalidPreceding);
        }
        let (min, max) = match token {
            Token::Star => (0, None),
            Token::Plus => (1, None),
            Token::Question => (0, Some(1)),
            _ => match self.interval()? {
                Some(bounds) => bounds,
                None => {
                    self.at = after;
                    return Ok(Some(self.unit(Unit::Char('{'))));
                }
            },
        };
        if !repeatable {
            self.warn_start(token, from);
            return Ok(None);
        }
        if let Some(node) = nodes.pop() {
            nodes.push(Node::Repeat {
                node: Box::new(node),
                min,
                max,
            });
        }
        Ok(None)
    }

    /// Reads the bounds of an interval from behind its `{`, or returns none for one that is to stand for itself.
    fn interval(&mut self) -> Result<Option<(u32, Option<u32>)>, Error> {
        let comma = Token::Unit(Unit::Char(','));
        let (min, end) = self.bound();
        let mut bounds = match (min, end) {
            (Bound::None, token) if token == comma => Some((0, None)),
            (Bound::Number(min), token) if token == comma => Some((min, None)),
            (Bound::Number(number), _) => Some((number, Some(number))),
            _ => None,
        };
        let mut end = end;
        if let Some((min, _)) = bounds
            && end == comma
        {
            let (max, behind) = self.bound();
            end = behind;
            bounds = match max {
                Bound::None => Some((min, None)),
                Bound::Number(max) => Some((min, Some(max))),
                Bound::Bad => None,
            };
        }
        match bounds {
            None if self.options.lenient && self.extended => Ok(None),
            None if end == Token::End => Err(Error::UnmatchedBrace),
            None => Err(Error::InvalidInterval),
            Some(_) if end == Token::End && self.options.lenient && self.extended => Ok(None),
            Some(_) if end == Token::End => Err(Error::UnmatchedBrace),
            Some((min, Some(max))) if min > max => Err(Error::InvalidInterval),
            Some(_) if end == comma => Err(Error::InvalidInterval),
            Some((min, max)) if min.max(max.unwrap_or(0)) > REPEAT_MAX => Err(Error::TooBig),
            bounds => Ok(bounds),
        }
    }

    /// Reads a number up to `,` or the closing brace, which it returns (as `Close`) and passes.
    fn bound(&mut self) -> (Bound, Token) {
        let mut bound = Bound::None;
        loop {
            let unit = self.units.get(self.at).copied();
            let next = self.units.get(self.at + 1).copied();
            let escaped = unit == Some(Unit::Char('\\'));
            let closes = match self.extended {
                true => unit == Some(Unit::Char('}')),
                false => escaped && next == Some(Unit::Char('}')),
            };
            if closes {
                self.at += if self.extended { 1 } else { 2 };
                return (bound, Token::Close);
            }
            let Some(unit) = unit else {
                return (bound, Token::End);
            };
            self.at += 1;
            bound = match (unit, bound) {
                (Unit::Char(','), bound) => return (bound, Token::Unit(unit)),
                (_, Bound::Bad) => Bound::Bad,
                (Unit::Char(char), bound) => match (char.to_digit(10), bound) {
                    (Some(digit), Bound::Number(number)) => Bound::Number(
                        number
                            .saturating_mul(10)
                            .saturating_add(digit)
                            .min(REPEAT_MAX + 1),
                    ),
                    (Some(digit), _) => Bound::Number(digit),
                    (None, _) => Bound::Bad,
                },
                _ => Bound::Bad,
            };
        }
    }

    /// Returns whether nothing more follows in this branch.
    fn ends_branch(&self) -> bool {
        matches!(self.peek().0, Token::End | Token::Bar | Token::Close)
    }

    fn line(&self, place: Place) -> Place {
        match (place, self.options.multi_line) {
            (Place::LineStart, false) => Place::TextStart,
            (Place::LineEnd, false) => Place::TextEnd,
            (place, _) => place,
        }
    }

    fn set(&self, set: ClassUnicode, negated: bool) -> Node {
        // Unlike `[^x]`, `\W` and `\S` match a line feed in any case.
        let options = Options {
            dot_newline: true,
            ..self.options.clone()
        };
        Node::Class(class::finish(set, negated, &options))
    }

    fn unit(&self, unit: Unit) -> Node {
        literal(unit, self.options)
    }

    fn warn_start(&mut self, token: Token, from: usize) {
        let what = match (token, self.units.get(from)) {
            (Token::OpenBrace, _) => "{...}".to_owned(),
            (_, Some(Unit::Char(char))) => char.to_string(),
            _ => return,
        };
        self.warnings.push(format!("{what} at start of expression"));
    }
}

enum Bound {
    None,
    Number(u32),
    Bad,
}

/// Returns a character of the pattern as what matches it.
pub(crate) fn literal(unit: Unit, options: &Options) -> Node {
    let Unit::Char(char) = unit else {
        return Node::Unit(unit);
    };
    if !options.ignore_case || (!options.utf8 && !char.is_ascii_alphabetic()) {
        return Node::Unit(unit);
    }
    let range = regex_syntax::hir::ClassUnicodeRange::new(char, char);
    let class = class::finish(ClassUnicode::new([range]), false, options);
    let single = match &class {
        regex_syntax::hir::Class::Unicode(class) => class.iter().count() == 1,
        regex_syntax::hir::Class::Bytes(class) => class.iter().count() == 1,
    };
    match single && !char.is_alphabetic() {
        true => Node::Unit(unit),
        false => Node::Class(class),
    }
}
