//! AWK's regular expressions: their escapes translated to GNU's extended syntax, compiled ones kept.

use std::collections::HashMap;

use posix_regex::{Options, Regex, Syntax};

use crate::lexer::unescape;

/// How many dynamic expressions are kept. A program that makes a new one per record must not grow with its input.
const KEPT_MAX: usize = 512;

/// Compiled regular expressions.
#[derive(Default)]
pub struct Regexes {
    constants: Vec<Option<Regex>>,
    dynamic: HashMap<Vec<u8>, Regex>,
    ignore_case: bool,
}

impl Regexes {
    /// Sets whether case is ignored; what was compiled otherwise is dropped.
    pub fn set_ignore_case(&mut self, ignore_case: bool) {
        if self.ignore_case != ignore_case {
            self.ignore_case = ignore_case;
            self.constants.clear();
            self.dynamic.clear();
        }
    }

    /// Returns whether case is ignored.
    pub fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Returns the regular expression of a place in the program.
    pub fn constant(&mut self, place: u32, source: &[Vec<u8>]) -> Result<Regex, String> {
        let place = place as usize;
        if let Some(Some(regex)) = self.constants.get(place) {
            return Ok(regex.clone());
        }
        let pattern = source.get(place).map(Vec::as_slice).unwrap_or_default();
        let regex = compile(pattern, self.ignore_case)?;
        if self.constants.len() <= place {
            self.constants.resize_with(place + 1, || None);
        }
        if let Some(slot) = self.constants.get_mut(place) {
            *slot = Some(regex.clone());
        }
        Ok(regex)
    }

    /// Returns the regular expression of a text.
    pub fn dynamic(&mut self, pattern: &[u8]) -> Result<Regex, String> {
        if let Some(regex) = self.dynamic.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = compile(pattern, self.ignore_case)?;
        if self.dynamic.len() >= KEPT_MAX {
            self.dynamic.clear();
        }
        self.dynamic.insert(pattern.to_vec(), regex.clone());
        Ok(regex)
    }
}

/// Compiles a regular expression of AWK.
pub fn compile(pattern: &[u8], ignore_case: bool) -> Result<Regex, String> {
    let options = Options {
        ignore_case,
        dot_newline: true,
        utf8: true,
        ..Options::default()
    };
    Regex::new(&translate(pattern), Syntax::Extended, &options).map_err(|error| {
        format!(
            "invalid regexp: {error}: /{}/",
            String::from_utf8_lossy(pattern)
        )
    })
}

/// Returns the expression in GNU's extended syntax.
pub fn translate(pattern: &[u8]) -> Vec<u8> {
    let mut into = Vec::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    // Whether nothing stands before that an operator could repeat.
    let mut is_at_begin = true;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        let was_at_begin = std::mem::replace(&mut is_at_begin, false);
        match byte {
            b'\\' => rest = translate_escape(rest, &mut into),
            b'[' => rest = translate_bracket(rest, &mut into),
            b'(' | b'|' | b'^' => {
                is_at_begin = true;
                into.push(*byte);
            }
            b'*' | b'+' | b'?' if was_at_begin => into.extend_from_slice(&[b'\\', *byte]),
            b'{' if was_at_begin || !is_interval(rest) => into.extend_from_slice(b"\\{"),
            _ => into.push(*byte),
        }
    }
    into
}

fn is_interval(rest: &[u8]) -> bool {
    let Some(end) = rest.iter().position(|byte| *byte == b'}') else {
        return false;
    };
    let inside = rest.get(..end).unwrap_or_default();
    let mut parts = inside.split(|byte| *byte == b',');
    let is_number =
        |part: Option<&[u8]>| part.is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    inside.iter().any(u8::is_ascii_digit)
        && is_number(parts.next())
        && parts
            .next()
            .is_none_or(|part| part.iter().all(u8::is_ascii_digit))
        && parts.next().is_none()
}

fn push_literal(into: &mut Vec<u8>, byte: u8) {
    if matches!(
        byte,
        b'.' | b'['
            | b']'
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b'?'
            | b'{'
            | b'}'
            | b'|'
            | b'^'
            | b'$'
            | b'\\'
    ) {
        into.push(b'\\');
    }
    into.push(byte);
}

fn translate_escape<'a>(rest: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    match rest.split_first() {
        None => {
            into.extend_from_slice(b"\\\\");
            rest
        }
        Some((b'y', behind)) => {
            into.extend_from_slice(b"\\b");
            behind
        }
        Some((byte @ (b'B' | b'<' | b'>' | b'w' | b'W' | b's' | b'S' | b'`' | b'\''), behind)) => {
            into.extend_from_slice(&[b'\\', *byte]);
            behind
        }
        Some((b'n' | b't' | b'r' | b'a' | b'b' | b'f' | b'v' | b'x' | b'0'..=b'7', _)) => {
            let mut plain = Vec::new();
            let used = unescape(rest, &mut plain);
            for byte in plain {
                push_literal(into, byte);
            }
            rest.get(used..).unwrap_or_default()
        }
        Some((byte, behind)) => {
            push_literal(into, *byte);
            behind
        }
    }
}

/// Rewrites a bracket expression: POSIX has no escapes in it, so what they hide goes where it stands for itself.
fn translate_bracket<'a>(rest: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    let (is_negated, mut at) = match rest.strip_prefix(b"^") {
        Some(at) => (true, at),
        None => (false, rest),
    };
    let mut items: Vec<u8> = Vec::new();
    let (mut closing, mut opening, mut caret, mut dash) = (false, false, false, false);
    let mut is_first = true;
    loop {
        let Some((byte, behind)) = at.split_first() else {
            // Never closed: the compiler of the expression says so.
            into.push(b'[');
            into.extend_from_slice(rest);
            return &[];
        };
        if *byte == b']' && !is_first {
            at = behind;
            break;
        }
        is_first = false;
        if *byte == b'[' && matches!(behind.first(), Some(b':' | b'.' | b'=')) {
            let mark = behind.first().copied().unwrap_or_default();
            let inside = behind.get(1..).unwrap_or_default();
            if let Some(end) = inside.windows(2).position(|pair| pair == [mark, b']']) {
                items.extend_from_slice(at.get(..end + 4).unwrap_or_default());
                at = at.get(end + 4..).unwrap_or_default();
                continue;
            }
        }
        let (low, behind) = bracket_byte(at);
        at = behind;
        let high = match at.split_first() {
            Some((b'-', behind)) if behind.first().is_some_and(|byte| *byte != b']') => {
                let (high, behind) = bracket_byte(behind);
                at = behind;
                Some(high)
            }
            _ => None,
        };
        let is_plain = |byte: u8| !matches!(byte, b']' | b'[' | b'^' | b'-');
        match high {
            Some(high) if is_plain(low) && is_plain(high) => {
                items.extend_from_slice(&[low, b'-', high])
            }
            _ => {
                for byte in low..=high.unwrap_or(low) {
                    match byte {
                        b']' => closing = true,
                        b'[' => opening = true,
                        b'^' => caret = true,
                        b'-' => dash = true,
                        byte => items.push(byte),
                    }
                }
            }
        }
    }
    if caret && !is_negated && !closing && !opening && !dash && items.is_empty() {
        into.extend_from_slice(b"\\^");
        return at;
    }
    into.push(b'[');
    for (is_there, byte) in [(is_negated, b'^'), (closing, b']')] {
        if is_there {
            into.push(byte);
        }
    }
    // A caret alone with a dash or bracket must not come first.
    into.extend_from_slice(&items);
    for (is_there, byte) in [
        (opening, b'['),
        (
            caret && (is_negated || closing || opening || !items.is_empty()),
            b'^',
        ),
        (dash, b'-'),
    ] {
        if is_there {
            into.push(byte);
        }
    }
    if caret && !is_negated && !closing && !opening && items.is_empty() {
        // `[-^]`: the dash is first then.
        into.push(b'^');
    }
    into.push(b']');
    at
}

/// Reads one byte of a bracket expression, escapes replaced. Bytes of longer characters pass one by one, which is
/// right outside of ranges; ranges of such characters stay as they are since their ends are plain.
fn bracket_byte(at: &[u8]) -> (u8, &[u8]) {
    match at.split_first() {
        Some((b'\\', behind)) if !behind.is_empty() => {
            let mut plain = Vec::new();
            let used = unescape(behind, &mut plain);
            (
                plain.first().copied().unwrap_or(b'\\'),
                behind.get(used..).unwrap_or_default(),
            )
        }
        Some((byte, behind)) => (*byte, behind),
        None => (b'\\', at),
    }
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn escapes_are_translated() {
        let cases = [
            (r"a\.b\/c", r"a\.b/c"),
            (r"\yfoo\y", r"\bfoo\b"),
            (r"[\]a]", "[]a]"),
            (r"[^\/\-x]", "[^/x-]"),
            (r"[a\\]", r"[a\]"),
            ("[]x]", "[]x]"),
            ("[[:alpha:]_]", "[[:alpha:]_]"),
            (r"[\^]", r"\^"),
            ("{a}", r"\{a}"),
            ("a{2}b{x}", r"a{2}b\{x}"),
            ("*a|+b", r"\*a|\+b"),
            (r"\t\101\56", "\tA\\."),
            (r"a\", r"a\\"),
        ];
        for (awk, gnu) in cases {
            assert_eq!(
                String::from_utf8(translate(awk.as_bytes())).unwrap(),
                gnu,
                "{awk}"
            );
        }
    }
}
