//! Variables: where they come from, how they are expanded, whose they are.

use std::collections::HashMap;
use std::rc::Rc;

use crate::place::Place;

/// Where a variable comes from; the later ones are stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Default,
    Environment,
    File,
    EnvironmentOverride,
    CommandLine,
    Override,
    Automatic,
}

impl Origin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Environment => "environment",
            Self::File => "file",
            Self::EnvironmentOverride => "environment override",
            Self::CommandLine => "command line",
            Self::Override => "override",
            Self::Automatic => "automatic",
        }
    }
}

/// Whether recipes see a variable in their environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Export {
    /// If it came from there, or from the command line.
    #[default]
    Default,
    Yes,
    No,
}

/// A variable.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) value: Vec<u8>,
    pub(crate) origin: Origin,
    /// Its value is expanded at each use.
    pub(crate) recursive: bool,
    pub(crate) export: Export,
    /// Of a target: its value is added to that outside.
    pub(crate) append: bool,
    /// Of a target: not seen by its prerequisites.
    pub(crate) private: bool,
    pub(crate) place: Option<Place>,
}

impl Variable {
    pub(crate) fn new(value: impl Into<Vec<u8>>, origin: Origin, recursive: bool) -> Self {
        Self {
            value: value.into(),
            origin,
            recursive,
            export: Export::Default,
            append: false,
            private: false,
            place: None,
        }
    }
}

/// Variables by name.
pub(crate) type Variables = HashMap<Vec<u8>, Rc<Variable>>;

/// How a variable is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=`
    Recursive,
    /// `:=` and `::=`
    Simple,
    /// `?=`
    Conditional,
    /// `+=`
    Append,
    /// `!=`
    Shell,
}

/// Variables that are looked at before those outside.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// Of a call, a loop or a recipe.
    Local(Variables),
    /// Of a target, by its number. The flag says that its private ones are seen.
    Target(usize, bool),
    /// Of a pattern of targets, by its number.
    Pattern(usize),
}

/// A definition as it is written: `NAME OP VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) operator: Operator,
    pub(crate) value: &'a [u8],
}

/// Reads a definition of a variable; nothing if the line is none.
pub(crate) fn definition(line: &[u8]) -> Option<Definition<'_>> {
    let line = crate::words::trim_start(line);
    let mut at = 0;
    let mut name_end = None;
    while let Some(byte) = line.get(at).copied() {
        match byte {
            b'$' => {
                at = reference_end(line, at);
                continue;
            }
            byte if crate::words::is_blank(byte) => {
                let end = at;
                while line.get(at).copied().is_some_and(crate::words::is_blank) {
                    at += 1;
                }
                name_end.get_or_insert(end);
                let rest = line.get(at..).unwrap_or_default();
                let is_operator = [&b"="[..], b":=", b"::=", b"?=", b"+=", b"!="]
                    .iter()
                    .any(|operator| rest.starts_with(operator));
                if !is_operator {
                    return None;
                }
                continue;
            }
            b'#' => return None,
            _ => {}
        }
        let rest = line.get(at..).unwrap_or_default();
        let (operator, length) = match rest {
            [b':', b':', b'=', ..] => (Operator::Simple, 3),
            [b':', b'=', ..] => (Operator::Simple, 2),
            [b'=', ..] => (Operator::Recursive, 1),
            [b'?', b'=', ..] => (Operator::Conditional, 2),
            [b'+', b'=', ..] => (Operator::Append, 2),
            [b'!', b'=', ..] => (Operator::Shell, 2),
            [b':', ..] => return None,
            _ => {
                at += 1;
                continue;
            }
        };
        let name = line.get(..name_end.unwrap_or(at)).unwrap_or_default();
        return Some(Definition {
            name,
            operator,
            value: crate::words::trim_start(rest.get(length..).unwrap_or_default()),
        });
    }
    None
}

/// Returns where the reference ends that begins with the `$` at a place.
pub(crate) fn reference_end(text: &[u8], at: usize) -> usize {
    let (open, close) = match text.get(at + 1) {
        Some(b'(') => (b'(', b')'),
        Some(b'{') => (b'{', b'}'),
        Some(_) => return at + 2,
        None => return at + 1,
    };
    let mut depth = 0_usize;
    for (place, byte) in text.iter().enumerate().skip(at + 1) {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return place + 1;
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions() {
        for (line, expected) in [
            ("A = b c", Some(("A", Operator::Recursive, "b c"))),
            ("A:=b", Some(("A", Operator::Simple, "b"))),
            ("A ::= b", Some(("A", Operator::Simple, "b"))),
            ("A?=b", Some(("A", Operator::Conditional, "b"))),
            ("A+= b", Some(("A", Operator::Append, "b"))),
            ("A != b", Some(("A", Operator::Shell, "b"))),
            ("$(x = y):z = 1", None),
            ("$(x) = 1", Some(("$(x)", Operator::Recursive, "1"))),
            ("a: b = c", None),
            ("a b = c", None),
            ("a # b = c", None),
        ] {
            let found = definition(line.as_bytes());
            let expected = expected.map(|(name, operator, value)| Definition {
                name: name.as_bytes(),
                operator,
                value: value.as_bytes(),
            });
            assert_eq!(found, expected, "{line}");
        }
    }
}
