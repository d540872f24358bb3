//! Parts of makefile lines.

use crate::glob;
use crate::lines::{find_outside, joined, without_comment};
use crate::variable::definition;
use crate::words::{is_blank, split_word, trim_start};

/// An open conditional.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition {
    /// Lines are not read now.
    pub(crate) ignores: bool,
    /// A branch was read.
    pub(crate) was_true: bool,
    pub(crate) had_else: bool,
}

/// What stands before a definition.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Modifiers {
    pub(crate) is_override: bool,
    pub(crate) is_exported: bool,
    pub(crate) is_private: bool,
}

/// Takes the words before a definition; if none follows, it takes none but before `define` and `undefine`.
pub(crate) fn modifiers(line: &[u8]) -> (Modifiers, &[u8]) {
    let mut modifiers = Modifiers::default();
    let mut rest = trim_start(line);
    loop {
        let (word, behind) = split_word(rest);
        // A variable may have such a name.
        let is_name = definition(rest).is_some_and(|found| found.name == word);
        match word {
            _ if is_name => break,
            b"override" => modifiers.is_override = true,
            b"export" => modifiers.is_exported = true,
            b"private" => modifiers.is_private = true,
            _ => break,
        }
        rest = behind;
    }
    (modifiers, rest)
}

/// Returns a recipe line without the prefix, also where it is continued.
pub(crate) fn recipe_line(raw: &[u8], prefix: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    for (number, part) in raw.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(part.strip_prefix(&[prefix]).unwrap_or(part));
    }
    out
}

/// The parts of a rule line.
pub(crate) struct Split {
    pub(crate) targets: Vec<u8>,
    pub(crate) needs: Vec<u8>,
    /// All behind the colon, without a comment: it may be a definition.
    pub(crate) whole: Vec<u8>,
    pub(crate) recipe: Option<Vec<u8>>,
    pub(crate) double_colon: bool,
    pub(crate) grouped: bool,
}

/// A line before and behind its first `;`.
pub(crate) struct Parts {
    pub(crate) head: Vec<u8>,
    pub(crate) recipe: Option<Vec<u8>>,
}

/// Splits off a recipe on the same line.
pub(crate) fn split_recipe(raw: &[u8]) -> Parts {
    match find_outside(raw, b";#") {
        Some(place) if raw.get(place) == Some(&b';') => Parts {
            head: joined(raw.get(..place).unwrap_or_default()),
            recipe: Some(trim_start(raw.get(place + 1..).unwrap_or_default()).to_vec()),
        },
        Some(place) => Parts {
            head: joined(raw.get(..place).unwrap_or_default()),
            recipe: None,
        },
        None => Parts {
            head: joined(raw),
            recipe: None,
        },
    }
}

/// Splits a rule line that shows its colon.
pub(crate) fn split_rule(raw: &[u8]) -> Option<Split> {
    let parts = split_recipe(raw);
    let colon = find_outside(&parts.head, b":")?;
    let whole = without_comment(&joined(raw));
    let behind = find_outside(&whole, b":")
        .and_then(|colon| whole.get(colon + 1..))
        .unwrap_or_default()
        .to_vec();
    Some(split_at(&parts.head, colon, behind, parts.recipe))
}

/// Splits a rule line whose references are expanded.
pub(crate) fn split_expanded(line: &[u8], recipe: Option<Vec<u8>>) -> Option<Split> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let behind = line.get(colon + 1..).unwrap_or_default().to_vec();
    Some(split_at(line, colon, behind, recipe))
}

fn split_at(head: &[u8], colon: usize, whole: Vec<u8>, recipe: Option<Vec<u8>>) -> Split {
    let mut targets = head.get(..colon).unwrap_or_default();
    let mut needs = head.get(colon + 1..).unwrap_or_default();
    let double_colon = needs.starts_with(b":");
    let mut whole = whole;
    if double_colon {
        needs = needs.get(1..).unwrap_or_default();
        if whole.starts_with(b":") {
            whole.remove(0);
        }
    }
    let grouped = targets.ends_with(b"&");
    if grouped {
        targets = targets.get(..targets.len() - 1).unwrap_or_default();
    }
    Split {
        targets: targets.to_vec(),
        needs: needs.to_vec(),
        whole,
        recipe,
        double_colon,
        grouped,
    }
}

/// Splits names at blanks that are not quoted, and takes the quotes away.
pub(crate) fn names(text: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    let mut name: Vec<u8> = Vec::new();
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\'
                if bytes
                    .peek()
                    .is_some_and(|next| is_blank(*next) || matches!(next, b':' | b'#')) =>
            {
                name.extend(bytes.next());
            }
            byte if is_blank(byte) => {
                if !name.is_empty() {
                    names.push(std::mem::take(&mut name));
                }
            }
            byte => name.push(byte),
        }
    }
    if !name.is_empty() {
        names.push(name);
    }
    names
}

/// Reads prerequisites: those behind `|` count only for the order.
pub(crate) fn needs(text: &[u8], with_wildcards: bool) -> Vec<(Vec<u8>, bool)> {
    let mut all = Vec::new();
    let (normal, order) = match text.iter().position(|byte| *byte == b'|') {
        Some(place) => (
            text.get(..place).unwrap_or_default(),
            text.get(place + 1..).unwrap_or_default(),
        ),
        None => (text, &[][..]),
    };
    for (part, order_only) in [(normal, false), (order, true)] {
        for name in names(part) {
            if with_wildcards {
                all.extend(
                    glob::expand(&name)
                        .into_iter()
                        .map(|name| (name, order_only)),
                );
            } else {
                all.push((name, order_only));
            }
        }
    }
    all
}

/// Reads what `ifeq` compares: `(a,b)` or `"a" "b"`; returns both and what follows.
pub(crate) fn comparison(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let text = trim_start(text);
    match text.first()? {
        b'(' => {
            let inner = text.get(1..)?;
            let (mut depth, mut comma, mut end) = (0_usize, None, None);
            for (place, byte) in inner.iter().enumerate() {
                match byte {
                    b'(' => depth += 1,
                    b')' if depth > 0 => depth -= 1,
                    b')' => {
                        end = Some(place);
                        break;
                    }
                    b',' if depth == 0 && comma.is_none() => comma = Some(place),
                    _ => {}
                }
            }
            let (comma, end) = (comma?, end?);
            let left = inner.get(..comma)?;
            let trailing = left.iter().rposition(|byte| !is_blank(*byte));
            let left = left.get(..trailing.map_or(0, |last| last + 1))?;
            Some((
                left,
                trim_start(inner.get(comma + 1..end)?),
                inner.get(end + 1..)?,
            ))
        }
        quote @ (b'"' | b'\'') => {
            let inner = text.get(1..)?;
            let end = inner.iter().position(|byte| byte == quote)?;
            let rest = trim_start(inner.get(end + 1..)?);
            let second = rest.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
            let behind = rest.get(1..)?;
            let close = behind.iter().position(|byte| byte == second)?;
            Some((
                inner.get(..end)?,
                behind.get(..close)?,
                behind.get(close + 1..)?,
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons() {
        for (text, expected) in [
            ("(a,b)", Some(("a", "b"))),
            ("( a , b ) ", Some((" a", "b "))),
            ("($(x),)", Some(("$(x)", ""))),
            ("\"a\" 'b'", Some(("a", "b"))),
            ("a b", None),
        ] {
            let found = comparison(text.as_bytes()).map(|(left, right, _)| (left, right));
            let expected = expected.map(|(left, right)| (left.as_bytes(), right.as_bytes()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
