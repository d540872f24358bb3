//! Word splitting by IFS.

/// A part of an expanded word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text of one origin.
    Text(Run<'a>),
    /// An end of a field that the expansion itself made: between the elements of `"$@"`.
    Break,
}

/// Text of one origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// The bytes.
    pub text: &'a [u8],
    /// Whether the text is the result of an unquoted expansion, hence split.
    pub is_splittable: bool,
    /// Whether the text was quoted: it makes a field even when empty, and is literal for globbing.
    pub is_quoted: bool,
}

/// The separators of IFS, prepared once per value.
#[derive(Debug, Clone)]
pub struct Separators {
    ascii: [Class; 128],
    /// The characters beyond ASCII, and bytes that are none.
    wide: Vec<Vec<u8>>,
    /// The first character, which joins `"$*"`.
    first: Vec<u8>,
}

/// What a character means for splitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Part of a field.
    Field,
    /// Space, tab or newline in IFS: runs of it separate once.
    Blank,
    /// Another character of IFS: each separates.
    Mark,
}

impl Separators {
    /// Prepares the value of IFS; `None` when it is unset, which means space, tab, newline.
    pub fn new(value: Option<&[u8]>) -> Self {
        let value = value.unwrap_or(b" \t\n");
        let first = crate::characters::iterate(value)
            .next()
            .unwrap_or_default()
            .to_vec();
        let mut separators = Self {
            ascii: [Class::Field; 128],
            wide: Vec::new(),
            first,
        };
        for character in crate::characters::iterate(value) {
            let slot = character
                .first()
                .and_then(|byte| separators.ascii.get_mut(usize::from(*byte)));
            match (character, slot) {
                ([b' ' | b'\t' | b'\n'], Some(slot)) => *slot = Class::Blank,
                (_, Some(slot)) => *slot = Class::Mark,
                (_, None) => separators.wide.push(character.to_vec()),
            }
        }
        separators
    }

    /// Returns whether nothing separates (IFS is empty).
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Returns the first character of IFS, which joins the elements of `"$*"`; empty when IFS is.
    pub fn first(&self) -> &[u8] {
        &self.first
    }

    /// Returns the length of the separator that `text` begins with.
    pub fn separator(&self, text: &[u8]) -> Option<usize> {
        match self.classify(text) {
            (Class::Field, _) => None,
            (_, length) => Some(length),
        }
    }

    /// Returns the class and length of the character at the start of `text`; length 0 at its end.
    pub(crate) fn classify(&self, text: &[u8]) -> (Class, usize) {
        let Some(byte) = text.first() else {
            return (Class::Field, 0);
        };
        match self.ascii.get(usize::from(*byte)) {
            Some(class) => (*class, 1),
            None => {
                let length = crate::characters::length_of_first(text);
                let character = text.get(..length).unwrap_or_default();
                let is_mark = self.wide.iter().any(|known| known == character);
                (if is_mark { Class::Mark } else { Class::Field }, length)
            }
        }
    }
}

/// Splits an expanded word into fields, each the runs it is made of; a word can give no field at all.
pub fn fields<'a>(parts: &[Part<'a>], separators: &Separators) -> Vec<Vec<Run<'a>>> {
    let mut splitter = Splitter {
        fields: Vec::new(),
        current: None,
    };
    for part in parts {
        match part {
            Part::Break => {
                splitter.close();
            }
            Part::Text(run) if run.is_splittable && !run.is_quoted => {
                splitter.split(*run, separators)
            }
            Part::Text(run) => {
                if !run.text.is_empty() || run.is_quoted {
                    splitter.push(*run);
                }
            }
        }
    }
    splitter.close();
    splitter.fields
}

/// Splits plain text, all of it splittable: `for x in $text`.
pub fn text<'a>(text: &'a [u8], separators: &Separators) -> Vec<&'a [u8]> {
    let run = Run {
        text,
        is_splittable: true,
        is_quoted: false,
    };
    let fields = fields(&[Part::Text(run)], separators);
    fields
        .iter()
        .map(|field| field.first().map_or(&[][..], |run| run.text))
        .collect()
}

struct Splitter<'a> {
    fields: Vec<Vec<Run<'a>>>,
    /// The field under way; `None` when nothing has begun since the last separator.
    current: Option<Vec<Run<'a>>>,
}

impl<'a> Splitter<'a> {
    fn push(&mut self, run: Run<'a>) {
        self.current.get_or_insert_default().push(run);
    }

    fn close(&mut self) -> bool {
        let field = self.current.take();
        let has_field = field.is_some();
        self.fields.extend(field);
        has_field
    }

    fn split(&mut self, run: Run<'a>, separators: &Separators) {
        let mut rest = run.text;
        // Whether the field before was ended by blanks alone: a mark now belongs to the same separator.
        let mut is_after_blanks = false;
        while !rest.is_empty() {
            let mut length = 0;
            let (class, width) = loop {
                let (class, width) = separators.classify(rest.get(length..).unwrap_or_default());
                if class != Class::Field || width == 0 {
                    break (class, width);
                }
                length += width;
            };
            let (field, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            if !field.is_empty() {
                self.push(Run { text: field, ..run });
                is_after_blanks = false;
            }
            rest = after.get(width..).unwrap_or_default();
            match class {
                Class::Field => {}
                Class::Blank => is_after_blanks |= self.close(),
                Class::Mark => {
                    if !self.close() && !is_after_blanks {
                        self.fields.push(vec![Run { text: &[], ..run }]);
                    }
                    is_after_blanks = false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split() {
        for (value, ifs, expected) in [
            (" a  b ", " \t\n", &["a", "b"][..]),
            ("a:b::c:", ":", &["a", "b", "", "c"]),
            (":a", ":", &["", "a"]),
            ("a : b", " :", &["a", "b"]),
            ("a::b", " :", &["a", "", "b"]),
            (" : a", " :", &["", "a"]),
            ("aéb", "é", &["a", "b"]),
            ("a b", "", &["a b"]),
            ("", " ", &[]),
        ] {
            let separators = Separators::new(Some(ifs.as_bytes()));
            let found: Vec<&[u8]> = text(value.as_bytes(), &separators);
            assert_eq!(
                found,
                expected
                    .iter()
                    .map(|field| field.as_bytes())
                    .collect::<Vec<_>>(),
                "{value:?} by {ifs:?}"
            );
        }
    }

    #[test]
    fn quoted_parts_make_fields() {
        let separators = Separators::new(None);
        let run = |text, is_splittable, is_quoted| {
            Part::Text(Run {
                text,
                is_splittable,
                is_quoted,
            })
        };
        let count = |parts: &[Part<'_>]| fields(parts, &separators).len();
        assert_eq!(count(&[run(b"", false, true)]), 1);
        assert_eq!(count(&[run(b" ", true, false)]), 0);
        assert_eq!(
            count(&[
                run(b"a", false, false),
                run(b" b ", true, false),
                run(b"", false, true)
            ]),
            3
        );
        assert_eq!(
            count(&[run(b"a", false, true), Part::Break, run(b"b", false, true)]),
            2
        );
    }
}
