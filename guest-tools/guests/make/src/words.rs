//! Text as words between blanks.

/// Returns whether a byte separates words.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Returns the words of a text.
pub(crate) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| is_blank(*byte))
        .filter(|word| !word.is_empty())
}

/// Returns a text without blanks at its beginning.
pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| !is_blank(*byte))
        .unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// Returns a text without blanks at both ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let text = trim_start(text);
    let end = text
        .iter()
        .rposition(|byte| !is_blank(*byte))
        .map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

/// Joins words with single blanks.
pub(crate) fn join<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Vec<u8> {
    let mut text = Vec::new();
    for (number, word) in words.into_iter().enumerate() {
        if number > 0 {
            text.push(b' ');
        }
        text.extend_from_slice(word.as_ref());
    }
    text
}

/// Takes the first word; returns it and what follows without blanks before it.
pub(crate) fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = trim_start(text);
    let end = text
        .iter()
        .position(|byte| is_blank(*byte))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    (word, trim_start(rest))
}
