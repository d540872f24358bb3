//! Text as characters: valid UTF-8 sequences, and single bytes where the text is not UTF-8.

/// Returns the length in bytes of the first character, 0 for empty text.
pub fn length_of_first(text: &[u8]) -> usize {
    match text.first() {
        None => 0,
        Some(byte) if byte.is_ascii() => 1,
        Some(_) => match bstr::decode_utf8(text) {
            (Some(_), length) => length,
            (None, _) => 1,
        },
    }
}

/// Returns the first character and its length; `None` in the pair for a byte that is not UTF-8.
pub fn first(text: &[u8]) -> (Option<char>, usize) {
    match text.first() {
        None => (None, 0),
        Some(byte) if byte.is_ascii() => (Some(char::from(*byte)), 1),
        Some(_) => match bstr::decode_utf8(text) {
            (Some(character), length) => (Some(character), length),
            (None, _) => (None, 1),
        },
    }
}

/// Iterates over the characters of `text` as slices.
pub fn iterate(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (character, after) = rest.split_at_checked(length_of_first(rest))?;
        rest = after;
        (!character.is_empty()).then_some(character)
    })
}

/// Returns the number of characters: `${#x}`.
pub fn count(text: &[u8]) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        iterate(text).count()
    }
}

/// Returns the byte offset of character number `index`, or the length of `text` when it has fewer.
pub fn offset(text: &[u8], index: usize) -> usize {
    if text.is_ascii() {
        return index.min(text.len());
    }
    iterate(text).take(index).map(<[u8]>::len).sum()
}

/// Returns `${x:offset:length}` counted in characters.
///
/// A negative offset counts from the end; one before the start or after the end gives empty text. A negative
/// length is a position from the end; `Err` holds it when it lies before the offset, which bash reports as
/// `LENGTH: substring expression < 0`.
pub fn substring(text: &[u8], offset: i64, length: Option<i64>) -> Result<&[u8], i64> {
    let total = i64::try_from(count(text)).unwrap_or(i64::MAX);
    let start = if offset < 0 {
        total.saturating_add(offset)
    } else {
        offset
    };
    if start < 0 || start > total {
        return Ok(&[]);
    }
    let end = match length {
        None => total,
        Some(length) if length < 0 => {
            let end = total.saturating_add(length);
            if end < start {
                return Err(length);
            }
            end
        }
        Some(length) => start.saturating_add(length).min(total),
    };
    let from = self::offset(text, usize::try_from(start).unwrap_or(usize::MAX));
    let to = self::offset(text, usize::try_from(end).unwrap_or(usize::MAX));
    Ok(text.get(from..to).unwrap_or_default())
}
