//! `--transform`: the names of members changed as by the command `s` of sed.

use posix_regex::{Options, Regex, Syntax};

/// Which names are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Member,
    Symlink,
    HardLink,
}

/// One `s/regex/replacement/flags`.
#[derive(Clone, Debug)]
pub(crate) struct Transform {
    regex: Regex,
    parts: Vec<Part>,
    all: bool,
    /// The match that is replaced first.
    number: usize,
    members: bool,
    symlinks: bool,
    hard_links: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Group(usize),
    Case(Case),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
    LowerNext,
    UpperNext,
    End,
}

/// Parses expressions, which `;` separates.
pub(crate) fn parse(text: &str) -> Result<Vec<Transform>, String> {
    let mut all = Vec::new();
    let mut flags = Flags::default();
    let mut rest = text.as_bytes();
    loop {
        while let [b';' | b' ', tail @ ..] = rest {
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(all);
        }
        if let Some(tail) = rest.strip_prefix(b"flags=") {
            let end = tail.iter().position(|byte| *byte == b';');
            let (set, tail) = tail.split_at(end.unwrap_or(tail.len()));
            flags = Flags {
                members: false,
                symlinks: false,
                hard_links: false,
            };
            flags.scope(set);
            rest = tail;
            continue;
        }
        let (transform, tail) = one(rest, flags).ok_or("Invalid transform expression")??;
        all.push(transform);
        rest = tail;
    }
}

#[derive(Clone, Copy)]
struct Flags {
    members: bool,
    symlinks: bool,
    hard_links: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            members: true,
            symlinks: true,
            hard_links: true,
        }
    }
}

impl Flags {
    fn scope(&mut self, letters: &[u8]) {
        for letter in letters {
            match letter {
                b'r' => self.members = true,
                b'R' => self.members = false,
                b's' => self.symlinks = true,
                b'S' => self.symlinks = false,
                b'h' => self.hard_links = true,
                b'H' => self.hard_links = false,
                _ => {}
            }
        }
    }
}

type Parsed<'a> = Result<(Transform, &'a [u8]), String>;

fn one(text: &[u8], mut scope: Flags) -> Option<Parsed<'_>> {
    let (delimiter, rest) = text.strip_prefix(b"s")?.split_first()?;
    let (pattern, rest) = until(rest, *delimiter)?;
    let (replacement, rest) = until(rest, *delimiter)?;
    let end = rest.iter().position(|byte| *byte == b';');
    let (flags, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let mut options = Options::default();
    let mut syntax = Syntax::Basic;
    let (mut all, mut number) = (false, 0);
    for flag in flags {
        match flag {
            b'g' => all = true,
            b'i' | b'I' => options.ignore_case = true,
            b'x' => syntax = Syntax::Extended,
            b'0'..=b'9' => number = number * 10 + usize::from(flag - b'0'),
            b'r' | b'R' | b's' | b'S' | b'h' | b'H' => scope.scope(&[*flag]),
            other => {
                return Some(Err(format!(
                    "Unknown flag in transform expression: {}",
                    char::from(*other)
                )));
            }
        }
    }
    let regex = match Regex::new(&pattern, syntax, &options) {
        Ok(regex) => regex,
        Err(error) => return Some(Err(format!("Invalid transform expression: {error}"))),
    };
    let parts = parts(&replacement);
    let groups = regex.groups();
    if parts
        .iter()
        .any(|part| matches!(part, Part::Group(group) if *group > groups))
    {
        let text = "Invalid transform replacement: back reference out of range";
        return Some(Err(text.to_owned()));
    }
    let transform = Transform {
        regex,
        parts,
        all,
        number: number.max(1),
        members: scope.members,
        symlinks: scope.symlinks,
        hard_links: scope.hard_links,
    };
    Some(Ok((transform, rest)))
}

/// Splits at a delimiter that no backslash quotes; a quoted one is itself.
fn until(text: &[u8], delimiter: u8) -> Option<(Vec<u8>, &[u8])> {
    let mut part = Vec::new();
    let mut place = 0;
    loop {
        let byte = *text.get(place)?;
        place += 1;
        if byte == delimiter {
            return Some((part, text.get(place..)?));
        }
        if byte == b'\\' {
            let next = *text.get(place)?;
            place += 1;
            if next != delimiter {
                part.push(b'\\');
            }
            part.push(next);
            continue;
        }
        part.push(byte);
    }
}

fn parts(replacement: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = Vec::new();
    let mut bytes = replacement.iter();
    while let Some(byte) = bytes.next() {
        let part = match byte {
            b'&' => Part::Group(0),
            b'\\' => match bytes.next() {
                Some(digit @ b'0'..=b'9') => Part::Group(usize::from(digit - b'0')),
                Some(b'L') => Part::Case(Case::Lower),
                Some(b'U') => Part::Case(Case::Upper),
                Some(b'l') => Part::Case(Case::LowerNext),
                Some(b'u') => Part::Case(Case::UpperNext),
                Some(b'E') => Part::Case(Case::End),
                Some(b'n') => Part::Text(b"\n".to_vec()),
                Some(b't') => Part::Text(b"\t".to_vec()),
                Some(other) => Part::Text(vec![*other]),
                None => Part::Text(b"\\".to_vec()),
            },
            other => {
                text.push(*other);
                continue;
            }
        };
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(part);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

/// Changes a name by all expressions.
pub(crate) fn apply(transforms: &[Transform], name: &[u8], which: Which) -> Vec<u8> {
    let mut name = name.to_vec();
    for transform in transforms {
        let is_meant = match which {
            Which::Member => transform.members,
            Which::Symlink => transform.symlinks,
            Which::HardLink => transform.hard_links,
        };
        if is_meant {
            name = transform.replace(&name);
        }
    }
    name
}

impl Transform {
    fn replace(&self, name: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let (mut place, mut count) = (0, 0);
        let mut last_end = None;
        while let Some(groups) = self.regex.captures_at(name, place) {
            let Some(Some((start, end))) = groups.first().copied() else {
                break;
            };
            out.extend_from_slice(name.get(place..start).unwrap_or_default());
            place = end;
            // Right behind a match nothing is no match.
            let is_match = start < end || last_end != Some(start);
            if is_match {
                count += 1;
                if count >= self.number {
                    self.expand(name, &groups, &mut out);
                } else {
                    out.extend_from_slice(name.get(start..end).unwrap_or_default());
                }
                if count >= self.number && !self.all {
                    break;
                }
            }
            last_end = Some(end);
            if start == end {
                let Some(byte) = name.get(place) else {
                    break;
                };
                out.push(*byte);
                place += 1;
            }
        }
        out.extend_from_slice(name.get(place..).unwrap_or_default());
        out
    }

    fn expand(&self, name: &[u8], groups: &[Option<(usize, usize)>], out: &mut Vec<u8>) {
        let (mut case, mut next) = (Case::End, None);
        for part in &self.parts {
            let text = match part {
                Part::Case(one @ (Case::LowerNext | Case::UpperNext)) => {
                    next = Some(*one);
                    continue;
                }
                Part::Case(one) => {
                    case = *one;
                    continue;
                }
                Part::Text(text) => text.as_slice(),
                Part::Group(group) => groups
                    .get(*group)
                    .copied()
                    .flatten()
                    .and_then(|(start, end)| name.get(start..end))
                    .unwrap_or_default(),
            };
            let mut text = match case {
                Case::Lower => text.to_ascii_lowercase(),
                Case::Upper => text.to_ascii_uppercase(),
                _ => text.to_vec(),
            };
            if let Some(first) = text.first_mut() {
                match next.take() {
                    Some(Case::LowerNext) => first.make_ascii_lowercase(),
                    Some(_) => first.make_ascii_uppercase(),
                    None => {}
                }
            }
            out.extend(text);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_are_changed_as_by_sed() {
        let cases = [
            ("s,^d,new,", "d/d", "new/d"),
            ("s/a/b/g;s/b/c/2", "aaa", "bcb"),
            ("s|^|p/|", "f", "p/f"),
            (r"s/\(.*\)\.txt/\U\1\E.x/", "a.txt", "A.x"),
            ("s/A(b)/<\\1&>/xi", "ab", "<bab>"),
            ("s/x*/-/g", "abc", "-a-b-c-"),
            ("s/b*/-/g", "abc", "-a-c-"),
        ];
        for (expression, name, expected) in cases {
            let transforms = parse(expression).unwrap();
            let changed = apply(&transforms, name.as_bytes(), Which::Member);
            assert_eq!(
                String::from_utf8(changed).unwrap(),
                expected,
                "{expression}"
            );
        }
        for wrong in ["s/a", "x", "s/a/b/q", "s/a/\\1/"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let symlinks = parse("s/a/b/S").unwrap();
        assert_eq!(apply(&symlinks, b"a", Which::Symlink), b"a");
    }
}
