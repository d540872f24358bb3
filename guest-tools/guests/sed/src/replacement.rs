//! The right side of the command `s`.

/// How the case of what follows changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Upper,
    Lower,
    UpperOne,
    LowerOne,
    End,
}

/// A part of a replacement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(Vec<u8>),
    /// A group; 0 is the whole match.
    Group(usize),
    Case(Case),
}

/// Reads a replacement. Returns its parts and the highest group they name.
pub(crate) fn parse(text: &[u8], posix: bool) -> (Vec<Part>, usize) {
    let mut parts = Vec::new();
    let mut plain = Vec::new();
    let mut highest = 0;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        let part = match byte {
            b'&' => Part::Group(0),
            b'\\' => match bytes.next() {
                Some(digit @ b'0'..=b'9') => Part::Group(usize::from(digit - b'0')),
                Some(b'U') if !posix => Part::Case(Case::Upper),
                Some(b'L') if !posix => Part::Case(Case::Lower),
                Some(b'u') if !posix => Part::Case(Case::UpperOne),
                Some(b'l') if !posix => Part::Case(Case::LowerOne),
                Some(b'E') if !posix => Part::Case(Case::End),
                other => {
                    plain.push(other.unwrap_or(b'\\'));
                    continue;
                }
            },
            byte => {
                plain.push(byte);
                continue;
            }
        };
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        if let Part::Group(group) = part {
            highest = highest.max(group);
        }
        parts.push(part);
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    (parts, highest)
}

/// The case that is to be applied while a replacement is put together.
#[derive(Debug, Default)]
pub(crate) struct CaseState {
    lasting: Option<Case>,
    once: Option<Case>,
}

impl CaseState {
    pub(crate) fn set(&mut self, case: Case) {
        match case {
            Case::UpperOne | Case::LowerOne => self.once = Some(case),
            Case::Upper | Case::Lower => self.lasting = Some(case),
            Case::End => {
                self.lasting = None;
                self.once = None;
            }
        }
    }

    /// Appends a text in the case that is due.
    pub(crate) fn append(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        if self.lasting.is_none() && self.once.is_none() {
            out.extend_from_slice(text);
            return;
        }
        for chunk in text.utf8_chunks() {
            for char in chunk.valid().chars() {
                let mut buffer = [0; 4];
                let changed = change(char, self.once.take().or(self.lasting));
                out.extend_from_slice(changed.encode_utf8(&mut buffer).as_bytes());
            }
            out.extend_from_slice(chunk.invalid());
        }
    }
}

/// Changes the case of a character, if that is one character again.
fn change(char: char, case: Option<Case>) -> char {
    let single = |mut chars: Box<dyn Iterator<Item = char>>| match (chars.next(), chars.next()) {
        (Some(changed), None) => changed,
        _ => char,
    };
    match case {
        Some(Case::Upper | Case::UpperOne) => single(Box::new(char.to_uppercase())),
        Some(Case::Lower | Case::LowerOne) => single(Box::new(char.to_lowercase())),
        _ => char,
    }
}
