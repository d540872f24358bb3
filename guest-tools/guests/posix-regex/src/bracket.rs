//! Bracket expressions: `[a-z[:digit:]]`.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use crate::{
    Error, Options, class,
    tree::{Node, Unit},
};

/// A member of a bracket expression, as read.
enum Member {
    Unit(Unit),
    Class(ClassUnicode),
}

/// Reads a bracket expression whose `[` is behind `at`. Returns it and the place behind its `]`.
pub(crate) fn parse(
    units: &[Unit],
    mut at: usize,
    options: &Options,
) -> Result<(Node, usize), Error> {
    let unit = |at: usize| units.get(at).copied().ok_or(Error::UnmatchedBracket);
    let negated = unit(at)? == Unit::Char('^');
    at += usize::from(negated);
    let first = at;
    let mut set = ClassUnicode::empty();
    let mut bytes = Vec::new();
    loop {
        if unit(at)? == Unit::Char(']') && at > first {
            break;
        }
        let (member, after) = member(units, at, options)?;
        at = after;
        let is_range = unit(at)? == Unit::Char('-') && unit(at + 1)? != Unit::Char(']');
        if !is_range {
            match member {
                Member::Unit(unit) => add(&mut set, &mut bytes, unit, unit, options)?,
                Member::Class(class) => set.union(&class),
            }
            continue;
        }
        let (end, after) = self::member(units, at + 1, options)?;
        at = after;
        match (member, end) {
            (Member::Unit(start), Member::Unit(end)) => {
                add(&mut set, &mut bytes, start, end, options)?;
            }
            _ => return Err(Error::InvalidRange),
        }
    }
    let class = Node::Class(class::finish(set, negated, options));
    // A byte that is no UTF-8 stands for itself; what is not in the set is always a character.
    let node = match bytes.is_empty() || negated {
        true => class,
        false => {
            let bytes = bytes.into_iter().map(|byte| Node::Unit(Unit::Byte(byte)));
            Node::Alternate(std::iter::once(class).chain(bytes).collect())
        }
    };
    Ok((node, at + 1))
}

fn add(
    set: &mut ClassUnicode,
    bytes: &mut Vec<u8>,
    start: Unit,
    end: Unit,
    options: &Options,
) -> Result<(), Error> {
    // Bytes that are characters of their own have a place in the order; stray ones have none.
    let character = |unit: Unit| match unit {
        Unit::Char(char) => Some(char),
        Unit::Byte(byte) => (!options.utf8).then_some(char::from(byte)),
    };
    match (character(start), character(end), start, end) {
        (Some(start), Some(end), ..) if start <= end => {
            set.push(ClassUnicodeRange::new(start, end));
        }
        (_, _, Unit::Byte(start), Unit::Byte(end)) if start <= end => bytes.extend(start..=end),
        _ => return Err(Error::InvalidRange),
    }
    Ok(())
}

fn member(units: &[Unit], at: usize, options: &Options) -> Result<(Member, usize), Error> {
    let unit = units.get(at).copied().ok_or(Error::UnmatchedBracket)?;
    let next = units.get(at + 1).copied();
    match (unit, next) {
        (Unit::Char('['), Some(Unit::Char(kind @ (':' | '.' | '=')))) => {
            named(units, at + 2, kind, options)
        }
        (Unit::Char('\\'), Some(next)) if options.bracket_escapes => {
            Ok((Member::Unit(next), at + 2))
        }
        _ => Ok((Member::Unit(unit), at + 1)),
    }
}

/// Reads `[:alpha:]`, `[.x.]` or `[=x=]` from behind its two opening characters.
fn named(
    units: &[Unit],
    at: usize,
    kind: char,
    options: &Options,
) -> Result<(Member, usize), Error> {
    let rest = units.get(at..).unwrap_or_default();
    let closing = [Unit::Char(kind), Unit::Char(']')];
    let length = rest
        .windows(2)
        .position(|pair| pair == closing)
        .ok_or(Error::UnmatchedBracket)?;
    let name = rest.get(..length).unwrap_or_default();
    let after = at + length + 2;
    if kind == ':' {
        let text: String = name
            .iter()
            .filter_map(|unit| match unit {
                Unit::Char(char) => Some(*char),
                Unit::Byte(_) => None,
            })
            .collect();
        if text == "word" {
            return Err(Error::InvalidClass);
        }
        let class = class::named(&text, options.utf8).ok_or(Error::InvalidClass)?;
        return Ok((Member::Class(class), after));
    }
    match name {
        [unit] => Ok((Member::Unit(*unit), after)),
        _ => Err(Error::InvalidCollation),
    }
}
