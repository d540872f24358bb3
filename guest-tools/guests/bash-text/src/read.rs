//! How the `read` builtin gives the fields of a line to its variables.

use bstr::BString;

use crate::characters;
use crate::split::{Class, Separators};

/// Returns whether a line goes on in the next one: it ends in a backslash that nothing quotes. For `read`
/// without -r; the caller drops that backslash and the newline.
pub fn is_continued(line: &[u8]) -> bool {
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Splits `line` (without its delimiter) for `count` variables: the last one takes the rest, missing ones
/// are empty. `is_raw` is -r: backslashes are ordinary.
pub fn fields(line: &[u8], count: usize, is_raw: bool, separators: &Separators) -> Vec<BString> {
    let mut reader = Reader {
        rest: line,
        is_raw,
        separators,
    };
    reader.skip_blanks();
    let mut fields = Vec::with_capacity(count);
    for _ in 1..count {
        fields.push(BString::from(reader.field()));
    }
    if count > 0 {
        fields.push(BString::from(reader.remainder()));
    }
    fields
}

/// Splits `line` into all its fields, for `read -a`.
pub fn all(line: &[u8], is_raw: bool, separators: &Separators) -> Vec<BString> {
    let mut reader = Reader {
        rest: line,
        is_raw,
        separators,
    };
    reader.skip_blanks();
    let mut fields = Vec::new();
    while !reader.rest.is_empty() {
        fields.push(BString::from(reader.field()));
    }
    fields
}

/// Returns `line` with its backslashes taken away, for REPLY without -r and `read -N`.
pub fn unescape(line: &[u8]) -> BString {
    let mut plain = Vec::with_capacity(line.len());
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        let byte = if *byte == b'\\' {
            bytes.next()
        } else {
            Some(byte)
        };
        plain.extend(byte);
    }
    BString::from(plain)
}

struct Reader<'a> {
    rest: &'a [u8],
    is_raw: bool,
    separators: &'a Separators,
}

impl<'a> Reader<'a> {
    /// Takes the next character: its class (quoted ones are of the field) and its text.
    fn next(&mut self) -> Option<(Class, &'a [u8])> {
        if !self.is_raw && self.rest.first() == Some(&b'\\') {
            let quoted = self.rest.get(1..)?;
            let (character, after) =
                quoted.split_at_checked(characters::length_of_first(quoted))?;
            self.rest = after;
            return Some((Class::Field, character));
        }
        let (class, length) = self.separators.classify(self.rest);
        let (character, after) = self.rest.split_at_checked(length)?;
        self.rest = after;
        (length > 0).then_some((class, character))
    }

    /// Returns the class of the next character without taking it.
    fn peek(&self) -> Option<Class> {
        let mut ahead = Reader { ..*self };
        ahead.next().map(|(class, _)| class)
    }

    fn skip_blanks(&mut self) {
        while self.peek() == Some(Class::Blank) {
            self.next();
        }
    }

    /// Takes one field and its separator: blanks, and one mark among them.
    fn field(&mut self) -> Vec<u8> {
        let mut field = Vec::new();
        while let Some((class, character)) = self.next() {
            match class {
                Class::Field => field.extend_from_slice(character),
                Class::Blank => {
                    self.skip_blanks();
                    if self.peek() == Some(Class::Mark) {
                        self.next();
                        self.skip_blanks();
                    }
                    break;
                }
                Class::Mark => {
                    self.skip_blanks();
                    break;
                }
            }
        }
        field
    }

    /// Takes all that is left, without blanks at its end; when it is just one field, without the separator
    /// behind it either.
    fn remainder(&mut self) -> Vec<u8> {
        let mut ahead = Reader { ..*self };
        let field = ahead.field();
        if ahead.rest.is_empty() {
            return field;
        }
        let mut text = Vec::new();
        let mut end = 0;
        while let Some((class, character)) = self.next() {
            text.extend_from_slice(character);
            if class != Class::Blank {
                end = text.len();
            }
        }
        text.truncate(end);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split() {
        for (line, count, is_raw, ifs, expected) in [
            (" a b c ", 2, false, " ", &["a", "b c"][..]),
            ("a\\ b c", 2, false, " ", &["a b", "c"]),
            ("a\\ b c", 2, true, " ", &["a\\", "b c"]),
            ("a:b:", 2, false, ":", &["a", "b"]),
            ("a:b::", 2, false, ":", &["a", "b::"]),
            ("a", 3, false, ":", &["a", "", ""]),
            (" a ", 1, false, "", &[" a "]),
            ("a\\", 1, false, " ", &["a"]),
        ] {
            let separators = Separators::new(Some(ifs.as_bytes()));
            assert_eq!(
                fields(line.as_bytes(), count, is_raw, &separators),
                expected,
                "{line:?}"
            );
        }
    }
}
