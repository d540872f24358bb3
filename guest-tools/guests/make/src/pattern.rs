//! Patterns with one `%`.

/// A pattern: what stands before the first `%` that is not quoted, and behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) before: Vec<u8>,
    pub(crate) behind: Option<Vec<u8>>,
}

impl Pattern {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut before = Vec::new();
        let mut rest = text;
        loop {
            let Some(place) = rest.iter().position(|byte| *byte == b'%') else {
                before.extend_from_slice(rest);
                return Self {
                    before,
                    behind: None,
                };
            };
            let (head, tail) = rest.split_at_checked(place).unwrap_or((rest, &[]));
            let tail = tail.get(1..).unwrap_or_default();
            let slashes = head.iter().rev().take_while(|byte| **byte == b'\\').count();
            // Half of the backslashes before the sign quote each other; an odd one quotes it.
            let kept = head.len() - slashes + slashes / 2;
            before.extend_from_slice(head.get(..kept).unwrap_or_default());
            if slashes % 2 == 0 {
                return Self {
                    before,
                    behind: Some(tail.to_vec()),
                };
            }
            before.push(b'%');
            rest = tail;
        }
    }

    /// Returns what the `%` stands for in a word, or nothing if the word is another.
    pub(crate) fn stem<'a>(&self, word: &'a [u8]) -> Option<&'a [u8]> {
        match &self.behind {
            None => (word == self.before).then_some(&[]),
            Some(behind) => word
                .strip_prefix(self.before.as_slice())?
                .strip_suffix(behind.as_slice()),
        }
    }

    /// Returns the pattern with a stem in place of the `%`.
    pub(crate) fn with(&self, stem: &[u8]) -> Vec<u8> {
        let mut text = self.before.clone();
        if let Some(behind) = &self.behind {
            text.extend_from_slice(stem);
            text.extend_from_slice(behind);
        }
        text
    }

    /// Returns whether there is a `%`.
    pub(crate) fn is_open(&self) -> bool {
        self.behind.is_some()
    }
}

/// Returns `word` changed if it matches `from`.
pub(crate) fn substitute(word: &[u8], from: &Pattern, to: &Pattern) -> Vec<u8> {
    match from.stem(word) {
        Some(stem) => to.with(stem),
        None => word.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems() {
        for (pattern, word, stem) in [
            ("%.c", "a.c", Some("a")),
            ("lib%.a", "lib.a", Some("")),
            ("a%b", "ab", Some("")),
            ("ab%ba", "aba", None),
            ("x", "x", Some("")),
            ("\\%x", "%x", Some("")),
            ("\\\\%x", "\\ax", Some("a")),
        ] {
            let found = Pattern::new(pattern.as_bytes()).stem(word.as_bytes());
            assert_eq!(found, stem.map(str::as_bytes), "{pattern} {word}");
        }
    }
}
